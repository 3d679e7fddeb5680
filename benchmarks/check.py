"""``--check``: is a point worse than it was?

Two things have to agree that it is, each measured in this run, each by more than its own noise: the ratio to the base
commit is above 1, and the ratio to raw asyncio above the one that ``ratios.json`` in the tree has for this Python. One
alone may be the machine. A point that raw asyncio does not serve is judged by the base commit alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.environments import OURS, RAW_ASYNCIO
from benchmarks.results import Results, ratio

RATIOS = Path(__file__).with_name("ratios.json")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def load() -> dict[str, float]:
    """What the tree has for this Python: by point, how many times the cost of raw asyncio."""
    found: dict[str, dict[str, float]] = json.loads(RATIOS.read_text()) if RATIOS.exists() else {}
    return found.get(VERSION, {})


def record(results: Results) -> None:
    """Write the ratios of a run into the tree."""
    found = json.loads(RATIOS.read_text()) if RATIOS.exists() else {}
    mine = found.setdefault(VERSION, {})
    for point, figures in results.points.items():
        if OURS in figures and RAW_ASYNCIO in figures:
            mine[point] = round(ratio(figures[OURS], figures[RAW_ASYNCIO]).value, 3)
    RATIOS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def failures(results: Results, base: str, known: dict[str, float]) -> tuple[list[str], list[str]]:
    """(a line for each point, the names of those that are worse)."""
    lines, worse = [], []
    for point, figures in results.points.items():
        if OURS not in figures or base not in figures:
            continue
        to_base = ratio(figures[OURS], figures[base])
        slower = to_base.value / to_base.noise > 1
        line = f"{point}: {to_base} of {base}"
        if RAW_ASYNCIO in figures:
            to_raw = ratio(figures[OURS], figures[RAW_ASYNCIO])
            before = known.get(point)
            line += f", {to_raw} of raw asyncio"
            if before is not None:
                line += f" (the tree's: {before:.2f})"
                slower = slower and to_raw.value / to_raw.noise > before
        if slower:
            worse.append(point)
        lines.append(("WORSE  " if slower else "       ") + line)
    return lines, worse
