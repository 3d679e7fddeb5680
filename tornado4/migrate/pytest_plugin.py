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

from contextlib import ExitStack
from importlib import metadata
from typing import Any

import pytest

_ALIAS = "tornado4_alias"
_BACKFILL = "tornado4_backfill"
_session: pytest.StashKey[ExitStack] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options, in a group of their own."""
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


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """The last moment before code of the suite runs."""
    _leave_asserts_alone(early_config)
    asked = early_config.known_args_namespace
    undo = early_config.stash[_session] = ExitStack()
    if getattr(asked, _ALIAS):
        from tornado4.migrate import alias

        try:
            undo.enter_context(alias.installed())
        except alias.TornadoAlreadyImported as error:
            raise pytest.UsageError(
                f"--tornado4-alias: {error}. A plugin may have done that: "
                "'tornado4 run -m pytest' comes before all plugins"
            ) from None
    if getattr(asked, _BACKFILL):
        from tornado4.migrate import backfill

        undo.enter_context(backfill.installed())


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it where people look first when a test behaves strangely."""
    said = []
    if config.getoption(_ALIAS):
        said.append("'import tornado' is tornado4")
    if config.getoption(_BACKFILL):
        said.append("the standard library is backfilled")
    return f"tornado4 {_release()}: {', '.join(said)}" if said else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the names back: pytest.main() may be one call among others in a process."""
    config.stash.get(_session, ExitStack()).close()


def _release() -> str:
    try:
        return metadata.version("tornado4")
    except metadata.PackageNotFoundError:
        return "(not installed)"


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
