"""``tornado4.httputil``: what was checked against 4.5.3, and where it is stricter."""

from __future__ import annotations

import copy
import datetime
import logging
import pickle
import time
import unittest
from typing import Any

import pytest

from tornado4 import httputil
from tornado4.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPServerRequest,
    _encode_header,
    _get_content_range,
    _normalized_headers,
    _NormalizedHeaderCache,
    _parse_header,
    _parse_request_range,
    _parseparam,
    _unquote_cookie,
    format_timestamp,
    parse_body_arguments,
    parse_cookie,
    parse_multipart_form_data,
    parse_request_start_line,
    parse_response_start_line,
    split_host_and_port,
    url_concat,
)


def linear(seconds: float = 20.0) -> Any:
    """A guard that fails when what runs within takes longer than linear work could, on the slowest of machines.

    The processor's time, of which the linear work takes a hundredth, and quadratic work some hundred times as much.
    """

    class Guard:
        def __enter__(self) -> None:
            self.started = time.process_time()

        def __exit__(self, *raised: object) -> None:
            assert time.process_time() - self.started < seconds

    return Guard()


def test_examples_in_the_docstrings() -> None:
    result = unittest.TestResult()
    httputil.doctests().run(result)
    assert result.testsRun > 8 and not result.failures and not result.errors


def test_face_gives_itself_as_home() -> None:
    for name in ("HTTPHeaders", "HTTPServerRequest", "HTTPInputError", "RequestStartLine", "url_concat"):
        assert getattr(httputil, name).__module__ == "tornado4.httputil"


class TestHeaders:
    def test_names_have_no_case(self) -> None:
        headers = HTTPHeaders({"content-TYPE": "a"}, etag="b")
        assert list(headers) == ["Content-Type", "Etag"]
        assert headers["CONTENT-type"] == "a" and "Content-type" in headers and 5 not in headers
        del headers["content-type"]
        assert len(headers) == 1 and headers.get("content-type") is None

    def test_missing_name_is_shown_normalised(self) -> None:
        with pytest.raises(KeyError, match="'X-Y'"):
            HTTPHeaders()["x-y"]

    def test_repeated_values(self) -> None:
        headers = HTTPHeaders()
        for value in "abc":
            headers.add("x", value)
        assert headers["X"] == "a,b,c" and headers.get("x") == "a,b,c" and dict(headers) == {"X": "a,b,c"}
        assert headers.get_list("x") == ["a", "b", "c"] and headers.get_list("y") == []
        assert list(headers.get_all()) == [("X", "a"), ("X", "b"), ("X", "c")]
        assert str(headers) == "X: a\nX: b\nX: c\n"
        headers["x"] = "d"
        assert headers.get_list("x") == ["d"]

    def test_what_453_kept_inside_is_still_answered(self) -> None:
        headers = HTTPHeaders(a="1")
        headers.add("a", "2")
        assert headers._dict == {"A": "1,2"} and headers._as_list == {"A": ["1", "2"]}

    def test_copies_share_nothing(self) -> None:
        headers = HTTPHeaders(a="1")
        headers.add("a", "2")
        for other in (headers.copy(), copy.copy(headers), copy.deepcopy(headers), HTTPHeaders(headers)):
            other.add("a", "3")
            assert headers.get_list("a") == ["1", "2"] and other.get_list("a") == ["1", "2", "3"]
        assert pickle.loads(pickle.dumps(headers)) == headers

    def test_lines_as_in_453(self) -> None:
        headers = HTTPHeaders.parse("A: b\r\n\tc\nB:\r\nA:  d  \n\n")
        assert headers.get_list("a") == ["b c", "d"] and headers["b"] == ""
        headers.parse_line(" e")
        assert headers.get_list("a") == ["b c", "d e"]
        with pytest.raises(ValueError, match="not enough values"):
            headers.parse_line("nothing")
        with pytest.raises(KeyError):
            HTTPHeaders().parse_line(" nothing to continue")

    def test_only_spaces_and_tabs_are_stripped(self) -> None:
        """4.5.3 stripped all Unicode white space, U+0085 and U+00A0 among it."""
        assert HTTPHeaders.parse("A: \x85 b\xa0\t")["a"] == "\x85 b\xa0"

    def test_many_repetitions_take_linear_time(self) -> None:
        headers = HTTPHeaders()
        with linear():
            for _ in range(1_000_000):
                headers.add("a", "b")
            assert len(headers["a"]) == 1_999_999

    def test_cache_of_names_is_bounded(self) -> None:
        cache = _NormalizedHeaderCache(10)
        for i in range(100):
            assert cache[f"a-{i}"] == f"A-{i}"
            assert len(cache) <= 10
        assert cache["x" * 1000] == "X" + "x" * 999 and "x" * 1000 not in cache
        assert _normalized_headers.size == 1000


class TestStartLines:
    def test_request(self) -> None:
        assert parse_request_start_line("GET /foo HTTP/1.1") == ("GET", "/foo", "HTTP/1.1")
        for line in ("", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 "):
            with pytest.raises(HTTPInputError, match="Malformed HTTP request line"):
                parse_request_start_line(line)
        with pytest.raises(HTTPInputError, match=r"Malformed HTTP version in HTTP Request-Line: 'HTTP/2\.0'"):
            parse_request_start_line("GET / HTTP/2.0")

    def test_response(self) -> None:
        assert parse_response_start_line("HTTP/1.1 200 OK") == ("HTTP/1.1", 200, "OK")
        assert parse_response_start_line("HTTP/1.1 200 ").reason == ""
        for line in (
            "foo",
            "HTTP/1.1 200",
            "HTTP/1.1 abc OK",
            "HTTP/2 200 OK",
            "HTTP/1.1 " + "1" * 5000 + " OK",
        ):
            with pytest.raises(HTTPInputError, match="Error parsing response start line"):
                parse_response_start_line(line)


class TestUris:
    def test_url_concat(self) -> None:
        assert url_concat("http://a/?b=%20&c=d+e#f?g", [("x", "y z"), ("u", "é")]) == (
            "http://a/?b=+&c=d+e&x=y+z&u=%C3%A9#f?g"
        )
        assert url_concat("http://a/?x&", (("y", 1),)) == "http://a/?x=&y=1"
        assert url_concat("http://a/?x", None) == "http://a/?x"
        with pytest.raises(TypeError, match="'args' parameter should be dict, list or tuple"):
            url_concat("http://a/", "abc")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("netloc", "parts"),
        [("a:80", ("a", 80)), ("a", ("a", None)), ("[::1]:80", ("[::1]", 80)), ("[::1]", ("[::1]", None)),
         ("a:", ("a:", None)), ("a:b", ("a:b", None)), ("a:80:90", ("a:80", 90)), ("", ("", None))],
    )  # fmt: skip
    def test_split_host_and_port(self, netloc: str, parts: tuple[str, int | None]) -> None:
        assert split_host_and_port(netloc) == parts


class TestDates:
    def test_all_kinds_of_moments(self) -> None:
        moment = 1359312200.503611
        aware = datetime.datetime.fromtimestamp(moment, datetime.timezone(datetime.timedelta(hours=3)))
        naive = datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None)
        for ts in (moment, int(moment), time.gmtime(moment), tuple(time.gmtime(moment)), aware, naive):
            assert format_timestamp(ts) == "Sun, 27 Jan 2013 18:43:20 GMT"
        with pytest.raises(TypeError, match="unknown timestamp type: 'x'"):
            format_timestamp("x")

    @pytest.mark.parametrize("year", [1, 1900, 1969, 1970, 2024, 9999])
    def test_a_naive_datetime_is_utc_to_the_second(self, year: int) -> None:
        moment = datetime.datetime(year, 12, 31, 23, 59, 59, 999_999)
        assert format_timestamp(moment) == format_timestamp(moment.utctimetuple())
        assert format_timestamp(moment) == format_timestamp(moment.replace(tzinfo=datetime.UTC))

    def test_current_date_is_that_of_its_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tornado4.httputil import dates

        monkeypatch.setattr(dates, "_clock", lambda: 1359312200.9)
        assert httputil.current_date() == "Sun, 27 Jan 2013 18:43:20 GMT"
        monkeypatch.setattr(dates, "_clock", lambda: 1359312201.0)
        assert httputil.current_date() == "Sun, 27 Jan 2013 18:43:21 GMT"
        # a clock that is set back
        monkeypatch.setattr(dates, "_clock", lambda: 1359312199.0)
        assert httputil.current_date() == "Sun, 27 Jan 2013 18:43:19 GMT"


class TestRanges:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [("bytes=1-2", (1, 3)), ("bytes=6-", (6, None)), ("bytes=-6", (-6, None)), ("bytes=-0", (None, 0)),
         ("bytes=", (None, None)), ("foo=42", None), ("bytes=1-2,6-10", None), ("bytes= 1 - 2", (1, 3)),
         ("bytes=" + "9" * 50 + "-", (10**18, None)), ("bytes=" + "0" * 50 + "1-", (1, None)), ("bytes=a-b", None),
         ("Bytes=1-2", None), ("bytes=10-5", (10, 6)), ("bytes=0-0", (0, 1))],
    )  # fmt: skip
    def test_as_in_453(self, header: str, expected: object) -> None:
        assert _parse_request_range(header) == expected

    @pytest.mark.parametrize("header", ["+1-2", "1_0-20", "--5", "5--6", "\u0661-2"])
    def test_positions_are_digits(self, header: str) -> None:
        assert _parse_request_range("bytes=" + header) is None

    def test_content_range(self) -> None:
        assert _get_content_range(None, 1, 4) == "bytes 0-0/4"
        assert _get_content_range(2, None, 4) == "bytes 2-3/4"


class TestParameters:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("a=b; c", ("a=b", {"c": None})),
            ("text/html; X; Y=Z", ("text/html", {"X": None, "y": "Z"})),
            ("x; ;; a=b;", ("x", {"": None, "a": "b"})),
            ('x;a="b;c', ("x", {"a": '"b;c'})),
            ('x;a="b;c;d="e"', ("x", {"a": 'b;c;d="e'})),
            ('x;a="b\\";c";d=e', ("x", {"a": 'b";c', "d": "e"})),
            ('x;a=b"c;d"e;f=g', ("x", {"a": 'b"c;d"e', "f": "g"})),
            ('x;a="\\\\";b=c', ("x", {"a": '"\\\\";b=c'})),
            ('x;a="b\\"', ("x", {"a": "b\\"})),
            ("x;a='b;c'", ("x", {"a": "'b", "c'": None})),
            ("", ("", {})),
        ],
    )
    def test_as_in_453(self, line: str, expected: object) -> None:
        assert _parse_header(line) == expected

    def test_parseparam_wants_a_semicolon_first(self) -> None:
        assert list(_parseparam('; a=b; c="d;e"; f')) == ["a=b", 'c="d;e"', "f"]
        assert list(_parseparam("a;b")) == []

    def test_encode(self) -> None:
        assert _encode_header("x", {"b": "2", "a": 1, "c": None}) == "x; a=1; b=2; c"

    def test_time_is_linear(self) -> None:
        for text in ('x;a="' + ";" * 2_000_000, 'x;a="' + '\\"' * 1_000_000, 'x;a="' + '";"' * 1_000_000):
            with linear():
                _parse_header(text)


class TestCookies:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [("", {}), ("a", {"": "a"}), ("a=b;;c=d", {"a": "b", "c": "d"}), (" a = b ", {"a": "b"}),
         ("a=b=c", {"a": "b=c"}), ('a="b;c"', {"a": '"b', "": 'c"'}), ("a=1; a=2", {"a": "2"})],
    )  # fmt: skip
    def test_as_in_453(self, header: str, expected: dict[str, str]) -> None:
        assert parse_cookie(header) == expected

    @pytest.mark.parametrize(
        ("value", "expected"),
        [('"a\\054b"', "a,b"), ('"abc', '"abc'), ('abc"', 'abc"'), ('"\\"x\\""', '"x"'), ('"a\\\\b"', "a\\b"),
         ('"\\777"', "777"), ('"\\\\054"', "\\054"), ('"', '"'), ("", "")],
    )  # fmt: skip
    def test_unquote_as_in_453(self, value: str, expected: str) -> None:
        assert _unquote_cookie(value) == expected

    def test_time_is_linear(self) -> None:
        """CVE-2024-52804."""
        with linear():
            parse_cookie('a="' + "\\054" * 1_000_000 + '"')
            parse_cookie(";" * 5_000_000)

    def test_number_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(httputil.limits, "cookies", 2)
        assert parse_cookie("a=1; b=2; c=3") == {"a": "1", "b": "2"}
        assert parse_cookie("a=1; b=2") == {"a": "1", "b": "2"}
        monkeypatch.setattr(httputil.limits, "cookies", None)
        assert len(parse_cookie("a=1; b=2; c=3")) == 3


def parse_body(content_type: str, body: bytes, **headers: str) -> tuple[dict[str, Any], dict[str, Any]]:
    arguments: dict[str, Any] = {}
    files: dict[str, Any] = {}
    parse_body_arguments(content_type, body, arguments, files, HTTPHeaders(headers))
    return arguments, files


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
NAMELESS = b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--"
FIELD = b"--x\r\nContent-Disposition: form-data; name=%b\r\n\r\n%b\r\n"


class TestBodies:
    def test_urlencoded(self) -> None:
        assert parse_body(URLENCODED + "; charset=x", b"a=b&c=&a=%C3%A9") == (
            {"a": [b"b", b"\xc3\xa9"], "c": [b""]},
            {},
        )
        assert parse_body("text/plain", b"a=b") == ({}, {})

    def test_multipart(self) -> None:
        upload = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a;b.txt"\r\n'
        upload += b"Content-Type: a/b\r\n\r\nFoo\r\n"
        arguments, files = parse_body(
            MULTIPART, FIELD % (b"a", b"1") + upload + FIELD % (b"a", b"2") + b"--x--"
        )
        assert arguments == {"a": [b"1", b"2"]}
        (file,) = files["f"]
        assert (file.filename, file.body, file.content_type) == ("a;b.txt", b"Foo", "a/b")
        assert file["filename"] == "a;b.txt" and isinstance(file, httputil.HTTPFile)

    @pytest.mark.parametrize("boundary", ["x", '"x"', "x;boundary=z"])
    def test_boundary(self, boundary: str) -> None:
        content_type = "multipart/form-data; charset=a;boundary=" + boundary
        assert parse_body(content_type, FIELD % (b"a", b"1") + b"--x--")[0] == {"a": [b"1"]}

    @pytest.mark.parametrize(
        ("content_type", "body", "message"),
        [
            (URLENCODED, b"\xe9=1", "Invalid x-www-form-urlencoded body: 'utf-8' codec"),
            ("multipart/form-data", b"", "Invalid multipart/form-data: multipart boundary not found"),
            (MULTIPART, b"", "Invalid multipart/form-data: no final boundary"),
            (MULTIPART, b"--x\r\nfoo\r\n--x--", "multipart/form-data missing headers"),
            (MULTIPART, b"--x\r\nFoo: bar\r\n\r\nv\r\n--x--", "Invalid multipart/form-data"),
            (MULTIPART, NAMELESS, "multipart/form-data value missing name"),
            (MULTIPART, FIELD % (b"\xff", b"1") + b"--x--", "Invalid multipart/form-data: malformed"),
            (MULTIPART, b"--x\r\n foo\r\n\r\nv\r\n--x--", "Invalid multipart/form-data: malformed"),
        ],
    )  # fmt: skip
    def test_malformed_forms_are_a_warning_as_in_453(
        self, caplog: pytest.LogCaptureFixture, content_type: str, body: bytes, message: str
    ) -> None:
        assert parse_body(content_type, body) == ({}, {})
        ((name, level, text),) = caplog.record_tuples
        assert (name, level) == ("tornado.general", logging.WARNING) and text.startswith(message)

    def test_encoded_bodies_are_left_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        assert parse_body(URLENCODED, b"a=b", Content_Encoding="gzip") == ({"a": [b"b"]}, {})
        headers = HTTPHeaders({"Content-Encoding": "gzip"})
        parse_body_arguments(URLENCODED, b"a=b", {}, {}, headers)
        assert caplog.messages == ["Unsupported Content-Encoding: gzip"]

    def test_limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert len(parse_body(URLENCODED, b"&".join([b"a%d=b" % i for i in range(1000)]))[0]) == 1000
        with pytest.raises(HTTPInputError, match="too many form arguments"):
            parse_body(URLENCODED, b"&" * 1000)
        assert len(parse_body(MULTIPART, (FIELD % (b"a", b"")) * 100 + b"--x--")[0]["a"]) == 100
        with pytest.raises(HTTPInputError, match="too many parts"):
            parse_body(MULTIPART, (FIELD % (b"a", b"")) * 101 + b"--x--")
        with pytest.raises(HTTPInputError, match="part header too large"):
            parse_body(MULTIPART, FIELD % (b"a" * 20_000, b"") + b"--x--")
        for limit in ("form_arguments", "multipart_parts", "multipart_header_size"):
            monkeypatch.setattr(httputil.limits, limit, None)
        assert len(parse_body(URLENCODED, b"&".join([b"a%d=b" % i for i in range(1001)]))[0]) == 1001
        assert len(parse_body(MULTIPART, (FIELD % (b"a", b"")) * 101 + b"--x--")[0]["a"]) == 101
        assert parse_body(MULTIPART, FIELD % (b"a" * 20_000, b"") + b"--x--")[0]

    def test_time_is_linear(self) -> None:
        with linear():
            for body in (b"--x" * 3_000_000 + b"--x--", b"\r\n--x\r\n" * 90 + b"a" * 10_000_000 + b"--x--"):
                parse_multipart_form_data(b"x", body, {}, {})


class TestRequest:
    @pytest.mark.parametrize("value", ["plain", '"quoted; no"', '"a\\073b"', "\xe9", "a b", "", "tab\there"])
    @pytest.mark.parametrize("name", ["a", "path", "Path", "a:b", "a b", "", "$Version", "\xe9"])
    def test_one_cookie_is_what_the_jar_would_have(self, name: str, value: str) -> None:
        def made() -> HTTPServerRequest:
            return HTTPServerRequest(uri="/", headers=HTTPHeaders(Cookie=f"{name}={value}; other=1; {name}2=2"))

        jar = made().cookies
        for asked in (name, "other", f"{name}2", "none"):
            assert made()._cookie_value(asked) == (jar[asked].value if asked in jar else None)

    def test_a_jar_that_was_changed_is_asked(self) -> None:
        request = HTTPServerRequest(uri="/", headers=HTTPHeaders(Cookie="a=1"))
        assert request._cookie_value("a") == "1"
        request.cookies["a"] = "2"
        assert request._cookie_value("a") == "2"

    def test_attributes_as_in_453(self) -> None:
        request = HTTPServerRequest(method="GET", uri="/a?b=c&d=&e", headers=HTTPHeaders(Host="H:80"))
        assert (request.path, request.query, request.version) == ("/a", "b=c&d=&e", "HTTP/1.0")
        assert request.arguments == request.query_arguments == {"b": [b"c"], "d": [b""], "e": [b""]}
        assert request.arguments is not request.query_arguments
        assert request.body_arguments == {} and request.files == {} and request.body == b""
        assert (request.host, request.host_name, request.protocol, request.remote_ip) == (
            "H:80",
            "h",
            "http",
            None,
        )
        assert request.full_url() == "http://H:80/a?b=c&d=&e"
        assert HTTPServerRequest(uri="/").host == "127.0.0.1"
        assert repr(request) == (
            "HTTPServerRequest(protocol='http', host='H:80', method='GET', uri='/a?b=c&d=&e', version='HTTP/1.0', "
            "remote_ip=None, headers={'Host': 'H:80'})"
        )

    def test_uri_is_required_as_in_453(self) -> None:
        with pytest.raises(AttributeError):
            HTTPServerRequest()

    def test_everything_can_be_set(self) -> None:
        request = HTTPServerRequest(uri="/?a=b")
        for name in ("arguments", "query_arguments", "body_arguments", "files", "host_name", "path", "user"):
            setattr(request, name, name)
            assert getattr(request, name) == name

    def test_body_arguments_join_those_of_the_query(self) -> None:
        request = HTTPServerRequest(
            uri="/?a=1", headers=HTTPHeaders({"Content-Type": URLENCODED}), body=b"a=2&b=3"
        )
        request._parse_body()
        assert request.arguments == {"a": [b"1", b"2"], "b": [b"3"]}
        assert request.query_arguments == {"a": [b"1"]} and request.body_arguments == {
            "a": [b"2"],
            "b": [b"3"],
        }

    def test_cookies(self) -> None:
        headers = HTTPHeaders({"Cookie": 'a="b\\"c"; d; x=\\101; bad name=1'})
        request = HTTPServerRequest(uri="/", headers=headers)
        assert {name: morsel.value for name, morsel in request.cookies.items()} == {"a": 'b"c', "x": "\\101"}
        assert request.cookies is request.cookies

    def test_context_gives_address_and_protocol(self) -> None:
        class Connection:
            class context:
                remote_ip = "1.2.3.4"
                protocol = "https"

        request = HTTPServerRequest(uri="/", connection=Connection())
        assert (request.remote_ip, request.protocol) == ("1.2.3.4", "https")

    def test_time(self) -> None:
        request = HTTPServerRequest(uri="/")
        assert request.request_time() >= 0
        request._start_time, request._finish_time = 10.0, 12.5
        assert request.request_time() == 2.5
