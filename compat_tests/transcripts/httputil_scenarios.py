"""tornado.httputil."""
import datetime

from tornado import httputil
from tornado.httputil import HTTPHeaders, HTTPServerRequest

ROWS = {"multipart_part_with_malformed_headers": "FORM-PART"}


def each(record, function, *values):
    for value in values:
        try:
            record(value, function(value))
        except Exception as e:
            record(value, e)


def headers_basics(record):
    h = HTTPHeaders({"content-type": "text/html"})
    h.add("Set-Cookie", "a=1")
    h.add("set-cookie", "b=2")
    record(h["Content-Type"], h["SET-COOKIE"], h.get_list("Set-Cookie"), sorted(h.get_all()), len(h), list(h.keys()))
    record("CONTENT-type" in h, h.get("nope"), h.get_list("nope"))
    h["Set-Cookie"] = "c=3"
    record(h.get_list("set-cookie"))
    del h["set-cookie"]
    record(sorted(h.items()), str(h))
    try:
        del h["nope"]
    except KeyError as e:
        record(e)


def headers_parse(record):
    each(record, lambda text: sorted(HTTPHeaders.parse(text).get_all()),
         "A: 1\r\nB:2\r\n", "a: 1\na: 2\n", "Long: one\r\n  two\r\n", "Long: one \r\n\t two \r\nX: y", "X:\r\nY: z", "\r\n\r\n", "A: b: c\r\n", "WEIRD-case: x\r\n")


def headers_line_by_line(record):
    h = HTTPHeaders()
    for line in ("A: 1\r\n", "B:\t2 \n", " 3", "C: 4\r", "\r\n"):
        h.parse_line(line)
        record(list(h.get_all()))


def headers_parse_errors(record):
    each(record, lambda text: sorted(HTTPHeaders.parse(text).get_all()), "no colon\r\n")


def headers_made_in_ways(record):
    record(sorted(HTTPHeaders([("A", "1"), ("a", "2")]).get_all()), sorted(HTTPHeaders(x="1").items()))
    one = HTTPHeaders({"A": "1"})
    two = one.copy()
    two.add("A", "2")
    record(sorted(one.get_all()), sorted(two.get_all()), HTTPHeaders(two).get_list("a"))
    record(one == {"A": "1"}, one.pop("a"), len(one))
    one.update({"b": "2"}, c="3")
    record(sorted(one.items()), one.setdefault("D", "4"))


def header_normalization(record):
    each(record, lambda name: list(HTTPHeaders({name: "1"}))[0], "content-type", "ETAG", "x-real-ip", "WWW-authenticate", "a--b", "-x", "x_y-z")


def url_concat(record):
    for url, args in (("http://x/", {"a": 1}), ("http://x/?q=1", {"a": "b c"}), ("http://x/?q=1&", [("a", "1"), ("a", "2")]), ("http://x/#f", {"a": "1"}),
                      ("http://x/?", []), ("http://x/?a=b", None), ("http://x?r=1&t=2", {"u": u"\u00e9"}), ("http://x/", "wrong")):
        try:
            record(url, httputil.url_concat(url, args))
        except Exception as e:
            record(url, e)


def start_lines(record):
    each(record, httputil.parse_request_start_line, "GET / HTTP/1.1", "GET /a?b HTTP/1.0", "GET /")
    each(record, httputil.parse_response_start_line, "HTTP/1.1 200 OK", "HTTP/1.0 404 Not  Found", "HTTP/1.1 200", "HTTP/1.1 abc x", "ICY 200 OK")


def ranges(record):
    each(record, httputil._parse_request_range, "bytes=1-2", "bytes=6-", "bytes=-6", "bytes=-0", "bytes=", "foo=42", "bytes=1-2,6-10", "bytes = 1-2", "bytes=a-b", "bytes=5-2")
    record(httputil._get_content_range(None, None, 4), httputil._get_content_range(1, 3, 10), httputil._get_content_range(2, None, 10))


def parse_header(record):
    each(record, lambda v: (lambda kv: (kv[0], sorted(kv[1].items())))(httputil._parse_header(v)),
         'form-data; foo="b\\\\a\\"r"; file*=utf-8\'\'T%C3%A4st', "text/plain; charset=UTF-8", 'a; b=" c "; d', "", 'x; y="a;b"; z=1', "attachment; filename*=iso-8859-1''%E9")
    record(httputil._encode_header("permessage-deflate", {"a": None, "b": 5}))


def host_and_port(record):
    each(record, httputil.split_host_and_port, "x.com", "x.com:80", "[::1]:8080", "::1", "x.com:", "")


def timestamps(record):
    when = datetime.datetime(2013, 1, 27, 18, 43, 20)
    record([httputil.format_timestamp(v) for v in (1359312200, 1359312200.5, when, when.timetuple(), when.utctimetuple())])
    each(record, httputil.format_timestamp, "text", None)


def cookies(record):
    each(record, lambda v: sorted(httputil.parse_cookie(v).items()), "a=1; b=2", "a=b; h=a", 'x="y z"; q=1', "=x", "novalue", "a=1;;b=2", 'a="\\073x"', "a = b ; c= d",
         'd;a=1', '"quoted"=5', "a=1; a=2")


def body_arguments(record):
    for kind, body in (("application/x-www-form-urlencoded", b"a=1&b=2&a=3&e="), ("application/x-www-form-urlencoded", b"a=%C3%A9"), ("text/plain", b"a=1"),
                       ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: text/x\r\n\r\nbody\r\n--x--\r\n'),
                       ("multipart/form-data", b"--x"), ("multipart/form-data; boundary=", b"")):
        arguments, files = {}, {}
        httputil.parse_body_arguments(kind, body, arguments, files)
        record(kind, sorted(arguments.items()), sorted(files.items()))


def multipart_errors(record):
    for body in (b"--x\r\nContent-Disposition: form-data; name=f\r\n\r\nbody\r\n", b"--x\r\nNo-Disposition: 1\r\n\r\nbody\r\n--x--", b"--x\r\n\r\n--x--\r\n",
                 b'--x\r\nContent-Disposition: form-data; filename="f"\r\n\r\nbody\r\n--x--', b'--x\r\nContent-Disposition: attachment; name="f"\r\n\r\nb\r\n--x--', b"",
                 b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n--x--', b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv--x--'):
        arguments, files = {}, {}
        httputil.parse_multipart_form_data(b"x", body, arguments, files)
        record(sorted(arguments.items()), sorted(files.items()))


def multipart_part_with_malformed_headers(record):
    good = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n'
    for head in (b"no colon", b" continues nothing", b"X: \xff"):
        arguments = {}
        try:
            httputil.parse_multipart_form_data(b"x", good + b"--x\r\n" + head + b"\r\n\r\nw\r\n--x--", arguments, {})
            record(arguments)
        except Exception as e:
            record(e)


def body_arguments_encoded(record):
    arguments, files = {}, {}
    httputil.parse_body_arguments("application/x-www-form-urlencoded", b"a=1", arguments, files, HTTPHeaders({"Content-Encoding": "gzip"}))
    record(arguments)


def server_request(record):
    r = HTTPServerRequest("GET", "/a/b?x=1&x=2&y=", headers=HTTPHeaders({"Host": "e.com", "Cookie": "k=v"}), body=b"body")
    record(r.method, r.uri, r.path, r.query, r.host, r.host_name, r.protocol, r.version, r.remote_ip, sorted(r.arguments.items()), r.full_url(), r.body, r.files)
    record({k: m.value for k, m in r.cookies.items()}, r.supports_http_1_1(), r.request_time() >= 0)
    r = HTTPServerRequest(uri="/x", host="h")
    record(r.method, r.version, r.host, r.body, sorted(r.headers.items()))
    record(r.query_arguments is not r.arguments, r.connection)


def server_request_repr(record):
    r = HTTPServerRequest("POST", "/p", headers=HTTPHeaders({"Host": "e.com"}), host="e.com")
    record(repr(r))


def reasons(record):
    record([httputil.responses[code] for code in (200, 204, 301, 304, 400, 404, 413, 414, 416, 422, 500, 503)], 799 in httputil.responses)
    record(httputil.HTTPInputError("x"), httputil.HTTPOutputError("y"), httputil.HTTPFile(filename="f", body=b"", content_type="c").filename)


def normalized_cache(record):
    cache = httputil._NormalizedHeaderCache(2)
    record(cache["a-b"], cache["C-D"], cache["e-f"], len(cache), cache["a-b"])


def urlencoded_bodies_of_any_bytes(record):
    """One that cannot be read is a warning and no arguments, never an exception."""
    content_type = "application/x-www-form-urlencoded"
    for body in [
        u"a=\u0440".encode("utf-8"), b"a=\xff&b=2", b"a=%ff", b"\xe9=1", b"a=1;b=2", u"\u2603=\u2603&x=1".encode("utf-8"),
        b"\x00=1", b"%zz=%", b"a=b\r\n", b"\xe2\x98=5", u"a=%E2%98%83\u2603".encode("utf-8"), b"a=1&&b", b"&=&", b"+=+",
    ]:  # fmt: skip
        arguments, files = {}, {}
        httputil.parse_body_arguments(content_type, body, arguments, files)
        record(body, sorted(arguments.items()), files)
