"""The same command once more, with the same sockets: after SIGHUP, and by `tornado4.autoreload` for ``--reload``."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING

from tornado4 import autoreload
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.serve.signals import ENDING, Signals
from tornado4.serve.sockets import Listening

if TYPE_CHECKING:
    from tornado4.serve.worker import Single

log = logging.getLogger("tornado4.serve")


#: Milliseconds between two looks at the files.
_LOOK = 500


#: Where the command was started. The application may go elsewhere; the command's paths, and its module, are from here.
_folder: str | None = None


def remember_folder() -> None:
    """Before the application is imported."""
    global _folder
    _folder = os.getcwd()


def command_line() -> list[str]:
    """The command that started this process."""
    return [sys.executable, *sys.orig_argv[1:]]


def flush() -> None:
    """Nothing that was written is to be written twice, or lost, by a fork or an exec.

    Whoever read it may have gone (``serve ... | tee log``). That is no reason to end.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def become_anew() -> None:
    """Run the command that started this process in its place."""
    flush()
    go_back()
    os.execv(sys.executable, command_line())


def go_back() -> None:
    """Into the folder in which the command was started, if that is still there."""
    if _folder is not None:
        with contextlib.suppress(OSError):
            os.chdir(_folder)


def prepare(listening: Listening, signals: Signals) -> None:
    """Have a change of a source file restart the command; `Application(debug=True)` does so, too, then."""
    autoreload._main_command = command_line()
    if autoreload._has_execv:
        autoreload.add_reload_hook(go_back)
        autoreload.add_reload_hook(listening.hand_on)
        autoreload.add_reload_hook(signals.hand_on)


def start(loop: IOLoop) -> None:
    """Look for changes from now on, the first time at once: what is changed next is a change.

    Nothing more is done for `Application(debug=True)`, which has begun to look already.
    """
    if loop in autoreload._io_loops:
        return
    autoreload._io_loops[loop] = True
    look = functools.partial(autoreload._reload_on_update, {})
    look()
    PeriodicCallback(look, _LOOK, io_loop=loop).start()


def wait_after(error: Exception, single: Single) -> None:
    """The application did not start: the next change starts it again. Returns when a signal ends that."""
    for frame in traceback.extract_tb(error.__traceback__):
        autoreload.watch(frame.filename)
    if isinstance(error, SyntaxError) and error.filename is not None:
        autoreload.watch(error.filename)
    loop = IOLoop()
    single.signals.attach(
        loop, {number: loop.stop if number in ENDING else single.start_anew for number in single.signals.numbers}
    )
    start(loop)
    log.info("waiting for a change")
    loop.start()
