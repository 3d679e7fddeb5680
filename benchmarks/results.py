"""What a run has found: figures by point and peer, one a round; and what can be said of them."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path

#: Of Student's t, two-sided, 95 %, by degrees of freedom; for more than the last, about two.
_T = [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14]

Figures = dict[str, list[float]]


@dataclass
class Results:
    """``points`` by name, then by peer, in the order in which they were measured."""

    title: str = ""
    units: dict[str, str] = field(default_factory=dict)
    points: dict[str, Figures] = field(default_factory=dict)

    def add(self, point: str, unit: str, peer: str, figure: float) -> None:
        self.units[point] = unit
        self.points.setdefault(point, {}).setdefault(peer, []).append(figure)

    def peers(self) -> list[str]:
        return list(dict.fromkeys(peer for figures in self.points.values() for peer in figures))

    def median(self, point: str, peer: str) -> float | None:
        figures = self.points.get(point, {}).get(peer)
        return statistics.median(figures) if figures else None

    def save(self, path: Path) -> None:
        rounded = {
            point: {peer: [float(f"{figure:.4g}") for figure in row] for peer, row in figures.items()}
            for point, figures in self.points.items()
        }
        path.write_text(json.dumps({"title": self.title, "units": self.units, "points": rounded}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        return cls(**json.loads(path.read_text()))


@dataclass(frozen=True)
class Ratio:
    """How many times one figure is the other: the middle of the rounds' ratios, and how far that may be off.

    ``noise`` is half the 95 % interval, as a factor: 1.05 is five per cent either way.
    """

    value: float
    noise: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.value * (self.noise - 1):.2f}"


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Rounds are pairs: what disturbs one round disturbs both of its figures."""
    logs = [math.log(a / b) for a, b in zip(ours, theirs, strict=True)]
    if len(logs) < 2:
        return Ratio(math.exp(logs[0]), math.inf)
    t = _T[len(logs) - 2] if len(logs) - 2 < len(_T) else 2.0
    spread = t * statistics.stdev(logs) / math.sqrt(len(logs))
    return Ratio(math.exp(statistics.mean(logs)), math.exp(spread))


def by_python(runs: dict[str, Results], ours: str, peers: list[str]) -> list[str]:
    """A table of how many times what ``ours`` takes these peers take, on each Python; in Markdown."""
    columns = [(peer, version) for peer in peers for version in runs]
    lines = [["times " + ours + "'s", *(f"{peer}, {version}" for peer, version in columns)]]
    for point in next(iter(runs.values())).points:
        line = [point]
        for peer, version in columns:
            theirs, of = (runs[version].median(point, name) for name in (peer, ours))
            line.append(f"{theirs / of:.2f}" if theirs and of else "-")
        if set(line[1:]) != {"-"}:
            lines.append(line)
    return rows(lines, markdown=True)


def table(results: Results, names: list[str], points: list[str], markdown: bool, ratios: bool = False) -> list[str]:
    """Medians, or what each peer's is of the first one's."""
    first, *others = names
    heads = ["times " + first + "'s", *others] if ratios else ["median of the rounds", "unit", *names]
    lines = [heads]
    for point in points:
        if ratios:
            base = results.median(point, first)
            shares = [(results.median(point, name), base) for name in others]
            lines.append([point, *(f"{figure / of:.2f}" if figure and of else "-" for figure, of in shares)])
        else:
            lines.append([point, results.units[point], *(shown(results.median(point, name)) for name in names)])
    return rows(lines, markdown)


def rows(lines: list[list[str]], markdown: bool) -> list[str]:
    """Lines of cells as text, the first line being the head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(aligned(line, widths)).rstrip() for line in lines]
    if markdown:
        text = ["| " + " | ".join(aligned(line, widths)) + " |" for line in lines]
        text.insert(1, "|" + "|".join("-" * (width + 1) + (":" if i else "-") for i, width in enumerate(widths)) + "|")
    return text


def shown(figure: float | None) -> str:
    """Three digits, none of them invented."""
    return "-" if figure is None else f"{figure:.3g}" if figure < 100 else f"{figure:.0f}"


def aligned(line: list[str], widths: list[int]) -> list[str]:
    """Names to the left, figures to the right."""
    cells = zip(line, widths, strict=True)
    return [cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(cells)]
