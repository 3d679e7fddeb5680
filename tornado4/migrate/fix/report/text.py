"""The report for people: by file what was changed, then what was left, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tornado4.migrate.fix.fixer import Left, Outcome
from tornado4.migrate.rules import rules


def to_text(outcome: Outcome, *, written: bool) -> str:
    """Counts by file and rule; each function that was left with the reason; a summary."""
    parts = [*_made(outcome), *_by_profile(outcome), *_left(outcome), *_unread(outcome), *_summary(outcome, written)]
    return "\n".join(parts) + "\n"


def _made(outcome: Outcome) -> Iterator[str]:
    by_file: dict[str, Counter[str]] = {}
    for each in outcome.made:
        by_file.setdefault(each.path, Counter())[each.rule_id] += 1
    for path, counts in sorted(by_file.items()):
        yield path
        for rule_id, number in sorted(counts.items()):
            yield f"  {number:4}  {rule_id}  {rules()[rule_id].title}"
    if by_file:
        yield ""


def _by_profile(outcome: Outcome) -> Iterator[str]:
    made = [each for each in outcome.made if each.recorded]
    if not made:
        return
    yield "By what the profile tells:"
    for each in sorted(made, key=lambda one: (one.path, one.line)):
        yield f"  {each.path}:{each.line}  {each.function}"
    yield ""


def _left(outcome: Outcome) -> Iterator[str]:
    left = [each for each in outcome.left if each.required or each.unsafe or _is_native(outcome, each)]
    if not left:
        return
    yield "Left:"
    path = None
    for each in left:
        if each.path != path:
            path = each.path
            yield f"  {path}"
        way = " (fix --unsafe does)" if each.unsafe else ""
        yield f"    {each.line}  {each.function}  {each.rule_id}: {each.reason}{way}"
    yield ""


def _is_native(outcome: Outcome, left: Left) -> bool:
    """A coroutine that stays one: who has recorded a run wants to know why."""
    return outcome.profiled and left.rule_id in ("TND301", "TND318")


def _unread(outcome: Outcome) -> Iterator[str]:
    for path, reason in sorted(outcome.unread.items()):
        yield f"not read: {path}: {reason}"


def _summary(outcome: Outcome, written: bool) -> Iterator[str]:
    changed = len(outcome.changed)
    verb = "changed" if written else "would change"
    recorded = sum(1 for each in outcome.made if each.recorded)
    if outcome.profiled:
        yield f"{recorded:,} coroutines are native because of what the profile tells."
    yield f"{len(outcome.made):,} fixes; {changed:,} of {outcome.files:,} Python files {verb}."
    yield f"{len(outcome.left):,} places left."
