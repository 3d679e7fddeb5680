"""Requests made up from an application's own routes and methods, when nothing was recorded.

For each route: a path that its pattern matches, and each method that its handler defines; besides, OPTIONS, a
method that it does not define, HTTP/1.0, a conditional request. A route that hangs is asked once.
At the end a path that no route has. The routes come from the running application (``program.py``), as :class:`Route`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tornado4.migrate.diff.model import Sequence, Step
from tornado4.migrate.diff.traffic.request import http_step, websocket_handshake

ORIGIN = "--crawl"

# What may stand for a group of a pattern; the first combination that the whole pattern takes is used.
_CANDIDATES = ("1", "abc", "index.html", "", "2016", "12", "a-b", "0a1b2c3d", "x/y", "user@example.com")
_MOST_GROUPS = 4


@dataclass(frozen=True)
class Route:
    """One route of an application, and what its handler defines."""

    pattern: str  # the regular expression, as given to Application
    methods: tuple[str, ...]  # "GET", "POST", ...
    handler: str  # "app.MainHandler"
    websocket: bool = False
    files: tuple[str, ...] = ()  # of a static route: what its groups may be


def crawl(routes: Iterable[Route]) -> tuple[list[Sequence], list[str]]:
    """(one sequence a route, notes about routes for which no path was found)."""
    sequences, notes = [], []
    for route in routes:
        paths = [path for path in (example_path(route.pattern, file) for file in route.files) if path is not None]
        if not paths:
            found = example_path(route.pattern)
            if found is None:
                notes.append(f"no path found for the route {route.pattern!r} ({route.handler})")
                continue
            paths = [found]
        steps = [step for path in paths for step in _steps(route, path)]
        sequences.append(Sequence(f"{route.pattern} ({route.handler})", tuple(steps), until_failure=True))
    sequences.append(Sequence("no route", (http_step("GET", "/no/such/page.tornado4-diff", origin=ORIGIN),)))
    return sequences, notes


def example_path(pattern: str, group: str | None = None) -> str | None:
    """A path that the pattern matches whole; None when none was found. ``group`` is what its first group shall be."""
    pieces = _pieces(pattern)
    if pieces is None:
        return None
    literals, groups = pieces
    try:
        whole = re.compile(pattern if pattern.endswith("$") else pattern + "$")
    except re.error:
        return None
    choices = [[*_spelled_out(text), *_CANDIDATES] for text in groups]
    if group is not None and choices:
        choices[0] = [group]
    for chosen in itertools.product(*choices):
        path = "".join(itertools.chain.from_iterable(itertools.zip_longest(literals, chosen, fillvalue="")))
        if whole.match(path) and path.startswith("/") and re.fullmatch(r"[\x21-\x7e]+", path):
            return path
    return None


def _spelled_out(group: str) -> list[str]:
    """``robots\\.txt`` and ``json|xml``: what a group may say outright."""
    return [re.sub(r"\\(\W)", r"\1", one) for one in group.split("|") if not re.search(r"[\[(*+?]|\\\w", one)]


def _pieces(pattern: str) -> tuple[list[str], list[str]] | None:
    """The text between a pattern's outermost groups, and those groups' own."""
    literals, groups, depth, at, start = [""], list[str](), 0, 0, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            if not depth:
                literals[-1] += pattern[at] if not pattern[at].isalnum() else {"d": "1", "w": "a"}.get(pattern[at], "")
        elif char == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                return None
            if not depth:  # a class outside a group is a group to us
                literals.append("")
                groups.append("")
            at = end
        elif char == "(":
            depth += 1
            start = at + 1 if depth == 1 else start
        elif char == ")":
            depth -= 1
            if not depth:
                literals.append("")
                groups.append(pattern[start:at])
        elif not depth:
            literals[-1] += _literal(char, pattern, at)
        at += 1
    return (literals, groups) if not depth and len(groups) <= _MOST_GROUPS else None


def _literal(char: str, pattern: str, at: int) -> str:
    if char in "^$?*+":
        return ""
    if char == ".":
        return "a"
    # "/?" at the end of many patterns: the path without the slash
    if pattern[at + 1 : at + 2] == "?" and at > 0:
        return ""
    return char


def _steps(route: Route, path: str) -> list[Step]:
    if route.websocket:
        return [websocket_handshake(path, origin=ORIGIN), http_step("GET", path, origin=ORIGIN, new_connection=True)]
    steps = [http_step(method, path, _form(method), _body(method), origin=ORIGIN) for method in _methods(route)]
    if "GET" in route.methods:
        steps += [
            http_step("GET", path + "?a=1&b=%C3%A9", origin=ORIGIN),
            http_step("GET", path, [("If-None-Match", "*")], name=f"GET {path} if none matches *", origin=ORIGIN),
            http_step("GET", path, [("Accept-Encoding", "gzip")], name=f"GET {path} as gzip", origin=ORIGIN),
            http_step("GET", path, name=f"GET {path} HTTP/1.0", origin=ORIGIN, new_connection=True, version="HTTP/1.0"),
        ]
    return steps


def _methods(route: Route) -> list[str]:
    """What it defines, safe ones first; and of the safe ones, those that it does not define."""
    order = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
    return [m for m in order if m in route.methods or m in ("GET", "HEAD", "OPTIONS")]


def _form(method: str) -> list[tuple[str, str]]:
    return [("Content-Type", "application/x-www-form-urlencoded")] if method in ("POST", "PUT", "PATCH") else []


def _body(method: str) -> bytes:
    return b"_xsrf=none&name=value" if method in ("POST", "PUT", "PATCH") else b""
