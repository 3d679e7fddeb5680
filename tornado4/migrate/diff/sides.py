"""One program in a process of its own, under the old Tornado or under tornado4.

:class:`SideProcess` starts ``launcher.py`` with a job and gives what it tells, line by line;
:class:`ServerSide` is one that serves an application: raw bytes are exchanged with it, and it says when
it has nothing more to say. Nothing is left behind: closing ends the process with all that it forked, and a server
also ends by itself when the process that started it is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tornado4.migrate.diff.environments import Environment, environment

START_SECONDS = 60
#: How often it is looked whether a server has ended a connection that we have ended.
_LOOKS = 5
LAUNCHER = Path(__file__).with_name("launcher.py")
HOME = Path(__file__).resolve().parents[3]

Line = list[Any]


class SideFailed(Exception):
    """A side's process did not start, or ended, or went silent; its standard error is part of the message."""


class HalfClose:
    """A step of an exchange: end our half of the connection, and read on."""


HALF_CLOSE = HalfClose()


@dataclass
class Answer:
    """What came back: the bytes, whether the connection was closed, the log lines that it caused."""

    data: bytes
    closed: bool
    log: list[Line] = field(default_factory=list)


class SideProcess:
    """``launcher.py`` at work. ``old`` None: tornado4, on this interpreter."""

    def __init__(self, job: dict[str, Any], old: Environment | None, cwd: str | Path | None = None) -> None:
        self.name = f"tornado {old.version}" if old else "tornado4"
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            _command(job, old), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="backslashreplace", env=_environ(old), cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
        self._lines: queue.Queue[Line | None] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def next_line(self, seconds: float) -> Line | None:
        """The next line told; None once the process has ended.

        :raises SideFailed: nothing for that many seconds.
        """
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            raise SideFailed(f"{self.name}: silent for {seconds:g} s\n{''.join(self.errors)}") from None

    @property
    def exit_code(self) -> int | None:
        """Negative: ended by that signal; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End the process and whatever it forked. Calling it again does nothing."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Children that it left hold our pipes open; the group is theirs as well, and outlives its leader.
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> SideProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(self._process.stderr)


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Keep a peer that has not set TCP_NODELAY from waiting for us: its silence would be the kernel's."""
    if hasattr(socket, "TCP_QUICKACK"):
        with contextlib.suppress(OSError):  # closed by the peer
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _command(job: dict[str, Any], old: Environment | None) -> list[str]:
    text = json.dumps({**job, "side": "tornado" if old else "tornado4"})
    command = old.command() if old else [sys.executable]
    # Old code, and the old Tornado on a newer Python, warn without end.
    return [*command, "-W", "ignore", str(LAUNCHER), text]


def _environ(old: Environment | None) -> dict[str, str]:
    if old:
        return old.environ()
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HOME), *([inherited] if inherited else [])])}


class ServerSide:
    """An application, served on a port of its own on the loopback.

    :arg target: ``file.py`` or ``module``, with ``:name`` behind it where the application (or the function that makes
        it) is not called ``make_app``, ``application`` or ``app``. ``SERVER``, if defined there, are keyword arguments
        of HTTPServer.
    :raises SideFailed: it did not start; the message has what it printed.
    """

    def __init__(self, target: str, old: Environment | None, cwd: str | Path | None = None) -> None:
        self._process = SideProcess({"serve": target}, old, cwd)
        self.name = self._process.name
        try:
            first = self._process.next_line(START_SECONDS)
        except SideFailed:
            self._process.close()
            raise
        if first is None or first[0] != "listening":
            self._process.close()
            raise SideFailed(f"{self.name}: {target} did not start\n{''.join(self._process.errors)}")
        self.port: int = first[1]
        self._control = socket.create_connection(("127.0.0.1", first[2]), timeout=START_SECONDS)

    def exchange(self, *steps: bytes | HalfClose) -> Answer:
        """Send each step on one fresh connection, and read until the peer closes or has nothing more to say.

        The next step goes out when it has nothing more to say to the one before; that is, when its loop has
        made a number of turns and nothing arrived meanwhile. A busy machine makes that slower, and never
        wrong. What waits for a timer or a thread counts as silence.
        """
        answer = Answer(b"", False)
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS) as sock:
            sock.setblocking(False)
            # Without it a step waits in our kernel for the acknowledgement of the one before, and is not heard at all.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for step in steps:
                if isinstance(step, HalfClose):
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_WR)
                    self._read(sock, answer)
                else:
                    self._send(sock, step, answer)
                    _until_delivered(sock)
                self._until_silent(sock, answer)
                if answer.closed:
                    break
            answer.log += self.drain_log()
            self._hang_up(sock, answer)
        answer.log += self.drain_log()
        return answer

    def drain_log(self) -> list[Line]:
        """The log records since the last call, up to now as the server's loop sees it."""
        self._control.sendall(b".")
        records: list[Line] = []
        while (line := self._process.next_line(START_SECONDS)) is not None:
            if line[0] == "sync":
                return records
            records.append(line[1:])
        raise SideFailed(f"{self.name}: ended\n{''.join(self._process.errors)}")

    def close(self) -> None:
        """Stop serving; calling it again does nothing."""
        self._control.close()
        self._process.close()

    def _hang_up(self, sock: socket.socket, answer: Answer) -> None:
        """End the connection, and wait for the server's end: what it says of that is said of this exchange.

        Else its log would have it before or after the first lines of the next one, as chance will have it. A handler
        that reads nothing sees no end; it is not waited for.
        """
        if answer.closed:
            return
        rest = Answer(b"", False)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        _until_delivered(sock)
        for _ in range(_LOOKS):
            self._read(sock, rest)
            if rest.closed:
                return
            answer.log += self.drain_log()

    def _send(self, sock: socket.socket, data: bytes, answer: Answer) -> None:
        """Send all of it, reading meanwhile: a peer that waits for its answer to be read must not stop us."""
        rest = memoryview(data)
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while rest and not answer.closed:
                if not selector.select(START_SECONDS):
                    raise SideFailed(f"{self.name}: neither reads nor writes")
                try:
                    rest = rest[sock.send(rest) :]
                except BlockingIOError:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    self._read(sock, answer)
                    return
                self._read(sock, answer)

    def _until_silent(self, sock: socket.socket, answer: Answer) -> None:
        while not answer.closed:
            answer.log += self.drain_log()
            if not self._read(sock, answer):
                return

    def _read(self, sock: socket.socket, answer: Answer) -> bool:
        """Take what has arrived; True when that was something."""
        something = False
        while not answer.closed:
            _acknowledge_at_once(sock)
            try:
                piece = sock.recv(1 << 20)
            except BlockingIOError:
                return something
            except (ConnectionResetError, BrokenPipeError):
                piece = b""
            answer.data += piece
            answer.closed = not piece
            something = True
        return something


def _until_delivered(sock: socket.socket) -> None:
    """Return when all that was sent stands in the other's buffer, or when nothing more fits there (Linux).

    On a machine under load that is later than the return of send(): what goes out on another connection is there first.
    """
    if sys.platform != "linux":
        return
    left, looks = _undelivered(sock), 0
    while left and looks < 100:
        time.sleep(0.001)
        before, left = left, _undelivered(sock)
        looks = looks + 1 if left == before else 0


def _undelivered(sock: socket.socket) -> int:
    """Bytes that the kernel has of us and the other side has not acknowledged."""
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


@contextlib.contextmanager
def side_by_side(
    target: str, against: str | Environment = "4.5.3", cwd: str | Path | None = None
) -> Iterator[tuple[ServerSide, ServerSide]]:
    """The same application under the old Tornado and under tornado4, in this order."""
    old = environment(against) if isinstance(against, str) else against
    with contextlib.ExitStack() as stack:
        sides = []
        for one in (old, None):
            side = ServerSide(target, one, cwd)
            stack.callback(side.close)
            sides.append(side)
        yield sides[0], sides[1]


def exchange_all(side: ServerSide, exchanges: Sequence[Sequence[bytes | HalfClose]]) -> list[Answer]:
    """One answer an exchange, in order."""
    return [side.exchange(*steps) for steps in exchanges]
