"""`Future`: a result that is not there yet, and the little that everything else needs of it.

Its public home is `tornado4.concurrent`. It lies here so that loops, coroutines and streams can use it
without importing each other.

Two protocols meet in it. As in 4.5.3 it needs no loop, and callbacks run at once, inside `set_result`.
For asyncio it is an awaitable that any task may wait for; it is deliberately no *asyncio future*
(`asyncio.isfuture` says no), so `asyncio.gather`, ``shield`` and ``wait_for`` put a task around it, and
cancelling that task leaves the Future alone: others may be waiting for it too.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Generator
from concurrent import futures
from contextvars import Context
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic

from tornado4._core.private_asyncio import get_running_loop
from tornado4.log import app_log

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # with a default, which typing has from 3.13 on

    from tornado4._core.context import HandedOver

    _T = TypeVar("_T", default=Any)
else:
    from typing import TypeVar

    _T = TypeVar("_T")

_AsyncioFuture = asyncio.Future
_current_task = asyncio.current_task

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class Future(Generic[_T]):
    """Placeholder for a result, or an exception, that is set later.

    A `.gen.coroutine` yields it, a native coroutine awaits it, and `.IOLoop.add_future` calls back on
    the loop when it is resolved. It is not thread-safe, and it cannot be cancelled.

    An exception that nobody looks at is logged when the Future is garbage-collected.

    Annotations may name the type of the result: ``Future[int]``; plain ``Future`` is ``Future[Any]``.
    """

    #: Of a coroutine: what its first step has set of context variables.
    _handed_over: HandedOver | None = None

    # As long as nothing has happened, the class says so: there is a Future for every wait of a program.
    _done = False
    _result: Any = None
    _exc_info: ExcInfo | None = None
    _log_traceback = False

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], Any]] | None = []

    def __await__(self) -> Generator[Any, Any, _T]:
        if not self._done:
            loop = get_running_loop()
            if loop is None or _current_task(loop) is None:
                # Driven by hand, or by a generator coroutine's ``yield from``, as in 4.5.3.
                yield self
                return self.result()
            # A future of asyncio's own is what a task knows to wait for.
            waiter: asyncio.Future[None] = _AsyncioFuture(loop=loop)
            wake = partial(_wake, loop, waiter)
            self.add_done_callback(wake)
            try:
                yield from waiter
            except BaseException:
                self.remove_done_callback(wake)  # the task was cancelled; nobody waits here any more
                raise
            if self._handed_over is not None:
                self._handed_over.settle()
        if self._exc_info is None and type(self) is Future:
            return self._result  # type: ignore[no-any-return]
        return self.result()  # a derived class may have one of its own

    def cancel(self) -> bool:
        """Does nothing and returns False: a Tornado Future cannot be cancelled."""
        return False

    def cancelled(self) -> bool:
        """Always False."""
        return False

    def running(self) -> bool:
        """True as long as there is no result."""
        return not self._done

    def done(self) -> bool:
        """True once there is a result or an exception."""
        return self._done

    def _clear_tb_log(self) -> None:
        self._log_traceback = False

    def _check_done(self) -> None:
        if not self._done:
            raise Exception("DummyFuture does not support blocking for results")

    def result(self, timeout: float | None = None) -> _T:
        """Returns the result, or raises the exception.

        ``timeout`` is there for likeness with `concurrent.futures` and ignored: this never blocks,
        and raises if the Future is not done.
        """
        exc_info = self._exc_info
        if exc_info is None:
            if not self._done:
                self._check_done()
            return self._result  # type: ignore[no-any-return]
        self._log_traceback = False
        error = exc_info[1]
        try:
            assert error is not None
            raise error.with_traceback(exc_info[2])
        finally:
            # The traceback now holds this frame, which must not hold the exception in turn.
            del self, exc_info, error

    def exception(self, timeout: float | None = None) -> Any:
        """Returns the exception, or None if there is a result instead. Raises if not done."""
        self._log_traceback = False
        if self._exc_info is not None:
            return self._exc_info[1]
        self._check_done()
        return None

    def exc_info(self) -> ExcInfo | None:
        """Returns ``(type, exception, traceback)`` as `sys.exc_info` does, or None."""
        self._log_traceback = False
        return self._exc_info

    def add_done_callback(self, fn: Callable[[Future[_T]], Any], *, context: Context | None = None) -> None:
        """Calls ``fn(self)`` when the Future is done: at once if it is already.

        The callback runs inside `set_result`. With ``context``, which asyncio passes, it goes
        through the loop that is running now, as a callback of an asyncio future does.
        """
        if context is not None:
            fn = _LoopCallback(fn, context)
        callbacks = self._callbacks
        if self._done or callbacks is None:
            fn(self)
        else:
            callbacks.append(fn)

    def remove_done_callback(self, fn: Callable[[Any], Any]) -> int:
        """Takes back what `add_done_callback` added; returns how many times ``fn`` was found."""
        callbacks = self._callbacks
        if not callbacks:
            return 0
        kept = [cb for cb in callbacks if cb != fn]
        removed = len(callbacks) - len(kept)
        if removed:
            callbacks[:] = kept
        return removed

    def set_result(self, result: _T) -> None:
        """Sets the result and runs the callbacks. Call it once."""
        self._result = result
        self._set_done()

    def set_exception(self, exception: BaseException) -> None:
        """Sets an exception, with the traceback it carries, and runs the callbacks."""
        self.set_exc_info((exception.__class__, exception, getattr(exception, "__traceback__", None)))

    def set_exc_info(self, exc_info: ExcInfo) -> None:
        """Sets an exception together with its traceback, as `sys.exc_info` gives them."""
        self._exc_info = exc_info
        self._log_traceback = True
        try:
            self._set_done()
        finally:
            del exc_info

    def _set_done(self) -> None:
        self._done = True
        callbacks = self._callbacks
        self._callbacks = None
        # As in 4.5.3 a second result is a TypeError, for there is no list any more.
        for callback in callbacks:  # type: ignore[union-attr]
            try:
                callback(self)
            except (Exception, asyncio.CancelledError):
                app_log.exception("Exception in callback %r for %r", callback, self)

    def __del__(self) -> None:
        if self._log_traceback and not sys.is_finalizing():
            exc_info = self._exc_info
            if exc_info is not None:
                app_log.error("Future %r exception was never retrieved: %s", self, _traceback_text(exc_info))


def _traceback_text(exc_info: ExcInfo) -> str:
    """The traceback as 4.5.3 logged it: source lines without the carets that Python 3.11 draws below them.

    To place a caret `traceback` parses the source line, and this runs wherever the garbage collector
    happens to run: inside `ast.parse`, for one, which cannot bear a second one within it (``SystemError: AST
    constructor recursion depth mismatch``, https://github.com/python/cpython/issues/106905).
    """
    told = traceback.TracebackException(*exc_info)  # type: ignore[arg-type]
    parts: list[traceback.TracebackException | None] = [told]
    while parts:
        part = parts.pop()
        if part is not None:
            for frame in part.stack:
                frame.colno = frame.end_colno = None
            parts += (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ()))
    return "".join(told.format()).rstrip()


def _wake(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], future: Any) -> None:
    """Resolves the future that a task waits on, in the task's thread."""
    if get_running_loop() is loop:
        if not waiter.done():
            waiter.set_result(None)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(_wake, loop, waiter, future)


class _LoopCallback:
    """A callback that asyncio registered: it runs through the loop, in the given Context."""

    __slots__ = ("_context", "_fn", "_loop")

    def __init__(self, fn: Callable[[Any], Any], context: Context) -> None:
        self._fn = fn
        self._context = context
        self._loop = get_running_loop()

    def __call__(self, future: Future) -> None:
        loop = self._loop
        if loop is None:
            self._context.run(self._fn, future)
        elif get_running_loop() is loop:
            loop.call_soon(self._fn, future, context=self._context)
        else:
            loop.call_soon_threadsafe(self._fn, future, context=self._context)

    def __eq__(self, other: object) -> bool:
        return other is self or other == self._fn

    __hash__ = None  # type: ignore[assignment]


Future.__module__ = "tornado4.concurrent"
TracebackFuture = Future

#: The classes that count as Futures, for `isinstance`: that of `concurrent.futures`, and ours.
FUTURES = (futures.Future, Future)


def is_future(x: Any) -> bool:
    """True for our `Future` and for `concurrent.futures.Future`.

    :arg x: anything.
    """
    return isinstance(x, FUTURES)


def resolved(value: Any) -> Future:
    """A Future that has ``value`` as its result already."""
    future = Future.__new__(Future)
    future._done = True
    future._result = value
    future._callbacks = None
    return future


def chain_future(a: Any, b: Any) -> None:
    """Makes ``b`` end as ``a`` does, unless ``b`` is done before that.

    Either may be of our kind or of `concurrent.futures`; tracebacks survive between two of ours.
    """

    def copy(source: Any) -> None:
        if b.done():
            return
        exc_info = source.exc_info() if isinstance(source, Future) else None
        if exc_info is not None and isinstance(b, Future):
            b.set_exc_info(exc_info)
        elif (error := source.exception()) is not None:
            b.set_exception(error)
        else:
            b.set_result(source.result())

    a.add_done_callback(copy)


for _public in (is_future, chain_future):
    _public.__module__ = "tornado4.concurrent"
