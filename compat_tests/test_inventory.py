"""Every public name of Tornado 4.5.3, with its signature, bases and defaults, is in tornado4.

``api/api-4.5.3.json`` is the inventory of the real one, made by ``api/inventory.py``. Two counts: the names that its
modules define (members of classes included), and those that they only hand on from one another. Modules that need
an extra which is not installed here are left out, and the test says so.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from compat_tests.api import inventory

#: What a module cannot be imported without.
EXTRAS = {"curl_httpclient": "pycurl", "platform.caresresolver": "pycares", "platform.twisted": "twisted"}


def is_missing(extra: str) -> bool:
    try:
        importlib.import_module(extra)
    except ImportError:
        return True
    return False


MISSING = sorted(module for module, extra in EXTRAS.items() if is_missing(extra))

Inventory = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def inventories() -> tuple[Inventory, Inventory]:
    real: Inventory = json.loads((Path(inventory.__file__).parent / "api-4.5.3.json").read_text("utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the extras, as they are imported
        ours: Inventory = inventory.dump("tornado4")
    return {module: names for module, names in real.items() if module not in MISSING}, ours


@pytest.mark.parametrize(("handed_on", "names"), [(False, 1731), (True, 1185)], ids=["defined", "handed on"])
def test_every_name_is_there_and_spelled_alike(
    inventories: tuple[Inventory, Inventory], handed_on: bool, names: int
) -> None:
    real, ours = inventories
    missing, wrong, total = inventory.diff(real, ours, imported=handed_on)
    assert not missing
    # What a module only hands on is compared where it is defined.
    assert handed_on or not wrong
    if not MISSING:
        assert total == names


@pytest.mark.skipif(not MISSING, reason="all extras are here: nothing was left out")
def test_modules_of_missing_extras_were_left_out() -> None:
    pytest.skip(f"not compared, for want of an extra: {', '.join(MISSING)}")


@pytest.mark.parametrize("module", sorted({*inventory.MODULES} - {*MISSING}))
def test_nothing_is_announced_that_is_not_there(module: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = importlib.import_module(f"tornado4.{module}")
    assert not [name for name in getattr(found, "__all__", ()) if not hasattr(found, name)]


def stored(name: str) -> dict[str, list[str]]:
    data: dict[str, list[str]] = json.loads((Path(inventory.__file__).parent / f"{name}-4.5.3.json").read_text("utf-8"))
    return {module: names for module, names in data.items() if module not in MISSING}


@pytest.mark.parametrize("module", sorted(stored("stars")))
def test_star_import_brings_what_it_brought(module: str) -> None:
    """``stars-4.5.3.json``: the names after ``from tornado.X import *`` on the real one, on Python 3.9."""
    namespace: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the extras, as they are imported
        exec(f"from tornado4.{module} import *", namespace)
    assert not [name for name in stored("stars")[module] if name not in namespace]


ALONG = """
import json, sys, importlib
for module, wanted in json.load(sys.stdin).items():
    for name in [name for name in sys.modules if name.startswith("tornado4")]:
        del sys.modules[name]
    importlib.import_module("tornado4." + module)
    for each in wanted:
        found = sys.modules["tornado4"]
        for part in each.split("."):
            found = getattr(found, part)
        assert found.__name__ == "tornado4." + each, each
print("all there")
"""


def test_submodules_that_come_along_with_an_import() -> None:
    """``along-4.5.3.json``: after ``import tornado.X`` alone, what else can be had as ``tornado.Y``."""
    wanted = {module: names for module, names in stored("along").items() if not module.startswith("platform.twisted")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONG],
        input=json.dumps(wanted), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "all there\n", done.stderr
