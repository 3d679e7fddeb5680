"""Watching descriptors for a loop that cannot: the default loop of Windows, asyncio's proactor.

An IOLoop of our own makes a loop that can (`asyncio.SelectorEventLoop`). Only a program that runs on a proactor loop
already, by `asyncio.run` say, and then calls `.IOLoop.current`, needs the thread of this room.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextvars import Context, copy_context
from typing import Any

from tornado4._core.private_asyncio import get_running_loop
from tornado4.platform.common import Waker

READ, WRITE = "read", "write"

#: A descriptor, and for what it is watched.
_Key = tuple[int, str]


class SelectorThread:
    """``add_reader`` and its kin of an asyncio loop, by a thread that waits in ``select`` while anything is watched.

    The loop's thread is the only one that calls the methods. `close` when the loop is done; a loop that runs its
    asynchronous generators to their ends, as `asyncio.run` does, closes it by itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._callbacks: dict[_Key, tuple[Context, Callable[..., Any], tuple[Any, ...]]] = {}
        self._watcher: _Watcher | None = None
        self._end: AsyncGenerator[None, None] | None = None

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback(*args)`` on the loop whenever the descriptor is readable. One callback each: the last."""
        self._add((fd, READ), callback, args)

    def add_writer(self, fd: int, callback: Callable[..., Any], *args: Any) -> None:
        """The same for a descriptor that is writable; to fail counts as that."""
        self._add((fd, WRITE), callback, args)

    def remove_reader(self, fd: int) -> bool:
        """Call for it no more. Whether it was watched."""
        return self._remove((fd, READ))

    def remove_writer(self, fd: int) -> bool:
        """Call for it no more. Whether it was watched."""
        return self._remove((fd, WRITE))

    def close(self) -> None:
        """Watch nothing any more, and end the thread."""
        self._callbacks.clear()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()

    def _add(self, key: _Key, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if self._watcher is None:
            watcher = _Watcher(self._tell, self._tell_failure)
            watcher.start()
            self._watcher = watcher
            self._close_with_the_loop()
        self._callbacks[key] = copy_context(), callback, args
        self._watcher.watch(key)

    def _remove(self, key: _Key) -> bool:
        if self._callbacks.pop(key, None) is None:
            return False
        if not self._callbacks:
            self.close()
        elif self._watcher is not None:
            self._watcher.forget(key)
        return True

    def _close_with_the_loop(self) -> None:
        if self._end is None and get_running_loop() is self._loop:
            # The loop knows of an asynchronous generator once it has begun.
            self._end = self._until_the_end()
            with contextlib.suppress(StopIteration):
                self._end.asend(None).send(None)

    async def _until_the_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.close()

    # -- in the thread -------------------------------------------------------------------------------------------

    def _tell(self, ready: list[_Key]) -> None:
        self._loop.call_soon_threadsafe(self._call, ready)

    def _tell_failure(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._fail, error)

    # -- on the loop ---------------------------------------------------------------------------------------------

    def _call(self, ready: list[_Key]) -> None:
        """Call for what is ready, and watch it again: it is watched for one event at a time."""
        for key in ready:
            entry = self._callbacks.get(key)
            if entry is None:
                continue  # removed meanwhile
            context, callback, args = entry
            try:
                context.run(callback, *args)
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": f"Exception in callback {callback!r}", "exception": error}
                )
            finally:
                if self._callbacks.get(key) is entry and self._watcher is not None:
                    self._watcher.watch(key)

    def _fail(self, error: Exception) -> None:
        watched = len(self._callbacks)
        self.close()
        message = (
            f"select() cannot watch {watched} descriptors, and the loop that runs cannot watch any: "
            "start the program on asyncio.SelectorEventLoop, or let IOLoop make its own loop"
        )
        self._loop.call_exception_handler({"message": message, "exception": error})


class _Watcher:
    """The thread. Orders reach it by a queue and a wake-up; what it has found ready it watches no more, until told."""

    def __init__(self, tell: Callable[[list[_Key]], None], tell_failure: Callable[[Exception], None]) -> None:
        self._tell = tell
        self._tell_failure = tell_failure
        self._orders: deque[tuple[_Key, bool] | None] = deque()
        self._waker = Waker()
        self._thread = threading.Thread(target=self._run, name="tornado4-select", daemon=True)

    def start(self) -> None:
        """`NotImplementedError` where there are no threads."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self._waker.close()
            raise NotImplementedError(
                "the asyncio loop that runs cannot watch descriptors, and there are no threads that could: start the "
                "program on asyncio.SelectorEventLoop, or let IOLoop make its own loop"
            ) from error

    def watch(self, key: _Key) -> None:
        self._order((key, True))

    def forget(self, key: _Key) -> None:
        self._order((key, False))

    def stop(self) -> None:
        """End the thread, and wait for that; it waits for nobody, and calls no program."""
        self._order(None)
        self._thread.join()

    def _order(self, order: tuple[_Key, bool] | None) -> None:
        self._orders.append(order)
        self._waker.wake()

    def _run(self) -> None:
        wanted: set[_Key] = set()
        try:
            while self._take_orders(wanted):
                ready = self._wait(wanted)
                wanted.difference_update(ready)
                if ready:
                    self._tell(ready)
        except RuntimeError:
            pass  # the loop is closed, and nobody is left to tell
        finally:
            self._waker.close()

    def _take_orders(self, wanted: set[_Key]) -> bool:
        """Do what was ordered; False when that was to stop."""
        self._waker.consume()
        while self._orders:
            order = self._orders.popleft()
            if order is None:
                return False
            key, on = order
            if on:
                wanted.add(key)
            else:
                wanted.discard(key)
        return True

    def _wait(self, wanted: set[_Key]) -> list[_Key]:
        """What is ready of it; nothing when there are orders."""
        try:
            return self._select(wanted, None)
        except (OSError, ValueError) as error:
            if self._orders:
                return []  # it was closed, and the order to forget it is on its way
            # One was closed without a word. Its callback will meet the error.
            bad = [key for key in wanted if not self._can_be_watched(key)]
            if not bad:
                self._tell_failure(error)
                wanted.clear()
            return bad

    def _can_be_watched(self, key: _Key) -> bool:
        try:
            self._select([key], 0)
        except (OSError, ValueError):
            return False
        return True

    def _select(self, wanted: Iterable[_Key], timeout: float | None) -> list[_Key]:
        reading = [fd for fd, event in wanted if event == READ]
        writing = [fd for fd, event in wanted if event == WRITE]
        # Windows tells of a connection that fails in the third list alone.
        readable, writable, failed = select.select([*reading, self._waker.fileno()], writing, writing, timeout)
        ready = [(fd, READ) for fd in readable if fd != self._waker.fileno()]
        return ready + [(fd, WRITE) for fd in {*writable, *failed}]
