"""The report for people: by file, then a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tornado4.migrate.check.checker import Result
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import rules


def to_text(result: Result, shown: list[Finding]) -> str:
    """Each finding with its line, grouped by file; the counts; what to do next."""
    parts = [*_places(shown)]
    if shown:
        parts += ["", *_counts(shown), ""]
    return "\n".join([*parts, *summary(result)]) + "\n"


def _places(shown: list[Finding]) -> Iterator[str]:
    path = None
    for finding in shown:
        if finding.path != path:
            if path is not None:
                yield ""
            path = finding.path
            yield path
        sure = "" if finding.certainty == "certain" else f" ({finding.certainty})"
        guarded = " (guarded)" if finding.guarded else " (optional)" if finding.optional else ""
        yield f"  {finding.line}:{finding.column}  {finding.rule_id}{sure}{guarded}  {finding.message}"
        if finding.text:
            yield f"      {finding.text[:120]}"


def _counts(shown: list[Finding]) -> Iterator[str]:
    for rule_id, number in Counter(finding.rule_id for finding in shown).most_common():
        yield f"  {number:5}  {rule_id}  {rules()[rule_id].title}"


def to_statistics(result: Result, shown: list[Finding]) -> str:
    """The counts alone, and what they come to."""
    return "\n".join([*_counts(shown), *summary(result)]) + "\n"


def summary(result: Result) -> Iterator[str]:
    """Sentences: whether Tornado 6 could run the program, what is to be done, how much was read."""
    needed = result.open
    if not needed:
        yield "Ready for Tornado 6."
    else:
        yield f"Tornado 6 needs {_count(len(needed), 'change')}."
        effort = sum(finding.rule.effort for finding in needed)
        safe = sum(finding.fix == "safe" for finding in needed)
        unsafe = sum(finding.fix == "unsafe" for finding in needed)
        yield (
            f"That is {_count(effort, 'point')} of effort; 'tornado4 fix' makes {safe} of them, "
            f"'tornado4 fix --unsafe' {unsafe} more."
        )
        yield f"'tornado4 explain {needed[0].rule_id}' tells more about a rule."
    yield f"{_count(result.files, 'file')} with {_count(result.lines, 'line')} read."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
