"""Cookies and XSRF tokens."""

from __future__ import annotations

import datetime
import http.cookies
from typing import Any

import pytest
from web_fakes import fetch, serve

from tornado4.web import RequestHandler


def set_cookies(action: Any, **settings: Any) -> list[str]:
    class Handler(RequestHandler):
        def get(self) -> None:
            action(self)

    return fetch(serve(Handler, **settings)).headers.get_list("Set-Cookie")


def test_set_cookie_lines_are_those_of_4_5_3() -> None:
    def action(h: RequestHandler) -> None:
        h.set_cookie("a", b"b")
        h.set_cookie("d", 'x;y,"')
        h.set_cookie("e", "v", domain="d.com", path="/p", httponly=True, secure=True, max_age=5)
        h.set_cookie("f", "v", expires=datetime.datetime(2020, 1, 2))
        h.set_cookie("i", "v", path=None)
        h.set_cookie("k", "v", httponly=False, secure=0)
        h.set_cookie("s", "v", samesite="Lax")

    assert set_cookies(action) == [
        "a=b; Path=/",
        'd="x\\073y\\054\\""; Path=/',
        "e=v; Domain=d.com; HttpOnly; Max-Age=5; Path=/p; Secure",
        "f=v; expires=Thu, 02 Jan 2020 00:00:00 GMT; Path=/",
        "i=v",
        "k=v; Path=/",
        "s=v; Path=/; SameSite=Lax",
    ]


def test_a_second_cookie_of_a_name_replaces_the_first_with_its_attributes() -> None:
    def action(h: RequestHandler) -> None:
        h.set_cookie("a", "b", domain="example.com")
        h.set_cookie("a", "e")

    assert set_cookies(action) == ["a=e; Path=/"]


@pytest.mark.parametrize(("name", "value"), [("c", "x y"), ("h\n", "v"), ("a", "b\r\nc"), ("a", "\0")])
def test_control_characters_and_spaces_are_refused(name: str, value: str) -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(ValueError, match="Invalid cookie"):
            h.set_cookie(name, value)

    assert set_cookies(action) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"path": "/\r\nSet-Cookie: x=y"},
        {"path": "/; Domain=evil.com"},
        {"domain": "a;b"},
        {"domain": "a\0"},
        {"samesite": "Lax; Secure"},
        {"max_age": "1;2"},
    ],
)
def test_sec_attributes_cannot_end_themselves(attributes: dict[str, Any]) -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(http.cookies.CookieError, match="Invalid cookie attribute"):
            h.set_cookie("a", "b", **attributes)

    assert set_cookies(action) == []


def test_sec_attributes_switch_back_lets_semicolons_but_no_line_ends_through() -> None:
    def action(h: RequestHandler) -> None:
        h.set_cookie("a", "b", path="/; SameSite=Lax")
        with pytest.raises(http.cookies.CookieError):
            h.set_cookie("b", "b", path="/\n")

    assert set_cookies(action, lenient_cookie_attributes=True) == ["a=b; Path=/; SameSite=Lax"]


def test_secure_cookies_give_bytes_and_key_versions() -> None:
    keys = {0: "old", 1: "new"}

    class Handler(RequestHandler):
        def get(self) -> None:
            signed = self.create_signed_value("c", "é")
            assert self.get_secure_cookie("c", signed) == "é".encode()
            assert self.get_secure_cookie_key_version("c", signed) == 1
            assert self.get_secure_cookie("absent") is None
            self.set_secure_cookie("c", "v", expires_days=None)

    answer = fetch(serve(Handler, cookie_secret=keys, key_version=1))
    assert answer.headers["Set-Cookie"].startswith('c="2|1:1|10:')
    assert fetch(serve(Handler)).status == 500


def test_clearing_cookies_expires_them() -> None:
    class Handler(RequestHandler):
        def get(self) -> None:
            self.clear_all_cookies(path="/x", domain="y")

    answer = fetch(serve(Handler), headers={"Cookie": "a=b; c=d"})
    lines = answer.headers.get_list("Set-Cookie")
    assert [line.split(";")[0] for line in lines] == ['a=""', 'c=""']
    assert all("Domain=y; expires=" in line and line.endswith("Path=/x") for line in lines)


class Form(RequestHandler):
    def get(self) -> None:
        self.write(self.xsrf_token)

    def post(self) -> None:
        self.write("ok")


def test_xsrf_tokens_differ_each_time_and_fit_one_another() -> None:
    app = serve(Form, xsrf_cookies=True)
    token = fetch(app).body.decode()
    other = fetch(app, headers={"Cookie": "_xsrf=" + token}).body.decode()
    assert token != other
    ok = fetch(app, "POST", headers={"Cookie": "_xsrf=" + token, "X-Xsrftoken": other})
    assert ok.body == b"ok"
    assert fetch(app, "POST", path="/?_xsrf=" + other, headers={"Cookie": "_xsrf=" + token}).status == 200


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        ({}, "'_xsrf' argument missing from POST"),
        ({"X-CSRFToken": "2|ab|cd|x"}, "'_xsrf' argument has invalid format"),
        ({"X-CSRFToken": "9|ab"}, "'_xsrf' argument has invalid format"),
        ({"X-CSRFToken": "deadbeef"}, "XSRF cookie does not match POST argument"),
    ],
)
def test_xsrf_refusals(headers: dict[str, str], line: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = fetch(serve(Form, xsrf_cookies=True), "POST", headers={"Cookie": "_xsrf=abcd"} | headers)
    assert answer.status == 403
    assert f"403 POST / (1.2.3.4): {line}" in caplog.messages


def test_xsrf_version_1_and_unversioned_tokens_still_work() -> None:
    app = serve(Form, xsrf_cookies=True, xsrf_cookie_version=1)
    token = fetch(app).body.decode()
    assert len(token) == 32
    assert fetch(app, "POST", headers={"Cookie": "_xsrf=xoxo", "X-Xsrftoken": "xoxo"}).status == 200
