"""Old packages and their own suites: what `--migrate=warn` tells of them, and how they move to Tornado 6.

    python -m compat_tests.suites warn [PACKAGE ...]     with and without --tornado4-migrate=warn
    python -m compat_tests.suites moved [PACKAGE ...]    after tornado4 fix: --tornado4-future=6.6, then the real 6.6.1

The source distributions of ``suites.toml`` come from the package registry, once, known by their SHA-256; each is copied
before anything is done to it, and has two environments, with tornado4 and with Tornado 6.6.1, below ``.cache/suites``.

``warn``: no test may end otherwise, and each warning has to point into the package or its tests. ``moved``: `check` has
to call the fixed tree ready, and each test has to end on the real 6.6.1 as it does under all flags; the row names those
that do not, each with the reason. Tests that end differently get two more tries: some wait for seconds of their own.

Prints a line a package, as a table. Exit code 1 when something is otherwise, 2 when a package cannot be had.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from compat_tests.old_packages.fetch import NotThere, Package, fetched

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / ".cache" / "suites"
ROWS = Path(__file__).with_suffix(".toml")
TORNADO_6 = "6.6.1"
SECONDS = 180
#: How each test ended, by its name.
Ends = dict[str, str]


class SuiteBroken(Exception):
    """Not one test of it passes: the text is what pytest says."""


@dataclass(frozen=True)
class Suite:
    """A row of ``suites.toml``."""

    name: str
    version: str
    file: str
    sha256: str
    tests: list[str]
    requires: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    add: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    two_to_three: bool = False
    backfill: bool = False
    moved: bool = False
    otherwise: dict[str, str] = field(default_factory=dict)

    def copy(self, kind: str) -> Path:
        """The package's tree, as it is to be run, in a fresh folder."""
        folder = FOLDER / f"{self.name}-{self.version}-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fetched(Package(self.name, self.version, self.file, self.sha256, "suite")), folder)
        for name in self.add:
            (folder / name).touch()
        for name, text in self.files.items():
            (folder / name).write_text(text)
        if self.two_to_three:
            command = [sys.executable, "-W", "ignore", "-m", "lib2to3", "--write", "--nobackups", "--no-diffs", "."]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return folder

    def python(self, side: str) -> Path:
        """The interpreter of an environment with ``side`` and what the package requires."""
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        folder = FOLDER / f"env-{self.name}-{self.version}-{side}-{version}"
        python = folder / "bin" / "python"
        ready = folder / "ready"
        wanted = " ".join(self.requires)
        if not ready.exists() or ready.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            what = ["--editable", f"{TOP}[fix]"] if side == "tornado4" else [f"tornado=={side}"]
            install = [str(python), "-m", "pip", "install", "--quiet", *what, "pytest", *self.requires]
            subprocess.run(install, check=True, cwd=TOP, capture_output=True)
            ready.write_text(wanted)
        return python

    def run(self, side: str, folder: Path, *options: str) -> Ends:
        """How the suite's tests end."""
        report = folder / "junit.xml"
        report.unlink(missing_ok=True)
        mine = ["--tornado4-alias", *(["--tornado4-backfill"] if self.backfill else ())] if side == "tornado4" else []
        command = [
            str(self.python(side)), "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=",
            f"--junit-xml={report}", *mine, *options, *self.options, *self.tests,
        ]  # fmt: skip
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TORNADO4"))}
        environ |= {"PYTHONPATH": str(folder)}
        environ |= {name: value.format(folder=folder) for name, value in self.environ.items()}
        done = subprocess.run(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        found = ends(report) if report.exists() else {}
        if "passed" not in found.values():
            raise SuiteBroken(f"{self.name} on {side}: no test passes\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return found


def ends(report: Path) -> Ends:
    """By test: ``passed``, ``failed`` or ``skipped``."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        end = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}.{case.get('name')}"] = end
    return found


def summed(found: Ends) -> str:
    counts = Counter(found.values())
    words = {"passed": "pass", "skipped": "are skipped", "failed": "fail"}
    return ", ".join(f"{counts[end]} {word}" for end, word in words.items() if counts[end])


def unlike(one: Ends, other: Ends) -> list[str]:
    """The tests that end differently."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def settled(*sides: Callable[[], Ends]) -> tuple[Ends, Ends]:
    """How the tests end on two sides; those that end differently are tried twice more, since some wait for seconds."""
    one, other = (side() for side in sides)
    for _ in range(2):
        if not unlike(one, other):
            break
        again = [side() for side in sides]
        for name in unlike(one, other):
            ends_of_one, ends_of_other = {one.get(name), again[0].get(name)}, {other.get(name), again[1].get(name)}
            if both := ends_of_one & ends_of_other - {None}:
                one[name] = other[name] = str(max(both, key=str))
    return one, other


def warn(suite: Suite) -> tuple[str, list[str]]:
    """(The table's line, what is otherwise.)"""
    folder = suite.copy("warn")
    report = folder / "migrate.json"
    options = ["--tornado4-migrate=warn", f"--tornado4-migrate-report={report}"]
    without, under = settled(lambda: suite.run("tornado4", folder), lambda: suite.run("tornado4", folder, *options))
    told = json.loads(report.read_text())
    wrong = [f"{name}: {without.get(name)}, under warn {under.get(name)}" for name in unlike(without, under)]
    parts = []
    for rule, entry in sorted(told["rules"].items()):
        places = entry["places"]
        for place in places:
            if not (folder / place["file"]).is_relative_to(folder) or not (folder / place["file"]).is_file():
                wrong.append(f"{rule} points to {place['file']}:{place['line']}")
        where = sorted({place["file"] for place in places})
        parts.append(f"{rule} ({len(places)}, {sum(place['count'] for place in places)}): {', '.join(where)}")
    for rule, count in sorted(told["elsewhere"].items()):
        wrong.append(f"{rule} has no place, {count} times")
    return f"| {suite.name} {suite.version} | {summed(without)} | {'; '.join(parts) or 'nothing'} |", wrong


def moved(suite: Suite) -> tuple[str, list[str]]:
    """(The table's line, what is otherwise.)"""
    folder = suite.copy("moved")
    tornado4 = [str(suite.python("tornado4")), "-m", "tornado4"]
    asked = subprocess.run(
        [*tornado4, "fix", "--unsafe", "--force", str(folder)], capture_output=True, text=True, check=False
    )
    fixes = asked.stdout.splitlines()[-2] if asked.returncode in (0, 1) and asked.stdout else "nothing to fix"
    ready = subprocess.run([*tornado4, "check", str(folder)], capture_output=True, text=True, check=False)
    wrong = [] if ready.returncode == 0 else [f"check does not call it ready:\n{ready.stdout}"]
    flags, real = settled(
        lambda: suite.run("tornado4", folder, "--tornado4-future=6.6"), lambda: suite.run(TORNADO_6, folder)
    )
    found = unlike(flags, real)
    known = [name for name in found if any(name.endswith(f".{end}") for end in suite.otherwise)]
    wrong += [f"{name}: {flags.get(name)}, on {TORNADO_6} {real.get(name)}" for name in found if name not in known]
    gone = [end for end in suite.otherwise if not any(name.endswith(f".{end}") for name in found)]
    wrong += [f"{end} does not end otherwise any more" for end in gone]
    return f"| {suite.name} {suite.version} | {fixes} | {summed(flags)} | {summed(real)} |", wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.suites", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("what", choices=["warn", "moved"])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    options = parser.parse_args()
    suites = [Suite(**row) for row in tomllib.loads(ROWS.read_text("utf-8"))["package"]]
    wanted = [suite for suite in suites if (not options.packages or suite.name in options.packages)]
    failed = lacking = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "pytest.ini").write_text("[pytest]\n")  # this project's settings are not theirs
    for suite in wanted:
        if options.what == "moved" and not suite.moved:
            continue
        try:
            line, wrong = (warn if options.what == "warn" else moved)(suite)
        except (NotThere, SuiteBroken, subprocess.SubprocessError) as error:
            print(f"{suite.name}: {error}", file=sys.stderr)
            lacking += 1
            continue
        print(line, flush=True)
        for text in wrong:
            print(f"    {text}", flush=True)
        failed += bool(wrong)
    return 2 if lacking else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
