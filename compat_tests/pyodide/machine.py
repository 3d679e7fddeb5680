"""What stands in for a machine that has no sockets, processes and threads: a selector and a pair of sockets in memory.

They are enough for an event loop to run callbacks and timers. Whoever asks for more is skipped, and says for what.
"""

from __future__ import annotations

import asyncio
import collections
import gc
import importlib
import logging
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

#: Modules that cannot be imported there, and why.
ELSEWHERE = {
    "tornado4.curl_httpclient": "pycurl is written in C",
    "tornado4.platform.caresresolver": "pycares is written in C",
    "tornado4.platform.kqueue": "no kqueue, nor on Linux",
    "tornado4.platform.twisted": "Twisted insists on Unix sockets",
    "tornado4.serve.gunicorn": "gunicorn imports pwd, which is not there",
    "tornado4.speedups": "not compiled",
}

#: Files of tests that are left out, and what they need.
NOT_HERE = {
    "test_benchmarks": "venv",
    "test_check": "a stack as deep as the programs that it nests",
    "test_diff_command": "an interpreter to start",
    "test_diff_report": "an interpreter to start",
    "test_diff_traffic": "an interpreter to start",
    "test_fix": "libcst's parser, which is written in Rust",
    "test_fix_adversary": "libcst's parser, which is written in Rust",
    "test_fix_tricks": "libcst's parser, which is written in Rust",
    "test_fix_wait": "libcst's parser, which is written in Rust",
    "test_hooks_otel": "the instrumentation of OpenTelemetry",
    "test_netutil": "Unix sockets",
    "test_runners": "venv",
    "test_security_static": "FIFOs",
}

#: Tests that ask the stand-ins for more than they are, and for what.
BEYOND = {
    "tests/test_web_handler.py": {
        # In one process with all others one of them has turned the log up; by itself it passes.
        "test_an_overridden_request_summary_is_asked_also_when_nobody_reads_the_log": "a log that nobody has turned up",
    },
    "tests/wire/test_multipart.py": {
        "test_time_is_linear": "a steady clock",
    },
    "tests/test_bytes_moved.py": {
        "test_pieces_that_the_kernel_does_not_take_are_views_of_what_was_given": "a kernel's buffer",
    },
    "tests/test_client_pump.py": {
        "test_a_delegate_that_waits_holds_back_the_server": "a kernel's buffer",
    },
    "tests/test_diff_sides.py": {
        "test_an_interpreter_that_is_none_is_a_clear_error": "a process",
    },
    "tests/test_escape.py": {
        "TestLinkify::test_takes_linear_time": "a steady clock",
    },
    "tests/test_futures.py": {
        "test_result_that_another_thread_sets_wakes_the_task": "a thread",
    },
    "tests/test_hints.py": {
        "test_a_closed_loop_of_the_default_kind": "an epoll",
        "test_certificates": "OpenSSL",
    },
    "tests/test_http1connection.py": {
        "test_body_without_length_is_chunked": "a kernel's buffer",
        "test_client_that_goes_on_sending_still_reads_its_refusal": "a kernel's buffer",
        "test_slow_reader_holds_the_writer": "a kernel's buffer",
    },
    "tests/test_httpserver.py": {
        "test_name_of_a_unix_peer_as_in_453": "Unix sockets",
        "test_unix_socket": "Unix sockets",
    },
    "tests/test_platform_asyncio.py": {
        "test_wakers_wake_until_consumed": "a pipe that does not block",
    },
    "tests/test_ioloop.py": {
        "test_a_closed_loop_takes_callbacks_in_silence_and_refuses_the_rest_as_in_453": "an epoll",
        "test_asyncio_streams_and_our_handlers_share_a_loop": "a socket that asyncio's streams take",
        "test_callbacks_of_asyncio_run_and_can_be_cancelled": "a thread",
        "test_exceptions_of_handlers_are_logged_except_a_broken_pipe": "a socket's errors",
        "test_signals_write_to_the_loops_own_socket_while_it_runs_as_in_453": "a signal",
    },
    "tests/test_iostream.py": {
        "test_at_most_one_chunk_is_read_ahead_and_then_the_descriptor_rests": "a kernel's buffer",
        "test_methods_may_be_set_on_a_stream_as_tests_of_453_do": "a kernel's buffer",
        "test_the_futures_of_writes_are_those_that_wait": "a kernel's buffer",
        "test_writing_to_a_peer_that_has_gone_fails_the_future_quietly": "a socket's errors",
    },
    "tests/test_iostream_push.py": {
        "test_send_on_a_closed_stream_raises_and_a_drain_callback_is_dropped": "a kernel's buffer",
    },
    "tests/test_locale.py": {
        "TestGettext::test_files_that_cannot_be_read_are_logged_and_left_out": "permissions",
    },
    "tests/test_patterns.py": {
        "test_groups_are_not_repeated_possessively": "all modules",
    },
    "tests/test_private_names.py": {
        "test_dask_looks_at_the_buffers_of_a_stream": "a kernel's buffer",
        "test_momokos_and_salts_test_cases_reach_for_the_application": "a resolver",
    },
    "tests/test_serve.py": {
        "test_where_there_are_no_unix_sockets_and_no_reuse_port_they_are_refused": "Unix sockets to take away",
    },
    "tests/test_simple_httpclient.py": {
        "TestTls::test_validation_covers_chain_and_name": "OpenSSL",
    },
    "tests/test_testing.py": {
        "test_the_test_certificate_is_one_that_openssl_takes": "OpenSSL",
    },
}

LOGGERS = ("", "tornado.access", "tornado.application", "tornado.general")
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
        except Exception:
            if name in ELSEWHERE:
                left_out.append(f"{name}: {ELSEWHERE[name]}")
            else:
                failed.append(f"{name}\n{traceback.format_exc()}")
    done = len(names) - len(left_out) - len(failed)
    done_of = f"{done} of {len(names)} modules imported"
    print(f"Python {sys.version.split()[0]}: {done_of}; not for here:", *left_out, sep="\n  ")
    print("\n".join(failed))
    return int(bool(failed))


def files() -> list[str]:
    """All tests but those that need what is `NOT_HERE`, and those of tests/fuzz, which take long."""
    modules = sorted(f"tests/{name}" for name in os.listdir("tests") if name.startswith("test_"))
    return ["tests/wire", *(name for name in modules if name[6:-3] not in NOT_HERE)]


def tests(arguments: list[str]) -> int:
    """Run pytest with the stand-ins in place. The exit code."""
    import pytest

    os.chdir("/tree")
    plugin = Machine()
    plugin.install()
    chosen = [] if any(not each.startswith("-") for each in arguments) else files()
    return int(pytest.main([*OPTIONS, *arguments, *chosen], plugins=[plugin]))


class Machine:
    """A pytest plugin: the stand-ins, and a skip where one asks for what is not there."""

    def __init__(self) -> None:
        self.missed = ""
        self.rounds = 0
        self.levels: dict[logging.Logger, int] = {}

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
            file, _, name = item.nodeid.partition("::")
            what = BEYOND.get(file, {}).get(name.partition("[")[0])
            if what:
                item.add_marker(pytest.mark.skip(reason=f"needs {what}"))

    def pytest_runtest_setup(self) -> None:
        self.missed = ""
        self.rounds = 0
        self.levels = {logging.getLogger(name): logging.getLogger(name).level for name in LOGGERS}

    def pytest_runtest_teardown(self) -> None:
        """What a test left behind that was skipped in its midst is to disturb no other."""
        for logger, level in self.levels.items():
            logger.setLevel(level)
        if self.missed:
            gc.collect()

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
            readable = end.incoming or end.at_end()
            events = key.events & (selectors.EVENT_WRITE | (selectors.EVENT_READ if readable else 0))
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

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    open: dict[int, Pair] = {}
    _numbers = iter(range(10_000, 1_000_000_000))

    def __init__(self) -> None:
        self.incoming: collections.deque[bytes] = collections.deque()
        self.ended = False
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

    def shutdown(self, how: int) -> None:
        """Its peer reads to the end, and no further; what the peer sends arrives."""
        if how != socket.SHUT_RD:
            self.peer.ended = True

    def setsockopt(self, *_: Any) -> None:
        """It has nothing to be set."""

    def getsockopt(self, *_: Any) -> int:
        """No error waits to be asked for."""
        return 0

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self._number

    def getpeername(self) -> tuple[str, int]:
        return "127.0.0.1", self.peer._number

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> int:
        if self.peer.fileno() < 0:
            raise BrokenPipeError("the other end is closed")
        self.peer.incoming.append(bytes(data))
        return len(data)

    def recv(self, size: int) -> bytes:
        if not self.incoming and self.at_end():
            return b""
        if not self.incoming:
            raise BlockingIOError("nothing there")
        data = self.incoming.popleft()
        if len(data) > size:
            self.incoming.appendleft(data[size:])
        return data[:size]

    def at_end(self) -> bool:
        return self.ended or self.peer.fileno() < 0

    def recv_into(self, buffer: Any) -> int:
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.open.pop(self._number, None)
        self._number = -1
