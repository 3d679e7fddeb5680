"""A program that serves HTTP, on one side: started, asked for its log, found dead or hung, started again.

Stands on :class:`~tornado4.migrate.diff.sides.SideProcess`; inside the process is ``program.py``. How requests
are sent is ``client``'s matter.
"""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado4.migrate.backfill_table import row_in
from tornado4.migrate.diff.environments import Environment
from tornado4.migrate.diff.model import LogRecord
from tornado4.migrate.diff.sides import SideFailed, SideProcess
from tornado4.migrate.diff.traffic import Route

START_SECONDS = 60.0
LAST_WORDS = 20  # lines of standard error that an error message shows


@dataclass(frozen=True)
class Program:
    """What to run on every side.

    ``target`` is a script, or ``module:callable`` (``file.py:callable``) which gives an Application, or, with
    ``module``, the name for ``python -m``. ``{port}`` in ``args`` is replaced by the side's port.
    """

    target: str
    args: tuple[str, ...] = ()
    module: bool = False
    cwd: Path | None = None
    backfill: bool = False  # the new side alone: an old one on a current Python has it always

    def __str__(self) -> str:
        return " ".join([*(["-m"] if self.module else []), self.target, *self.args])


class DoesNotStart(Exception):
    """The program did not come to listen on this side; the message ends with what it printed."""


class Gone(Exception):
    """The side's process has ended, or its loop does not turn any more: ``crashed ...`` or ``hangs ...``.

    ``log``: what it still told.
    """

    def __init__(self, text: str, log: Sequence[LogRecord] = ()) -> None:
        super().__init__(text)
        self.log = list(log)


class Served:
    """One side. :meth:`start` before all else, :meth:`stop` at the end, from any thread, any number of times.

    :arg port: to listen on; 0: any free one.
    """

    def __init__(
        self, name: str, program: Program, old: Environment | None, port: int = 0, start_seconds: float = START_SECONDS
    ) -> None:
        self.name = name
        self.port = 0
        self.python = self.tornado = ""  # versions, once it runs
        self.startup: tuple[LogRecord, ...] = ()  # what it logged until it served
        self._program, self._old, self._wanted_port, self._start_seconds = program, old, port, start_seconds
        self._process: SideProcess | None = None
        self._control: socket.socket | None = None
        self._stopped = False

    def start(self) -> None:
        """Start, or start again. :raises DoesNotStart: it ended, or listened on nothing in time."""
        self._end()
        if self._wanted_port:
            _check_free(self._wanted_port, self.name)
        program = self._program
        job: dict[str, Any] = {
            "program": program.target,
            "args": list(program.args),
            "module": program.module,
            "port": self._wanted_port,  # 0: the process takes one itself, and holds it
            "backfill": program.backfill,
        }
        process = self._process = SideProcess(job, self._old, program.cwd)
        if self._stopped:  # while it was being started
            self._end()
            raise DoesNotStart(f"{self.name}: stopped")
        try:
            first = process.next_line(self._start_seconds)
            before = []
            while first is not None and first[0] != "listening":
                before.append(first)
                first = process.next_line(self._start_seconds)
        except SideFailed:
            said = self._last_words()
            self._end()
            raise DoesNotStart(
                f"{self.name}: {program} listens on no port after {self._start_seconds:g} s{said}"
            ) from None
        if first is None:
            process.close()  # so that all of standard error has been read
            ended = _ending(process.exit_code)
            text = f"{self.name}: {program} does not start: it {ended}, and listened on no port"
            raise DoesNotStart(text + self._said())
        self.port, self.python, self.tornado = first[1], first[3], first[4]
        self._control = socket.create_connection(("127.0.0.1", first[2]), timeout=self._start_seconds)
        try:
            self.startup = _records(before + self._ask(b"s", "sync", self._start_seconds))
        except Gone as error:
            self._end()
            raise DoesNotStart(f"{self.name}: {program} listened, and then {error}{self._last_words()}") from None

    def log(self, seconds: float) -> tuple[LogRecord, ...]:
        """The records since the last call, up to now as the side's loop sees it.

        :raises Gone: the process has ended, or its loop did not turn within that many seconds.
        """
        return _records(self._ask(b".", "sync", seconds))

    def routes(self, seconds: float) -> list[Route]:
        """The routes of the program's applications. :raises Gone: as :meth:`log`."""
        told = self._ask(b"r", "routes", seconds)[-1][1]
        return [
            Route(r["pattern"], tuple(r["methods"]), r["handler"], r["websocket"], tuple(r["files"])) for r in told
        ]

    def stop(self) -> None:
        """End the process and all that it forked."""
        self._stopped = True
        self._end()

    def _ask(self, question: bytes, answer: str, seconds: float) -> list[list[Any]]:
        """All lines up to the one that begins with ``answer``."""
        process, control = self._process, self._control
        if process is None or control is None:
            raise Gone("was not started")
        lines: list[list[Any]] = []
        with contextlib.suppress(OSError):  # it has ended; the lines say so, behind what it still told
            control.sendall(question)
        while True:
            try:
                line = process.next_line(seconds)
            except SideFailed:
                raise Gone(f"hangs: its loop did not turn within {seconds:g} s", _records(lines)) from None
            if line is None:
                process.close()
                raise Gone(f"crashed: {_ending(process.exit_code)}{self._last_exception()}", _records(lines))
            lines.append(line)
            if line[0] == answer:
                return lines

    def _said(self) -> str:
        """What it printed, and the way out where that is known."""
        text = self._last_words()
        missing = re.search(r"(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)", text)
        if self._old is None and not self._program.backfill and (row := row_in(text)):
            return f"{text}\n{row.title} is gone since Python {row.gone}: --backfill puts it back"
        if missing is None:
            return text
        where = "--python names an environment that has it" if self._old else "install it beside tornado4"
        return f"{text}\n{self.name} has no module {missing[1]!r}: {where}"

    def _last_words(self) -> str:
        said = [line.rstrip() for line in _OUR_FRAMES.sub("", "".join(self._errors())).split("\n") if line.strip()]
        return ":\n  " + "\n  ".join(said[-LAST_WORDS:]) if said else ""

    def _last_exception(self) -> str:
        """The line that names it, where a traceback was the last thing printed."""
        text = "".join(self._errors())
        # At the beginning of a line: one that was logged is indented, and did not end the process.
        at = text.rfind("\nTraceback (most recent call last)") + 1 or -(not text.startswith("Traceback ("))
        ends = [line for line in text[at:].splitlines()[1:] if line and not line[0].isspace()] if at >= 0 else []
        return f" ({ends[-1]})" if len(ends) == 1 else ""

    def _errors(self) -> list[str]:
        return self._process.errors if self._process is not None else []

    def _end(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            control.close()
        if self._process is not None:
            self._process.close()


# What stands in a traceback above the program's own frames: ours, and runpy's that we called.
_OUR_FRAMES = re.compile(
    r'(?m)^  File "(?:[^"\n]*/migrate/diff/(?:launcher|program)\.py|[^"\n]*/runpy\.py|<frozen runpy>)".*\n'
    r"(?:    .*\n)*"
)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _records(lines: list[list[Any]]) -> tuple[LogRecord, ...]:
    return tuple(LogRecord(*line[1:5]) for line in lines if line[0] == "log")


def _check_free(port: int, name: str) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            raise DoesNotStart(f"{name}: port {port} is in use, or not ours: {error.strerror}") from error


def start_all(sides: Sequence[Served]) -> None:
    """Start every side, all at once. :raises DoesNotStart: the first that did not; none is left running then."""
    errors: dict[int, Exception] = {}

    def start(number: int, side: Served) -> None:
        try:
            side.start()
        except Exception as error:
            errors[number] = error

    threads = [threading.Thread(target=start, args=(number, side), daemon=True) for number, side in enumerate(sides)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[min(errors)]  # of the sides in order, whichever thread came first
    except BaseException:
        for side in sides:
            side.stop()
        raise
