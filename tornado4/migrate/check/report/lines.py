"""One line a finding: annotations of GitHub's workflows, and CSV."""

from __future__ import annotations

import csv
import io

from tornado4.migrate.check.checker import Result
from tornado4.migrate.check.findings import Finding

COLUMNS = ("path", "line", "column", "rule", "severity", "certainty", "fix", "message", "text")


def to_github(result: Result, shown: list[Finding]) -> str:
    """Workflow commands: GitHub shows them beside the line."""
    lines = []
    for finding in shown:
        kind = "error" if finding.required and finding.certainty == "certain" else "warning"
        place = f"file={_property(finding.path)},line={finding.line},col={finding.column}"
        lines.append(f"::{kind} {place},title={finding.rule_id}::{_data(finding.message)}\n")
    return "".join(lines)


def to_csv(result: Result, shown: list[Finding]) -> str:
    """A table with a head."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for finding in shown:
        writer.writerow(
            (
                finding.path,
                finding.line,
                finding.column,
                finding.rule_id,
                finding.rule.severity,
                finding.certainty,
                finding.fix or "",
                finding.message,
                finding.text,
            )
        )
    return out.getvalue()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
