"""asyncio's streams, on uvloop: answers each line; after "bytes", each 1 MiB by one byte. Says "PORT 0 0 tcp"."""
import asyncio

import uvloop


async def talk(reader, writer):
    try:
        while True:
            line = await reader.readuntil(b"\n")
            writer.write(line)
            if line == b"bytes\n":
                break
        while True:
            for _ in range(16):
                await reader.readexactly(65536)
            writer.write(b".")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20)
    print("PORT 0 0", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
