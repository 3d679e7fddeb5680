"""One application on two sides: start it under the real Tornado and under tornado4, send both the same bytes.

    with side_by_side("basic") as sides:
        for side in sides:
            answer = side.exchange(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")

An exchange sends raw bytes on a fresh connection and reads until the peer closes or has nothing more to
say: what came back, whether it closed, and the log lines it caused.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compat_tests.oracle import TOP, Oracle, oracle

HERE = Path(__file__).resolve().parent
START_SECONDS = 60
QUIET_SECONDS = 0.03


@dataclass
class Answer:
    data: bytes
    closed: bool
    log: list[list[object]] = field(default_factory=list)


class Side:
    """An application in a process of its own."""

    def __init__(self, name: str, app: str, real: Oracle | None) -> None:
        self.name = name
        command = real.command() if real else [sys.executable]
        env = real.environ() if real else {**os.environ, "PYTHONPATH": str(TOP)}
        kind = "real" if real else "tornado4"
        self._process = subprocess.Popen(
            [*command, str(HERE / "launch.py"), kind, str(HERE / "apps" / f"{app}.py")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        first = self._next_line(START_SECONDS)
        if first is None or not first.startswith("PORT "):
            self.close()
            raise RuntimeError(f"{name}: {app}.py did not start: {first!r}\n{''.join(self._errors)}")
        self.port, self._control = map(int, first.split()[1:])

    def exchange(self, data: bytes) -> Answer:
        """Send ``data``; read until the peer closes, or has nothing more to say.

        It has nothing more to say when the server's loop has made its turns since the last byte (see
        ``launch.py``, the control port): a busy machine makes that slower, and never wrong.
        """
        received, closed, log = bytearray(), False, []
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            sock.settimeout(QUIET_SECONDS)
            quiet = False
            while not closed:
                try:
                    piece = sock.recv(65536)
                except TimeoutError:
                    if quiet:
                        break
                    log += self.drain_log()
                    quiet = True
                    continue
                except ConnectionResetError:
                    piece = b""
                received += piece
                closed, quiet = not piece, False
        return Answer(bytes(received), closed, log + self.drain_log())

    def drain_log(self) -> list[list[object]]:
        """The log records since the last call, up to now as the server's loop sees it."""
        with socket.create_connection(("127.0.0.1", self._control), timeout=START_SECONDS) as sock:
            sock.recv(1)
        records = []
        while (line := self._next_line(START_SECONDS)) is not None:
            record = json.loads(line)
            if record == "sync":
                break
            records.append(record)
        return records

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    def _next_line(self, seconds: float) -> str | None:
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None


@contextlib.contextmanager
def side_by_side(app: str, version: str = "4.5.3") -> Iterator[tuple[Side, Side]]:
    """The same application on the real Tornado and on tornado4, in this order."""
    with contextlib.ExitStack() as stack:
        sides = []
        for name, real in (("real", oracle(version)), ("tornado4", None)):
            side = Side(name, app, real)
            stack.callback(side.close)
            sides.append(side)
        yield sides[0], sides[1]


VOLATILE = [
    (re.compile(rb"(?m)^(Date: ).*$"), rb"\1<date>\r"),
    (re.compile(rb"(_xsrf=)[^;\r]+"), rb"\1<xsrf>"),
    (re.compile(rb"2\|1:0\|10:\d{10}\|[^\"; \r]*"), rb"<signed>"),
    (re.compile(rb"(expires=)[^;\r]*"), rb"\1<time>"),
]


def stable(data: bytes) -> bytes:
    """The answer without what changes from one second, or one token, to the next."""
    for pattern, replacement in VOLATILE:
        data = pattern.sub(replacement, data)
    return data
