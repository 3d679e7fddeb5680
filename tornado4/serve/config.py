"""The options of ``tornado4 serve``: one list for the command line and for ``[tool.tornado4.serve]``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from tornado4.migrate.settings import SettingsError

DEFAULT_PORT = 8000


@dataclasses.dataclass
class Config:
    """What to serve, and how. The fields are the options of the command line, and the keys of the table."""

    app: str = ""
    host: str = "127.0.0.1"
    port: int | None = None
    unix: str | None = None
    fd: str | None = None
    processes: int | str = 1
    reuse_port: bool = False
    loop: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    xheaders: bool = False
    trusted: list[str] = dataclasses.field(default_factory=list)
    access_log: str = "text"
    log_config: str | None = None
    reload: bool = False
    grace: float = 30.0
    max_requests: int | None = None
    health: int | None = None
    health_host: str = "127.0.0.1"
    metrics: bool = False

    @property
    def workers(self) -> int:
        """How many processes serve; ``auto`` is one for each processor that this process may use."""
        if self.processes == "auto":
            if hasattr(os, "sched_getaffinity"):
                return len(os.sched_getaffinity(0))
            return os.cpu_count() or 1
        return int(self.processes)


#: What a key of the table may be, as the error says it.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "app": ((str,), "a text, MODULE:APP"),
    "host": ((str,), "a text, a host's name or address"),
    "port": ((int,), "a number from 0 to 65535"),
    "unix": ((str,), "a text, the path of a socket"),
    "fd": ((str, int), "'systemd', or the number of a descriptor"),
    "processes": ((str, int), "a number from 1 on, or 'auto'"),
    "reuse-port": ((bool,), "true or false"),
    "loop": ((str,), "'asyncio' or 'uvloop'"),
    "tls-cert": ((str,), "a text, the path of a certificate"),
    "tls-key": ((str,), "a text, the path of a key"),
    "xheaders": ((bool,), "true or false"),
    "trusted": ((list,), "a list of addresses"),
    "access-log": ((str,), "'text', 'json' or 'off'"),
    "log-config": ((str,), "a text, the path of a file"),
    "reload": ((bool,), "true or false"),
    "grace": ((int, float), "a number of seconds, 0 or more"),
    "max-requests": ((int,), "a number from 1 on"),
    "health": ((int,), "a number from 0 to 65535"),
    "health-host": ((str,), "a text, a host's name or address"),
    "metrics": ((bool,), "true or false"),
}


def combine(given: Mapping[str, Any], table: Any, place: str) -> Config:
    """The options that were given, on those of the table, on the defaults.

    :raises SettingsError: the table has a key that is none, or a value that cannot be; or options do not go together.
    """
    config = Config(**{key.replace("-", "_"): value for key, value in _checked(table, place).items()})
    for name, value in given.items():
        if value is not None:
            setattr(config, name, value)
    # How to listen is one choice: what the command line says of it goes before all that the table says.
    for chosen in ("unix", "fd", "port"):
        if given.get(chosen) is not None:
            for other in {"unix", "fd", "port"} - {chosen}:
                setattr(config, other, given.get(other))
    _check(config)
    return config


def _checked(table: Any, place: str) -> dict[str, Any]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise SettingsError(f"{place}: a table is wanted, not {table!r}")
    for key, value in table.items():
        if key not in _KINDS:
            raise SettingsError(f"{place}: no key {key!r}; there are: {', '.join(_KINDS)}")
        types, words = _KINDS[key]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise SettingsError(f"{place}: {key} = {value!r}; it is {words}")
    return {key: str(value) if key == "fd" else value for key, value in table.items()}


def _check(config: Config) -> None:
    """Refuse what cannot be, each with its way out."""
    for name in ("processes", "port", "health", "grace", "max_requests", "loop", "access_log"):
        value = getattr(config, name)
        if value is not None and not _possible(name, value):
            key = name.replace("_", "-")
            raise SettingsError(f"--{key} {value}: it is {_KINDS[key][1]}")
    ways = [f"--{name}" for name in ("port", "unix", "fd") if getattr(config, name) is not None]
    if len(ways) > 1:
        raise SettingsError(f"{' and '.join(ways)}: one way to listen is wanted")
    if config.tls_key and not config.tls_cert:
        raise SettingsError("--tls-key: it needs --tls-cert, the certificate of that key")
    if config.trusted and not config.xheaders:
        raise SettingsError("--trusted: it needs --xheaders, which has the headers of proxies believed")
    if config.metrics and config.health is None:
        raise SettingsError("--metrics: it needs --health, a port where /metrics is answered")
    if config.reload and config.workers > 1:
        raise SettingsError("--reload: it restarts one process; leave --processes out while you develop")
    if config.reuse_port and (config.unix or config.fd):
        raise SettingsError("--reuse-port: it is for --port alone")
    if config.reuse_port and config.port == 0:
        raise SettingsError("--reuse-port: it needs a --port, for each process binds it anew")


def _possible(name: str, value: Any) -> bool:
    if name == "processes":
        return value == "auto" or (str(value).isdecimal() and int(value) >= 1)
    if name in ("port", "health"):
        return bool(0 <= value <= 65535)
    if name == "grace":
        return bool(0 <= value < float("inf"))
    if name == "max_requests":
        return bool(value >= 1)
    return value in (("asyncio", "uvloop") if name == "loop" else ("text", "json", "off"))
