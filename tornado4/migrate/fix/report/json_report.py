"""The JSON report. ``version`` changes when a field changes its meaning."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

from tornado4.migrate.fix.fixer import Outcome

FORMAT = "tornado4-fix"
VERSION = 1


def to_json(outcome: Outcome, *, written: bool) -> str:
    """All that was done and left, as one JSON document; see docs/fix.md for its fields."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "written": written,
        "files": outcome.files,
        "lines": outcome.lines,
        "changed": sorted(outcome.changed),
        "rules": dict(sorted(Counter(each.rule_id for each in outcome.made).items())),
        "by_profile": [
            {"path": each.path, "line": each.line, "function": each.function}
            for each in outcome.made
            if each.recorded
        ],
        "made": [dataclasses.asdict(each) for each in outcome.made],
        "left": [dataclasses.asdict(each) for each in outcome.left],
        "unread": outcome.unread,
    }
    return json.dumps(document, indent=1) + "\n"
