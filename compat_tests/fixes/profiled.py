"""How many coroutines ``tornado4 fix --native`` makes native in old packages, without a profile and with one.

    python3.12 -m compat_tests.fixes.profiled [PACKAGE ...]

The packages stand in ``profiled.toml``; their own suites are the runs. Each is fetched and gets a virtual environment
below ``.cache/profiled``, on the Python that runs this: 3.12, which tells what ran. The suite runs as it is, is
recorded, and runs again after ``fix --native`` and after ``fix --native --profile``: the same tests have to pass, and
no coroutine may have been waited for by nobody. Exit code 1 where one does not hold.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from compat_tests.old_packages import fetch
from tornado4.migrate.check.checker import check

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / ".cache" / "profiled"
SECONDS = 300
#: How often a test that ended otherwise is run again.
TRIES = 3


@dataclass(frozen=True)
class Package:
    """One row of ``profiled.toml``."""

    name: str
    version: str
    sha256: str
    install: list[str]
    fixed: list[str]
    tests: list[str]
    without_dependencies: list[str] = field(default_factory=list)
    python2: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    def source(self) -> Path:
        file = f"{self.name}-{self.version}.tar.gz"
        return fetch.fetched(fetch.Package(self.name, self.version, file, self.sha256, "profiled"))


@dataclass
class Suite:
    """What came of a suite: the tests by outcome, and how many coroutines were never awaited."""

    outcomes: dict[str, str]
    unawaited: int

    def __str__(self) -> str:
        counts = Counter(self.outcomes.values())
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items(), key=lambda each: -each[1]))


def main(names: list[str]) -> int:
    packages = [Package(**row) for row in tomllib.loads((HERE / "profiled.toml").read_text())["package"]]
    good = True
    print("| package | coroutines | native by names | native with a profile | its suite, before and after |")
    print("|---|---|---|---|---|")
    for package in packages:
        if not names or package.name in names:
            good = measured(package) and good
    return 0 if good else 1


def measured(package: Package) -> bool:
    """Print the row of a package; whether all held."""
    python = environment(package)
    trees = {way: copied(package, python, way) for way in ("before", "recorded", "names", "profile")}
    before = suite(package, python, trees["before"])
    again = suite(package, python, trees["recorded"], "--migrate=record")
    profile = str(trees["recorded"] / "tornado4-profile.json")
    fixed(package, python, trees["names"])
    report = fixed(package, python, trees["profile"], "--profile", profile)
    after = {way: suite(package, python, trees[way]) for way in ("names", "profile")}
    counts = {way: coroutines(package, trees[way]) for way in ("before", "names", "profile")}
    shares = [f"{counts['before'] - counts[way]}" for way in ("names", "profile")]
    print(f"| {package.name} {package.version} | {counts['before']} | {' | '.join(shares)} | {before} |", flush=True)
    (FOLDER / f"{package.name}.json").write_text(json.dumps(report, indent=1))
    held = True
    for way, result in {"recorded": again, **after}.items():
        changed = {name for name in before.outcomes if result.outcomes.get(name) != before.outcomes[name]}
        for _ in range(TRIES if changed else 0):  # some rely on time, and the machine may be busy
            alone = suite(replace(package, tests=sorted(changed)), python, trees[way])
            changed -= {name for name, outcome in alone.outcomes.items() if outcome == before.outcomes[name]}
            if not changed:
                break
        if changed or result.unawaited > before.unawaited:
            held = False
            said = f"{result}; {result.unawaited} never awaited; {sorted(changed)}"
            print(f"{package.name}, {way}: {said}", file=sys.stderr)
    return held


def environment(package: Package) -> Path:
    """The interpreter of a package's environment. It has no Tornado: the alias gives it ours."""
    folder = FOLDER / f"{package.name}-venv"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "libcst", *package.install], check=True)
        if package.without_dependencies:
            subprocess.run([*pip, "--no-deps", *package.without_dependencies], check=True)
        subprocess.run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "tornado"], check=True)
        (folder / "made").touch()
    return python


def copied(package: Package, python: Path, way: str) -> Path:
    """A tree of its own for each way."""
    tree = FOLDER / package.name / way
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(package.source(), tree)
    for each in package.without:
        (tree / each).unlink()
    if not any("[tool:pytest]" in file.read_text() for file in tree.glob("setup.cfg")):
        (tree / "pytest.ini").write_text("[pytest]\n")  # else pytest takes this repository's
    if package.python2:
        converter = [str(python), "-W", "ignore", "-m", "lib2to3", "-w", "-n", *package.python2]
        subprocess.run(converter, cwd=tree, capture_output=True, check=True)
    return tree


def variables() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TORNADO4_"))}
    return kept | {"PYTHONPATH": str(ROOT), "TORNADO4_FUTURE": "names", "PYTHONDONTWRITEBYTECODE": "1"}


def suite(package: Package, python: Path, tree: Path, *options: str) -> Suite:
    """Run a package's tests on tornado4."""
    pytest = ["-m", "pytest", "-rA", "-p", "no:cacheprovider", "-W", "always::RuntimeWarning", *package.tests]
    command = [str(python), "-m", "tornado4", "run", "--backfill", *options, *pytest]
    done = subprocess.run(command, cwd=tree, env=variables(), capture_output=True, text=True, timeout=SECONDS)
    found = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL) (\S+)", done.stdout, re.MULTILINE)
    outcomes = {name: outcome.lower() for outcome, name in found}
    if not outcomes:
        raise RuntimeError(done.stdout + done.stderr)
    return Suite(outcomes, (done.stdout + done.stderr).count("was never awaited"))


def fixed(package: Package, python: Path, tree: Path, *options: str) -> dict[str, Any]:
    command = [str(python), "-m", "tornado4", "fix", "--native", "--force", "--no-markers", "--format", "json"]
    done = subprocess.run(
        [*command, *options, *package.fixed], cwd=tree, env=variables(), capture_output=True, text=True, timeout=SECONDS
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def coroutines(package: Package, tree: Path) -> int:
    """How many functions are a ``gen.coroutine``."""
    return sum(finding.rule_id == "TND301" for finding in check([tree / each for each in package.fixed]).findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
