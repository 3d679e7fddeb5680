"""Loops: which one is current, loops in callbacks of others, time limits, logging, forks."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any

from tornado4 import httpclient, process
from tornado4._core.private_asyncio import get_running_loop
from tornado4.concurrent import Future, is_future
from tornado4.ioloop import IOLoop, PeriodicCallback, PollIOLoop, TimeoutError
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

NESTED = "Cannot run the event loop while another loop is running"

#: Files of ours that a call of ``IOLoop()`` goes through.
_MAKERS = tuple(
    os.path.join("tornado4", *parts)
    for parts in (
        ("util.py",), ("ioloop.py",), ("platform", "asyncio.py"), ("platform", "epoll.py"), ("platform", "kqueue.py"),
        ("platform", "select.py"),
    )
)  # fmt: skip


def install(patches: Patches, ledger: Ledger) -> None:
    """TND401, TND407, TND408, TND411, TND415 to TND419, TND428."""
    _watch_current(patches, ledger)
    _watch_nesting(patches, ledger)
    _watch_time_limits(patches, ledger)
    _watch_closed(patches, ledger)
    _watch_logging(patches, ledger)
    _watch_forks(patches, ledger)
    _watch_periodic(patches, ledger)


def _watch_current(patches: Patches, ledger: Ledger) -> None:
    """Which loop is current: TND401, TND407."""
    main = threading.main_thread().ident

    def make_initialize(original: Callable[..., None]) -> Any:
        def initialize(self: IOLoop, make_current: bool | None = None) -> None:
            if make_current is None and IOLoop.current(instance=False) is not None:
                place = places.maker(_MAKERS)
                if place is not None:  # else one of ours has made it
                    ledger.tell("TND401", place)
            original(self, make_current)

        return initialize

    def make_instance(original: Callable[[], IOLoop]) -> Any:
        def instance() -> IOLoop:
            if get_ident() != main and get_running_loop() is None:
                place = places.here()
                if place is not None:
                    ledger.tell("TND407", place)
            return original()

        return instance

    patches.put(IOLoop, "initialize", make_initialize)
    patches.put(IOLoop, "instance", make_instance)


def _watch_nesting(patches: Patches, ledger: Ledger) -> None:
    """A loop inside a callback of another, and one that another thread stops: TND408, TND428."""

    def make_start(original: Callable[..., None]) -> Any:
        client_fetch = httpclient.HTTPClient.fetch.__code__

        def start(self: PollIOLoop) -> None:
            if get_running_loop() is not None and not self._running and not places.goes_through(client_fetch):
                ledger.tell("TND408", places.here(), lambda: RuntimeError(NESTED))
            original(self)

        return start

    def make_stop(original: Callable[..., None]) -> Any:
        def stop(self: Any) -> None:
            if self._running and self._thread_ident != get_ident():
                ledger.tell("TND428", places.here())
            original(self)

        return stop

    patches.put(PollIOLoop, "start", make_start)
    patches.put(PollIOLoop, "stop", make_stop)


def _watch_time_limits(patches: Patches, ledger: Ledger) -> None:
    """What goes on when ``run_sync`` has given up: TND411."""

    def make_run_sync(original: Callable[..., Any]) -> Any:
        def run_sync(self: IOLoop, func: Callable[[], Any], timeout: float | None = None) -> Any:
            if timeout is None:
                return original(self, func)
            results: list[Any] = []

            def watched() -> Any:
                results.append(func())
                return results[0]

            try:
                return original(self, watched, timeout)
            except TimeoutError:
                # A @gen.coroutine is left alone by Tornado 6, too.
                waiting = results[0] if results else None
                while waiting is not None and places.of_generator(waiting) is None:
                    waiting = getattr(waiting, "cr_await", None)
                if waiting is not None:
                    ledger.tell("TND411", places.of_generator(waiting))
                raise

        return run_sync

    patches.put(IOLoop, "run_sync", make_run_sync)


def _watch_closed(patches: Patches, ledger: Ledger) -> None:
    """What a closed loop, and one that watches a descriptor already, is asked: TND415, TND416."""

    def make_close(original: Callable[..., None]) -> Any:
        def close(self: Any, all_fds: bool = False) -> None:
            if self._closing:
                asyncio_loop = self.asyncio_loop
                ledger.tell("TND415", places.here(), lambda: KeyError(asyncio_loop))
            original(self, all_fds)

        return close

    def make_call_at(original: Callable[..., Any]) -> Any:
        def call_at(self: Any, deadline: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if self._closing:
                ledger.tell("TND415", places.here(), lambda: RuntimeError("Event loop is closed"))
            return original(self, deadline, callback, *args, **kwargs)

        return call_at

    def make_add_handler(original: Callable[..., None]) -> Any:
        def add_handler(self: Any, fd: Any, handler: Callable[[Any, int], Any], events: int) -> None:
            number, _ = self.split_fd(fd)
            if number in self._handlers:
                ledger.tell("TND416", places.here(), lambda: ValueError(f"fd {number} added twice"))
            original(self, fd, handler, events)

        return add_handler

    patches.put(PollIOLoop, "close", make_close)
    patches.put(PollIOLoop, "call_at", make_call_at)
    patches.put(PollIOLoop, "add_handler", make_add_handler)


def _watch_logging(patches: Patches, ledger: Ledger) -> None:
    """A log that only the loop has set up: TND418."""

    def make_setup_logging(original: Callable[..., None]) -> Any:
        def _setup_logging(self: IOLoop) -> None:
            before = list(logging.getLogger().handlers)
            original(self)
            place = places.here()
            for handler in logging.getLogger().handlers:
                if handler not in before:
                    _watch_first(handler, lambda: ledger.tell("TND418", place), ledger.wanted.mode == "error")

        return _setup_logging

    patches.put(IOLoop, "_setup_logging", make_setup_logging)


def _watch_forks(patches: Patches, ledger: Ledger) -> None:
    """Processes that are forked behind a loop: TND419."""

    def make_fork(original: Callable[..., Any]) -> Any:
        def fork_processes(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            except RuntimeError as error:
                if "Cannot run in multiple processes" in str(error):
                    ledger.tell("TND419", places.here())
                raise

        return fork_processes

    patches.put(process, "fork_processes", make_fork)


def _watch_first(handler: Any, tell: Callable[[], None], raises: bool) -> None:
    """Tell when a logging handler gets its first record, and never after.

    Where telling ``raises``, it is the first that the program itself logs: a loop cannot do with errors of its log.
    """
    emit = handler.emit

    def first(record: logging.LogRecord) -> None:
        if raises and places.here() is None:
            emit(record)
            return
        with contextlib.suppress(AttributeError):
            del handler.emit
        tell()
        emit(record)

    handler.emit = first


def _watch_periodic(patches: Patches, ledger: Ledger) -> None:
    def make_init(original: Callable[..., None]) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            self._made_at = places.here()
            self._running_still = None
            original(self, *args, **kwargs)

        return __init__

    def make_run(original: Callable[..., Any]) -> Any:
        def _run(self: Any) -> Any:
            if self._running and self._running_still is not None and not _is_over(self._running_still):
                ledger.tell("TND417", self._made_at)
            result = self._running_still = original(self)
            return result

        return _run

    patches.put(PeriodicCallback, "__init__", make_init)
    patches.put(PeriodicCallback, "_run", make_run)


def _is_over(result: Any) -> bool:
    """Whether what an asynchronous callback has returned is done; other results are."""
    if is_future(result) or isinstance(result, Future):
        return bool(result.done())
    return getattr(result, "cr_frame", None) is None
