"""The benchmark's application for aiohttp."""
import asyncio
import os
import socket
import sys

from aiohttp import WSMsgType, web

PIECE = b"x" * 16384


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, world")


async def browser(request: web.Request) -> web.Response:
    return web.json_response({
        "user": request.cookies.get("user"),
        "page": int(request.query["page"]),
        "tags": request.query.getall("tag"),
        "agent": request.headers.get("User-Agent", "")[:11],
    }, headers={"Cache-Control": "no-store"})


async def native(request: web.Request) -> web.Response:
    await asyncio.sleep(0)
    return web.Response(text="Hello, world")


async def upload(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


async def streamed(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(64):
        await response.write(PIECE)
    await response.write_eof()
    return response


async def echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.BINARY:
            await ws.send_bytes(message.data)
    return ws


async def main() -> None:
    app = web.Application(client_max_size=1 << 24)
    app.add_routes([
        web.get("/", hello), web.get("/browser", browser), web.get("/native", native), web.post("/upload", upload),
        web.get("/stream", streamed), web.get("/ws", echo), web.static("/static", os.environ["BENCH_STATIC"]),
    ])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    print("PORT", sock.getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
