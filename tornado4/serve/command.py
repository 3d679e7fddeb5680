"""``tornado4 serve MODULE:APP``: the command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from tornado4.migrate import alias, run, settings
from tornado4.serve import accesslog, config, health, reloading, sockets, target
from tornado4.serve.config import Config
from tornado4.serve.signals import OF_ONE, OF_SEVERAL, Signals
from tornado4.serve.worker import Single, Worker

log = logging.getLogger("tornado4.serve")

_PLACE = "[tool.tornado4.serve] of pyproject.toml"

#: Options that `Config` has no field for: they are those of ``tornado4 run``, with the same meaning.
_OF_RUN = ("alias", "alias_for", "backfill", "allow", "future")


def main(argv: Sequence[str]) -> int:
    """The subcommand: 0 after a drain, 1 when the application does not start, 2 for options that cannot be."""
    options = vars(_parser().parse_args(argv))
    of_run = {name: options.pop(name) for name in _OF_RUN}
    try:
        wanted = settings.together([settings.of_environment(), settings.of_project(os.getcwd()), _settings(of_run)])
        chosen = config.combine(options, wanted.serve, _PLACE)
        if not chosen.app:
            raise settings.SettingsError('what is to be served? MODULE:APP, or app = "..." in ' + _PLACE)
        target.split(chosen.app)
        _check_files(chosen)
        health.check(chosen)
        accesslog.configure(chosen)
        if chosen.loop is not None:
            run.choose_loop(chosen.loop, "tornado4 serve")
        reloading.remember_folder()
        signals = Signals(OF_SEVERAL if chosen.workers > 1 else OF_ONE)
        listening = sockets.open_all(chosen)
    except (settings.SettingsError, target.TargetError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot listen on {_where(options)}: {error.strerror or error}", 1)
    for sock in listening.serving:
        log.info("listening on %s", sockets.address_of(sock, "https" if chosen.tls_cert else "http"))
    for sock in listening.health:
        log.info("health on %s", sockets.address_of(sock))
    return _serve(chosen, listening, wanted, signals)


def _serve(chosen: Config, listening: sockets.Listening, wanted: settings.Settings, signals: Signals) -> int:
    if chosen.workers > 1:
        return _serve_several(chosen, listening, wanted, signals)
    if chosen.reload:
        reloading.prepare(listening, signals)
    single = Single(chosen, listening, signals)
    try:
        prepare(wanted)
        health.install(chosen)
        single.run()
    except Exception as error:
        code = say_why(chosen, error)
        if single.wants_another_start():
            single.start_anew()
        if chosen.reload:
            reloading.wait_after(error, single)
        return code
    finally:
        listening.close()
    return 0


def _serve_several(chosen: Config, listening: sockets.Listening, wanted: settings.Settings, signals: Signals) -> int:
    def serve(worker: Worker) -> None:
        try:
            prepare(wanted)
            health.install(chosen)
            worker.run()
        except Exception as error:
            raise SystemExit(say_why(chosen, error)) from None

    if sys.platform == "win32" or not hasattr(os, "fork"):
        listening.close()
        return _refuse(f"--processes: {sys.platform} cannot fork; start one process for each port behind a proxy")
    from tornado4.serve.master import Master

    try:
        with health.counted_together(chosen):
            return Master(chosen, listening, serve, signals).run()
    finally:
        listening.close()


def say_why(chosen: Config, error: Exception) -> int:
    """Print why the application did not start; the exit code."""
    if isinstance(error, (target.TargetError, settings.SettingsError)):
        return _refuse(str(error), 1)
    traceback.print_exc()
    return _refuse(f"{chosen.app} did not start", 1)


def prepare(wanted: settings.Settings) -> None:
    """What ``tornado4 run`` does before a program, in this process.

    :raises SettingsError: a switch, a flag or a mode of ``migrate`` is none.
    """
    settings.allow(wanted.allow)
    settings.turn_on(wanted.future)
    if wanted.alias:
        alias.install(for_=wanted.alias_for)
    if wanted.backfill:
        from tornado4.migrate import backfill

        backfill.install()
    settings.migrate(wanted.migrate)


def _settings(of_run: dict[str, Any]) -> settings.Settings:
    return settings.Settings(
        alias=of_run["alias"] or bool(of_run["alias_for"]),
        alias_for=settings.names_in(of_run["alias_for"]),
        backfill=of_run["backfill"],
        allow=settings.names_in(of_run["allow"]),
        future=settings.names_in(of_run["future"]),
    )


def _check_files(chosen: Config) -> None:
    for option, path in (
        ("--tls-cert", chosen.tls_cert), ("--tls-key", chosen.tls_key), ("--log-config", chosen.log_config)
    ):  # fmt: skip
        if path is not None and not os.path.isfile(path):
            raise settings.SettingsError(f"{option} {path}: there is no such file")


def _where(options: dict[str, Any]) -> str:
    if options["unix"]:
        return f"--unix {options['unix']}"
    return f"--host {options['host'] or Config.host} --port {options['port'] or config.DEFAULT_PORT}"


def _refuse(text: str, code: int = 2) -> int:
    print(f"tornado4 serve: {text}", file=sys.stderr)
    return code


def _processes(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tornado4 serve",
        description="Serve an application: SIGTERM drains, SIGHUP restarts without a refused connection.",
        epilog="Each option but the last five is a key of [tool.tornado4.serve] in the pyproject.toml of this folder "
        "or one above; those five are keys of [tool.tornado4], as for 'tornado4 run'. docs/serve.md tells more.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "app",
        nargs="?",
        metavar="MODULE:APP",
        help="an Application, a callable that makes one, a WSGI or an ASGI application",
    )
    add("--host", metavar="HOST", help=f"the name or address to listen on ({Config.host}; '' is all)")
    add("--port", type=int, metavar="PORT", help=f"the port ({config.DEFAULT_PORT}; 0 is any that is free)")
    add("--unix", metavar="PATH", help="listen on a Unix socket")
    add("--fd", metavar="WHAT", help="listen on what was handed over: 'systemd', or the number of a descriptor")
    add("--processes", type=_processes, metavar="N", help="how many serve; 'auto' is one a processor (1)")
    add("--reuse-port", action="store_true", default=None, help="each process has a socket of its own")
    add("--loop", metavar="LOOP", help="the event loop: asyncio or uvloop")
    add("--tls-cert", metavar="FILE", help="serve https with this certificate")
    add("--tls-key", metavar="FILE", help="its key, if that is not in the same file")
    add("--xheaders", action="store_true", default=None, help="believe X-Real-Ip and its like: behind a proxy only")
    add("--trusted", type=settings.names_in, metavar="ADDRESS,...", help="further proxies, skipped in X-Forwarded-For")
    add("--access-log", metavar="KIND", help="text (on stderr), json (on stdout) or off")
    add("--log-config", metavar="FILE", help="logging's configuration: .json, .toml, or the format of fileConfig")
    add("--reload", action="store_true", default=None, help="restart when a source file changes, for development")
    add("--grace", type=float, metavar="SECONDS", help=f"for what runs when SIGTERM comes ({Config.grace:g})")
    add("--max-requests", type=int, metavar="N", help="replace a process after so many requests, or a tenth more")
    add("--health", type=int, metavar="PORT", help="answer /live and /ready there, as JSON")
    add("--health-host", metavar="HOST", help=f"the name or address for that ({Config.health_host})")
    add("--metrics", action="store_true", default=None, help="answer /metrics there as well, for Prometheus")
    add("--alias", action="store_true", help="'import tornado' gets tornado4")
    add("--alias-for", metavar="PACKAGE,...", default="", help="only what these packages import is tornado4")
    add("--backfill", action="store_true", help="put back standard-library names that this Python has dropped")
    add("--allow", metavar="NAME,...", default="", help="bring single behaviours of 4.5.3 back (docs/deviations.md)")
    add("--future", metavar="NAME,...", default="", help="give what Tornado 5 and 6 have: flags")
    return parser
