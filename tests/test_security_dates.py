"""Nothing in a conditional or range header is a 500."""

from __future__ import annotations

from typing import Any

import pytest
from attacked import attacked

from tornado4.web import RequestHandler, StaticFileHandler

HUGE = "9" * 30


class Plain(RequestHandler):
    def get(self) -> None:
        self.write(self.get_browser_locale().code)


@pytest.fixture(scope="module")
def server(tmp_path_factory: Any) -> Any:
    root = tmp_path_factory.mktemp("static")
    (root / "file").write_bytes(b"0123456789")
    with attacked([("/static/(.*)", StaticFileHandler, {"path": str(root)}), ("/plain", Plain)]) as made:
        yield made


DATES = [
    "x", ",", "0", "0 0 0", "-", "\xe9", "\xb2", "1" * 5000, f"Mon, {HUGE} Jan 2000 00:00:00 GMT",
    f"Mon, 01 Jan {HUGE} 00:00:00 GMT", f"Mon, 01 Jan 2000 {HUGE}:00:00 GMT", f"Mon, 01 Jan 2000 00:{HUGE}:00 GMT",
    f"Mon, 01 Jan 2000 00:00:{HUGE} GMT", f"Mon, 01 Jan 2000 00:00:00 +{HUGE}", "Mon, 00 Jan 2000 00:00:00 GMT",
    "Mon, 31 Feb 2000 00:00:00 GMT", "Mon, 01 Jan 0000 00:00:00 GMT", "Mon, 01 Jan -2000 00:00:00 GMT",
    "Mon, 01 Jan 2000 24:00:00 GMT", "Mon, 01 Jan 2000 00:00:61 GMT", "Mon, 01 Jan 2000",
    "Monday, 01-Jan-00 00:00:00 GMT",
    "Mon Jan  1 00:00:00 2000", "Mon, 01 Jan 2000 00:00:00", "01 Jan 2000 00:00:00 GMT", "Mon, 01 Jan 2000 ::: GMT",
    "Mon, 01 Jan 2000 00.00.00 GMT", "Mon,,01 Jan 2000 00:00:00 GMT", "Mon, 01 Jan 2000 00:00\xb2 GMT",
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range", "If-None-Match", "If-Match", "Date"]
)
@pytest.mark.parametrize("path", ["/static/file", "/plain"])
def test_dates(server: Any, name: str, path: str) -> None:
    for date in DATES:
        assert server.ask(path, f"{name}: {date}\r\nRange: bytes=0-\r\n")[0] == 200, date
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("bytes=0-0", 206), ("bytes=-1", 206), ("bytes=9-", 206), ("bytes=0-" + HUGE, 200), ("bytes=1-" + HUGE, 206),
        ("bytes=-" + HUGE, 200), ("bytes=10-", 416), (f"bytes={HUGE}-", 416), (f"bytes={HUGE}-{HUGE}", 416),
        ("bytes=-0", 416),
        (f"bytes={'9' * 5000}-", 416), (f"bytes=-{'9' * 5000}", 200), ("bytes=5-2", 200), ("bytes=--1", 200),
        ("bytes=", 200),
        ("bytes", 200), ("=", 200), ("", 200), ("-", 200), ("bytes=+1-2", 200), ("bytes=1_0-", 200),
        ("bytes=\xb2-", 200),
        ("bytes=0x1-", 200), ("bytes=1-2,4-5", 200), ("bytes=1e1-", 200), ("bytes=nan-inf", 200), ("bytes=1.5-2", 200),
        ("lines=1-2", 200), ("bytes=\xe9", 200), ("bytes=1-2-3", 200), ("bytes= 1 - 2 ", 206),
    ],
)  # fmt: skip
def test_ranges(server: Any, value: str, status: int) -> None:
    found, headers, body = server.ask("/static/file", f"Range: {value}\r\n")
    assert found == status
    assert len(body) == int(headers.get("Content-Length", 0))


@pytest.mark.parametrize("value", ['"', '"a', 'W/"', "W/", "*", "**", ",", '"a","', "\xe9", '"' * 5000, "a" * 5000])
def test_tags(server: Any, value: str) -> None:
    for path in ("/static/file", "/plain"):
        assert server.ask(path, f"If-None-Match: {value}\r\n")[0] == (304 if value.startswith("*") else 200)


@pytest.mark.parametrize(
    "quality", ["nan", "inf", "-inf", "1e999", "1_0", "-1", "", "=", HUGE, "\xb2", "0x1", "1" * 5000]
)
def test_qualities_of_languages(server: Any, quality: str) -> None:
    assert server.ask("/plain", f"Accept-Language: de;q={quality},en;q={quality}\r\n")[0] == 200
