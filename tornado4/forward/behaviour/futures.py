"""Futures as of 5.0, where they are asyncio's."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

from tornado4._core import futures
from tornado4._core.current import asyncio_loop, current
from tornado4._core.futures import Future
from tornado4._core.private_asyncio import get_running_loop
from tornado4.ioloop import IOLoop

_add_done_callback = Future.add_done_callback


def call_back_later() -> None:
    """A program's callbacks run through the loop, a turn after the result is there; our own find their way by it."""

    def add_done_callback(self: Future, fn: Callable[[Any], Any], *, context: Context | None = None) -> None:
        if context is None and not _is_ours(fn):
            later = futures._LoopCallback(fn, copy_context())
            later._loop = later._loop or asyncio_loop()
            _add_done_callback(self, later)
        else:
            _add_done_callback(self, fn, context=context)

    Future.add_done_callback = add_done_callback  # type: ignore[method-assign]


def _is_ours(fn: Any) -> bool:
    """Whether a callback is one of the framework's own, which asks for a turn of the loop by itself."""
    while hasattr(fn, "func"):
        fn = fn.func
    module = getattr(fn, "__module__", None)
    if module is None:
        module = type(fn).__module__
    return module is not None and (module == "tornado4" or module.startswith("tornado4."))


def refuse_second_results() -> None:
    """A second result is an InvalidStateError, and so is asking for one that is not there."""

    def set_result(self: Future, result: Any) -> None:
        if self._done:
            raise asyncio.InvalidStateError("invalid state")
        _set_result(self, result)

    def set_exc_info(self: Future, exc_info: Any) -> None:
        if self._done:
            raise asyncio.InvalidStateError("invalid state")
        _set_exc_info(self, exc_info)

    def result(self: Future, *limit: Any, **named: Any) -> Any:
        if not self._done:
            raise asyncio.InvalidStateError("Result is not set.")
        return _result(self, *limit, **named)

    def exception(self: Future, *limit: Any, **named: Any) -> Any:
        if not self._done:
            raise asyncio.InvalidStateError("Exception is not set.")
        return _exception(self, *limit, **named)

    _result, _exception = Future.result, Future.exception
    _set_result, _set_exc_info = Future.set_result, Future.set_exc_info
    Future.set_result = set_result  # type: ignore[method-assign]
    Future.set_exc_info = set_exc_info  # type: ignore[method-assign]
    Future.result = result  # type: ignore[method-assign]
    Future.exception = exception  # type: ignore[method-assign]


def take_no_limits() -> None:
    """`Future.result` and `exception` take no time-out, which they have ignored."""
    for name in ("result", "exception"):
        setattr(Future, name, _without_arguments(name, getattr(Future, name)))


class _NoLoop:
    """All that a Future of asyncio asks of its loop, as long as nobody waits for it."""

    def get_debug(self) -> bool:
        return False


def _without_arguments(name: str, original: Callable[[Future], Any]) -> Any:
    def method(self: Future, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            # The words are the interpreter's, and differ; exception(timeout=5) of 3.12.1 says none.
            theirs: Any = asyncio.Future(loop=_NoLoop())  # type: ignore[arg-type]
            theirs.set_result(None)
            getattr(theirs, name)(*args, **kwargs)
        return original(self)

    return method


def cancel_for_real() -> None:
    """A Future that is pending can be cancelled: whoever waits for it gets CancelledError, and no result comes."""

    def cancel(self: Future) -> bool:
        if self._done:
            return False
        self._exc_info = (asyncio.CancelledError, asyncio.CancelledError(), None)
        self._set_done()
        return True

    def cancelled(self: Future) -> bool:
        exc_info = self._exc_info
        return exc_info is not None and isinstance(exc_info[1], asyncio.CancelledError)

    def exception(self: Future, *limit: Any, **named: Any) -> Any:
        if cancelled(self):
            raise asyncio.CancelledError
        return _exception(self, *limit, **named)

    def refusing(original: Callable[[Future, Any], None]) -> Any:
        def method(self: Future, outcome: Any) -> None:
            if cancelled(self):
                raise asyncio.InvalidStateError("invalid state")
            original(self, outcome)

        return method

    _exception = Future.exception
    Future.cancel = cancel  # type: ignore[method-assign]
    Future.cancelled = cancelled  # type: ignore[method-assign]
    Future.exception = exception  # type: ignore[method-assign]
    Future.set_result = refusing(Future.set_result)  # type: ignore[method-assign]
    Future.set_exc_info = refusing(Future.set_exc_info)  # type: ignore[method-assign]


def refuse_without_loop() -> None:
    """A Future wants a loop: in threads other than the main one, somebody has to have made one."""

    def __init__(self: Future) -> None:
        thread = threading.current_thread()
        if (
            thread is not threading.main_thread()
            and get_running_loop() is None
            and getattr(current, "instance", None) is None
        ):
            raise RuntimeError(f"There is no current event loop in thread {thread.name!r}.")
        _init(self)

    _init = Future.__init__
    Future.__init__ = __init__  # type: ignore[method-assign]


def leave_the_loop_asleep() -> None:
    """A Future belongs to the loop of the thread that makes it. Setting it from another thread wakes nobody: the loop
    runs its callbacks with whatever it does next.

    `chain_future` sees to it that an executor's Future comes by way of the loop, as in 5.0, where `with_timeout` and
    whoever else uses it are not late.
    """

    def __init__(self: Any) -> None:
        _init(self)
        self._home = get_running_loop() or getattr(getattr(current, "instance", None), "asyncio_loop", None)

    def _set_done(self: Any) -> None:
        home = getattr(self, "_home", None) or _first_loop()
        callbacks = self._callbacks
        if not callbacks or home is None or not home.is_running() or get_running_loop() is home:
            set_done(self)
            return

        def run_callbacks() -> None:
            self._callbacks = callbacks
            set_done(self)

        self._done, self._callbacks = True, None
        home.call_soon(run_callbacks)  # not threadsafe, for that would wake it

    def chain(a: Any, b: Any) -> None:
        if isinstance(a, Future):
            chain_future(a, b)
        else:
            IOLoop.current().add_future(a, lambda done: chain_future(done, b))

    _init, set_done = Future.__init__, Future._set_done
    Future.__init__ = __init__  # type: ignore[method-assign]
    Future._set_done = _set_done  # type: ignore[method-assign]
    chain_future = futures.chain_future
    for name in _CHAINING:
        if name in sys.modules:
            vars(sys.modules[name])["chain_future"] = chain


#: Where `chain_future` is asked for by its name; those that are not there yet get it from the first of them.
_CHAINING = tuple(
    f"tornado4.{room}" for room in ("concurrent", "gen", "gen.waiting", "_core.futures", "auth", "auth.facebook")
)


def _first_loop() -> Any:
    """The loop of whoever has asked for none: the main thread's, if there is one."""
    return getattr(IOLoop.__dict__.get("_instance"), "asyncio_loop", None)
