"""Raw exchanges with apps/basic.py: (name, bytes sent[, the row of docs/deviations.md that explains a difference])."""

from __future__ import annotations


def get(path: str, *headers: str, method: str = "GET", version: str = "HTTP/1.1", body: bytes = b"") -> bytes:
    lines = [f"{method} {path} {version}", "Host: example.com", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin1") + body


def post(path: str, body: bytes, kind: str = "application/x-www-form-urlencoded", *headers: str) -> bytes:
    return get(path, f"Content-Type: {kind}", *headers, method="POST", body=body)


def chunked(path: str, *pieces: bytes, headers: tuple[str, ...] = (), end: bytes = b"0\r\n\r\n") -> bytes:
    head = get(path, "Transfer-Encoding: chunked", *headers, method="POST")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + end


MULTIPART = (
    b'--b0\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue 1\r\n'
    b'--b0\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\nfile body\r\n'
    b"--b0--\r\n"
)
FORM = "multipart/form-data; boundary=b0"

EXCHANGES: list[tuple[str, bytes] | tuple[str, bytes, str]] = [
    ("get", get("/")),
    ("head", get("/", method="HEAD")),
    ("head of a page that has it", get("/headers", method="HEAD")),
    ("get 1.0", get("/", version="HTTP/1.0")),
    ("get 1.0 keep-alive", get("/", "Connection: Keep-Alive", version="HTTP/1.0")),
    ("get 1.0 keep-alive lower", get("/", "connection: keep-alive", version="HTTP/1.0")),
    ("get close", get("/", "Connection: close")),
    ("get Close", get("/", "Connection: Close")),
    ("two pipelined", get("/") + get("/status/201")),
    ("three pipelined, the second waits", get("/") + get("/waits") + get("/engine")),
    ("four pipelined, with bodies", post("/", b"a=1") + get("/") + chunked("/", b"b=2") + get("/stream")),
    ("pipelined after close", get("/", "Connection: close") + get("/status/201"), "WIRE-CLOSE"),
    ("blank line first", b"\r\n" + get("/")),
    ("blank lines first", b"\r\n\r\n" + get("/"), "WIRE-BLANK"),
    ("bare line feeds", get("/").replace(b"\r\n", b"\n")),
    ("not modified", get("/", 'If-None-Match: "3372aa9bd7a9a2a3ba7c0c0a9e2b6b2c6d1e0d3a"')),
    ("etag matches", get("/", 'If-None-Match: "e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"')),
    ("etag star", get("/", "If-None-Match: *")),
    ("etag weak list", get("/", 'If-None-Match: "x", W/"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"')),
    ("echo", get("/echo?a=1&b=2&a=3&empty=&pct=%41%2f+x&utf=%C3%A9")),
    ("echo headers", get("/echo", "X-A: 1", "x-b:2", "X-C:\t3 ", "Accept: text/html", "x-a: 4")),
    ("echo cookies", get("/echo", 'Cookie: a=1; b="two"; c=; d; e=x=y; f="a\\"b\\073c"')),
    ("echo two cookie fields", get("/echo", "Cookie: a=1", "Cookie: b=2")),
    ("echo absolute target", get("http://example.com/echo?x=1"), "WIRE-TARGET"),
    ("echo host with port", get("/echo").replace(b"Host: example.com", b"Host: Example.com:8888")),
    ("echo obs-text", get("/echo", "X-Latin: caf\xe9")),
    ("echo get with body", get("/echo", body=b"hidden")),
    ("echo options", get("/echo", method="OPTIONS")),
    ("echo folded header", get("/echo", "X-Long: one\r\n two")),
    ("form", post("/echo", b"x=1&y=2&x=3&z=&w=%41+b")),
    ("form utf-8", post("/echo", b"x=%C3%A9", "application/x-www-form-urlencoded; charset=UTF-8")),
    ("form and query", post("/echo?x=0&q=1", b"x=1")),
    ("form with a bad escape", post("/echo", b"x=%zz&y=1")),
    ("json body", post("/echo", b'{"a": 1}', "application/json")),
    ("multipart", post("/echo", MULTIPART, FORM)),
    ("multipart quoted boundary", post("/echo", MULTIPART, 'multipart/form-data; boundary="b0"')),
    ("multipart no boundary", post("/echo", MULTIPART, "multipart/form-data")),
    ("multipart no end", post("/echo", MULTIPART[:-8], FORM)),
    ("multipart no name", post("/echo", MULTIPART.replace(b' name="field"', b""), FORM)),
    ("multipart utf-8 filename", post("/echo", MULTIPART.replace(b'filename="a b.txt"', b"filename*=utf-8''%C3%A9.txt"), FORM)),
    ("put", get("/echo", method="PUT", body=b"raw")),
    ("chunked", chunked("/echo", b"x=1", b"&y=2", headers=("Content-Type: application/x-www-form-urlencoded",))),
    ("chunked empty", chunked("/echo")),
    ("chunked with extension", chunked("/echo").replace(b"0\r\n\r\n", b"3;ext=1\r\nabc\r\n0\r\n\r\n"), "WIRE-EXT"),
    ("expect continue without a body", [get("/", "Expect: 100-continue"), get("/", "Expect: 100-continue"), get("/", "Expect: 100-continue", "Content-Length: 0", method="POST")]),
    ("expect continue without a body, pipelined", get("/", "Expect: 100-continue") + get("/") + get("/", "Expect: 100-continue", method="HEAD")),
    ("expect continue, early", get("/missing", "Expect: 100-continue") + get("/", "Expect: other")),
    ("expect continue", get("/", "Expect: 100-continue", "Content-Type: application/x-www-form-urlencoded", method="POST", body=b"a=1")),
    ("upload", post("/upload", b"x" * 70000, "application/octet-stream")),
    ("upload chunked", chunked("/upload", b"x" * 5000, b"y" * 3)),
    ("status 201", get("/status/201")),
    ("status 204", get("/status/204")),
    ("status 304", get("/status/304")),
    ("status 299 with reason", get("/status/299?reason=Fine")),
    ("status 599", get("/status/599")),
    ("unknown status", get("/status/799")),
    ("404", get("/nowhere")),
    ("405", get("/", method="DELETE")),
    ("unknown method", get("/", method="BREW")),
    ("403 with reason", get("/fail/http")),
    ("418", get("/fail/plain")),
    ("missing argument", get("/fail/missing")),
    ("finish", get("/fail/finish")),
    ("send_error", get("/fail/send")),
    ("500", get("/fail/boom")),
    ("failure after flush", get("/fail/late")),
    ("cookies", get("/cookies")),
    ("headers", get("/headers")),
    ("stream", get("/stream")),
    ("stream 1.0", get("/stream", version="HTTP/1.0")),
    ("stream 1.0 keep-alive", get("/stream", "Connection: keep-alive", version="HTTP/1.0"), "WIRE-1.0-END"),
    ("stream head", get("/stream", method="HEAD")),
    ("waits", get("/waits")),
    ("engine", get("/engine")),
    ("redirect", get("/redirect")),
    ("redirect permanent", get("/redirect?p=1")),
    ("moved", get("/moved")),
    ("addslash", get("/slash?x=1")),
    ("removeslash", get("/noslash/?x=1")),
    ("login", get("/private?x=1")),
    ("login by post", get("/private", method="POST", body=b"x")),
    ("page", get("/page?x=<>")),
    ("arguments of the path", get("/args/a%20b/c%2Fd/e")),
    ("named arguments", get("/named/1/2")),
    ("empty argument", get("/args//")),
    ("xsrf without token", post("/xsrf", b"a=1")),
    ("xsrf token", get("/xsrf")),
    ("static", get("/files/robots.txt")),
    ("static head", get("/files/robots.txt", method="HEAD")),
    ("static range", get("/files/robots.txt", "Range: bytes=0-4")),
    ("static suffix range", get("/files/robots.txt", "Range: bytes=-4")),
    ("static open range", get("/files/robots.txt", "Range: bytes=5-")),
    ("static range past the end", get("/files/robots.txt", "Range: bytes=1000-")),
    ("static bad range", get("/files/robots.txt", "Range: bits=0-4")),
    ("static whole range", get("/files/robots.txt", "Range: bytes=0-")),
    ("static not modified since", get("/files/robots.txt", "If-Modified-Since: Wed, 01 Jan 2098 00:00:00 GMT")),
    ("static with version", get("/static/style.css?v=1")),
    ("static missing", get("/files/none.txt")),
    ("static directory", get("/files/")),
    ("static outside", get("/files/../basic.py")),
    ("static outside, escaped", get("/files/%2e%2e/basic.py")),
    ("root file", get("/robots.txt")),
    # What a peer should not send. 4.5.3 is not always right here; each difference has its row.
    ("garbage", b"garbage\r\n\r\n", "WIRE-400"),
    ("http 2.0", get("/", version="HTTP/2.0"), "WIRE-505"),
    ("no version", b"GET /\r\n\r\n", "WIRE-400"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", "WIRE-HOST"),
    ("two hosts", get("/", "Host: other.com"), "WIRE-HOST"),
    ("no host 1.0", b"GET / HTTP/1.0\r\n\r\n"),
    ("header without colon", get("/", "nocolon"), "WIRE-400"),
    ("space before colon", get("/", "X-A : 1"), "WIRE-400"),
    ("control in value", get("/", "X-A: a\x01b"), "WIRE-400"),
    ("nul in value", get("/", "X-A: a\x00b"), "WIRE-400"),
    ("length and chunked", chunked("/", b"a=1", headers=("Content-Length: 3",)), "WIRE-400"),
    ("length plus", get("/", "Content-Length: +3", method="POST") + b"a=1", "WIRE-LENGTH"),
    ("length underscore", get("/", "Content-Length: 0_3", method="POST") + b"a=1", "WIRE-LENGTH"),
    ("length word", get("/", "Content-Length: three", method="POST") + b"a=1", "WIRE-400"),
    ("equal lengths", get("/", "Content-Length: 3", "Content-Length: 3", method="POST") + b"a=1"),
    ("different lengths", get("/", "Content-Length: 3", "Content-Length: 4", method="POST") + b"a=1b", "WIRE-400"),
    ("leading zeros", get("/", "Content-Length: 003", method="POST") + b"a=1"),
    ("chunk size plus", get("/", "Transfer-Encoding: chunked", method="POST") + b"+3\r\na=1\r\n0\r\n\r\n", "WIRE-CHUNK"),
    ("chunk size word", get("/", "Transfer-Encoding: chunked", method="POST") + b"xyz\r\na=1\r\n0\r\n\r\n", "WIRE-CHUNK"),
    ("gzip, chunked", get("/", "Transfer-Encoding: gzip, chunked", method="POST") + b"0\r\n\r\n", "WIRE-TE"),
    ("chunked twice", get("/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n", "WIRE-TE"),
    ("chunked 1.0", get("/", "Transfer-Encoding: chunked", method="POST", version="HTTP/1.0") + b"3\r\na=1\r\n0\r\n\r\n", "WIRE-TE"),
    ("huge header", get("/", "X-A: " + "a" * 70000), "WIRE-431"),
    ("huge announced body", get("/", "Content-Length: 999999999999", method="POST"), "WIRE-413"),
    ("continue to 1.0", get("/", "Expect: 100-continue", "Connection: close", version="HTTP/1.0", method="POST", body=b"a=1"), "WIRE-100"),
]
