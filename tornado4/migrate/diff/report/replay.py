"""An earlier report held against a new run: what was mended, what still differs, what differs only now."""

from __future__ import annotations

import enum
from collections import defaultdict, deque
from dataclasses import dataclass

from tornado4.migrate.diff.model import Difference, Outcome, Run, Verdict

Key = tuple[object, ...]


class Standing(enum.Enum):
    """How a step stands against the earlier report."""

    #: It differed, and no longer does, or is explained by a rule now.
    FIXED = "FIXED"
    #: It differed, and does.
    STILL = "STILL"
    #: It differs, and did not or was not there.
    NEW = "NEW"
    #: It differed, and was not sent this time.
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Entry:
    """One step's standing, difference by difference; ``now`` is None for `Standing.NOT_RUN`, ``before`` may be for
    `Standing.NEW`."""

    standing: Standing
    before: Verdict | None
    now: Verdict | None
    #: Differences that are gone, as they were in the earlier report.
    fixed: tuple[Difference, ...] = ()
    #: Those that are still there, as they are now.
    still: tuple[Difference, ...] = ()
    #: Those that were not there.
    new: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        """The step's name."""
        verdict = self.now or self.before
        return verdict.step.name if verdict else ""

    @property
    def explained_by(self) -> tuple[str, ...]:
        """The rules that cover now what counted before."""
        if self.now is None:
            return ()
        points = {_point(difference) for difference in self.fixed}
        rules = (difference.rule for difference in self.now.differences if _point(difference) in points)
        return tuple(dict.fromkeys(rule for rule in rules if rule))


@dataclass(frozen=True)
class Replay:
    """All steps that differ now or differed before; in the new run's order, those not run last."""

    #: One a step.
    entries: tuple[Entry, ...]

    def count(self, standing: Standing) -> int:
        """How many steps stand so."""
        return sum(entry.standing is standing for entry in self.entries)

    @property
    def exit_code(self) -> int:
        """0 when all is fixed, else 1."""
        return 0 if all(entry.standing is Standing.FIXED for entry in self.entries) else 1


def steps_to_replay(report: Run) -> list[Verdict]:
    """What differed in the report."""
    return [verdict for verdict in report.verdicts if verdict.outcome is Outcome.DIFFERENT]


def against(earlier: Run, now: Run) -> Replay:
    """Compare two runs, step by step.

    Numbers change when only a part is run again, so that a step is known by its sequence, name and bytes; of several
    equal ones the first meets the first.

    :arg earlier: the run of the report.
    :arg now: the new one.
    """
    waiting: defaultdict[Key, deque[Verdict]] = defaultdict(deque)
    for verdict in earlier.verdicts:
        waiting[_key(verdict)].append(verdict)
    entries = []
    for verdict in now.verdicts:
        same_step = waiting[_key(verdict)]
        before = same_step.popleft() if same_step else None
        if entry := _entry(before, verdict):
            entries.append(entry)
    left = [verdict for rest in waiting.values() for verdict in rest]
    for verdict in sorted(steps_to_replay(Run("", "", "", verdicts=left)), key=lambda verdict: verdict.number):
        entries.append(Entry(Standing.NOT_RUN, verdict, None))
    return Replay(tuple(entries))


def _entry(before: Verdict | None, now: Verdict) -> Entry | None:
    counted_before = {_point(difference): difference for difference in _counted(before)}
    counted_now = {_point(difference): difference for difference in _counted(now)}
    if not counted_before and not counted_now:
        return None
    if not counted_now:
        standing = Standing.FIXED
    else:
        standing = Standing.STILL if counted_before else Standing.NEW
    return Entry(
        standing,
        before,
        now,
        fixed=tuple(difference for point, difference in counted_before.items() if point not in counted_now),
        still=tuple(difference for point, difference in counted_now.items() if point in counted_before),
        new=tuple(difference for point, difference in counted_now.items() if point not in counted_before),
    )


def _key(verdict: Verdict) -> Key:
    return verdict.sequence, verdict.step.name, verdict.step.send


def _point(difference: Difference) -> Key:
    return difference.kind, difference.where


def _counted(verdict: Verdict | None) -> list[Difference]:
    return [difference for difference in verdict.differences if not difference.rule] if verdict else []
