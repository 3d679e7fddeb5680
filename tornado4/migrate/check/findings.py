"""What a check finds: a place, the rule, how sure it is, and what to do."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Literal, TypeAlias

from tornado4.migrate.rules import FixClass, Rule, rule

#: ``certain``: the name or object was traced to Tornado. ``likely``: it looks like Tornado's by its name and use.
#: ``note``: worth a look, no more.
Certainty: TypeAlias = Literal["certain", "likely", "note"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "note")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place in one file. ``line`` and ``column`` count from 1; ``text`` is the line, stripped.

    ``guarded``: the branch runs on an old Tornado or Python only, so that the finding asks for nothing.
    ``optional``: what the rule is about is there, and Tornado 6 runs it as it stands in this place.
    """

    path: str
    line: int
    column: int
    rule_id: str
    certainty: Certainty
    message: str
    text: str = ""
    guarded: bool = False
    fixed: bool = True
    optional: bool = False

    @property
    def rule(self) -> Rule:
        return rule(self.rule_id)

    @property
    def fix(self) -> FixClass | None:
        """``safe`` or ``unsafe`` where ``tornado4 fix`` can, else None."""
        return self.rule.fix if self.fixed and self.rule.fix in ("safe", "unsafe") else None

    @property
    def required(self) -> bool:
        """Whether Tornado 6 cannot do without: it raises, or silently does something else."""
        return self.rule.required and self.certainty != "note" and not self.guarded and not self.optional

    def fingerprint(self) -> str:
        """The same for the same finding in a file that grew elsewhere: for baselines and code scanning."""
        identity = "\0".join((self.path, self.rule_id, self.message, self.text))
        return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:16]
