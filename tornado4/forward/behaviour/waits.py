"""Locks and queues as of 6.6, where a limit of 0 is one; executors as of 5.0."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from typing import Any

from tornado4 import concurrent, locks, queues
from tornado4.concurrent import Future, chain_future
from tornado4.forward.behaviour.futures import take_no_limits
from tornado4.ioloop import IOLoop

#: A time that is long past, and not zero: whoever waits until then waits for a turn of the loop.
_LONG_AGO = 1e-9
_LIMITED: tuple[tuple[Any, str], ...] = (
    (locks.Condition, "wait"),
    (locks.Event, "wait"),
    (locks.Semaphore, "acquire"),
    (queues.Queue, "get"),
)
_put = queues.Queue.put


def take_zero_as_a_limit() -> None:
    """``timeout=0`` waits for nothing, where it was no limit."""
    for owner, name in _LIMITED:
        setattr(owner, name, _limited(getattr(owner, name)))

    def put(self: Any, item: Any, timeout: Any = None) -> Any:
        return _put(self, item, _as_limit(timeout))

    queues.Queue.put = put  # type: ignore[method-assign]


def _as_limit(timeout: Any) -> Any:
    return _LONG_AGO if timeout is not None and (timeout == 0 or timeout == datetime.timedelta(0)) else timeout


def _limited(original: Callable[..., Any]) -> Any:
    def method(self: Any, timeout: Any = None) -> Any:
        return original(self, _as_limit(timeout))

    return method


def give_futures_of_the_loop() -> None:
    """`run_on_executor` gives a `Future` that is resolved on the loop, and no Future takes a time-out.

    For later decorations.
    """
    take_no_limits()

    def run_on_executor(*args: Any, **kwargs: Any) -> Any:
        executor_name = kwargs.get("executor", "executor")

        def decorate(fn: Callable[..., Any]) -> Any:
            @functools.wraps(fn)
            def submit(self: Any, *args: Any, **kwargs: Any) -> Future:
                future = Future()
                loop: Any = IOLoop.current()
                submitted = getattr(self, executor_name).submit(fn, self, *args, **kwargs)
                loop.add_future(submitted, lambda done: chain_future(done, future))
                return future

            return submit

        if args and kwargs:
            raise ValueError("cannot combine positional and keyword args")
        if len(args) > 1:
            raise ValueError("expected 1 argument, got %d", len(args))
        return decorate(*args) if args else decorate

    run_on_executor.__module__ = "tornado4.concurrent"
    concurrent.run_on_executor = run_on_executor
