"""A run as one HTML page that needs nothing else: no server, no network, no other file.

``page.html`` is a template (`tornado4.template`), ``page.css`` and ``page.js`` are put into it. The run's data are in
it as JSON: one list of all steps, and a block a step that is parsed when the step is opened, so that a thousand steps
open as quickly as ten.

What strangers' bytes can do to the page: nothing. The JSON has no ``<``, ``>`` or ``&``, so that no block can end early
or open a comment; the script makes text nodes and never markup; and the page's own policy (CSP) lets only this very
script run, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tornado4 import template
from tornado4.migrate.diff.model import Outcome, Run
from tornado4.migrate.diff.report import times, view
from tornado4.migrate.diff.report.printable import one_line
from tornado4.migrate.diff.report.summary import Tally, plural

_HERE = Path(__file__).parent
_DEVIATION = re.compile(r"[A-Z][A-Z0-9.]*(-[A-Z0-9.]+)+")
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
_SIGNS = {Outcome.DIFFERENT: "≠", Outcome.IGNORED: "≈", Outcome.UNTESTED: "?", Outcome.SAME: "="}


def to_html(run: Run, deviations_url: str = "") -> str:
    """The page. The same run always gives the same text.

    ``deviations_url`` is where docs/deviations.md can be read: with it, a deviation links to its row there, too.
    """
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    tally = Tally.of(run.verdicts)
    steps = [view.entry(run, verdict) for verdict in run.verdicts]
    page = template.Loader(str(_HERE)).load("page.html")
    html: bytes = page.generate(
        app=one_line(run.app),
        old=one_line(run.old),
        new=one_line(run.new),
        summary=f"{plural(tally.steps, 'step')} in {run.seconds:.1f} s",
        verdict=_sentence(tally),
        good=tally.steps and not tally.different,
        counts=[
            (outcome.name.lower(), outcome.value, _SIGNS[outcome], getattr(tally, outcome.name.lower()))
            for outcome in _SIGNS
        ],
        bar=_bar(tally),
        times=[one_line(line) for line in times.summary(run)],
        slower=[(one.number, one_line(one.step.name), times.shown(run, one)) for one, _, _ in times.slower(run)],
        factor=f"{run.slower:g}",
        failures=tally.failures,
        kinds=[(kind.value, number) for kind, number in tally.by_kind()],
        rules=_rules(run, tally, deviations_url),
        style=style,
        script=script,
        policy=f"{POLICY}; style-src {policy_hash(style)}; script-src {policy_hash(script)}",
        skipped=f"{plural(run.skipped, 'step')} with unsafe methods left out" if run.skipped else "",
        notes=[one_line(note) for note in run.notes],
        index=embedded({"sides": [one_line(side) for side in run.sides], "steps": steps}),
        blocks=[(verdict.number, embedded(view.details(run, verdict))) for verdict in run.verdicts],
    )
    return html.decode("utf-8")


def embedded(value: Any) -> str:
    """JSON for a script element: ASCII, and without the characters that HTML would look at."""
    text = json.dumps(value, separators=(",", ":"))
    # In JSON these three occur within strings only, where an escape says the same.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy_hash(text: str) -> str:
    """How a page's policy names a script or style that may be in it (CSP, 8.3)."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _sentence(tally: Tally) -> str:
    if not tally.steps:
        return "Nothing was compared."
    if tally.different:
        verb = "differs" if tally.different == 1 else "differ"
        return f"{plural(tally.different, 'step')} of {tally.steps:,} {verb}."
    if tally.untested:
        return "No difference was found, but some steps failed alike on both sides and compared nothing."
    if tally.ignored:
        return "No difference but what is ignored, each by a rule."
    return "No difference at all."


def _bar(tally: Tally) -> list[tuple[str, float, float]]:
    """Outcome, start and width of each part of the bar, in percent. What is there is seen: at least one percent of
    it."""
    numbers = [(outcome.name.lower(), getattr(tally, outcome.name.lower())) for outcome in _SIGNS]
    widths = [(name, max(100 * number / tally.steps, 1.0)) for name, number in numbers if number]
    scale = 100 / sum(width for _, width in widths) if widths else 1
    parts, start = [], 0.0
    for name, width in widths:
        parts.append((name, round(start, 2), round(width * scale, 2)))
        start += width * scale
    return parts


def _parts(text: str) -> list[tuple[str, bool]]:
    """A text of the table of deviations, which is Markdown: what stands between backticks is code."""
    return [(part, bool(index % 2)) for index, part in enumerate(one_line(text).split("`")) if part]


def _rules(run: Run, tally: Tally, deviations_url: str) -> list[tuple[str, list[tuple[str, bool]], int, str]]:
    """Name, meaning, steps and link of each rule; those that explained nothing this time stand last."""
    known = {**tally.rules, **{rule: tally.rules.get(rule, 0) for rule in run.rules}}
    busiest_first = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    return [
        (one_line(rule), _parts(run.rules.get(rule, "")), number, _row_link(rule, deviations_url))
        for rule, number in busiest_first
    ]


def _row_link(rule: str, deviations_url: str) -> str:
    """The row of a deviation (``WIRE-400``) in the table; nothing for any other rule."""
    if not deviations_url or not _DEVIATION.fullmatch(rule):
        return ""
    # A text fragment, since rows of a table have no names to link to; a dash has a meaning there.
    return f"{deviations_url}#:~:text={rule.replace('-', '%2D')}"
