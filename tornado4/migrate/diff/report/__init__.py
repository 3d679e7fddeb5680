"""Shows a ``Run``: on the terminal while it goes on and after it, as JSON, JUnit XML, or one HTML page.

    shown = Terminal(sys.stdout)
    shown.start("app.py", old, new, total=120)     # None where nobody knows yet
    shown.step(verdict)                            # after each step
    shown.finish(run)                              # summary, then each difference beside its request
    path.write_text(to_json(run)), to_junit(run), to_html(run)
    shown.replayed(against(from_json(old_text), run))
    sys.exit(exit_code(run))

Each document depends on the run alone: no clock, no random order.

From the ground up: ``printable`` (safe text), ``summary`` (the counts), ``messages`` (an answer's parts), ``align``
(two texts side by side); on them ``json_report``, ``junit``, ``terminal``, ``replay`` and ``html`` with its ``view``.
"""

from __future__ import annotations

from tornado4.migrate.diff.report.html import to_html
from tornado4.migrate.diff.report.json_report import FORMAT, VERSION, ReportError, from_json, to_json
from tornado4.migrate.diff.report.junit import to_junit
from tornado4.migrate.diff.report.replay import Entry, Replay, Standing, against, steps_to_replay
from tornado4.migrate.diff.report.summary import Tally, exit_code
from tornado4.migrate.diff.report.terminal import Terminal

__all__ = [
    "FORMAT",
    "VERSION",
    "Entry",
    "Replay",
    "ReportError",
    "Standing",
    "Tally",
    "Terminal",
    "against",
    "exit_code",
    "from_json",
    "steps_to_replay",
    "to_html",
    "to_json",
    "to_junit",
]
