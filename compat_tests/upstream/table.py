"""How the suites end, in tables: those of compat_tests/README.md, and the second one of docs/deviations.md.

    python -m compat_tests.upstream.table                          # what expected/ says
    python -m compat_tests.upstream.table --on PYTHON:LOOP ...     # the figures alone, counted from runs on these

``test_upstream.py`` holds the pages against the first, and each test against ``expected/``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from compat_tests.upstream.suites import (
    VERSIONS,
    Bench,
    Entry,
    NoResult,
    Outcomes,
    expectation,
    fits,
    load_expected,
    row_of,
    run_as_listed,
    said_by,
)

PYTHONS = ["3.11", "3.12", "3.13"]
LOOPS = ["asyncio", "uvloop"]
BENCHES = [Bench("", loop, frozenset({python, loop})) for loop in LOOPS for python in PYTHONS]
#: Column and how an expectation of that kind begins.
KINDS = {
    "passed": "passes",
    "deviating": "deviates",
    "changed in 4.5.3": "changed",
    "broken": "broken",
    "skipped": "skipped",
}

Count = Callable[[str, Bench], "Counter[str]"]


def listed(version: str, bench: Bench) -> Counter[str]:
    """By column: how many tests ``expected/`` has there."""
    entries = [entry for tests in load_expected(version).values() for entry in tests.values()]
    return Counter(column_of(expectation(entry, bench)) for entry in entries)


def column_of(said: str) -> str:
    return next(column for column, start in KINDS.items() if said.startswith(start))


def counted(version: str, bench: Bench) -> Counter[str]:
    """The same from a run; "otherwise" is what ``expected/`` does not say."""
    count: Counter[str] = Counter()
    expected = load_expected(version)
    with ThreadPoolExecutor(2) as pool:
        runs = pool.map(lambda module: _outcomes(bench, version, module, expected[module]), expected)
        for tests, outcomes in zip(expected.values(), runs, strict=True):
            for test in tests.keys() | outcomes.keys():
                want = expectation(tests[test], bench) if test in tests else ""
                count[_column(outcomes.get(test, "missing"), want)] += 1
    return count


def _outcomes(bench: Bench, version: str, module: str, entries: dict[str, Entry]) -> Outcomes:
    try:
        return run_as_listed(bench, version, module, entries)[0]
    except NoResult as e:
        print(e)
        return {}


def _column(outcome: str, want: str) -> str:
    if outcome.startswith("skipped"):
        return "skipped"
    return column_of(want) if want and fits(outcome, want) else "otherwise"


def figures(count: Count, benches: Iterable[Bench]) -> list[str]:
    """The lines of the table; benches of one loop that end alike share one."""
    lines = [
        f"| suite | Python | loop | tests | {' | '.join(KINDS)} |",
        "|---|---|---|" + "---:|" * (len(KINDS) + 1),
    ]
    for version in VERSIONS:
        alike: dict[tuple[str, str], list[str]] = {}
        for bench in benches:
            found = count(version, bench)
            cells = [str(found.total()), *(str(found.pop(column, 0)) for column in KINDS)]
            rest = f" {dict(found)}" if found else ""
            python = ", ".join(bench.words - {bench.loop})
            alike.setdefault((bench.loop, " | ".join(cells) + " |" + rest), []).append(python)
        lines += [f"| {version} | {', '.join(pythons)} | {loop} | {cells}" for (loop, cells), pythons in alike.items()]
    return lines


def skips() -> list[str]:
    """The lines of the table of skipped tests: how many of each suite, by the reason that the suite gives."""
    reasons: dict[str, Counter[str]] = {}
    for version in VERSIONS:
        for entry in [entry for tests in load_expected(version).values() for entry in tests.values()]:
            for condition, said in [("", entry)] if isinstance(entry, str) else entry.items():
                kind, _, why = said.partition(": ")
                if kind == "skipped":
                    reasons.setdefault(f"{why} ({condition})" if condition else why, Counter())[version] += 1
    return [
        f"| skipped, says the suite | {' | '.join(VERSIONS)} |",
        "|---|" + "---:|" * len(VERSIONS),
        *(f"| {why} | {' | '.join(str(by[version]) for version in VERSIONS)} |" for why, by in reasons.items()),
    ]


def deviations() -> list[str]:
    """The lines that name each test that deviates, the suites where it does, and its row."""
    found: dict[tuple[str, str], list[str]] = {}
    for version in reversed(VERSIONS):
        for module, tests in load_expected(version).items():
            for test, entry in tests.items():
                for row in filter(None, map(row_of, said_by(entry))):
                    passes = [] if isinstance(entry, str) else [on for on, said in entry.items() if said == "passes"]
                    cell = f"`{module}.{test}`" + "".join(f", not on {on}" for on in passes)
                    found.setdefault((cell, row), []).append(version)
    return [
        f"| {cell} | {row} |" if versions == VERSIONS[::-1] else f"| {cell}: {', '.join(versions)} | {row} |"
        for (cell, row), versions in sorted(found.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", nargs="*", default=[], metavar="PYTHON:LOOP")
    options = parser.parse_args()
    benches = [Bench.of(*bench.rsplit(":", 1)) for bench in options.on]
    lines = figures(counted, benches) if benches else [*figures(listed, BENCHES), "", *skips(), "", *deviations()]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
