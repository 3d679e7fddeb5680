"""A mixed fleet's sessions: what each of 4.5.3, tornado4 and 6.6.1 sets is read by each of them, all nine pairs.

``docs/mixed-fleet.md`` says what follows. Behind a balancer it is tests/deploy/test_fleet.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from compat_tests.fleet.sides import NAMES, Browser, three
from compat_tests.side import ServerSide
from compat_tests.wire.sockets import close, shake

PAIRS = [(maker, reader) for maker in NAMES for reader in NAMES]


@pytest.fixture(scope="module")
def sides() -> Iterator[dict[str, ServerSide]]:
    with three() as running:
        yield running


def session(sides: dict[str, ServerSide], maker: str, settings: str, version: int) -> Browser:
    """A browser that has signed in on one side."""
    browser = Browser()
    plain = 'b,c="d"ö'
    path = f"/{settings}/sign?version={version}&value={quote('jäne')}&plain={quote(plain)}"
    # Version 1 of signed values cannot be signed with one of several keys.
    expected = 500 if version == 1 and settings in ("former", "present", "keyed") else 200
    assert browser.ask(sides[maker].port, path)[0] == expected
    assert (expected == 200) == ("who" in browser.cookies)
    return browser


def test_the_sides_are_what_they_are_called(sides: dict[str, ServerSide]) -> None:
    assert [Browser().ask(side.port, "/single/side")[2] for side in sides.values()] == list(NAMES)


@pytest.mark.parametrize(("maker", "reader"), PAIRS)
class TestEachPair:
    @pytest.mark.parametrize("version", [1, 2])
    def test_one_secret(self, sides: dict[str, ServerSide], maker: str, reader: str, version: int) -> None:
        found = session(sides, maker, "single", version).read(sides[reader].port, "single")
        assert found == {"who": "jäne", "key": 0 if version == 2 else None, "plain": 'b,c="d"ö'}

    def test_several_keys_whichever_of_them_a_side_signs_with(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        for signed, key in (("former", 1), ("present", 2)):
            browser = session(sides, maker, signed, 2)
            for settings in ("former", "present"):
                found = browser.read(sides[reader].port, settings)
                assert (found["who"], found["key"]) == ("jäne", key)

    def test_a_key_that_is_gone(self, sides: dict[str, ServerSide], maker: str, reader: str) -> None:
        assert session(sides, maker, "present", 2).read(sides[reader].port, "only")["who"] == "jäne"
        found = session(sides, maker, "former", 2).read(sides[reader].port, "only")
        assert (found["who"], found["key"]) == (None, 1)

    def test_one_secret_becomes_several_as_key_version_0(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        found = session(sides, maker, "single", 2).read(sides[reader].port, "keyed")
        assert (found["who"], found["key"]) == ("jäne", 0)
        # A side that has not been told of the new key yet cannot read what is signed with it.
        assert session(sides, maker, "keyed", 2).read(sides[reader].port, "single")["who"] is None

    def test_several_keys_become_one_secret_again(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        assert session(sides, maker, "present", 2).read(sides[reader].port, "back")["who"] == "jäne"
        assert session(sides, maker, "former", 2).read(sides[reader].port, "back")["who"] is None

    def test_version_1_where_there_are_several_keys(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        """A 500 on both real ones, as long as such cookies are accepted at all: here the visitor signs in again."""
        browser = session(sides, maker, "single", 1)
        found = browser.read(sides[reader].port, "keyed")
        assert found.get("status") == (None if reader == "tornado4" else 500)
        assert browser.read(sides[reader].port, "keyed", "?min_version=2")["who"] is None

    @pytest.mark.parametrize("format", ["xsrf1", "xsrf2"])
    def test_xsrf_tokens(self, sides: dict[str, ServerSide], maker: str, reader: str, format: str) -> None:
        browser = Browser()
        token = browser.ask(sides[maker].port, f"/{format}/form")[2]
        cookie = browser.cookies["_xsrf"]
        port = sides[reader].port
        for settings in ("xsrf1", "xsrf2"):  # both formats are read, whichever is written
            assert browser.ask(port, f"/{settings}/form", f"_xsrf={quote(token)}")[::2] == (200, "taken")
            assert browser.ask(port, f"/{settings}/form", "", X_XSRFToken=token)[0] == 200
            assert browser.ask(port, f"/{settings}/form", "")[0] == 403
            assert browser.ask(port, f"/{settings}/form", "_xsrf=" + "0" * 32)[0] == 403
            # The form of another side, with the cookie of the first: it is kept, and good for both.
            token = browser.ask(port, f"/{settings}/form")[2]
            assert browser.cookies["_xsrf"] == cookie
            assert browser.ask(sides[maker].port, f"/{format}/form", f"_xsrf={quote(token)}")[0] == 200

    def test_signing_in_and_pages_that_have_not_changed(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        browser, port = Browser(), sides[reader].port
        status, headers, _ = browser.ask(port, "/packed/private")
        assert (status, headers["Location"]) == (302, "/packed/login?next=%2Fpacked%2Fprivate")
        browser.ask(sides[maker].port, "/packed/sign")
        assert browser.ask(port, "/packed/private")[::2] == (200, "jane")
        for packed in ({}, {"Accept_Encoding": "gzip"}):
            etag = browser.ask(sides[maker].port, "/packed/page", **packed)[1]["Etag"]
            assert browser.ask(port, "/packed/page", If_None_Match=etag, **packed)[0] == 304

    def test_static_files(self, sides: dict[str, ServerSide], maker: str, reader: str) -> None:
        """The hash in a URL is MD5 in 4.5.3 and here, SHA-512 in 6.6.1: each gives the file for the other's URL."""
        browser, port = Browser(), sides[reader].port
        url = browser.ask(sides[maker].port, "/single/style")[2]
        assert len(url.partition("?v=")[2]) == (128 if maker == "6.6.1" else 32)
        headers = browser.ask(sides[maker].port, url)[1]
        assert browser.ask(port, url)[0] == 200
        alike = (maker == "6.6.1") == (reader == "6.6.1")
        assert browser.ask(port, url, If_None_Match=headers["Etag"])[0] == (304 if alike else 200)
        assert browser.ask(port, url, If_Modified_Since=headers["Last-Modified"])[0] == 304

    def test_a_websocket_knows_who_has_signed_in_elsewhere(
        self, sides: dict[str, ServerSide], maker: str, reader: str
    ) -> None:
        browser = session(sides, maker, "single", 2)
        for offered, chosen in (("chat.v1, chat.v2", b"chat.v1"), ("other", None)):
            headers = (f"Sec-WebSocket-Protocol: {offered}", f"Cookie: {browser.cookie_header()}")
            answer = sides[reader].exchange(shake("/single/socket", *headers), close(1000)).data
            head, _, frames = answer.partition(b"\r\n\r\n")
            found = re.search(rb"(?i)^Sec-WebSocket-Protocol: (.*?)\r?$", head, re.MULTILINE)
            assert b"101" in head.split(b"\r\n")[0] and (found and found[1]) == chosen
            assert json.loads(frames[2 : 2 + frames[1]]) == [reader, "jäne"]
