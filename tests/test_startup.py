"""`tornado4 startup`: a .pth file that obeys TORNADO4_ALIAS and TORNADO4_BACKFILL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from programs import environment, python

from tornado4.migrate import startup


def start(site: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """An interpreter that finds .pth files in ``site``."""
    argv = [sys.executable, "-c", f"import site; site.addsitedir({str(site)!r})\n{code}"]
    return subprocess.run(argv, env=environment() | variables, capture_output=True, text=True, timeout=300, check=False)


def test_installed_and_removed_by_a_command(tmp_path: Path) -> None:
    def tell(action: str) -> str:
        return python("-m", "tornado4", "startup", action, "--dir", str(tmp_path)).stdout

    path = tmp_path / startup.FILE
    assert tell("status") == f"not installed: {path}\n"
    assert tell("install") == f"wrote {path}\n"
    assert path.read_text().startswith("import ") and path.read_text().count("\n") == 1
    assert tell("status") == f"installed: {path}\n"
    assert tell("remove") == f"removed {path}\n"
    assert tell("remove") == f"there is no {path}\n"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    done = python("-m", "tornado4", "startup", "install", "--dir", str(tmp_path / "no"), code=1)
    assert str(tmp_path / "no") in done.stderr and "--dir" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / startup.FILE).write_text(startup.LINE)
    return tmp_path


def test_unset_it_imports_nothing(site: Path) -> None:
    done = start(site, "import sys; print([name for name in sys.modules if name.startswith('tornado')])")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_set_it_gives_alias_and_backfill(site: Path) -> None:
    code = "import tornado.util, tornado4.util, collections; print(tornado.util is tornado4.util)\n"
    assert start(site, code, TORNADO4_ALIAS="1").stdout == "True\n"
    assert start(site, code + "collections.MutableMapping", TORNADO4_ALIAS="1").returncode == 1
    assert start(site, code + "collections.MutableMapping", TORNADO4_ALIAS="1", TORNADO4_BACKFILL="1").returncode == 0
    assert "ModuleNotFoundError" in start(site, "import tornado.util_nosuch", TORNADO4_ALIAS="0").stderr


def test_it_limits_the_alias_to_packages(site: Path) -> None:
    (site / "oldlib.py").write_text("import tornado; print(tornado.__name__)\n")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import oldlib\nfrom tornado4.migrate import alias\n"
    done = start(site, code + "print(alias.installed_for())", TORNADO4_ALIAS="oldlib, other")
    assert done.stdout == "tornado4\n['oldlib', 'other']\n", done.stderr


def test_a_wrong_value_is_said_once_and_the_program_goes_on(site: Path) -> None:
    done = start(site, f"site.addsitedir({str(site)!r}); print('on')", TORNADO4_BACKFILL="perhaps")
    assert done.stdout == "on\n"
    assert done.stderr == "tornado4 startup: environment variable TORNADO4_BACKFILL: 'perhaps' is neither 1 nor 0\n"


def test_a_tornado4_that_is_gone_is_no_error(site: Path) -> None:
    argv = [sys.executable, "-S", "-c", f"import site; site.addsitedir({str(site)!r}); print('on')"]
    kept = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
    done = subprocess.run(
        argv, env=kept | {"TORNADO4_ALIAS": "1"}, cwd=site, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("on\n", "")
