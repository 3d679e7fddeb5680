"""Which findings are shown and count: rules selected or ignored, ``# noqa``, a baseline of those that are known."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import rules

_NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)

BASELINE_FORMAT = "tornado4-check-baseline"


@dataclasses.dataclass(slots=True)
class Choice:
    """What to show. ``select`` and ``ignore`` are ids or beginnings of them (``TND2``).

    ``native`` takes the optional ladder in; ``optional`` takes in what a required rule is about and Tornado 6 runs as
    it stands in its place: nobody has to change it, a rewrite may.
    """

    native: bool = False
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    optional: bool = True

    def __post_init__(self) -> None:
        for prefix in [*self.select, *self.ignore]:
            if not any(rule_id.startswith(prefix.upper()) for rule_id in rules()):
                raise ValueError(f"no rule begins with {prefix!r}; 'tornado4 explain' lists them all")

    def takes(self, finding: Finding) -> bool:
        """Whether a finding is shown. What is selected by name is shown whatever it is."""
        if _begins(finding.rule_id, self.ignore):
            return False
        if self.select:
            return _begins(finding.rule_id, self.select)
        if finding.guarded:
            return False
        if finding.rule_id in UNREAD:
            return True
        if self.native and finding.rule.severity != "info":
            return True
        return finding.required or (self.optional and finding.optional)


#: What was not looked into is always said.
UNREAD = frozenset({"TND004", "TND006"})


def _begins(rule_id: str, prefixes: Sequence[str]) -> bool:
    return any(rule_id.startswith(prefix.upper()) for prefix in prefixes)


def is_silenced(line: str, rule_id: str) -> bool:
    """Whether a line's ``# noqa`` or ``# noqa: TND203`` covers a rule."""
    match = _NOQA.search(line)
    if match is None:
        return False
    codes = match["codes"]
    return codes is None or rule_id in re.split(r"[,\s]+", codes.upper())


# -- the baseline


def baseline_of(findings: Iterable[Finding]) -> str:
    """A baseline, as JSON: what is known by now, whatever line it moves to."""
    counts = Counter((finding.path, finding.rule_id, finding.fingerprint()) for finding in findings)
    known = [
        {"path": path, "rule": rule_id, "fingerprint": fingerprint, "count": count}
        for (path, rule_id, fingerprint), count in sorted(counts.items())
    ]
    return json.dumps({"format": BASELINE_FORMAT, "version": 1, "known": known}, indent=1) + "\n"


def read_baseline(path: Path) -> Counter[str]:
    """How often each fingerprint is known. ValueError for a file that is no baseline."""
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["format"] != BASELINE_FORMAT:
            raise KeyError("format")
        return Counter({entry["fingerprint"]: entry["count"] for entry in document["known"]})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no baseline of tornado4 check: {error}; --write-baseline makes one") from None


def new_findings(findings: Iterable[Finding], known: Counter[str]) -> tuple[list[Finding], int]:
    """The findings that are not in a baseline; and how many of the baseline have vanished."""
    left = Counter(known)
    fresh = []
    for finding in findings:
        if left[finding.fingerprint()] > 0:
            left[finding.fingerprint()] -= 1
        else:
            fresh.append(finding)
    return fresh, sum(left.values())
