"""Cookies that are sent cannot end themselves, and any text that comes back as a signed one is a value or None."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import quote

import pytest
from attacked import attacked

from tornado4.web import Application, RequestHandler, create_signed_value, decode_signed_value

NOW = 1700000000


def clock() -> float:
    return NOW


class Secure(RequestHandler):
    def get(self) -> None:
        value = self.get_argument("value", None, strip=False)
        key = self.get_secure_cookie_key_version("user", value)
        self.write(repr((self.get_secure_cookie("user", value, max_age_days=10**6), key)))


class Sets(RequestHandler):
    def get(self) -> None:
        name = self.get_argument("name")
        value: Any = self.request.arguments["value"][0].decode()
        kind = self.get_argument("kind", "str")
        if kind == "bytes":
            value = value.encode()
        elif kind == "object":
            value = Shown(value)
        self.set_cookie("cookie", "value", **{name: value})


class Shown:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


@pytest.fixture(scope="module")
def server() -> Any:
    with attacked(Application([("/secure", Secure), ("/sets", Sets)], cookie_secret="secret")) as made:
        yield made


@pytest.fixture(scope="module")
def server_with_keys() -> Any:
    with attacked(Application([("/secure", Secure)], cookie_secret={0: "a", 1: "b"}, key_version=1)) as made:
        yield made


def texts() -> list[str]:
    """Signed values with characters moved from field to field, cut off, put in, and of other kinds."""
    one = create_signed_value("secret", "user", "joe", version=1, clock=clock).decode()
    two = create_signed_value("secret", "user", "joe", version=2, clock=clock).decode()
    payload, stamp, signature = one.split("|")
    moved = [f"{payload[:-n]}|{payload[-n:]}{stamp}|{signature}" for n in range(1, len(payload) + 1)]
    moved += [f"{payload}{stamp[:n]}|{stamp[n:]}|{signature}" for n in range(1, len(stamp) + 1)]
    cut = [text[:at] for text in (one, two) for at in range(len(text))]
    places = [(text, at) for text in (one, two) for at in range(0, len(text), 3)]
    longer = [text[:at] + char + text[at:] for text, at in places for char in "|:-9\xb2\u0660"]
    odd = ["", " ", "|", "||", "|||", "2|", "2||", "2|1:0|", "2|9:1|", "2|-1:", "2|+1:0|", "3|x", "99999999|x", "1|2|3"]
    odd += [char * 40 for char in string.printable if char not in "\r\n"]
    odd += ["2|" + "9" * 5000 + ":x|", "\x00|\x00|\x00"]
    return moved + cut + longer + odd


@pytest.mark.parametrize("secret", ["secret", {0: "secret", 1: "other"}])
def test_any_text_is_a_value_or_none(secret: Any) -> None:
    for text in [*texts(), "\ud800", "2|\udfff", "\ud800|1|1"]:
        found = decode_signed_value(secret, "user", text, max_age_days=10**6, clock=clock)
        assert found is None or (found == b"joe" and secret == "secret")


def test_so_it_is_for_a_server(server: Any, server_with_keys: Any) -> None:
    one = create_signed_value("secret", "user", "joe", version=1).decode()
    payload, stamp, signature = one.split("|")
    values = [one, f"{payload[:-1]}|{payload[-1:]}{stamp}|{signature}", "a|b|c", "2|1:0|", "\xb2|\xb2|\xb2"]
    for value in values:
        for asked in (server, server_with_keys):
            status, _, body = asked.ask("/secure?value=" + quote(value))
            assert (status, body) == (200, b"(b'joe', None)" if (value, asked) == (one, server) else b"(None, None)")
    assert server.ask("/secure")[2] == b"(None, None)"
    assert "Traceback" not in server.log + server_with_keys.log


INJECTIONS = ["x; Secure", "x;Domain=evil.example", "x\r\nSet-Cookie: a=b", "x\x00", "x\x1f", "x\x7f"]


@pytest.mark.parametrize("kind", ["str", "bytes", "object"])
@pytest.mark.parametrize(
    "name", ["domain", "path", "max_age", "samesite", "Domain", "DOMAIN", "Path", "pAtH", "SameSite", "max-age",
    "Max-Age", "version"]
)
def test_attributes_cannot_end_themselves(server: Any, name: str, kind: str) -> None:
    for text in INJECTIONS[: 2 if kind == "bytes" else None]:  # as text, bytes have no control characters
        status, headers, _ = server.ask(f"/sets?name={name}&kind={kind}&value={quote(text)}")
        assert (status, "Set-Cookie" in headers) == (500, False), text


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("domain", "a.example", "cookie=value; Domain=a.example; Path=/"), ("path", "/a", "cookie=value; Path=/a"),
        ("max_age", "60", "cookie=value; Max-Age=60; Path=/"),
        ("SameSite", "Lax", "cookie=value; Path=/; SameSite=Lax"),
    ],
)  # fmt: skip
def test_good_ones_are_sent(server: Any, name: str, value: str, sent: str) -> None:
    assert server.ask(f"/sets?name={name}&value={value}")[1]["Set-Cookie"] == sent
