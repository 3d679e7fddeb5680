"""`tornado4 run --backfill`: the table, name by name, and what it leaves alone."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.metadata
import sys
import textwrap
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from programs import python, tornado4_run

from tornado4.migrate import backfill, stand_ins
from tornado4.migrate.backfill_table import ELSEWHERE, TABLE, Row, row_in


def title(row: Row) -> str:
    return row.title


def lookup(row: Row) -> object:
    value: object = importlib.import_module(row.module)
    for name in filter(None, row.name.split(".")):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("row", TABLE, ids=title)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_name_is_there_with_it_and_gone_after(row: Row) -> None:
    def present() -> bool:
        try:
            lookup(row)
        except (ImportError, AttributeError):
            return False
        return True

    before = present()
    with backfill.installed():
        assert lookup(row) is not None
    assert present() == before


def test_each_version_is_the_one_that_lost_the_name() -> None:
    """In a process of its own: here, other tests have put names back and taken them away."""
    said = python(
        "-W",
        "ignore",
        "-c",
        textwrap.dedent(
            """
            import importlib, sys
            from tornado4.migrate.backfill_table import TABLE
            for row in TABLE:
                gone = tuple(map(int, row.gone.split(".")))
                try:
                    value = importlib.import_module(row.module)
                    for name in filter(None, row.name.split(".")):
                        value = getattr(value, name)
                    if sys.version_info >= gone:
                        print(row.title, "is there")
                except (ImportError, AttributeError):
                    if sys.version_info < gone:
                        print(row.title, "is not there")
            """
        ),
    ).stdout
    # The dictionary that 3.11 gave had it, not the class of this name.
    assert said in ("", "importlib.metadata.EntryPoints.get is not there\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ImportError: cannot import name 'Mapping' from 'collections' (/x/__init__.py)", "collections.Mapping"),
        ("AttributeError: module 'time' has no attribute 'clock'", "time.clock"),
        ("AttributeError: 'T' object has no attribute 'assertEquals'", None),
        ("AttributeError: 'Thread' object has no attribute 'isAlive'", "threading.Thread.isAlive"),
        ("AttributeError: type object 'TestCase' has no attribute 'failIf'", "unittest.TestCase.failIf"),
        ("ModuleNotFoundError: No module named 'imp'", "imp"),
        ("ModuleNotFoundError: No module named 'nowhere'", None),
    ],
)
def test_the_text_of_a_traceback_tells_the_row(text: str, name: str | None) -> None:
    row = row_in("Traceback (most recent call last):\n" + text)
    assert (row.title if row else None) == name


def test_titles_are_unique_and_versions_are_versions() -> None:
    titles = [row.title for row in TABLE]
    assert len(set(titles)) == len(titles)
    assert all(row.gone.startswith("3.") and row.gone[2:].isdigit() and row.instead for row in TABLE)
    assert not {row.module for row in TABLE if not row.name} & set(ELSEWHERE)


def test_nothing_is_put_back_unasked(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("from collections import MutableMapping")
    done = tornado4_run("old.py", cwd=tmp_path, code=1)
    assert "cannot import name 'MutableMapping' from 'collections'" in done.stderr


def test_verbose_names_what_was_used_and_where(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(
        "import time\nfrom collections import Mapping, Mapping as M\ntime.clock()\ntime.clock\n"
    )
    done = tornado4_run("--backfill", "--verbose", "old.py", cwd=tmp_path)
    path = tmp_path / "old.py"
    assert done.stderr.splitlines() == [
        f"tornado4: backfilled collections.Mapping (gone since Python 3.10) for {path}:2",
        f"tornado4: backfilled time.clock (gone since Python 3.8) for {path}:3",
    ]
    assert tornado4_run("--backfill", "old.py", cwd=tmp_path).stderr == ""


def test_modules_imported_later_are_filled_then() -> None:
    python(
        "-c",
        textwrap.dedent(
            """
            import sys
            from tornado4.migrate import backfill
            assert "unittest" not in sys.modules
            with backfill.installed():
                import unittest, configparser
                assert unittest.__spec__.loader is unittest.__loader__
                assert type(unittest.__loader__).__name__ == "SourceFileLoader"
                class Test(unittest.TestCase):
                    def runTest(self):
                        self.assertEquals(1, 1)
                        self.assertItemsEqual([2, 1], [1, 2])
                        with self.assertRaises(AssertionError):
                            self.assertDictContainsSubset({"a": 1}, {"a": 2})
                        self.assertDictContainsSubset({"a": 1}, {"a": 1, "b": 2})
                import warnings
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # 3.11 has them still, and warns
                    result = Test().run()
                assert result.wasSuccessful(), result
                # the module's own __getattr__ goes on
                assert unittest.IsolatedAsyncioTestCase
            """
        ),
    )


def test_other_names_fail_as_before() -> None:
    import collections

    with pytest.raises(AttributeError) as plain:
        collections.Nothing  # noqa: B018
    with backfill.installed(), pytest.raises(AttributeError) as filled:
        collections.Nothing  # noqa: B018
    assert str(filled.value) == str(plain.value)
    assert (filled.value.name, filled.value.obj) == (plain.value.name, plain.value.obj)


def test_a_name_that_the_interpreter_has_is_not_touched() -> None:
    import collections
    import threading

    ordered, start = collections.OrderedDict, threading.Thread.start
    with backfill.installed():
        assert collections.OrderedDict is ordered and threading.Thread.start is start
        assert threading.Thread(target=print).isAlive() is False  # type: ignore[attr-defined]


def test_c_element_tree_is_the_element_tree() -> None:
    import xml.etree.ElementTree as modern

    with backfill.installed():
        old = importlib.import_module("xml.etree.cElementTree")
        assert old.fromstring("<a><b/></a>").tag == "a"
        assert sys.version_info >= (3, 9) and modern.__spec__.name == "xml.etree.ElementTree"


def test_children_of_multiprocessing_have_it_too(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(
        textwrap.dedent(
            """
            import multiprocessing
            from collections import Mapping
            def work(): import tornado.util, time; time.clock()
            if __name__ == "__main__":
                child = multiprocessing.get_context("spawn").Process(target=work)
                child.start(); child.join(); raise SystemExit(child.exitcode)
            """
        )
    )
    tornado4_run("--backfill", "old.py", cwd=tmp_path)


# ---------------------------------------------------------------------------------------------------------
# The stand-ins


def test_old_coroutines_in_asyncio_and_in_each_other() -> None:
    import asyncio

    @stand_ins.coroutine
    def inner(value: int):  # type: ignore[no-untyped-def]
        yield from asyncio.sleep(0).__await__()
        return value

    @stand_ins.coroutine
    def plain():  # type: ignore[no-untyped-def]
        return inner(2)

    @stand_ins.coroutine
    def outer():  # type: ignore[no-untyped-def]
        first = yield from inner(1)
        second = yield from plain()
        return first + second

    async def modern() -> int:
        task = asyncio.create_task(outer())
        return await task + await outer()

    assert asyncio.run(modern()) == 6

    def bare_generator():  # type: ignore[no-untyped-def]
        return (yield from outer())

    with pytest.raises(StopIteration):
        generator = bare_generator()
        while True:
            generator.send(None)


def test_old_coroutines_are_yielded_in_tornado_coroutines() -> None:
    from tornado4 import gen
    from tornado4.ioloop import IOLoop

    @stand_ins.coroutine
    def inner():  # type: ignore[no-untyped-def]
        return 5

    @gen.coroutine
    def outer():  # type: ignore[no-untyped-def]
        value = yield inner()
        raise gen.Return(value + 1)

    loop = IOLoop()
    loop.make_current()
    try:
        assert loop.run_sync(outer) == 6
    finally:
        IOLoop.clear_current()
        loop.close(all_fds=True)


def test_getargspec_and_its_refusal() -> None:
    def old(a: int, b: int = 1, *c: int, **d: int) -> None: ...
    def new(a: int, *, b: int) -> None: ...

    assert stand_ins.getargspec(old) == (["a", "b"], "c", "d", (1,))
    assert stand_ins.formatargspec(*stand_ins.getargspec(old)) == "(a, b=1, *c, **d)"
    with pytest.raises(ValueError, match="keyword-only"):
        stand_ins.getargspec(new)


def test_cgi() -> None:
    cgi = stand_ins.cgi_module()
    assert cgi.escape('<a href="x">&') == '&lt;a href="x"&gt;&amp;'
    assert cgi.escape('"', True) == "&quot;"
    assert cgi.parse_header('form-data; name="a b"; filename="x;y.txt"') == (
        "form-data",
        {"name": "a b", "filename": "x;y.txt"},
    )
    assert cgi.parse_header("text/html") == ("text/html", {})
    assert cgi.parse_qs("a=1&a=2") == {"a": ["1", "2"]}


def test_imp_makes_finds_loads_and_reloads(tmp_path: Path) -> None:
    from tornado4.migrate import stand_in_imp as imp

    source = tmp_path / "thing_for_imp.py"
    source.write_text("value = 1\ncount = globals().get('count', 0) + 1\n")
    try:
        file, path, details = imp.find_module("thing_for_imp", [str(tmp_path)])
        assert file is not None and path == str(source) and details == (".py", "r", imp.PY_SOURCE)
        with file:
            module = imp.load_module("thing_for_imp", file, path, details)
        assert module.value == 1 and sys.modules["thing_for_imp"] is module
        assert imp.load_source("thing_for_imp", str(source)) is module and module.count == 2
    finally:
        sys.modules.pop("thing_for_imp", None)
    with pytest.raises(ImportError, match="No module named 'thing_that_is_not'"):
        imp.find_module("thing_that_is_not", [str(tmp_path)])
    assert imp.new_module("x").__name__ == "x"
    assert imp.find_module("sys") == (None, None, ("", "", imp.C_BUILTIN))


OLD_FINDER = """
import sys, types

class Moves:
    # As six before 1.16, which old packages carry along, luigi.six say: it knows PEP 302 alone.
    known = {"old.moves": types.ModuleType("old.moves"), "old.moves.parse": "urllib.parse"}
    asked = []

    def find_module(self, fullname, path=None):
        self.asked.append(fullname)
        return self if fullname in self.known else None

    def load_module(self, fullname):
        if fullname in sys.modules:
            return sys.modules[fullname]
        module = self.known[fullname]
        if isinstance(module, str):
            module = __import__(module, fromlist=["x"])
        else:
            module.__path__ = []
            module.__loader__ = self
        sys.modules[fullname] = module
        return module

sys.meta_path.append(Moves())
sys.modules["old"] = types.ModuleType("old")
sys.modules["old"].__path__ = []

import urllib.parse
from old.moves.parse import quote
import old.moves, old.moves.parse
assert quote("&") == "%26" and old.moves.parse is urllib.parse
assert urllib.parse.__spec__.name == "urllib.parse" and old.moves.__spec__.name == "old.moves"
try:
    import old.moves.nothing
except ModuleNotFoundError as error:
    assert error.name == "old.moves.nothing"
else:
    raise AssertionError
assert Moves.asked == ["old.moves", "old.moves.parse", "old.moves.nothing"], Moves.asked
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python asks them itself")
def test_finders_of_the_old_protocol_are_asked_again(tmp_path: Path) -> None:
    (tmp_path / "old_finder.py").write_text(OLD_FINDER)
    done = tornado4_run("--backfill", "--verbose", "old_finder.py", cwd=tmp_path)
    line = 1 + OLD_FINDER[: OLD_FINDER.index("from old.moves.parse")].count("\n")
    assert done.stderr == (
        "tornado4: backfilled importlib.abc.MetaPathFinder.find_module (gone since Python 3.12) "
        f"for {tmp_path / 'old_finder.py'}:{line}\n"
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_find_module_of_a_finder_that_has_find_spec() -> None:
    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
            return ModuleSpec(fullname, self) if fullname == "known" else None  # type: ignore[arg-type]

    with backfill.installed():
        finder: Any = Finder()
        assert finder.find_module("known", None) is finder
        assert finder.find_module("unknown", None) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_groups_of_entry_points_as_kombu_asks_for_them() -> None:
    with backfill.installed():
        found: Any = importlib.metadata.entry_points()
        assert [point.name for point in found.get("pytest11", []) if point.name.startswith("tornado4.")]
        assert found.get("no.such.group", []) == [] and found.get("no.such.group") is None


def test_wrap_socket_refuses_a_server_without_certificate() -> None:
    import socket

    with socket.socket() as sock, pytest.raises(ValueError, match="certfile must be specified"):
        stand_ins.wrap_socket(sock, server_side=True)
    with socket.socket() as sock, stand_ins.wrap_socket(sock, do_handshake_on_connect=False) as wrapped:
        assert wrapped.context.check_hostname is False


def test_time_platform_sys_locale() -> None:
    assert stand_ins.clock() >= 0
    assert len(stand_ins.linux_distribution()) == len(stand_ins.dist()) == 3
    assert stand_ins.getcheckinterval() == 100
    assert stand_ins.locale_format("%.1f", 2.25) == "2.2"
    assert stand_ins.find_loader("tornado4") is not None and stand_ins.find_loader("no_such_module") is None
    assert stand_ins.html_parser_unescape(None, "&lt;") == "<"
