"""The benchmark's application for aiohttp."""
import asyncio
import socket
import sys

from aiohttp import web


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


async def main() -> None:
    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/browser", browser), web.get("/native", native)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    print("PORT", sock.getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
