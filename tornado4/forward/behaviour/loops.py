"""Loops as of 5.0, and what 6.2 left out of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from tornado4 import gen, httpclient, ioloop, testing, util
from tornado4._core.private_asyncio import get_running_loop
from tornado4.concurrent import Future, chain_future, is_future
from tornado4.gen import errors, waiting
from tornado4.ioloop import IOLoop, PeriodicCallback, PollIOLoop

NESTED = "Cannot run the event loop while another loop is running"

_initialize = IOLoop.initialize
_instance = IOLoop.instance
_start = PollIOLoop.start
_client_init = httpclient.HTTPClient.__init__
_schedule_next = PeriodicCallback._schedule_next


def make_each_current() -> None:
    """A loop that is made becomes the current one, unless ``make_current=False``."""

    def initialize(self: IOLoop, make_current: bool | None = None) -> None:
        if make_current is None or make_current:
            self.make_current()

    IOLoop.initialize = initialize  # type: ignore[method-assign]


def have_a_loop_each_thread() -> None:
    """`IOLoop.instance` is `IOLoop.current`, which off the main thread is a loop of that thread's own."""

    def instance() -> IOLoop:
        running = get_running_loop()
        if running is not None:
            return ioloop._attached(running)
        chosen = getattr(IOLoop._current, "instance", None)
        if chosen is not None:
            return chosen  # type: ignore[no-any-return]
        if threading.current_thread() is threading.main_thread():
            return _instance()
        loop = IOLoop(make_current=False)
        loop.make_current()
        return loop

    IOLoop.instance = staticmethod(instance)  # type: ignore[method-assign]


def refuse_nested() -> None:
    """No loop runs within a callback of another, and no HTTPClient is made there."""

    def start(self: PollIOLoop) -> None:
        if get_running_loop() is not None and not self._running:
            raise RuntimeError(NESTED)
        _start(self)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if get_running_loop() is not None:
            self._closed = True  # nothing was made that __del__ would have to close
            raise RuntimeError(NESTED)
        _client_init(self, *args, **kwargs)

    PollIOLoop.start = start  # type: ignore[method-assign]
    httpclient.HTTPClient.__init__ = __init__  # type: ignore[method-assign]


def cancel_when_time_is_up() -> None:
    """`IOLoop.run_sync` whose time is up cancels the native coroutine, and waits until that has ended."""
    run_sync = IOLoop.run_sync

    def run_and_cancel(self: IOLoop, func: Callable[[], Any], timeout: float | None = None) -> Any:
        if timeout is None:
            return run_sync(self, func)
        tasks: list[Any] = []

        async def run(coroutine: Any) -> Any:
            tasks.append(asyncio.current_task())
            return await coroutine

        def watched() -> Any:
            result = func()
            if result is None:
                return None
            # Another Future, for what ends after its time is up is to stop no later run of the loop.
            outcome.append(Future())
            waited_for = gen.convert_yielded(run(result) if asyncio.iscoroutine(result) else result)
            waited_for.add_done_callback(hand_on)
            return outcome[0]

        def hand_on(done: Any) -> None:
            if outcome:
                chain_future(done, outcome[0])

        outcome: list[Future] = []
        try:
            return run_sync(self, watched, timeout)
        except ioloop.TimeoutError:
            outcome.clear()
            if tasks and not tasks[0].done():
                tasks[0].cancel()
                run_sync(self, lambda: asyncio.wait(tasks))
            raise

    IOLoop.run_sync = run_and_cancel  # type: ignore[method-assign]


def leave_logging_alone() -> None:
    """`IOLoop.start` does not set logging up."""

    def _setup_logging(self: IOLoop) -> None:
        """Nothing: it is the program's."""

    IOLoop._setup_logging = _setup_logging  # type: ignore[method-assign]


def wait_for_periodic() -> None:
    """A PeriodicCallback whose callback is asynchronous waits for it before the next run."""

    def _run(self: Any) -> None:
        if not self._running:
            return
        result = None
        try:
            result = self.callback()
            if result is not None and (is_future(result) or isawaitable(result)):
                result = gen.convert_yielded(result)
            else:
                result = None
        except Exception:
            self.io_loop.handle_callback_exception(self.callback)
        if result is None:
            self._schedule_next()
        else:
            self.io_loop.add_future(result, lambda done: _go_on(self, done))

    PeriodicCallback._run = _run  # type: ignore[method-assign]


def _go_on(periodic: Any, done: Any) -> None:
    try:
        done.result()
    except Exception:
        periodic.io_loop.handle_callback_exception(periodic.callback)
    finally:
        periodic._schedule_next()


def have_one_timeout_error() -> None:
    """The TimeoutErrors of ``gen``, ``ioloop`` and ``util`` are asyncio's."""
    modules: tuple[Any, ...] = (gen, errors, waiting, ioloop, util, testing)
    for module in modules:
        module.TimeoutError = asyncio.TimeoutError
