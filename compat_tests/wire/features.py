"""Raw exchanges with apps/features.py."""

from __future__ import annotations

from compat_tests.wire.basic import chunked, get, post

V1 = "djF8|"

#: Where the two sides differ, and the row that says why.
ROWS = {
    "state with a bad reason": "SEC-REASON",
    "streamed limit length": "WIRE-413",
    "streamed limit chunks": "WIRE-413",
    **{f"decode {value}": "SEC-LOG" for value in ("a|b|c", "1|1400000000|sig", f"dg==|1400000000|{'0' * 40}")},
    "secure cookie a|1400000000|b": "SEC-LOG",
    "/raise/204": "WEB-BODILESS",
    "/raise/304": "WEB-BODILESS",
    "xheaders X-Forwarded-Proto: http, https": "SEC-PROXY-SCHEME",
    "range bytes=-1000": "WEB-RANGE",
    "range bytes=5-2": "WEB-RANGE",
}


def _gets(prefix: str, paths: str | list[str], *headers: str) -> list[tuple[str, bytes]]:
    return [(f"{prefix}{path}", get(prefix + path, *headers)) for path in (paths.split() if isinstance(paths, str) else paths)]


RENDER = _gets("/render/", "modules names form broken syntax raw nothing modules?x=%3Cscript%3E") + [
    ("render string", get("/render_string")),
    ("render for a user", get("/render/names", "Cookie: user=Ann")),
    ("render in French", get("/render/names", "Accept-Language: fr")),
    ("render by head", get("/render/modules", method="HEAD")),
]
LANGUAGES = ["fr", "fr-FR", "fr;q=0.5, es;q=0.9", "de-CH", "xx", "", "fr;q=abc, es", "es;q=0", "de;q=1.5, fr", "*", "en-US,en;q=0.5", ",,,", "fr;level=1"]
LOCALE = [(f"language {text}", get("/locale", f"Accept-Language: {text}")) for text in LANGUAGES] + [
    ("no language", get("/locale")),
    ("the user's locale", get("/locale?user_locale=es_ES", "Accept-Language: fr")),
]
SIGNED_2 = "2|1:0|10:1400000000|1:n|4:dg==|"
SIGNING = [
    *_gets("/sign", ["", "?version=1", "?name=other", "?value=%C3%A9", "?value=", "?version=3", "?version=1&value=x"]),
    *_gets("/keyed", ["?key=0", "?key=1", "?key=2"]),
    *[
        (f"decode {value}", get("/decode?signed=" + value.replace("|", "%7C").replace("=", "%3D").replace(" ", "+")))
        for value in ["", "x", "a|b", "a|b|c", "2|", "2|1:0|", SIGNED_2, SIGNED_2 + "0" * 64, "2|1:0|10:1400000000|2:n|4:dg==|" + "0" * 64, "3|x|y|z", "1|1400000000|sig",
                      "dg==|1400000000|" + "0" * 40, "2|1:0|10:14000000000|1:n|4:dg==|", "0|1|2|3", "9" * 30 + "|x", "2|-1:0|"]
    ],
    *[(f"secure cookie {value}", get("/secure", f"Cookie: n={value}")) for value in ["", "x", '"2|1:0"', "2|1:0|10:1400000000|1:n|4:dg==|00", "a|1400000000|b", "|||"]],
]
COOKIES = _gets("/setcookies?how=", "plain odd unicode bad badname kwargs expires days twice domain none") + [
    ("clear all cookies", get("/setcookies?how=clearall", "Cookie: a=1; b=2")),
    *[(f"cookie {value!r}", get("/missing/cookie", f"Cookie: {value}")) for value in ["absent=1", 'absent="a b"', "absent", "absent=a; absent=b", ";;absent=c", "absent = d", 'absent="\\303\\251"', "a[]=1; absent=e", "absent=x=y"]],
]
TOKEN_1 = "0123456789abcdef0123456789abcdef"
TOKEN_2 = "2|00000000|0123456789abcdef0123456789abcdef|1400000000"
MASKED_2 = "2|ffffffff|fedcba9876543210fedcba9876543210|1400000000"
CHECKS = [
    ("none at all", post("/checked", b"")),
    ("cookie only", post("/checked", b"", "x/y", f"Cookie: _xsrf={TOKEN_2}")),
    ("form only", post("/checked", f"_xsrf={TOKEN_2}".encode())),
    ("equal", post("/checked", f"_xsrf={TOKEN_2}".encode(), "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_2}")),
    ("masked otherwise", post("/checked", f"_xsrf={MASKED_2}".encode(), "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_2}")),
    ("header", post("/checked", b"", "x/y", f"Cookie: _xsrf={TOKEN_2}", f"X-Xsrftoken: {MASKED_2}")),
    ("other header", post("/checked", b"", "x/y", f"Cookie: _xsrf={TOKEN_2}", f"X-Csrftoken: {TOKEN_2}")),
    ("version 1 both", post("/checked", f"_xsrf={TOKEN_1}".encode(), "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_1}")),
    ("version 1 cookie", post("/checked", f"_xsrf={TOKEN_2}".encode(), "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_1}")),
    ("version 1 form", post("/checked", f"_xsrf={TOKEN_1}".encode(), "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_2}")),
    ("differing", post("/checked", b"_xsrf=" + b"f" * 32, "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_1}")),
    ("rubbish cookie", post("/checked", f"_xsrf={TOKEN_2}".encode(), "application/x-www-form-urlencoded", "Cookie: _xsrf=zzz")),
    ("rubbish form", post("/checked", b"_xsrf=zzz", "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_2}")),
    ("version 3", post("/checked", b"_xsrf=3|a|b|c", "application/x-www-form-urlencoded", f"Cookie: _xsrf={TOKEN_2}")),
    ("in the query", post(f"/checked?_xsrf={TOKEN_2}", b"", "x/y", f"Cookie: _xsrf={TOKEN_2}")),
    ("empty", post("/checked", b"_xsrf=", "application/x-www-form-urlencoded", "Cookie: _xsrf=")),
    ("put", get("/checked", f"Cookie: _xsrf={TOKEN_2}", f"X-XSRFToken: {TOKEN_2}", method="PUT")),
    ("delete without", get("/checked", method="DELETE")),
]
TOKENS = [(f"token {name}", data) for name, data in CHECKS] + [
    ("token made", get("/token")),
    ("token kept", get("/token", f"Cookie: _xsrf={TOKEN_2}")),
    ("token of version 1 kept", get("/token", f"Cookie: _xsrf={TOKEN_1}")),
    ("token form", get("/token?how=form", f"Cookie: _xsrf={TOKEN_2}")),
]
ARGUMENTS = _gets("/arguments", ["", "?a=1", "?a=1&a=2", "?a=+x+", "?a=%20%09y", "?a=%ff", "?a=%00b", "?a=%C3%A9", "?b=1", "?a", "?a=", "?a=1;a=2", "?%61=x", "?a=x%0ay", "?a==", "?&&a=1&"]) + [
    (f"arguments by {method} {query} {body!r}", get("/arguments" + query, "Content-Type: application/x-www-form-urlencoded", method=method, body=body))
    for method in ("POST", "PUT")
    for query, body in (("", b"a=1"), ("?a=q", b"a=b"), ("?a=q", b"c=d"), ("", b"a=%ff"), ("", b"a=+s+&a="), ("", b"\xff=1"), ("", b"a=1&a=2&&a=3"))
]
MISSING = _gets("/missing/", "any query body cookie")
WRITE = _gets("/write/", "bytes unicode dict list number none twice afterfinish finishtwice finishdict nothing jsonthenfinish html") + [
    (f"head of write {what}", get(f"/write/{what}", method="HEAD")) for what in ("dict", "nothing")
]
HEAD = _gets("/head/", "set add types bad list float clear all length shortlength longlength etag after server connection type")
STATES = [200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 400, 402, 405, 410, 413, 414, 416, 417, 418, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511, 599, 299]
STATUS = [(f"state {code}", get(f"/state/{code}")) for code in STATES] + [
    ("state 204 with body", get("/state/204?body=x")),
    ("state 304 with body", get("/state/304?body=x")),
    ("state 205 with body", get("/state/205?body=x")),
    ("state with reason", get("/state/200?reason=Very%20Fine")),
    ("state 799 with reason", get("/state/799?reason=Odd")),
    ("state with a bad reason", get("/state/200?reason=a%0d%0ab")),
]
RAISE = _gets("/raise/", "400 401 403 404 405 413 500 503 599 799 304 204 message percent finish finishvalue missing input system unicode written flushed finished 404?reason=1 799?reason=1") + [
    (f"raised later: {what}", get(f"/raise/{what}", method="POST")) for what in ("400", "system", "finish", "finishvalue", "flushed", "finished")
]
OWN = _gets("/own/", "twice kwargs http broken")
PREPARE = _gets("/prepare", ["", "?how=wait", "?how=finish", "?how=fail", "?how=redirect", "?how=onfinish"])
GEN = _gets("/gen/", "value error http flush finish many") + [("a method's odd value", get("/gen/x", method="POST"))]
ASYNC = _gets("/async/", "callback error raise now flushcallback") + [("asynchronous coroutine", get("/async/x", method="POST")), ("coroutine asynchronous", get("/async/x", method="PUT"))]
AUTH = [
    ("auth without", get("/auth")), ("auth with", get("/auth", "Cookie: user=Bob")), ("auth with query", get("/auth?a=b&c=d e".replace(" ", "%20"))), ("auth head", get("/auth", method="HEAD")),
    ("auth post", post("/auth", b"a=1")), ("auth elsewhere", get("/elsewhere?q=1")), ("auth relative", get("/elsewhere?login=/in")), ("auth with fragment", get("/elsewhere?login=/in%3Fa=b")),
    ("basic without", get("/basic")), ("basic with", get("/basic", "Authorization: Basic dTpw")), ("basic wrong", get("/basic", "Authorization: Basic !!")),
    ("openid", get("/openid")), ("oauth2", get("/oauth2")), ("google", get("/google")),
]
REDIRECT = [(f"redirect {q}", get("/redirect?" + q)) for q in ("to=/a", "to=http://x.org/b&p=1", "to=&p=1", "to=%C3%A9", "to=/a%0d%0aX:1", "to=/a&status=303", "to=/a&status=307", "to=/a&status=200", "to=../up", "to=//x.org")] + [
    *_gets("/to/", "a b%20c"), ("error handler", get("/fallback/x")), ("error handler by post", post("/fallback/x", b"")),
]
OWN_ETAG = ['"own"', 'W/"own"', '"other"', "*", '"a", "own"', "own", '"own', ""]
ETAGS = [(f"etag {value}", get("/etag/own", f"If-None-Match: {value}")) for value in OWN_ETAG] + [
    *_gets("/etag/", "own none empty big"),
    ("etag none matched", get("/etag/none", "If-None-Match: *")),
    ("etag empty matched", get("/etag/empty", 'If-None-Match: "da39a3ee5e6b4b0d3255bfef95601890afd80709"')),
    ("etag head", get("/etag/big", method="HEAD")),
    ("etag post", post("/etag/own", b"")),
]
STREAMED = [
    (f"streamed {how} {name}", data)
    for how in ("", "limit", "refuse", "answer", "fail", "wait")
    for name, data in (("length", get(f"/streamed?how={how}", method="POST", body=b"0123456789abcdef")), ("chunks", chunked(f"/streamed?how={how}", b"0123456789", b"abcdef")),
                       ("short", get(f"/streamed?how={how}", method="PUT", body=b"123")))
] + [("streamed form", post("/streamed", b"a=1")), ("streamed empty", get("/streamed", "Content-Length: 0", method="POST")), ("streamed get", get("/streamed"))]
PATHS = [
    *_gets("/named/", "1 22 x"), *_gets("/opt", ["", "/", "/x", "/x/"]), *_gets("/kw/", "a/b a/ a /b"), *_gets("/escaped/", "a%2Fb a+b %C3%A9 %ff a//b ../x ?x=1 %25 %00"),
    ("no methods", get("/nomethods")), ("no methods post", post("/nomethods", b"a=1")), ("head of get", get("/named/1", method="HEAD")),
    ("own method", get("/webdav", method="PROPFIND")), ("own method not listed", get("/webdav", method="POST")), ("own method as get", get("/webdav")), ("lower-case method", get("/named/1", method="get")),
    ("nothing there", get("/nothing/at/all")), ("nothing there by post", post("/nothing", b"a=1")), ("star", get("*", method="OPTIONS")), ("double slash", get("//named/1")), ("query only", get("/?x=1")),
]
ADDRESSES = ["X-Real-Ip: 4.4.4.4", "X-Real-Ip: 4.4.4.4\r\nX-Forwarded-For: 5.5.5.5", "X-Forwarded-For: 1.1.1.1, 4.4.4.4", "X-Real-Ip: 2620:0:1cfe:face:b00c::3", "X-Forwarded-For: ::1, 2620:0:1cfe:face:b00c::3", "X-Real-Ip: 4.4.4.4<script>",
             "X-Forwarded-For: 4.4.4.4, <x>", "X-Real-Ip: www.google.com", "X-Scheme: https", "X-Forwarded-Proto: https", "X-Scheme: unknown", "X-Forwarded-Proto: http, https", "X-Real-Ip:  ", "X-Forwarded-For: , ", "X-Scheme: HTTPS"]
XHEADERS = [(f"xheaders {text.replace(chr(13) + chr(10), '; ')}", get("/info", *text.split("\r\n"))) for text in ADDRESSES] + [
    ("xheaders gone in the next request", get("/info", "X-Real-Ip: 4.4.4.4") + get("/info")),
    ("host with port", get("/info").replace(b"example.com", b"a.b:8080")), ("host in brackets", get("/info").replace(b"example.com", b"[::1]:80")), ("host odd", get("/info").replace(b"example.com", b"A_b.C")),
]
FILES = [
    *_gets("/files/", ["robots.txt", "style.css", "", "none.txt", "robots.txt/", "./robots.txt", "../features.py", "%2e%2e/features.py", "sub/../robots.txt", "robots.txt?v=1", "%00", "a%20b", "//etc/passwd", "robots.txt%00"]),
    *[(f"range {r}", get("/files/robots.txt", f"Range: {r}")) for r in ("bytes=0-0", "bytes=1-3", "bytes=-1", "bytes=-1000", "bytes=25-", "bytes=26-", "bytes=5-2", "bytes=0-1,3-4", "bytes=-0", "bytes=x-y", "bytes", "bytes=", "Bytes=0-1", "bytes=0-999")],
    *[(f"head range {r}", get("/files/robots.txt", f"Range: {r}", method="HEAD")) for r in ("bytes=0-1", "bytes=100-")],
    *[(f"since {d}", get("/files/robots.txt", f"If-Modified-Since: {d}")) for d in ("Wed, 01 Jan 2098 00:00:00 GMT", "Wed, 01 Jan 1998 00:00:00 GMT", "yesterday", "", "Wednesday, 01-Jan-98 00:00:00 GMT")],
    ("file matched", get("/files/robots.txt", "If-None-Match: *")), ("file post", post("/files/robots.txt", b"")), ("static url of none", get("/static/none")), ("favicon", get("/favicon.ico")), ("file options", get("/files/robots.txt", method="OPTIONS")),
    ("file matched and range", get("/files/robots.txt", "If-None-Match: *", "Range: bytes=0-1")),
]
CHUNKED = _gets("/chunked/", "empty one footers 204 304 emptypieces") + [
    (f"chunked {what} {version} {method}", get(f"/chunked/{what}", version=version, method=method)) for what in ("one", "emptypieces") for version, method in (("HTTP/1.0", "GET"), ("HTTP/1.1", "HEAD"))
]
OTHER = [
    ("detach", get("/detach")),
    ("pipelined errors", get("/raise/404") + get("/raise/system") + get("/write/dict")),
    ("pipelined waiting", get("/gen/many") + get("/async/callback") + get("/write/dict") + get("/gen/flush")),
    ("pipelined head", get("/write/dict", method="HEAD") + get("/write/dict")),
    ("pipelined 304", get("/etag/own", "If-None-Match: *") + get("/state/204") + get("/etag/own")),
    ("byte by byte", [bytes([b]) for b in get("/write/dict")]),
    ("head and body apart", [get("/arguments", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 5", method="POST"), b"a=", b"123"]),
    ("continue, then the body", [get("/arguments", "Expect: 100-continue", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 3", method="POST"), b"a=1"]),
    ("two requests in turn", [get("/write/dict"), get("/write/unicode")]),
    ("keep-alive 1.0 in turn", [get("/write/dict", "Connection: keep-alive", version="HTTP/1.0")] * 2),
    ("chunks apart", [get("/arguments", "Transfer-Encoding: chunked", "Content-Type: application/x-www-form-urlencoded", method="POST"), b"3\r\n", b"a=1\r", b"\n0\r\n\r\n"]),
]

_ALL = [
    *RENDER, *LOCALE, *SIGNING, *COOKIES, *TOKENS, *ARGUMENTS, *MISSING, *WRITE, *HEAD, *STATUS, *RAISE, *OWN, *PREPARE, *GEN, *ASYNC, *AUTH, *REDIRECT, *ETAGS, *STREAMED, *PATHS, *XHEADERS, *FILES, *CHUNKED, *OTHER,
]

EXCHANGES: list[tuple[object, ...]] = [(*case, ROWS[case[0]]) if case[0] in ROWS else case for case in _ALL]
