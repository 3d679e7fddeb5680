"""Tornado 4.5.3's own suite, unchanged, on tornado4: each test ends as ``upstream/expected/4.5.3.json`` says.

"passes", "deviates ROW" (a row of docs/deviations.md) or "skipped: reason". A test that is listed as
deviating and passes fails this run, and so does the reverse. One process a module, with a time limit.

    python -m compat_tests.test_upstream write     # writes the outcomes of this run down, for review
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.oracle import TOP

VERSION = "4.5.3"
EXPECTED = Path(__file__).parent / "upstream" / "expected"
MODULES = """
    asyncio_test concurrent_test escape_test gen_test http1connection_test httpclient_test httpserver_test
    httputil_test import_test ioloop_test iostream_test locale_test locks_test log_test netutil_test
    options_test process_test queues_test routing_test simple_httpclient_test stack_context_test
    tcpclient_test tcpserver_test template_test testing_test util_test web_test
""".split()
MODULE_SECONDS = 240
LOOP = os.environ.get("TORNADO4_TEST_LOOP", "asyncio")


def run_module(module: str, loop: str = LOOP, version: str = VERSION) -> tuple[dict[str, str], str]:
    """(outcome by test, what unittest printed)."""
    command = [sys.executable, "-m", "compat_tests.upstream.run", module, "--loop", loop, "--version", version]
    # Five seconds, upstream's default for one test, is too short on a busy machine.
    env = {**os.environ, "PYTHONPATH": str(TOP), "ASYNC_TEST_TIMEOUT": "30"}
    done = subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, timeout=MODULE_SECONDS)
    try:
        return json.loads(done.stdout), done.stderr
    except ValueError:
        pytest.fail(f"{module} gave no result ({done.returncode}):\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def load_expected(version: str = VERSION) -> dict[str, dict[str, str]]:
    return json.loads((EXPECTED / f"{version}.json").read_text("utf-8"))


def differences(module: str, outcomes: dict[str, str], expected: dict[str, str]) -> list[str]:
    found = []
    for test in sorted(outcomes.keys() | expected.keys()):
        got, want = outcomes.get(test, "missing"), expected.get(test, "not listed")
        allowed = {"passes": got == "passed", "deviates": got in ("failed", "error")}
        if not allowed.get(want.split()[0], got.startswith("skipped") and want.startswith("skipped")):
            found.append(f"{module}: {test}: {got}, expected: {want}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_upstream_module_ends_as_expected(module: str) -> None:
    outcomes, report = run_module(module)
    found = differences(module, outcomes, load_expected()[module])
    assert not found, "\n".join(found) + "\n\n" + report[-6000:]


def test_every_deviation_has_its_row() -> None:
    rows = (TOP / "docs" / "deviations.md").read_text("utf-8")
    named = {
        want.split(" ", 1)[1]
        for tests in load_expected().values()
        for want in tests.values()
        if want.startswith("deviates ")
    }
    assert not {row for row in named if f"| {row} |" not in rows}


def write() -> None:
    """Write the outcomes of a run down; rows already named are kept, new failures become ``deviates ?``."""
    try:
        old = load_expected()
    except FileNotFoundError:
        old = {}
    new = {}
    for module in MODULES:
        outcomes, _ = run_module(module)
        was = old.get(module, {})
        new[module] = {test: _expectation(got, was.get(test, "")) for test, got in sorted(outcomes.items())}
        print(module, len(outcomes), [t for t, w in new[module].items() if w.startswith("deviates")], flush=True)
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / f"{VERSION}.json").write_text(json.dumps(new, indent=1, sort_keys=True) + "\n", "utf-8")


def _expectation(got: str, was: str) -> str:
    if got == "passed":
        return "passes"
    if got.startswith("skipped"):
        return got
    return was if was.startswith("deviates ") else "deviates ?"


if __name__ == "__main__":
    assert sys.argv[1:] == ["write"], __doc__
    write()
