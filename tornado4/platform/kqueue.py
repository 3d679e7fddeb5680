"""`KQueueIOLoop`: the IOLoop over ``select.kqueue``, the default on BSD and macOS."""

from __future__ import annotations

import select
from typing import Any

from tornado4.ioloop import IOLoop, PollIOLoop

__all__ = ["IOLoop", "KQueueIOLoop", "PollIOLoop"]

# As in 4.5.3 this module can be imported only where there is a kqueue.
assert hasattr(select, "kqueue"), "kqueue not supported"


class _KQueue:
    """``select.kqueue`` behind the interface of ``select.epoll``."""

    def __init__(self) -> None:
        self._select: Any = select
        self._kqueue: Any = self._select.kqueue()
        self._active: dict[int, int] = {}

    def fileno(self) -> int:
        """The descriptor of the queue."""
        return int(self._kqueue.fileno())

    def close(self) -> None:
        """Close the queue."""
        self._kqueue.close()

    def register(self, fd: int, events: int) -> None:
        """Watch a descriptor; `OSError` when it is watched already."""
        if fd in self._active:
            raise OSError(f"fd {fd} already registered")
        self._change(fd, events, self._select.KQ_EV_ADD)
        self._active[fd] = events

    def modify(self, fd: int, events: int) -> None:
        """Watch for other events."""
        self.unregister(fd)
        self.register(fd, events)

    def unregister(self, fd: int) -> None:
        """Stop watching; `KeyError` when it was not watched."""
        self._change(fd, self._active.pop(fd), self._select.KQ_EV_DELETE)

    def _change(self, fd: int, events: int, flags: int) -> None:
        """Add or delete the filters of a set of events, one call each: a failure shows at once."""
        filters = []
        if events & IOLoop.WRITE:
            filters.append(self._select.KQ_FILTER_WRITE)
        if events & IOLoop.READ or not filters:
            # Reading is always watched unless writing is: errors and hang-ups show up there.
            filters.append(self._select.KQ_FILTER_READ)
        for each in filters:
            self._kqueue.control([self._select.kevent(fd, filter=each, flags=flags)], 0)

    def poll(self, timeout: float) -> Any:
        """Wait up to ``timeout`` seconds; return pairs of descriptor and events."""
        found: dict[int, int] = {}
        for event in self._kqueue.control(None, 1000, timeout):
            bits = IOLoop.ERROR if event.flags & self._select.KQ_EV_ERROR else 0
            if event.filter == self._select.KQ_FILTER_READ:
                bits |= IOLoop.READ
            elif event.filter == self._select.KQ_FILTER_WRITE:
                # End of file on the writing side: the connection was refused, or is gone.
                bits |= IOLoop.ERROR if event.flags & self._select.KQ_EV_EOF else IOLoop.WRITE
            found[event.ident] = found.get(event.ident, 0) | bits
        return found.items()


class KQueueIOLoop(PollIOLoop):
    """A `PollIOLoop` over ``kqueue``."""

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Make the poller; the arguments are `PollIOLoop`'s."""
        super().initialize(impl=_KQueue(), **kwargs)
