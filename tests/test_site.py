"""The reference of the site: an entry for each public name, and something to say in it. Sphinx is not needed."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
import textwrap
from types import ModuleType

import pytest
from programs import ROOT

import tornado4

PAGES = sorted((ROOT / "docs/api").glob("*.md"))

#: What the commands are made of: their pages say how they are used, and what may be called from code has entries.
COMMANDS = "migrate serve.accesslog serve.command serve.config serve.health serve.master serve.reloading"
ROOMS = f"{COMMANDS} speedups serve.sockets serve.target serve.worker serve platform hooks.events hooks.telling".split()


@pytest.fixture(scope="module")
def names() -> ModuleType:
    for extra in ("gunicorn", "opentelemetry", "prometheus_client", "pycares", "pycurl", "sentry_sdk", "twisted"):
        pytest.importorskip(extra, reason=f"a public module of ours stands on {extra}, which is not installed")
    spec = importlib.util.spec_from_file_location("names", ROOT / "site/names.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown() -> list[str]:
    """The modules whose entries the pages have."""
    found: list[str] = []
    for page in PAGES:
        found += re.findall(r"^```\{api\} tornado4\.([\w.]+)\n```$", page.read_text("utf-8"), re.MULTILINE)
    return found


def test_each_public_module_has_its_place(names: ModuleType) -> None:
    assert sorted(shown()) == names.modules()


def test_each_public_name_is_described(names: ModuleType) -> None:
    assert list(names.undescribed()) == []


def test_each_name_of_4_5_3_has_an_entry(names: ModuleType) -> None:
    """A second count, by the inventory alone."""
    for module, listed in names.API.items():
        entries = {entry.name: entry for entry in names.entries(module)}
        wanted = {name for name, said in listed.items() if not name.startswith("_") and not said.get("imported")}
        assert wanted <= set(entries), module


def test_no_module_is_forgotten(names: ModuleType) -> None:
    """Each module is public, private by its name, a room of a package whose face has entries, or a command's."""
    public = set(names.modules())
    for found in pkgutil.walk_packages(tornado4.__path__, "tornado4."):
        name = found.name.partition(".")[2]
        parent = name.rpartition(".")[0]
        if name.startswith("migrate.") or any(part.startswith("_") for part in name.split(".")):
            continue
        room = parent in public or parent == "platform"  # of which 4.5.3 has what the inventory lists
        assert name in public or room or name in ROOMS or parent.startswith("forward"), name


def raised(function: object) -> set[str]:
    """The names of what stands behind ``raise`` in its source; of others' calls nothing is known."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError):
        return set()
    calls = [node.exc.func for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    names = {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}
    return {name for name in names - {"NotImplementedError"} if name[:1].isupper()}


def test_what_is_raised_is_said(names: ModuleType) -> None:
    """By the docstring of the function or method; what a class's constructor raises, by the class's."""
    unsaid = []
    for module in names.modules():
        face = importlib.import_module(f"tornado4.{module}")
        for entry in names.entries(module):
            value = getattr(face, entry.name)
            for member in entry.members or ("",):
                function = getattr(value, member, None) if member else value
                if not inspect.isroutine(function):
                    continue
                missing = raised(function) - set(re.findall(r"\w+", inspect.getdoc(function) or ""))
                unsaid += [f"{module}.{entry.name}.{member}: {name}" for name in sorted(missing)]
    assert unsaid == []
