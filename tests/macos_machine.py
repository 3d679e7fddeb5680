"""What differs on macOS, put in place of this system's: import it first, in a process of its own.

``kqueue`` instead of ``epoll``, with its filters and flags, on top of the real ``epoll``; numbers of errors; no
``sched_getaffinity``; ``sendfile`` that may send nothing of a file. How macOS behaves beyond that it cannot show.
"""

from __future__ import annotations

import errno
import importlib
import os
import select
import selectors
import sys
import sysconfig
from typing import Any, NamedTuple

READ, WRITE = -1, -2
ADD, DELETE, ERROR, EOF = 0x0001, 0x0002, 0x4000, 0x8000

_epoll: Any = select.epoll
_IN, _OUT, _HUP, _ERR = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP, select.EPOLLERR
_RDHUP = select.EPOLLRDHUP


class kevent(NamedTuple):
    """``select.kevent``."""

    ident: int
    filter: int = READ
    flags: int = ADD
    fflags: int = 0
    data: int = 0
    udata: int = 0


class kqueue:
    """``select.kqueue``: two filters a descriptor, each of which is an event of its own."""

    def __init__(self) -> None:
        self._epoll = _epoll()
        self._filters: dict[int, set[int]] = {}

    def fileno(self) -> int:
        number: int = self._epoll.fileno()
        return number

    def close(self) -> None:
        self._epoll.close()

    def control(self, changes: Any, most: int, timeout: float | None = None) -> list[kevent]:
        """Changes first; then events, at most so many."""
        for change in changes or ():
            self._change(change)
        if not most:
            return []
        found = []
        for fd, events in self._epoll.poll(-1 if timeout is None else timeout):
            gone = events & (_HUP | _ERR)
            filters = self._filters.get(fd, set())
            if READ in filters and (events & _IN or gone):
                found.append(kevent(fd, READ, EOF if events & (_RDHUP | _HUP | _ERR) else 0))
            if WRITE in filters and (events & _OUT or gone):
                found.append(kevent(fd, WRITE, EOF if gone else 0))
        return found[:most]

    def _change(self, change: kevent) -> None:
        filters = self._filters.setdefault(change.ident, set())
        was = bool(filters)
        if change.flags & ADD:
            filters.add(change.filter)
        elif change.filter in filters:
            filters.discard(change.filter)
        else:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        mask = (_IN | _RDHUP if READ in filters else 0) | (_OUT if WRITE in filters else 0)
        if not filters:
            self._epoll.unregister(change.ident)
        elif was:
            self._epoll.modify(change.ident, mask)
        else:
            self._epoll.register(change.ident, mask)


def _put_in_place() -> None:
    for name in ("EpollSelector",):
        vars(selectors).pop(name)
    for name in ("epoll", *[name for name in vars(select) if name.startswith("EPOLL")]):
        vars(select).pop(name)
    vars(select).update(
        kqueue=kqueue,
        kevent=kevent,
        KQ_FILTER_READ=READ,
        KQ_FILTER_WRITE=WRITE,
        KQ_EV_ADD=ADD,
        KQ_EV_DELETE=DELETE,
        KQ_EV_ERROR=ERROR,
        KQ_EV_EOF=EOF,
    )
    selectors.DefaultSelector = selectors.PollSelector  # type: ignore[misc]
    for name in ("sched_getaffinity", "sched_setaffinity", "pidfd_open", "pipe2", "posix_fadvise", "memfd_create"):
        vars(os).pop(name, None)
    vars(errno).update(ENOTSUP=45, EPROTOTYPE=41)
    sys.platform = "darwin"


for _name in "asyncio multiprocessing.spawn asyncio.subprocess ctypes subprocess tempfile urllib.request".split():
    importlib.import_module(_name)
sysconfig.get_config_vars()  # of this system: those of the other have no file here
_put_in_place()
