"""SARIF 2.1.0, as code scanning services take it: relative URIs, fingerprints, levels, help for each rule."""

from __future__ import annotations

import json
from typing import Any

from tornado4.migrate.check.checker import Result
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import Rule, rules
from tornado4.migrate.rules.explain import of_rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

#: By what Tornado 6 does; a finding that is less than certain is a warning at most.
LEVELS = {"raises": "error", "silent": "error", "deprecated": "warning", "style": "note", "info": "note"}


def to_sarif(result: Result, shown: list[Finding]) -> str:
    """All that was found, as one SARIF log with one run."""
    used = sorted({finding.rule_id for finding in shown})
    index = {rule_id: number for number, rule_id in enumerate(used)}
    driver = {
        "name": "tornado4 check",
        "rules": [_descriptor(rules()[rule_id]) for rule_id in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.rule_id]) for finding in shown],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": of_rule(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["tornado", rule.family]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    level = LEVELS[finding.rule.severity]
    if finding.certainty != "certain" and level == "error":
        level = "warning"
    region = {"startLine": finding.line, "startColumn": finding.column}
    location = {"artifactLocation": {"uri": finding.path}, "region": region}
    return {
        "ruleId": finding.rule_id,
        "ruleIndex": index,
        "level": level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"tornado4/v1": finding.fingerprint()},
    }
