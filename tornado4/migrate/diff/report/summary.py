"""The four counts of a run, never mixed, and what stands behind each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tornado4.migrate.diff.model import Kind, Outcome, Run, Verdict


@dataclass
class Tally:
    """Counts verdicts as they come; complete when the run is."""

    #: Steps without a difference.
    same: int = 0
    #: Steps all of whose differences a rule or a deviation explains.
    ignored: int = 0
    #: Steps with a difference that counts.
    different: int = 0
    #: Steps that failed alike on both sides.
    untested: int = 0
    #: Steps by status: ``200``, ``403 -> 200``, ...
    statuses: dict[str, int] = field(default_factory=dict)
    #: Steps in which a rule or deviation explained something.
    rules: dict[str, int] = field(default_factory=dict)
    #: The same, of the steps that count as ignored only.
    ignored_by: dict[str, int] = field(default_factory=dict)
    #: Steps by kind of a difference that counts.
    kinds: dict[Kind, int] = field(default_factory=dict)
    #: Steps at which a side crashed, hung or did not answer, explained or not.
    failures: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Tally:
        """The tally of all these."""
        tally = cls()
        for verdict in verdicts:
            tally.add(verdict)
        return tally

    def add(self, verdict: Verdict) -> None:
        """Count one more step. A step counts once for each rule and each kind, however many differences it has of
        them.

        :arg verdict: what the step has come to.
        """
        match verdict.outcome:
            case Outcome.SAME:
                self.same += 1
            case Outcome.IGNORED:
                self.ignored += 1
            case Outcome.DIFFERENT:
                self.different += 1
            case Outcome.UNTESTED:
                self.untested += 1
        if verdict.status:
            self.statuses[verdict.status] = self.statuses.get(verdict.status, 0) + 1
        # dict.fromkeys and not set: the order of the differences is the order in the reports.
        for rule in dict.fromkeys(difference.rule for difference in verdict.differences if difference.rule):
            self.rules[rule] = self.rules.get(rule, 0) + 1
            if verdict.outcome is Outcome.IGNORED:
                self.ignored_by[rule] = self.ignored_by.get(rule, 0) + 1
        for kind in dict.fromkeys(difference.kind for difference in verdict.differences if not difference.rule):
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.failures += any(difference.kind is Kind.FAILURE for difference in verdict.differences)

    @property
    def steps(self) -> int:
        """All steps counted so far."""
        return self.same + self.ignored + self.different + self.untested

    def by_rule(self, rules: dict[str, int] | None = None) -> list[tuple[str, int]]:
        """Rules and their steps, the busiest first; all rules, or ``ignored_by``."""
        return sorted((self.rules if rules is None else rules).items(), key=lambda item: (-item[1], item[0]))

    def by_kind(self) -> list[tuple[Kind, int]]:
        """Kinds of what counts and their steps, the busiest first."""
        return sorted(self.kinds.items(), key=lambda item: (-item[1], item[0].value))


def exit_code(run: Run) -> int:
    """0 when nothing differs but what is ignored, else 1. (2, "could not run", leaves no run to report.)"""
    return 1 if run.count(Outcome.DIFFERENT) else 0


def plural(number: int, noun: str) -> str:
    """``1 step``, ``1,200 steps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
