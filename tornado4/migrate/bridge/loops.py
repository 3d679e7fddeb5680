"""One loop for both: the IOLoop of each side stands on one asyncio loop."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tornado4._core.private_asyncio import get_running_loop, has_work, loop_of_policy
from tornado4.ioloop import IOLoop
from tornado4.log import gen_log

_TWO_LOOPS = (
    "Tornado 6 has a loop of its own already, with something scheduled on it that would never run: call "
    "tornado4.migrate.bridge.one_loop() before the first thing that asks for its IOLoop "
    "(a PeriodicCallback, debug=True)"
)


def one_loop() -> IOLoop:
    """Have both sides' ``IOLoop.current()`` stand on one asyncio loop, before it runs; returns ours.

    To be called where the Tornado 6 side asks for its loop before it runs: when it is imported, or with ``debug=True``,
    whose watch over files is a callback of the loop. Not before a fork, as of all loops. Within a running loop there is
    nothing to do.

    :raises RuntimeError: Tornado 6 has a loop already, and something to do on it.
    """
    ours = IOLoop.current()
    if get_running_loop() is None:
        loop: asyncio.AbstractEventLoop = ours.asyncio_loop
        _check(loop)
        asyncio.set_event_loop(loop)
    return ours


def look_for_two_loops() -> None:
    """`one_loop`, where there is a loop of ours already; elsewhere a look at what Tornado 6 has scheduled.

    A server that is about to fork has none yet, and must not be given one.
    """
    if get_running_loop() is None:
        if IOLoop.initialized() or IOLoop.current(instance=False) is not None:
            one_loop()
        else:
            _check(None)
    else:
        try:
            _check(asyncio.get_running_loop())
        except RuntimeError as error:
            gen_log.error("%s", error)


def _check(ours: Any) -> None:
    theirs = _loop_set()
    if theirs is None or theirs is ours or theirs.is_running() or theirs.is_closed():
        return
    if has_work(theirs):
        raise RuntimeError(_TWO_LOOPS)


def _loop_set() -> Any:
    """asyncio's current loop of this thread, where there is one; asking asyncio itself would make one, before 3.14."""
    if sys.version_info < (3, 14):
        return loop_of_policy(asyncio.get_event_loop_policy())
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        return None
