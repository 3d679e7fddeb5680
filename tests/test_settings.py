"""`[tool.tornado4]`, the variables of the family, and how they are added up."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import tornado4_run

from tornado4.migrate import settings
from tornado4.migrate.settings import Settings, SettingsError


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tornado4]\nalias = ["myapp"]\nbackfill = true\nallow = ["missing-host"]\nfuture = []\nmigrate = "warn"\n'
    )
    got = settings.of_project(str(below))
    assert vars(got) == {
        "alias": True, "alias_for": ["myapp"], "backfill": True, "allow": ["missing-host"], "future": [],
        "migrate": "warn", "serve": None,
    }  # fmt: skip
    (below / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert vars(settings.of_project(str(below))) == vars(Settings())


@pytest.mark.parametrize(
    "table, said",
    [
        ("alow = []", "no key 'alow'; there are: alias, backfill, allow, future, migrate, serve"),
        ("allow = 'missing-host'", "allow = 'missing-host'; it is a list of names of switches"),
        ("backfill = 1", "backfill = 1; it is true or false"),
        ("alias = 'myapp'", "alias = 'myapp'; it is true, false, or a list of packages"),
        ("alias = [", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.tornado4]\n{table}\n")
    with pytest.raises(SettingsError) as caught:
        settings.of_project(str(tmp_path))
    assert said in str(caught.value) and str(path) in str(caught.value)


def test_a_broken_file_that_is_not_about_us_is_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[[[")
    assert vars(settings.of_project(str(tmp_path))) == vars(Settings())


@pytest.mark.parametrize(
    "value, alias, packages",
    [("", False, []), ("0", False, []), ("1", True, []), ("True", True, []), ("a, b c", True, ["a", "b", "c"])],
)
def test_the_variable_of_the_alias(monkeypatch, value: str, alias: bool, packages: list[str]) -> None:
    monkeypatch.setenv("TORNADO4_ALIAS", value)
    got = settings.of_environment()
    assert (got.alias, got.alias_for) == (alias, packages)


def test_added_up_an_alias_for_all_goes_before_one_for_some() -> None:
    some, all_ = Settings(alias=True, alias_for=["a"]), Settings(alias=True)
    assert settings.together([some, Settings()]).alias_for == ["a"]
    assert settings.together([some, Settings(alias=True, alias_for=["b"])]).alias_for == ["a", "b"]
    for order in ([some, all_], [all_, some]):
        assert settings.together(order).alias and settings.together(order).alias_for == []


SHOW = """
import collections
from tornado4 import switches
print(switches.allowed(), hasattr(collections, "MutableMapping"))
"""


def test_run_obeys_options_and_the_project_beside_the_program(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(SHOW)
    assert tornado4_run("--allow", "missing-host,chunked-http10", str(app)).stdout == (
        "['chunked-http10', 'missing-host'] False\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.tornado4]\nallow = ["missing-host"]\nbackfill = true\n')
    assert tornado4_run("--allow=silent-refusals", str(app)).stdout == "['missing-host', 'silent-refusals'] True\n"


def test_spawned_children_have_the_switches_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import multiprocessing\nfrom tornado4 import switches\n"
        "def show():\n    print(switches.allowed())\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=show)\n    child.start()\n    child.join()\n"
    )
    assert tornado4_run("--allow", "missing-host", "app.py", cwd=tmp_path).stdout == "['missing-host']\n"


@pytest.mark.parametrize("args", [["--allow", "nosuch"], ["--future", "nosuch"]])
def test_a_name_that_is_none_ends_with_2(tmp_path: Path, args: list[str]) -> None:
    done = tornado4_run(*args, "-c", "1", code=2)
    assert "'nosuch'; there are: " in done.stderr and "Traceback" not in done.stderr


def test_help_lists_all_switches_and_flags() -> None:
    from tornado4 import flags, switches

    shown = tornado4_run("--help").stdout
    assert all(f"  {name} " in shown for name in [*switches.SWITCHES, *flags.FLAGS])


def test_the_table_of_another_tool_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tornado4.diff]\nignore-headers = ['Server']\n")
    assert vars(settings.of_project(str(tmp_path))) == vars(Settings())
