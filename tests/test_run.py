"""`tornado4 run`: everything is as with `python`, held against `python` itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from programs import environment, python, tornado4_run

from tornado4.migrate import run

SHOW = """
import sys, os
mine = sorted(k for k in globals() if k not in ("sys", "os", "mine", "__conditional_annotations__"))
print(mine, sys.argv)
print(__name__, __package__, globals().get("__file__"), __spec__ and __spec__.name, type(__loader__).__name__)
print(sys.path[0], sys.modules["__main__"].__dict__ is globals(), os.getcwd())
"""


HOOK = """
import sys
def hook(kind, value, traceback):
    print("hook", kind, traceback.tb_frame.f_code.co_name, value.__traceback__ is traceback)
sys.excepthook = hook
1/0
"""

AFTER_THE_END = """
import atexit, threading
atexit.register(print, "atexit", __name__)
threading.Timer(0.05, lambda: print("thread", __name__)).start()
"""

CHAINED = """
def f():
    raise ValueError("x")
try:
    f()
except ValueError as e:
    raise KeyError(1) from e
"""


def both(*args: str, cwd: Path) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    return python(*args, cwd=cwd, code=None), tornado4_run(*args, cwd=cwd, code=None)


def assert_same(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Exit code, stdout and stderr, to the letter."""
    expected, got = both(*args, cwd=cwd)
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)
    return got


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "show.py").write_text(SHOW)
    for package in ("pk", "pk/sub", "folder"):
        (tmp_path / package).mkdir()
    (tmp_path / "pk/__init__.py").write_text("")
    (tmp_path / "pk/mod.py").write_text(SHOW + "from . import sub\n")
    (tmp_path / "pk/sub/__init__.py").write_text("")
    (tmp_path / "pk/sub/__main__.py").write_text(SHOW)
    (tmp_path / "folder/__main__.py").write_text(SHOW + "import beside\n")
    (tmp_path / "folder/beside.py").write_text("print('beside')\n")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    (tmp_path / "pk/link.py").symlink_to(tmp_path / "show.py")
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        ["show.py", "a", "-m", "--port=1", "--help"],
        ["./pk/../show.py"],
        ["pk/link.py"],
        ["-m", "pk.mod", "-m", "x", "--backfill"],
        ["-mpk.mod", "x"],
        ["-m", "pk.sub", "1"],
        ["folder", "x"],
        ["app.zip", "x"],
    ],
)
def test_main_and_arguments_are_what_python_gives(programs: Path, args: list[str]) -> None:
    assert assert_same(*args, cwd=programs).returncode == 0


@pytest.mark.parametrize(
    "args, code",
    [
        (["nosuch.py"], 2),
        (["pk"], 1),
        (["-m", "nosuch"], 1),
        (["-m", "pk"], 1),
        (["-m", "pk.nosuch"], 1),
        (["-m", "no.such"], 1),
        (["-m", "show.deeper"], 1),
    ],
)
def test_what_cannot_be_run_says_so_in_pythons_words(programs: Path, args: list[str], code: int) -> None:
    got = assert_same(*args, cwd=programs)
    assert got.returncode == code and got.stderr.count("\n") >= 1


# As a program with dask's distributed does it: a thread that nobody ends keeps the traceback of an error, and
# with it every frame that was below. At exit __main__ is taken apart no later for that.
KEPT_TRACEBACK = """
import textwrap, threading, time
class Late:
    def __del__(self):
        textwrap.dedent("x")
late = Late()
def hold(error):
    time.sleep(1000)
try:
    1 / 0
except ZeroDivisionError as error:
    threading.Thread(target=hold, args=(error,), daemon=True).start()
print("end")
"""


@pytest.mark.parametrize(
    "source",
    [
        "raise SystemExit(7)",
        "raise SystemExit('a message')",
        "raise SystemExit",
        "import sys; sys.exit(True)",
        "1/0",
        CHAINED,
        "def x(:",
        "\xef\xbb\xbfprint('bom')",
        "import os; os._exit(9)",
        "raise KeyboardInterrupt",
        "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
        HOOK,
        AFTER_THE_END,
        KEPT_TRACEBACK,
        "import pickle\nclass A: pass\nassert type(pickle.loads(pickle.dumps(A()))) is A",
        "def f(x: int): pass\nprint(f.__annotations__)",  # our own __future__ imports stay ours
        "import sys; print(sys.modules['__main__'].__name__); import __main__; print(__main__.__file__)",
        "# coding: latin-1\nprint(len('\xe9'))",
    ],
)
def test_endings_and_tracebacks_are_pythons(tmp_path: Path, source: str) -> None:
    (tmp_path / "ends.py").write_bytes(source.encode("latin-1"))
    assert_same("ends.py", cwd=tmp_path)


def test_no_frame_of_ours_for_modules_either(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("1/0")
    got = assert_same("-m", "ends", cwd=tmp_path)
    assert "ZeroDivisionError" in got.stderr and "migrate" not in got.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signals_end_it_as_they_end_python(tmp_path: Path, number: int) -> None:
    (tmp_path / "ends.py").write_text(f"import os, time; os.kill(os.getpid(), {int(number)}); time.sleep(30)")
    assert assert_same("ends.py", cwd=tmp_path).returncode == -number


def test_the_program_gets_tornado4(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import tornado.util, tornado4.util\nprint(tornado.version, tornado.util is tornado4.util)"
    )
    assert tornado4_run("app.py", cwd=tmp_path).stdout == "4.5.3 True\n"


def test_without_run_there_is_no_alias() -> None:
    python("-c", "import tornado4.util, tornado4.migrate.alias, sys; assert 'tornado' not in sys.modules")


def test_options_of_the_interpreter_hold(programs: Path) -> None:
    command = [sys.executable, "-P", "-m", "tornado4", "run", "show.py"]
    done = subprocess.run(
        command, cwd=programs, env=environment(), capture_output=True, text=True, timeout=300
    )
    plain = subprocess.run(
        [sys.executable, "-P", "show.py"],
        cwd=programs,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == plain.stdout and done.returncode == 0


def test_compiled_scripts_run(tmp_path: Path) -> None:
    import py_compile

    (tmp_path / "show.py").write_text(SHOW)
    py_compile.compile(str(tmp_path / "show.py"), str(tmp_path / "compiled.pyc"))
    assert assert_same("compiled.pyc", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "args",
    [["run"], ["run", "--nosuch", "x.py"], ["run", "-m"], ["run", "-c"], ["run", "--loop=x", "a.py"], [], ["nosuch"]],
)
def test_usage_errors_end_with_2(args: list[str]) -> None:
    done = python("-m", "tornado4", *args, code=2)
    assert "usage: tornado4" in done.stderr and not done.stdout


def test_help_and_version() -> None:
    shown = python("-m", "tornado4", "--help").stdout
    assert "run " in shown and "COMMAND" in shown
    assert "--backfill" in tornado4_run("--help").stdout
    assert "the API of Tornado 4.5.3" in python("-m", "tornado4", "--version").stdout


def test_double_dash_ends_our_options(tmp_path: Path) -> None:
    (tmp_path / "-odd.py").write_text("import sys; print(sys.argv)")
    assert tornado4_run("--", "-odd.py", "x", cwd=tmp_path).stdout == "['-odd.py', 'x']\n"


def test_running_starts_no_loop_and_imports_little(tmp_path: Path) -> None:
    heavy = ("asyncio", "unittest", "multiprocessing", "tornado4.ioloop")
    (tmp_path / "app.py").write_text(f"import sys; print([m for m in {heavy} if m in sys.modules])")
    assert tornado4_run("app.py", cwd=tmp_path).stdout == "[]\n"
    assert tornado4_run("--backfill", "app.py", cwd=tmp_path).stdout == "[]\n"


SHOW_BARE = """
import sys
print(sorted(set(globals()) - {"__conditional_annotations__"}), sys.argv, repr(sys.path[0]))
print(__name__, __package__, globals().get("__file__"), __spec__, __loader__)
"""


@pytest.mark.parametrize(
    "source",
    [SHOW_BARE, "1/0", "def f():\n    1/0\nf()", "raise SystemExit(7)", "def x(:", "import sys; sys.exit('text')", ""],
)
def test_code_and_standard_input_are_run_as_python_runs_them(tmp_path: Path, source: str) -> None:
    assert_same("-c", source, "a", "-m", "--help", cwd=tmp_path)
    plain = [sys.executable, "-W", "error"]
    done = [
        subprocess.run(
            [*command, "-", "a", "-c"],
            input=source, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False,
        )
        for command in (plain, [*plain, "-m", "tornado4", "run"])
    ]
    expected, got = done
    assert (got.returncode, got.stdout, got.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_code_gets_tornado4_and_may_be_joined_to_its_option(tmp_path: Path) -> None:
    assert tornado4_run("-cimport tornado; print(tornado.version)", cwd=tmp_path).stdout == "4.5.3\n"


SHOW_LOOP = "from tornado.ioloop import IOLoop; print(type(IOLoop().asyncio_loop).__module__.partition('.')[0])"


def test_the_loop_is_chosen_from_outside() -> None:
    pytest.importorskip("uvloop")
    assert tornado4_run("--loop", "uvloop", "-c", SHOW_LOOP).stdout == "uvloop\n"
    assert tornado4_run("--loop=asyncio", "-c", SHOW_LOOP).stdout == "asyncio\n"


def test_a_loop_that_is_not_installed_is_named(tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError('no uvloop here')")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}:{env['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "tornado4", "run", "--loop", "uvloop", "-c", "1"],
        env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "tornado4 run: --loop uvloop: no uvloop here; 'pip install tornado4[uvloop]'\n"


@pytest.mark.parametrize(
    "code, name",
    [
        ("import collections; collections.MutableMapping", "collections.MutableMapping"),
        ("from collections import Mapping", "collections.Mapping"),
        ("import unittest; unittest.TestCase().assertItemsEqual", "unittest.TestCase.assertItemsEqual"),
        ("import dummy_threading", "dummy_threading"),
    ],
)
def test_a_name_that_backfill_would_give_says_so(code: str, name: str) -> None:
    said = tornado4_run("-c", code, code=1).stderr
    assert f"tornado4: {name} is gone since Python 3." in said and "tornado4 run --backfill" in said
    assert "tornado4:" not in tornado4_run("-c", "import collections; collections.nosuch", code=1).stderr


def test_a_fresh_main_is_as_bare_as_the_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of Python 3.14 and later makes its annotations when somebody asks; 3.14 dedents what -c is given."""
    import types

    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert ("__annotations__" in run._new_main()) is (sys.version_info < (3, 14))
    monkeypatch.setattr(sys, "argv", ["x"])
    monkeypatch.setattr(sys, "path", ["x"])
    monkeypatch.setattr(run.sys, "version_info", (3, 14, 0))
    assert "__annotations__" not in run._new_main()
    run.run_code("  said = 1\n  also = 2\n")
    assert sys.modules["__main__"].also == 2
