"""StaticFileHandler: files, ranges, conditions, versions, and what must not be served."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from pathlib import Path
from typing import Any

import pytest
from web_fakes import FakeConnection, fetch

from tornado4.web import Application, StaticFileHandler
from tornado4.web.static import _guess_type

BODY = b"hello static world"
TAG = f'"{hashlib.md5(BODY).hexdigest()}"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    StaticFileHandler.reset()
    public = tmp_path / "public"
    (public / "sub").mkdir(parents=True)
    (public / "a.txt").write_bytes(BODY)
    (public / "empty.txt").write_bytes(b"")
    (public / "sub" / "index.html").write_bytes(b"index")
    (tmp_path / "public-not").mkdir()
    (tmp_path / "public-not" / "secret").write_bytes(b"secret")
    for file in public.rglob("*"):
        os.utime(file, (1577934245, 1577934245))
    return public


def get(root: Path, path: str, method: str = "GET", **headers: str) -> FakeConnection:
    files: dict[str, Any] = {"path": str(root), "default_filename": "index.html"}
    app = Application([("/static/(.*)", StaticFileHandler, files), ("(/.*)", StaticFileHandler, files)])
    return fetch(app, method, path, {name.replace("_", "-"): value for name, value in headers.items()})


def test_the_media_type_is_the_interpreters(root: Path) -> None:
    (root / "a.js").write_bytes(BODY)
    assert get(root, "/static/a.js").headers["Content-Type"] == mimetypes.guess_type("a.js")[0]
    mimetypes.add_type("application/javascript", ".js")
    try:
        assert get(root, "/static/a.js").headers["Content-Type"] == "application/javascript"
    finally:
        mimetypes.init()


NAMES = ("a.txt", "a.TXT", "a.tar.gz", "a.tgz",
         "a.gz", "a.svgz", "a.none", "noext", ".txt", "a.b.html", "a:b.css", "a.é")  # fmt: skip


def test_the_media_type_is_looked_up_as_the_interpreter_does(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"/x y/{name}" for name in NAMES]
    assert [_guess_type(path) for path in paths] == [mimetypes.guess_type(path) for path in paths]
    monkeypatch.setitem(mimetypes.types_map, ".none", "text/none")
    assert _guess_type("/a.none") == ("text/none", None)
    monkeypatch.setattr(mimetypes, "guess_type", lambda path: ("text/mine", None))
    assert _guess_type("/a.txt") == ("text/mine", None)


def test_a_file_is_sent_with_its_validators(root: Path) -> None:
    answer = get(root, "/static/a.txt")
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Etag"] == TAG
    assert answer.headers["Last-Modified"] == "Thu, 02 Jan 2020 03:04:05 GMT"
    assert answer.headers["Content-Length"] == "18"
    assert "Cache-Control" not in answer.headers
    head = get(root, "/static/a.txt", "HEAD")
    assert (head.body, head.headers["Content-Length"]) == (b"", "18")


def test_versioned_urls_are_cached_for_ten_years(root: Path) -> None:
    assert get(root, "/static/a.txt?v=x").headers["Cache-Control"] == "max-age=315360000"


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"hell", "bytes 0-3/18"),
        ("bytes=5-", 206, b" static world", "bytes 5-17/18"),
        ("bytes=-5", 206, b"world", "bytes 13-17/18"),
        ("bytes=17-", 206, b"d", "bytes 17-17/18"),
        ("bytes=0-", 200, BODY, None),
        ("bytes=0-100", 200, BODY, None),
        ("bytes=18-", 416, b"", "bytes */18"),
        ("bytes=-0", 416, b"", "bytes */18"),
        ("bytes=a-b", 200, BODY, None),
        ("bytes=0-1,3-4", 200, BODY, None),
        ("items=0-1", 200, BODY, None),
    ],
)
def test_ranges_as_in_4_5_3(
    root: Path, header: str, status: int, body: bytes, content_range: str | None
) -> None:
    answer = get(root, "/static/a.txt", Range=header)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers.get("Content-Range") == content_range
    assert answer.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=-100"])
def test_ranges_that_were_500_in_4_5_3_give_the_whole_file(root: Path, header: str) -> None:
    assert (get(root, "/static/a.txt", Range=header).status) == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": TAG}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_Modified_Since": "Thu, 02 Jan 2020 03:04:05 GMT"}, 304),
        ({"If_Modified_Since": "Thu, 02 Jan 2020 03:04:04 GMT"}, 200),
        ({"If_Modified_Since": "rubbish"}, 200),
        ({"If_Modified_Since": "Thu, 99 Jan 2020 03:04:05 GMT"}, 200),
        ({"If_None_Match": TAG, "Range": "bytes=0-3"}, 304),
    ],
)
def test_conditions(root: Path, headers: dict[str, str], status: int) -> None:
    assert get(root, "/static/a.txt", **headers).status == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/nope", 404),
        ("/static/../public-not/secret", 403),
        ("/static/..%2fpublic-not/secret", 403),
        ("/static//etc/passwd", 403),
        ("/static/%00", 404),
        ("/static/a.txt%00.html", 404),
    ],
)
def test_nothing_outside_the_directory_is_served(root: Path, path: str, status: int) -> None:
    assert get(root, path).status == status


def test_directories(root: Path) -> None:
    redirect = get(root, "/static/sub")
    assert (redirect.status, redirect.headers["Location"]) == (301, "/static/sub/")
    assert get(root, "/static/sub/").body == b"index"


def test_sec_no_redirect_to_another_host(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # //sub is below the directory for a handler that maps it so, and a host for a browser
    monkeypatch.setattr(StaticFileHandler, "parse_url_path", lambda self, path: path.lstrip("/"))
    answer = get(root, "//sub")
    assert answer.status == 403
    assert "Location" not in answer.headers


def test_static_urls_carry_a_version(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"static_path": str(root)}
    assert StaticFileHandler.make_static_url(settings, "a.txt") == f"/static/a.txt?v={TAG[1:-1]}"
    assert StaticFileHandler.make_static_url(settings, "a.txt", include_version=False) == "/static/a.txt"
    for _ in range(2):
        assert StaticFileHandler.make_static_url(settings, "nope") == "/static/nope"
    assert caplog.messages == [f"Could not open static file {str(root / 'nope')!r}"]


def test_content_in_parts(root: Path) -> None:
    path = str(root / "a.txt")
    assert b"".join(StaticFileHandler.get_content(path, 2, 5)) == b"llo"
    assert b"".join(StaticFileHandler.get_content(path, None, 5)) == b"hello"
    assert list(StaticFileHandler.get_content(path, 0, 0)) == []
