"""Coroutines: asynchronous code that reads like synchronous code.

::

    class GenAsyncHandler(RequestHandler):
        @gen.coroutine
        def get(self):
            response = yield AsyncHTTPClient().fetch("http://example.com")
            self.write(response.body)

``yield`` (``await`` in an ``async def`` function) waits for a `.Future`; a list or a dictionary of them waits
for all at once::

        first, second = yield [fetch(url1), fetch(url2)]

This page hands names on. Their rooms: ``coroutines`` (the decorators), ``runner`` (it drives a generator),
``waiting`` (time limits, sleep, iteration), ``yieldpoints`` (the way before Futures), ``errors``.
"""

from __future__ import annotations

from collections.abc import Generator as GeneratorType
from functools import singledispatch
from inspect import isawaitable

from tornado4 import _handed_on
from tornado4._core.futures import Future, TracebackFuture, chain_future, is_future
from tornado4._core.yielded import BadYieldError, convert_yielded, moment, multi_future
from tornado4.gen.coroutines import _make_coroutine_wrapper, coroutine, engine, is_coroutine_function
from tornado4.gen.errors import (
    KeyReuseError,
    LeakedCallbackError,
    Return,
    ReturnValueIgnoredError,
    TimeoutError,
    UnknownKeyError,
    _value_from_stopiteration,
)
from tornado4.gen.runner import Runner, _null_future
from tornado4.gen.waiting import WaitIterator, _wrap_awaitable, maybe_future, sleep, with_timeout
from tornado4.gen.yieldpoints import (
    Arguments,
    Callback,
    Multi,
    MultiYieldPoint,
    Task,
    Wait,
    WaitAll,
    YieldFuture,
    YieldPoint,
    _argument_adapter,
    _contains_yieldpoint,
    multi,
)
from tornado4.ioloop import IOLoop
from tornado4.log import app_log
from tornado4.util import PY3, raise_exc_info, set_public_module

__all__ = [
    "PY3",
    "Arguments",
    "BadYieldError",
    "Callback",
    "Future",
    "GeneratorType",
    "IOLoop",
    "KeyReuseError",
    "LeakedCallbackError",
    "Multi",
    "MultiYieldPoint",
    "Return",
    "ReturnValueIgnoredError",
    "Runner",
    "Task",
    "TimeoutError",
    "TracebackFuture",
    "UnknownKeyError",
    "Wait",
    "WaitAll",
    "WaitIterator",
    "YieldFuture",
    "YieldPoint",
    "_argument_adapter",
    "_contains_yieldpoint",
    "_make_coroutine_wrapper",
    "_null_future",
    "_value_from_stopiteration",
    "_wrap_awaitable",
    "app_log",
    "chain_future",
    "convert_yielded",
    "coroutine",
    "engine",
    "is_coroutine_function",
    "is_future",
    "isawaitable",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "raise_exc_info",
    "singledispatch",
    "sleep",
    "with_timeout",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
