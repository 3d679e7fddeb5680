"""The chart of benchmarks/README.md, drawn from a run: ``python -m benchmarks.chart [FILE] > chart.svg``

One row a point, one mark a peer, on a logarithmic scale: how many times tornado4's cost it takes there. Left of the
line is cheaper than tornado4.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.environments import OURS
from benchmarks.results import Results

RESULTS = Path(__file__).with_name("results-3.13.json")
#: By peer: colour, and shape. Two marks are told apart without colour, too.
MARKS = {
    "Tornado 4.5.3": ("#c2410c", "circle"),
    "Tornado 6": ("#2563eb", "square"),
    "aiohttp": ("#15803d", "up"),
    "uvicorn": ("#9333ea", "down"),
    "streams on uvloop": ("#a16207", "diamond"),
    "raw asyncio": ("#6b7280", "bar"),
    "raw uvloop": ("#111827", "bar"),
}
WIDTH, LEFT, TOP, ROW = 960, 270, 78, 22
LOW, HIGH = 1 / 32, 16.0


def place(ratio: float) -> float:
    share = (math.log(min(max(ratio, LOW), HIGH)) - math.log(LOW)) / (math.log(HIGH) - math.log(LOW))
    return LEFT + share * (WIDTH - LEFT - 24)


def mark(peer: str, x: float, y: float, said: str) -> str:
    colour, shape = MARKS[peer]
    draw = {
        "circle": f'<circle cx="{x:.1f}" cy="{y}" r="5"',
        "square": f'<rect x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"',
        "up": f'<path d="M{x:.1f} {y - 6}l6 10h-12z"',
        "down": f'<path d="M{x:.1f} {y + 6}l6 -10h-12z"',
        "diamond": f'<path d="M{x:.1f} {y - 6}l6 6l-6 6l-6 -6z"',
        "bar": f'<rect x="{x - 1.5:.1f}" y="{y - 7}" width="3" height="14"',
    }[shape]
    return f'{draw} fill="{colour}" fill-opacity="0.85"><title>{escape(said)}</title></{draw[1 : draw.index(" ")]}>'


def draw(results: Results) -> str:
    points = [point for point, figures in results.points.items() if OURS in figures and len(figures) > 1]
    height = TOP + ROW * len(points) + 34
    bottom = height - 28
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="22" font-size="15" font-weight="bold">Cost, as a multiple of tornado4\'s</text>',
        f'<text x="12" y="40" fill="#4b5563">{escape(results.title)}</text>',
    ]
    x = 12.0
    for peer in (peer for peer in MARKS if peer in results.peers()):
        lines += [mark(peer, x + 6, 57, peer), f'<text x="{x + 17:.0f}" y="61">{peer}</text>']
        x += 34 + 6.6 * len(peer)
    tick = LOW
    while tick <= HIGH:
        at = place(tick)
        style = 'stroke="#111827" stroke-width="1.5"' if tick == 1 else 'stroke="#e5e7eb"'
        lines.append(f'<path d="M{at:.1f} {TOP - 6}V{bottom}" {style}/>')
        shown = f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}"
        lines.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#4b5563">{shown}</text>')
        tick *= 2
    for number, point in enumerate(points):
        y = TOP + ROW * number + 8
        ours = results.median(point, OURS)
        assert ours is not None
        lines.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(point)}</text>')
        for peer in (peer for peer in MARKS if peer in results.points[point]):
            theirs = results.median(point, peer)
            assert theirs is not None
            said = f"{peer}, {point}: {theirs / ours:.2f} times tornado4's {ours:.3g} {results.units[point]}"
            lines.append(mark(peer, place(theirs / ours), y, said))
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(draw(Results.load(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS)))
