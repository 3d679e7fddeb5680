"""Running a module of a suite in processes of its own, and holding the outcomes against what is expected.

``expected/<version>.json`` says for each module and test one of

    passes
    deviates ROW            ROW of docs/deviations.md says why; fails here, on purpose
    changed in 4.5.3: why   passed on that older release; the real 4.5.3 fails it too
    broken: why             fails on the real Tornado of that version, too, on any current Python
    skipped: why            as the suite itself says

or, where that depends on the Python or the loop, an object from "3.12", "uvloop", "3.12 uvloop" (all the words
have to fit; the first entry that fits counts) and "else" to one of these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from compat_tests.oracle import TOP

CURRENT = "4.5.3"
EXPECTED = Path(__file__).parent / "expected"
VERSIONS = sorted((file.stem for file in EXPECTED.glob("*.json")), reverse=True)
MODULE_SECONDS = 300
#: Upstream's default, five seconds for one test, is too short on a busy machine. Tests that are known to fail
#: do so by waiting for what never comes, some of them: they get less.
TEST_SECONDS, FAILING_TEST_SECONDS = 60, 3
#: Have limits of their own, from five milliseconds to a second: too short for a process that has to wait for its turn.
#: They run by a clock that does not count that (own_time.py); upstream left most of them out where it was tested.
HURRIED = (
    "RunnerGCTest.test_gc", "GenEngineTest.test_multi_performance",
    "TestIOLoop.test_add_callback_wakeup", "TestIOLoop.test_add_callback_wakeup_other_thread",
    "IdleTimeoutTest.test_idle_after_use", "IdleTimeoutTest.test_unused_connection",
    *(
        f"{name}.{test}"
        for name in ("SimpleHTTPClientTestCase", "SimpleHTTPSClientTestCase")
        for test in ("test_connect_timeout", "test_request_timeout", "test_queue_timeout")
    ),
)  # fmt: skip

#: How docs/deviations.md's rows are switched back, where HTTP1ConnectionParameters can.
SWITCHES = {
    "WIRE-HOST": "require_host=False",
    "WIRE-413": "answer_errors=False",
    "WIRE-431": "answer_errors=False",
    "WIRE-400": "answer_errors=False",
    "WIRE-TE": "chunked_http10=True",
}

Outcomes: TypeAlias = dict[str, str]
Entry: TypeAlias = "str | dict[str, str]"


@dataclass(frozen=True)
class Bench:
    """Which Python and which loop a suite runs on."""

    python: str = sys.executable
    loop: str = os.environ.get("TORNADO4_TEST_LOOP", "asyncio")
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, python: str = sys.executable, loop: str | None = None) -> Bench:
        loop = loop or cls.loop
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        return cls(python, loop, frozenset({version, loop}))


class NoResult(Exception):
    """A module did not come to its end."""


def run_module(
    bench: Bench,
    version: str,
    module: str,
    *,
    only: list[str] | None = None,
    skip: list[str] | None = None,
    switches: list[str] | None = None,
    test_seconds: int = TEST_SECONDS,
    own_time: bool = False,
) -> tuple[Outcomes, str]:
    """(outcome by test, what unittest printed)."""
    command = [bench.python, "-m", "compat_tests.upstream.run", module, "--loop", bench.loop, "--version", version]
    for option, values in (("--only", only), ("--skip", skip), ("--switch", switches)):
        command += [option, *values] if values else []
    command += ["--own-time"] if own_time else []
    env = {**os.environ, "PYTHONPATH": str(TOP), "ASYNC_TEST_TIMEOUT": str(test_seconds)}
    try:
        done = subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, timeout=MODULE_SECONDS)
    except subprocess.TimeoutExpired as e:
        raise NoResult(f"{module} of {version} took more than {MODULE_SECONDS} s:\n{e.stderr!r}"[-4000:]) from None
    try:
        return json.loads(done.stdout), done.stderr
    except ValueError:
        shown = done.stdout[-2000:] + done.stderr[-4000:]
        raise NoResult(f"{module} of {version} gave no result ({done.returncode}):\n{shown}") from None


def load_expected(version: str) -> dict[str, dict[str, Entry]]:
    """By module and test."""
    loaded: dict[str, dict[str, Entry]] = json.loads((EXPECTED / f"{version}.json").read_text("utf-8"))
    return loaded


def expectation(entry: Entry, bench: Bench) -> str:
    """What an entry says for this bench."""
    if isinstance(entry, str):
        return entry
    for condition, said in entry.items():
        if condition == "else" or bench.words.issuperset(condition.split()):
            return said
    raise ValueError(f"nothing fits {sorted(bench.words)}: {entry}")


def run_as_listed(
    bench: Bench, version: str, module: str, entries: dict[str, Entry], test_seconds: int = TEST_SECONDS
) -> tuple[Outcomes, str]:
    """As ``run_module``, with what is listed as failing in a process of its own: it gets less time."""
    said = {test: expectation(entry, bench) for test, entry in entries.items()}
    failing = [test for test, want in said.items() if not want.startswith(("passes", "skipped"))]
    hurried = [test for test in HURRIED if test in said and test not in failing and bench.loop == "asyncio"]
    outcomes, report = run_module(bench, version, module, skip=[*failing, *hurried], test_seconds=test_seconds)
    if failing:
        outcomes |= run_module(bench, version, module, only=failing, test_seconds=FAILING_TEST_SECONDS)[0]
    if hurried:
        outcomes |= run_module(bench, version, module, only=hurried, own_time=sys.platform == "linux")[0]
    return outcomes, report


def said_by(entry: Entry) -> list[str]:
    """All that an entry says, whatever the bench."""
    return [entry] if isinstance(entry, str) else list(entry.values())


def fits(outcome: str, want: str) -> bool:
    """Whether an outcome is the expected one. What a machine lacks makes a test be skipped that passes elsewhere."""
    if want == "passes":
        return outcome == "passed" or lacks(outcome)
    if want.startswith("skipped"):
        return outcome.startswith("skipped") or (outcome == "passed" and lacks(want))
    return outcome in ("failed", "error")


def lacks(outcome: str) -> bool:
    """Whether a test was skipped for want of an extra (pycurl, pycares, Twisted) or of IPv6."""
    return outcome.startswith("skipped") and ("module not present" in outcome or "ipv6" in outcome.lower())


def check_module(bench: Bench, version: str, module: str) -> list[str]:
    """Run a module, and once more with its deviations switched back; return what is not as expected."""
    entries = load_expected(version)[module]
    expected = {test: expectation(entry, bench) for test, entry in entries.items()}
    outcomes, report = run_as_listed(bench, version, module, entries)
    found = []
    if any(map(lacks, outcomes.values())):
        # Without an extra, a module makes fewer tests for it.
        expected = {test: want for test, want in expected.items() if test in outcomes}
    for test in sorted(outcomes.keys() | expected.keys()):
        got, want = outcomes.get(test, "missing"), expected.get(test, "not listed")
        if not fits(got, want):
            found.append(f"{module}: {test}: {got}, expected: {want}")
    found += check_switches(bench, version, module, expected)
    return [*found, report[-6000:]] if found else []


def check_switches(bench: Bench, version: str, module: str, expected: dict[str, str]) -> list[str]:
    """What deviates for a row that can be switched back has to pass then."""
    rows = {test: row_of(want) for test, want in expected.items() if row_of(want) in SWITCHES}
    if not rows:
        return []
    switches = sorted({SWITCHES[row] for row in rows.values()})
    outcomes, report = run_module(bench, version, module, only=list(rows), switches=switches)
    found = [f"{module}: {test}: {got} with {switches}" for test, got in outcomes.items() if got != "passed"]
    return [*found, report[-3000:]] if found else []


def row_of(want: str) -> str:
    """The row of docs/deviations.md that an expectation names, or ""."""
    return want.removeprefix("deviates ") if want.startswith("deviates ") else ""
