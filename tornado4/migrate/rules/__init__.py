"""The rules of the way to Tornado 6: one table, from which every tool says what it says.

``*.toml``, a file a family, hold the rules as data; ``model`` says what a rule is, ``table`` reads them, ``explain``
prints one, ``pages`` makes docs/rules/ from them.
"""

from __future__ import annotations

from tornado4.migrate.rules.model import FAMILIES, FixClass, Rule, Seer, Severity
from tornado4.migrate.rules.table import rule, rules

__all__ = ["FAMILIES", "FixClass", "Rule", "Seer", "Severity", "rule", "rules"]
