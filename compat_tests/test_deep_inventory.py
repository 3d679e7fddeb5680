"""Private names, values, parameters of every method, ``callback=`` of coroutines, and what can be replaced with effect.

``api/deep-4.5.3.json`` and ``api/effects-4.5.3.json`` are made from the real one by ``api/deep.py`` and
``api/effect.py``. What is otherwise has its reason in ``api/reasons.py``, and each reason there is needed.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from compat_tests.api import deep, reasons

API = Path(deep.__file__).parent
Entry = dict[str, Any]


def stored(name: str) -> Any:
    return json.loads((API / f"{name}-4.5.3.json").read_text("utf-8"))


def flat(inventory: dict[str, dict[str, Entry]]) -> Iterator[tuple[str, Entry]]:
    for module, names in inventory.items():
        for name, entry in names.items():
            yield f"{module}.{name}", entry
            for member, inner in entry.get("members", {}).items():
                yield f"{module}.{name}.{member}", inner


@pytest.fixture(scope="module")
def real() -> dict[str, Entry]:
    return dict(flat(stored("deep")))


@pytest.fixture(scope="module")
def ours() -> dict[str, Entry]:
    """In a process of its own: values must not be those that other tests have left behind."""
    made = subprocess.run(
        [sys.executable, "-m", "compat_tests.api.deep", "tornado4"],
        cwd=API.parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(flat(json.loads(made.stdout)))


def find(name: str) -> Any:
    """The object of this tree that a name of the inventory means."""
    module = max((each for each in deep.MODULES if name.startswith(each + ".")), key=len)
    found: Any = importlib.import_module(f"tornado4.{module}")
    for part in name[len(module) + 1 :].split("."):
        found = getattr(found, part)
    return found


def is_there(name: str) -> bool:
    """Also where a class has it from a base outside of the package, or in each of its objects."""
    holder, _, last = name.rpartition(".")
    if holder in deep.MODULES:
        # A module, such as certifi where that is installed, is no entry of the inventory; None was one.
        return isinstance(getattr(importlib.import_module(f"tornado4.{holder}"), last, None), ModuleType)
    try:
        owner = find(holder)
    except (AttributeError, ValueError):
        return False
    if not isinstance(owner, type):
        return hasattr(owner, last)
    if any(last in vars(base).get("__annotations__", ()) for base in owner.__mro__):
        return True
    if last == "__init__" and owner.__new__ is not object.__new__:
        return True
    return hasattr(owner, last) and getattr(owner, last) is not getattr(object, last, None)


def explained(name: str, table: dict[str, str]) -> str | None:
    """The entry of a table that a name falls under: its own, that of its class, or of a class that it inherits from."""
    if name in table:
        return name
    holder, _, last = name.rpartition(".")
    if holder in table:
        return holder
    try:
        owner = find(holder)
    except (AttributeError, ValueError):
        return None
    for key in table:
        base, _, member = key.rpartition(".")
        if member == last and isinstance(owner, type):
            parent = find(base)
            if isinstance(parent, type) and issubclass(owner, parent):
                return key
    return None


def check(names: list[str], table: dict[str, str]) -> None:
    """Each name has its reason, and each reason its name."""
    found = {name: explained(name, table) for name in names}
    assert [name for name, key in found.items() if key is None] == []
    assert set(table) - set(found.values()) == set()


def test_every_name_is_there(real: dict[str, Entry], ours: dict[str, Entry]) -> None:
    missing = [name for name in real if name not in ours and not is_there(name)]
    check([name for name in missing if name not in reasons.SPELLED], reasons.ABSENT)


def fits(wanted: list[str] | None, found: list[str] | None) -> bool:
    """Every call that fits the one fits the other: same names and order, further optional ones at the end."""
    if wanted is None or found is None:
        return wanted == found
    names = [each for each in wanted if not each.startswith("*")]
    others = [each for each in found if not each.startswith("*")]
    stars = {each.count("*") for each in wanted if each.startswith("*")}
    return (
        others[: len(names)] == names
        and all(each.endswith("=") for each in others[len(names) :])
        and stars <= {each.count("*") for each in found if each.startswith("*")}
    )


def test_kinds_parameters_and_values_are_the_same(real: dict[str, Entry], ours: dict[str, Entry]) -> None:
    differing = []
    for name, wanted in real.items():
        found = ours.get(name)
        if found is None:
            differing += [name] if name in reasons.SPELLED else []
        elif (
            wanted["kind"] != found["kind"]
            or not fits(wanted.get("parameters"), found.get("parameters"))
            or wanted.get("value") != found.get("value")
        ):
            differing.append(name)
    check(differing, reasons.SPELLED)


def test_coroutines_take_a_callback(real: dict[str, Entry], ours: dict[str, Entry]) -> None:
    lost = [
        name
        for name, wanted in real.items()
        if wanted.get("coroutine") and name in ours and not ours[name].get("coroutine")
    ]
    check(lost, reasons.NO_CALLBACK)


def test_at_most_forty_private_names_are_otherwise() -> None:
    private = {
        name
        for name in {*reasons.ABSENT, *reasons.INERT}
        if any(part.startswith("_") for part in name.split("."))
    }  # fmt: skip
    assert len(private) <= 40


def without_effect(*mode: str, timeout: int) -> list[str]:
    """What is replaced, and not called in programs that call it on the real one."""
    done = subprocess.run(
        [sys.executable, "-m", "compat_tests.api.effect", "tornado4", API / "effects-4.5.3.json", *mode],
        cwd=API.parents[1], capture_output=True, text=True, check=False, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [name for name in json.loads(done.stdout) if explained(name, reasons.ABSENT) is None]


def test_what_is_replaced_takes_effect() -> None:
    """Each by one that counts; all at once, in one process."""
    check(without_effect(timeout=120), reasons.INERT)


@pytest.mark.alone
def test_what_is_replaced_alone_takes_effect() -> None:
    """Each in a process of its own, where a shorter way may be taken since all else is as it was."""
    check(without_effect("alone", timeout=1200), reasons.INERT)
