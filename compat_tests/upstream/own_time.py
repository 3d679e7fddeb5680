"""Time that passes only while this process works, or waits as long as it wanted to.

Some of Tornado's own tests have limits of milliseconds (a callback from another thread within 100, the next round
within five): true of a process that has a processor to itself, and of any process by this clock. What it waits for its
turn on a busy machine does not count; the processor's time does, and so do ``time.sleep`` and a poll that nothing ended
before its time was up.
"""

from __future__ import annotations

import select
import time
from typing import Any

_waited = 0.0


def install() -> None:
    """For the loop over epoll; before anything of tornado4 is imported."""
    begun, began, slept = time.time(), time.monotonic(), time.sleep

    def passed() -> float:
        return time.process_time() + _waited

    def sleep(seconds: float) -> None:
        slept(seconds)
        _add(seconds)

    time.time = lambda: begun + passed()
    time.monotonic = lambda: began + passed()
    time.sleep = sleep
    select.epoll = _Poll  # type: ignore[assignment,misc]


def _add(seconds: float) -> None:
    global _waited
    _waited += seconds


class _Poll:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._epoll = _EPOLL(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._epoll, name)

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> Any:
        events = self._epoll.poll(timeout, maxevents)
        if not events and timeout is not None and timeout > 0:
            _add(timeout)
        return events


_EPOLL: Any = getattr(select, "epoll", None)
