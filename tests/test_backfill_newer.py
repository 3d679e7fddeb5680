"""What Python 3.14 to 3.16 drop: each test runs on the library's own, where it is there yet, and on the back-fill's."""

from __future__ import annotations

import ast
import asyncio
import glob
import http.server
import importlib.machinery
import importlib.util
import ntpath
import os
import pathlib
import platform
import subprocess
import sys
import textwrap
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tornado4.migrate import backfill, stand_in_ast, stand_in_children, stand_in_opener, stand_ins
from tornado4.migrate.backfill_table import CHANGED, Row, row_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def both(library: Any, name: str, ours: Any) -> Any:
    """The library's own and ours, as parameters of a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        real = getattr(library, name, None)
    gone = pytest.mark.skipif(real is None, reason="this Python has it no more")
    return pytest.mark.parametrize(name, [pytest.param(real, marks=gone, id="library"), pytest.param(ours, id="ours")])


# ---------------------------------------------------------------------------------------------------------
# ast

VALUES = [1, 2.5, 3j, True, None, "text", b"bytes", ...]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_constants_are_instances_of_the_former_classes(value: object) -> None:
    node = ast.parse(repr(value) if value is not ... else "...", mode="eval").body
    for name in ("Num", "Str", "Bytes", "NameConstant", "Ellipsis"):
        ours = isinstance(node, getattr(stand_in_ast, name))
        assert ours is isinstance(node, getattr(ast, name)) if sys.version_info < (3, 14) else True
        assert not isinstance(ast.Name("x"), getattr(stand_in_ast, name))


@both(ast, "Str", stand_in_ast.Str)
def test_a_former_class_makes_a_constant(Str: Any) -> None:
    for node in (Str("a"), Str(s="a")):
        assert type(node) is ast.Constant and node.value == "a" and isinstance(node, Str)


@both(ast, "Ellipsis", stand_in_ast.Ellipsis)
def test_an_ellipsis_is_made_without_a_value(Ellipsis: Any) -> None:
    assert Ellipsis().value is ... and isinstance(Ellipsis(), Ellipsis)


@both(ast, "Num", stand_in_ast.Num)
def test_a_number_can_be_evaluated(Num: Any) -> None:
    tree = ast.fix_missing_locations(ast.Expression(ast.BinOp(Num(n=2), ast.Add(), Num(3))))
    assert eval(compile(tree, "x", "eval")) == 5


@both(ast.NodeVisitor, "visit_Constant", stand_in_ast.visit_constant)
def test_visitors_of_former_classes_are_asked(visit_Constant: Any) -> None:
    seen = []

    class Visitor(ast.NodeVisitor):
        def visit_Num(self, node: Any) -> None:
            seen.append(("num", node.value))

        def visit_Str(self, node: Any) -> None:
            seen.append(("str", node.value))

        def visit_NameConstant(self, node: Any) -> None:
            seen.append(("name", node.value))

    Visitor.visit_Constant = visit_Constant
    Visitor().visit(ast.parse("[1, 'a', True, b'untold', ...]"))
    assert seen == [("num", 1), ("str", "a"), ("name", True)]


def test_n_and_s_can_be_read_and_set() -> None:
    class Constant(ast.Constant):
        s = stand_in_ast.constant_value

    node = Constant("a")
    node.s += "b"
    assert node.value == node.s == "ab"


# ---------------------------------------------------------------------------------------------------------
# asyncio


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to wait for")
@both(asyncio, "ThreadedChildWatcher", stand_in_children.ChildWatcher)
def test_a_watcher_calls_when_a_child_ends(ThreadedChildWatcher: Any) -> None:
    async def main() -> Any:
        told = asyncio.get_running_loop().create_future()
        child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        with ThreadedChildWatcher() as watcher:
            watcher.attach_loop(None)
            assert watcher.is_active()
            watcher.add_child_handler(child.pid, lambda *args: told.set_result(args), "x")
            pid, *more = await told
        child.returncode = 3  # the watcher has waited for it
        return [pid == child.pid, *more]

    assert asyncio.run(main()) == [True, 3, "x"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to wait for")
def test_a_watcher_calls_in_a_thread_where_no_loop_runs() -> None:
    done = threading.Event()
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    stand_in_children.ChildWatcher().add_child_handler(child.pid, lambda *args: done.set())
    assert done.wait(60)
    child.returncode = 3


def test_the_watcher_that_is_set_is_the_one_that_is_got(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in_children, "_watcher", stand_in_children.get_child_watcher())
    mine = stand_in_children.ChildWatcher()
    stand_in_children.set_child_watcher(mine)
    assert stand_in_children.get_child_watcher() is mine
    assert not mine.remove_child_handler(1)


def test_get_event_loop_makes_a_loop_for_the_main_thread_alone() -> None:
    told = []

    def original() -> Any:
        raise RuntimeError("There is no current event loop in thread 'MainThread'.")

    get_event_loop = stand_ins.get_event_loop(original, lambda: told.append("told"))
    loop = get_event_loop()
    try:
        assert asyncio.get_event_loop() is loop and told == ["told"]
        failed = []

        def elsewhere() -> None:
            with pytest.raises(RuntimeError, match="no current event loop"):
                get_event_loop()
            failed.append(True)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert failed
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert stand_ins.get_event_loop(lambda: "there", told.clear)() == "there" and told == ["told"]


def test_what_does_less_is_put_back_where_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = CHANGED
    now = Row(row.module, row.name, "3.0", row.instead, row.make)
    monkeypatch.setattr(backfill, "CHANGED", [now if sys.version_info < (3, 14) else row])
    before = asyncio.get_event_loop
    with backfill.installed():
        assert asyncio.get_event_loop is not before and asyncio.get_event_loop.__name__ == "get_event_loop"
    assert asyncio.get_event_loop is before


def test_a_traceback_that_misses_a_loop_tells_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    error = RuntimeError("There is no current event loop in thread 'MainThread'.")
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert row_of(error) is CHANGED[0] and row_of(RuntimeError("other")) is None
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert row_of(error) is None


# ---------------------------------------------------------------------------------------------------------
# Loading

_LOADERS = importlib.machinery.SourceFileLoader


@both(_LOADERS, "load_module", stand_ins.load_module)
def test_a_loader_loads_and_reloads(load_module: Any, tmp_path: Path) -> None:
    path = tmp_path / "loaded_by_file.py"
    path.write_text("count = globals().get('count', 0) + 1")
    loader = _LOADERS("loaded_by_file", str(path))
    try:
        module = load_module(loader)
        assert module.count == 1 and sys.modules["loaded_by_file"] is module and module.__file__ == str(path)
        assert load_module(loader, "loaded_by_file") is module and module.count == 2
    finally:
        sys.modules.pop("loaded_by_file", None)
    with pytest.raises(ImportError, match="cannot handle"):
        load_module(loader, "other")


def test_a_module_that_fails_to_load_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "fails_to_load.py").write_text("1 / 0")
    loader = _LOADERS("fails_to_load", str(tmp_path / "fails_to_load.py"))
    with pytest.raises(ZeroDivisionError):
        stand_ins.load_module(loader)
    assert "fails_to_load" not in sys.modules


# ---------------------------------------------------------------------------------------------------------
# Files, terminals, machines


@both(glob, "glob0", stand_ins.glob0)
def test_glob0(glob0: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert glob0(str(tmp_path), "a.txt") == ["a.txt"] and glob0(str(tmp_path), "b") == []


@both(glob, "glob1", stand_ins.glob1)
def test_glob1(glob1: Any, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", ".c.txt", "d"):
        (tmp_path / name).touch()
    assert sorted(glob1(str(tmp_path), "*.txt")) == ["a.txt", "b.txt"]
    assert glob1(str(tmp_path), ".*") == [".c.txt"] and glob1(str(tmp_path / "none"), "*") == []


@both(platform, "java_ver", stand_ins.java_ver)
def test_java_ver(java_ver: Any) -> None:
    assert java_ver() == ("", "", ("", "", ""), ("", "", ""))


@both(pathlib.PurePath, "is_reserved", stand_ins.is_reserved)
@pytest.mark.skipif(not hasattr(ntpath, "isreserved"), reason="needs no back-fill here, which would stand on this")
def test_is_reserved(is_reserved: Any) -> None:
    assert is_reserved(pathlib.PureWindowsPath("C:/x/nul.txt")) and not is_reserved(pathlib.PureWindowsPath("C:/x"))
    assert not is_reserved(pathlib.PurePosixPath("/nul"))


def test_pseudo_terminals() -> None:
    pytest.importorskip("pty")
    if not hasattr(os, "openpty"):
        pytest.skip("no pseudo-terminals here")
    master, name = stand_ins.master_open()
    slave = stand_ins.slave_open(name)
    os.write(slave, b"x")
    assert os.read(master, 1) == b"x" and os.isatty(slave)
    os.close(slave)
    os.close(master)


# ---------------------------------------------------------------------------------------------------------
# urllib


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["User-Agent"].encode() if self.path == "/agent" else self.path.encode()
        self.send_response({"/moved": 302, "/lost": 404}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "/agent")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library, after a redirect
@both(urllib.request, "FancyURLopener", stand_in_opener.FancyURLopener)
def test_a_fancy_opener(FancyURLopener: Any, address: str, tmp_path: Path) -> None:
    class Mine(FancyURLopener):  # type: ignore[misc]
        version = "Mozilla/5.0"

    opener = Mine({})
    with opener.open(address + "/moved") as answer:
        assert answer.read() == b"Mozilla/5.0" and answer.getcode() == 200
    with opener.open(address + "/", b"abc") as answer:
        assert answer.read() == b"cba"
    told: list[Any] = []
    name, headers = opener.retrieve(address + "/file", str(tmp_path / "f"), lambda *args: told.append(args))
    assert Path(name).read_bytes() == b"/file" and headers["Content-Length"] == "5"
    assert told[0] == (0, 8192, 5) and told[1] == (1, 8192, 5)
    name, _ = opener.retrieve(address + "/file")
    assert Path(name).read_bytes() == b"/file"
    opener.close()
    assert not os.path.exists(name)


@both(urllib.request, "URLopener", stand_in_opener.URLopener)
def test_a_plain_opener(URLopener: Any, address: str) -> None:
    opener = URLopener({})
    opener.addheader("X-More", "1")
    with opener.open(address + "/agent") as answer:
        assert answer.read().startswith(b"Python-urllib/")


def test_what_is_no_success_is_an_error(address: str) -> None:
    """As in the library, whose own response complained when it was collected, on Python 3.13."""
    opener = stand_in_opener.URLopener({})
    for path, code in (("/moved", 302), ("/lost", 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(address + path)
        assert caught.value.code == code
        caught.value.close()


def test_answers_of_a_failure_can_be_read(address: str) -> None:
    """The library's own were closed, in the end: nobody held the response."""

    class Mine(stand_in_opener.URLopener):
        def http_error_404(self, url: str, fp: Any, errcode: int, errmsg: str, headers: Any) -> Any:
            return fp

    with Mine({}).open(address + "/lost") as answer:
        assert answer.read() == b"/lost"
    with stand_in_opener.FancyURLopener({}).open(address + "/lost") as answer:
        assert answer.read() == b"/lost" and answer.getcode() == 404


# ---------------------------------------------------------------------------------------------------------
# A program of the time

PROGRAM = """
    import ast, asyncio, importlib.machinery, pkgutil, shutil, sre_constants, sqlite3
    from urllib.request import FancyURLopener

    loop = asyncio.get_event_loop()
    asyncio.get_child_watcher().attach_loop(loop)

    class Literals(ast.NodeVisitor):
        found = ()
        def visit_Str(self, node):
            self.found += (node.s,)

    literals = Literals()
    literals.visit(ast.parse("f('a', 1, 'b')"))
    print(literals.found, isinstance(ast.parse("1", mode="eval").body, ast.Num), ast.Num(7).n)
    print(pkgutil.find_loader("json") is not None, sqlite3.version, shutil.ExecError.__name__)
    print(asyncio.iscoroutinefunction(lambda: None), loop.is_running())
    loop.close()
"""


def run_program() -> list[str]:
    """In this process: its prints, as lines."""
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(textwrap.dedent(PROGRAM), "program", "exec"), {"__name__": "program"})
    return said.getvalue().splitlines()


def test_a_program_of_the_time_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.set_event_loop_policy(None) if sys.version_info < (3, 14) else None
    with backfill.installed():
        lines = run_program()
    asyncio.set_event_loop(None)
    error = "RuntimeError" if sys.version_info >= (3, 16) else lines[1].rpartition(" ")[2]
    assert lines == ["('a', 'b') True 7", f"True 2.6.0 {error}", "False False"]
