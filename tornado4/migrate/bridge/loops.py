"""One loop for both: the IOLoop of each side stands on one asyncio loop."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tornado4.ioloop import IOLoop

_TWO_LOOPS = (
    "Tornado 6 has a loop of its own already, with something scheduled on it that would never run: call "
    "tornado4.migrate.bridge.one_loop() before the first thing that asks for its IOLoop "
    "(a PeriodicCallback, debug=True)"
)


def one_loop() -> IOLoop:
    """Have both sides' ``IOLoop.current()`` stand on one asyncio loop, before it runs; returns ours.

    `Tornado6` does this by itself. To be called first, where the Tornado 6 side asks for its loop before that: when it
    is imported, or with ``debug=True``, whose watch over files is a callback of the loop. Within a running loop there
    is nothing to do.

    :raises RuntimeError: Tornado 6 has a loop already, and something to do on it.
    """
    running = asyncio._get_running_loop()
    ours = IOLoop.current()
    if running is None:
        loop: asyncio.AbstractEventLoop = ours.asyncio_loop
        theirs = _loop_set()
        if theirs is not None and theirs is not loop and _has_work(theirs):
            raise RuntimeError(_TWO_LOOPS)
        asyncio.set_event_loop(loop)
    return ours


def _loop_set() -> Any:
    """asyncio's current loop of this thread, where there is one; asking asyncio itself would make one, before 3.14."""
    if sys.version_info < (3, 14):
        local = getattr(asyncio.get_event_loop_policy(), "_local", None)
        return getattr(local, "_loop", None)
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        return None


def _has_work(loop: Any) -> bool:
    """Whether anything waits for the loop to run; of uvloop's it cannot be told."""
    if loop.is_closed():
        return False
    return bool(getattr(loop, "_ready", None) or getattr(loop, "_scheduled", None))
