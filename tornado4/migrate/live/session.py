"""One run of the ledger in this process: `start`, `stop`, and what happens at the end."""

from __future__ import annotations

import atexit
import importlib
from typing import Any

from tornado4.migrate.live import recording
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches
from tornado4.migrate.live.wanted import Wanted, WantedError, read

#: The areas, in the order in which they are put in place; each has an ``install(patches, ledger)``.
AREAS = (
    "futures",
    "loops",
    "coroutines",
    "contexts",
    "handlers",
    "clients",
    "streams",
    "sockets",
    "forms",
    "waits",
    "cases",
)

_running: Session | None = None


class Session:
    """What is in place, and its ledger."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.ledger = Ledger(wanted)
        self.patches = Patches()
        self.recorder: Any = None
        try:
            for area in AREAS:
                importlib.import_module(f"tornado4.migrate.live.{area}").install(self.patches, self.ledger)
            if wanted.mode == "record":
                self.recorder = recording.install(self.patches, self.ledger)
        except BaseException:
            self.patches.undo()
            raise
        atexit.register(self.finish)

    def finish(self) -> None:
        """The summary, and the files; called at exit and by `stop`."""
        atexit.unregister(self.finish)
        if self.recorder is not None and self.ledger.is_mine:
            self.recorder.write(self.wanted.profile)
        self.ledger.finish()


def start(wanted: Wanted | str, **options: Any) -> Ledger:
    """Begin: ``start("warn")``, ``start("warn", packages=True, report="migrate.json")``, or a `Wanted`.

    :raises WantedError: no such mode or option.
    :raises RuntimeError: it was begun already; `stop` ends it.
    """
    global _running
    if isinstance(wanted, str):
        asked = read({"mode": wanted, **options}, "tornado4.migrate.live.start")
        if asked is None:
            raise WantedError("tornado4.migrate.live.start: a mode is wanted")
        wanted = asked
    if _running is not None:
        raise RuntimeError("tornado4.migrate.live runs already; stop() ends it")
    _running = Session(wanted)
    return _running.ledger


def stop(*, quietly: bool = False) -> Ledger | None:
    """End it, put all back, and give the summary (``quietly``: without); the ledger, None where nothing ran."""
    global _running
    session, _running = _running, None
    if session is None:
        return None
    session.patches.undo()
    if quietly:
        atexit.unregister(session.finish)
        if session.recorder is not None and session.ledger.is_mine:
            session.recorder.write(session.wanted.profile)
    else:
        session.finish()
    return session.ledger


def running() -> Ledger | None:
    """The ledger of what runs, or None."""
    return None if _running is None else _running.ledger
