"""For `tornado4.ioloop`: executors, and periodic callbacks with jitter."""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from tornado4 import ioloop
from tornado4.concurrent import Future, chain_future


class IOLoop(ioloop.IOLoop):
    """Members for IOLoop."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``func(*args)`` in an executor; the Future is resolved on the loop.

        None is the one of `set_default_executor`, or five threads for each CPU.
        """
        if executor is None:
            if not hasattr(self, "_executor"):
                self._executor: Executor = ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) * 5)
            executor = self._executor
        future: Future[Any] = Future()
        self.add_future(executor.submit(func, *args), lambda done: chain_future(done, future))
        return future

    def set_default_executor(self, executor: Executor) -> None:
        """The executor of `run_in_executor` from now on."""
        self._executor = executor


_init = ioloop.PeriodicCallback.__init__
_schedule_next = ioloop.PeriodicCallback._schedule_next


class PeriodicCallback(ioloop.PeriodicCallback):
    """Members for PeriodicCallback."""

    #: Up to this part of the period, each run is earlier or later at random, by half of it either way.
    jitter: float = 0

    def __init__(
        self,
        callback: Callable[[], Any],
        callback_time: datetime.timedelta | float,
        io_loop: Any = None,
        *,
        jitter: float = 0,
    ) -> None:
        """``callback_time`` is in milliseconds, or a `datetime.timedelta`; ``jitter`` a part of it, 0 to 1."""
        if isinstance(callback_time, datetime.timedelta):
            callback_time = callback_time / datetime.timedelta(milliseconds=1)
        _init(self, callback, callback_time, io_loop)
        self.jitter = jitter

    def _schedule_next(self) -> None:
        if not self.jitter or not self._running:
            _schedule_next(self)
            return
        period = self.callback_time
        self.callback_time = period * (1 + self.jitter * (random.random() - 0.5))
        try:
            _schedule_next(self)
        finally:
            self.callback_time = period
