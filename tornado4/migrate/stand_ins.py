"""What the backfill table puts in place of functions that have no namesake left.

Each does what programs of Tornado 4's time ask of it, on today's standard library; imported on first use
only.
"""

from __future__ import annotations

import functools
import html
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any, NamedTuple

__all__ = [
    "SQLITE_MODULE",
    "SQLITE_MODULE_INFO",
    "ArgSpec",
    "HTMLParseError",
    "assert_dict_contains",
    "cgi_escape",
    "clock",
    "coroutine",
    "dist",
    "entry_points_get",
    "find_loader",
    "find_test_cases",
    "finder_find_module",
    "formatargspec",
    "get_event_loop",
    "get_test_case_names",
    "getargspec",
    "getcheckinterval",
    "glob0",
    "glob1",
    "html_parser_unescape",
    "is_reserved",
    "java_ver",
    "linux_distribution",
    "load_module",
    "load_zipped_module",
    "locale_format",
    "make_suite",
    "master_open",
    "setcheckinterval",
    "slave_open",
    "wrap_socket",
]

# ---------------------------------------------------------------------------------------------------------
# asyncio, inspect


class _OldCoroutine(Coroutine[Any, Any, Any]):
    """A generator that is a coroutine for ``await`` and asyncio, and still iterable for ``yield from``.

    Current asyncio takes no bare generator for a coroutine, and a native coroutine cannot be iterated;
    programs of the time do both with what ``asyncio.coroutine`` returns.
    """

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __iter__(self) -> Any:
        return self._generator

    def __await__(self) -> Generator[Any, Any, Any]:
        # In a generator of its own: await refuses one that types.coroutine has marked.
        return (yield from self._generator)

    def send(self, value: Any) -> Any:
        return self._generator.send(value)

    def throw(self, *error: Any) -> Any:
        return self._generator.throw(*error)

    def close(self) -> None:
        self._generator.close()


def coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    """``asyncio.coroutine``: a generator function, or a plain one, whose calls can be awaited."""
    if inspect.iscoroutinefunction(function):
        return function
    if inspect.isgeneratorfunction(function):
        start: Callable[..., Any] = types.coroutine(function)
    else:
        start = types.coroutine(functools.partial(_call_and_wait, function))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _OldCoroutine(start(*args, **kwargs))

    return call


def _call_and_wait(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
    result = function(*args, **kwargs)
    if inspect.isgenerator(result):
        result = yield from result
    elif inspect.isawaitable(result):
        result = yield from result.__await__()
    return result


class ArgSpec(NamedTuple):
    """What :func:`getargspec` returns."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(function: Any) -> ArgSpec:
    """``inspect.getargspec``. Raises ValueError for keyword-only arguments, as it always did."""
    full = inspect.getfullargspec(function)
    if full.kwonlyargs:
        raise ValueError("getargspec knows no keyword-only arguments: use inspect.getfullargspec")
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


def formatargspec(
    args: list[str],
    varargs: str | None = None,
    varkw: str | None = None,
    defaults: tuple[Any, ...] | None = None,
    *_unused: Any,
    formatvalue: Callable[[Any], str] = lambda value: "=" + repr(value),
) -> str:
    """``inspect.formatargspec`` without annotations and keyword-only arguments: ``(a, b=1, *c, **d)``."""
    first_default = len(args) - len(defaults or ())
    parts = [
        name + (formatvalue(defaults[index - first_default]) if defaults and index >= first_default else "")
        for index, name in enumerate(args)
    ]
    if varargs:
        parts.append("*" + varargs)
    if varkw:
        parts.append("**" + varkw)
    return "(" + ", ".join(parts) + ")"


# ---------------------------------------------------------------------------------------------------------
# time, sys, platform, locale, importlib


def clock() -> float:
    """``time.clock``: processor seconds (on Windows: seconds since some moment)."""
    import time

    return time.perf_counter() if sys.platform == "win32" else time.process_time()


def setcheckinterval(interval: int) -> None:
    """``sys.setcheckinterval``: without effect since Python 3.2, and here."""


def getcheckinterval() -> int:
    """``sys.getcheckinterval``: the value that it was never changed from."""
    return 100


def linux_distribution(*_unused: Any, **_unused_too: Any) -> tuple[str, str, str]:
    """``platform.linux_distribution``: (name, version, code name) of os-release, or empty."""
    import platform

    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", "", ""
    return release.get("NAME", ""), release.get("VERSION_ID", ""), release.get("VERSION_CODENAME", "")


def dist(*_unused: Any, **_unused_too: Any) -> tuple[str, str, str]:
    """``platform.dist``: as :func:`linux_distribution`, with the short name."""
    import platform

    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", "", ""
    return release.get("ID", ""), release.get("VERSION_ID", ""), release.get("VERSION_CODENAME", "")


def locale_format(
    percent: str, value: Any, grouping: bool = False, monetary: bool = False, *extra: Any
) -> str:
    """``locale.format``: one value through one percent directive."""
    import locale

    return locale.format_string(percent, (value, *extra), grouping, monetary)


def find_loader(name: str, path: Any = None) -> Any:
    """``importlib.find_loader``, ``pkgutil.find_loader``, ``pkgutil.get_loader``: the loader, or None."""
    spec = importlib.util.find_spec(name)
    return None if spec is None else spec.loader


def finder_find_module(self: Any, fullname: str, path: Any = None) -> Any:
    """``MetaPathFinder.find_module``: the loader that ``find_spec`` finds, or None."""
    spec = self.find_spec(fullname, path) if hasattr(self, "find_spec") else None
    return None if spec is None else spec.loader


def entry_points_get(self: Any, group: str, default: Any = None) -> Any:
    """``importlib.metadata.entry_points().get``: they were a dictionary of groups."""
    return self.select(group=group) if group in self.groups else default


# ---------------------------------------------------------------------------------------------------------
# html, cgi, pipes


def html_parser_unescape(self: Any, text: str) -> str:
    """``HTMLParser.unescape``."""
    return html.unescape(text)


class HTMLParseError(Exception):
    """``html.parser.HTMLParseError``, for those who want to catch it. Nothing raises it."""


def cgi_escape(s: str, quote: bool = False) -> str:
    """``cgi.escape``: ``&``, ``<`` and ``>``; the double quote when asked."""
    escaped = html.escape(s, quote=False)
    return escaped.replace('"', "&quot;") if quote else escaped


def _parse_header(line: str) -> tuple[str, dict[str, str]]:
    """``cgi.parse_header``: ``'text/html; charset=x'`` -> ``('text/html', {'charset': 'x'})``."""
    from email.message import Message

    message = Message()
    message["content-type"] = line
    (main, _), *parameters = message.get_params(failobj=[("", "")])
    return main, {name.lower(): value for name, value in parameters}


def cgi_module() -> types.ModuleType:
    """``cgi``: the functions that programs used apart from CGI scripts."""
    from urllib import parse

    module = types.ModuleType("cgi", "Made by tornado4's backfill.")
    vars(module).update(
        escape=cgi_escape, parse_header=_parse_header, parse_qs=parse.parse_qs, parse_qsl=parse.parse_qsl
    )
    return module


def pipes_module() -> types.ModuleType:
    """``pipes``: ``quote``."""
    import shlex

    module = types.ModuleType("pipes", "Made by tornado4's backfill.")
    vars(module).update(quote=shlex.quote)
    return module


# ---------------------------------------------------------------------------------------------------------
# unittest


def assert_dict_contains(
    self: Any, subset: Mapping[Any, Any], dictionary: Mapping[Any, Any], msg: Any = None
) -> None:
    """``TestCase.assertDictContainsSubset``."""
    missing = [key for key in subset if key not in dictionary]
    differing = [key for key in subset if key in dictionary and dictionary[key] != subset[key]]
    if missing or differing:
        text = f"Missing: {missing!r}; Mismatched values: {differing!r}"
        self.fail(self._formatMessage(msg, text))


def _loader(prefix: str | None = None, sort_using: Any = None, suite_class: Any = None) -> Any:
    import unittest

    loader = unittest.TestLoader()
    if prefix:
        loader.testMethodPrefix = prefix
    if sort_using is not None:
        loader.sortTestMethodsUsing = sort_using
    if suite_class is not None:
        loader.suiteClass = suite_class
    return loader


def make_suite(
    testCaseClass: Any, prefix: str = "test", sortUsing: Any = None, suiteClass: Any = None
) -> Any:
    """``unittest.makeSuite``."""
    return _loader(prefix, sortUsing, suiteClass).loadTestsFromTestCase(testCaseClass)


def find_test_cases(module: Any, prefix: str = "test", sortUsing: Any = None, suiteClass: Any = None) -> Any:
    """``unittest.findTestCases``."""
    return _loader(prefix, sortUsing, suiteClass).loadTestsFromModule(module)


def get_test_case_names(
    testCaseClass: Any, prefix: str, sortUsing: Any = None, testNamePatterns: Any = None
) -> Any:
    """``unittest.getTestCaseNames``."""
    loader = _loader(prefix, sortUsing)
    loader.testNamePatterns = testNamePatterns
    return loader.getTestCaseNames(testCaseClass)


# ---------------------------------------------------------------------------------------------------------
# ssl


def wrap_socket(
    sock: Any,
    keyfile: str | None = None,
    certfile: str | None = None,
    server_side: bool = False,
    cert_reqs: int = 0,
    ssl_version: int | None = None,
    ca_certs: str | None = None,
    do_handshake_on_connect: bool = True,
    suppress_ragged_eofs: bool = True,
    ciphers: str | None = None,
) -> Any:
    """``ssl.wrap_socket``. ``ssl_version`` is not looked at: OpenSSL negotiates, TLS 1.2 or newer."""
    import ssl

    if server_side and not certfile:
        raise ValueError("certfile must be specified for server-side operations")
    if keyfile and not certfile:
        raise ValueError("certfile must be specified")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # wrap_socket never knew the host's name
    context.verify_mode = ssl.VerifyMode(cert_reqs)
    if ca_certs:
        context.load_verify_locations(ca_certs)
    if certfile:
        context.load_cert_chain(certfile, keyfile)
    if ciphers:
        context.set_ciphers(ciphers)
    return context.wrap_socket(
        sock,
        server_side=server_side,
        do_handshake_on_connect=do_handshake_on_connect,
        suppress_ragged_eofs=suppress_ragged_eofs,
    )


# ---------------------------------------------------------------------------------------------------------
# What Python 3.14, 3.15 and 3.16 drop (stand_in_ast, stand_in_children and stand_in_opener have the larger things)

#: ``sqlite3.version``, which was the module's own until nobody counted it any more.
SQLITE_MODULE = "2.6.0"
SQLITE_MODULE_INFO = (2, 6, 0)


def get_event_loop(original: Callable[[], Any], tell: Callable[[], None]) -> Callable[[], Any]:
    """``asyncio.get_event_loop``: from 3.14 on it makes no loop; this one does, in the main thread, as up to 3.13."""

    @functools.wraps(original)
    def get_event_loop() -> Any:
        try:
            return original()
        except RuntimeError:
            import asyncio
            import threading

            if threading.current_thread() is not threading.main_thread():
                raise
            tell()
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            return loop

    return get_event_loop


def load_module(self: Any, fullname: str | None = None) -> types.ModuleType:
    """``load_module`` of a loader of files: the module, run (again) under the loader's name."""
    if fullname not in (None, self.name):
        raise ImportError(f"loader for {self.name} cannot handle {fullname}", name=fullname)
    return _load_with(self, self.name)


def load_zipped_module(self: Any, fullname: str) -> types.ModuleType:
    """``zipimport.zipimporter.load_module``."""
    return _load_with(self, fullname)


def _load_with(loader: Any, name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise ImportError(f"can't find module {name!r}", name=name)
    there_before = name in sys.modules
    module = sys.modules[name] if there_before else importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        if not there_before:
            sys.modules.pop(name, None)
        raise
    return sys.modules[name]


def master_open() -> tuple[int, str]:
    """``pty.master_open``: the descriptor of a pseudo-terminal's master, and its slave's name."""
    import os
    import pty

    if sys.platform == "win32":
        raise NotImplementedError(sys.platform)  # which has no pty
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    return master, name


def slave_open(tty_name: str) -> int:
    """``pty.slave_open``: the descriptor of the slave of that name."""
    import os

    return os.open(tty_name, os.O_RDWR)


def glob0(dirname: str, pattern: str) -> list[str]:
    """``glob.glob0``: the name, if there is such a file."""
    import os

    there = os.path.lexists(os.path.join(dirname, pattern)) if pattern else os.path.isdir(dirname)
    return [pattern] if there else []


def glob1(dirname: str, pattern: str) -> list[str]:
    """``glob.glob1``: the names in a folder that match; hidden ones if the pattern begins with a dot."""
    import glob

    return glob.glob(pattern, root_dir=dirname)


def is_reserved(self: Any) -> bool:
    """``pathlib.PurePath.is_reserved``: for paths of Windows, ``os.path.isreserved``."""
    import ntpath
    import pathlib

    return isinstance(self, pathlib.PureWindowsPath) and bool(getattr(ntpath, "isreserved")(self))  # noqa: B009


def java_ver(
    release: str = "",
    vendor: str = "",
    vminfo: tuple[str, str, str] = ("", "", ""),
    osinfo: tuple[str, str, str] = ("", "", ""),
) -> tuple[str, str, tuple[str, str, str], tuple[str, str, str]]:
    """``platform.java_ver``: what it was given; only Jython knew more."""
    return release, vendor, vminfo, osinfo


# ---------------------------------------------------------------------------------------------------------
# imp


def imp_module() -> types.ModuleType:
    """``imp``: making, finding, loading and reloading modules, on importlib."""
    from tornado4.migrate import stand_in_imp

    return stand_in_imp
