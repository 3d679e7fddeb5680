"""What a request is for: versions of WebSockets, hosts, and the four forms of targets."""

from __future__ import annotations

from typing import Any

import pytest
from attacked import attacked, switched

from tornado4.routing import HostMatches, Rule, RuleRouter
from tornado4.web import Application, RequestHandler
from tornado4.websocket import WebSocketHandler


class Socket(WebSocketHandler):
    def open(self) -> None:
        self.close()


class Shows(RequestHandler):
    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "CONNECT")

    def get(self, *groups: str) -> None:
        request = self.request
        self.write(" ".join([request.host, request.path, request.query or "-", request.uri, request.full_url()]))

    options = connect = get  # type: ignore[assignment]


class Named(RequestHandler):
    def initialize(self, name: str) -> None:  # type: ignore[override]
        self.name = name

    def get(self) -> None:
        self.write(self.name)


@pytest.fixture
def server() -> Any:
    with attacked([("/socket", Socket), ("(.*)", Shows)]) as made:
        yield made


KEY = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.mark.parametrize("version", ["", "0", "1", "6", "7", "8", "12", "14", "013", "13, 8", "x"])
def test_versions_of_websockets(server: Any, version: str) -> None:
    status, headers, _ = server.ask("/socket", f"{KEY}Sec-WebSocket-Version: {version}\r\n")
    assert (status, headers["Sec-Websocket-Version"]) == (426, "13")
    assert ("websocket-drafts" in server.log) == (version in ("7", "8"))


def test_version_13_is_spoken(server: Any) -> None:
    request = f"GET /socket HTTP/1.1\r\nHost: x\r\n{KEY}Sec-WebSocket-Version: 13\r\n\r\n"
    assert server.send(request.encode()).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("host", ["a,b", "a.example,", ",", "a%", "%", "a%zz", "a%4", "a%%41", "a.example%:80"])
def test_what_is_no_host(server: Any, host: str) -> None:
    assert server.ask("/", host=host)[0] == 400
    assert "TORNADO4_ALLOW=odd-hosts" in server.complaints()[0]
    with switched("odd-hosts"):
        assert server.ask("/", host=host)[0] == 200


@pytest.mark.parametrize("host", ["a%41", "a.example:80", "[::1]:80", "a_b", "a;b", "", "xn--a"])
def test_what_is_one_as_in_453(server: Any, host: str) -> None:
    assert server.ask("/", host=host)[2].decode().startswith(host or "127.0.0.1")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://a.example/b?c", "a.example /b c http://a.example/b?c http://a.example/b?c"),
        ("http://a.example:81", "a.example:81 / - http://a.example:81 http://a.example:81/"),
        ("http://a.example?c", "a.example / c http://a.example?c http://a.example/?c"),
        ("HTTP://A.example/", "A.example / - HTTP://A.example/ http://A.example/"),
        ("http://[::1]/b", "[::1] /b - http://[::1]/b http://[::1]/b"),
        ("ftp://a.example/b", "a.example /b - ftp://a.example/b http://a.example/b"),
        ("/b?c", "test.example /b c /b?c http://test.example/b?c"),
        ("//a.example/b", "test.example //a.example/b - //a.example/b http://test.example//a.example/b"),
    ],
)
def test_forms_of_targets(server: Any, target: str, expected: str) -> None:
    status, _, body = server.ask(target)
    assert (status, body.decode()) == (200, expected)


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("CONNECT", "a.example:443")])
def test_forms_of_their_own(server: Any, method: str, target: str) -> None:
    status, _, body = server.ask(target, method=method)
    assert (status, body.decode()) == (200, f"test.example {target} - {target} http://test.example{target}")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "a"), ("GET", "a/b"), ("GET", "?a"), ("GET", "*"), ("GET", "a.example:80"), ("GET", "http:/a"),
        ("GET", "http:a"),
        ("GET", "http:///a"), ("GET", "urn:a:b"), ("GET", "http://user:password@a.example/"), ("GET", "http://a,b/"),
        ("GET", "http://a%/"), ("GET", "http://a:b/"), ("CONNECT", "/a"), ("CONNECT", "a.example"), ("CONNECT", "http://a.example/"),
        ("CONNECT", ":80"), ("OPTIONS", "**"), ("GET", "#a"), ("GET", "\\a"), ("GET", "http://a.example/b#c"),
    ],
)  # fmt: skip
def test_what_has_none_of_the_four_forms(server: Any, method: str, target: str) -> None:
    assert server.ask(target, method=method)[0] == 400
    assert "TORNADO4_ALLOW=request-targets" in server.complaints()[0]
    assert "password" not in server.log


def test_the_switch_brings_4_5_3_back(server: Any) -> None:
    with switched("request-targets"):
        assert server.ask("a")[2] == b"test.example a - a http://test.examplea"
        assert server.ask("http://a.example/b")[2].startswith(b"test.example http://a.example/b - ")


@pytest.mark.parametrize("target", ["http://one.example/name", "http://ONE.example:80/name?x"])
def test_virtual_hosts_go_by_the_target(target: str) -> None:
    application = Application([("/name", Named, {"name": "default"})])
    application.add_handlers("one.example", [("/name", Named, {"name": "one"})])
    application.add_handlers("two.example", [("/name", Named, {"name": "two"})])
    with attacked(application) as server:
        assert server.ask(target, host="two.example")[2] == b"one"
        assert server.ask("/name", host="two.example")[2] == b"two"


def test_so_they_do_in_routers() -> None:
    one, two = (Application([("/name", Named, {"name": name})]) for name in ("one", "two"))
    with attacked(RuleRouter([Rule(HostMatches("one.example"), one), Rule(HostMatches("two.example"), two)])) as server:
        assert server.ask("http://one.example/name", host="two.example")[2] == b"one"


def test_on_one_connection_each_request_is_its_own(server: Any) -> None:
    """Heads that are alike are remembered; what is special about a target must not be."""
    first = b"GET http://a.example/b HTTP/1.1\r\nHost: x\r\n\r\n"
    plain = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
    wrong = b"GET b HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = server.send(plain + first + plain + first + wrong)
    assert [line.split(b" ")[0] for line in answer.split(b"\r\n\r\n")[1:5]] == [b"x", b"a.example", b"x", b"a.example"]
    assert answer.count(b"HTTP/1.1 400 ") == 1


