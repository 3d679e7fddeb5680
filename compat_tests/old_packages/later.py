"""Later releases that run on Tornado 6: a check must not call anything in them certain and required.

    python -m compat_tests.old_packages.later

What stands in a branch for old releases does not count; a check knows such branches. Nor does what Python itself has
dropped: a release may run on Tornado 6 and need an older Python; those findings are counted apart. Exit code 1 for any
other.
"""

from __future__ import annotations

import sys

from compat_tests.old_packages.fetch import NotThere, fetched, packages
from compat_tests.old_packages.precision import relative, required

#: Findings that are right, although the release runs: nothing ever comes there.
UNREACHED = {
    ("pyzmq", "zmq/eventloop/_deprecated.py", rule): "a module that nothing imports" for rule in ("TND121", "TND122")
}


def main() -> int:
    certain = likely = of_python = unreached = 0
    releases = packages("later")
    for package in releases:
        try:
            folder = fetched(package)
        except NotThere as error:
            print(error, file=sys.stderr)
            return 2
        for finding in required(folder)[0]:
            path = relative(finding, folder)
            if finding.rule.family == "python":
                of_python += 1
            elif (package.name, path, finding.rule_id) in UNREACHED:
                unreached += 1
            elif finding.certainty == "certain":
                certain += 1
                print(f"{folder.name}/{path}:{finding.line} {finding.rule_id} {finding.message}\n    {finding.text}")
            else:
                likely += 1
    print(f"{len(releases)} releases: {certain} certain, {likely} likely; ", end="")
    print(f"{of_python} about Python itself, {unreached} where nothing comes")
    return 1 if certain else 0


if __name__ == "__main__":
    sys.exit(main())
