"""The list of weaknesses, read from ``advisories.toml`` and ``peers.toml`` beside this file."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

FIXED, NOT_AFFECTED, KEPT = "fixed", "not affected", "kept"
STATUSES = (FIXED, NOT_AFFECTED, KEPT)
_PUBLIC = ("CVE-", "GHSA-", "PYSEC-")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One weakness; the head of ``advisories.toml`` says what each field is."""

    id: str
    aliases: tuple[str, ...] = ()
    what: str
    module: str
    fixed_in: str
    status: str
    why: str = ""
    instead: str = ""
    rows: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    tests: tuple[str, ...]

    @property
    def is_public(self) -> bool:
        """Whether scanners know it by an id."""
        return self.id.startswith(_PUBLIC)

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, *self.aliases)


@dataclass(frozen=True)
class Listing:
    """The whole list. ``reviewed``: when it was last held against what is published, in RFC 3339."""

    reviewed: str
    entries: Mapping[str, Entry]

    def find(self, name: str) -> Entry:
        """The entry of that id or alias, in any case of letters. KeyError with a sentence for one that is none."""
        for entry in self.entries.values():
            if name.upper() in (each.upper() for each in entry.ids):
                return entry
        raise KeyError(f"there is no entry {name}: 'tornado4 security' lists them all")

    def weakened_by(self, switches: Iterable[str]) -> dict[str, list[Entry]]:
        """The entries that each of these switches of ``TORNADO4_ALLOW`` brings back; without those that bring none."""
        found = {name: [entry for entry in self.entries.values() if name in entry.switches] for name in switches}
        return {name: entries for name, entries in found.items() if entries}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What another server or library has closed; the head of ``peers.toml`` says what each field is."""

    id: str
    of: str
    what: str
    why: str = ""
    tests: tuple[str, ...] = ()


@functools.cache
def peers() -> tuple[Peer, ...]:
    """What others have closed, as tried here."""
    data = _read("peers.toml")
    return tuple(Peer(**{**fields, "tests": tuple(fields.get("tests", ()))}) for fields in data["peer"])


@functools.cache
def listing() -> Listing:
    """The list of this release."""
    data = _read("advisories.toml")
    entries = [_entry(fields) for fields in data["entry"]]
    return Listing(data["reviewed"], MappingProxyType({entry.id: entry for entry in entries}))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / name).read_text("utf-8"))


def _entry(fields: dict[str, Any]) -> Entry:
    for name, field in (("row", "rows"), ("switch", "switches")):
        fields[field] = tuple(part.strip() for part in fields.pop(name, "").split(",") if part)
    for name in ("aliases", "tests"):
        fields[name] = tuple(fields.get(name, ()))
    return Entry(**fields)
