"""What is asked for: one text for the variable, the option and the key, ``warn,packages,native,report=FILE``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The modes: warn and go on; raise; write down what ran.
MODES = ("warn", "error", "record")

_SWITCHES = ("packages", "native")
_FILES = ("report", "profile")
_GRAMMAR = (
    f"{'|'.join(MODES)}, and behind a comma {', '.join(_SWITCHES)}, {', '.join(f'{name}=FILE' for name in _FILES)}"
)


class WantedError(ValueError):
    """A text or table that asks for what there is not; it names the value and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A mode, and how: ``packages`` lists the places in third-party packages too, ``native`` tells of what is optional.

    ``report`` is a file for the summary as JSON, ``profile`` the one that ``record`` writes
    (``tornado4-profile.json``, added to when it is there).
    """

    mode: str
    packages: bool = False
    native: bool = False
    report: str = ""
    profile: str = "tornado4-profile.json"

    def table(self) -> dict[str, Any]:
        """What ``read`` makes the same of."""
        return {name: getattr(self, name) for name in ("mode", *_SWITCHES, *_FILES) if getattr(self, name)}


def read(value: Any, place: str) -> Wanted | None:
    """What a text, a table or true asks for (true is ``warn``); None for nothing. ``place`` is for the error."""
    if value is None or value is False or value == "" or value == "off":
        return None
    if value is True:
        return Wanted(mode="warn")
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        table: dict[str, Any] = {"mode": parts[0]} if parts else {}
        for part in parts[1:]:
            name, equals, file = part.partition("=")
            table[name] = file if equals else True
    elif isinstance(value, dict):
        table = value
    else:
        raise WantedError(f"{place}: migrate = {value!r}; it is {_GRAMMAR}")
    if table.get("mode") not in MODES:
        raise WantedError(f"{place}: no mode {table.get('mode')!r}; there are: {', '.join(MODES)}")
    for name, given in table.items():
        fits = isinstance(given, bool) if name in _SWITCHES else isinstance(given, str) and bool(given)
        if name not in ("mode", *_SWITCHES, *_FILES) or not fits:
            raise WantedError(f"{place}: {name} = {given!r}; it is {_GRAMMAR}")
    return Wanted(**table)
