"""How many of the lines that broke on the real Tornado 6.6.1 a check names before.

    python -m compat_tests.old_packages.recall            # the share, and each line that is not named

``recall.tsv`` was made by importing and starting each package, and by running its suite where it has one, on Tornado
6.6.1 under Python 3.11. It holds the last line within the package of each ImportError, AttributeError, TypeError and
RuntimeError that is Tornado's or Python's doing, and of what waited for ever; ``cause`` is the line where that was
written, where the error came later (an argument that is used by the next call, a decorator that no longer waits).
Where a name that is gone stopped an import, it was put in place by one that hands functions through, and where a
line had broken it was mended, so that what stands behind it had its turn. What broke for other reasons (Python 2,
packages that are not there, assertions about the order of callbacks) is left out.

Exit code 1 when fewer than nine in ten are named.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict

from compat_tests.old_packages.fetch import NotThere, fetched, packages, rows
from compat_tests.old_packages.precision import relative, required

GOAL = 0.90


def main() -> int:
    broken: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows("recall.tsv"):
        broken[f"{row['package']}-{row['version']}"].append(row)
    named = total = 0
    for package in packages("labels"):
        here = broken.pop(f"{package.name}-{package.version}", [])
        if not here:
            continue
        try:
            folder = fetched(package)
        except NotThere as error:
            print(error, file=sys.stderr)
            return 2
        findings, _, _ = required(folder)
        found = {(relative(finding, folder), finding.line) for finding in findings}
        for row in here:
            if hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest()[:16] != row["sha256"]:
                raise AssertionError(f"{folder.name}/{row['path']} is not the file that was run")
            total += 1
            if {(row["path"], int(row["line"])), (row["path"], int(row["cause"]))} & found:
                named += 1
            else:
                print(f"not named: {folder.name}/{row['path']}:{row['line']} {row['error']}")
    if broken:
        raise AssertionError(f"packages that are not in the table: {sorted(broken)}")
    print(f"{named} of {total} lines that broke are named: {named / total:.1%} (goal {GOAL:.0%})")
    return 0 if named >= GOAL * total else 1


if __name__ == "__main__":
    sys.exit(main())
