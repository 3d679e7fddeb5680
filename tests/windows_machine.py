"""What Python on Windows lacks, taken from this one: import it first, in a process of its own.

It shows what runs without these names and modules. How Windows behaves it cannot show: sockets, paths, processes and
signals are those of the system beneath.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import importlib
import os
import select
import selectors
import signal
import socket
import sys
import types
from typing import Any, NoReturn

#: Not there at all.
MODULES = "fcntl grp pty pwd readline resource syslog termios tty _curses curses crypt nis spwd".split()

#: Names that the standard library has on Unix alone, but for what its own `subprocess` goes on with here.
OS = (
    "chown fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getpriority getsid getuid killpg "
    "lchown mkfifo mknod nice openpty pipe2 posix_fadvise posix_fallocate pread preadv pwrite "
    "pwritev readv register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile set_blocking setegid "
    "seteuid setgid setgroups setpgid setpriority setsid setuid sysconf ttyname uname wait wait3 wait4 waitid writev "
    "pidfd_open memfd_create eventfd WNOHANG WUNTRACED WIFSIGNALED WIFEXITED WEXITSTATUS WTERMSIG WIFSTOPPED "
    "O_NONBLOCK O_CLOEXEC"
).split()
SIGNALS = (
    "SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSTOP "
    "SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ ITIMER_PROF "
    "ITIMER_REAL ITIMER_VIRTUAL alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending "
    "sigtimedwait sigwait sigwaitinfo"
).split()
SOCKET = "AF_UNIX SO_REUSEPORT sendmsg recvmsg CMSG_LEN SCM_RIGHTS send_fds recv_fds AF_NETLINK AF_PACKET".split()
SELECT = "epoll poll kqueue kevent devpoll".split()
SELECTORS = "EpollSelector PollSelector KqueueSelector DevpollSelector".split()

#: What it has besides.
ERRNO = {
    "WSAEWOULDBLOCK": 10035,
    "WSAEINPROGRESS": 10036,
    "WSAECONNABORTED": 10053,
    "WSAECONNRESET": 10054,
    "WSAETIMEDOUT": 10060,
}


class _Absent:
    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError("not on Windows")


class ProactorEventLoop(asyncio.SelectorEventLoop):
    """asyncio's own sockets work on it; descriptors cannot be watched."""

    def add_reader(self, *args: Any) -> NoReturn:
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader


def socketpair(*_: Any) -> tuple[socket.socket, socket.socket]:
    """Over TCP, as Python makes it there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = socket.create_connection(listening.getsockname())
        other, _address = listening.accept()
    return one, other


def _no_signal_handlers(self: Any, *args: Any) -> NoReturn:
    raise NotImplementedError


def _import_the_rest() -> None:
    """The modules that look at the system when they are imported are to see the one that there is."""
    for name in sys.stdlib_module_names - {"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo", "test"}:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for name in (
        "asyncio.subprocess concurrent.futures.process email.message importlib.metadata importlib.resources "
        "logging.handlers multiprocessing.context multiprocessing.spawn multiprocessing.popen_spawn_posix "
        "unittest.mock urllib.request xml.etree.ElementTree"
    ).split():
        importlib.import_module(name)


def _take_away() -> None:
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in ((os, OS), (signal, SIGNALS), (socket, SOCKET), (select, SELECT), (selectors, SELECTORS)):
        for name in names:
            vars(module).pop(name, None)
    socket.socket.sendmsg = socket.socket.recvmsg = _Absent()  # type: ignore[assignment,method-assign]
    socket.socketpair = socketpair  # type: ignore[assignment]
    selectors.DefaultSelector = selectors.SelectSelector  # type: ignore[misc,assignment]
    asyncio.SelectorEventLoop.add_signal_handler = _no_signal_handlers  # type: ignore[method-assign]
    vars(errno).update(ERRNO)
    kernel = types.SimpleNamespace(SetHandleInformation=lambda *_: 1)
    vars(ctypes).update(windll=types.SimpleNamespace(kernel32=kernel), WinError=OSError)
    asyncio.ProactorEventLoop = ProactorEventLoop  # type: ignore[attr-defined]
    _keep_paths()
    sys.platform, os.name = "win32", "nt"


def _keep_paths() -> None:
    """`pathlib` would make paths of Windows, and refuses to do that here."""
    beneath = types.ModuleType("os")
    vars(beneath).update(vars(os), name=os.name)
    for module in ("pathlib", "pathlib._local"):
        if module in sys.modules:
            sys.modules[module].os = beneath  # type: ignore[attr-defined]


_import_the_rest()
_take_away()
