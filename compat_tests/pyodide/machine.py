"""What stands in for a machine that has no sockets, processes and threads: a selector and a pair of sockets in memory.

They are enough for an event loop to run callbacks and timers. Whoever asks for more is skipped, and says for what.
"""

from __future__ import annotations

import asyncio
import collections
import importlib
import os
import pkgutil
import select
import selectors
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

#: Packages of the extras, without which some modules cannot be imported.
EXTRAS = frozenset(
    "gunicorn libcst opentelemetry prometheus_client pycares pycurl sentry_sdk setuptools twisted".split()
)
#: Modules for other machines.
ELSEWHERE = frozenset({"tornado4.platform.kqueue", "tornado4.speedups"})

#: What runs there: the modules that need no socket, process or thread, and the loop's.
FILES = [
    "tests/wire",
    *(
        f"tests/test_{name}.py"
        for name in (
            "util escape gen futures concurrent locks queues options locale template httputil routing route_index "
            "stack_context log web_cookies web_signing switches patterns ioloop"
        ).split()
    ),
]

#: Tests that ask the stand-ins for more than they are, and for what.
BEYOND = {
    "tests/test_futures.py::test_result_that_another_thread_sets_wakes_the_task": "a thread",
    "tests/test_ioloop.py::test_callbacks_of_asyncio_run_and_can_be_cancelled": "a thread",
    "tests/test_ioloop.py::test_signals_write_to_the_loops_own_socket_while_it_runs_as_in_453": "a signal",
    "tests/test_ioloop.py::test_exceptions_of_handlers_are_logged_except_a_broken_pipe": "a socket's errors",
    "tests/test_ioloop.py::test_asyncio_streams_and_our_handlers_share_a_loop": "a socket that asyncio's streams take",
    "tests/test_ioloop.py::test_a_closed_loop_takes_callbacks_in_silence_and_refuses_the_rest_as_in_453": "an epoll",
    "tests/test_locale.py::TestGettext::test_files_that_cannot_be_read_are_logged_and_left_out": "permissions",
    "tests/test_patterns.py::test_groups_are_not_repeated_possessively": "all modules, setuptools' among them",
}

MOST_ROUNDS = 50_000
PATIENCE = 30  # seconds: who waits for longer waits for something from outside

OPTIONS = [
    *("-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:unraisableexception"),
    *("-W", "ignore:Module already imported"),
]


def imports(_: list[str]) -> int:
    """Import every module, with warnings as errors. The exit code."""
    import tornado4

    warnings.simplefilter("error")
    left_out, failed = [], []
    names = [module.name for module in pkgutil.walk_packages(tornado4.__path__, "tornado4.")]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            missing = (getattr(error, "name", None) or "").partition(".")[0]
            if name in ELSEWHERE or (isinstance(error, ModuleNotFoundError) and missing in EXTRAS):
                left_out.append(name)
            else:
                failed.append(f"{name}\n{traceback.format_exc()}")
    done = len(names) - len(left_out) - len(failed)
    print(f"Python {sys.version.split()[0]}: {done} of {len(names)} modules imported; not for here:", *left_out)
    print("\n".join(failed))
    return int(bool(failed))


def tests(arguments: list[str]) -> int:
    """Run pytest with the stand-ins in place. The exit code."""
    import pytest

    os.chdir("/tree")
    plugin = Machine()
    plugin.install()
    return int(pytest.main([*OPTIONS, *(arguments or FILES)], plugins=[plugin]))


class Machine:
    """A pytest plugin: the stand-ins, and a skip where one asks for what is not there."""

    def __init__(self) -> None:
        self.missed = ""
        self.rounds = 0

    def install(self) -> None:
        """Put the stand-ins where the standard library has the real ones."""
        import subprocess
        import threading

        selectors.DefaultSelector = MemorySelector  # type: ignore[misc,assignment]
        selectors.SelectSelector = MemorySelector  # type: ignore[misc,assignment]
        MemorySelector.machine = self
        socket.socketpair = Pair.both  # type: ignore[assignment]
        select.select = self._select
        signal.set_wakeup_fd = lambda number, **_: -1  # type: ignore[misc]
        # Pyodide has asyncio run on the page's loop, which cannot be run from here.
        asyncio.run = asyncio.runners.run
        asyncio._set_running_loop(None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
        for holder, name, what in (
            (socket, "socket", "a socket"),
            (socket, "create_connection", "a socket"),
            (socket, "getaddrinfo", "a resolver"),
            (subprocess, "Popen", "a process"),
            (threading.Thread, "start", "a thread"),
            (os, "fork", "a process"),
            (os, "kill", "a signal"),
            (asyncio.SelectorEventLoop, "add_signal_handler", "a signal"),
        ):
            if isinstance(getattr(holder, name, None), type):
                setattr(holder, name, self._missing_class(getattr(holder, name), what))
            else:
                setattr(holder, name, self._missing(what))

    def _missing(self, what: str) -> Callable[..., NoReturn]:
        def missing(*_: Any, **__: Any) -> NoReturn:
            self.miss(what)

        return missing

    def _missing_class(self, real: type, what: str) -> type:
        """Still a class: others inherit from it, and ask isinstance()."""
        return type(real.__name__, (real,), {"__init__": self._missing(what), "__module__": real.__module__})

    def _select(
        self, reading: Sequence[int], writing: Sequence[int], failing: Sequence[int], timeout: float | None = None
    ) -> tuple[list[int], list[int], list[int]]:
        """``select.select``, for numbers of `Pair`."""
        selector = MemorySelector()
        for number in {*reading, *writing}:
            events = selectors.EVENT_READ * (number in reading) | selectors.EVENT_WRITE * (number in writing)
            selector.register(number, events)
        ready = {key.fd: events for key, events in selector.select(timeout)}
        return (
            [number for number in reading if ready.get(number, 0) & selectors.EVENT_READ],
            [number for number in writing if ready.get(number, 0) & selectors.EVENT_WRITE],
            [],
        )

    def miss(self, what: str) -> NoReturn:
        """Skip the test: it asked for what is not there."""
        import pytest

        self.missed = what
        pytest.skip(f"needs {what}")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out what asks for more."""
        import pytest

        for item in items:
            what = BEYOND.get(item.nodeid.partition("[")[0])
            if what:
                item.add_marker(pytest.mark.skip(reason=f"needs {what}"))

    def pytest_runtest_setup(self) -> None:
        self.missed = ""
        self.rounds = 0

    def count(self) -> None:
        """One more round of a selector: more than all tests make together are a loop without end."""
        import pytest

        self.rounds += 1
        if self.rounds > MOST_ROUNDS:
            pytest.fail("it turns, and waits for what cannot come")


class MemorySelector(selectors.BaseSelector):
    """Knows which `Pair` has something to read; waits by sleeping."""

    machine: Machine

    def __init__(self) -> None:
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        if number in self._keys:
            raise KeyError(f"{fileobj!r} is already registered")
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._keys[number] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.machine.count()
        ready = []
        for number, key in self._keys.items():
            end = Pair.open.get(number)
            if end is None:
                self.machine.miss("a descriptor that is watched")
            events = key.events & (selectors.EVENT_WRITE | (selectors.EVENT_READ if end.incoming else 0))
            if events:
                ready.append((key, events))
        if not ready and (timeout is None or timeout > PATIENCE):
            self.machine.miss(self.machine.missed or "something from outside, for which it waits")
        if not ready and timeout and timeout > 0:
            time.sleep(timeout)
        return ready

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        self._keys.clear()


class Pair:
    """One end of a pair of sockets in memory."""

    open: dict[int, Pair] = {}
    _numbers = iter(range(10_000, 1_000_000_000))

    def __init__(self) -> None:
        self.incoming: collections.deque[bytes] = collections.deque()
        self.peer: Pair = self
        self._number = next(self._numbers)
        self.open[self._number] = self

    @classmethod
    def both(cls, *_: Any) -> tuple[Pair, Pair]:
        one, other = cls(), cls()
        one.peer, other.peer = other, one
        return one, other

    def fileno(self) -> int:
        return self._number

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    def send(self, data: bytes) -> int:
        if self.peer.fileno() < 0:
            raise BrokenPipeError("the other end is closed")
        self.peer.incoming.append(bytes(data))
        return len(data)

    def recv(self, size: int) -> bytes:
        if not self.incoming:
            raise BlockingIOError("nothing there")
        data = self.incoming.popleft()
        if len(data) > size:
            self.incoming.appendleft(data[size:])
        return data[:size]

    def close(self) -> None:
        self.open.pop(self._number, None)
        self._number = -1
