"""Raw exchanges with apps/limited.py."""

from __future__ import annotations

import gzip
import zlib

from compat_tests.wire.basic import chunked, get, post

GZIP = "Accept-Encoding: gzip"


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def at(host: str, data: bytes) -> bytes:
    return data.replace(b"example.com", host.encode())


#: Where the two sides differ, and the row that says why.
ROWS = {"body of 1001": "WIRE-413", "chunks of 1001": "WIRE-413", "header of 2100": "WIRE-431"}

_ALL: list[tuple[str, object]] = [
    *[(f"gzip {kind} {size}", get(f"/text/{kind}/{size}", GZIP)) for kind in ("text-plain", "text-html", "image-png", "application-json", "application-javascript", "application-x-javascript", "image-svg+xml") for size in (10, 1023, 1024, 3000)],
    *[(f"accept-encoding {value}", get("/text/text-plain/2000", f"Accept-Encoding: {value}")) for value in ("deflate", "gzip;q=0", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "*", "")],
    ("not asked for", get("/text/text-plain/2000")), ("encoded already", get("/text/text-plain/2000?encoded=1", GZIP)), ("vary kept", get("/text/text-plain/2000?vary=1", GZIP)),
    ("gzip pieces", get("/pieces", GZIP)), ("gzip pieces 1.0", get("/pieces", GZIP, version="HTTP/1.0")), ("gzip head", get("/text/text-plain/2000", GZIP, method="HEAD")),
    ("gzip without etag", get("/plain", GZIP)), ("gzip etag matched", get("/text/text-plain/2000", GZIP, "If-None-Match: *")), ("gzip 404", get("/none", GZIP)),
    ("packed body", post("/body", packed(b"a=1"), "application/x-www-form-urlencoded", "Content-Encoding: gzip")),
    ("packed body in chunks", chunked("/body", packed(b"a=1")[:9], packed(b"a=1")[9:], headers=("Content-Encoding: gzip", "Content-Type: application/x-www-form-urlencoded"))),
    ("packed streamed", post("/sizes", packed(b"x" * 950), "x/y", "Content-Encoding: gzip")),
    ("packed otherwise", post("/body", zlib.compress(b"a=1"), "application/x-www-form-urlencoded", "Content-Encoding: deflate")),
    ("packed empty", post("/body", b"", "x/y", "Content-Encoding: gzip")),
    *[(f"body of {size}", post("/body", b"x" * size, "x/y")) for size in (999, 1000, 1001)],
    *[(f"chunks of {size}", chunked("/body", b"x" * 500, b"x" * (size - 500))) for size in (999, 1000, 1001)],
    *[(f"streamed {size}", post("/sizes", b"x" * size, "x/y")) for size in (0, 1, 99, 100, 101, 1000)],
    ("streamed chunks", chunked("/sizes", b"x" * 150, b"x" * 50, b"x" * 100)),
    *[(f"header of {size}", get("/info", "X-A: " + "a" * size)) for size in (1000, 1900, 1950, 2100)],
    *[(f"trusted {value}", get("/info", f"X-Forwarded-For: {value}")) for value in ("4.4.4.4, 5.5.5.5", "5.5.5.5", "3.3.3.3, 4.4.4.4, 5.5.5.5", "x, 5.5.5.5")],
    ("protocol", get("/info")), ("protocol changed", get("/info", "X-Scheme: http")),
    *[(f"host {host} {path}", at(host, get(path))) for host, path in (("a.org", "/p"), ("A.org", "/p"), ("a.org:8080", "/p"), ("x.b.org", "/x1"), ("x.b.org", "/lookup"), ("b.org", "/x1"), ("aaorg", "/p"), ("default.org", "/lookup"))],
    ("callable", get("/callable")), ("callable pipelined", get("/callable") + get("/lookup")), ("callable head", get("/callable", method="HEAD")),
    ("version 1 token missing", at("token.org", post("/token", b"a=1"))), ("version 1 token made", at("token.org", get("/token"))),
    ("version 1 token given", at("token.org", post("/token", b"_xsrf=" + b"ab" * 16, "application/x-www-form-urlencoded", "Cookie: _xsrf=" + "ab" * 16))),
    ("no such path there", at("token.org", get("/none"))),
]

EXCHANGES: list[tuple[object, ...]] = [(*case, ROWS[case[0]]) if case[0] in ROWS else case for case in _ALL]
