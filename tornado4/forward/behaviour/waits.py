"""Locks and queues as of 6.6: a limit of 0 is one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from tornado4 import locks, queues

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
