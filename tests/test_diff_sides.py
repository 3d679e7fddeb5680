"""tornado4.migrate.diff: environments, and an application in a process of its own."""

from __future__ import annotations

import functools
import io
import os
import socket
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat_tests.oracle import CACHE, OracleUnavailable, oracle
from tornado4.migrate.diff import (
    HALF_CLOSE,
    EnvironmentUnavailable,
    ServerSide,
    SideFailed,
    SideProcess,
    cache_folder,
    comparable,
    environment,
    side_by_side,
    stable,
)
from tornado4.migrate.diff import environments as rooms
from tornado4.migrate.diff.sides import Answer

APP = """
import tornado.web, tornado.log, os

class Hello(tornado.web.RequestHandler):
    def get(self):
        print("noise on standard output")
        tornado.log.app_log.warning("said hello")
        self.write("hello")

class Forks(tornado.web.RequestHandler):
    def get(self):
        pid = os.fork()
        if not pid:
            import time
            time.sleep(600)
        self.write(str(pid))

application = tornado.web.Application([("/", Hello), ("/forks", Forks)])

def other():
    return tornado.web.Application([("/", tornado.web.ErrorHandler, {"status_code": 418})])
"""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def app(tmp_path: Path) -> str:
    file = tmp_path / "app.py"
    file.write_text(APP)
    return str(file)


@pytest.fixture
def side(app: str) -> Iterator[ServerSide]:
    side = ServerSide(app, None)
    yield side
    side.close()


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 120
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return gone(pid)


def test_an_exchange_gives_bytes_close_and_log(side: ServerSide) -> None:
    answer = side.exchange(GET)
    assert answer.data.startswith(b"HTTP/1.1 200 OK\r\n") and answer.data.endswith(b"\r\n\r\nhello")
    assert not answer.closed
    assert comparable(answer)["log"] == [
        ["tornado.application", "WARNING", "said hello", None],
        ["tornado.access", "INFO", "200 GET / (127.0.0.1)", None],
    ]


def test_steps_go_out_one_after_the_other(side: ServerSide) -> None:
    assert side.exchange(GET[:10], GET[10:], GET).data.count(b"hello") == 2
    answer = side.exchange(GET, HALF_CLOSE)
    assert answer.closed and answer.data.count(b"hello") == 1


def test_a_name_chooses_what_is_served(app: str) -> None:
    side = ServerSide(app + ":other", None)
    try:
        assert side.exchange(GET).data.startswith(b"HTTP/1.1 418 ")
    finally:
        side.close()


def test_a_module_of_the_current_folder_is_served(app: str) -> None:
    side = ServerSide("app", None, cwd=Path(app).parent)
    try:
        assert b"hello" in side.exchange(GET).data
    finally:
        side.close()


@pytest.mark.parametrize(
    ("target", "words"), [("/nowhere.py", "FileNotFoundError"), (":nothing", "defines no nothing")]
)
def test_what_does_not_start_says_why(app: str, target: str, words: str) -> None:
    with pytest.raises(SideFailed, match=words):
        ServerSide(app + target if target.startswith(":") else target, None)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at processes in /proc")
def test_nothing_is_left_behind(side: ServerSide) -> None:
    child = int(side.exchange(GET.replace(b"/ ", b"/forks ")).data.rpartition(b"\r\n")[2])
    assert not gone(child)
    side.close()
    side.close()
    assert wait_until_gone(child)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", side.port), timeout=120)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at processes in /proc")
def test_a_server_ends_with_the_one_that_started_it(side: ServerSide) -> None:
    side._control.close()
    assert wait_until_gone(side._process._process.pid)


def test_a_silent_process_is_an_error() -> None:
    job = {"scenarios": [{"name": "s", "kind": "source", "where": "while True: pass\n"}], "seconds": 60}
    with SideProcess(job, None) as process:
        assert process.next_line(60) == ["begin", "s"]
        with pytest.raises(SideFailed, match=r"tornado4: silent for 0\.05 s"):
            process.next_line(0.05)


def test_stable_takes_out_what_passes() -> None:
    data = (
        b"Date: Mon, 23 Nov 2026 18:12:22 GMT\r\nSet-Cookie: _xsrf=2|a|b|1; Path=/\r\n"
        b"Set-Cookie: a=1; expires=Mon, 23 Nov; Path=/\r\nX: 2|1:0|10:1400000000|1:n|4:dg==|ff\r\n\r\n"
    )
    assert stable(data) == (
        b"Date: <date>\r\nSet-Cookie: _xsrf=<xsrf>; Path=/\r\n"
        b"Set-Cookie: a=1; expires=<time>; Path=/\r\nX: 2|1:0|10:1400000000|1:n|4:dg==|ff\r\n\r\n"
    )
    one, two = b"\x1f\x8b\x08\x00\x01\x02\x03\x04\x02\xffxyz", b"\x1f\x8b\x08\x00\x09\x09\x09\x09\x00\x03xyz"
    assert stable(one) == stable(two)


def test_comparable_leaves_out_durations() -> None:
    lines = [["tornado.access", "INFO", f"200 GET / (::1) {time}ms", None] for time in ("1.25", "30.00")]
    one, two = (Answer(b"", False, [line]) for line in lines)
    assert comparable(one) == comparable(two)


# Environments


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORNADO4_ORACLE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TORNADO4_ORACLE_CACHE")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_folder() == tmp_path / "tornado4" / "oracle"


def test_an_interpreter_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"no interpreter 'python-of-nowhere'.*--python"):
        environment(python="python-of-nowhere", cache=tmp_path)
    with pytest.raises(EnvironmentUnavailable, match="no usable Python"):
        environment(python="true", cache=tmp_path)


def test_a_failing_step_is_told_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"(?s)failed with 3.*some output.*--python"):
        rooms._run([sys.executable, "-c", "print('some output'); raise SystemExit(3)"])
    with pytest.raises(EnvironmentUnavailable, match="does not start"):
        rooms._run([str(tmp_path / "nothing")])


def test_variables_of_our_python_do_not_reach_the_old_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert "PYTHONPATH" not in rooms.Environment("4.5.3", tmp_path, False, None).environ()
    env = rooms.Environment("4.5.3", tmp_path, True, tmp_path).environ()
    assert env["PYTHONPATH"].split(os.pathsep) == [str(rooms.OLD_LIBRARY), str(tmp_path)]
    assert "PYTHONWARNINGS" not in env


def archive(tmp_path: Path, *names: str) -> tarfile.TarFile:
    file = tmp_path / "archive.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mode = 1, 0o4777
            tar.addfile(member, io.BytesIO(b"x"))
        link = tarfile.TarInfo("tornado/link")
        link.type, link.linkname = tarfile.SYMTYPE, "setup.py"
        tar.addfile(link)
    return tarfile.open(file)


def test_an_archive_unpacks_where_tarfile_has_no_filters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on Python 3.11.2, which Debian 12 has."""
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with archive(tmp_path, "tornado/setup.py", "tornado/demos/chat.py") as tar:
        monkeypatch.setattr(tar, "extractall", without_filters(tar))
        rooms._unpack(tar, tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert found == {"tornado/setup.py", "tornado/demos/chat.py"}
    assert (tmp_path / "out/tornado/setup.py").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("name", ["../outside.py", "/tmp/outside.py", "tornado/../../outside.py"])
def test_and_nothing_of_it_leads_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    with archive(tmp_path, name) as tar, pytest.raises(EnvironmentUnavailable, match=r"outside\.py' would lie outside"):
        rooms._unpack(tar, tmp_path / "out")


def without_filters(tar: tarfile.TarFile) -> Callable[..., None]:
    """``extractall`` as it was before it took ``filter``; later ones warn without."""
    if not hasattr(tarfile, "fully_trusted_filter"):
        return tar.extractall
    return functools.partial(tar.extractall, filter="fully_trusted")


def test_against_tornado_6_nothing_is_put_back(tmp_path: Path) -> None:
    assert rooms._is_old("4.5.3") and rooms._is_old("5.1.1") and not rooms._is_old("6.5")
    assert "PYTHONPATH" not in rooms.Environment("6.5", Path(sys.executable), rooms._is_old("6.5"), None).environ()


def test_both_sides_serve_the_same_application(app: str) -> None:
    try:
        old = oracle()
    except OracleUnavailable as e:
        pytest.skip(str(e))
    with side_by_side(app, old) as (real, ours):
        assert (real.name, ours.name) == ("tornado 4.5.3", "tornado4")
        assert comparable(real.exchange(GET)) == comparable(ours.exchange(GET))


def test_the_current_interpreter_serves_with_names_put_back(app: str) -> None:
    try:
        old = environment(python=sys.executable, cache=CACHE)
    except OracleUnavailable as e:
        pytest.skip(str(e))
    assert old.backfilled
    side = ServerSide(app, old)
    try:
        assert side.exchange(GET).data.endswith(b"hello")
    finally:
        side.close()
