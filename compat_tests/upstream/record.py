"""Write down how a suite ends: ``expected/<version>.json``, for review.

    python -m compat_tests.upstream.record 4.5.3 [--times 3] [--on PYTHON:LOOP ...] [--modules web_test ...]

Runs each module ``--times`` over on each bench (default: this Python on asyncio). A test that does not always end
alike is an error. What the file said of a failing test is kept; new failures become ``deviates ?``.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from compat_tests.upstream.suite import modules
from compat_tests.upstream.suites import EXPECTED, Bench, Entry, Outcomes, expectation, load_expected, run_as_listed


def record(version: str, benches: list[Bench], times: int, chosen: list[str], seconds: int) -> int:
    """Returns how many tests did not always end alike."""
    try:
        old = load_expected(version)
    except FileNotFoundError:
        old = {}
    new = dict(old)
    unsteady = 0
    with ThreadPoolExecutor(2) as pool:
        jobs = {
            (module, bench): [
                pool.submit(run_as_listed, bench, version, module, old.get(module, {}), seconds) for _ in range(times)
            ]
            for module in chosen
            for bench in benches
        }
        for module in chosen:
            by_bench: dict[Bench, Outcomes] = {}
            for bench in benches:
                runs = [job.result()[0] for job in jobs[module, bench]]
                by_bench[bench] = runs[0]
                for test in {test for run in runs for test in run}:
                    ends = {_kind(run.get(test, "missing")) for run in runs}
                    if len(ends) > 1:
                        unsteady += 1
                        print(f"UNSTEADY {module} {test} {sorted(bench.words)}: {sorted(ends)}", flush=True)
            new[module] = _entries(by_bench, old.get(module, {}))
            open_ones = [test for test, entry in new[module].items() if "deviates ?" in json.dumps(entry)]
            print(module, len(new[module]), open_ones or "", flush=True)
    EXPECTED.mkdir(exist_ok=True)
    text = json.dumps(new, indent=1, sort_keys=False) + "\n"
    (EXPECTED / f"{version}.json").write_text(text, "utf-8")
    return unsteady


def _kind(outcome: str) -> str:
    return "failed" if outcome == "error" else outcome


def _entries(by_bench: dict[Bench, Outcomes], old: dict[str, Entry]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for test in sorted({test for outcomes in by_bench.values() for test in outcomes}):
        said = {
            bench: _say(outcomes.get(test, "missing"), old.get(test), bench)
            for bench, outcomes in by_bench.items()
        }
        usual = max(said.values(), key=list(said.values()).count)
        if len(set(said.values())) == 1:
            entries[test] = usual
            continue
        entries[test] = _conditions(said, usual) | {"else": usual}
    return entries


def _conditions(said: dict[Bench, str], usual: str) -> dict[str, str]:
    """A loop or a Python alone where all its benches agree, both where they do not."""
    conditions = {}
    for word in sorted({word for bench in said for word in bench.words}):
        agreed = {what for bench, what in said.items() if word in bench.words}
        if len(agreed) == 1 and agreed != {usual}:
            conditions[word] = agreed.pop()
    for bench, what in said.items():
        if what != usual and not any(conditions.get(word) == what for word in bench.words):
            conditions[" ".join(sorted(bench.words))] = what
    return conditions


def _say(outcome: str, entry: Entry | None, bench: Bench) -> str:
    if outcome == "passed":
        return "passes"
    if outcome.startswith("skipped") or outcome == "missing":
        return outcome
    before = "" if entry is None else expectation(entry, bench)
    return before if before and not before.startswith(("passes", "skipped")) else "deviates ?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--on", nargs="*", default=[f"{sys.executable}:asyncio"])
    parser.add_argument("--modules", nargs="*", default=[])
    parser.add_argument("--seconds", type=int, default=15, help="for a test that is not known to fail")
    options = parser.parse_args()
    benches = [Bench.of(*bench.rsplit(":", 1)) for bench in options.on]
    chosen = options.modules or modules(options.version)
    sys.exit(bool(record(options.version, benches, options.times, chosen, options.seconds)))


if __name__ == "__main__":
    main()
