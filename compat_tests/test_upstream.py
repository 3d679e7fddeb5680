"""Tornado's own suites, unchanged, on tornado4: each test ends as ``upstream/expected/<version>.json`` says.

A test that is listed as deviating and passes fails this run, and so does the reverse. What deviates by a row that
can be switched back runs once more, switched back, and has to pass. ``upstream/suites.py`` has the details.

The suite of 4.5.3 always runs. Those of 4.0.2 to 4.4.3 do with ``-m old_suites``. TORNADO4_TEST_LOOP=uvloop
chooses the loop. ``python -m compat_tests.upstream.record`` writes the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from compat_tests.oracle import TOP
from compat_tests.upstream.suite import prepare
from compat_tests.upstream.suites import CURRENT, VERSIONS, Bench, check_module, load_expected, row_of, said_by
from compat_tests.upstream.table import BENCHES, deviations, figures, listed, skips

OLDER = [version for version in VERSIONS if version != CURRENT]
BENCH = Bench.of()

Submit = dict[tuple[str, str], "Future[list[str]]"]


def cases() -> list[object]:
    return [
        pytest.param(version, module, id=f"{version}-{module}", marks=marks)
        for version, marks in [(CURRENT, ()), *((version, pytest.mark.old_suites) for version in OLDER)]
        for module in load_expected(version)
    ]


@pytest.fixture(scope="module")
def jobs(request: pytest.FixtureRequest) -> Iterator[Submit]:
    """All modules that this run asks for, two at a time; each test then waits for its own."""
    wanted = [
        (item.callspec.params["version"], item.callspec.params["module"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    ]
    for version in {version for version, _ in wanted}:
        prepare(version)
    pool = ThreadPoolExecutor(2)
    try:
        yield {job: pool.submit(check_module, BENCH, *job) for job in wanted}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("version", "module"), cases())
def test_upstream_module_ends_as_expected(jobs: Submit, version: str, module: str) -> None:
    found = jobs[version, module].result()
    assert not found, "\n".join(found)


def test_every_deviation_has_its_row() -> None:
    rows = (TOP / "docs" / "deviations.md").read_text("utf-8")
    named = {
        row_of(said)
        for version in VERSIONS
        for tests in load_expected(version).values()
        for entry in tests.values()
        for said in said_by(entry)
    }
    assert not {row for row in named if row and f"| {row} |" not in rows}


def test_only_older_suites_know_changes_and_each_has_a_reason() -> None:
    for version in VERSIONS:
        for tests in load_expected(version).values():
            for entry in tests.values():
                for said in said_by(entry):
                    kind, _, why = said.partition(": ")
                    assert kind in ("passes", "skipped", "broken", "changed in 4.5.3") or row_of(said)
                    assert why or kind == "passes" or row_of(said)
                    assert version != CURRENT or kind != "changed in 4.5.3"


def test_pages_have_the_tables() -> None:
    """``python -m compat_tests.upstream.table`` prints them."""
    readme = (TOP / "compat_tests" / "README.md").read_text("utf-8")
    page = (TOP / "docs" / "deviations.md").read_text("utf-8")
    assert "\n".join(figures(listed, BENCHES)) in readme
    assert "\n".join(skips()) in readme
    assert "\n".join(["|---|---|", *deviations(), "", ""]) in page
