"""Fetches by aiohttp: CPU microseconds a fetch, as a number. Connections are kept for ``--kept`` only."""
import asyncio
import sys
import time

import aiohttp

URL = "http://127.0.0.1:{}{}".format(*sys.argv[1:3])


async def main():
    connector = aiohttp.TCPConnector(force_close="--kept" not in sys.argv)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def fetch():
            async with session.get(URL) as response:
                await response.read()

        await asyncio.gather(*(fetch() for _ in range(4)))
        count, before, end = 0, time.process_time(), time.time() + float(sys.argv[3])
        while time.time() < end:
            await asyncio.gather(*(fetch() for _ in range(4)))
            count += 4
        return (time.process_time() - before) * 1e6 / count


if __name__ == "__main__":
    print(asyncio.run(main()))
