"""The one table of ``tornado4 run --backfill``, and how each name is made.

What is *not* in it, because no name put back can help: syntax (``async`` and ``await`` became keywords,
so ``asyncio.async(...)`` is a SyntaxError: write ``asyncio.ensure_future``), arguments that are gone
(``json.loads(encoding=)``, ``open(mode="U")``, ``loop=``), methods of types written in C
(``array.tostring``, ``Element.getchildren``), and big modules which live on PyPI under a name of their
own (:data:`ELSEWHERE`). :data:`CHANGED` has what is still there and does something else.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One name of a module; ``"TestCase.assertEquals"`` lies in a class, ``""`` is the module itself."""

    module: str
    name: str
    gone: str
    """The first Python version without it."""
    instead: str
    """What stands in for it, and what new code should write."""
    make: Callable[[], Any]
    kind: str = "name"
    """``property`` can be set, too; ``hook`` is what the library itself looks up, and says nothing of it."""

    @property
    def title(self) -> str:
        """What the row is about, as one would write it: ``module.name``, or the module alone."""
        return f"{self.module}.{self.name}" if self.name else self.module


def _find(path: str) -> Any:
    """``"collections.abc:Mapping"`` -> the class; ``"threading"`` -> the module."""
    module_name, _, attributes = path.partition(":")
    found: Any = importlib.import_module(module_name)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def _same(module: str, name: str, gone: str, path: str) -> Row:
    """A name that has lived on elsewhere."""
    return Row(module, name, gone, path.replace(":", "."), partial(_find, path))


def _ours(module: str, name: str, gone: str, instead: str, function: str, kind: str = "name") -> Row:
    """A name that tornado4.migrate.stand_ins makes, or the module that is named before a colon."""
    path = function if ":" in function else f"stand_ins:{function}"
    return Row(module, name, gone, instead, partial(_find, f"tornado4.migrate.{path}"), kind)


def _made(module: str, gone: str, instead: str, function: str) -> Row:
    """A whole module that a function of tornado4.migrate.stand_ins makes."""
    return Row(module, "", gone, instead, lambda: _find(f"tornado4.migrate.stand_ins:{function}")())


_COLLECTIONS = (
    "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator Generator "
    "Reversible Sized Container Callable Collection Set MutableSet Mapping MutableMapping MappingView "
    "KeysView ItemsView ValuesView Sequence MutableSequence"
).split()

#: Former names of ``unittest.TestCase``'s methods, and today's; `check` and `fix` speak of them as well.
TEST_CASE = {
    "assert_": "assertTrue",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertEquals": "assertEqual",
    "assertItemsEqual": "assertCountEqual",
    "assertNotAlmostEquals": "assertNotAlmostEqual",
    "assertNotEquals": "assertNotEqual",
    "assertNotRegexpMatches": "assertNotRegex",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assertRegexpMatches": "assertRegex",
    "failIf": "assertFalse",
    "failIfAlmostEqual": "assertNotAlmostEqual",
    "failIfEqual": "assertNotEqual",
    "failUnless": "assertTrue",
    "failUnlessAlmostEqual": "assertAlmostEqual",
    "failUnlessEqual": "assertEqual",
    "failUnlessRaises": "assertRaises",
}

FIND_MODULE = _ours(
    "importlib.abc",
    "MetaPathFinder.find_module",
    "3.12",
    "find_spec. Finders without one, as in old copies of six, are asked by find_module",
    "finder_find_module",
)
"""Not only the method: what is on ``sys.meta_path`` and has no other is asked again; see the backfill's finder."""

TABLE: list[Row] = [
    *[_same("collections", name, "3.10", f"collections.abc:{name}") for name in _COLLECTIONS],
    *[
        _same("unittest", f"TestCase.{old}", "3.0" if old == "assertItemsEqual" else "3.12", f"unittest:TestCase.{new}")
        for old, new in TEST_CASE.items()
    ],
    _ours(
        "unittest",
        "TestCase.assertDictContainsSubset",
        "3.12",
        "assertLessEqual on the items()",
        "assert_dict_contains",
    ),
    _same("unittest", "_TextTestResult", "3.12", "unittest:TextTestResult"),
    _ours("unittest", "makeSuite", "3.13", "TestLoader.loadTestsFromTestCase", "make_suite"),
    _ours("unittest", "findTestCases", "3.13", "TestLoader.loadTestsFromModule", "find_test_cases"),
    _ours("unittest", "getTestCaseNames", "3.13", "TestLoader.getTestCaseNames", "get_test_case_names"),
    _ours("asyncio", "coroutine", "3.11", "async def (or tornado.gen.coroutine)", "coroutine"),
    _ours("inspect", "getargspec", "3.11", "inspect.getfullargspec or inspect.signature", "getargspec"),
    _ours("inspect", "ArgSpec", "3.11", "inspect.FullArgSpec", "ArgSpec"),
    _ours("inspect", "formatargspec", "3.11", "inspect.signature", "formatargspec"),
    _ours("time", "clock", "3.8", "time.process_time or time.perf_counter", "clock"),
    _same("base64", "encodestring", "3.9", "base64:encodebytes"),
    _same("base64", "decodestring", "3.9", "base64:decodebytes"),
    _same("fractions", "gcd", "3.9", "math:gcd"),
    _ours("platform", "linux_distribution", "3.8", "platform.freedesktop_os_release", "linux_distribution"),
    _ours("platform", "dist", "3.8", "platform.freedesktop_os_release", "dist"),
    _ours("html.parser", "HTMLParser.unescape", "3.9", "html.unescape", "html_parser_unescape"),
    _ours("html.parser", "HTMLParseError", "3.5", "nothing: the parser raises none", "HTMLParseError"),
    _same("threading", "Thread.isAlive", "3.9", "threading:Thread.is_alive"),
    _ours("sys", "setcheckinterval", "3.9", "sys.setswitchinterval", "setcheckinterval"),
    _ours("sys", "getcheckinterval", "3.9", "sys.getswitchinterval", "getcheckinterval"),
    _same("os", "errno", "3.7", "errno"),
    _same("configparser", "SafeConfigParser", "3.12", "configparser:ConfigParser"),
    _same("configparser", "RawConfigParser.readfp", "3.12", "configparser:RawConfigParser.read_file"),
    _ours("locale", "format", "3.12", "locale.format_string", "locale_format"),
    _ours("importlib", "find_loader", "3.12", "importlib.util.find_spec", "find_loader"),
    FIND_MODULE,
    _ours(
        "importlib.metadata",
        "EntryPoints.get",
        "3.12",
        "entry_points(group=...)",
        "entry_points_get",
    ),
    _ours("pkgutil", "find_loader", "3.14", "importlib.util.find_spec", "find_loader"),
    _ours("pkgutil", "get_loader", "3.14", "importlib.util.find_spec", "find_loader"),
    *[
        _ours("ast", name, "3.14", "ast.Constant", f"stand_in_ast:{name}")
        for name in ("Num", "Str", "Bytes", "NameConstant", "Ellipsis")
    ],
    _ours("ast", "Constant.n", "3.14", "ast.Constant.value", "stand_in_ast:constant_value", "property"),
    _ours("ast", "Constant.s", "3.14", "ast.Constant.value", "stand_in_ast:constant_value", "property"),
    _ours(
        "ast",
        "NodeVisitor.visit_Constant",
        "3.14",
        "a visit_Constant of one's own: visit_Num, visit_Str, ... are called again",
        "stand_in_ast:visit_constant",
        "hook",
    ),
    *[
        _ours("asyncio", name, "3.14", "nothing: loops wait for their children", "stand_in_children:ChildWatcher")
        for name in "AbstractChildWatcher FastChildWatcher MultiLoopChildWatcher PidfdChildWatcher".split()
    ],
    *[
        _ours("asyncio", name, "3.14", "nothing: loops wait for their children", "stand_in_children:ChildWatcher")
        for name in ("SafeChildWatcher", "ThreadedChildWatcher")
    ],
    *[
        _ours("asyncio", name, "3.14", "nothing: loops wait for their children", f"stand_in_children:{name}")
        for name in ("get_child_watcher", "set_child_watcher")
    ],
    _same("asyncio", "iscoroutinefunction", "3.16", "inspect:iscoroutinefunction"),
    *[
        _same("importlib.abc", name, "3.14", f"importlib.resources.abc:{name}")
        for name in ("ResourceReader", "Traversable", "TraversableResources")
    ],
    *[
        _ours("importlib.machinery", f"{loader}.load_module", "3.15", "importlib.util.module_from_spec", "load_module")
        for loader in ("SourceFileLoader", "SourcelessFileLoader", "ExtensionFileLoader")
    ],
    _ours("zipimport", "zipimporter.load_module", "3.15", "importlib.util.module_from_spec", "load_zipped_module"),
    _ours("pty", "master_open", "3.14", "pty.openpty", "master_open"),
    _ours("pty", "slave_open", "3.14", "pty.openpty", "slave_open"),
    _ours("sqlite3", "version", "3.14", "sqlite3.sqlite_version (this was another number)", "SQLITE_MODULE"),
    _ours("sqlite3", "version_info", "3.14", "sqlite3.sqlite_version_info", "SQLITE_MODULE_INFO"),
    _ours("urllib.request", "URLopener", "3.14", "urllib.request.urlopen", "stand_in_opener:URLopener"),
    _ours("urllib.request", "FancyURLopener", "3.14", "urllib.request.urlopen", "stand_in_opener:FancyURLopener"),
    _ours("glob", "glob0", "3.15", "os.path.lexists", "glob0"),
    _ours("glob", "glob1", "3.15", "glob.glob(root_dir=...)", "glob1"),
    _ours("pathlib", "PurePath.is_reserved", "3.15", "os.path.isreserved", "is_reserved"),
    _ours("platform", "java_ver", "3.15", "nothing: it was for Jython", "java_ver"),
    _same("sre_compile", "", "3.15", "re._compiler"),
    _same("sre_constants", "", "3.15", "re._constants"),
    _same("sre_parse", "", "3.15", "re._parser"),
    _same("shutil", "ExecError", "3.16", "builtins:RuntimeError"),
    _ours("ssl", "wrap_socket", "3.12", "ssl.SSLContext.wrap_socket", "wrap_socket"),
    _same("ssl", "match_hostname", "3.12", "tornado4.netutil:ssl_match_hostname"),
    _same("ssl", "RAND_pseudo_bytes", "3.12", "ssl:RAND_bytes"),
    _ours("cgi", "escape", "3.8", "html.escape", "cgi_escape"),
    _same("cgi", "parse_qs", "3.8", "urllib.parse:parse_qs"),
    _same("cgi", "parse_qsl", "3.8", "urllib.parse:parse_qsl"),
    _made("cgi", "3.13", "only escape, parse_header, parse_qs, parse_qsl; all: legacy-cgi", "cgi_module"),
    _made("pipes", "3.13", "shlex.quote (only quote)", "pipes_module"),
    _made("imp", "3.12", "importlib", "imp_module"),
    _same("dummy_threading", "", "3.9", "threading"),
]

CHANGED: list[Row] = [
    _ours(
        "asyncio",
        "get_event_loop",
        "3.14",
        "asyncio.run or IOLoop.current(): it makes a loop for the main thread again, where there is none",
        "get_event_loop",
    ),
]
"""Functions that are there and do less: ``make`` gives what is put around the one of the library."""

ELSEWHERE = {
    "asyncore": "pyasyncore",
    "asynchat": "pyasynchat",
    "cgi (FieldStorage)": "legacy-cgi",
    "distutils": "setuptools",
    "telnetlib": "standard-telnetlib",
    "crypt": "legacycrypt",
}
"""Modules that are gone -> the distribution that has them still: install it beside tornado4."""


def markdown() -> str:
    """The table as docs/deviations.md shows it."""
    lines = ["| name | gone since | what stands in, and what to write today |", "|---|---|---|"]
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for row in TABLE:
        instead = row.instead
        for prefix in ("collections.abc.", "unittest.TestCase."):
            if instead.startswith(prefix):
                instead = prefix + "*" if prefix.startswith("coll") else "today's spelling"
        grouped.setdefault((row.module, row.gone, instead), []).append(row.title)
    for (_, gone, instead), titles in grouped.items():
        lines.append(f"| {', '.join(f'`{title}`' for title in titles)} | {gone} | {instead} |")
    lines += [f"| `{row.title}` (it does less) | {row.gone} | {row.instead} |" for row in CHANGED]
    return "\n".join(lines)


def row_of(error: AttributeError | ImportError | RuntimeError) -> Row | None:
    """The row of the name that an error misses: an attribute of a module or class, an import, a module, a loop."""
    if isinstance(error, RuntimeError):
        no_loop = str(error).startswith("There is no current event loop") and sys.version_info >= (3, 14)
        return CHANGED[0] if no_loop else None
    if isinstance(error, AttributeError):
        owner = error.obj if isinstance(error.obj, (type, ModuleType)) else type(error.obj)
        if isinstance(owner, type):
            # A class of a package's inner module: unittest.case.TestCase is unittest.TestCase to the table.
            modules = {(kind.__module__, kind) for kind in owner.__mro__}
            modules |= {(module.partition(".")[0], kind) for module, kind in modules}
            return _row({f"{module}.{kind.__qualname__}.{error.name}" for module, kind in modules})
        return _row({f"{owner.__name__}.{error.name}"})
    if isinstance(error, ModuleNotFoundError):
        return _row({error.name or ""})
    return row_in(str(error))


def row_in(text: str) -> Row | None:
    """The row of the name that a traceback's text misses, where the error itself was in another process."""
    for found in _MISSING.finditer(text):
        title = found["alone"] or f"{found['module'] or found['owner']}.{found['name'] or found['attribute']}"
        # Interpreters name a class without its module.
        if row := _row({title, *(row.title for row in TABLE if "." in row.name and row.name == title)}):
            return row
    return None


_MISSING = re.compile(
    r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'|"
    r"(?:module|type object)? ?'(?P<owner>[\w.]+)' (?:object )?has no attribute '(?P<attribute>\w+)'|"
    r"No module named '(?P<alone>[\w.]+)'"
)


def _row(titles: set[str]) -> Row | None:
    return next((row for row in TABLE if row.title in titles), None)
