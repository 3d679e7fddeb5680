"""The user's own rules: ``[tool.tornado4.diff]`` in the application's pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class BadRules(Exception):
    """``[tool.tornado4.diff]`` has something in it that means nothing."""


@dataclass(frozen=True)
class UserRules:
    """The table ``[tool.tornado4.diff]``: four lists of texts, each may be left out."""

    headers: frozenset[str] = frozenset()  # ignore-headers: names
    json: tuple[str, ...] = ()  # ignore-json: paths; * for any key or index; what lies below is meant too
    text: tuple[str, ...] = ()  # ignore-text: regular expressions; what they match is no difference, anywhere
    loggers: frozenset[str] = frozenset()  # ignore-loggers: names

    @property
    def names(self) -> list[str]:
        """One for each entry, as reports show it."""
        return [
            *(f"ignore-headers {name}" for name in self.headers),
            *(f"ignore-json {path}" for path in self.json),
            *(f"ignore-text {pattern}" for pattern in self.text),
            *(f"ignore-loggers {name}" for name in self.loggers),
        ]

    def of_body(self, where: str) -> str:
        """The name of the first that ignores a place in a JSON body; none: empty."""
        return next((f"ignore-json {path}" for path in self.json if _json_path(path).match(where)), "")


def _json_path(path: str) -> re.Pattern[str]:
    """``$.items[*].id`` as an expression for that place and all below it."""
    wild = re.escape(path).replace(r"\[\*\]", r"\[\d+\]").replace(r"\.\*", r"\.[^.\[]+")
    return re.compile(wild + r"(?![^.\[])")


_KEYS = {"ignore-headers": "headers", "ignore-json": "json", "ignore-text": "text", "ignore-loggers": "loggers"}


def find_user_rules(start: Path) -> UserRules:
    """From the nearest pyproject.toml at or above a folder that has ``[tool.tornado4.diff]``; none: no rules.

    :raises BadRules: the file is no TOML, or the table is not as :class:`UserRules` says.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _user_rules(table, path)
    return UserRules()


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadRules(f"{path}: {error}") from error
    table = document.get("tool", {}).get("tornado4", {}).get("diff")
    return table if isinstance(table, dict) else None


def _user_rules(table: dict[str, Any], path: Path) -> UserRules:
    lists: dict[str, list[str]] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise BadRules(f"{path}: [tool.tornado4.diff] knows {', '.join(_KEYS)}, not {key!r}")
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadRules(f"{path}: [tool.tornado4.diff] {key} must be a list of texts")
        lists[_KEYS[key]] = value
    for pattern in lists.get("text", ()):
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadRules(f"{path}: [tool.tornado4.diff] ignore-text {pattern!r}: {error}") from error
    for json_path in lists.get("json", ()):
        if not json_path.startswith("$"):
            raise BadRules(f"{path}: [tool.tornado4.diff] ignore-json {json_path!r}: a path begins with $")
    return UserRules(
        frozenset(name.lower() for name in lists.get("headers", ())),
        tuple(lists.get("json", ())),
        tuple(lists.get("text", ())),
        frozenset(lists.get("loggers", ())),
    )
