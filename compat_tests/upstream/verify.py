"""Hold what a suite's list says of the real Tornado against the real Tornado.

    python -m compat_tests.upstream.verify 4.0.2 [--python python3.9 python2.7 ...] [--modules web_test ...]

Each test that is listed as failing runs, unchanged, on the real release of its time and on the real 4.5.3, both with
TLS 1.2, which is what there was:

    changed in 4.5.3    has to pass on the first and to fail on the second
    deviates ROW        has to pass on both: it is tornado4 that differs
    broken              has to fail on the first

on one of the Pythons at least; what is not so is printed. These are native ones, 3.6 to 3.9 or 2.7, with pycurl and
Twisted for the tests of these; by default the one that the oracle finds. Some tests of 4.0 and 4.1 passed up to Python
3.4 only, as their entries say, and want a 2.7. Python 3.6 fails TLS tests when its OpenSSL is 3.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compat_tests.oracle import CACHE, TOP, find_native_python
from compat_tests.upstream.suite import real_package
from compat_tests.upstream.suites import (
    CURRENT,
    FAILING_TEST_SECONDS,
    MODULE_SECONDS,
    Entry,
    Outcomes,
    load_expected,
    said_by,
)

#: For each kind of entry: whether its test has to pass on the release of its time, and on 4.5.3 (None: either way).
WANTED: dict[str, tuple[bool, bool | None]] = {
    "changed in 4.5.3": (True, False),
    "deviates": (True, True),
    "broken": (False, None),
}

OPENSSL_CONF = """openssl_conf = top
[top]
ssl_conf = ssl
[ssl]
system_default = limits
[limits]
MaxProtocol = TLSv1.2
"""


def kind_of(entry: Entry) -> str | None:
    """The kind among ``WANTED``, on whichever bench it is said."""
    return next((kind for said in said_by(entry) for kind in WANTED if said.startswith(kind)), None)


def openssl_conf() -> Path:
    file = CACHE / "tls12.cnf"
    file.write_text(OPENSSL_CONF, "utf-8")
    return file


def run_real(python: str, version: str, suite: str, module: str, tests: list[str]) -> Outcomes:
    """How tests of one release's suite end on the real Tornado of that or another release."""
    folder = real_package(version, suite)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {
        "PYTHONPATH": os.pathsep.join(map(str, (folder, TOP, TOP / "compat_tests/upstream/children"))),
        "PYTHONDONTWRITEBYTECODE": "1",  # Python 2 would leave it beside our sources
        "OPENSSL_CONF": str(openssl_conf()),
        "ASYNC_TEST_TIMEOUT": str(FAILING_TEST_SECONDS),
    }
    command = [python, "-m", "compat_tests.upstream.real", module, *tests]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=MODULE_SECONDS)
    try:
        outcomes: Outcomes = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return dict.fromkeys(tests, f"no result: {last}")
    return outcomes


def verify_module(pythons: list[str], version: str, module: str, entries: dict[str, Entry]) -> tuple[int, list[str]]:
    """(how many tests are as listed, what is not so)."""
    kinds = {test: kind for test, entry in entries.items() if (kind := kind_of(entry))}
    found: dict[str, list[str]] = {}
    for real, wants in ((version, 0), (CURRENT, 1)):
        ends: dict[str, list[str]] = {test: [] for test, kind in kinds.items() if WANTED[kind][wants] is not None}
        for python in pythons:
            open_ones = [test for test in ends if not agrees(ends[test], WANTED[kinds[test]][wants])]
            outcomes = run_real(python, real, version, module, open_ones) if open_ones else {}
            for test in open_ones:
                ends[test].append(outcomes.get(test, "missing"))
        for test in ends:
            if not agrees(ends[test], WANTED[kinds[test]][wants]):
                found.setdefault(test, []).append(f"{', '.join(ends[test])} on the real {real}")
    return len(kinds) - len(found), [
        f"{module} {test}: {'; '.join(how)}; listed: {entries[test]}" for test, how in found.items()
    ]


def agrees(ends: list[str], passes: bool | None) -> bool:
    return any(end == "passed" if passes else end in ("failed", "error") for end in ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("--python", nargs="*", default=[python for python in [find_native_python()] if python])
    parser.add_argument("--modules", nargs="*", default=[])
    options = parser.parse_args()
    if not options.python:
        parser.error("no native Python, 3.6 to 3.9, was found: name one with --python")
    expected = load_expected(options.version)
    pythons = [str(python) for python in options.python]
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(verify_module, pythons, options.version, module, expected[module])
            for module in options.modules or expected
        ]
        results = [job.result() for job in jobs]
    for line in [line for _, found in results for line in found]:
        print(line)
    print(f"{options.version}: {sum(good for good, _ in results)} as listed")
    sys.exit(any(found for _, found in results))


if __name__ == "__main__":
    main()
