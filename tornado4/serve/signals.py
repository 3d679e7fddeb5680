"""Signals from before anybody can connect: none ends the process by its default action, and none is lost.

What listens can be connected to, long before the application is imported. So handlers are there before the sockets
are; what comes before there is somebody to obey is kept. Where a process cannot have handlers (in the moment after a
fork or an exec) the kernel holds the signals back, and the mask of held signals passes both.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any

from tornado4.ioloop import IOLoop


def known(*names: str) -> tuple[int, ...]:
    """The numbers of those signals that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


#: Those that drain, and those that end a process in one way or another.
_PATIENT = known("SIGTERM", "SIGINT")
ENDING = _PATIENT + known("SIGQUIT")
#: What one process obeys.
OF_ONE = ENDING + known("SIGHUP")
#: What a master obeys.
OF_SEVERAL = OF_ONE + known("SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2", "SIGCHLD")


class Signals:
    """The signals that this process obeys, from now on.

    They are kept in ``received`` until `attach` says what each of them does. Until then a second one that ends ends at
    once (an import may hang), as SIGQUIT does.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)
        self.received: list[int] = []
        self._loop: IOLoop | None = None
        self._actions: Mapping[int, Callable[[], Any]] = {}
        self._waited_for = False
        self._left: list[int] = []
        self._patience: list[float] = []
        self._pid = os.getpid()
        for number in self.numbers:
            signal.signal(number, self._on_signal)
        release(self.numbers)

    def attach(
        self, loop: IOLoop, actions: Mapping[int, Callable[[], Any]], patience: tuple[float, float] | None = None
    ) -> None:
        """Have each signal call what ``actions`` has for it, on the loop: those that have come already first.

        Handlers that the application has set while it was imported go.

        :arg patience: the seconds after the first signal that ends, and after the second, that the process may still be
            there: a loop that is blocked obeys nothing, and threads that do not end hold the interpreter up. None where
            somebody else sees to that.
        """
        self._patience = list(patience or ())
        self._actions = actions
        self._loop = loop
        for number in actions:
            signal.signal(number, self._on_signal)
        loop.add_callback(self._obey)

    def wait_by_oneself(self) -> None:
        """Whoever made this looks at ``received``; nothing ends at once any more."""
        self._waited_for = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a process that the application has forked, whose handlers these are as well
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        again = any(each in ENDING for each in self.received)
        impatient = number in ENDING and (again or number not in _PATIENT)
        self.received.append(number)
        if self._loop is not None:
            if number in ENDING and self._patience:
                # Of the plainest kind: a `threading.Thread` takes locks that the code which we interrupt may have.
                _thread.start_new_thread(_end_after, (self._patience.pop(0),))
            self._loop.add_callback_from_signal(self._obey)
        elif impatient and not self._waited_for:
            os.write(2, b"tornado4 serve: ended before the application was imported\n")
            os._exit(128 + number)

    def _obey(self) -> None:
        while self.received:
            self._actions[self.received.pop(0)]()

    def leave(self, number: int) -> None:
        """This signal is for the next program."""
        self._left.append(number)

    def hand_on(self) -> None:
        """Before an exec: the next program finds those that nobody has obeyed yet, and those that come from now on.

        But for SIGHUP: to become the next program is what it asks for.

        Threads of the application do not hold anything back. What one of them takes in the last instant is seen by no
        one, as is what comes to any program before it has begun.
        """
        if hold(self.numbers):
            for number in {*self.received, *self._left} - set(known("SIGHUP")):
                signal.pthread_kill(threading.get_ident(), number)


def _end_after(seconds: float) -> None:
    """Whatever the main thread does. It has been asked to end."""
    time.sleep(seconds)
    os.write(2, b"tornado4 serve: the process does not end by itself: killed\n")
    os._exit(1)


def hold(numbers: Iterable[int]) -> bool:
    """Have the kernel keep these signals of this thread; False where it cannot (Windows)."""
    if not hasattr(signal, "pthread_sigmask"):
        return False
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    return True


def release(numbers: Iterable[int]) -> None:
    """Take what was kept, and keep no more."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@contextlib.contextmanager
def held(numbers: Iterable[int]) -> Iterator[None]:
    """`hold` for a block, a fork say."""
    numbers = tuple(numbers)
    hold(numbers)
    try:
        yield
    finally:
        release(numbers)
