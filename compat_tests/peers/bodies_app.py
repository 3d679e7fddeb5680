"""An ASGI application that takes and gives bodies of any size, and echoes on WebSockets; what a load is put on.

python -m compat_tests.peers.bodies_app PORT [LOOP]    # in ASGIContainer, under our own server
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tornado4.asgi import ASGIContainer
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop

counts = {"open": 0, "closed": 0}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["type"] == "http":
        await answer(scope, receive, send)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/large":
        for _ in range(int(scope["query_string"].partition(b"=")[2])):
            await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
        await send({"type": "http.response.body"})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
        await asyncio.sleep(0)
    told = repr(counts) if scope["path"] == "/counts" else f"size {size}"
    await send({"type": "http.response.body", "body": told.encode()})


async def echo(receive: Any, send: Any) -> None:
    await receive()
    counts["open"] += 1
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
    counts["closed"] += 1


if __name__ == "__main__":
    if sys.argv[2:] == ["uvloop"]:
        import uvloop

        IOLoop.configure("tornado4.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)
    HTTPServer(ASGIContainer(application), max_body_size=1 << 31).listen(int(sys.argv[1]), "127.0.0.1")
    IOLoop.current().start()
