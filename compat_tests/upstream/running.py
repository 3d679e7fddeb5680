"""Finding and running Tornado's test modules: the part that tornado4 and the real Tornado share.

The real one runs on a Python of its time, so this file and ``real.py`` keep to what Python 2.7 and 3.6 both know, and
import neither ``tornado`` nor ``tornado4``.
"""

import importlib
import logging
import sys
import unittest
import warnings

Base = unittest.TextTestResult  # called by name: Python 2's super() wants arguments


class Outcomes(Base):
    """Remembers how each test ended: "Class.test" -> passed, failed, error, skipped: <reason>."""

    def __init__(self, *args, **kwargs):
        Base.__init__(self, *args, **kwargs)
        self.outcomes = {}
        self.names = {}

    def name_of(self, test):
        if getattr(test, "_testMethodName", "runTest") == "runTest":
            return test.id()  # a docstring's, or what unittest puts for a class that could not be set up
        # Several classes may share a qualified name (they are made in a loop); the module's own differ.
        case = type(test)
        return (self.names.get(case) or getattr(case, "__qualname__", case.__name__)) + "." + test._testMethodName

    def _note(self, test, outcome):
        name = self.name_of(test)
        # An error in tearDown, after a pass, is what counts.
        if self.outcomes.get(name) in (None, "passed"):
            self.outcomes[name] = outcome

    def addSuccess(self, test):
        Base.addSuccess(self, test)
        self._note(test, "passed")

    def addFailure(self, test, err):
        Base.addFailure(self, test, err)
        self._note(test, "failed")

    def addError(self, test, err):
        Base.addError(self, test, err)
        self._note(test, "error")

    def addSkip(self, test, reason):
        Base.addSkip(self, test, reason)
        self._note(test, "skipped: " + reason)

    def addExpectedFailure(self, test, err):
        Base.addExpectedFailure(self, test, err)
        self._note(test, "passed")

    def addUnexpectedSuccess(self, test):
        Base.addUnexpectedSuccess(self, test)
        self._note(test, "failed")


def run(module, only=(), skip=()):
    """Import ``tornado.test.MODULE`` and run it; "Class.test" names in ``only`` or ``skip`` choose. Outcome by test."""
    # The old tests themselves use much that is deprecated; what tornado4 does is judged by tests/.
    warnings.simplefilter("ignore")
    name = "tornado.test." + module
    names = vars(importlib.import_module(name))
    return run_suite(unittest.defaultTestLoader.loadTestsFromName(name), only, skip, names)


def run_suite(suite, only=(), skip=(), namespace=None):
    """Run what ``only`` and ``skip`` leave of a suite. Outcome by test."""
    # Upstream's own runner logs at INFO and drops what reaches the root: ExpectLog stands on that.
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(logging.NullHandler())
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    make_result = _outcomes_for(namespace or {})
    named = make_result(sys.stderr, False, 0)
    chosen = []
    for test in _flat(suite):
        name = named.name_of(test)
        wanted = not only or name in only or name.partition(".")[0] in only
        if wanted and name not in skip:
            chosen.append(test)
    runner = unittest.TextTestRunner(stream=sys.__stderr__, verbosity=1, resultclass=make_result)
    return runner.run(unittest.TestSuite(chosen)).outcomes


def _flat(suite):
    if not isinstance(suite, unittest.TestSuite):
        return [suite]
    return [test for part in suite for test in _flat(part)]


def _outcomes_for(namespace):
    def make(*args, **kwargs):
        result = Outcomes(*args, **kwargs)
        for name, value in namespace.items():
            if isinstance(value, type):
                result.names.setdefault(value, name)
        return result

    return make
