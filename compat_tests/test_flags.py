"""Each flag's scenarios: without it as on the real 4.5.3, under it as on the real 6.6.1, alone and in company."""

from __future__ import annotations

import functools
import itertools
import os
import sys
from concurrent import futures

import pytest

from compat_tests.flags.scenarios import SCENARIOS
from compat_tests.oracle import oracle
from compat_tests.test_rules import PROGRAMS, TORNADO_6, run
from tornado4 import flags
from tornado4.migrate.rules import Rule, rules

CASES = [(flag, number) for flag, programs in SCENARIOS.items() for number in range(len(programs))]

@functools.cache
def real(version: str) -> list[str]:
    side = oracle(version)
    extra = ["--backfill"] if side.backfilled else []
    programs = [SCENARIOS[flag][number] for flag, number in CASES]
    return run(side.command(str(PROGRAMS), *extra), side.environ(), programs)


@functools.cache
def ours(future: str, wanted: tuple[str, ...]) -> dict[tuple[str, int], str]:
    """What the scenarios of these flags print under ``TORNADO4_FUTURE=future``."""
    cases = [case for case in CASES if case[0] in wanted]
    programs = [SCENARIOS[flag][number] for flag, number in cases]
    environ = os.environ | {"TORNADO4_FUTURE": future}
    return dict(zip(cases, run([sys.executable, str(PROGRAMS), "--tornado4"], environ, programs), strict=True))


def on(version: str, flag: str, number: int) -> str:
    return real(version)[CASES.index((flag, number))]


@pytest.mark.parametrize(("flag", "number"), CASES)
def test_without_the_flag_it_is_4(flag: str, number: int) -> None:
    assert ours("", tuple(SCENARIOS))[flag, number] == on("4.5.3", flag, number)


@pytest.mark.parametrize(("flag", "number"), CASES)
def test_under_the_flag_it_is_6(flag: str, number: int) -> None:
    assert ours(flag, (flag,))[flag, number] == on(TORNADO_6, flag, number)


@pytest.mark.parametrize("release", flags.GROUPS)
def test_all_flags_of_a_release_together(release: str) -> None:
    wanted = tuple(flag for flag in flags.GROUPS[release] if flag in SCENARIOS)
    for (flag, number), printed in ours(release, wanted).items():
        assert printed == on(TORNADO_6, flag, number), f"{flag}, scenario {number}, under {release}"


PAIRS = [
    pair
    for release in sorted({flag.since for flag in flags._ALL if flag.since})
    for pair in itertools.combinations([flag.name for flag in flags._ALL if flag.since == release], 2)
]


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_each_pair_within_a_release(pair: tuple[str, str]) -> None:
    for (flag, number), printed in ours(",".join(pair), pair).items():
        assert printed == on(TORNADO_6, flag, number), f"{flag}, scenario {number}"


def test_each_flag_has_three_scenarios_one_of_them_with_a_request_and_one_that_tells() -> None:
    assert {*SCENARIOS, "names"} == {*flags.FLAGS}
    for flag, programs in SCENARIOS.items():
        assert len(programs) >= 3
        assert any("ask(" in program or "fetch(" in program for program in programs)
        changed = [on("4.5.3", flag, number) != on(TORNADO_6, flag, number) for number in range(len(programs))]
        assert any(changed), f"{flag}: no scenario tells the two apart"


def test_the_rule_table_and_the_flags_know_each_other() -> None:
    assert {rule.flag for rule in rules().values() if rule.flag} | {"names"} == {*flags.FLAGS}


#: Rules whose own program does not print under the flag what it prints on 6, with the reason.
OTHERWISE = {
    "TND150": "the class of the error has its later name: the flag names gives that",
    "TND410": "web.asynchronous is gone there",
}
FLAGGED = [rule for rule in rules().values() if rule.flag and rule.has_pair]


@functools.cache
def before_on_6() -> list[str]:
    side = oracle(TORNADO_6)
    return run(side.command(str(PROGRAMS)), side.environ(), [rule.program(rule.before) for rule in FLAGGED])


@functools.cache
def before_under_flags() -> dict[str, futures.Future[list[str]]]:
    """What each prints under its flag; all at once, as some wait until a limit that they have."""
    executor = futures.ThreadPoolExecutor(4)

    def under_its_flag(rule: Rule) -> list[str]:
        environ = os.environ | {"TORNADO4_FUTURE": rule.flag}
        return run([sys.executable, str(PROGRAMS), "--tornado4"], environ, [rule.program(rule.before)])

    return {rule.id: executor.submit(under_its_flag, rule) for rule in FLAGGED}


@pytest.mark.parametrize("rule", FLAGGED, ids=lambda rule: rule.id)
def test_a_rules_program_does_under_its_flag_what_it_does_on_6(rule: Rule) -> None:
    (printed,) = before_under_flags()[rule.id].result()
    assert (printed == before_on_6()[FLAGGED.index(rule)]) is (rule.id not in OTHERWISE)
