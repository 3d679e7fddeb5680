"""The findings as one HTML page that needs nothing else, in the look of the comparison's."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

from tornado4 import template
from tornado4.migrate.check.checker import Result
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.check.report.text import summary
from tornado4.migrate.diff.report.html import POLICY, policy_hash
from tornado4.migrate.rules import rules
from tornado4.migrate.rules.explain import of_rule

_HERE = Path(__file__).parent
_LOOK = _HERE.parent.parent / "diff" / "report" / "page.css"


def to_html(result: Result, shown: list[Finding]) -> str:
    """The page: by rule, by file, each finding with its line; nothing in it can run but its own script."""
    style = _LOOK.read_text("utf-8") + (_HERE / "page.css").read_text("utf-8")
    script = (_HERE / "page.js").read_text("utf-8")
    counts = Counter(finding.rule_id for finding in shown).most_common()
    files = [(path, list(group)) for path, group in itertools.groupby(shown, lambda finding: finding.path)]
    verdict, *rest = summary(result)
    page: bytes = template.Loader(str(_HERE)).load("page.html").generate(
        verdict=verdict,
        summary=" ".join(rest),
        counts=[(rules()[rule_id], number) for rule_id, number in counts],
        explanations={rule_id: of_rule(rules()[rule_id]) for rule_id, _ in counts},
        files=files,
        style=style,
        script=script,
        policy=f"{POLICY}; style-src {policy_hash(style)}; script-src {policy_hash(script)}",
    )
    return page.decode("utf-8")
