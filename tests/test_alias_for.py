"""The alias for some packages alone, beside another Tornado; and the distribution that it brings along."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import tornado4_run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A Tornado 6 that is none, old code, and new code."""
    for package in ("tornado", "oldlib", "newlib"):
        (tmp_path / package).mkdir()
    (tmp_path / "tornado/__init__.py").write_text("version = '6.9'\n")
    (tmp_path / "tornado/web.py").write_text("from tornado import version\n")
    (tmp_path / "newlib/__init__.py").write_text(
        "import tornado.web, importlib\nfrom tornado import version\n"
        "found = (tornado.web.__name__, version, importlib.import_module('tornado.web').__name__)\n"
    )
    (tmp_path / "oldlib/__init__.py").write_text("")
    (tmp_path / "oldlib/part.py").write_text(
        "import importlib\nimport tornado.web\nimport tornado.escape as e\nfrom tornado import version, gen\n"
        "from tornado.util import import_object\n"
        "def late():\n    import tornado.httputil\n    return tornado.httputil.__name__\n"
        "found = (tornado.web.__name__, version, importlib.import_module('tornado.web').__name__,\n"
        "    e.__name__, gen.__name__, late(), import_object('tornado.web.Application').__module__)\n"
    )
    return tmp_path


NEW = "('tornado.web', '6.9', 'tornado.web')\n"
OLD = (
    "('tornado4.web', '4.5.3', 'tornado4.web', 'tornado4.escape', 'tornado4.gen', "
    "'tornado4.httputil', 'tornado4.web')\n"
)


@pytest.mark.parametrize("order", ["oldlib.part newlib", "newlib oldlib.part"])
def test_who_imports_decides(place: Path, order: str) -> None:
    (place / "app.py").write_text(
        "import sys, importlib\nfor name in sys.argv[1:]:\n    print(importlib.import_module(name).found)\n"
        "import tornado; print(tornado.version, sys.modules['tornado'].version)\n"
    )
    done = tornado4_run("--alias-for", "oldlib", "app.py", *order.split(), cwd=place)
    lines = OLD + NEW if order.startswith("old") else NEW + OLD
    assert done.stdout == lines + "6.9 6.9\n"


def test_the_program_is_called_main_or_by_its_package(place: Path) -> None:
    code = "import tornado; print(tornado.version)"
    assert tornado4_run("--alias-for", "__main__", "-c", code, cwd=place).stdout == "4.5.3\n"
    (place / "oldlib/__main__.py").write_text(code)
    assert tornado4_run("--alias-for", "oldlib", "-m", "oldlib", cwd=place).stdout == "4.5.3\n"
    (place / "oldlibrary.py").write_text(code)  # begins alike, and is another package
    assert tornado4_run("--alias-for", "oldlib", "-c", "import oldlibrary", cwd=place).stdout == "6.9\n"


def test_taken_back_the_import_statement_is_the_interpreters(place: Path) -> None:
    code = (
        "import builtins, importlib\nbefore = builtins.__import__, importlib.import_module\n"
        "from tornado4.migrate import alias\n"
        "with alias.installed(for_=['oldlib']):\n"
        "    assert alias.installed_for() == ['oldlib'] and builtins.__import__ is not before[0]\n"
        "assert (builtins.__import__, importlib.import_module) == before and not alias.is_installed()\n"
    )
    from programs import python

    python("-c", code)


ASK = (
    "import importlib.metadata as m\n"
    "print(m.version('tornado'), m.distribution('Tornado').requires, list(m.distribution('tornado').entry_points))\n"
    "print([d.version for d in m.distributions() if d.name == 'tornado'],\n"
    "    [d.version for d in m.distributions(name='tornado', path=['.'])])\n"
)


def test_the_distribution_answers_by_name_and_in_no_listing(tmp_path: Path) -> None:
    assert tornado4_run("-c", ASK, cwd=tmp_path).stdout == "4.5.3 None []\n[] []\n"


def test_it_stands_before_another_one_and_listings_show_that_one(tmp_path: Path) -> None:
    info = tmp_path / "tornado-6.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tornado\nVersion: 6.9\n")
    assert tornado4_run("-c", ASK, cwd=tmp_path).stdout == "4.5.3 None []\n['6.9'] ['6.9']\n"
    done = tornado4_run("--alias-for", "oldlib", "-c", ASK, cwd=tmp_path)
    assert done.stdout.startswith("6.9 ")  # others ask as well: theirs is the one that is installed


def test_without_the_alias_there_is_none() -> None:
    from programs import python

    code = (
        "import importlib.metadata as m\nfrom tornado4.migrate import alias\n"
        "with alias.installed(): assert m.version('tornado') == '4.5.3'\n"
        "before = [d for d in m.distributions(name='tornado')]; print(len(before))"
    )
    assert python("-c", code).stdout == "0\n"


FAKE_PKG_RESOURCES = """
import sys
class Distribution:
    def __init__(self, location, metadata, project_name, version):
        self.location, self._provider, self.key, self.version = location, metadata, project_name, version
class WorkingSet:
    def __init__(self):
        self.by_key, self.entry_keys, self.entries, self.required = {}, {}, ["somewhere"], []
    def add(self, distribution, entry=None, insert=True, replace=False):
        assert not insert
        if replace or distribution.key not in self.by_key:
            self.by_key[distribution.key] = distribution
        self.entry_keys[distribution.location] = [distribution.key]
    def add_entry(self, entry):
        self.entries.append(entry)  # as the real one: each time
    def require(self, text): self.required.append((text, self.by_key['tornado'].version))
def find_distributions(place, only=False):
    yield Distribution(place, None, "tornado", "6.9")
working_set = WorkingSet()
early = getattr(sys.modules['__main__'], '__requires__', None)
"""


def test_pkg_resources_is_told_and_console_scripts_of_old_are_served(tmp_path: Path) -> None:
    (tmp_path / "pkg_resources.py").write_text(FAKE_PKG_RESOURCES)
    code = (
        "__requires__ = 'app==1.0'\nimport pkg_resources as p\nfrom tornado4.migrate import alias\n"
        "print(p.early, p.working_set.required, __requires__, p.working_set.by_key['tornado'].version)\n"
        "alias.uninstall(); print(p.working_set.by_key['tornado'].version, p.working_set.entries)\n"
    )
    assert tornado4_run("-c", code, cwd=tmp_path).stdout == (
        "None [('app==1.0', '4.5.3')] app==1.0 4.5.3\n6.9 ['somewhere']\n"
    )


@pytest.mark.parametrize("command", [["list"], ["check"], ["freeze", "--all"]])
def test_pip_is_not_answered(command: list[str], tmp_path: Path) -> None:
    pytest.importorskip("pip")
    from programs import python

    plain = python("-m", "pip", "--disable-pip-version-check", *command, cwd=tmp_path, code=None)
    aliased = tornado4_run("-m", "pip", "--disable-pip-version-check", *command, cwd=tmp_path, code=None)
    assert (aliased.returncode, aliased.stdout) == (plain.returncode, plain.stdout)
