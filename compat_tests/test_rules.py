"""Each rule's pair of programs: *before* on the real 4.5.3 and tornado4, *after* on the real 6.6.1 and tornado4."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import pytest

from compat_tests.oracle import oracle
from tornado4.migrate.rules import Rule, rules

TORNADO_6 = "6.6.1"
PROGRAMS = Path(__file__).resolve().parent / "rules" / "programs.py"
PAIRS = [rule for rule in rules().values() if rule.has_pair]


def run(command: list[str], environ: dict[str, str], programs: list[str]) -> list[str]:
    environ = environ | {"ASYNC_TEST_TIMEOUT": "10"}  # which only programs meet that would wait for ever
    done = subprocess.run(
        command, env=environ, input=json.dumps(programs), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SIDES = [
    ("4.5.3", "before"),
    ("tornado4", "before"),
    (TORNADO_6, "before"),
    (TORNADO_6, "after"),
    ("tornado4", "after"),
]


@functools.cache
def started() -> dict[tuple[str, str], futures.Future[dict[str, str]]]:
    """All sides at once: mostly they wait."""
    for version in ("4.5.3", TORNADO_6):
        oracle(version)
    executor = futures.ThreadPoolExecutor(len(SIDES))
    return {side: executor.submit(outcomes, *side) for side in SIDES}


def printed(side: str, when: str) -> dict[str, str]:
    """What each pair's program prints on a side, by rule."""
    return started()[side, when].result()


def outcomes(side: str, when: str) -> dict[str, str]:
    programs = [rule.program(getattr(rule, when)) for rule in PAIRS]
    if side == "tornado4":
        environ = os.environ | {"TORNADO4_FUTURE": "names" if when == "after" else ""}
        results = run([sys.executable, str(PROGRAMS), "--tornado4"], environ, programs)
    else:
        real = oracle(side)
        extra = ["--backfill"] if real.backfilled else []
        results = run(real.command(str(PROGRAMS), *extra), real.environ(), programs)
    return {rule.id: result.strip() for rule, result in zip(PAIRS, results, strict=True)}


def expected_after(rule: Rule) -> str:
    return (rule.prints_after or rule.prints).strip()


@pytest.mark.parametrize("rule", PAIRS, ids=lambda rule: rule.id)
def test_before_runs_on_both_of_4(rule: Rule) -> None:
    assert printed("4.5.3", "before")[rule.id] == rule.prints.strip()
    assert printed("tornado4", "before")[rule.id] == rule.prints.strip()


@pytest.mark.parametrize("rule", PAIRS, ids=lambda rule: rule.id)
def test_after_runs_on_6_and_on_tornado4_with_forward_names(rule: Rule) -> None:
    assert printed(TORNADO_6, "after")[rule.id] == expected_after(rule)
    assert printed("tornado4", "after")[rule.id] == expected_after(rule)


@pytest.mark.parametrize("rule", PAIRS, ids=lambda rule: rule.id)
def test_before_fails_on_6_where_the_rule_says_so(rule: Rule) -> None:
    same = printed(TORNADO_6, "before")[rule.id] == rule.prints.strip()
    if rule.same_on_6 or rule.severity not in ("raises", "silent"):
        assert same, "same_on_6 or the severity says that it runs as before"
    else:
        assert not same, f"{rule.severity}, and Tornado 6 does the same"


def test_whatever_has_a_fix_or_breaks_has_a_pair_or_a_reason() -> None:
    wanted = [rule for rule in rules().values() if rule.fix in ("safe", "unsafe") or rule.required]
    assert [rule.id for rule in wanted if not rule.has_pair and not rule.no_pair] == []
    assert [rule.id for rule in wanted if rule.has_pair and rule.no_pair] == []
    assert len([rule for rule in wanted if rule.no_pair]) <= 60
