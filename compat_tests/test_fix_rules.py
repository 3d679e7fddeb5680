"""``tornado4 fix`` on the program of each rule: what it makes prints on the real Tornado 6 what the rule says."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path

import pytest

from compat_tests.oracle import oracle
from compat_tests.test_rules import PAIRS, PROGRAMS, TORNADO_6, expected_after, run
from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.rules import Rule

pytest.importorskip("libcst")

from tornado4.migrate.fix.fixer import fix
from tornado4.migrate.fix.steps import Options

#: Rules whose table says that a tool can, and whose program `fix` leaves to a person: why.
BY_HAND = {
    "TND120": "the program has a thread, which is to be handed the loop: which one is for a person",
    "TND220": "what the arguments are is for a person",
}

FIXED = [rule for rule in PAIRS if rule.fix in ("safe", "unsafe")]


def fixed(rule: Rule) -> str:
    """The program of *before*, after a fix with all that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "app.py")
        path.write_text(rule.program(rule.before), "utf-8")
        options = Options(unsafe=True, choice=Choice(native=not rule.required), markers=False, strict=True)
        outcome = fix([path], options)
        return next(iter(outcome.after.values()), path.read_bytes()).decode()


@functools.cache
def texts() -> dict[str, str]:
    return {rule.id: fixed(rule) for rule in FIXED}


@functools.cache
def printed(side: str) -> dict[str, str]:
    programs = list(texts().values())
    if side == "tornado4":
        results = run(
            [sys.executable, str(PROGRAMS), "--tornado4"], os.environ | {"TORNADO4_FUTURE": "names"}, programs
        )
    else:
        real = oracle(side)
        extra = ["--backfill"] if real.backfilled else []
        results = run(real.command(str(PROGRAMS), *extra), real.environ(), programs)
    return {rule_id: result.strip() for rule_id, result in zip(texts(), results, strict=True)}


def is_changed(rule: Rule) -> bool:
    return texts()[rule.id] != rule.program(rule.before)


@pytest.mark.parametrize("rule", [rule for rule in FIXED if rule.id not in BY_HAND], ids=lambda rule: rule.id)
def test_what_fix_makes_runs_on_6_and_on_tornado4_with_forward_names(rule: Rule) -> None:
    assert is_changed(rule)
    assert printed(TORNADO_6)[rule.id] == expected_after(rule), texts()[rule.id]
    assert printed("tornado4")[rule.id] == expected_after(rule), texts()[rule.id]


@pytest.mark.parametrize("rule_id", BY_HAND)
def test_what_is_left_to_a_person_is_not_half_done(rule_id: str) -> None:
    rule = next(rule for rule in FIXED if rule.id == rule_id)
    assert not is_changed(rule) or rule_id == "TND120"
