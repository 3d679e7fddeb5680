"""Time that goes by when a test says so: no test has to be quicker, or slower, than a limit of milliseconds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tornado4._http1 import idle_pool, pump

_passed = 0.0


class _Clock:
    """The module ``time``, with what has been passed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        return time.monotonic() + _passed


@pytest.fixture
def passing_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pass_time` reaches what counts by the monotonic clock as well: how long a connection is idle."""
    for module in (idle_pool, pump):
        monkeypatch.setattr(module, "time", _Clock())


def pass_time(io_loop: Any, seconds: float) -> None:
    """``seconds`` go by at once on the clock of a loop: its timeouts that are due within them are due now."""
    global _passed
    _passed += seconds
    before = io_loop.time_func
    io_loop.time_func = lambda: before() + seconds
