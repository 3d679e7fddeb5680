"""How long each side took: per step, in the middle, and at the 95th percentile; and which steps became slower."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tornado4.migrate.diff.model import Run, Verdict

# Less than that is chance on any machine, whatever the factor (seconds).
LEAST = 0.002


def of_side(run: Run, side: str) -> list[float]:
    """Seconds of each step that was sent and answered on that side, ascending."""
    answers = (verdict.answers.get(side) for verdict in run.verdicts if verdict.number)
    return sorted(answer.seconds for answer in answers if answer is not None and not answer.failure)


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    return ascending[max(math.ceil(len(ascending) * percent / 100) - 1, 0)]


def milliseconds(seconds: float) -> str:
    """``0.4 ms``, ``12 ms``."""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:,.0f} ms"


def summary(run: Run) -> list[str]:
    """``4.5.3: median 1.2 ms, 95th 4.0 ms`` for each side; none where nothing was answered."""
    lines = []
    for side in run.sides:
        if seconds := of_side(run, side):
            middle, high = (milliseconds(percentile(seconds, percent)) for percent in (50, 95))
            lines.append(f"{side}: median {middle}, 95th {high}")
    return lines


def of_step(run: Run, verdict: Verdict) -> tuple[float, float] | None:
    """Seconds of the old side (the slower of its runs) and of the new one; None: one of them did not answer."""
    answers = [verdict.answers[side] for side in run.sides if side in verdict.answers]
    if len(answers) < 2 or any(answer.failure for answer in answers) or not verdict.number:
        return None
    return max(answer.seconds for answer in answers[:-1]), answers[-1].seconds


def shown(run: Run, verdict: Verdict) -> str:
    """``1.2 ms -> 3.0 ms`` of a step, old and new; empty where one of them did not answer."""
    took = of_step(run, verdict)
    return " -> ".join(map(milliseconds, took)) if took else ""


def slower(run: Run) -> list[tuple[Verdict, float, float]]:
    """(step, seconds of old, of new) where new takes ``run.slower`` times longer, the worst first."""
    found = []
    for verdict in run.verdicts if run.slower else ():
        times = of_step(run, verdict)
        if times and times[1] - times[0] >= LEAST and times[1] > run.slower * times[0]:
            found.append((verdict, *times))
    return sorted(found, key=lambda one: one[1] - one[2])
