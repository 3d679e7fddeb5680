"""``tornado4 explain ID``: a rule of the way to Tornado 6, or a row of the deviations from 4.5.3, with its example."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from tornado4.migrate.diff.deviations import table
from tornado4.migrate.rules.model import Rule
from tornado4.migrate.rules.table import rule, rules

SEVERITIES = {
    "raises": "Tornado 6 raises",
    "silent": "Tornado 6 runs it, and does something else",
    "deprecated": "works in Tornado 6, and is to go",
    "style": "optional: Tornado 6 takes both",
    "info": "nothing to do in most programs",
}
SEERS = {
    "static": "tornado4 check",
    "run": "tornado4 run --migrate",
    "diff": "tornado4 diff",
}
FIXES = {
    "safe": "tornado4 fix rewrites it",
    "unsafe": "tornado4 fix --unsafe rewrites it; look at the result",
    "manual": "by hand",
    "none": "nothing to rewrite",
}


def main(argv: Sequence[str]) -> int:
    """The subcommand; 2 for an id that is none."""
    parser = argparse.ArgumentParser(
        prog="tornado4 explain",
        description="Print a rule of the way to Tornado 6 (TND203) or a row of the deviations from 4.5.3 (WIRE-HOST).",
    )
    parser.add_argument("id", nargs="*", metavar="ID", help="none: a line for each rule")
    options = parser.parse_args(argv)
    if not options.id:
        for each in rules().values():
            print(f"{each.id}  {each.severity:<10}  {each.title}")
        return 0
    try:
        explained = [explain(rule_id) for rule_id in options.id]
    except KeyError as error:
        parser.error(error.args[0])
    print("\n\n".join(explained))
    return 0


def explain(rule_id: str) -> str:
    """What there is to say of a rule or row, as text for a terminal. KeyError with a sentence for an unknown id."""
    rows = table()
    if rule_id.upper() in rows:
        return f"{rule_id.upper()}  differs from 4.5.3, on purpose\n\n{_wrapped(rows[rule_id.upper()])}"
    return of_rule(rule(rule_id))


def of_rule(rule: Rule) -> str:
    """A rule as text."""
    lines = [f"{rule.id}  {rule.title}", ""]
    facts = [("severity", SEVERITIES[rule.severity])]
    if rule.since:
        facts.append(("since", f"Tornado {rule.since}" if rule.family != "python" else f"Python {rule.since}"))
    facts.append(("seen by", ", ".join(SEERS[seer] for seer in rule.seen_by) or "nobody"))
    facts.append(("fix", FIXES[rule.fix] + (f" ({rule.fix_note})" if rule.fix_note else "")))
    if rule.flag:
        facts.append(("flag", f"tornado4 run --future {rule.flag} turns Tornado 6's behaviour on"))
    if rule.no_flag:
        facts.append(("flag", f"none: {rule.no_flag}"))
    lines += [f"  {name:<9} {value}" for name, value in facts]
    if rule.advice:
        lines += ["", _wrapped("Instead: " + rule.advice)]
    if rule.before:
        lines += ["", "Tornado 4:", "", textwrap.indent(rule.before.strip("\n"), "    ")]
        lines += ["", "Tornado 6:", "", textwrap.indent(rule.after.strip("\n"), "    ")]
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, width=100, break_long_words=False, break_on_hyphens=False)
