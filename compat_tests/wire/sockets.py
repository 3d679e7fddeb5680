"""Raw frames to apps/sockets.py."""

from __future__ import annotations

import struct
import zlib

from compat_tests.side import HALF_CLOSE

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x01\x02\x03\x04"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def shake(path: str, *headers: str, without: str = "", method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    fields = ["Host: example.com", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"]
    given = {header.split(":")[0].lower() for header in headers}
    kept = [f for f in fields if f.split(":")[0].lower() not in given and f.split(":")[0] != without]
    return "\r\n".join([f"{method} {path} {version}", *kept, *headers, "", ""]).encode("latin1")


def frame(opcode: int, data: bytes = b"", fin: bool = True, masked: bool = True, rsv: int = 0, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + data
    return head + MASK + bytes(b ^ MASK[i % 4] for i, b in enumerate(data))


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def echo(*frames: bytes) -> list[bytes]:
    return [shake("/echo"), *frames]


def command(text: str, *more: bytes) -> list[bytes]:
    return [shake("/commands"), frame(TEXT, text.encode()), *more]


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"

#: Where the two sides differ, and the row that says why.
ROWS = {
    "shake without Host": "WIRE-HOST",
    "shake 1.0": "WS-1.0",
    "shake without Sec-WebSocket-Version": "SEC-WEBSOCKET-VERSION",
    **{f"shake version {version}": "SEC-WEBSOCKET-VERSION" for version in ("7", "8", "12", "14", "x", "")},
    "too long": "WS-CLOSED",
    "too long in fragments": "WS-CLOSED",
    "length not minimal": "SEC-WEBSOCKET",
    "unmasked": "SEC-WEBSOCKET",
    **{f"close {code}": "SEC-WEBSOCKET" for code in (1005, 1006, 1015, 999, 65535)},
    "close of one byte": "SEC-WEBSOCKET",
    "close reason not utf-8": "SEC-WEBSOCKET",
    "deflate ; nonsense=1": "WS-OFFER",
    "deflate ; server_max_window_bits=99": "WS-OFFER",
    "deflated rubbish": "SEC-WEBSOCKET",
    "deflated ping": "SEC-WEBSOCKET",
    "length of 64 bits": "SEC-WEBSOCKET",
    "64 bit length not minimal": "SEC-WEBSOCKET",
    "deflated too long": "SEC-WEBSOCKET-SIZE",
}

_ALL: list[tuple[str, object]] = [
    ("shake", shake("/echo")),
    ("shake lower case", shake("/echo", "connection: upgrade", "upgrade: WebSocket")),
    ("shake among others", shake("/echo", "Connection: keep-alive, Upgrade")),
    *[(f"shake without {name}", shake("/echo", without=name)) for name in ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host")],
    *[(f"shake version {v}", shake("/echo", f"Sec-WebSocket-Version: {v}")) for v in ("7", "8", "12", "14", "x", "")],
    ("shake wrong upgrade", shake("/echo", "Upgrade: h2c")),
    ("shake empty key", shake("/echo", "Sec-WebSocket-Key: ")),
    ("shake by post", shake("/echo", method="POST")),
    ("shake 1.0", shake("/echo", version="HTTP/1.0")),
    ("shake no such path", shake("/none")),
    ("shake forbidden", shake("/open/forbidden")),
    ("same origin", shake("/echo", "Origin: http://example.com")),
    ("other origin", shake("/echo", "Origin: http://evil.org")),
    ("origin with port", shake("/echo", "Origin: http://example.com:8080")),
    ("old origin header", shake("/echo", "Sec-Websocket-Origin: http://evil.org")),
    ("null origin", shake("/echo", "Origin: null")),
    ("own check passes", shake("/strict", "Origin: http://good.org")),
    ("own check refuses", shake("/strict", "Origin: http://example.com")),
    ("subprotocol chosen", shake("/sub", "Sec-WebSocket-Protocol: one, two")),
    ("subprotocol none", shake("/sub", "Sec-WebSocket-Protocol: one")),
    ("subprotocol not offered", shake("/sub")),
    ("default headers and cookie", shake("/headers")),
    ("hello on open", shake("/echo?hello=1")),
    ("open fails", shake("/open/fail")),
    ("open closes", [shake("/open/close"), close(4000, b"at once")]),
    ("open reads a header", shake("/open/header", "X-A: 5")),
    ("frames with the handshake", shake("/echo") + frame(TEXT, b"early")),
    ("text", echo(frame(TEXT, b"hi"))),
    ("text utf-8", echo(frame(TEXT, "é€".encode()))),
    ("text empty", echo(frame(TEXT))),
    ("binary", echo(frame(BINARY, bytes(range(256))))),
    ("two in one piece", echo(frame(TEXT, b"1") + frame(TEXT, b"2"))),
    ("byte by byte", echo(*[bytes([b]) for b in frame(TEXT, b"slow")])),
    *[(f"length {n}", echo(frame(BINARY, b"x" * n))) for n in (125, 126, 127, 65535, 65536, 100000)],
    ("length not minimal", echo(b"\x81\xfe\x00\x02" + MASK + bytes([ord("h") ^ 1, ord("i") ^ 2]))),
    ("fragments", echo(frame(TEXT, b"a", fin=False), frame(0, b"b", fin=False), frame(0, b"c"))),
    ("fragments of binary", echo(frame(BINARY, b"a", fin=False) + frame(0, b"b"))),
    ("fragments with a ping between", echo(frame(TEXT, b"a", fin=False), frame(PING, b"p"), frame(0, b"b"))),
    ("fragment cut within a character", echo(frame(TEXT, "é".encode()[:1], fin=False), frame(0, "é".encode()[1:]))),
    ("continuation of nothing", echo(frame(0, b"x"))),
    ("text within fragments", echo(frame(TEXT, b"a", fin=False), frame(TEXT, b"b"))),
    ("ping", echo(frame(PING, b"data"))),
    ("ping empty", echo(frame(PING))),
    ("ping of 125", echo(frame(PING, b"x" * 125))),
    ("ping of 126", echo(frame(PING, b"x" * 126))),
    ("ping in fragments", echo(frame(PING, b"x", fin=False))),
    ("pong", echo(frame(PONG, b"data"))),
    ("not utf-8", echo(frame(TEXT, b"\xff"))),
    ("unmasked", echo(frame(TEXT, b"hi", masked=False))),
    *[(f"reserved bit {rsv:#x}", echo(frame(TEXT, b"hi", rsv=rsv))) for rsv in (0x10, 0x20, 0x40)],
    *[(f"opcode {op}", echo(frame(op, b"x"))) for op in (3, 7, 11, 15)],
    ("close", echo(close())),
    ("close with text after it", echo(close(1000) + frame(TEXT, b"x"))),
    *[(f"close {code}", echo(close(code, b"bye"))) for code in (1000, 1001, 1005, 1006, 1015, 999, 3000, 4999, 65535)],
    ("close of one byte", echo(frame(CLOSE, b"\x03"))),
    ("close reason not utf-8", echo(close(1000, b"\xff"))),
    ("end without close", [shake("/echo"), frame(TEXT, b"x"), HALF_CLOSE]),
    *[(f"command {text}", command(text)) for text in ("close", "close code", "close 1000", "reason only", "close twice", "write after close", "ping", "dict", "unicode", "binary", "fail", "long", "medium", "several", "number")],
    ("their close is answered", command("close code", close(4001))),
    ("our close while theirs is under way", command("close", close(1001))),
    ("pong to our ping", command("ping", frame(PONG, b"data"))),
    ("coroutine", [shake("/coroutine"), frame(TEXT, b"a") + frame(TEXT, b"b")]),
    ("coroutine fails", [shake("/coroutine"), frame(TEXT, b"fail"), frame(TEXT, b"a")]),
    ("deflate not wanted", shake("/echo", DEFLATE)),
    *[(f"deflate {offer}", shake("/compressed", f"{DEFLATE}{offer}"))
      for offer in ("", "; client_max_window_bits", "; server_max_window_bits=10", "; client_no_context_takeover", "; server_no_context_takeover", "; nonsense=1", ", x-other", "; server_max_window_bits=99")],
    ("deflate not offered", [shake("/compressed"), frame(TEXT, b"plain")]),
    ("deflated text", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"hello hello hello"), rsv=0x40)]),
    ("deflated twice", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"hello hello"), rsv=0x40), frame(TEXT, deflated(b"hello hello"), rsv=0x40)]),
    ("deflated without context", [shake("/compressed", DEFLATE + "; server_no_context_takeover; client_no_context_takeover"), frame(TEXT, deflated(b"hello"), rsv=0x40), frame(TEXT, deflated(b"hello"), rsv=0x40)]),
    ("plain where deflated may be", [shake("/compressed", DEFLATE), frame(TEXT, b"plain")]),
    ("deflated fragments", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"hello")[:3], fin=False, rsv=0x40), frame(0, deflated(b"hello")[3:])]),
    ("deflated rubbish", [shake("/compressed", DEFLATE), frame(TEXT, b"\xff\xff\xff", rsv=0x40)]),
    ("deflated too long", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"x" * 200000), rsv=0x40)]),
    ("shake with close", shake("/echo", "Connection: close, Upgrade") + frame(TEXT, b"x")),
    ("shake with a body", [shake("/echo", "Content-Length: 5") + b"hello" + frame(TEXT, b"x")]),
    ("shake with a chunked body", [shake("/echo", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + frame(TEXT, b"x")]),
    ("shake that expects 100", [shake("/echo", "Expect: 100-continue", "Content-Length: 2") + b"hi", frame(TEXT, b"x")]),
    ("a request behind the handshake", [shake("/echo") + b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"]),
    ("shake by head", shake("/echo", method="HEAD")),
    ("shake with two keys", shake("/echo", "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b")),
    ("shake with no real key", shake("/echo", "Sec-WebSocket-Key: x")),
    ("two origins", shake("/echo", "Origin: http://example.com\r\nOrigin: http://evil.org")),
    ("empty origin", shake("/echo", "Origin: ")),
    ("origin in other case", shake("/echo", "Origin: HTTP://EXAMPLE.COM")),
    ("origin of a file", shake("/echo", "Origin: file://")),
    ("origin with user", shake("/echo", "Origin: http://example.com@evil.org")),
    ("origin without scheme", shake("/echo", "Origin: example.com")),
    ("host with port, origin with port", shake("/echo", "Host: example.com:81", "Origin: http://example.com:81")),
    ("host in upper case", shake("/echo", "Host: EXAMPLE.COM", "Origin: http://example.com")),
    ("subprotocols in two fields", shake("/sub", "Sec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two")),
    ("subprotocols with blanks", shake("/sub", "Sec-WebSocket-Protocol:  one ,, two ")),
    ("close within fragments", echo(frame(TEXT, b"a", fin=False) + close(1000) + frame(0, b"b"))),
    ("ping within fragments, in one piece", echo(frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(0, b"b"))),
    ("empty fragments", echo(frame(TEXT, fin=False) + frame(0, fin=False) + frame(0, b"x", fin=False) + frame(0))),
    ("nothing but empty fragments", echo(frame(BINARY, fin=False) + frame(0))),
    ("fragment of binary within text", echo(frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"))),
    *[(f"text {data!r}", echo(frame(TEXT, data))) for data in (b"\0", b"\xef\xbb\xbfbom", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xc3", b"a\r\nb")],
    ("not utf-8 over two fragments", echo(frame(TEXT, b"\xe2\x82", fin=False) + frame(0, b"\x41"))),
    ("utf-8 that ends too soon", echo(frame(TEXT, b"\xe2", fin=False) + frame(0, b"\x82"))),
    ("pong nobody asked for", echo(frame(PONG, b"x" * 125) + frame(TEXT, b"x"))),
    ("pong of 126", echo(frame(PONG, b"x" * 126))),
    ("close of 126", echo(frame(CLOSE, struct.pack("!H", 1000) + b"x" * 124))),
    ("close in fragments", echo(frame(CLOSE, struct.pack("!H", 1000), fin=False))),
    *[(f"reserved bit {rsv:#x} of a {name}", echo(frame(op, b"", rsv=rsv))) for rsv in (0x10, 0x40) for op, name in ((PING, "ping"), (CLOSE, "close"))],
    ("reserved bit of a continuation", echo(frame(TEXT, b"a", fin=False) + frame(0, b"b", rsv=0x40))),
    ("two closes", echo(close(1000) + close(1001))),
    ("length of 63 bits", echo(b"\x82\xff\x7f" + b"\xff" * 7 + MASK)),
    ("length of 64 bits", echo(b"\x82\xff" + b"\xff" * 8 + MASK)),
    ("64 bit length not minimal", echo(b"\x82\xff" + struct.pack("!Q", 300) + b"\0\0\0\0" + b"x" * 300)),
    ("deflated with a reserved bit in the middle", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"hello")[:3], fin=False, rsv=0x40), frame(0, deflated(b"hello")[3:], rsv=0x40)]),
    ("deflated ping", [shake("/compressed", DEFLATE), frame(PING, deflated(b"x"), rsv=0x40)]),
    ("deflated nothing", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b""), rsv=0x40), frame(TEXT, b"\0", rsv=0x40)]),
    ("deflated with a ping between", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"hello")[:3], fin=False, rsv=0x40), frame(PING, b"p"), frame(0, deflated(b"hello")[3:])], "WS-BETWEEN"),
    ("deflated not utf-8", [shake("/compressed", DEFLATE), frame(TEXT, deflated(b"\xff"), rsv=0x40)]),
    ("deflated after plain", [shake("/compressed", DEFLATE), frame(TEXT, b"plain") + frame(TEXT, deflated(b"deflated"), rsv=0x40) + frame(BINARY, b"plain")]),
    ("deflated without agreement", [shake("/compressed"), frame(TEXT, deflated(b"x"), rsv=0x40)]),
    ("plain request to a socket", b"GET /echo HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    # At the end: five seconds later 4.5.3 gives up waiting for an answer, and says so amid whatever comes then.
    ("too long", echo(frame(BINARY, b"x" * 100001))),
    ("too long in fragments", echo(frame(BINARY, b"x" * 60000, fin=False), frame(0, b"x" * 60000))),
]

EXCHANGES: list[tuple[object, ...]] = [(*case, ROWS[case[0]]) if case[0] in ROWS else case for case in _ALL]
