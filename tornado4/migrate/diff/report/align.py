"""Two texts side by side: which lines belong together, and which parts of a changed line changed.

A `Row` is what the page shows in one row: equal lines stand in it once. Work is bounded, since bodies are strangers':
texts that are too long to be compared are paired line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

_MOST_PAIRS = 1_000_000  # lines of one side times lines of the other that are compared in full
_LONGEST_LINE = 4_000  # characters within which changed parts are looked for
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")

Segment = tuple[str, bool]  # text, and whether it is a changed part


@dataclass(frozen=True)
class Row:
    """One line of each side; None where a side has none. ``equal`` says they are the same line."""

    old: tuple[Segment, ...] | None
    new: tuple[Segment, ...] | None

    @property
    def equal(self) -> bool:
        return self.old == self.new

    @property
    def texts(self) -> tuple[str, str]:
        """Both lines as they were."""
        old, new = ("".join(text for text, _ in side or ()) for side in (self.old, self.new))
        return old, new


def rows(old: Sequence[str], new: Sequence[str]) -> list[Row]:
    """Align the lines of two texts."""
    return [_row(before, after) for before, after in _pairs(old, new)]


def row(old: str | None, new: str | None) -> Row:
    """One row of two lines that belong together."""
    return _row(old, new)


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    yield from zip(old[:start], new[:start], strict=True)
    if len(middle_old) * len(middle_new) > _MOST_PAIRS:
        yield from zip_longest(middle_old, middle_new)
    else:
        for tag, i, j, k, m in SequenceMatcher(None, middle_old, middle_new, autojunk=False).get_opcodes():
            assert tag in ("equal", "replace", "delete", "insert")
            yield from zip_longest(middle_old[i:j], middle_new[k:m])
    yield from zip(old[len(old) - end :], new[len(new) - end :], strict=True)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        count += 1
    return count


def _row(old: str | None, new: str | None) -> Row:
    if old is None or new is None or old == new:
        return Row(*(None if side is None else ((side, False),) for side in (old, new)))
    if len(old) > _LONGEST_LINE or len(new) > _LONGEST_LINE:
        return Row(((old, True),), ((new, True),))
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.3:  # hardly anything in common: marks here and there would only confuse
        return Row(((old, True),), ((new, True),))
    left: list[Segment] = []
    right: list[Segment] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        left.append(("".join(before[i:j]), tag != "equal"))
        right.append(("".join(after[k:m]), tag != "equal"))
    return Row(*(tuple(segment for segment in side if segment[0]) for side in (left, right)))
