"""One time limit for many who wait: a single timer of the loop, however many there are.

For what a peer must have done within some time (sent a head, finished a handshake). All who wait have the same number
of seconds, so the order in which they began is the order in which they are due, and to begin or to end costs one
entry of a dictionary.
"""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import Callable
from typing import Any

from tornado4.stack_context import NullContext

#: The timer runs at most this many times within the limit: who is late may be found out by this part of it later.
_ROUNDS = 20


class Deadlines:
    """Those on one loop who have ``seconds`` for what they do; see `deadlines_of`."""

    def __init__(self, io_loop: Any, seconds: float) -> None:
        self.seconds = seconds
        # Weak: the loop's entry in `_ALL` leads here, and must not keep the loop alive.
        self._io_loop = weakref.ref(io_loop)
        self._waiting: dict[object, tuple[float, Callable[[], None]]] = {}
        self._timer: Any = None

    def begin(self, who: object, expired: Callable[[], None]) -> None:
        """``expired()`` will be called once, from the loop, unless ``end(who)`` is called within ``seconds``."""
        io_loop = self._io_loop()
        assert io_loop is not None
        self._waiting[who] = (io_loop.time() + self.seconds, expired)
        if self._timer is None:
            self._arm(self.seconds)

    def end(self, who: object) -> None:
        """``who`` waits no longer; no error if it did not."""
        self._waiting.pop(who, None)
        if not self._waiting and self._timer is not None:
            io_loop = self._io_loop()
            if io_loop is not None:
                io_loop.remove_timeout(self._timer)
            self._timer = None

    def __len__(self) -> int:
        return len(self._waiting)

    def _arm(self, delay: float) -> None:
        io_loop = self._io_loop()
        assert io_loop is not None
        # The timer is everybody's: nothing of whoever came first may be kept in it.
        with NullContext():
            self._timer = contextvars.Context().run(io_loop.call_later, delay, self._on_timer)

    def _on_timer(self) -> None:
        io_loop = self._io_loop()
        assert io_loop is not None
        self._timer = None
        now = io_loop.time()
        late = []
        for who, (deadline, expired) in self._waiting.items():
            if deadline > now:
                self._arm(max(deadline - now, self.seconds / _ROUNDS))
                break
            late.append((who, expired))
        for who, expired in late:
            # One of them may end another.
            if self._waiting.pop(who, None) is not None:
                expired()


_ALL: weakref.WeakKeyDictionary[Any, dict[float, Deadlines]] = weakref.WeakKeyDictionary()


def deadlines_of(io_loop: Any, seconds: float) -> Deadlines:
    """The `Deadlines` of that many seconds on that loop; made when first asked for."""
    of_loop = _ALL.setdefault(io_loop, {})
    if seconds not in of_loop:
        of_loop[seconds] = Deadlines(io_loop, seconds)
    return of_loop[seconds]
