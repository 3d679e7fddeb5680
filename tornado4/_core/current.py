"""Which loop is current in this thread, for modules that lie below `tornado4.ioloop`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from tornado4._core.private_asyncio import get_running_loop


class _Current(threading.local):
    """What ``IOLoop._current`` is, as in 4.5.3: the thread's current IOLoop is its ``instance``."""

    instance: Any = None


current = _Current()


class _Manner(threading.local):
    """How this thread runs native coroutines. `tornado4.wsgi` sets ``without_loop`` during a request."""

    without_loop = False


manner = _Manner()

_find_loop: Callable[[], asyncio.AbstractEventLoop] | None = None


def set_loop_finder(finder: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Says how to find the asyncio loop of ``IOLoop.current()`` (`tornado4.ioloop` does, at import)."""
    global _find_loop
    _find_loop = finder


def asyncio_loop() -> asyncio.AbstractEventLoop:
    """The asyncio loop that runs in this thread, else the one behind this thread's current IOLoop.

    Raises `RuntimeError` if no loop is running and `tornado4.ioloop` has not been imported.
    """
    loop = get_running_loop()
    if loop is not None:
        return loop
    if _find_loop is None:
        raise RuntimeError("no running event loop, and tornado4.ioloop is not imported")
    return _find_loop()
