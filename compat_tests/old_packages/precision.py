"""How many of a check's findings are right, and what it misses, on the labelled positions.

    python -m compat_tests.old_packages.precision            # the figures
    python -m compat_tests.old_packages.precision -v         # each wrong finding, and each miss, too

A label is a position (a line, or the lines of one call) with a verdict: ``breaks`` on Tornado 6.6.1, under one of the
rules named; ``fine``; or ``depends``, where reading the source cannot tell, which counts for nothing. A finding that is
required is right where the label says ``breaks`` with its rule, and wrong where it says ``fine`` or another rule.

Labels made ``before`` are of lines that looked as if they were about Tornado, chosen at random and judged before a
check had read the package; those made ``after`` are of findings chosen at random on other lines, each judged by the
source.

Exit code 1 when a goal is missed: 98 % of what is certain, 90 % of what is likely.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compat_tests.old_packages.fetch import NotThere, fetched, packages, rows
from tornado4.migrate.check.checker import check
from tornado4.migrate.check.findings import Finding

GOALS = {"certain": 0.98, "likely": 0.90}


@dataclass(frozen=True)
class Label:
    """What is true of a position. ``rules`` is empty where the table has no rule for what breaks there."""

    package: str
    path: str
    first: int
    last: int
    verdict: str
    rules: frozenset[str]
    reason: str
    sha256: str
    made: str


def labels() -> list[Label]:
    return [
        Label(
            f"{row['package']}-{row['version']}",
            row["path"],
            int(row["line"]),
            int(row["last"]),
            row["verdict"],
            frozenset(row["rule"].split()) - {"-"},
            row["reason"],
            row["sha256"],
            row["made"],
        )
        for row in rows("labels.tsv")
    ]


def required(folder: Path) -> tuple[list[Finding], int, int]:
    """What a check of a folder calls required, the paths relative to it; and how many files and lines it read."""
    result = check([folder])
    for finding in result.findings:
        if not Path(finding.path).resolve().is_relative_to(folder.resolve()):
            raise AssertionError(finding.path)
    return [finding for finding in result.findings if finding.required], result.files, result.lines


def relative(finding: Finding, folder: Path) -> str:
    return Path(finding.path).resolve().relative_to(folder.resolve()).as_posix()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.old_packages.precision")
    parser.add_argument("-v", "--verbose", action="store_true", help="say each wrong finding, and each miss")
    parser.add_argument("--unlabelled", action="store_true", help="print the findings that no label covers, too")
    options = parser.parse_args(argv)
    by_package: dict[str, list[Label]] = defaultdict(list)
    for label in labels():
        by_package[label.package].append(label)
    counts: Counter[tuple[str, str]] = Counter()
    lines = files = 0
    spent = 0.0
    for package in packages("labels"):
        try:
            folder = fetched(package)
        except NotThere as error:
            print(error, file=sys.stderr)
            return 2
        start = time.process_time()
        findings, files_here, lines_here = required(folder)
        spent += time.process_time() - start
        files, lines = files + files_here, lines + lines_here
        here = by_package.pop(f"{package.name}-{package.version}", [])
        counts += _judged(here, findings, folder, options)
    if by_package:
        raise AssertionError(f"labels of packages that are not in the table: {sorted(by_package)}")
    print(f"{files} files, {lines} lines, {spent:.1f} s of CPU")
    return _report(counts)


def _judged(
    here: list[Label], findings: list[Finding], folder: Path, options: argparse.Namespace
) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for path in {label.path for label in here}:
        known = {label.sha256 for label in here if label.path == path}
        if hashlib.sha256((folder / path).read_bytes()).hexdigest()[:16] not in known:
            raise AssertionError(f"{folder.name}/{path} is not the file that was labelled")
    met = set()
    for finding in findings:
        path = relative(finding, folder)
        at = [label for label in here if label.path == path and label.first <= finding.line <= label.last]
        right = [label for label in at if label.verdict == "breaks" and finding.rule_id in label.rules]
        met.update(right)
        if right:
            counts[finding.certainty, "right"] += 1
        elif not at or any(label.verdict == "depends" for label in at):
            counts[finding.certainty, "unjudged"] += 1
            if options.unlabelled:
                print(f"unlabelled: {folder.name}/{path}:{finding.line} {finding.rule_id} {finding.certainty}")
        else:
            counts[finding.certainty, "wrong"] += 1
            if options.verbose:
                print(f"wrong: {folder.name}/{path}:{finding.line} {finding.rule_id} {finding.certainty}: {at[0]}")
    for label in here:
        counts["label", label.verdict] += 1
        counts["made", label.made] += 1
        if label.verdict == "breaks":
            counts["breaks", "found" if label in met else "missed"] += 1
            if label not in met and options.verbose:
                print(f"missed: {folder.name}/{label.path}:{label.first} {' '.join(label.rules) or 'no rule'}")
    return counts


def _report(counts: Counter[tuple[str, str]]) -> int:
    verdicts = ", ".join(f"{counts['label', verdict]} {verdict}" for verdict in ("breaks", "fine", "depends"))
    print(f"labels: {verdicts}; {counts['made', 'before']} made before, {counts['made', 'after']} after")
    print(f"of what breaks: {counts['breaks', 'found']} found, {counts['breaks', 'missed']} missed")
    failed = False
    for certainty, goal in GOALS.items():
        right, wrong = counts[certainty, "right"], counts[certainty, "wrong"]
        share = right / (right + wrong) if right + wrong else 1.0
        print(f"{certainty}: {right} right, {wrong} wrong: {share:.1%} (goal {goal:.0%})", end="; ")
        print(f"{counts[certainty, 'unjudged']} on other lines")
        failed = failed or share < goal
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
