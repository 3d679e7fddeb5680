"""`SelectIOLoop`: the IOLoop over ``select.select``, for systems that have nothing better."""

from __future__ import annotations

import select
from typing import Any

from tornado4 import _handed_on
from tornado4.ioloop import IOLoop, PollIOLoop

__all__ = ["IOLoop", "PollIOLoop", "SelectIOLoop"]

#: In the order of select()'s arguments.
_BITS = (IOLoop.READ, IOLoop.WRITE, IOLoop.ERROR)


class _Select:
    """``select.select`` behind the interface of ``select.epoll``."""

    def __init__(self) -> None:
        self.read_fds: set[int] = set()
        self.write_fds: set[int] = set()
        self.error_fds: set[int] = set()
        self.fd_sets = (self.read_fds, self.write_fds, self.error_fds)

    def close(self) -> None:
        """There is nothing to close."""

    def register(self, fd: int, events: int) -> None:
        """Watch a descriptor; `OSError` when it is watched already."""
        if any(fd in fds for fds in self.fd_sets):
            raise OSError(f"fd {fd} already registered")
        # select() has no hang-up event: it tells of a closed connection as readable. To a descriptor that is
        # watched for errors alone nothing else would ever happen.
        if events & IOLoop.ERROR and not events & (IOLoop.READ | IOLoop.WRITE):
            events |= IOLoop.READ
        for bit, fds in zip(_BITS, self.fd_sets, strict=True):
            if events & bit:
                fds.add(fd)

    def modify(self, fd: int, events: int) -> None:
        """Watch for other events."""
        self.unregister(fd)
        self.register(fd, events)

    def unregister(self, fd: int) -> None:
        """Stop watching; not an error when it was not watched."""
        for fds in self.fd_sets:
            fds.discard(fd)

    def poll(self, timeout: float) -> Any:
        """Wait up to ``timeout`` seconds; return pairs of descriptor and events."""
        found: dict[int, int] = {}
        for bit, fds in zip(_BITS, select.select(*self.fd_sets, timeout), strict=True):
            for fd in fds:
                found[fd] = found.get(fd, 0) | bit
        return found.items()


class SelectIOLoop(PollIOLoop):
    """A `PollIOLoop` over ``select.select``."""

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Make the poller; the arguments are `PollIOLoop`'s."""
        super().initialize(impl=_Select(), **kwargs)

_handed_on.complete(globals())
