"""A bare ASGI function under uvicorn, with httptools and uvloop where they are installed."""
import asyncio
import json
import socket
from urllib.parse import parse_qs

import uvicorn

PLAIN = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"12")]

PIECE = b"x" * 16384


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await echo(receive, send)
        return
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/browser":
        await answer_browser(scope, send)
        return
    if path == "/upload":
        await answer_upload(receive, send)
        return
    if path == "/stream":
        await answer_streamed(send)
        return
    if path == "/native":
        await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": PLAIN})
    await send({"type": "http.response.body", "body": b"Hello, world"})


async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "bytes": event["bytes"]})


async def answer_upload(receive, send):
    pieces, more = [], True
    while more:
        event = await receive()
        pieces.append(event["body"])
        more = event["more_body"]
    body = str(len(b"".join(pieces))).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def answer_streamed(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(64):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def answer_browser(scope, send):
    headers = dict(scope["headers"])
    query = parse_qs(scope["query_string"].decode())
    cookies = dict(c.strip().split("=", 1) for c in headers[b"cookie"].decode().split(";"))
    body = json.dumps({
        "user": cookies.get("user"),
        "page": int(query["page"][0]),
        "tags": query["tag"],
        "agent": headers[b"user-agent"].decode()[:11],
    }).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    sock = socket.create_server(("127.0.0.1", 0))
    print("PORT", sock.getsockname()[1], flush=True)
    config = uvicorn.Config(app, access_log=False, log_level="warning", ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[sock])
