"""Queues for coroutines of one loop: `Queue`, `PriorityQueue` and `LifoQueue`.

As those of the standard library's `queue`, but where one of those would block, these return a
Future. They are not for use between threads.

    jobs = queues.Queue(maxsize=100)

    async def worker():
        async for job in jobs:
            await job.run()
            jobs.task_done()

    async def submit(job):
        await jobs.put(job)  # takes a while if the workers cannot keep up

Time-outs are what `.IOLoop.add_timeout` takes: seconds on the loop's clock (an absolute time, as in 4.5.3) or
a `datetime.timedelta` from now.
"""

from __future__ import annotations

import collections
import datetime
import heapq
from typing import TYPE_CHECKING, Any, Generic

from tornado4 import gen, ioloop
from tornado4._core.futures import resolved
from tornado4.concurrent import Future
from tornado4.locks import Event

__all__ = ["LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull"]

_Timeout = float | datetime.timedelta | None

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # with a default, which typing has from 3.13 on

    _T = TypeVar("_T", default=Any)
else:
    from typing import TypeVar

    _T = TypeVar("_T")


class QueueEmpty(Exception):
    """Raised by `Queue.get_nowait` when there is nothing to get."""


class QueueFull(Exception):
    """Raised by `Queue.put_nowait` when ``maxsize`` is reached."""


def _set_timeout(future: Future, timeout: _Timeout) -> None:
    """Makes ``future`` fail with `.gen.TimeoutError` at ``timeout``, if there is one."""
    if not timeout:
        return

    def expire() -> None:
        if not future.done():
            future.set_exception(gen.TimeoutError())

    loop: Any = ioloop.IOLoop.current()
    handle = loop.add_timeout(timeout, expire)
    future.add_done_callback(lambda _: loop.remove_timeout(handle))


class _QueueIterator(Generic[_T]):
    """``async for`` over a queue; it never ends by itself."""

    def __init__(self, q: Queue[_T]) -> None:
        self.q = q

    async def __anext__(self) -> _T:
        getter = self.q.get()
        try:
            return await getter
        except BaseException:
            # The task was cancelled: the next item is not for this getter.
            if not getter.done():
                self.q._getters.remove(getter)
            raise


def _check_size(maxsize: int | None) -> None:
    if maxsize is None:
        raise TypeError("maxsize can't be None")
    if maxsize < 0:
        raise ValueError("maxsize can't be negative")


class Queue(Generic[_T]):
    """First in, first out, between coroutines that produce and coroutines that consume.

    With ``maxsize`` 0, the default, there is no bound; else `put` waits while ``maxsize`` items are there.

    :raises TypeError: ``maxsize`` is None.
    :raises ValueError: ``maxsize`` is negative.
    """

    def __init__(self, maxsize: int = 0) -> None:
        _check_size(maxsize)
        self._finished = Event()  # set while no item is being worked on
        self._finished.set()
        self._unfinished_tasks = 0
        self._putters: collections.deque[tuple[Any, Future]] = collections.deque()
        self._getters: collections.deque[Future] = collections.deque()
        self._maxsize = maxsize
        self._init()

    def full(self) -> bool:
        """True if `put` would have to wait."""
        return bool(self.maxsize) and self.maxsize <= self.qsize()

    def empty(self) -> bool:
        """True if there is no item."""
        return not self._queue

    def qsize(self) -> int:
        """How many items are in the queue."""
        return len(self._queue)

    @property
    def maxsize(self) -> int:
        """How many items fit in; 0 means any number."""
        return self._maxsize

    def put(self, item: _T, timeout: _Timeout = None) -> Future[None]:
        """Puts an item in, waiting for room if need be; `.gen.TimeoutError` at ``timeout``."""
        try:
            self.put_nowait(item)
        except QueueFull:
            putter = Future()
            self._putters.append((item, putter))
            _set_timeout(putter, timeout)
            return putter
        return resolved(None)

    def put_nowait(self, item: _T) -> None:
        """Puts an item in without waiting.

        :raises QueueFull: there is no room.
        """
        self._consume_expired()
        waiting = self._getters
        if not waiting and self.full():
            raise QueueFull
        assert not waiting or self.empty(), "queue non-empty, why are getters waiting?"
        getter = waiting.popleft() if waiting else None
        self.__put_internal(item)
        if getter is not None:
            getter.set_result(self._get())

    def get(self, timeout: _Timeout = None) -> Future[_T]:
        """Takes an item out, waiting for one if need be; `.gen.TimeoutError` at ``timeout``."""
        try:
            return resolved(self.get_nowait())
        except QueueEmpty:
            getter = Future()
            self._getters.append(getter)
            _set_timeout(getter, timeout)
            return getter

    def get_nowait(self) -> _T:
        """Takes an item out without waiting.

        :raises QueueEmpty: there is none.
        """
        self._consume_expired()
        waiting = self._putters
        if waiting:
            assert self.full(), "queue not full, why are putters waiting?"
            item, putter = waiting.popleft()
            self.__put_internal(item)
            putter.set_result(None)
        elif not self.qsize():
            raise QueueEmpty
        return self._get()

    def __put_internal(self, item: _T) -> None:
        # Counted first: an item that `_put` refuses is waited for all the same, as in 4.5.3.
        self._finished.clear()
        self._unfinished_tasks += 1
        self._put(item)

    def task_done(self) -> None:
        """Says that the work on one item that was taken out is done; see `join`.

        :raises ValueError: this was said more often than items were put in.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if not self._unfinished_tasks:
            self._finished.set()

    def join(self, timeout: _Timeout = None) -> Future[None]:
        """Waits until `task_done` has been called for every item; `.gen.TimeoutError` at ``timeout``."""
        return self._finished.wait(timeout)

    def __aiter__(self) -> _QueueIterator[_T]:
        return _QueueIterator(self)

    # What a subclass overrides to keep the items in another order.

    def _init(self) -> None:
        self._queue: Any = collections.deque()

    def _get(self) -> _T:
        return self._queue.popleft()  # type: ignore[no-any-return]

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    def _consume_expired(self) -> None:
        """Drops those waiting in front who have timed out."""
        putters, getters = self._putters, self._getters
        while getters and getters[0].done():
            getters.popleft()
        while putters and putters[0][1].done():
            putters.popleft()

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._format()}>"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {hex(id(self))} {self._format()}>"

    def _format(self) -> str:
        parts = [f"maxsize={self.maxsize!r}"]
        if getattr(self, "_queue", None):
            parts.append(f"queue={self._queue!r}")
        if self._getters:
            parts.append(f"getters[{len(self._getters)}]")
        if self._putters:
            parts.append(f"putters[{len(self._putters)}]")
        if self._unfinished_tasks:
            parts.append(f"tasks={self._unfinished_tasks}")
        return " ".join(parts)


class PriorityQueue(Queue[_T]):
    """A `Queue` that gives out the smallest item first; items are typically ``(priority, data)``."""

    def _init(self) -> None:
        self._queue = []

    def _get(self) -> _T:
        return heapq.heappop(self._queue)  # type: ignore[no-any-return]

    def _put(self, item: _T) -> None:
        heapq.heappush(self._queue, item)


class LifoQueue(Queue[_T]):
    """A `Queue` that gives out first what was put in last."""

    def _init(self) -> None:
        self._queue = []

    def _get(self) -> _T:
        return self._queue.pop()  # type: ignore[no-any-return]

    def _put(self, item: _T) -> None:
        self._queue.append(item)
