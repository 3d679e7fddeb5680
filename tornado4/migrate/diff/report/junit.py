"""A run as JUnit XML, for the test reports of build servers.

A suite is a sequence, a case is a step; what differs is a ``failure``, what differs but is ignored stands in the case's
``properties`` as rule and difference, and that it became slower with both times. Whatever bytes occur,
the document is well-formed: see `printable.visible`.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tornado4.migrate.diff.model import Difference, Outcome, Run, Verdict
from tornado4.migrate.diff.report import times
from tornado4.migrate.diff.report.printable import decoded, one_line, visible

_LONGEST = 2_000  # characters of a value; build servers show them whole


def to_junit(run: Run) -> str:
    """The run as an XML document, ASCII only. The same run always gives the same text."""
    sequences: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts:
        sequences.setdefault(verdict.sequence, []).append(verdict)
    root = ET.Element("testsuites", _totals(one_line(f"tornado4 diff {run.app}"), run.verdicts))
    slower = {verdict.number: times.shown(run, verdict) for verdict, _, _ in times.slower(run)}
    for name, verdicts in sequences.items():
        suite = ET.SubElement(root, "testsuite", _totals(one_line(name), verdicts))
        properties = ET.SubElement(suite, "properties")
        facts = [("old", run.old), ("new", run.new), *(("note", note) for note in run.notes)]
        for fact, value in facts:
            ET.SubElement(properties, "property", name=fact, value=one_line(value))
        for verdict in verdicts:
            _case(suite, verdict, slower.get(verdict.number, ""))
    ET.indent(root)
    text: str = ET.tostring(root, encoding="us-ascii", xml_declaration=True).decode("ascii")
    return text + "\n"


def _totals(name: str, verdicts: list[Verdict]) -> dict[str, str]:
    failures = sum(verdict.outcome is Outcome.DIFFERENT for verdict in verdicts)
    untested = sum(verdict.outcome is Outcome.UNTESTED for verdict in verdicts)
    counts = {"tests": str(len(verdicts)), "failures": str(failures), "errors": "0", "skipped": str(untested)}
    return {"name": name, **counts, "time": f"{sum(map(_seconds, verdicts)):.3f}"}


def _seconds(verdict: Verdict) -> float:
    return sum(answer.seconds for answer in verdict.answers.values())


def _case(suite: ET.Element, verdict: Verdict, slower: str) -> None:
    name = one_line(f"{verdict.number} {verdict.step.name}")
    case = ET.SubElement(
        suite, "testcase", classname=one_line(verdict.sequence), name=name, time=f"{_seconds(verdict):.3f}"
    )
    ignored = [difference for difference in verdict.differences if difference.rule]
    if ignored or slower:
        properties = ET.SubElement(case, "properties")
        if slower:
            ET.SubElement(properties, "property", name="slower", value=slower)
        for difference in ignored:
            ET.SubElement(
                properties, "property", name=one_line(f"ignored: {difference.rule}"), value=_cut(described(difference))
            )
    counted = [difference for difference in verdict.differences if not difference.rule]
    if counted:
        points = ", ".join(dict.fromkeys(f"{item.kind.value} {item.where}".strip() for item in counted))
        failure = ET.SubElement(case, "failure", type="different", message=_cut(one_line(points)))
        failure.text = _failure_text(verdict, counted)
    elif verdict.outcome is Outcome.UNTESTED:
        ET.SubElement(case, "skipped", message=_cut(one_line(f"untested: {verdict.untested}")))


def _failure_text(verdict: Verdict, counted: list[Difference]) -> str:
    request = b"".join(send.data for send in verdict.step.send)
    origin = f"from {visible(verdict.step.origin)}\n" if verdict.step.origin else ""
    shown = decoded(request).replace("\\r\n", "\n")
    return "\n".join(["", *map(described, counted), "", origin + _cut(shown).rstrip("\n"), ""])


def described(difference: Difference) -> str:
    """One difference in one line: ``header Server: 'TornadoServer/4.5.3' -> 'nginx'``."""
    place = f"{difference.kind.value} {difference.where}".strip()
    explained = f" ({difference.explained})" if difference.explained else ""
    return one_line(f"{place}: {_cut(difference.old)!r} -> {_cut(difference.new)!r}{explained}")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"
