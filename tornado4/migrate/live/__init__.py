"""The running program tells what Tornado 6 would do otherwise: ``tornado4 run --migrate=warn|error|record``.

``warn`` gives one warning for each rule and place, at the line of the program that does it; ``error`` raises there what
Tornado 6 raises, and `SilentChange` where it would say nothing; ``record`` writes down what ran, for later.

    from tornado4.migrate import live

    live.start("warn")          # before the program's own imports
    ...
    live.stop()

Until `start` nothing of this exists: the functions of the framework are its own. `start` puts others into their
places, area by area (``futures``, ``loops``, ``coroutines``, ``contexts``, ``handlers``, ``clients``, ``streams``,
``sockets``, ``forms``, ``cases``, ``waits``); they find the line (``places``), and tell the ``Ledger``, which warns,
raises and counts. `stop` puts all of it back.
"""

from __future__ import annotations

from tornado4.migrate.live.categories import (
    SilentChange,
    Tornado6Deprecated,
    Tornado6Info,
    Tornado6Raises,
    Tornado6Silent,
    Tornado6Style,
    Tornado6Warning,
)
from tornado4.migrate.live.session import running, start, stop
from tornado4.migrate.live.wanted import MODES, Wanted, WantedError

__all__ = [
    "MODES",
    "SilentChange",
    "Tornado6Deprecated",
    "Tornado6Info",
    "Tornado6Raises",
    "Tornado6Silent",
    "Tornado6Style",
    "Tornado6Warning",
    "Wanted",
    "WantedError",
    "running",
    "start",
    "stop",
]
