"""tornado4.autoreload: 4.5.3 has no tests of it; these hold it to what 4.5.3 was seen to do."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import environment, python

from tornado4 import autoreload, ioloop, process


class Replaced(Exception):
    """Raised in the place of os.execv."""


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Fresh module state, and os.execv noted instead of done."""
    commands: list[list[str]] = []

    def execv(path: str, command: list[str]) -> None:
        assert path == command[0]
        commands.append(command)
        raise Replaced

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(autoreload, "_watched_files", set())
    monkeypatch.setattr(autoreload, "_reload_hooks", [])
    monkeypatch.setattr(autoreload, "_reload_attempted", False)
    monkeypatch.setattr(autoreload, "_main_command", None)
    yield commands


def test_a_changed_file_runs_the_hooks_in_order_and_replaces_the_process(
    state: list[list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = tmp_path / "settings.ini"
    watched.write_text("")
    ran: list[int] = []
    autoreload.add_reload_hook(lambda: ran.append(1))
    autoreload.add_reload_hook(lambda: ran.append(2))
    autoreload.watch(str(watched))
    times: dict[str, float] = {}
    autoreload._reload_on_update(times)
    assert not state and str(watched) in times and autoreload.__file__ in times
    os.utime(watched, (1, 1))
    with caplog.at_level(logging.INFO, "tornado.general"), pytest.raises(Replaced):
        autoreload._reload_on_update(times)
    assert ran == [1, 2] and len(state) == 1 and autoreload._reload_attempted
    assert caplog.messages == [f"{watched} modified; restarting server"]
    autoreload._reload_on_update({})  # not a second time, as in 4.5.3
    assert len(state) == 1


def test_children_of_fork_processes_do_not_reload(
    state: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_task_id", 0)
    times: dict[str, float] = {}
    autoreload._reload_on_update(times)
    assert times == {}


def test_things_in_sys_modules_that_are_no_modules_are_not_asked(
    state: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trap:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("asked for " + name)

    monkeypatch.setitem(sys.modules, "trap_for_autoreload", Trap())  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "nothing_for_autoreload", None)
    autoreload._reload_on_update({})


def test_a_file_that_is_not_there_is_waited_for(state: list[list[str]], tmp_path: Path) -> None:
    watched = tmp_path / "later"
    autoreload.watch(str(watched))
    times: dict[str, float] = {}
    autoreload._reload_on_update(times)
    assert str(watched) not in times
    watched.write_text("")
    autoreload._reload_on_update(times)
    watched.unlink()
    autoreload._reload_on_update(times)
    assert not state and str(watched) in times


def test_starting_twice_is_once_and_on_another_loop_a_warning(
    state: list[list[str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(autoreload, "_io_loops", type(autoreload._io_loops)())
    first, second = ioloop.IOLoop(make_current=False), ioloop.IOLoop(make_current=False)
    try:
        autoreload.start(first)
        autoreload.start(first, check_time=100)
        assert not caplog.records
        autoreload.start(second)
        assert caplog.messages == ["tornado.autoreload started more than once in the same process"]
        assert len(autoreload._io_loops) == 2 and autoreload._reload_hooks == []
    finally:
        first.close()
        second.close()


# ---------------------------------------------------------------------------------------------------------
# The command that starts the process again


@pytest.mark.parametrize(
    "original, argv, spec, expected",
    [
        (["python", "app.py", "-x"], ["app.py", "-x"], None, ["app.py", "-x"]),
        (["python", "-X", "dev", "-u", "app.py"], ["app.py"], None, ["-X", "dev", "-u", "app.py"]),
        (["python", "-m", "pk.mod", "a"], ["/x/pk/mod.py", "a"], "pk.mod", ["-m", "pk.mod", "a"]),
        (
            ["python", "-W", "error", "-m", "pk"],
            ["/x/pk/__main__.py"],
            "pk.__main__",
            ["-W", "error", "-m", "pk"],
        ),
        (["python", "-mpk", "a"], ["/x/pk/__main__.py", "a"], "pk.__main__", ["-mpk", "a"]),
        (["python", "folder", "a"], ["folder", "a"], "__main__", ["folder", "a"]),
        (["python", "-c", "code", "a"], ["-c", "a"], None, ["-c", "code", "a"]),
        (["python", "/bin/tornado4", "run", "app.py"], ["app.py"], None, ["/bin/tornado4", "run", "app.py"]),
        (["python", "/bin/tornado4", "run", "run"], ["run"], None, ["/bin/tornado4", "run", "run"]),
        (
            ["python", "-m", "tornado4", "run", "--backfill", "-m", "pk.mod", "a"],
            ["/x/pk/mod.py", "a"],
            "pk.mod",
            ["-m", "tornado4", "run", "--backfill", "-m", "pk.mod", "a"],
        ),
        # The program changed its arguments, as 4.5.3 allows: they count, and the launcher still does.
        (
            ["python", "t4", "run", "app.py", "a"],
            ["app.py", "b", "c"],
            None,
            ["t4", "run", "app.py", "b", "c"],
        ),
        (["python", "-u", "app.py", "a"], ["other.py", "b"], None, ["other.py", "b"]),
    ],
)
def test_restart_command(
    monkeypatch: pytest.MonkeyPatch,
    original: list[str],
    argv: list[str],
    spec: str | None,
    expected: list[str],
) -> None:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    main = ModuleType("__main__")
    main.__spec__ = ModuleSpec(spec, None) if spec else None
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "orig_argv", original)
    monkeypatch.setattr(sys, "argv", argv)
    assert autoreload._restart_command() == [sys.executable, *expected]


# ---------------------------------------------------------------------------------------------------------
# Whole processes. The program notes each start in a file, touches itself, and ends after the second one.

PROGRAM = """
import os, sys
import tornado{n}.autoreload, tornado{n}.ioloop
with open("starts", "a+") as log:
    log.write(repr((__name__, sys.argv[1:], "tornado" in sys.modules, bool(sys.flags.dev_mode))) + "\\n")
    log.seek(0)
    starts = len(log.readlines())
if starts == 2:
    os._exit(42)
loop = tornado{n}.ioloop.IOLoop.current()
tornado{n}.autoreload.start(loop, check_time=10)
loop.call_later(0.1, lambda: os.utime(__file__, (1, 1)))
loop.start()
"""


def run_until_restarted(tmp_path: Path, *command: str, old: bool) -> str:
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk/__init__.py").write_text("")
    for name in ("app.py", "pk/mod.py", "pk/__main__.py"):
        (tmp_path / name).write_text(PROGRAM.format(n="" if old else "4"))
    done = subprocess.run(
        [sys.executable, "-X", "dev", *command, "x", "--y"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 42, done.stdout + done.stderr
    first, second = (tmp_path / "starts").read_text().splitlines()
    assert first == second  # same name, arguments, alias and interpreter options
    return first


@pytest.mark.parametrize("program", [["app.py"], ["-m", "pk.mod"], ["-m", "pk"], ["-mpk.mod"]])
def test_a_program_restarts_as_it_was_started(tmp_path: Path, program: list[str]) -> None:
    started = run_until_restarted(tmp_path, *program, old=False)
    assert started == "('__main__', ['x', '--y'], False, True)"


@pytest.mark.parametrize("program", [["app.py"], ["-m", "pk.mod"], ["-mpk"]])
def test_a_program_under_run_restarts_under_run(tmp_path: Path, program: list[str]) -> None:
    started = run_until_restarted(tmp_path, "-m", "tornado4", "run", *program, old=True)
    assert started == "('__main__', ['x', '--y'], True, True)"


@pytest.mark.parametrize(
    "launcher, old",
    [
        (["-m", "tornado4.autoreload"], False),
        (["-m", "tornado4", "run", "-m", "tornado.autoreload"], True),
    ],
)
@pytest.mark.parametrize("program", [["app.py"], ["-m", "pk.mod"]])
def test_a_program_under_the_wrapper_restarts_under_the_wrapper(
    tmp_path: Path, launcher: list[str], old: bool, program: list[str]
) -> None:
    (tmp_path / "starts").write_text("")
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk/__init__.py").write_text("")
    source = PROGRAM.format(n="" if old else "4") + "\n# " + "wrapped\n"
    source = source.replace("loop.start()", "print(sys.orig_argv, file=open('command', 'w')); loop.start()")
    for name in ("app.py", "pk/mod.py"):
        (tmp_path / name).write_text(source)
    done = subprocess.run(
        [sys.executable, *launcher, *program, "x"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 42, done.stdout + done.stderr
    first, second = (tmp_path / "starts").read_text().splitlines()
    assert first == second == f"('__main__', ['x'], {old}, False)"


def test_the_wrapper_waits_for_a_broken_program_to_be_mended(tmp_path: Path) -> None:
    """A SyntaxError in an imported module is logged; changing that module starts the program again."""
    (tmp_path / "broken.py").write_text("def x(:\n")
    (tmp_path / "app.py").write_text(
        "import broken, sys\nprint('mended', sys.argv, flush=True)\nimport os; os._exit(42)"
    )
    process_ = subprocess.Popen(
        [sys.executable, "-m", "tornado4.autoreload", "app.py", "z"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process_:
        assert process_.stderr is not None and process_.stdout is not None
        lines = []
        for line in process_.stderr:
            lines.append(line)
            if line.startswith("SyntaxError"):
                break
        assert lines[0] == "WARNING:tornado.general:Script exited with uncaught exception\n"
        # The first look at the files comes within half a second, the change must come after it.
        for stamp in range(1, 100):
            (tmp_path / "broken.py").write_text("")
            os.utime(tmp_path / "broken.py", (stamp, stamp))
            try:
                process_.wait(0.3)
                break
            except subprocess.TimeoutExpired:
                continue
        assert process_.returncode == 42
        assert process_.stdout.read() == "mended ['app.py', 'z']\n"


@pytest.mark.parametrize("args", [[], ["-m"]])
def test_usage(args: list[str]) -> None:
    done = python("-m", "tornado4.autoreload", *args, code=1)
    assert done.stderr == textwrap.dedent(
        """\
        Usage:
          python -m tornado.autoreload -m module.to.run [args...]
          python -m tornado.autoreload path/to/script.py [args...]

        """
    )


def test_a_script_that_ends_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import sys; print(__name__, __file__, sys.argv); sys.exit(3)")
    source = (
        "import logging, sys; logging.basicConfig(level='INFO'); sys.argv = ['ar', 'app.py', 'q']\n"
        "from tornado4 import autoreload\n"
        "autoreload.wait = lambda: print('waiting', sys.argv, sorted(autoreload._watched_files))\n"
        "autoreload.main()"
    )
    done = python("-c", source, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "__main__ app.py ['app.py', 'q']",
        "waiting ['ar', 'app.py', 'q'] ['app.py']",
    ]
    assert "INFO:tornado.general:Script exited with status 3" in done.stderr
