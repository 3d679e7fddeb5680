"""Logging, as the options want it: ``--access-log text|json|off`` and ``--log-config``."""

from __future__ import annotations

import json
import logging
import logging.config
import re
import sys
import time
from typing import Any

from tornado4.log import LogFormatter, access_log
from tornado4.migrate.settings import SettingsError
from tornado4.serve.config import Config

#: What `RequestHandler._request_summary` returns, where nobody has overridden it.
_SUMMARY = re.compile(r"(?P<method>\S+) (?P<uri>.*) \((?P<remote_ip>[^()]*)\)", re.DOTALL)


class JSONFormatter(logging.Formatter):
    """A line of JSON for each record.

    ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``pid``; of a request ``status``, ``method``, ``uri``,
    ``remote_ip`` and ``duration`` (seconds), of all else ``message`` and, with an exception, ``traceback``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line. Non-ASCII characters are escaped, so that nothing can pass for a line's end."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, Any] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        args = record.args
        if record.name == access_log.name and isinstance(args, tuple) and len(args) == 3:
            status, summary, milliseconds = args
            found = _SUMMARY.fullmatch(str(summary))
            fields["status"] = status
            fields |= found.groupdict() if found else {"summary": str(summary)}
            fields["duration"] = round(float(str(milliseconds)) / 1000, 6)
        else:
            fields["message"] = record.getMessage()
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def configure(config: Config) -> None:
    """Set logging up, before the application is imported: what it sets up itself comes after, and holds.

    :raises SettingsError: the file of --log-config cannot be used.
    """
    root = logging.getLogger()
    if config.log_config is not None:
        _from_file(config.log_config)
    else:
        root.setLevel(logging.INFO)
        handler = logging.StreamHandler()
        handler.setFormatter(LogFormatter())
        root.addHandler(handler)
    if config.access_log == "off":
        access_log.disabled = True
    elif config.access_log == "json":
        lines = logging.StreamHandler(sys.stdout)
        lines.setFormatter(JSONFormatter())
        access_log.addHandler(lines)
        access_log.propagate = False


def _from_file(path: str) -> None:
    from configparser import Error

    try:
        if path.endswith((".json", ".toml")):
            logging.config.dictConfig(_read(path))
        else:
            logging.config.fileConfig(path, disable_existing_loggers=False)
    # configparser's own come through until 3.11.4; then they are RuntimeErrors.
    except (OSError, ValueError, TypeError, AttributeError, ImportError, KeyError, RuntimeError, Error) as error:
        raise SettingsError(f"--log-config {path}: {error}") from None


def _read(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        if path.endswith(".json"):
            found = json.load(file)
        else:
            import tomllib

            found = tomllib.load(file)
    if not isinstance(found, dict):
        raise ValueError("a table is wanted")
    # By default dictConfig silences all loggers that are there already, ours and Tornado's among them.
    return {"disable_existing_loggers": False, **found}
