"""A side that is a command of the user's own: whatever serves HTTP, started as it is and asked from outside.

For what is no longer the same program on both sides: one that has moved, or runs under another server. How it fares is
seen by its answers alone; its log is its own.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import IO

from tornado4.migrate.diff.model import LogRecord
from tornado4.migrate.diff.served import LAST_WORDS, START_SECONDS, DoesNotStart, Gone, Served
from tornado4.migrate.diff.traffic import Route

_LOOK_SECONDS = 0.05
#: From outside, only time tells that it has nothing more to say.
_SILENCE_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0


class Commanded(Served):
    """One side, by its command, in which ``{port}`` becomes the port to listen on. Used as `Served` is."""

    def __init__(self, name: str, command: str, port: int = 0, start_seconds: float = START_SECONDS) -> None:
        self.name, self.command = name, command
        self.port = 0
        self.python = self.tornado = ""
        self.startup: tuple[LogRecord, ...] = ()
        self._wanted_port, self._start_seconds = port, start_seconds
        self._running: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._stopped = False

    def start(self) -> None:
        """Start, or start again. :raises DoesNotStart: it ended, or did not listen in time."""
        self._end()
        self.port = self._wanted_port or _free_port()
        words = _words(self.command, self.port)
        self._output = tempfile.TemporaryFile()  # closed by _end
        try:
            self._running = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output, start_new_session=True
            )
        except OSError as error:
            program = words if isinstance(words, str) else words[0]
            raise DoesNotStart(f"{self.name}: {program}: {error.strerror}") from error
        deadline = time.monotonic() + self._start_seconds
        while not self._stopped and self._running.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(_LOOK_SECONDS)
        code, said = self._running.poll(), self._last_words()
        self._end()
        ended = f"does not listen on port {self.port} after {self._start_seconds:g} s"
        if code is not None:
            ended = f"ended with exit code {code}, and listened on no port"
        raise DoesNotStart(f"{self.name}: {self.command} {ended}{said}")

    def log(self, seconds: float) -> tuple[LogRecord, ...]:
        """Nothing, a moment later: its log is its own. :raises Gone: the command has ended."""
        time.sleep(_SILENCE_SECONDS)
        if self._running is None or self._running.poll() is not None:
            code = "" if self._running is None else f" with exit code {self._running.returncode}"
            raise Gone(f"crashed: ended{code}")
        return ()

    def routes(self, seconds: float) -> list[Route]:
        """None that could be asked for."""
        return []

    def _last_words(self) -> str:
        assert self._output is not None
        self._output.seek(0)
        said = self._output.read().decode("utf-8", "backslashreplace").splitlines()
        return ":\n  " + "\n  ".join(said[-LAST_WORDS:]) if said else ""

    def _end(self) -> None:
        process, self._running = self._running, None
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
            # What it forked is of its group, which outlives its leader.
            if sys.platform != "win32":
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            elif process.poll() is None:
                process.kill()
            process.wait()
        output, self._output = self._output, None
        if output is not None:
            output.close()


def _words(command: str, port: int) -> list[str] | str:
    """A command's words; on Windows the command itself, whose backslashes and quotes are the system's to read."""
    if sys.platform == "win32":
        return command.replace("{port}", str(port))
    return [word.replace("{port}", str(port)) for word in shlex.split(command)]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
