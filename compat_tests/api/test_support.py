"""docs/support.md agrees with the inventory of this tree."""

import re

import pytest

from compat_tests.api import support

HOW = "write it anew: python -m compat_tests.api.support write (with pycurl, pycares and Twisted installed)"


@pytest.fixture(scope="module")
def inventories():
    return support.inventories()


@pytest.fixture(scope="module")
def present(inventories):
    """The modules that import here; those of the extras may not."""
    _, got = inventories
    absent = {module for module, names in got.items() if "!error" in names}
    assert absent <= set(support.EXTRAS)
    return set(got) - absent


def test_each_module_s_row_is_up_to_date(inventories, present):
    text = support.PAGE.read_text("utf-8")
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `([\w.]+)` \| \d.*$", text, re.MULTILINE)}
    want, got = inventories
    assert set(rows) == set(want)
    for module in present:
        assert rows[module] == support.row(module, want, got), HOW


def test_what_stands_around_the_rows_is_up_to_date(inventories, present):
    text = support.PAGE.read_text("utf-8")
    assert text.startswith(support.HEAD.format(pythons=support.supported_pythons())), HOW
    if len(present) == len(inventories[0]):
        assert text == support.page(*inventories, support.supported_pythons()) + support.by_hand(text), HOW


def test_what_differs_or_is_absent_has_a_reason(inventories, present):
    want, got = inventories
    found = support.exceptions({module: names for module, names in want.items() if module in present}, got)
    assert [name for name, (_, why) in found.items() if not why] == []
