"""`pytest --tornado4-alias`, each time a pytest of its own, with the plugin found as an installed one is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from programs import ROOT, environment

NAME = "tornado4.migrate.pytest_plugin"

SUITE = """
import tornado.testing
import tornado.web
from tornado import gen

import tornado4.web


class Hello(tornado.web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.moment
        self.write("hello")


class HelloTest(tornado.testing.AsyncHTTPTestCase):
    def get_app(self):
        return tornado.web.Application([("/", Hello)])

    def test_hello(self):
        self.assertEqual(self.fetch("/").body, b"hello")

    @tornado.testing.gen_test
    def test_hello_as_a_coroutine(self):
        response = yield self.http_client.fetch(self.get_url("/"))
        self.assertEqual(response.code, 200)


def test_both_names_are_one_module():
    assert tornado.web is tornado4.web
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder for the path that says tornado4 is installed here, with its entry point and its files."""
    folder = tmp_path / "site"
    info = folder / "tornado4-4.5.3.99.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tornado4\nVersion: 4.5.3.99\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{NAME} = {NAME}\n")
    (info / "RECORD").write_text("tornado4/__init__.py,,\ntornado4/web/__init__.py,,\n")
    (folder / "tornado4").symlink_to(ROOT / "tornado4")  # files that are not there do not count
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return folder


def run(suite: Path, installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = environment()
    env["PYTHONPATH"] = f"{installed}:{env['PYTHONPATH']}"
    env.pop("PYTEST_ADDOPTS", None)
    # pytest-asyncio, where it is installed, warns of an option that it misses.
    argv = [sys.executable, "-W", "error", *command, "-p", "no:cacheprovider", "-p", "no:asyncio"]
    return subprocess.run(argv, cwd=suite, env=env, capture_output=True, text=True, timeout=120)


def run_pytest(suite: Path, installed: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run(suite, installed, "-m", "pytest", *options)


def test_the_project_declares_the_plugin() -> None:
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    assert project["entry-points"]["pytest11"] == {NAME: NAME}


def test_a_suite_written_for_tornado_runs_unchanged(suite: Path, installed: Path) -> None:
    (suite / "test_hello.py").write_text(SUITE)
    done = run_pytest(suite, installed, "--tornado4-alias")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "tornado4 4.5.3.99: 'import tornado' is tornado4\n" in done.stdout


def test_the_alias_is_there_before_the_first_conftest(suite: Path, installed: Path) -> None:
    (suite / "conftest.py").write_text("import tornado.ioloop\nassert tornado.version == '4.5.3'\n")
    (suite / "test_one.py").write_text("def test_one():\n    pass\n")
    done = run_pytest(suite, installed, "--tornado4-alias", "-q")
    assert done.returncode == 0, done.stdout + done.stderr


def test_addopts_may_ask_for_it(suite: Path, installed: Path) -> None:
    (suite / "pytest.ini").write_text("[pytest]\naddopts = --tornado4-alias\nfilterwarnings = error\n")
    (suite / "test_hello.py").write_text(SUITE)
    done = run_pytest(suite, installed)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr


def test_backfill_puts_dropped_names_back_for_the_session(suite: Path, installed: Path) -> None:
    (suite / "test_old.py").write_text(
        "from collections import MutableMapping\n"
        "import tornado.util\n\n\ndef test_old():\n    assert MutableMapping\n"
    )
    done = run_pytest(suite, installed, "--tornado4-alias", "--tornado4-backfill")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'import tornado' is tornado4, the standard library is backfilled" in done.stdout
    done = run_pytest(suite, installed, "--tornado4-alias")
    assert done.returncode == 2  # collection error
    hint = "tornado4: collections.MutableMapping is gone since Python 3.10: 'tornado4 run --backfill'"
    assert done.stdout.count(hint) == 1
    assert "tornado4: collections" not in run_pytest(suite, installed).stdout  # who does not use it is not told


def test_a_dropped_name_that_a_test_misses_is_told_with_the_way_out(suite: Path, installed: Path) -> None:
    (suite / "test_old.py").write_text("import time\n\n\ndef test_old():\n    time.clock()\n")
    done = run_pytest(suite, installed, "--tornado4-alias")
    assert done.returncode == 1 and "\ntornado4: time.clock is gone since Python 3.8: " in done.stdout


def test_unasked_it_changes_nothing_and_imports_no_engine(suite: Path, installed: Path) -> None:
    (suite / "test_off.py").write_text(
        "import sys\n\n\ndef test_off():\n"
        "    assert 'tornado' not in sys.modules\n"
        "    ours = {name for name in sys.modules if name.partition('.')[0] == 'tornado4'}\n"
        f"    assert ours == {{'tornado4', 'tornado4.migrate', {NAME!r}}}\n"
        "    assert not any('tornado4.migrate' in repr(finder) for finder in sys.meta_path)\n"
    )
    done = run_pytest(suite, installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tornado4 4.5.3" not in done.stdout


@pytest.mark.parametrize("how", ["a plugin", "the program"])
def test_a_real_tornado_that_came_first_is_a_usage_error(how: str, suite: Path, installed: Path) -> None:
    (suite / "tornado").mkdir()
    (suite / "tornado" / "__init__.py").write_text("version = '6.0'\n")
    (suite / "early.py").write_text("import tornado\n")
    (suite / "test_hello.py").write_text(SUITE)
    if how == "a plugin":
        done = run_pytest(suite, installed, "-p", "early", "--tornado4-alias")
    else:
        start = "import early, pytest, sys; sys.exit(pytest.main(['--tornado4-alias', '-p', 'no:cacheprovider']))"
        done = run(suite, installed, "-c", start)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert "ERROR: --tornado4-alias: the name 'tornado' cannot be given to tornado4 any more" in done.stderr
    assert "tornado4 run -m pytest" in done.stderr and "Traceback" not in done.stderr


def test_started_by_tornado4_run_it_comes_before_all_plugins(suite: Path, installed: Path) -> None:
    (suite / "early.py").write_text("import tornado.web\n")
    (suite / "test_hello.py").write_text(SUITE)
    done = run(suite, installed, "-m", "tornado4", "run", "-m", "pytest", "-p", "early", "--tornado4-alias")
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr


def test_what_an_earlier_plugin_imports_has_the_forward_names(suite: Path, installed: Path) -> None:
    (suite / "early.py").write_text("import tornado.httpclient\n")
    (suite / "test_names.py").write_text(
        "from tornado import httpclient\n\n\ndef test_names():\n    assert httpclient.HTTPClientError\n"
    )
    # An entry point's plugin is imported by pytest before ours is asked, as pytest-tornado is.
    info = installed / "aaa-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: aaa\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest11]\naaa = early\n")
    (info / "RECORD").write_text("early.py,,\n")
    (suite / "early.py").rename(installed / "early.py")
    done = run(suite, installed, "-m", "tornado4", "run", "--future", "names", "-m", "pytest", "test_names.py")
    assert done.returncode == 0, done.stdout


def test_our_assertion_errors_read_the_same_under_pytest(suite: Path, installed: Path) -> None:
    """pytest rewrites the asserts of whatever distribution brings a plugin, which would alter their texts."""
    (suite / "test_text.py").write_text(
        "import pytest\nfrom tornado import web\n\n\ndef test_text():\n"
        "    with pytest.raises(AssertionError) as caught:\n"
        "        web.URLSpec('/(x)(?P<y>.)', object)\n"
        "    assert str(caught.value).endswith(\"all positional: '/(x)(?P<y>.)$'\")\n"
    )
    done = run_pytest(suite, installed, "--tornado4-alias")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_name_is_given_back_at_the_end(suite: Path, installed: Path) -> None:
    (suite / "test_hello.py").write_text(SUITE)
    done = run(
        suite,
        installed,
        "-c",
        "import pytest, sys\n"
        "assert pytest.main(['--tornado4-alias', '-q', '-p', 'no:cacheprovider', '-p', 'no:asyncio']) == 0\n"
        "from tornado4.migrate import alias\n"
        "assert not alias.is_installed() and 'tornado' not in sys.modules\n",
    )
    assert done.returncode == 0, done.stdout + done.stderr


# What pytest 6.2 shows of the names that a plugin may want; later ones are none that all sessions have.
PYTEST_6 = (
    "CallInfo Class Collector Config ExitCode Exit File FixtureLookupError FixtureRequest Function Item Metafunc "
    "MonkeyPatch Module Package Session UsageError approx collect console_main deprecated_call exit fail "
    "fixture hookimpl hookspec importorskip main mark param raises register_assert_rewrite skip warns xfail"
)


def test_the_plugin_needs_only_what_pytest_6_has() -> None:
    code = (
        "import sys, types, pytest\n"
        f"old = types.ModuleType('pytest')\nfor name in {PYTEST_6!r}.split():\n"
        "    setattr(old, name, getattr(pytest, name, None))\n"
        "sys.modules['pytest'] = old\n"
        f"import {NAME} as plugin\n"
        "class Group:\n    def addoption(self, *names, **kwargs): print(names[0])\n"
        "class Parser:\n    def getgroup(self, *texts): return Group()\n"
        "plugin.pytest_addoption(Parser())\n"
        "class Config:\n    known_args_namespace = types.SimpleNamespace(\n"
        "        tornado4_alias=True, tornado4_backfill=False,\n"
        "        tornado4_alias_for='', tornado4_allow='', tornado4_future='', tornado4_migrate=None,\n"
        "        tornado4_migrate_packages=False, tornado4_migrate_native=False, tornado4_migrate_report=None,\n"
        "        tornado4_migrate_profile=None)\n"
        "    pluginmanager = None\n    rootpath = '/nosuch'\n"
        "config = Config()\nplugin.pytest_load_initial_conftests.__wrapped__(config) if hasattr("
        "plugin.pytest_load_initial_conftests, '__wrapped__') else plugin.pytest_load_initial_conftests(config)\n"
        "import tornado; print(plugin.pytest_report_header(config).split(': ')[1], tornado.version)\n"
        "plugin.pytest_unconfigure(config); print('tornado' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split("\n")[:5] == [
        "--tornado4-alias", "--tornado4-backfill", "--tornado4-alias-for", "--tornado4-allow", "--tornado4-future"
    ]  # fmt: skip
    assert done.stdout.endswith("'import tornado' is tornado4 4.5.3\nFalse\n")


def test_options_and_keys_set_switches(suite: Path, installed: Path) -> None:
    (suite / "test_one.py").write_text(
        "def test_one():\n    from tornado4 import switches\n"
        "    assert switches.allowed() == ['chunked-http10', 'missing-host']\n"
    )
    (suite / "pyproject.toml").write_text('[tool.tornado4]\nallow = ["missing-host"]\n')
    done = run_pytest(suite, installed, "--tornado4-allow=chunked-http10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "allowed: missing-host, chunked-http10" in done.stdout
    (suite / "pyproject.toml").write_text("[tool.tornado4]\nalow = []\n")
    done = run_pytest(suite, installed)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR and "no key 'alow'" in done.stderr


def test_forward_names_leave_in_place_what_migrate_watches_by(suite: Path, installed: Path) -> None:
    (suite / "test_one.py").write_text(
        "from tornado.ioloop import IOLoop, PeriodicCallback\n\n\n"
        "def test_one():\n    loop = IOLoop.current()\n    every = PeriodicCallback(loop.stop, 1, jitter=0.1)\n"
        "    loop.call_later(20, loop.stop)\n    started = loop.time()\n    every.start()\n    loop.start()\n"
        "    every.stop()\n    assert loop.time() - started < 15\n"
    )
    command = ["-m", "tornado4", "run", "--future=names", "--migrate=warn", "-m", "pytest", "-p", "no:warnings"]
    done = run(suite, installed, *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_tornado_that_is_missed_is_told_where_it_is(suite: Path, installed: Path) -> None:
    (suite / "tornado.py").write_text("raise ModuleNotFoundError(\"No module named 'tornado'\", name='tornado')\n")
    (suite / "test_hello.py").write_text(SUITE)
    done = run_pytest(suite, installed)
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "tornado4: 'import tornado' is tornado4 under 'pytest --tornado4-alias'" in done.stdout
