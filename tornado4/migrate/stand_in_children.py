"""The child watchers of asyncio, which Python 3.14 dropped: loops wait for their children, in whatever thread they run.

Programs of the time attached one to their loop, and some asked it to call them when a child ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from tornado4._core.private_asyncio import get_running_loop

__all__ = ["ChildWatcher", "get_child_watcher", "set_child_watcher"]


class ChildWatcher:
    """``asyncio.AbstractChildWatcher`` and all that were made of it: one thread waits for one child."""

    def __init__(self) -> None:
        self._callbacks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

    def attach_loop(self, loop: Any) -> None:
        """Nothing: loops wait for their children without it."""

    def is_active(self) -> bool:
        """True: it needs nothing to be so."""
        return True

    def close(self) -> None:
        """Call nobody any more."""
        self._callbacks.clear()

    def __enter__(self) -> ChildWatcher:
        return self

    def __exit__(self, *error: object) -> None:
        """As in asyncio, where leaving closed nothing."""

    def add_child_handler(self, pid: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback(pid, returncode, *args)`` when the child ends, in the loop that runs here; a signal's number
        is negative. Without a running loop, in a thread."""
        loop = get_running_loop()
        self._callbacks[pid] = callback if loop is None else partial(loop.call_soon_threadsafe, callback), args
        threading.Thread(target=self._wait, args=(pid,), name=f"waitpid-{pid}", daemon=True).start()

    def remove_child_handler(self, pid: int) -> bool:
        """Do not call for this child. Whether somebody would have been called."""
        return self._callbacks.pop(pid, None) is not None

    def _wait(self, pid: int) -> None:
        try:
            _, status = os.waitpid(pid, 0)
        except ChildProcessError:
            returncode = 255  # somebody else has waited for it: asyncio said this, too
        else:
            returncode = os.waitstatus_to_exitcode(status)
        callback, args = self._callbacks.pop(pid, (None, ()))
        if callback is not None:
            callback(pid, returncode, *args)


_watcher = ChildWatcher()


def get_child_watcher() -> Any:
    """``asyncio.get_child_watcher``: the one that was set, else the one that there always is."""
    return _watcher


def set_child_watcher(watcher: Any) -> None:
    """``asyncio.set_child_watcher``."""
    global _watcher
    _watcher = watcher
