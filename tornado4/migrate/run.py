"""``tornado4 run SCRIPT [ARGS]`` and ``tornado4 run -m MODULE [ARGS]``.

The program runs as ``python SCRIPT`` or ``python -m MODULE`` would run it: ``sys.argv``,
``sys.path[0]``, ``__main__`` and its attributes, exit codes, messages for what cannot be run,
tracebacks, signals. Only ``import tornado`` gets tornado4. It is a fresh ``__main__`` module in this
very process: no second interpreter, and nothing stays on guard once the program runs.
"""

from __future__ import annotations

import argparse
import builtins
import io
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from tornado4.migrate import alias, backfill

USAGE = "%(prog)s [--backfill] [--verbose] (SCRIPT | -m MODULE) [ARGS ...]"


def main(argv: Sequence[str]) -> None:
    """The subcommand ``run``; returns when the program has run to its end."""
    options, module, program = _parse(argv)
    alias.install()
    if options.backfill:
        backfill.install(verbose=options.verbose)
    if module is not None:
        run_module(module, program)
    else:
        run_script(program[0], program[1:])


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, str | None, list[str]]:
    """Our options; the module of ``-m`` or None; and what follows, which is the program's own business."""
    parser = argparse.ArgumentParser(
        prog="tornado4 run",
        usage=USAGE,
        description="Run a Tornado 4 program: 'import tornado' gets tornado4, all else is as with python.",
    )
    parser.add_argument(
        "--backfill",
        action="store_true",
        help="put back standard-library names that this Python has dropped (docs/deviations.md lists them)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="with --backfill: say which names were used, and where"
    )
    # Parsed by hand below, as python does it: whatever follows a module's name belongs to the module.
    parser.add_argument("-m", metavar="MODULE", help="run a module, as python -m does", dest="module")
    head = 0
    while head < len(argv) and argv[head].startswith("-") and not argv[head].startswith("-m"):
        if argv[head] == "--":
            break
        head += 1
    options = parser.parse_args(argv[:head])
    rest = list(argv[head:])
    if rest and rest[0].startswith("-m"):
        joined = rest.pop(0)[2:]
        if not joined and not rest:
            parser.error("argument -m: expected the name of a module")
        return options, joined or rest.pop(0), rest
    if rest and rest[0] == "--":
        del rest[0]
    if not rest:
        parser.error("what is to be run? A script, or -m and the name of a module")
    return options, None, rest


# ---------------------------------------------------------------------------------------------------------
# Scripts and modules


def run_script(script: str, args: Sequence[str] = ()) -> None:
    """Run a file, or a directory or zip archive with a ``__main__.py``, as ``__main__``.

    What the program raises comes out of here. What cannot be run ends in SystemExit with Python's own message
    and exit code: 2 for a file that cannot be opened, 1 for a directory without ``__main__.py``.
    """
    sys.argv = [script, *args]
    if _is_container(script):
        _set_first_path_entry(os.path.abspath(script))
        _run(lambda namespace: _run_named("__main__", alter_argv=False))
        return
    path = os.path.join(os.getcwd(), script)
    _set_first_path_entry(os.path.dirname(os.path.realpath(script)))

    def body(namespace: dict[str, Any]) -> None:
        compiled = path.endswith(".pyc")
        loader = SourcelessFileLoader("__main__", path) if compiled else SourceFileLoader("__main__", path)
        namespace.update(__file__=path, __cached__=None, __loader__=loader)
        code = loader.get_code("__main__") if compiled else _compile(path)
        if code is not None:
            exec(code, namespace)

    _run(body)


def run_module(name: str, args: Sequence[str] = ()) -> None:
    """Run a module, or a package's ``__main__``, as ``__main__``; see :func:`run_script`."""
    sys.argv = ["-m", *args]
    _set_first_path_entry(os.getcwd())
    _run(lambda namespace: _run_named(name, alter_argv=True))


def _run_named(name: str, *, alter_argv: bool) -> None:
    # What the interpreter itself calls for -m and for directories: it finds the module, fills in
    # __main__ and has the messages for all that may be wrong. Its name is private, and the same from
    # Python 2.7 to 3.15.
    runpy._run_module_as_main(name, alter_argv=alter_argv)  # type: ignore[attr-defined]


def _is_container(script: str) -> bool:
    """A directory, or a zip archive: something that modules can be imported from."""
    return os.path.exists(script) and pkgutil.get_importer(script) is not None


def _compile(path: str) -> CodeType:
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.executable}: can't open file {path!r}: {reason}", file=sys.stderr)
        raise SystemExit(2) from None
    return compile(source, path, "exec", dont_inherit=True)


def _set_first_path_entry(entry: str) -> None:
    """``sys.path[0]`` belongs to the program; until now it was the place of our own launcher."""
    if not sys.flags.safe_path:  # under -P and -I nothing is put there, neither for us nor for the program
        sys.path[0] = entry


# ---------------------------------------------------------------------------------------------------------
# __main__, and what is seen when it fails


def _run(body: Callable[[dict[str, Any]], None]) -> None:
    namespace = _new_main()
    try:
        body(namespace)
    except BaseException as error:
        _hide_launcher(error)
        raise


def _new_main() -> dict[str, Any]:
    """Put a fresh ``__main__`` in place of the launcher's, which lives on in the frames that called us.

    Only its namespace is returned: a traceback that the program keeps would keep our frames too, and a
    ``__main__`` that frames hold is taken apart last of all modules at exit, when those it uses are gone.
    """
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    return main.__dict__


def _hide_launcher(error: BaseException) -> None:
    """Have the interpreter show this error without the frames of the launcher.

    The error goes on to the interpreter, which alone knows what SystemExit and KeyboardInterrupt mean
    for the exit code. Just before it prints, it asks ``sys.excepthook``: there the traceback is cut.
    """
    shown = error.__traceback__
    while shown is not None and shown.tb_frame.f_code.co_filename == __file__:
        shown = shown.tb_next
    hook = sys.excepthook

    def cut(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        if value is error:
            traceback = sys.last_traceback = shown
            value.__traceback__ = shown
        hook(kind, value, traceback)

    sys.excepthook = cut
