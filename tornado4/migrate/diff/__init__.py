"""The old Tornado beside tornado4: the same program under both, and where they differ.

The rooms:

    environments   a Python with the old Tornado in it, found or made
    sides          one program in a process of its own, under the one or the other; raw exchanges with a server
    answers        what of an answer must be equal
    scenarios      one Python scenario run under both, step by step
    launcher       what runs inside those processes; never imported
"""

from __future__ import annotations

from tornado4.migrate.diff.answers import comparable, stable, stable_log
from tornado4.migrate.diff.environments import (
    Environment,
    EnvironmentUnavailable,
    cache_folder,
    environment,
    find_native_python,
)
from tornado4.migrate.diff.scenarios import Scenario, Transcript, scenario_of, transcript, transcripts
from tornado4.migrate.diff.sides import (
    HALF_CLOSE,
    Answer,
    ServerSide,
    SideFailed,
    SideProcess,
    exchange_all,
    side_by_side,
)
from tornado4.util import set_public_module

__all__ = [
    "HALF_CLOSE",
    "Answer",
    "Environment",
    "EnvironmentUnavailable",
    "Scenario",
    "ServerSide",
    "SideFailed",
    "SideProcess",
    "Transcript",
    "cache_folder",
    "comparable",
    "environment",
    "exchange_all",
    "find_native_python",
    "scenario_of",
    "side_by_side",
    "stable",
    "stable_log",
    "transcript",
    "transcripts",
]

set_public_module(globals(), __name__)
