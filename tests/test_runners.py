"""Suites of the Tornado 4 days under the runners that are installed here.

Other releases of pytest: ``python -m compat_tests.runners --pytest 7 8 9``.
"""

from __future__ import annotations

import importlib.util
import sys

import pytest
from programs import ROOT

sys.path.insert(0, str(ROOT))
try:
    from compat_tests import runners
    from compat_tests.runners import __main__ as matrix
finally:
    sys.path.remove(str(ROOT))

CHECKS = [*matrix.unittest_checks(), *matrix.pytest_checks("pytest")]


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_an_old_suite_ends_as_it_did(check: matrix.Check) -> None:
    if "pytest-asyncio" in check.name and importlib.util.find_spec("pytest_asyncio") is None:
        pytest.skip("pytest-asyncio is not installed")
    assert runners.__file__ is not None
    wrong = matrix.run(sys.executable, check)
    assert not wrong, wrong
