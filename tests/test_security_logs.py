"""Log lines and representations show no credentials, and no control characters of a peer's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attacked import attacked, switched

from tornado4.httpclient import HTTPRequest, HTTPResponse
from tornado4.httputil import HTTPHeaders, HTTPServerRequest
from tornado4.web import Application, HTTPError, RequestHandler, StaticFileHandler

#: What a terminal obeys, and what begins another line.
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Fails(RequestHandler):
    def get(self) -> None:
        raise ZeroDivisionError

    def post(self) -> None:
        self.write("posted")


class Complains(RequestHandler):
    def get(self) -> None:
        raise HTTPError(400, "no such thing: %s", self.get_argument("name", strip=False))


class Secure(RequestHandler):
    def get(self) -> None:
        self.write(repr(self.get_secure_cookie("user", self.get_argument("value"))))


@pytest.fixture
def server(tmp_path: Any) -> Any:
    handlers: list[Any] = [
        ("/complains", Complains),
        ("/secure", Secure),
        ("/static/(.*)", StaticFileHandler, {"path": str(tmp_path)}),
        (".*", Fails),
    ]
    with attacked(Application(handlers, cookie_secret="secret")) as made:
        yield made


CREDENTIALS = [
    "Authorization: Basic c2VzYW1l",
    "Proxy-Authorization: Digest c2VzYW1l",
    "Cookie: session=c2VzYW1l",
    "Set-Cookie: session=c2VzYW1l",
    "X-Api-Key: c2VzYW1l",
    "X-Auth-Token: c2VzYW1l",
    "X-Xsrftoken: c2VzYW1l",
]


@pytest.mark.parametrize("line", CREDENTIALS)
def test_a_failing_request_is_logged_without_them(server: Any, line: str) -> None:
    assert server.ask("/", f"{line}\r\nX-Shown: yes\r\n")[0] == 500
    assert "c2VzYW1l" not in server.log
    assert f"'{line.partition(':')[0]}': '***'" in server.log
    assert "'X-Shown': 'yes'" in server.log


def test_the_switch_shows_them() -> None:
    request = HTTPServerRequest("GET", "/", headers=HTTPHeaders({"Cookie": "a=b"}))
    assert "a=b" not in repr(request)
    with switched("log-credentials"):
        assert "a=b" in repr(request)


@pytest.mark.parametrize("line", CREDENTIALS)
@pytest.mark.parametrize("broken", ["{line}\r\nno colon", "{line}\x01", "no colon\r\n{line}", "{name} : {value}"])
def test_a_malformed_one_is_refused_without_them(server: Any, line: str, broken: str) -> None:
    name, _, value = line.partition(": ")
    lines = broken.format(line=line, name=name, value=value)
    assert server.ask("/", lines + "\r\n")[0] == 400
    assert "Malformed HTTP headers" in server.log
    assert "c2VzYW1l" not in server.log


def test_refused_cookies_are_named_and_not_shown(server: Any) -> None:
    assert server.ask("/secure?value=c2VzYW1l|1300000000|0123")[2] == b"None"
    assert "Invalid cookie signature b'user'" in server.log
    assert "c2VzYW1l" not in "\n".join(server.complaints())


def test_urls_of_clients_are_shown_without_passwords() -> None:
    url = "http://user:c2VzYW1l@site.example/a?access_token=c2VzYW1l&client_secret=c2VzYW1l&page=2"
    shown = repr(HTTPResponse(HTTPRequest(url), 200, effective_url=url))
    assert "c2VzYW1l" not in shown
    assert "http://***@site.example/a?access_token=***&client_secret=***&page=2" in shown


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/\x9b31mred", ""), ("/a\x85b", ""), ("/static/\x9b31m", ""), ("/static/..%2f..%2f%0aforged%1b[31m", ""),
        ("/static/..%2f..%2f%0dforged%c2%9b", ""), ("/complains?name=%0aforged%1b[31m", ""),
        ("/complains?name=%e2%80%a8forged", ""), ("/", "Content-Length: \x9b31m\r\n"), ("/", "Host: \x9b31m\r\n"),
        ("/", "Transfer-Encoding: \x9b31m\r\n"), ("/", "X-\x9b31m: a\r\n"),
    ],
)  # fmt: skip
def test_no_control_character_of_a_peers_is_in_a_line(server: Any, target: str, headers: str) -> None:
    server.ask(target, headers)
    assert server.log
    assert not [line for line in server._lines.lines if CONTROLS.search(line)]
    assert not [line for line in server._lines.lines if "\n" in line and "Traceback" not in line]


def test_nor_of_a_bodys_coding(server: Any) -> None:
    server.ask("/", "Content-Encoding: \x9b31m\r\nContent-Type: application/x-www-form-urlencoded\r\n", "POST", b"a=b")
    assert "Unsupported Content-Encoding: \\x9b31m" in server.log
