"""``tornado4 run SCRIPT [ARGS]``, and ``-m MODULE``, ``-c CODE`` or ``-`` in the place of the script.

The program runs as ``python SCRIPT``, ``python -m MODULE``, ... would run it: ``sys.argv``,
``sys.path[0]``, ``__main__`` and its attributes, exit codes, messages for what cannot be run,
tracebacks, signals. Only ``import tornado`` gets tornado4. It is a fresh ``__main__`` module in this
very process: no second interpreter, and nothing stays on guard once the program runs.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import io
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

import tornado4
from tornado4._core import private_names
from tornado4.migrate import alias, settings

USAGE = "%(prog)s [OPTIONS] (SCRIPT | -m MODULE | -c CODE | -) [ARGS ...]"

#: What a script's namespace says of its cached code, up to Python 3.14.
_NOT_CACHED: dict[str, None] = {"__cached__": None} if sys.version_info < (3, 15) else {}

#: What has a value, in the next word or behind ``=``.
_VALUED = ("--loop", "--allow", "--alias-for", "--future", "--migrate", "--migrate-report", "--migrate-profile")


def main(argv: Sequence[str]) -> None:
    """The subcommand ``run``; returns when the program has run to its end."""
    options, kind, program = _parse(argv)
    try:
        wanted = settings.together(
            [settings.of_environment(), settings.of_project(_folder(kind, program[0])), _settings(options)]
        )
        settings.allow(wanted.allow)
        settings.turn_on(wanted.future)
        alias.install(for_=wanted.alias_for)
    except settings.SettingsError as error:
        print(f"tornado4 run: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    if wanted.backfill:
        from tornado4.migrate import backfill

        backfill.install(verbose=options.verbose)
    if options.loop is not None:
        choose_loop(options.loop, "tornado4 run")
    try:
        settings.migrate(settings.of_options(options, wanted.migrate))
    except settings.SettingsError as error:
        print(f"tornado4 run: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    start = {"-m": run_module, "-c": run_code, "-": run_stdin}.get(kind, run_script)
    start(program[0], program[1:])


def _settings(options: argparse.Namespace) -> settings.Settings:
    return settings.Settings(
        # Without packages it is for all, unless the variable or the file has some.
        alias=bool(options.alias_for),
        alias_for=settings.names_in(options.alias_for),
        backfill=options.backfill,
        allow=settings.names_in(options.allow),
        future=settings.names_in(options.future),
    )


def _folder(kind: str, program: str) -> str:
    """Where to look for the pyproject.toml: beside the program; modules and code are at home where we are."""
    if kind:
        return os.getcwd()
    path = os.path.realpath(program)
    return path if os.path.isdir(path) else os.path.dirname(path)


def choose_loop(name: str, command: str) -> None:
    """Have each IOLoop run on asyncio's own loop, or on uvloop's. SystemExit(2) where there is none."""
    from tornado4.ioloop import IOLoop

    if name == "asyncio":
        IOLoop.configure("tornado4.platform.asyncio.AsyncIOLoop")
        return
    try:
        import uvloop
    except ImportError as error:
        print(f"{command}: --loop uvloop: {error}; 'pip install tornado4[uvloop]'", file=sys.stderr)
        raise SystemExit(2) from None
    IOLoop.configure("tornado4.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, str, list[str]]:
    """Our options; how the program is given (``-m``, ``-c``, ``-`` or nothing); the program and its arguments."""
    parser = _parser()
    head = 0
    while head < len(argv) and argv[head].startswith("-") and argv[head] != "-":
        if argv[head].startswith(("-m", "-c")) or argv[head] == "--":
            break
        head += 2 if argv[head] in _VALUED else 1
    options = parser.parse_args(argv[:head])
    rest = list(argv[head:])
    if rest and rest[0].startswith(("-m", "-c")):
        word = rest.pop(0)
        kind, joined = word[:2], word[2:]
        if not joined and not rest:
            parser.error(f"argument {kind}: expected {'the name of a module' if kind == '-m' else 'code'}")
        return options, kind, [joined, *rest] if joined else rest
    if rest and rest[0] == "-":
        return options, "-", rest
    if rest and rest[0] == "--":
        del rest[0]
    if not rest:
        parser.error("what is to be run? A script, -m and the name of a module, -c and code, or - for stdin")
    return options, "", rest


class _Help(argparse.Action):
    """``--help``; what lists the switches is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from tornado4 import flags, switches

        lines = [f"  {switch.name:<22} {switch.allows} ({switch.row})" for switch in switches.SWITCHES.values()]
        listed = [f"  {name:<22} {brings}" for name, brings in flags.FLAGS.items()]
        parser.epilog = (
            "switches for --allow (docs/deviations.md has the rows):\n" + "\n".join(lines)
            + "\n\nflags for --future (5.0, 6.0, 6.6: all up to that release):\n" + "\n".join(listed)
            + "\n\nThe same can be set by TORNADO4_ALIAS, _BACKFILL, _ALLOW, _FUTURE and _MIGRATE,\n"
            "and by the keys alias, backfill, allow, future and migrate of [tool.tornado4]\n"
            "in the program's pyproject.toml."
        )  # fmt: skip
        parser.print_help()
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tornado4 run",
        usage=USAGE,
        description="Run a Tornado 4 program: 'import tornado' gets tornado4, all else is as with python.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-h", "--help", action=_Help, nargs=0, help="show this, and all switches")
    add(
        "--backfill",
        action="store_true",
        help="put back standard-library names that this Python has dropped (docs/deviations.md lists them)",
    )
    add("--verbose", action="store_true", help="with --backfill: say which names were used, and where")
    add("--allow", metavar="NAME,...", default="", help="bring single behaviours of 4.5.3 back; they are listed below")
    add("--future", metavar="NAME,...", default="", help="give what Tornado 5 and 6 have; flags are listed below")
    add(
        "--alias-for",
        metavar="PACKAGE,...",
        default="",
        help="only what these packages import is tornado4; others get the Tornado that is installed",
    )
    add("--migrate", metavar="MODE", choices=["warn", "error", "record"], help="tell what Tornado 6 does otherwise: by"
        " warnings, by raising what it raises, or by writing down what ran (docs/migrate.md)")  # fmt: skip
    add("--migrate-packages", action="store_true", help="list the places in installed packages, too")
    add("--migrate-native", action="store_true", help="tell what is optional, too: the style of coroutines")
    add("--migrate-report", metavar="FILE", help="write the summary as JSON")
    add("--migrate-profile", metavar="FILE", help="what --migrate=record writes, or adds to: tornado4-profile.json")
    add("--loop", choices=["asyncio", "uvloop"], help="the event loop beneath each IOLoop")
    # Parsed by hand above, as python does it: whatever follows belongs to the program.
    add("-m", metavar="MODULE", help="run a module, as python -m does")
    add("-c", metavar="CODE", help="run code, as python -c does")
    return parser


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
        namespace.update(__file__=path, __loader__=loader, **_NOT_CACHED)
        code = loader.get_code("__main__") if compiled else _compile(path)
        if code is not None:
            exec(code, namespace)

    _run(body)


def run_module(name: str, args: Sequence[str] = ()) -> None:
    """Run a module, or a package's ``__main__``, as ``__main__``; see :func:`run_script`."""
    sys.argv = ["-m", *args]
    _set_first_path_entry(os.getcwd())
    _run(lambda namespace: _run_named(name, alter_argv=True))


def run_code(source: str, args: Sequence[str] = ()) -> None:
    """Run source code as ``__main__``, as ``python -c`` does; see :func:`run_script`."""
    sys.argv = ["-c", *args]
    _set_first_path_entry("")
    if sys.version_info >= (3, 14):  # as the interpreter does since then
        import textwrap

        source = textwrap.dedent(source)
    if sys.version_info >= (3, 13):  # tracebacks show the lines
        import linecache

        lines = source.splitlines(keepends=True)
        linecache.cache["<string>"] = (len(source), None, lines, "<string>")

    def body(namespace: dict[str, Any]) -> None:
        namespace.update(__loader__=BuiltinImporter)
        exec(compile(source, "<string>", "exec", dont_inherit=True), namespace)

    _run(body)


def run_stdin(name: str = "-", args: Sequence[str] = ()) -> None:
    """Run standard input as ``__main__``, as ``python -`` does: all of it, or line by line from a terminal."""
    sys.argv = [name, *args]
    _set_first_path_entry("")
    if sys.stdin is not None and sys.stdin.isatty():
        _run(_talk)
        return

    def body(namespace: dict[str, Any]) -> None:
        namespace.update(__loader__=BuiltinImporter, __file__="<stdin>", **_NOT_CACHED)
        source = b"" if sys.stdin is None else sys.stdin.buffer.read()
        exec(compile(source, "<stdin>", "exec", dont_inherit=True), namespace)

    _run(body)


def _talk(namespace: dict[str, Any]) -> None:
    import code

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (its import gives input() a history)
    namespace.update(__loader__=BuiltinImporter)
    banner = f"Python {sys.version} on {sys.platform}, 'import tornado' is tornado4 {tornado4.version}"
    code.interact(banner, local=namespace, exitmsg="")


def _run_named(name: str, *, alter_argv: bool) -> None:
    # What the interpreter itself calls for -m and for directories: it finds the module, fills in
    # __main__ and has the messages for all that may be wrong.
    private_names.module_runner()(name, alter_argv=alter_argv)


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
        _add_hint(error)
        _hide_launcher(error)
        raise


def _add_hint(error: BaseException) -> None:
    """A name that --backfill would have put back says so."""
    if isinstance(error, (AttributeError, ImportError, RuntimeError)):
        from tornado4 import _hints
        from tornado4.migrate import backfill_table

        row = backfill_table.row_of(error)
        if row is not None:
            name = f"what {row.title} did" if row in backfill_table.CHANGED else row.title
            _hints.add(error, "backfill", name=name, gone=row.gone, today=row.instead)


def _new_main() -> dict[str, Any]:
    """Put a fresh ``__main__`` in place of the launcher's, which lives on in the frames that called us.

    Only its namespace is returned: a traceback that the program keeps would keep our frames too, and a
    ``__main__`` that frames hold is taken apart last of all modules at exit, when those it uses are gone.
    """
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins)
    if sys.version_info < (3, 14):
        main.__dict__.update(__annotations__={})  # made when somebody asks for it, since then
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
