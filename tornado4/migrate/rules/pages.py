"""docs/rules/: a page a family, a section a rule, made from the data.

``python -m tornado4.migrate.rules.pages docs/rules`` writes them; a test holds them against the data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from tornado4.migrate.rules.explain import FIXES, SEERS, SEVERITIES
from tornado4.migrate.rules.model import FAMILIES, Rule
from tornado4.migrate.rules.table import rules

_INTRODUCTION = """\
# The rules of the way to Tornado 6

What differs between Tornado 4.5.3 and Tornado 6.6.1, found by running both. `tornado4 check` looks for those that can
be seen in the source; `tornado4 explain TND203` prints one. Each example that is a whole program is run by a test,
*before* on the real 4.5.3 and on tornado4, *after* on the real 6.6.1 and on tornado4 with its forward names.

"""


def pages() -> dict[str, str]:
    """The pages' texts, by file name."""
    made = {"README.md": _INTRODUCTION + "".join(_listing(family) for family in FAMILIES)}
    for family, title in FAMILIES.items():
        sections = "\n".join(section(rule) for rule in _of(family))
        made[f"{family}.md"] = f"# {title}\n\n{sections}"
    return made


def section(rule: Rule) -> str:
    """A rule as Markdown."""
    lines = [f"## {rule.id}", "", f"**{_escaped(rule.title)}**", ""]
    facts = [SEVERITIES[rule.severity]]
    if rule.since:
        facts.append(f"since {'Python' if rule.family == 'python' else 'Tornado'} {rule.since}")
    seers = ", ".join(f"`{SEERS[seer]}`" for seer in rule.seen_by)
    facts.append(f"seen by {seers}" if seers else "seen by nobody")
    facts.append(FIXES[rule.fix] + (f" ({_escaped(rule.fix_note)})" if rule.fix_note else ""))
    if rule.flag:
        facts.append(f"turned on, still on tornado4, by `--future {rule.flag}`")
    if rule.no_flag:
        facts.append(f"no future flag: {_escaped(rule.no_flag)}")
    lines += [f"- {fact[0].upper()}{fact[1:]}" for fact in facts]
    if rule.advice:
        lines += ["", f"Instead: {_escaped(rule.advice)}"]
    if rule.before:
        lines += ["", "```python", "# Tornado 4", rule.before.strip("\n"), "```"]
        lines += ["", "```python", "# Tornado 6", rule.after.strip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _listing(family: str) -> str:
    rows = "".join(
        f"| [{rule.id}]({family}.md#{rule.id.lower()}) | {_escaped(rule.title)} | {rule.severity} | {rule.fix} |\n"
        for rule in _of(family)
    )
    return f"## {FAMILIES[family]}\n\n| rule | what | severity | fix |\n|---|---|---|---|\n{rows}\n"


def _of(family: str) -> Iterable[Rule]:
    return (rule for rule in rules().values() if rule.family == family)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;").replace("_", "\\_")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")
