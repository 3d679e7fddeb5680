"""The flag ``names``: all that the real Tornado 6.6.1 added is there under it, or is left out with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.oracle import oracle
from tornado4.forward import LEFT_OUT, NAMES

GAINED = Path(__file__).resolve().parent / "api" / "gained.py"


def names_of(command: list[str], environ: dict[str, str], package: str) -> dict[str, list[str] | None]:
    done = subprocess.run(
        [*command, str(GAINED), package], env=environ, capture_output=True, text=True, check=True
    )
    return {
        f"{module}.{name}": arguments
        for module, names in json.loads(done.stdout).items()
        for name, arguments in names.items()
    }


@pytest.fixture(scope="module")
def missing() -> set[str]:
    """What 6.6.1 has and tornado4 with forward names has not, names and ``name.argument``."""
    real = oracle("6.6.1")
    theirs = names_of(real.command(), real.environ(), "tornado")
    ours = names_of([sys.executable], os.environ | {"TORNADO4_FUTURE": "names"}, "tornado4")
    found = set(theirs) - set(ours)
    for name in set(theirs) & set(ours):
        mine = ours[name]
        if theirs[name] is not None and mine is not None:
            found |= {f"{name}.{argument}" for argument in theirs[name] or () if argument not in mine}
    return found


def reason(name: str) -> str | None:
    parts = name.split(".")
    return next((LEFT_OUT[key] for n in range(len(parts), 0, -1) if (key := ".".join(parts[:n])) in LEFT_OUT), None)


def test_all_that_6_added_is_there_or_has_a_reason(missing: set[str]) -> None:
    assert sorted(name for name in missing if reason(name) is None) == []


def test_what_is_left_out_is_really_missing(missing: set[str]) -> None:
    explained = {key for name in missing for key in LEFT_OUT if f"{name}.".startswith(f"{key}.")}
    there = ("taken already", "takes the same", "an attribute")
    taken = {key for key, why in LEFT_OUT.items() if why.startswith(there)}
    assert sorted(LEFT_OUT.keys() - explained - taken) == []


def test_each_name_is_one_of_6_or_carries_one() -> None:
    real = oracle("6.6.1")
    theirs = names_of(real.command(), real.environ(), "tornado")
    inner = {"ioloop.PeriodicCallback._schedule_next", "testing.ExpectLog.level", "ioloop.PeriodicCallback.jitter"}
    for module, names in NAMES.items():
        for name in names:
            full = f"{module}.{name}".removesuffix(".__init__")
            assert full in theirs or full in inner, full
