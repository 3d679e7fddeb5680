"""Suites of the Tornado 4 days under today's test runners, on tornado4.

    python -m compat_tests.runners                 # unittest, tornado.testing.main, and the pytest that is installed
    python -m compat_tests.runners --pytest 7 8 9  # each in a virtual environment of its own, in .cache/runners

Each runner gets the same suites: ``legacy_suite`` (every style of test), ``forgetful_suite`` (a forgotten ``@gen_test``
is reported), and, for pytest, both mixed with pytest-asyncio's tests in one session. Every run is under ``-W error``.
The last line says "N passed, N failed"; the exit code is 1 if anything failed. nox may call this as it stands.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
CACHE = TOP / ".cache" / "runners"
STEP_SECONDS = 300

PLUGIN = ("-p", "tornado4.migrate.pytest_plugin", "--tornado4-alias", "-p", "no:cacheprovider", "--rootdir", str(HERE))
PYTEST = ("-m", "pytest", *PLUGIN, "-c", str(HERE / "pytest.ini"))
FORGOTTEN = "Generator and coroutine test methods should be decorated with tornado.testing.gen_test"


@dataclass(frozen=True)
class Check:
    """One run of a runner: what to start, and what is wrong with its outcome, if anything."""

    name: str
    command: Sequence[str]
    judge: Callable[[int, str], str]


def expect(code: int, *texts: str) -> Callable[[int, str], str]:
    """The exit code, and texts (regular expressions) that the output has to have."""

    def judge(got: int, output: str) -> str:
        if got != code:
            return f"exit code {got}, expected {code}"
        return "; ".join(f"no {text!r} in the output" for text in texts if not re.search(text, output))

    return judge


def reported(tests: int) -> Callable[[int, str], str]:
    """All of the forgetful tests are reported, two of them with the text of old."""

    def judge(got: int, output: str) -> str:
        if got != 1:
            return f"exit code {got}, expected 1"
        if not re.search(rf"{tests} failed|errors={tests}", output):
            return f"not all {tests} tests failed"
        if output.count(FORGOTTEN) < 2 or "Return value from test method ignored" not in output:
            return "not reported in the expected words"
        return ""

    return judge


def unittest_checks() -> list[Check]:
    """The runners of the standard library and of `tornado.testing`. Python 3.12.0 does not count what is skipped."""
    run = ("-m", "tornado4", "run")
    return [
        Check(
            "unittest",
            (*run, "-m", "unittest", "legacy_suite"),
            expect(0, r"Ran 1[01] tests", r"OK \(skipped=1, expected failures=1\)"),
        ),
        Check("unittest, forgotten gen_test", (*run, "-m", "unittest", "forgetful_suite"), reported(3)),
        Check(
            "tornado.testing.main, all()",
            (*run, "legacy_suite.py"),
            expect(0, r"Ran 1[01] tests", r"OK \(skipped=1, expected failures=1\)", r"PASS"),
        ),
        Check(
            "tornado.testing.main, one test",
            (*run, "-m", "tornado.testing", "--verbose", "legacy_suite.LoopTest.test_generator"),
            expect(0, r"test_generator .*\n?.*ok", r"Ran 1 test", r"PASS"),
        ),
        Check(
            "tornado.testing.main, forgotten gen_test",
            (*run, "-m", "tornado.testing", "forgetful_suite"),
            reported(3),
        ),
    ]


def pytest_checks(label: str) -> list[Check]:
    """One release of pytest."""
    names = ("legacy", "forgetful", "asyncio", "asyncio_again")
    legacy, forgetful, before, after = (str(HERE / f"{name}_suite.py") for name in names)
    outcome = r"9 passed, 1 skipped, 1 xfailed"
    return [
        Check(f"{label}", (*PYTEST, "-p", "no:asyncio", legacy), expect(0, outcome)),
        Check(f"{label}, forgotten gen_test", (*PYTEST, "-p", "no:asyncio", forgetful), reported(3)),
        Check(
            f"{label} with pytest-asyncio",
            (*PYTEST, before, legacy, after),
            expect(0, r"15 passed, 1 skipped, 1 xfailed"),
        ),
        Check(
            f"{label} with pytest-asyncio in auto mode",
            (*PYTEST, "--asyncio-mode=auto", legacy),
            expect(0, outcome),
        ),
        Check(f"{label} with pytest-asyncio, forgotten gen_test", (*PYTEST, forgetful), reported(3)),
    ]


def run(python: str, check: Check) -> str:
    """Run one check; return what is wrong with it, or nothing."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}
    env |= {"PYTHONPATH": os.pathsep.join((str(TOP), str(HERE))), "PYTHONDONTWRITEBYTECODE": "1"}
    # The suites' plugin is named on the command line, whether or not tornado4 is installed.
    done = subprocess.run(
        [python, "-W", "error", *check.command],
        cwd=HERE,
        env=env,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
    )
    output = done.stdout + done.stderr
    wrong = check.judge(done.returncode, output)
    return f"{wrong}\n{output}" if wrong else ""


def environment(release: str) -> str:
    """An interpreter with that major release of pytest; made once."""
    folder = CACHE / f"pytest-{release}-py{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        wanted = [f"pytest=={release}.*", "pytest-asyncio"]
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        done = subprocess.run(install, capture_output=True, text=True, timeout=STEP_SECONDS)
        if done.returncode:
            raise SystemExit(f"pip could not install {wanted}:\n{done.stdout}{done.stderr}")
        (folder / "ready").touch()
    return str(python)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.runners", description=__doc__.split("\n")[0])
    parser.add_argument("--pytest", nargs="*", metavar="RELEASE", default=[], help="major releases, such as 7 8 9")
    options = parser.parse_args(argv)
    todo = [(sys.executable, check) for check in unittest_checks()]
    for release in options.pytest:
        python = environment(release)
        todo += [(python, check) for check in pytest_checks(f"pytest {release}")]
    if not options.pytest:
        todo += [(sys.executable, check) for check in pytest_checks("pytest")]
    failed = 0
    for python, check in todo:
        wrong = run(python, check)
        failed += bool(wrong)
        print(f"{'FAILED' if wrong else 'ok':7}{check.name}", flush=True)
        if wrong:
            print(wrong)
    print(f"{len(todo) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
