"""Answers to questions that ask one another, in circles too, each worked out once.

``x = y`` and ``y = x or IOLoop()``: what ``x`` stands for asks for ``y``, which asks for ``x``. Who is asked within
its own answer answers nothing, so that what is worked out on the way is good for that circle alone: it is kept until
the question that opened the circle is answered, and forgotten then. Without that, a name that is bound a hundred times
to what depends on itself takes as long as there are ways through it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

#: How deep questions may go. An answer that was cut off is not kept.
DEPTH = 60


class Answers:
    """What is known so far."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Any, ...]] = {}
        self._passing: dict[Hashable, tuple[tuple[Any, ...], int]] = {}
        self._open: dict[Hashable, int] = {}
        #: For each open question, the outermost one (by its depth) on whose missing answer it has leaned; its own
        #: depth where on none.
        self._leans: list[int] = []

    def once(self, question: Hashable, work_out: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        """The answer, worked out if it is not known; empty within its own working out."""
        known = self._known.get(question)
        if known is not None:
            return known
        passing = self._passing.get(question)
        if passing is not None:
            self._lean(passing[1])
            return passing[0]
        depth = self._open.get(question)
        if depth is not None:
            self._lean(depth)
            return ()
        depth = len(self._open)
        if depth > DEPTH:
            self._lean(-1)
            return ()
        return self._work_out(question, work_out, depth)

    def _work_out(self, question: Hashable, work_out: Callable[[], tuple[Any, ...]], depth: int) -> tuple[Any, ...]:
        before = len(self._passing)
        self._open[question] = depth
        self._leans.append(depth)
        try:
            answer = work_out()
        finally:
            leans = self._leans.pop()
            del self._open[question]
        if leans >= depth:
            self._known[question] = answer
            self._forget(before)
        elif depth:
            self._passing[question] = answer, leans
            self._lean(leans)
        else:
            self._forget(0)
        return answer

    def _lean(self, depth: int) -> None:
        if self._leans:
            self._leans[-1] = min(self._leans[-1], depth)

    def _forget(self, kept: int) -> None:
        while len(self._passing) > kept:
            self._passing.popitem()
