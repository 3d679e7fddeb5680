"""The examples in the docstrings, as tests."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import unittest

_ROOMS = ("headers", "params", "ranges", "dates", "start_lines", "uris")


def doctests() -> unittest.TestSuite:
    """A suite of all the examples in this package's docstrings."""
    import unittest  # this and doctest are for test runners only

    suite = unittest.TestSuite()
    for room in _ROOMS:
        suite.addTests(_examples_of(importlib.import_module(f"tornado4.httputil.{room}")))
    return suite


def _examples_of(module: object) -> unittest.TestSuite:
    import doctest
    import unittest

    # The face names itself as the home of what it hands on, so doctest's finder would take these classes and
    # functions for somebody else's. Asked for one by one, they are not sorted out.
    names = vars(module)
    finder = doctest.DocTestFinder(exclude_empty=True)
    suite = unittest.TestSuite()
    for name, value in sorted(names.items()):
        if getattr(value, "__module__", None) == "tornado4.httputil":
            for test in finder.find(value, name, module=False, globs=dict(names)):
                if test.examples:
                    suite.addTest(doctest.DocTestCase(test))
    return suite
