"""The real Tornado, as a test dependency: the product's own machinery, with its things kept in ``.cache/oracle``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tornado4.migrate.diff import environments
from tornado4.migrate.diff.environments import Environment as Oracle
from tornado4.migrate.diff.environments import EnvironmentUnavailable as OracleUnavailable
from tornado4.migrate.diff.environments import find_native_python

__all__ = ["CACHE", "TOP", "Oracle", "OracleUnavailable", "find_native_python", "locked", "oracle", "sdist"]

TOP = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("TORNADO4_ORACLE_CACHE") or TOP / ".cache" / "oracle")


def sdist(version: str = "4.5.3") -> Path:
    """The folder of Tornado's unpacked source distribution, for its own tests and demos."""
    return environments.sdist(version, CACHE)


def oracle(version: str = "4.5.3") -> Oracle:
    """The real Tornado of that version, ready to run in a process of its own."""
    return environments.environment(version, cache=CACHE)


def locked(name: str) -> contextlib.AbstractContextManager[None]:
    """Two test runs side by side make each thing once."""
    return environments.locked(name, CACHE)
