"""``tornado4 diff APP [ARGS]``: the same requests for the real Tornado and for tornado4, and where the answers differ.

Exit codes: 0 same, 1 different, 2 could not run, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Rows
from pathlib import Path

import tornado4
from tornado4.migrate.diff import deviations, report
from tornado4.migrate.diff.commanded import Commanded
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.environments import Environment, EnvironmentUnavailable, environment, tornado_of
from tornado4.migrate.diff.model import Answer, Outcome, Run, Sequence, Step, Verdict
from tornado4.migrate.diff.redact import Redactor
from tornado4.migrate.diff.rules import Rules
from tornado4.migrate.diff.runner import Runner, without_unsafe
from tornado4.migrate.diff.served import START_SECONDS, DoesNotStart, Gone, Program, Served, start_all
from tornado4.migrate.diff.traffic import (
    TrafficError,
    crawl,
    read_har,
    read_http_file,
    read_raw,
    read_websocket,
    to_har,
)
from tornado4.migrate.diff.user_rules import BadRules, find_user_rules

#: The Tornado 6 of a candidate whose interpreter has none.
CANDIDATE = "6.6.1"

SAME, DIFFERENT, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130

_EPILOG = """\
APP is a script with its arguments, in which {port} becomes the port to listen on (a number that stands in the script is
replaced as well); or module:callable, file.py:callable, which gives an Application; or, with -m, a module's name.
Our options may stand anywhere; what is none of ours, and all behind --, goes to the script.

  tornado4 diff app.py --port={port} --http requests.http
  tornado4 diff shop.main:make_app --har session.har --unsafe --html report.html
  tornado4 diff app.py --crawl --against 5.1.1
  tornado4 diff app.py --port={port} --har session.har --new "python moved.py --port={port}"
  tornado4 diff app.py --crawl --candidate ../fixed --candidate-python ../fixed/.venv/bin/python

Exit codes: 0 same, 1 different, 2 could not run.
"""


class CannotRun(Exception):
    """One clear error for the user; exit code 2."""


def main(argv: Rows[str]) -> int:
    """The subcommand ``diff``."""
    parser, ours = _parser()
    mine, program = _split(list(argv), ours)
    options = parser.parse_args(mine)
    try:
        _check(options, program)
        return _Command(options, program).run()
    except (CannotRun, TrafficError, BadRules, EnvironmentUnavailable, DoesNotStart, Gone, report.ReportError) as error:
        print(f"tornado4 diff: error: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception as error:
        # Ours to mend; but no difference was found by it, which is what exit code 1 would say.
        traceback.print_exc()
        print(f"tornado4 diff: error: could not run: {type(error).__name__}: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("tornado4 diff: interrupted", file=sys.stderr)
        return INTERRUPTED


# -- The command line --------------------------------------------------------------------------------------


def _parser() -> tuple[argparse.ArgumentParser, dict[str, bool]]:
    """The parser of our own options, and for each spelling whether it takes a value."""
    parser = argparse.ArgumentParser(
        prog="tornado4 diff",
        usage="%(prog)s [OPTIONS] APP [ARGS ...]",
        description="Send an application the same requests under the real Tornado and tornado4; show what differs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    spellings: dict[str, bool] = {"-h": False, "--help": False}

    def add(*names: str, **how: object) -> None:
        action = parser.add_argument(*names, **how)  # type: ignore[arg-type]
        spellings.update(dict.fromkeys(action.option_strings, action.nargs != 0))

    add("-m", dest="module", action="store_true", help="APP is the name of a module, as for python -m")
    add("--against", metavar="VERSION", default="4.5.3", help="the old side's Tornado (4.5.3)")
    add("--python", metavar="PYTHON", help="the old side's interpreter; one that has this Tornado is used as it is")
    add("--old", metavar="COMMAND", help="the old side is this command, as it is, with {port} for its port")
    add("--new", metavar="COMMAND", help="the new side is this command: a program that has moved, or another server")
    add("--candidate", metavar="DIR", type=Path, help="hold the application here, on tornado4, against the one in DIR "
        "(. for the same) on the real Tornado 6")  # fmt: skip
    add("--candidate-python", metavar="PYTHON", help=f"its interpreter; without Tornado 6, it gets {CANDIDATE}")
    for name, what in (("har", "a HAR 1.2 file"), ("http", "a .http file"), ("raw", "a file of raw bytes")):
        add(f"--{name}", metavar="FILE", type=Path, action="append", default=[], help=f"{what}; may be repeated")
    add("--ws", metavar="FILE", type=Path, action="append", default=[], help="a WebSocket transcript; may be repeated")
    add("--crawl", action="store_true", help="make up requests from the application's routes")
    add("--backfill", action="store_true", help="put names back that this Python has dropped, on the new side")
    add("--unsafe", action="store_true", help="send POST, PUT, PATCH, DELETE and the like, too")
    add("--two-way", action="store_true", help="run the old side once only; what is random then counts as different")
    add("--json", metavar="FILE", type=Path, help="write the report as JSON")
    add("--junit", metavar="FILE", type=Path, help="write the report as JUnit XML")
    add("--html", metavar="FILE", type=Path, help="write the report as one HTML page")
    add("--save", metavar="FILE", type=Path, help="write what was sent as HAR 1.2, for --har")
    add("--redact", action="store_true", help="show cookies, credentials, tokens, passwords as hashes")
    add("--replay", metavar="REPORT", type=Path, help="send only what differs in that JSON report: FIXED or STILL")
    add("--timeout", metavar="SECONDS", type=float, default=10.0, help="the most that an answer may take (10)")
    add("--start-timeout", metavar="SECONDS", type=float, default=START_SECONDS, help="... and a start (60)")
    add("--slower", metavar="FACTOR", type=_factor, default=0.0, help="list steps that became slower by that much")
    add("--port", dest="first_port", metavar="N", type=int, default=0, help="listen on N, N+1, N+2 (any free ones)")
    return parser, spellings


def _factor(text: str) -> float:
    value = float(text)
    if not 1 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no factor: a number greater than 1")
    return value


def _split(argv: list[str], ours: dict[str, bool]) -> tuple[list[str], list[str]]:
    """(our options with their values, the program with its arguments)."""
    mine: list[str] = []
    program: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, _ = word.partition("=")
        if word == "--":
            return mine, program + list(words)
        # "--port={port}" is the program's: a number for us never has a brace.
        if name not in ours or "{port}" in word:
            program.append(word)
            continue
        mine.append(word)
        if ours[name] and not equals:
            value = next(words, None)
            if value == "{port}":
                program += [mine.pop(), value]
            elif value is not None:
                mine.append(value)
    return mine, program


def _check(options: argparse.Namespace, program: list[str]) -> None:
    """What can be told to be wrong before anything is started."""
    for name in ("old", "new"):
        command = getattr(options, name)
        if command is not None and "{port}" not in command:
            raise CannotRun(f"--{name} {command!r}: where {{port}} stands, the command is told on which port to listen")
    if options.old and options.new:
        if program:
            raise CannotRun(f"both sides are commands; what is {program[0]}?")
    else:
        _check_program(options, program)
    if not any((options.har, options.http, options.raw, options.ws, options.crawl, options.replay)):
        raise CannotRun("nothing to send: give --har, --http, --raw, --ws, --crawl or --replay")
    if options.crawl and options.old:
        raise CannotRun("--crawl asks the old side for its routes, which a command cannot tell: give requests instead")
    if options.redact and options.save:
        raise CannotRun("--save writes what was sent, secrets and all, which --redact is against: save in another run")
    _check_candidate(options, program)
    for path in (options.json, options.junit, options.html, options.save):
        if path is not None and not path.absolute().parent.is_dir():
            raise CannotRun(f"{path}: there is no such folder")


def _check_program(options: argparse.Namespace, program: list[str]) -> None:
    if not program:
        raise CannotRun("which application? A script, or module:callable; see --help")
    target = program[0]
    if target.startswith("-"):
        raise CannotRun(f"{target} is no option of tornado4 diff; an application's own stand behind its name")
    if not options.module and target.endswith(".py"):
        if not Path(target).is_file():
            raise CannotRun(f"there is no file {target}")
    elif not options.module and ":" not in target:
        raise CannotRun(f"{target} is neither a script (.py) nor module:callable; a module's name wants -m")
    elif not options.module and len(program) > 1:
        raise CannotRun(f"{target} takes no arguments; what is {program[1]}?")


def _check_candidate(options: argparse.Namespace, program: list[str]) -> None:
    if options.candidate is None:
        if options.candidate_python:
            raise CannotRun("--candidate-python: and --candidate DIR")
        return
    if options.old or options.new:
        raise CannotRun("--candidate is the new side, and tornado4 the old one: neither --old nor --new goes with it")
    if not options.candidate.is_dir():
        raise CannotRun(f"--candidate: there is no folder {options.candidate}")
    target = program[0]
    if Path(target.rpartition(":")[0] or target).is_absolute():
        raise CannotRun(f"--candidate: name {target} from here, so that it can be found in the other folder")


# -- The run -----------------------------------------------------------------------------------------------


class _Command:
    """One call of the command."""

    def __init__(self, options: argparse.Namespace, program: list[str]) -> None:
        self.options = options
        target, *arguments = program or [options.old]
        self.program = Program(target, tuple(arguments), options.module, backfill=options.backfill)
        self.notes: list[str] = []
        self.started = datetime.datetime.now(datetime.UTC)
        self.skipped = 0
        self.against: str = options.against
        self.earlier: Run | None = None
        self.terminal = report.Terminal(sys.stdout)
        self.redactor = Redactor() if options.redact else None

    def run(self) -> int:
        started = time.monotonic()
        sequences = self._recorded()
        folder = Path(self.program.target.rpartition(":")[0] or self.program.target).absolute().parent
        rules = Rules(find_user_rules(folder if folder.is_dir() else Path.cwd()))
        sides = self._sides()
        with _sigterm_interrupts(), contextlib.ExitStack() as stack:
            for side in sides:
                stack.callback(side.stop)
            start_all(sides)
            sequences += self._crawled(sides[0])
            verdicts = self._compared(sides, self._allowed(sequences), rules)
        return self._finish(sides, rules, verdicts, time.monotonic() - started)

    def _recorded(self) -> list[Sequence]:
        options, sequences = self.options, []
        for path in options.har:
            found, notes = read_har(path)
            sequences += found
            self.notes += notes
        one_each: tuple[tuple[Callable[[Path], Sequence], list[Path]], ...] = (
            (read_http_file, options.http),
            (read_raw, options.raw),
            (read_websocket, options.ws),
        )
        for read, paths in one_each:
            sequences += [read(path) for path in paths]
        if options.replay:
            try:
                self.earlier = report.from_json(options.replay.read_bytes())
            except OSError as error:
                raise CannotRun(f"{options.replay}: {error.strerror}") from error
            if self.earlier.redacted:
                raise CannotRun(f"{options.replay} was written with --redact: what it would send is not in it")
            sequences += to_replay(self.earlier)
        return sequences

    def _sides(self) -> list[Served]:
        options = self.options
        if options.candidate is not None:
            return self._sides_of_the_switch()
        olds = 1 if options.two_way else 2
        sides: list[Served] = []
        if options.old:
            names = ["old", "old again"][:olds]
            sides += [self._commanded(name, options.old, number) for number, name in enumerate(names)]
        else:
            old = environment(options.against, python=options.python or default_python(options.against))
            names = [options.against, f"{options.against} again"][:olds]
            sides += [self._served(name, old, number) for number, name in enumerate(names)]
        new = self._commanded("new", options.new, olds) if options.new else self._served("tornado4", None, olds)
        return [*sides, new]

    def _served(self, name: str, old: Environment | None, number: int) -> Served:
        return Served(name, self.program, old, self._port(number), self.options.start_timeout)

    def _commanded(self, name: str, command: str, number: int) -> Served:
        return Commanded(name, command, self._port(number), self.options.start_timeout)

    def _port(self, number: int) -> int:
        first: int = self.options.first_port
        return first and first + number

    def _sides_of_the_switch(self) -> list[Served]:
        """tornado4, twice, and the candidate on the real Tornado 6."""
        options = self.options
        python = options.candidate_python or sys.executable
        has = tornado_of(python)
        version = has if has.partition(".")[0].isdecimal() and int(has.partition(".")[0]) >= 6 else CANDIDATE
        candidate = dataclasses.replace(self.program, cwd=options.candidate.absolute())
        self.against = version
        sides: list[tuple[str, Program, Environment | None]] = [("tornado4", self.program, None)]
        if not options.two_way:
            sides.append(("tornado4 again", self.program, None))
        sides.append((version, candidate, environment(version, python=python)))
        return [
            Served(name, program, env, self._port(number), options.start_timeout)
            for number, (name, program, env) in enumerate(sides)
        ]

    def _crawled(self, side: Served) -> list[Sequence]:
        if not self.options.crawl:
            return []
        routes = side.routes(self.options.timeout)
        if not routes:
            raise CannotRun("--crawl: the application has no routes")
        sequences, notes = crawl(routes)
        self.notes += notes
        return sequences

    def _allowed(self, sequences: list[Sequence]) -> list[Sequence]:
        if self.options.unsafe or self.earlier is not None:
            return sequences
        allowed, self.skipped = without_unsafe(sequences)
        if self.skipped and not allowed:
            raise CannotRun(f"all {self.skipped} requests have unsafe methods; --unsafe sends them")
        return allowed

    def _compared(self, sides: list[Served], sequences: list[Sequence], rules: Rules) -> list[Verdict]:
        total = sum(len(sequence.steps) for sequence in sequences)
        app = str(self.program) if self.redactor is None else self.redactor.text(str(self.program))
        self.terminal.start(app, _described(sides[0]), _described(sides[-1]), total)
        # Several threads may have something to say; what they say is shown by this one.
        logs = not (self.options.old or self.options.new)
        against = "" if self.options.old else self.against
        comparer = Comparer(rules, against, logs, switch=self.options.candidate is not None)
        runner = Runner(sides, comparer, seconds=self.options.timeout, note=self.notes.append)
        verdicts = _startup(comparer, sides)
        shown = len(self.notes)
        for verdict in runner.verdicts(sequences):
            verdicts.append(verdict)
            while shown < len(self.notes):
                note = self.notes[shown]
                self.terminal.note(note if self.redactor is None else self.redactor.text(note))
                shown += 1
            self.terminal.step(self._shown(verdict))
        return verdicts

    def _shown(self, verdict: Verdict) -> Verdict:
        """A step as it goes to the terminal, while later ones may still tell what is secret in it."""
        if self.redactor is None:
            return verdict
        self.redactor.learn(verdict)
        return self.redactor.verdict(verdict)

    def _finish(self, sides: list[Served], rules: Rules, verdicts: list[Verdict], seconds: float) -> int:
        used = {difference.rule for verdict in verdicts for difference in verdict.differences if difference.rule}
        rows = {row: text for row, text in deviations.table().items() if row in used}
        run = Run(
            app=str(self.program), old=_described(sides[0]), new=_described(sides[-1]),
            sides=[side.name for side in sides], verdicts=verdicts, rules={**rules.meanings(used), **rows},
            seconds=seconds, slower=self.options.slower, skipped=self.skipped, notes=self.notes,
        )  # fmt: skip
        earlier = self.earlier
        if self.redactor is not None:
            for verdict in [*run.verdicts, *(earlier.verdicts if earlier else ())]:
                self.redactor.learn(verdict)
            run, earlier = self.redactor.run(run), earlier and self.redactor.run(earlier)
        self.terminal.finish(run)
        self._write(run)
        if earlier is not None:
            replay = report.against(earlier, run)
            self.terminal.replayed(replay)
            return replay.exit_code
        return DIFFERENT if run.count(Outcome.DIFFERENT) else SAME

    def _write(self, run: Run) -> None:
        options = self.options
        if options.save is not None:
            self._write_har(run)
        for path, make in (
            (options.json, report.to_json),
            (options.junit, report.to_junit),
            (options.html, report.to_html),
        ):
            if path is not None:
                _write_file(path, make(run))

    def _write_har(self, run: Run) -> None:
        text, left_out = to_har(run, self.started)
        _write_file(self.options.save, text)
        if left_out:
            why = "have no place in a HAR file (raw bytes) and are left out"
            self.terminal.note(f"{self.options.save}: {left_out} steps {why}")


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror}") from error


def _startup(comparer: Comparer, sides: list[Served]) -> list[Verdict]:
    """A verdict, number 0, when what the sides logged while they started differs."""
    step = Step("start of the application", ())
    answers = {side.name: Answer(b"", False, side.startup, port=side.port) for side in sides}
    old, new, again = answers[sides[0].name], answers[sides[-1].name], answers[sides[1].name]
    differences = comparer.compare(step, old, new, again if len(sides) > 2 else None)
    counts = any(not difference.rule for difference in differences)
    return [Verdict(0, "start", step, answers, differences)] if counts else []


def _described(side: Served) -> str:
    if isinstance(side, Commanded):
        return side.command
    name = "tornado4" if side.name == "tornado4" else "tornado"
    return f"{name} {side.tornado or tornado4.version} on Python {side.python}"


def default_python(version: str) -> str | None:
    """Tornado 6 and later run on the Python that we run on; for those before, an older one is looked for."""
    major = version.partition(".")[0]
    return sys.executable if major.isdecimal() and int(major) >= 6 else None


def to_replay(earlier: Run) -> list[Sequence]:
    """The steps that differed, and those before them on which they stand: that set cookies, or opened the WebSocket."""
    differing = {id(verdict) for verdict in report.steps_to_replay(earlier)}
    by_sequence: dict[str, list[Verdict]] = {}
    for verdict in earlier.verdicts:
        by_sequence.setdefault(verdict.sequence, []).append(verdict)
    sequences = []
    for name, verdicts in by_sequence.items():
        last = max((at for at, verdict in enumerate(verdicts) if id(verdict) in differing), default=-1)
        steps = [verdict.step for verdict in verdicts[: last + 1] if id(verdict) in differing or _prepares(verdict)]
        steps = [step for step in steps if step.send]  # the start is seen each time
        if steps:
            sequences.append(Sequence(name, tuple(steps), keep_cookies=not steps[0].raw))
    if not sequences:
        raise CannotRun("nothing differs in that report")
    return sequences


def _prepares(verdict: Verdict) -> bool:
    cookies = any(b"\r\nset-cookie:" in answer.raw.lower() for answer in verdict.answers.values())
    return verdict.step.websocket or cookies


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does: the sides are stopped first."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: signals are somebody else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
