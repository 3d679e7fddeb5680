"""Locks for coroutines: `Condition`, `Event`, `Semaphore`, `BoundedSemaphore` and `Lock`.

They resemble those of `threading`, but where one of those would block, these return a Future; and they
are for coroutines of one loop, not for threads. Whoever waits first is served first.

    with (yield lock.acquire()):  # in a generator coroutine
        ...

    async with lock:  # in a native one
        ...

and in both the lock is released when the block is left.

Time-outs are what `.IOLoop.add_timeout` takes: seconds on the loop's clock (an absolute time, as in 4.5.3) or
a `datetime.timedelta` from now. ``None`` means to wait for ever.
"""

from __future__ import annotations

import collections
import datetime
from collections.abc import Callable
from typing import Any

from tornado4 import gen, ioloop
from tornado4._core.futures import resolved
from tornado4.concurrent import Future

__all__ = ["BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]

_Timeout = float | datetime.timedelta | None


class _TimeoutGarbageCollector:
    """Keeps a queue of waiters, and sweeps out those that timed out, once in a hundred times.

    Without it a queue from which nobody is ever served would grow with each time-out.
    """

    def __init__(self) -> None:
        self._timeouts = 0  # since the last sweep
        self._waiters: collections.deque[Future] = collections.deque()

    def _enqueue(self, timeout: _Timeout, expire: Callable[[Future], None]) -> Future:
        """Puts a new waiter at the end of the queue; at ``timeout``, ``expire`` is to resolve it."""
        waiter = Future()
        self._waiters.append(waiter)
        if timeout:

            def at_timeout() -> None:
                expire(waiter)
                self._garbage_collect()

            loop: Any = ioloop.IOLoop.current()
            handle = loop.add_timeout(timeout, at_timeout)
            waiter.add_done_callback(lambda _: loop.remove_timeout(handle))
        return waiter

    def _next_waiter(self) -> Future | None:
        """Takes the longest waiter that has not timed out from the queue."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _garbage_collect(self) -> None:
        if self._timeouts < 100:
            self._timeouts += 1
            return
        still_waiting = [waiter for waiter in self._waiters if not waiter.done()]
        self._waiters = collections.deque(still_waiting)
        self._timeouts = 0


class Condition(_TimeoutGarbageCollector):
    """Lets coroutines wait until they are notified. It needs no lock, unlike `threading.Condition`."""

    def __init__(self) -> None:
        super().__init__()
        self.io_loop: Any = ioloop.IOLoop.current()

    def __repr__(self) -> str:
        waiting = f" waiters[{len(self._waiters)}]" if self._waiters else ""
        return f"<{type(self).__name__}{waiting}>"

    def wait(self, timeout: _Timeout = None) -> Future[Any]:
        """Returns a Future that becomes True when notified, or False at ``timeout``."""
        return self._enqueue(timeout, lambda waiter: waiter.set_result(False))

    def notify(self, n: int = 1) -> None:
        """Wakes ``n`` waiters, the longest waiting first. Timed-out ones do not count.

        As in 4.5.3, a negative ``n`` wakes all.
        """
        # All are taken before the first is woken: its callback may call notify() again.
        chosen: list[Future] = []
        while len(chosen) != n and (waiter := self._next_waiter()) is not None:
            chosen.append(waiter)
        for waiter in chosen:
            waiter.set_result(True)

    def notify_all(self) -> None:
        """Wakes all waiters."""
        self.notify(len(self._waiters))


class Event:
    """A flag, not set at first, that coroutines may wait for."""

    def __init__(self) -> None:
        self._future = Future()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'set' if self.is_set() else 'clear'}>"

    def is_set(self) -> bool:
        """True if the flag is set."""
        return self._future.done()

    def set(self) -> None:
        """Sets the flag and wakes all who wait. Until `clear`, `wait` returns at once."""
        if not self._future.done():
            self._future.set_result(None)

    def clear(self) -> None:
        """Resets the flag: `wait` blocks again."""
        if self._future.done():
            self._future = Future()

    def wait(self, timeout: _Timeout = None) -> Future[Any]:
        """Returns a Future that is done when the flag is set; `.gen.TimeoutError` at ``timeout``."""
        if timeout is None:
            return self._future
        return gen.with_timeout(timeout, self._future)


class _ReleasingContextManager:
    """What ``yield lock.acquire()`` gives: a context manager that releases at the end of its block."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __enter__(self) -> None:
        return None

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self._obj.release()


def _refuse(message: str) -> Callable[[Any], None]:
    """A method for plain ``with``, which cannot wait."""

    def __enter__(self: Any) -> None:
        raise RuntimeError(message)

    return __enter__


class Semaphore(_TimeoutGarbageCollector):
    """Lets at most ``value`` coroutines in at a time: `acquire` takes one permit, `release` returns it.

    `release` may be called more often than `acquire`, which adds permits; see `BoundedSemaphore`.

    :raises ValueError: ``value`` is negative.
    :arg value: how many permits there are, 1 by default.
    :raises ValueError: it is negative.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._value = value  # permits that are free
        super().__init__()

    def __repr__(self) -> str:
        state = f"unlocked,value:{self._value}" if self._value else "locked"
        if self._waiters:
            state += f",waiters:{len(self._waiters)}"
        return f"{super().__repr__()[:-1]} [{state}]>"

    def release(self) -> None:
        """Adds a permit, or rather gives it to the longest waiter, if there is one."""
        waiter = self._next_waiter()
        if waiter is None:
            self._value += 1
        else:
            waiter.set_result(_ReleasingContextManager(self))

    def acquire(self, timeout: _Timeout = None) -> Future[_ReleasingContextManager]:
        """Takes a permit. The Future's result is a context manager that releases it.

        The Future fails with `.gen.TimeoutError` at ``timeout``.
        """
        if self._value <= 0:
            return self._enqueue(timeout, lambda waiter: waiter.set_exception(gen.TimeoutError()))
        self._value -= 1
        return resolved(_ReleasingContextManager(self))

    __enter__ = __exit__ = _refuse(
        "Use Semaphore like 'with (yield semaphore.acquire())', not like 'with semaphore'"
    )

    async def __aexit__(self, typ: Any, value: Any, tb: Any) -> None:
        self.release()

    async def __aenter__(self) -> None:
        waiter = self.acquire()
        try:
            await waiter
        except BaseException:
            # The task was cancelled. The permit must not go to somebody who is no longer there.
            if waiter.done():
                self.release()
            else:
                self._waiters.remove(waiter)
            raise


class BoundedSemaphore(Semaphore):
    """A `Semaphore` that refuses to be released more often than it was acquired.

    :raises ValueError: ``value`` is negative.
    """

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def release(self) -> None:
        """Returns a permit.

        :raises ValueError: there are as many as in the beginning already.
        """
        if self._value < self._initial_value:
            super().release()
        else:
            raise ValueError("Semaphore released too many times")


class Lock:
    """Lets one coroutine in at a time. Any coroutine may release it, not just the one that holds it."""

    def __init__(self) -> None:
        self._block = BoundedSemaphore(1)

    def release(self) -> None:
        """Lets the next one in.

        :raises RuntimeError: the lock is not held.
        """
        if self._block._value:
            raise RuntimeError("release unlocked lock")
        self._block.release()

    def acquire(self, timeout: _Timeout = None) -> Future[_ReleasingContextManager]:
        """Takes the lock. The Future's result is a context manager that releases it.

        The Future fails with `.gen.TimeoutError` at ``timeout``.
        """
        return self._block.acquire(timeout=timeout)

    async def __aenter__(self) -> None:
        await self._block.__aenter__()

    async def __aexit__(self, typ: Any, value: Any, tb: Any) -> None:
        self.release()

    __enter__ = __exit__ = _refuse("Use Lock like 'with (yield lock)', not like 'with lock'")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} _block={self._block!r}>"
