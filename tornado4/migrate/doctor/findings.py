"""What there is to be found out about an environment, one function for each."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import selectors
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from typing import NamedTuple

import tornado4
from tornado4.migrate import alias, backfill, settings, startup

#: From so many descriptors on nothing is said: each connection, WebSocket and fetch is one.
_ENOUGH_DESCRIPTORS = 4096

#: The Pythons that the tests run on.
_PYTHONS = ((3, 11), (3, 13))


class Finding(NamedTuple):
    """One thing: ``level`` is "ok", "note" (worth knowing) or "warning" (something does not do what was asked for)."""

    name: str
    value: str
    level: str = "ok"
    advice: str = ""


def interpreter() -> Iterator[Finding]:
    """Python, system, and ourselves."""
    found = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        yield Finding("python", found)
    else:
        tested = " to ".join(".".join(map(str, each)) for each in _PYTHONS)
        yield Finding("python", found, "note", f"the tests run on {tested}")
    yield Finding("system", f"{platform.system()} {platform.release()}, {_processors()} processors for this process")
    yield Finding("tornado4", f"{_version('tornado4') or 'not installed'} in {os.path.dirname(tornado4.__file__)}")


def loops() -> Iterator[Finding]:
    """What an IOLoop runs on, and whether uvloop could be."""
    from tornado4.ioloop import IOLoop

    kind = IOLoop.configured_class()
    yield Finding("loop", f"{kind.__module__}.{kind.__qualname__} on asyncio ({selectors.DefaultSelector.__name__})")
    installed = _version("uvloop")
    if installed is None:
        yield Finding("uvloop", "not installed", "ok", "pip install 'tornado4[uvloop]', then --loop uvloop")
        return
    try:
        import uvloop

        loop = uvloop.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    except Exception as error:
        yield Finding("uvloop", f"{installed}, which does not run: {error!r}", "warning", "install it anew")
    else:
        yield Finding("uvloop", f"{installed}, runs; --loop uvloop turns it on")


def aliases() -> Iterator[Finding]:
    """What ``import tornado`` is, and by what; the Tornado that is installed beside."""
    wanted = settings.together([settings.of_environment(), settings.of_project(os.getcwd())])
    asked = "not asked for by TORNADO4_ALIAS or [tool.tornado4]"
    if wanted.alias:
        asked = f"asked for, for {', '.join(wanted.alias_for) or 'all'}"
    yield Finding("alias", f"{asked}; {'installed' if alias.is_installed() else 'not installed'} in this process")
    path = os.path.join(sysconfig.get_path("purelib"), startup.FILE)
    if os.path.exists(path):
        yield Finding("startup file", path)
    elif settings.of_environment().alias:
        yield Finding(
            "startup file", "none", "warning", "TORNADO4_ALIAS alone does nothing: 'tornado4 startup install', or run"
        )
    else:
        yield Finding("startup file", "none")
    yield _real_tornado()


def _real_tornado() -> Finding:
    # With a path, the alias's own entry is none of them.
    beside = list(distributions(name="tornado", path=sys.path))
    if not beside:
        return Finding("tornado beside", "none")
    found = f"{beside[0].version} in {beside[0].locate_file('')}"
    return Finding("tornado beside", found, "note", "'import tornado' is that one where there is no alias")


def settings_in_force() -> Iterator[Finding]:
    """Back-fill, flags and switches; what the switches let in again is ``tornado4 security``'s to say."""
    from tornado4 import flags
    from tornado4.migrate.security import command as security
    from tornado4.migrate.security.table import listing

    wanted = settings.together([settings.of_environment(), settings.of_project(os.getcwd())])
    yield Finding("backfill", "asked for" if wanted.backfill else "not asked for")
    turned_on = sorted({*flags.turned_on(), *wanted.future})
    yield Finding("flags", ", ".join(turned_on) or "none")
    places = security.switches_that_are_set(os.getcwd())
    yield Finding("switches", ", ".join(sorted(places)) or "none")
    for line in security.weakenings(listing(), places):
        yield Finding("security", line, "warning", "take it away if nothing needs it")
    yield Finding("security", security.counts(listing()) + " as in 4.5.3", "ok", "'tornado4 security' lists them")


#: Distributions of tracing agents, and what docs/packages.md says that they record.
_AGENTS = {
    "opentelemetry-instrumentation-tornado": ("ok", "works under the alias, with skip_dep_check=True"),
    "ddtrace": ("ok", "works under the alias"),
    "elastic-apm": ("note", "does nothing for Tornado before 6 unless it is told another number: docs/packages.md"),
    "newrelic": ("warning", "leaves Tornado before 6 alone, and records nothing"),
}
#: What our own watchers need, and the watcher.
_SDKS = {
    "opentelemetry-api": "tornado4.hooks.otel",
    "sentry-sdk": "tornado4.hooks.sentry",
    "prometheus-client": "tornado4.hooks.prometheus",
}


def agents() -> Iterator[Finding]:
    """Who could watch: agents that are installed, and the SDKs of our own watchers, which are tried."""
    for name, (level, says) in _AGENTS.items():
        installed = _version(name)
        if installed is not None:
            yield Finding("agent", f"{name} {installed}: {says}", level)
    for name, module in _SDKS.items():
        installed = _version(name)
        if installed is None:
            continue
        try:
            importlib.import_module(module)
        except Exception as error:
            yield Finding("watcher", f"{module}: {error!r}, with {name} {installed}", "warning", "install it anew")
        else:
            yield Finding("watcher", f"{module} works, with {name} {installed}; its install() turns it on")


def limits() -> Iterator[Finding]:
    """How many descriptors this process may have."""
    if sys.platform == "win32":
        return
    try:
        import resource
    except ImportError:  # WebAssembly
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"{_shown(soft)}, up to {_shown(hard)}"
    if soft != resource.RLIM_INFINITY and soft < _ENOUGH_DESCRIPTORS:
        yield Finding("descriptors", found, "note", "each connection is one: 'ulimit -n', or LimitNOFILE of systemd")
    else:
        yield Finding("descriptors", found)


def _shown(limit: int) -> str:
    return "no limit" if limit < 0 else str(limit)


def application(name: str) -> Iterator[Finding]:
    """Import ``MODULE:APP`` as ``tornado4 serve`` would, and see what that has used.

    :raises tornado4.serve.target.TargetError: there is none. What its module raises passes.
    """
    from tornado4 import flags, switches
    from tornado4.serve import command, target

    command.prepare(settings.together([settings.of_environment(), settings.of_project(os.getcwd())]))
    found = target.load(name)
    yield Finding("application", f"{name}: {type(found).__module__}.{type(found).__qualname__}")
    used = ", ".join(f"{title} ({where})" for title, where in backfill.used().items())
    yield Finding("backfill used", used or "nothing")
    yield Finding("switches on", ", ".join(switches.allowed()) or "none")
    yield Finding("flags on", ", ".join(flags.turned_on()) or "none")


#: All that needs no application.
ALL: tuple[Callable[[], Iterator[Finding]], ...] = (interpreter, loops, aliases, settings_in_force, agents, limits)


def _version(distribution: str) -> str | None:
    found = next(iter(distributions(name=distribution, path=sys.path)), None)
    return None if found is None else found.version


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
