"""Run one of Tornado's own test modules, unchanged, on tornado4; print one JSON object.

    python -m compat_tests.upstream.run web_test [--version 4.5.3] [--loop asyncio|uvloop] [--only Class.test ...]

The object maps each test's name to its outcome: passed, failed, error, skipped: <reason>. On standard error:
unittest's own report. Meant to be started by ``test_upstream.py``, one process a module, and by hand.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import logging
import sys
import unittest
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from compat_tests.upstream.suite import prepare
from tornado4.migrate import alias, backfill


class UpstreamTests(importlib.abc.MetaPathFinder):
    """Finds ``tornado.test`` and what is below it in the prepared folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name == "tornado.test":
            return importlib.util.spec_from_file_location(
                name, self.folder / "__init__.py", submodule_search_locations=[str(self.folder)]
            )
        if name.startswith("tornado.test."):
            file = self.folder.joinpath(*name.split(".")[2:]).with_suffix(".py")
            return importlib.util.spec_from_file_location(name, file) if file.exists() else None
        return None


class Outcomes(unittest.TextTestResult):
    """Remembers how each test ended, by its short name."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.outcomes: dict[str, str] = {}

    def _note(self, test: unittest.TestCase, outcome: str) -> None:
        name = test.id().removeprefix("tornado.test.")
        # An error in tearDown, after a pass, is what counts.
        if self.outcomes.get(name) in (None, "passed"):
            self.outcomes[name] = outcome

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._note(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self._note(test, "failed")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self._note(test, "error")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addExpectedFailure(test, err)  # type: ignore[arg-type]
        self._note(test, "passed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "failed")


def configure_loop(loop: str) -> None:
    if loop == "uvloop":
        import uvloop

        from tornado4.ioloop import IOLoop

        IOLoop.configure("tornado.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)


def run(module: str, only: list[str]) -> dict[str, str]:
    name = f"tornado.test.{module}"
    importlib.import_module(name)
    # Upstream's own runner logs at INFO and drops what reaches the root: ExpectLog stands on that.
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(logging.NullHandler())
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"{name}.{test}" for test in only] or [name])
    runner = unittest.TextTestRunner(stream=sys.stderr, verbosity=1, resultclass=Outcomes)
    result = runner.run(suite)
    assert isinstance(result, Outcomes)
    return result.outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--version", default="4.5.3")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    alias.install()
    backfill.install()
    # The old tests themselves use much that is deprecated; what tornado4 does is judged by tests/.
    warnings.simplefilter("ignore")
    sys.meta_path.insert(0, UpstreamTests(prepare(options.version)))
    configure_loop(options.loop)
    json.dump(run(options.module, options.only), sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
