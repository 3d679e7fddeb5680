"""One scenario under the old Tornado and under tornado4, and what it recorded under each.

    result = transcript('''
    from tornado import gen, ioloop

    @gen.coroutine
    def main():
        record("before")
        yield gen.moment
        record("after")

    ioloop.IOLoop.current().run_sync(main)
    ''')
    assert result.same, result.report()

The scenario says ``import tornado`` and runs in a process of its own on each side, on a fresh current IOLoop. It is
given ``record(*values)``. A transcript holds, in order, what was recorded (as texts that do not depend on the process,
the interpreter or the name of the package), every log record from INFO up, and the exception that ended it.
Scenarios of one call share a process a side, which makes many of them quick.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado4.migrate.diff.environments import Environment, environment
from tornado4.migrate.diff.sides import Line, SideFailed, SideProcess

SECONDS = 20.0
_NEVER = "did not end"


@dataclass(frozen=True)
class Scenario:
    """What is to be run: ``kind`` "source" (its text in ``where``), "file" or "module".

    ``function`` is called with ``record``; None runs the whole text or file, with ``record`` as a global name.
    """

    name: str
    kind: str
    where: str
    function: str | None = None

    def job(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "where": self.where, "function": self.function}


@dataclass(frozen=True)
class Transcript:
    """What one scenario did on both sides, a line a step, as texts."""

    name: str
    old_name: str
    old: list[str]
    new: list[str]

    @property
    def same(self) -> bool:
        """Whether both did the same. Of a scenario that did not end, the steps before count, not where it was."""
        return _without_stacks(self.old) == _without_stacks(self.new)

    def report(self) -> str:
        """The differences as a unified diff; empty when there are none."""
        lines = difflib.unified_diff(self.old, self.new, self.old_name, "tornado4", n=3, lineterm="")
        return "\n".join(lines)


def _without_stacks(steps: list[str]) -> list[str]:
    return [_NEVER if step.startswith(_NEVER + "\n") else step for step in steps]


def scenario_of(given: str | Path | Callable[..., Any] | Scenario) -> Scenario:
    """The scenario that a caller means by: source text; a file, ``file.py:function``; ``module:function``; a function.

    :raises ValueError: there is no such file or module, or the function is none of a module's own.
    """
    if isinstance(given, Scenario):
        return given
    if callable(given):
        if not given.__qualname__.isidentifier():  # a lambda, a method, a function within another
            raise ValueError(f"{given.__qualname__} is not reachable by name in {given.__module__}: give its text")
        return Scenario(given.__qualname__, "file", given.__code__.co_filename, given.__qualname__)
    text = str(given)
    if "\n" in text:
        return Scenario("scenario", "source", text)
    where, colon, function = text.rpartition(":")
    if text.endswith(".py"):
        where, function = text, ""
    if where.endswith(".py"):
        if not Path(where).is_file():
            raise ValueError(f"there is no file {where!r}")
        return Scenario(function or Path(where).stem, "file", str(Path(where).resolve()), function or None)
    if not colon:
        # One line of Python, such as "record(1)", has no colon that a module's name could stand before.
        return Scenario("scenario", "source", text)
    if not where.replace(".", "_").isidentifier() or not function.isidentifier():
        return Scenario("scenario", "source", text)
    try:
        found = importlib.util.find_spec(where)
    except ModuleNotFoundError:
        found = None
    if found is None or not found.origin:
        raise ValueError(f"there is no module {where!r}")
    return Scenario(function, "module", where, function)


def transcript(
    scenario: str | Path | Callable[..., Any] | Scenario,
    against: str | Environment = "4.5.3",
    *,
    python: str | Path | None = None,
    seconds: float = SECONDS,
) -> Transcript:
    """Run one scenario on both sides; see :func:`scenario_of` for what may be given.

    :arg against: the version of the old Tornado, or an environment that is there already.
    :arg python: the interpreter for the old side, where ``against`` is a version.
    :arg seconds: the most that it may take on a side. One that takes longer is ended, and its transcript says so.
    :raises EnvironmentUnavailable: the old Tornado could not be had.
    """
    return transcripts([scenario], against, python=python, seconds=seconds)[0]


def transcripts(
    scenarios: Iterable[str | Path | Callable[..., Any] | Scenario],
    against: str | Environment = "4.5.3",
    *,
    python: str | Path | None = None,
    seconds: float = SECONDS,
) -> list[Transcript]:
    """Run many, one after the other in one process a side, both sides at once; one transcript each, in order."""
    jobs = [scenario_of(given) for given in scenarios]
    old = environment(against, python=python) if isinstance(against, str) else against
    with ThreadPoolExecutor(2) as pool:
        olds, news = pool.map(lambda side: recorded(jobs, side, seconds), [old, None])
    return [
        Transcript(job.name, f"tornado {old.version}", before, after)
        for job, before, after in zip(jobs, olds, news, strict=True)
    ]


def recorded(scenarios: Sequence[Scenario], old: Environment | None, seconds: float = SECONDS) -> list[list[str]]:
    """What each scenario recorded on one side. ``old`` None: tornado4.

    A scenario that ends its process, or takes too long, costs the following ones nothing: they get a new one.
    """
    done: list[list[str]] = []
    while len(done) < len(scenarios):
        rest = scenarios[len(done) :]
        job = {"scenarios": [scenario.job() for scenario in rest], "seconds": seconds}
        with SideProcess(job, old) as process:
            finished, started = _listen(process, seconds + 60)
            done += finished
            if started is not None:
                # The reader of standard error has all of it only when the process is gone.
                process.close()
                done.append([*started, _NEVER + "\n" + "".join(process.errors)])
            elif not finished:
                process.close()
                raise SideFailed(f"{process.name} did not start\n{''.join(process.errors)}")
    return done


def _listen(process: SideProcess, patience: float) -> tuple[list[list[str]], list[str] | None]:
    """(what the scenarios that ended recorded, what the one recorded in whose middle the process ended)."""
    finished: list[list[str]] = []
    current: list[str] | None = None
    while (line := process.next_line(patience)) is not None:
        kind = line[0]
        if kind == "begin":
            current = []
        elif current is None:
            continue
        elif kind == "end":
            finished.append(current)
            current = None
        else:
            current.append(_as_text(line))
    return finished, current


def _as_text(line: Line) -> str:
    if line[0] == "record":
        return "record " + ", ".join(line[1])
    if line[0] == "log":
        _, logger, level, message, error = line
        return f"log {logger} {level} {message}" + (f" [{error}]" if error else "")
    return " ".join(str(part) for part in line)
