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
    "get_test_case_names",
    "getargspec",
    "getcheckinterval",
    "html_parser_unescape",
    "linux_distribution",
    "locale_format",
    "make_suite",
    "setcheckinterval",
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
# imp


def imp_module() -> types.ModuleType:
    """``imp``: making, finding, loading and reloading modules, on importlib."""
    from tornado4.migrate import stand_in_imp

    return stand_in_imp
