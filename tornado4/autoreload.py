"""Restarts the process when one of its source files changes, for development.

``Application(debug=True)`` or ``autoreload=True`` starts it. It can also watch over a whole program,
including one that does not even import for the moment (the error is logged, and the next change starts
it again)::

    python -m tornado4.autoreload path/to/script.py [args...]
    python -m tornado4.autoreload -m module.to.run [args...]

The process is replaced (``os.execv``), by the same interpreter with the same options and arguments, and
under the same launcher: a program started by ``tornado4 run`` starts by it again. All is lost that lives
in memory; hooks (:func:`add_reload_hook`) are the place to close what must be closed.

It watches every imported module and what :func:`watch` names. It does not work in the children of
:func:`tornado4.process.fork_processes` (a child that replaced itself would take no part in its siblings'
sockets), and not while a callback blocks the loop.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import runpy
import signal
import subprocess
import sys
import traceback
import types
import weakref
from collections.abc import Callable
from typing import Any

from tornado4 import _handed_on, ioloop, process
from tornado4.log import gen_log
from tornado4.util import exec_in

__all__ = ["add_reload_hook", "exec_in", "gen_log", "main", "start", "wait", "watch"]

_watched_files: set[str] = set()
_reload_hooks: list[Callable[[], Any]] = []
_reload_attempted = False
#: False where exec is a new process and the death of the old one.
_has_execv = sys.platform != "win32"
_io_loops: weakref.WeakKeyDictionary[ioloop.IOLoop, bool] = weakref.WeakKeyDictionary()

# How to start this process again, once main() has put a program in its own place; else None.
_main_command: list[str] | None = None


def start(io_loop: ioloop.IOLoop | None = None, check_time: int = 500) -> None:
    """Look for changes every ``check_time`` milliseconds while the loop (default: the current one) runs.

    A second call for the same loop does nothing; one for another loop is logged as a warning, for it is
    hardly ever meant.
    """
    loop = ioloop.IOLoop.current() if io_loop is None else io_loop
    assert loop is not None
    if loop in _io_loops:
        return
    _io_loops[loop] = True
    if len(_io_loops) > 1:
        gen_log.warning("tornado.autoreload started more than once in the same process")
    modify_times: dict[str, float] = {}
    check = functools.partial(_reload_on_update, modify_times)
    ioloop.PeriodicCallback(check, check_time, io_loop=loop).start()


def add_reload_hook(fn: Callable[[], Any]) -> None:
    """Call ``fn()`` just before the process is replaced. Hooks run in the order of their registration.

    Descriptors which Tornado or Python opened are closed without it.
    """
    _reload_hooks.append(fn)


def wait() -> None:
    """Block until a watched file changes, and restart then. Runs a loop of its own."""
    loop = ioloop.IOLoop()
    start(loop)
    loop.start()


def watch(filename: str) -> None:
    """Restart also when this file changes: a configuration file, say. It need not exist yet.

    :arg filename: a path, relative to where the process is.
    """
    _watched_files.add(filename)


# ---------------------------------------------------------------------------------------------------------
# Looking for changes


def _reload_on_update(modify_times: dict[str, float]) -> None:
    """Restart if a file is newer than ``modify_times`` says (path -> seconds since 1970)."""
    if _reload_attempted:
        return  # the restart failed once; it would fail every half second
    if process.task_id() is not None:
        return
    for path in [*filter(None, map(_source_of, list(sys.modules.values()))), *_watched_files]:
        _check_file(modify_times, path)


def _check_file(modify_times: dict[str, float], path: str) -> None:
    try:
        found = os.stat(path).st_mtime
    except OSError:
        return  # an editor may be just replacing it
    if modify_times.setdefault(path, found) != found:
        gen_log.info("%s modified; restarting server", path)
        _reload()


def _source_of(module: object) -> str | None:
    # Some programs put other things than modules into sys.modules, which may do anything when asked for
    # __file__.
    if not isinstance(module, types.ModuleType):
        return None
    path = vars(module).get("__file__")
    if not isinstance(path, str):
        return None
    return path[:-1] if path.endswith((".pyc", ".pyo")) else path


# ---------------------------------------------------------------------------------------------------------
# Starting again


def _reload() -> None:
    """Run the hooks and replace the process."""
    global _reload_attempted
    _reload_attempted = True  # first: a hook that fails must not be run every half second
    for hook in _reload_hooks:
        hook()
    if sys.platform != "win32" and hasattr(signal, "setitimer"):
        # Timers survive exec, their handlers do not: set_blocking_log_threshold's alarm would kill the
        # new program.
        signal.setitimer(signal.ITIMER_REAL, 0, 0)
    command = _main_command or _restart_command()
    if not _has_execv:
        # exec there is a new process and the death of the old one, which a waiting shell takes for the end.
        subprocess.Popen(command)
        os._exit(0)
    os.execv(command[0], command)


def _restart_command() -> list[str]:
    """The command that starts this process as it was started.

    ``sys.orig_argv`` has the interpreter's options and the launcher's name, ``sys.argv`` the arguments
    as the program sees (and may have changed) them: the first gives what stands before the program's
    name, the second what stands behind.
    """
    original = sys.orig_argv
    arguments = sys.argv[1:]
    if sys.argv[:1] == ["-c"]:
        return [sys.executable, *original[1:]]
    spellings = _program_spellings()
    for start_ in range(1, len(original)):
        for program in spellings:
            if original[start_:] == program + arguments:
                return [sys.executable, *original[1:]]
    for start_ in range(1, len(original)):
        for program in spellings:
            if original[start_ : start_ + len(program)] == program:
                return [sys.executable, *original[1:start_], *program, *arguments]
    return [sys.executable, *spellings[0], *arguments]


def _program_spellings() -> list[list[str]]:
    """The words by which a command line may name the running program; the plainest first."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is None or spec.name == "__main__":  # a script; a directory or an archive
        return [sys.argv[:1]]
    names = [spec.name]
    if spec.name.endswith(".__main__"):
        names.insert(0, spec.name.removesuffix(".__main__"))
    return [words for name in names for words in (["-m", name], ["-m" + name])]


# ---------------------------------------------------------------------------------------------------------
# python -m tornado4.autoreload

_USAGE = """\
Usage:
  python -m tornado.autoreload -m module.to.run [args...]
  python -m tornado.autoreload path/to/script.py [args...]
"""


def main() -> None:
    """Run the program that the command line names, then wait for a change and start all over.

    However the program ends, by an error too, the process stays and waits. Restarts that the program itself
    asks for (``autoreload=True``) come back here as well.
    """
    global _main_command
    arguments = sys.argv[1:]
    if arguments[:1] == ["-m"] and len(arguments) > 1:
        as_module, name, program = True, arguments[1], arguments[1:]
    elif arguments and arguments[0] != "-m":
        as_module, name, program = False, arguments[0], arguments
    else:
        print(_USAGE, file=sys.stderr)
        sys.exit(1)
    _main_command = _restart_command()
    original_argv, sys.argv = sys.argv, program
    try:
        if as_module:
            _run_module(name)
        else:
            _run_script(name)
    except SystemExit as error:
        logging.basicConfig()
        gen_log.info("Script exited with status %s", error.code)
    except Exception as error:
        logging.basicConfig()
        gen_log.warning("Script exited with uncaught exception", exc_info=True)
        _watch_where_it_failed(error)
    else:
        logging.basicConfig()
        gen_log.info("Script exited normally")
    sys.argv = original_argv
    _watch_program(as_module, name)
    wait()


def _run_module(name: str) -> None:
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_script(path: str) -> None:
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    with open(path, "rb"):
        pass  # run_path would take a name that is not there for an archive, and say so in a misleading way
    runpy.run_path(path, run_name="__main__")


def _watch_program(is_module: bool, name: str) -> None:
    """Its main file is in ``sys.modules`` no more, or never was."""
    if not is_module:
        watch(name)
        return
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return  # it failed to import, and what failed is watched already
    if spec is not None and spec.has_location and spec.origin is not None:
        watch(spec.origin)


def _watch_where_it_failed(error: BaseException) -> None:
    # A module that did not import is not in sys.modules; the traceback and the SyntaxError know its file.
    for frame in traceback.extract_tb(error.__traceback__):
        watch(frame.filename)
    if isinstance(error, SyntaxError) and error.filename is not None:
        watch(error.filename)

_handed_on.complete(globals())


if __name__ == "__main__":
    # This is a second copy of the module, run by -m. The one that Application starts must be the one
    # that works.
    from tornado4 import autoreload

    autoreload.main()
