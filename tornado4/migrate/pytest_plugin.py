"""``pytest --tornado4-alias``: a test suite written for Tornado 4 runs with not one line changed.

    pytest --tornado4-alias                         # 'import tornado' is tornado4, in conftest files too
    pytest --tornado4-alias --tornado4-backfill     # and names that this Python has dropped are back

``addopts`` of a pytest.ini may say the same. Without the options nothing of tornado4 but this module and the
packages around it is imported. Both work from before the first conftest to the end of the session.

Other plugins are loaded before that. Where one of those says ``import tornado`` by itself, start pytest as
``tornado4 run -m pytest``, which gives the name away before anything else happens, or name this plugin first
and let the other one come by ``-p`` or ``pytest_plugins``.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tornado4.migrate.settings import Settings

_ALIAS = "tornado4_alias"
_BACKFILL = "tornado4_backfill"
_ALLOW = "tornado4_allow"
_FUTURE = "tornado4_future"
_ALIAS_FOR = "tornado4_alias_for"
_MIGRATE = "tornado4_migrate"
#: Options of ``--tornado4-migrate`` that are switches, and those that name a file.
_MIGRATE_SWITCHES = ("packages", "native")
_MIGRATE_FILES = ("report", "profile")
#: The attribute of the config that keeps what is to be undone; pytest has stashes only since 7.
_SESSION = "_tornado4_session"
#: And the one that keeps the line for the report's head.
_SAID = "_tornado4_said"
#: And the one that says that the suite is an old one, and that names are gone which could be there.
_BACKFILL_HELPS = "_tornado4_backfill_helps"


# Annotations are texts here, and names of pytest are used that all have since 6.2: the plugin is loaded whether its
# options are used or not, and must not fail anybody's session.


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("tornado4", "Tornado 4 suites on tornado4")
    group.addoption(
        "--tornado4-alias",
        action="store_true",
        dest=_ALIAS,
        help="'import tornado' gets tornado4, from the first conftest on",
    )
    group.addoption(
        "--tornado4-backfill",
        action="store_true",
        dest=_BACKFILL,
        help="put back standard-library names that this Python has dropped (docs/deviations.md lists them)",
    )
    group.addoption(
        "--tornado4-alias-for",
        metavar="PACKAGE,...",
        default="",
        dest=_ALIAS_FOR,
        help="only what these packages import is tornado4",
    )
    group.addoption(
        "--tornado4-allow",
        metavar="NAME,...",
        default="",
        dest=_ALLOW,
        help="bring single behaviours of 4.5.3 back ('tornado4 run --help' lists them)",
    )
    group.addoption(
        "--tornado4-future",
        metavar="NAME,...",
        default="",
        dest=_FUTURE,
        help="give what Tornado 5 and 6 have ('tornado4 run --help' lists it)",
    )
    group.addoption(
        "--tornado4-migrate",
        choices=["warn", "error", "record"],
        dest=_MIGRATE,
        help="tell what Tornado 6 does otherwise, where the suite meets it (docs/migrate.md)",
    )
    for name in _MIGRATE_SWITCHES:
        group.addoption(
            f"--tornado4-migrate-{name}",
            action="store_true",
            dest=f"{_MIGRATE}_{name}",
            help="list the places in packages, too" if name == "packages" else "tell what is optional, too",
        )
    for name in _MIGRATE_FILES:
        group.addoption(
            f"--tornado4-migrate-{name}",
            metavar="FILE",
            dest=f"{_MIGRATE}_{name}",
            help={"report": "write the summary as JSON", "profile": "what --tornado4-migrate=record writes"}[name],
        )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """The last moment before code of the suite runs."""
    _leave_asserts_alone(early_config)
    _give_names_again()
    undo = ExitStack()
    early_config.__dict__[_SESSION] = undo
    wanted = _wanted(early_config)
    if wanted is None:
        return
    from tornado4.migrate import alias, backfill, settings

    try:
        settings.allow(wanted.allow)
        settings.turn_on(wanted.future)
        if wanted.alias:
            undo.enter_context(alias.installed(for_=wanted.alias_for))
    except settings.SettingsError as error:
        raise pytest.UsageError(f"tornado4: {error}") from None
    except alias.TornadoAlreadyImported as error:
        raise pytest.UsageError(
            f"--tornado4-alias: {error}. A plugin may have done that: 'tornado4 run -m pytest' comes before all plugins"
        ) from None
    if wanted.backfill:
        undo.enter_context(backfill.installed())
    early_config.__dict__[_BACKFILL_HELPS] = wanted.alias and not wanted.backfill
    _start_telling(wanted.migrate, undo)
    said = []
    if wanted.alias_for:
        said.append(f"'import tornado' is tornado4 for {', '.join(wanted.alias_for)}")
    elif wanted.alias:
        said.append("'import tornado' is tornado4")
    if wanted.backfill:
        said.append("the standard library is backfilled")
    if wanted.allow:
        said.append(f"allowed: {', '.join(wanted.allow)}")
    if wanted.future:
        said.append(f"future: {', '.join(wanted.future)}")
    if wanted.migrate:
        said.append("what Tornado 6 does otherwise is told")
    if said:
        early_config.__dict__[_SAID] = f"tornado4 {_release()}: {', '.join(said)}"


def _start_telling(value: Any, undo: ExitStack) -> None:
    """``--tornado4-migrate``, until the end of the session."""
    if value is None:
        return
    from tornado4.migrate import live, settings

    try:
        settings.migrate(value)
    except settings.SettingsError as error:
        raise pytest.UsageError(f"tornado4: {error}") from None
    undo.callback(live.stop, quietly=True)


def _wanted(config: pytest.Config) -> Settings | None:
    """What options, variables and ``[tool.tornado4]`` ask for; None where nothing does."""
    asked = config.known_args_namespace
    # Asked without an import of ours: most sessions that load this plugin are not about tornado4 at all.
    options = any(getattr(asked, name) for name in (_ALIAS, _BACKFILL, _ALIAS_FOR, _ALLOW, _FUTURE, _MIGRATE))
    variables = any(os.environ.get(name) for name in ("TORNADO4_ALIAS", "TORNADO4_BACKFILL", "TORNADO4_MIGRATE"))
    folder = str(getattr(config, "rootpath", None) or config.invocation_params.dir)
    project = os.path.join(folder, "pyproject.toml")
    if not (options or variables or _mentions(project)):
        return None
    from tornado4.migrate import settings

    packages = settings.names_in(getattr(asked, _ALIAS_FOR))
    own = settings.Settings(
        alias=getattr(asked, _ALIAS) or bool(packages),
        alias_for=packages,
        backfill=getattr(asked, _BACKFILL),
        allow=settings.names_in(getattr(asked, _ALLOW)),
        future=settings.names_in(getattr(asked, _FUTURE)),
    )
    try:
        wanted = settings.together([settings.of_environment(), settings.of_project(folder), own])
        wanted.migrate = settings.of_options(asked, wanted.migrate, "tornado4_")
        return wanted
    except settings.SettingsError as error:
        raise pytest.UsageError(f"tornado4: {error}") from None


def _mentions(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"tool.tornado4" in file.read()
    except OSError:
        return False


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it where people look first when a test behaves strangely."""
    said: str | None = config.__dict__.get(_SAID)
    return said


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What was told; and where a name is to be had that a file or a test failed for want of."""
    _summarize(terminalreporter)
    errors = [str(report.longrepr) for report in terminalreporter.stats.get("error", ())]
    if any("No module named 'tornado" in text for text in errors):
        from tornado4 import _hints

        terminalreporter.write_line("tornado4: " + _hints.TEXTS["alias-pytest"])
    if config.__dict__.get(_BACKFILL_HELPS):
        from tornado4 import _hints
        from tornado4.migrate.backfill_table import row_in

        errors += [str(report.longrepr) for report in terminalreporter.stats.get("failed", ())]
        for row in dict.fromkeys(filter(None, map(row_in, errors))):
            note = _hints.TEXTS["backfill"].format(name=row.title, gone=row.gone, today=row.instead)
            terminalreporter.write_line("tornado4: " + note)


def _summarize(terminalreporter: Any) -> None:
    live: Any = sys.modules.get("tornado4.migrate.live")
    ledger = None if live is None else live.running()
    if ledger is None or not ledger.is_mine:
        return
    if ledger.wanted.report:
        ledger.write_report(ledger.wanted.report)
    for line in ledger.summary().splitlines():
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the names back: pytest.main() may be one call among others in a process."""
    undo: ExitStack | None = config.__dict__.pop(_SESSION, None)
    if undo is not None:
        undo.close()


def _release() -> str:
    try:
        return metadata.version("tornado4")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _give_names_again() -> None:
    """What earlier plugins import is found by pytest, which rewrites asserts, and not by the flag ``names``."""
    forward: Any = sys.modules.get("tornado4.forward")
    if forward is not None:
        forward.install()


def _leave_asserts_alone(config: pytest.Config) -> None:
    """Keep pytest from rewriting the ``assert`` statements of tornado4 itself.

    It does that to every module of a distribution that brings a plugin. The texts of our assertion errors
    are part of the API ("Already reading"), and are to be the same under pytest and elsewhere. There is no
    public way out but a mark in each module's docstring; should the private one go, asserts are rewritten.
    """
    hook: Any = getattr(config.pluginmanager, "rewrite_hook", None)
    marked = getattr(hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("tornado4")
        getattr(hook, "_marked_for_rewrite_cache", {}).clear()
