"""The table of rules, read from the data beside this file: a file a family, a table a rule."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from tornado4.migrate.rules.model import FAMILIES, CallPattern, Rule


@functools.cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order of the families and of the files."""
    found: dict[str, Rule] = {}
    here = resources.files(__package__)
    for family in FAMILIES:
        for rule_id, fields in tomllib.loads((here / f"{family}.toml").read_text("utf-8")).items():
            found[rule_id] = _rule(rule_id, family, fields)
    return MappingProxyType(found)


def rule(rule_id: str) -> Rule:
    """The rule of that id, in any case of letters. KeyError with a sentence for one that is none."""
    known = rules()
    try:
        return known[rule_id.upper()]
    except KeyError:
        near = difflib.get_close_matches(rule_id.upper(), known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise KeyError(f"there is no rule {rule_id}{hint}") from None


def _rule(rule_id: str, family: str, fields: dict[str, Any]) -> Rule:
    for name in ("seen_by", "names", "overrides"):
        fields[name] = tuple(fields.get(name, ()))
    fields["calls"] = tuple(CallPattern(**call | {"to": tuple(call["to"])}) for call in fields.get("calls", ()))
    return Rule(id=rule_id, family=family, **fields)
