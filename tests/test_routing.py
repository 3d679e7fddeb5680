"""Routers, rules and matchers, without sockets: a request object goes in, a delegate comes out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tornado4.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado4.routing import (
    AnyMatches,
    HostMatches,
    PathMatches,
    ReversibleRuleRouter,
    Router,
    Rule,
    RuleRouter,
    URLSpec,
)
from tornado4.web import Application, RequestHandler


class Sink:
    """Enough of a connection for a request to be made and answered on."""

    context = None

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def set_close_callback(self, callback: Any) -> None:
        pass

    def write_headers(self, start_line: Any, headers: Any, chunk: Any = None, callback: Any = None) -> None:
        self.sent.append((start_line.code, chunk))

    def finish(self) -> None:
        self.sent.append("finished")


def request(path: str = "/", host: str = "example.com", **headers: str) -> HTTPServerRequest:
    fields = HTTPHeaders({"Host": host})
    for name, value in headers.items():
        fields[name.replace("_", "-")] = value
    return HTTPServerRequest(
        method="GET", uri=path, version="HTTP/1.1", headers=fields, connection=Sink()
    )


class Named(Router):
    """A router that is its own delegate, so that tests can tell which one was found."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        return (self.name, kwargs)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("^/a$", "/a"),
        (r"/favicon\.ico", "/favicon.ico"),
        (re.escape("/a-b_c~"), "/a-b_c~"),
        ("/a.b", None),
        ("/a(b)", None),
        (r"/\d", None),
        ("/a|/b", None),
        (re.compile("/a"), None),
        (re.compile("/a$"), "/a"),
        (re.compile("/a$", re.IGNORECASE), None),
    ],
)
def test_a_pattern_without_special_characters_is_a_string(pattern: Any, literal: str | None) -> None:
    assert PathMatches(pattern).literal == literal


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/A", "/a.b", "/axb", "/a-b"])
@pytest.mark.parametrize("pattern", ["/", "/a", r"/a\.b", "/a.b", "/a/?", r"/a\-b"])
def test_the_literal_shortcut_finds_what_the_expression_finds(pattern: str, path: str) -> None:
    router = RuleRouter([(pattern, Named("x"))])
    assert (router.find_handler(request(path)) is not None) == bool(re.match(pattern + "$", path))


def test_replacing_a_matchers_regex_takes_effect() -> None:
    router = RuleRouter([("/old", Named("x"))])
    router.rules[0].matcher.regex = re.compile("/new$")  # type: ignore[attr-defined]
    assert router.find_handler(request("/old")) is None
    assert router.find_handler(request("/new")) == ("x", {})


def test_first_matching_rule_wins() -> None:
    router = RuleRouter([("/a.*", Named("first")), ("/ab", Named("second"))])
    assert router.find_handler(request("/ab")) == ("first", {})


def test_path_groups_are_unquoted_to_bytes_and_plus_stays() -> None:
    matcher = PathMatches("/(.*)/(x)?")
    assert matcher.match(request("/a%20b+c%E2%82%AC/")) == {
        "path_args": [b"a b+c\xe2\x82\xac", None],
        "path_kwargs": {},
    }
    assert PathMatches("/(?P<n>.*)").match(request("/v")) == {"path_args": [], "path_kwargs": {"n": b"v"}}


def test_mixed_groups_are_refused() -> None:
    with pytest.raises(AssertionError, match="all named or all positional"):
        PathMatches("/(?P<a>x)/(y)")


def test_target_kwargs_reach_a_nested_router() -> None:
    router = RuleRouter([Rule(PathMatches("/"), Named("x"), {"k": 1})])
    assert router.find_handler(request("/")) == ("x", {"target_kwargs": {"k": 1}})


def test_host_is_matched_whole_and_without_port() -> None:
    router = RuleRouter([Rule(HostMatches(r"www\.a\.com"), Named("a")), Rule(AnyMatches(), Named("any"))])
    assert router.find_handler(request(host="www.a.com:8080")) == ("a", {})
    assert router.find_handler(request(host="www.a.com.evil.org")) == ("any", {})


def test_an_unmatched_request_gets_404_where_4_5_3_had_a_traceback() -> None:
    connection = Sink()
    delegate: Any = RuleRouter([("/a", Named("a"))]).start_request(None, connection)  # type: ignore[arg-type]
    delegate.headers_received(RequestStartLine("GET", "/b", "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
    delegate.data_received(b"ignored")
    delegate.finish()
    assert connection.sent == [(404, None), "finished"]


def test_closing_before_the_headers_is_nothing_to_a_router() -> None:
    delegate: Any = RuleRouter().start_request(None, Sink())  # type: ignore[arg-type]
    delegate.on_connection_close()


def test_callables_get_the_whole_request_after_its_body() -> None:
    seen: list[tuple[bytes, Any]] = []
    router = RuleRouter([("/", lambda r: seen.append((r.body, r.body_arguments)))])
    delegate: Any = router.start_request(None, Sink())  # type: ignore[arg-type]
    headers = HTTPHeaders({"Host": "x", "Content-Type": "application/x-www-form-urlencoded"})
    delegate.headers_received(RequestStartLine("POST", "/", "HTTP/1.1"), headers)
    delegate.data_received(b"a=1&")
    delegate.data_received(b"b=2")
    assert not seen
    delegate.finish()
    assert seen == [(b"a=1&b=2", {"a": [b"1"], "b": [b"2"]})]


def test_reversing() -> None:
    inner = ReversibleRuleRouter([Rule(PathMatches("/in/(.*)"), Named("i"), name="inner")])
    router = ReversibleRuleRouter([("/x/(a+)/y", Named("x"), {}, "outer"), Rule(AnyMatches(), inner)])
    assert router.reverse_url("outer", "b c/ü") == "/x/b%20c/%C3%BC/y"
    assert router.reverse_url("inner", 5) == "/in/5"
    assert router.reverse_url("nobody") is None
    with pytest.raises(AssertionError):
        router.reverse_url("outer")


@pytest.mark.parametrize("pattern", [r"/a/\d+/(b)", r"/\(a\)/(b)", "/(?:a)/(b)"])
def test_what_cannot_be_turned_around_raises(pattern: str) -> None:
    with pytest.raises(ValueError, match="Cannot reverse url regex"):
        URLSpec(pattern, None).reverse("x")


def test_a_name_used_twice_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    ReversibleRuleRouter([("/a", Named("a"), {}, "n"), ("/b", Named("b"), {}, "n")])
    assert caplog.messages == ["Multiple handlers named n; replacing previous value"]


def test_reprs_are_those_of_4_5_3() -> None:
    assert repr(URLSpec("/a", None, {"x": 1}, "n")) == "URLSpec('/a$', None, kwargs={'x': 1}, name='n')"
    matcher = AnyMatches()
    assert repr(Rule(matcher, None)) == f"Rule({matcher!r}, None, kwargs={{}}, name=None)"


def test_applications_take_lists_of_rules_and_import_targets_by_name() -> None:
    application = Application()
    application.add_handlers(
        ".*", [(HostMatches("a.com"), [("/x", "tornado4.web.RequestHandler", {}, "deep")])]
    )
    assert application.reverse_url("deep") == "/x"
    found: Any = application.find_handler(request("/x", host="a.com"))
    assert found.handler_class is RequestHandler
    with pytest.raises(KeyError, match="other not found in named urls"):
        application.reverse_url("other")


def test_default_host_serves_the_virtual_hosts_rules_unless_proxied() -> None:
    class Mine(RequestHandler):
        pass

    application = Application(default_host="a.com")
    application.add_handlers("a.com", [("/x", Mine)])
    direct: Any = application.find_handler(request("/x", host="10.0.0.1"))
    proxied: Any = application.find_handler(request("/x", host="10.0.0.1", X_Real_Ip="1.2.3.4"))
    assert direct.handler_class is Mine
    assert proxied.handler_class is not Mine
