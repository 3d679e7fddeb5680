"""The JSON report. ``version`` changes when a field changes its meaning."""

from __future__ import annotations

import json
from typing import Any

from tornado4.migrate.check.checker import Result
from tornado4.migrate.check.findings import Finding

FORMAT = "tornado4-check"
VERSION = 1


def to_json(result: Result, shown: list[Finding]) -> str:
    """All that was found, as one JSON document; see docs/check.md for its fields."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "files": result.files,
        "lines": result.lines,
        "ready": not result.open,
        "findings": [as_object(finding) for finding in shown],
    }
    return json.dumps(document, indent=1) + "\n"


def as_object(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "rule": finding.rule_id,
        "severity": finding.rule.severity,
        "certainty": finding.certainty,
        "message": finding.message,
        "text": finding.text,
        "guarded": finding.guarded,
        "required": finding.required,
        "fix": finding.fix,
        "fingerprint": finding.fingerprint(),
    }
