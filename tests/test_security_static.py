"""Static files lie in their directory, and nothing else is read on behalf of a request."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from attacked import attacked, switched

from tornado4.web import Application, RequestHandler, StaticFileHandler


class Url(RequestHandler):
    def get(self) -> None:
        self.write(self.static_url(self.get_argument("path")))


@pytest.fixture
def places(tmp_path: Any) -> Any:
    """A static directory beside others, and links between them."""
    for name in ("root", "other", "third"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.txt").write_text(name)
    root = tmp_path / "root"
    for link, target in {
        "inner": root / "file.txt",
        "outer": tmp_path / "other" / "file.txt",
        "third": tmp_path / "third" / "file.txt",
        "directory": tmp_path / "other",
    }.items():
        (root / link).symlink_to(target)
    (tmp_path / "alias").symlink_to(root)
    os.mkfifo(root / "fifo")
    yield tmp_path
    StaticFileHandler.reset()


def serve(places: Any, **arguments: Any) -> Any:
    handlers: list[Any] = [
        ("/url", Url),
        ("/alias/(.*)", StaticFileHandler, {"path": str(places / "alias")}),
    ]
    return attacked(Application(handlers, static_path=str(places / "root"), static_handler_args=arguments))


@pytest.mark.parametrize("path", ["outer", "directory/file.txt", "third"])
def test_links_out_of_the_root_are_not_followed(places: Any, path: str) -> None:
    with serve(places) as server:
        assert server.ask("/static/" + path)[0] == 403
        assert "TORNADO4_ALLOW=static-symlinks" in server.complaints()[0]
        assert server.ask("/url?path=" + path)[2].decode() == "/static/" + path
        assert len(server.complaints()) == 2
        with switched("static-symlinks"):
            assert server.ask("/static/" + path)[2] in (b"other", b"third")


def test_a_link_that_changes_is_seen(places: Any) -> None:
    link = places / "root" / "inner"
    with serve(places) as server:
        assert [server.ask("/static/inner")[2] for _ in range(2)] == [b"root", b"root"]
        link.unlink()
        link.symlink_to(places / "other" / "file.txt")
        assert server.ask("/static/inner")[0] == 403


def test_directories_that_links_may_lead_to(places: Any) -> None:
    with serve(places, allowed_symlink_directory=str(places / "other")) as server:
        statuses = [server.ask("/static/" + path)[0] for path in ("file.txt", "inner", "outer", "third")]
        assert statuses == [200, 200, 200, 403]
        assert "?v=" in server.ask("/url?path=outer")[2].decode()
    with serve(places, allowed_symlink_directory=[str(places / "other"), str(places / "third")]) as server:
        assert [server.ask("/static/" + path)[0] for path in ("file.txt", "outer", "third")] == [200, 200, 200]


def test_the_root_itself_may_be_a_link(places: Any) -> None:
    with serve(places) as server:
        assert server.ask("/alias/file.txt")[2] == b"root"


@pytest.mark.parametrize("path", ["../other/file.txt", "/etc/hostname", "/dev/null", "/dev/zero", "fifo", ".", "a%00b"])
def test_no_version_is_made_of_what_is_no_file_of_the_root(places: Any, path: str) -> None:
    """In a process of its own: in 4.5.3, reading /dev/zero or a FIFO never ends."""
    code = (
        "import logging; logging.disable(logging.CRITICAL)\n"
        "import urllib.parse\n"
        "from tornado4.web import StaticFileHandler\n"
        f"path = urllib.parse.unquote({path!r})\n"
        f"print(StaticFileHandler.make_static_url({{'static_path': {str(places / 'root')!r}}}, path))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, env=os.environ
    )
    assert "?v=" not in done.stdout


def test_the_memory_of_versions_is_bounded(places: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StaticFileHandler, "_MOST_HASHES", 50, raising=False)
    with serve(places) as server:
        for number in range(80):
            server.ask(f"/url?path=missing{number}")
    assert len(StaticFileHandler._static_hashes) == 50


@pytest.mark.parametrize("path", ["file.txt%00", "%00", "file.txt%00.html"])
def test_names_with_nul_are_not_found(places: Any, path: str) -> None:
    with serve(places) as server:
        assert server.ask("/static/" + path)[0] == 404


@pytest.mark.parametrize(
    "name", ["file.php::$DATA", "C:file.txt", "con", "CON.txt", "nul ", "lpt1.css", "com\xb9", "file.txt.", "file.txt "]
)
def test_windows_names_are_not_found(places: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here these are names like others, so that one can see what would be served there."""
    from tornado4.web import static_paths

    (places / "root" / name).write_text("source")
    target = "/static/" + "".join(f"%{octet:02x}" for octet in name.encode())
    with serve(places) as server:
        assert server.ask(target)[0] == 200
        monkeypatch.setattr(static_paths, "_ON_WINDOWS", True)
        assert server.ask(target)[0] == 404
        assert server.ask("/static/file.txt")[0] == 200
