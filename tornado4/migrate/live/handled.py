"""What the lines around a place do with an exception: read from the source, once for each place.

Some rules are about an exception of another type. Code that is ready for both is done with them.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterable

from tornado4.migrate.live.places import Place


def caught(place: Place, names: Iterable[str]) -> bool:
    """Whether a ``try`` around the place catches one of these exceptions, by the last part of the name."""
    wanted = frozenset(names)
    return any(wanted & clause for clauses in clauses_around(place.file, place.line) for clause in clauses)


@functools.lru_cache(maxsize=4096)
def clauses_around(file: str, line: int) -> tuple[tuple[frozenset[str], ...], ...]:
    """The ``except`` clauses of each ``try`` whose body has the line, innermost first; each as names of exceptions.

    A bare ``except`` is BaseException. Without the source there are none.
    """
    found: list[tuple[int, tuple[frozenset[str], ...]]] = []
    for first, last, start, clauses in _tries(file):
        if first <= line <= last:
            found.append((start, clauses))
    found.sort(key=lambda each: -each[0])
    return tuple(clauses for _, clauses in found)


@functools.lru_cache(maxsize=256)
def _tries(file: str) -> tuple[tuple[int, int, int, tuple[frozenset[str], ...]], ...]:
    source = "".join(linecache.getlines(file))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    return tuple(
        (
            node.body[0].lineno,
            node.body[-1].end_lineno or node.body[-1].lineno,
            node.lineno,
            tuple(_names(handler.type) for handler in node.handlers),
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
    )


def _names(node: ast.expr | None) -> frozenset[str]:
    if node is None:
        return frozenset(("BaseException",))
    if isinstance(node, ast.Tuple):
        return frozenset().union(*map(_names, node.elts))
    return frozenset((ast.unparse(node).rpartition(".")[2],))
