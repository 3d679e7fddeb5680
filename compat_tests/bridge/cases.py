"""What is sent to ``six.py`` and ``four.py``: ``CASES``, a name and the bytes, or a list of steps."""

from __future__ import annotations

from compat_tests.side import HALF_CLOSE
from compat_tests.wire.sockets import BINARY, CLOSE, PING, TEXT, close, frame, shake


def ask(path: str, *headers: str, method: str = "GET", body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    fields = ["Host: example.com", *headers]
    if body:
        fields.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"{method} {path} {version}", *fields, "", ""]).encode("latin-1") + body


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


LARGE = b"x" * 99_000
FORM = "Content-Type: application/x-www-form-urlencoded"
MULTIPART = "Content-Type: multipart/form-data; boundary=XX"
FILES = (
    b'--XX\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n0123456789\r\n--XX--\r\n"
)
CHUNKED = "Transfer-Encoding: chunked"

HTTP: list[tuple[str, object]] = [
    ("a request, all of it", ask("/echo?a=1&b=%C3%B6&b=", "X-Y: z", "Cookie: plain=1")),
    ("head", ask("/echo", method="HEAD")),
    ("twice on a connection", ask("/echo") + ask("/slow") + ask("/status/200")),
    ("etag that matches", ask("/slow", 'If-None-Match: "da23614e02469a0d7c7bd1bdab5c9c474b1904dc"')),
    ("a form", ask("/echo", FORM, method="POST", body=b"x=1&y=%20&x=2")),
    ("files", ask("/echo", MULTIPART, method="POST", body=FILES)),
    ("a chunked body", ask("/echo", CHUNKED, method="PUT") + chunked(b"abc", b"defg")),
    ("the body in pieces", [ask("/echo", "Content-Length: 6", method="PUT"), b"abc", b"def"]),
    ("delete and patch", ask("/echo", method="DELETE") + ask("/echo", method="PATCH", body=b"x")),
    ("no such page", ask("/nothing")),
    ("no such method", ask("/slow", method="POST", body=b"x")),
    ("http/1.0", ask("/echo", version="HTTP/1.0")),
    ("http/1.0, kept", ask("/slow", "Connection: keep-alive", version="HTTP/1.0")),
    ("close", ask("/slow", "Connection: close")),
    ("streaming", ask("/yielding")),
    ("streaming to http/1.0", ask("/yielding", version="HTTP/1.0")),
    ("two megabytes", ask("/large")),
    ("an upload", ask("/upload", method="PUT", body=b"12345" * 50_000)),
    ("an upload in chunks", ask("/upload", CHUNKED, method="PUT") + chunked(b"abc" * 999, b"x")),
    ("an upload that is refused", ask("/upload", "Refuse: yes", method="PUT", body=b"12345" * 100)),
    ("an upload that breaks", ask("/upload", "Break: yes", method="PUT", body=b"12345" * 100)),
    ("an upload that is cut short", [ask("/upload", "Content-Length: 100", method="PUT") + b"abc", HALF_CLOSE]),
    ("an upload with a higher limit", ask("/upload", "Limit: 400000", CHUNKED, method="PUT") + chunked(b"z" * 350_000)),
    ("an exception", ask("/broken/early")),
    ("an exception after the head", ask("/broken/late")),
    ("an error of its own", ask("/broken/refused")),
    ("more than Content-Length", ask("/broken/long")),
    ("less than Content-Length", ask("/broken/short")),
    ("a client that leaves", [ask("/gone"), HALF_CLOSE]),
    ("no content", ask("/status/204") + ask("/status/304") + ask("/status/204", method="HEAD")),
    ("a redirect", ask("/status/302")),
    ("a proxy's headers", ask("/echo", "X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X-Forwarded-Proto: https") + ask("/echo")),
    ("cookies", ask("/cookies", method="POST") + ask("/cookies", "Cookie: plain=x")),
    ("a file", ask("/files/style.css")),
    ("a part of a file", ask("/files/style.css", "Range: bytes=3-9") + ask("/files/style.css", "Range: bytes=999-")),
    ("the head of a file", ask("/files/style.css", method="HEAD")),
    ("no file", ask("/files/../six.py") + ask("/files/none")),
    ("a tunnel", [ask("/detached") + b"ahead\n", b"more\n", HALF_CLOSE]),
    ("an argument that is no text", ask("/echo?a=%ff")),
    ("a whole URL", ask("http://example.com/echo?a=1")),
    ("many arguments", ask("/echo?" + "a=1&" * 500)),
    ("a path of no slash", ask("*", method="OPTIONS")),
    ("a tunnel behind a body", ask("/detached", "Content-Length: 4") + b"a\nb\nc\n"),
    ("a handshake for another protocol", ask("/echo", "Upgrade: h2c", "Connection: Upgrade")),
    ("a websocket behind others", [ask("/echo") + ask("/slow") + shake("/socket") + frame(TEXT, b"one"), close(1000)]),
    ("no host", b"GET /echo HTTP/1.1\r\n\r\n"),
    ("a host that is none", b"GET /echo HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("two hosts", ask("/echo", "Host: other.example")),
    ("expect 100-continue", [ask("/echo", "Expect: 100-continue", "Content-Length: 3", method="PUT"), b"abc"]),
    ("a body that is too large", ask("/echo", "Content-Length: 300001", method="PUT")),
    ("a form that is none", ask("/echo", MULTIPART, method="POST", body=b"--XX\r\nnonsense")),
    ("two lengths", ask("/echo", "Content-Length: 3", "Content-Length: 4", method="PUT") + b"abcd"),
    ("a length and chunks", ask("/echo", "Content-Length: 3", CHUNKED, method="PUT") + chunked(b"abc")),
    ("no request", b"hello\r\n\r\n"),
]

SOCKETS: list[tuple[str, object]] = [
    ("messages", [shake("/socket"), frame(TEXT, b"hello"), frame(BINARY, b"\0\xff"), close(1000, b"bye")]),
    ("messages ahead", [shake("/socket") + frame(TEXT, b"one") + frame(TEXT, b"two"), close()]),
    ("a frame in two", [shake("/socket") + frame(TEXT, b"hello")[:3], frame(TEXT, b"hello")[3:], close()]),
    ("a large one in two", [shake("/socket") + frame(TEXT, LARGE)[:50_000], frame(TEXT, LARGE)[50_000:], close()]),
    ("a proxy's headers", [shake("/socket", "X-Real-Ip: 1.2.3.4"), close(4000)]),
    ("subprotocol", [shake("/socket", "Sec-WebSocket-Protocol: v1, v2"), frame(TEXT, b"x"), close(1000)]),
    ("compressed", [shake("/socket?compress=1", "Sec-WebSocket-Extensions: permessage-deflate"), close(1000)]),
    ("closed by the handler", [shake("/socket"), frame(TEXT, b"close"), close(4001, b"enough")]),
    ("an exception", [shake("/socket"), frame(TEXT, b"fail"), frame(TEXT, b"after"), close(1000)]),
    (
        "pings both ways",
        [shake("/socket"), frame(PING, b"p"), frame(TEXT, b"ping"), frame(10, b"pong data"), close(1000)],
    ),
    ("a large message", [shake("/socket"), frame(TEXT, LARGE), close(1000)]),
    ("a message that is too large", [shake("/socket"), frame(TEXT, b"x" * 100_001)]),
    ("no close frame", [shake("/socket"), HALF_CLOSE]),
    ("bytes that are no frame", [shake("/socket"), b"\xff\xff\xff\xff"]),
    ("an origin that may not", shake("/socket", "Origin: http://evil.example")),
    ("no handshake", ask("/socket")),
    ("a version that is unknown", shake("/socket", "Sec-WebSocket-Version: 12")),
    ("a close of no code", [shake("/socket"), frame(CLOSE, b"")]),
]

CASES = [*HTTP, *((f"websocket: {name}", steps) for name, steps in SOCKETS)]

#: Those that end in 200, or in a WebSocket.
SUCCEED = {
    "a request, all of it", "head", "twice on a connection", "a form", "files", "a chunked body", "the body in pieces",
    "delete and patch", "http/1.0", "http/1.0, kept", "close", "streaming", "streaming to http/1.0", "two megabytes",
    "an upload", "an upload in chunks", "an upload with a higher limit", "a proxy's headers", "cookies", "a file",
    "the head of a file", "a tunnel", "many arguments", "a tunnel behind a body", "a handshake for another protocol",
    "a websocket behind others", "expect 100-continue",
    *(f"websocket: {name}" for name, _ in SOCKETS[:15] if name not in ("an origin that may not", "no handshake")),
}  # fmt: skip
