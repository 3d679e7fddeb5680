"""platform.caresresolver on the real c-ares, without leaving this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tornado4.ioloop import IOLoop

pytest.importorskip("pycares", reason="pycares is not installed")

from tornado4.platform.caresresolver import CaresResolver


@contextlib.contextmanager
def resolver() -> Iterator[tuple[IOLoop, CaresResolver]]:
    io_loop = IOLoop()
    io_loop.make_current()
    subject = CaresResolver(io_loop=io_loop)
    try:
        yield io_loop, subject
    finally:
        subject.close()
        io_loop.clear_current()
        io_loop.close()


def test_localhost() -> None:
    with resolver() as (io_loop, subject):
        found = io_loop.run_sync(lambda: subject.resolve("localhost", 80), timeout=120)
        assert (socket.AF_INET, ("127.0.0.1", 80)) in found
        only = io_loop.run_sync(lambda: subject.resolve("localhost", 80, socket.AF_INET), timeout=120)
        assert only == [(socket.AF_INET, ("127.0.0.1", 80))]


def test_addresses_need_no_question() -> None:
    with resolver() as (io_loop, subject):
        resolve = subject.resolve
        assert io_loop.run_sync(lambda: resolve("10.0.0.1", 1)) == [(socket.AF_INET, ("10.0.0.1", 1))]
        assert io_loop.run_sync(lambda: resolve("::1", 1)) == [(socket.AF_INET6, ("::1", 1))]
        with pytest.raises(OSError, match="Requested socket family 10 but got 2"):
            io_loop.run_sync(lambda: resolve("10.0.0.1", 1, socket.AF_INET6))


def test_callback_as_in_453() -> None:
    with resolver() as (io_loop, subject):
        seen: list[Any] = []

        def done(result: Any) -> None:
            seen.extend(result)
            io_loop.stop()

        subject.resolve("127.0.0.1", 80, callback=done)
        io_loop.start()
        assert seen == [(socket.AF_INET, ("127.0.0.1", 80))]


class FakeChannel:
    """c-ares as far as the resolver knows it, with time in the test's hands."""

    def __init__(self, subject: CaresResolver) -> None:
        self.subject = subject
        self.processed: list[tuple[int, int]] = []
        self.questions: list[Any] = []

    def getaddrinfo(self, host: str, port: Any, *, callback: Any, **kwargs: Any) -> None:
        self.questions.append(callback)

    def timeout(self) -> float:
        return 0.0

    def process_fd(self, read_fd: int, write_fd: int) -> None:
        self.processed.append((read_fd, write_fd))
        for callback in self.questions:
            callback(None, 12)
        self.questions.clear()

    def close(self) -> None:
        pass


def test_time_passes_for_lost_packets() -> None:
    """4.5.3 waited for ever when no answer came."""
    import pycares

    with resolver() as (io_loop, subject):
        subject.channel.close()
        subject.channel = FakeChannel(subject)  # type: ignore[assignment]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            subject._sock_state_cb(silent.fileno(), True, False)
            with pytest.raises(OSError, match="C-Ares returned error 12"):
                io_loop.run_sync(lambda: subject.resolve("lost.example", 1), timeout=120)
            bad = pycares.ARES_SOCKET_BAD
            assert subject.channel.processed == [(bad, bad)]  # type: ignore[attr-defined]
            subject._sock_state_cb(silent.fileno(), False, False)
            assert subject.fds == {}
