"""Futures, and decorators that make functions return them.

`Future` here is Tornado's own: it needs no loop, runs its callbacks at once, and may be yielded in a
`.gen.coroutine` as well as awaited in any asyncio task. See `tornado4.gen` for how to write coroutines.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar, overload

from tornado4 import _handed_on
from tornado4._core.futures import FUTURES, Future, TracebackFuture, chain_future, is_future
from tornado4.log import app_log
from tornado4.stack_context import ExceptionStackContext, wrap
from tornado4.util import ArgReplacer, raise_exc_info

# What ``from tornado4.concurrent import *`` gave in 4.5.3, helpers that it merely passed on included.
__all__ = [
    "FUTURES",
    "ArgReplacer",
    "DummyExecutor",
    "ExceptionStackContext",
    "Future",
    "ReturnValueIgnoredError",
    "TracebackFuture",
    "app_log",
    "chain_future",
    "dummy_executor",
    "functools",
    "futures",
    "is_future",
    "raise_exc_info",
    "return_future",
    "run_on_executor",
    "sys",
    "wrap",
]

# To ask for the class imports ``futures.thread``, which was there by itself up to Python 3.6.
_ThreadPoolExecutor = futures.ThreadPoolExecutor

_T = TypeVar("_T")


class ReturnValueIgnoredError(Exception):
    """A function returned a value, or raised `.gen.Return` with one, where nobody could receive it."""


class DummyExecutor:
    """An executor without threads: `submit` calls the function at once and returns a done Future."""

    def submit(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        """Calls ``fn(*args, **kwargs)``; its exception, if any, goes into the Future."""
        future = Future()
        try:
            result = fn(*args, **kwargs)
        except Exception:
            future.set_exc_info(sys.exc_info())
        else:
            future.set_result(result)
        return future

    def shutdown(self, wait: bool = True) -> None:
        """Nothing to shut down."""


#: The executor of `run_on_executor` and of blocking resolvers where none is given: it calls at once, in this thread.
dummy_executor = DummyExecutor()


@overload
def run_on_executor(fn: Callable[..., _T], /) -> Callable[..., futures.Future[_T]]: ...


@overload
def run_on_executor(
    *, executor: str = ..., io_loop: str = ...
) -> Callable[[Callable[..., _T]], Callable[..., futures.Future[_T]]]: ...


def run_on_executor(*args: Any, **kwargs: Any) -> Any:
    """Decorator that runs a method on an executor and returns its future.

    The method's object has the executor as ``self.executor`` and its loop as ``self.io_loop``. Other
    attributes are named with keywords: ``@run_on_executor(executor="_thread_pool", io_loop="_loop")``. The
    method takes a ``callback`` argument too, which is run on the loop with the result.

    :raises ValueError: positional and keyword arguments, or two functions, are given.
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        executor_name = kwargs.get("executor", "executor")
        loop_name = kwargs.get("io_loop", "io_loop")

        @functools.wraps(fn)
        def submit(self: Any, *args: Any, **kwargs: Any) -> Any:
            callback = kwargs.pop("callback", None)
            future = getattr(self, executor_name).submit(fn, self, *args, **kwargs)
            if callback:
                getattr(self, loop_name).add_future(future, lambda done: callback(done.result()))
            return future

        return submit

    if args and kwargs:
        raise ValueError("cannot combine positional and keyword args")
    if len(args) > 1:
        raise ValueError("expected 1 argument, got %d", len(args))  # two arguments, as in 4.5.3
    return decorate(*args) if args else decorate


_NO_RESULT = object()
_VALUE_RETURNED = "@return_future should not be used with functions that return values"


def return_future(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator that makes a function with a ``callback`` argument return a `Future` as well.

    ``f`` must pass its result to ``callback`` and return nothing. Callers may give a callback of their own,
    which is then run when the Future is resolved, or leave it out. An exception that ``f`` raises
    at once is raised to the caller; one that is raised in a callback of its own goes into the Future,
    and so does nothing else: ``f`` must not be a coroutine, unless it is a `.gen.engine`.

    :raises ReturnValueIgnoredError: ``f`` has returned something other than None.
    """
    replacer = ArgReplacer(f, "callback")

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Future:
        future = Future()

        def deliver(value: Any = _NO_RESULT) -> None:
            future.set_result(value)

        def fail(typ: Any, value: Any, tb: Any) -> bool:
            future.set_exc_info((typ, value, tb))
            return True

        callback, args, kwargs = replacer.replace(deliver, args, kwargs)  # type: ignore[assignment]
        failed = False
        with ExceptionStackContext(fail):
            failed = True  # until the block is left normally: its end swallows what was raised in it
            if f(*args, **kwargs) is not None:
                raise ReturnValueIgnoredError(_VALUE_RETURNED)
            failed = False
        if failed:
            future.result()
        if callback is not None:
            future.add_done_callback(wrap(functools.partial(_run_callback, callback)))
        return future

    return wrapper


def _run_callback(callback: Callable[..., Any], future: Future) -> None:
    result = future.result()
    if result is _NO_RESULT:
        callback()
    else:
        callback(result)

_handed_on.complete(globals())
