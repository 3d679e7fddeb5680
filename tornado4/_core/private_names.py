"""Private names of the standard library beside asyncio's (`private_asyncio`), and what happens where one is gone.

| name | for | where it is gone |
|---|---|---|
| `ModuleSpec._initializing` | modules that are being imported | one of these is taken for a finished one |
| `runpy._run_module_as_main` | ``tornado4 run -m`` | `runpy.run_module`, whose messages differ |
| `atexit._run_exitfuncs` | a forked worker's end | what the application has left to atexit is not called there |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def is_being_imported(module: object) -> bool:
    """Whether a module's import has begun and not ended."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def module_runner() -> Callable[..., Any]:
    """What the interpreter calls for ``-m`` (with ``alter_argv``) and for directories, with a module's name.

    It is handed out, not called: tracebacks of programs are to show no frame of ours.
    """
    import runpy

    def run_module(name: str, *, alter_argv: bool) -> None:
        runpy.run_module(name, run_name="__main__", alter_sys=alter_argv)

    runner: Callable[..., Any] = getattr(runpy, "_run_module_as_main", run_module)
    return runner


def run_exit_functions() -> None:
    """What `atexit` has, for a process that ends by `os._exit`. An exception in one of them is printed."""
    import atexit

    run: Callable[[], object] = getattr(atexit, "_run_exitfuncs", lambda: None)
    run()
