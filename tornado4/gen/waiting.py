"""Ways to wait: for a while, with a limit, for whichever comes first."""

from __future__ import annotations

import asyncio
import collections
import datetime
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

from tornado4._core.futures import Future, chain_future, is_future, resolved
from tornado4._core.tasks import as_future
from tornado4._core.yielded import convert_yielded
from tornado4.gen.errors import TimeoutError
from tornado4.ioloop import IOLoop, PollIOLoop
from tornado4.log import app_log
from tornado4.stack_context import _active

_T = TypeVar("_T")


def sleep(duration: float) -> Future[None]:
    """Returns a Future that resolves after ``duration`` seconds: ``yield gen.sleep(0.5)``.

    Calling it alone does nothing useful; it does not block as `time.sleep` does.
    """
    future = Future()
    loop: Any = IOLoop.current()
    ours = type(loop).call_later is _CALL_LATER and type(loop).call_at is _CALL_AT
    if duration == 0 and ours and not _active():
        loop._call_in_no_time(future.set_result, None)
    else:
        loop.call_later(duration, future.set_result, None)
    return future


_CALL_LATER, _CALL_AT = PollIOLoop.call_later, PollIOLoop.call_at


def maybe_future(x: Any) -> Any:
    """``x`` if it is a Future, else a done Future with ``x`` as its result."""
    return x if is_future(x) else resolved(x)


def _wrap_awaitable(x: Awaitable[Any]) -> Future:
    """Runs an awaitable, as an asyncio task, and returns a Future for its outcome."""
    return as_future(x)


@overload
def with_timeout(
    timeout: float | datetime.timedelta, future: Future[_T], io_loop: Any = None, quiet_exceptions: Any = ()
) -> Future[_T]: ...


@overload
def with_timeout(
    timeout: float | datetime.timedelta, future: Any, io_loop: Any = None, quiet_exceptions: Any = ()
) -> Future[Any]: ...


def with_timeout(
    timeout: float | datetime.timedelta, future: Any, io_loop: Any = None, quiet_exceptions: Any = ()
) -> Future[Any]:
    """Waits for ``future``, anything that may be yielded, but raises `.TimeoutError` at ``timeout``.

    ``timeout`` is what `.IOLoop.add_timeout` takes: a `datetime.timedelta` from now, or a time in seconds on
    the loop's clock. The Future goes on all the same: what it raises afterwards is logged, unless
    its type is among ``quiet_exceptions`` (a type or a tuple of them).
    """
    future = convert_yielded(future)
    result = Future()
    chain_future(future, result)
    if result.done():
        return result
    loop: Any = IOLoop.current() if io_loop is None else io_loop

    def log_late_failure(late: Any) -> None:
        try:
            late.result()
        except (Exception, asyncio.CancelledError) as error:
            if not isinstance(error, quiet_exceptions):
                app_log.error("Exception in Future %r after timeout", late, exc_info=True)

    def give_up() -> None:
        if not result.done():
            result.set_exception(TimeoutError("Timeout"))
        # From now on there is nobody else to see it fail.
        future.add_done_callback(log_late_failure)

    handle = loop.add_timeout(timeout, give_up)
    if isinstance(future, Future):
        # Where callbacks run on the loop's thread, the timer can be removed at once.
        future.add_done_callback(lambda done: loop.remove_timeout(handle))
    else:
        loop.add_future(future, lambda done: loop.remove_timeout(handle))
    return result


class WaitIterator:
    """Yields the results of several Futures one by one, as they come in.

    ::

        waiter = gen.WaitIterator(future1, future2)
        while not waiter.done():
            try:
                result = yield waiter.next()
            except Exception as error:
                print(error, "from", waiter.current_future)
            else:
                print(result, "from", waiter.current_index)

    ``current_index`` is the position, or the keyword where Futures are given as keywords, of the one that
    `next` resolved with last. In native coroutines ``async for result in waiter`` does the same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("You must provide args or kwargs, not both")
        self._unfinished: dict[Any, Any] = (
            {future: key for key, future in kwargs.items()}
            if kwargs
            else {future: index for index, future in enumerate(args)}
        )
        self._finished: collections.deque[Any] = collections.deque()
        self.current_index: Any = None
        self.current_future: Any = None
        self._running_future: Future | None = None
        for future in kwargs.values() if kwargs else args:
            future.add_done_callback(self._done_callback)

    def done(self) -> bool:
        """True if all results have been given out."""
        more = bool(self._finished or self._unfinished)
        if not more:
            self.current_index = self.current_future = None
        return not more

    def next(self) -> Future:
        """Returns a Future for the next result. Yield it before you call this again."""
        self._running_future = future = Future()
        if self._finished:
            self._return_result(self._finished.popleft())
        return future

    def _done_callback(self, done: Any) -> None:
        if self._running_future is not None and not self._running_future.done():
            self._return_result(done)
        else:
            self._finished.append(done)

    def _return_result(self, done: Any) -> None:
        # Names what has come first: the waiter may run, and ask, while the Future is being set.
        self.current_future = done
        self.current_index = self._unfinished.pop(done)
        assert self._running_future is not None
        chain_future(done, self._running_future)

    def __aiter__(self) -> WaitIterator:
        return self

    def __anext__(self) -> Future:
        if self.done():
            raise StopAsyncIteration()
        return self.next()
