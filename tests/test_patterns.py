"""Regular expressions of the package: none that an interpreter we support gets wrong."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import tornado4

NOT_EVERYWHERE = (
    "tornado4.platform.",
    "tornado4.curl_httpclient",
    "tornado4.migrate.security.build",
    "tornado4._build",
)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in pkgutil.walk_packages(tornado4.__path__, "tornado4."):
        if module.name.startswith(NOT_EVERYWHERE) or module.name.endswith("__main__"):
            continue
        try:
            loaded = importlib.import_module(module.name)
        except ImportError as error:  # an extra that is not there
            assert (error.name or "").partition(".")[0] != "tornado4"
            continue
        for name, value in vars(loaded).items():
            values = value if isinstance(value, (list, tuple)) else [value]
            flat = [part for one in values for part in (one if isinstance(one, tuple) else [one])]
            yield from ((f"{module.name}.{name}", one) for one in flat if isinstance(one, re.Pattern))


def possessive_groups(parsed: Any) -> Iterator[str]:
    for operation, argument in parsed:
        if operation is _constants.POSSESSIVE_REPEAT and (len(argument[2]) != 1 or argument[2].getwidth() != (1, 1)):
            yield str(argument[2])
        parts = argument if isinstance(argument, (list, tuple)) else [argument]
        for part in parts:
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, _parser.SubPattern):
                    yield from possessive_groups(one)


@pytest.mark.parametrize("pattern", ["(?:ab)++", "x(?:a|bc)*+", "((?:ab?)?+)", "(?:a|(?:bc){2}+)"])
def test_the_search_finds_them(pattern: str) -> None:
    assert list(possessive_groups(_parser.parse(pattern)))


def test_groups_are_not_repeated_possessively() -> None:
    """Python 3.11.0 to 3.11.4, Debian 12's among them, take a part of the next repetition along (gh-106052)."""
    found = list(patterns())
    assert len(found) > 100
    assert [name for name, one in found if list(possessive_groups(_parser.parse(one.pattern, one.flags)))] == []
