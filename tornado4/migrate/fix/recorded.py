"""What a profile says of the program that is being fixed: the facts of a run, at the nodes of today's trees.

A run knows functions, yields and calls by where they stood when it ran. A fix moves them, pass by pass. So each node is
taken back to its place in the file as it was: by the function it is in, and by which of its like it is there. Where
that function had more or fewer of them, nothing is known of the node.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tornado4.migrate import profile
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import FUNCTIONS, Function
from tornado4.migrate.fix.program import File, Program
from tornado4.migrate.profile import name_of, position

#: How many files a message names.
NAMED = 3

#: What became of a result for whose sake somebody waited.
WAITED = frozenset(("yielded", "awaited"))
#: The same for a function that the framework calls: a loop waits by a callback.
WAITED_BY_TORNADO = WAITED | {"callback"}


def read(paths: Iterable[Path], root: Path) -> profile.Profile:
    """Profiles of the program as it stands below ``root``, as one.

    :raises ProfileError: a file is none, or something that it tells of has changed since.
    """
    found = []
    for path in paths:
        one = profile.load(path)
        ensure_fresh(one, {name: profile.digest(root / name) for name in one["files"]}, str(path))
        found.append(one)
    return profile.merge(found)


def ensure_fresh(known: profile.Profile, digests: dict[str, str], source: str = "the profile") -> None:
    """:raises profile.ProfileError: a file is not the one that ran."""
    changed = [name for name, digest in sorted(digests.items()) if known["files"][name]["sha256"] != digest]
    if changed:
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        names = ", ".join(changed[:NAMED]) + more
        verb = "has" if len(changed) == 1 else "have"
        raise profile.ProfileError(
            f"{names} {verb} changed since {source} was recorded, so what it says counts no more: "
            "record a run of the program as it is now, into a new file (tornado4 run --migrate=record)"
        )


class Facts:
    """A profile, held against the files of a program before anything was changed."""

    def __init__(self, known: profile.Profile, files: dict[str, File]) -> None:
        read = {name: files[name] for name in known["files"] if name in files}
        if known["files"] and not read:
            names = ", ".join(sorted(known["files"])[:NAMED])
            raise profile.ProfileError(
                f"the profile tells of {names}, and none of its files is to be fixed: "
                "start tornado4 fix in the folder where the run was started"
            )
        digests = {name: hashlib.sha256(file.source.path.read_bytes()).hexdigest() for name, file in read.items()}
        ensure_fresh(known, digests)
        self.coverage: bool = known["coverage"]
        self._files: dict[str, Any] = known["files"]
        self._before = {name: _Places(file.tree) for name, file in read.items()}
        self._views: dict[Module, _View] = {}

    def _view(self, module: Module) -> _View | None:
        before = self._before.get(module.path)
        if before is None:
            return None
        view = self._views.get(module)
        if view is None:
            view = self._views[module] = _View(module, before)
        return view

    def function(self, module: Module, node: Function) -> dict[str, Any] | None:
        """What is known of a coroutine; None for one that has not run."""
        view = self._view(module)
        line = view.first_lines.get(node) if view is not None else None
        found: dict[str, Any] | None = self._files[module.path]["functions"].get(str(line)) if line else None
        return found if found is not None and found["name"].rpartition(".")[2] == node.name else None

    def kinds(self, module: Module, function: Function, node: ast.Yield) -> dict[str, int] | None:
        """What a yield in a function waited for, by kind; None for one that has not run."""
        known = self.function(module, function)
        place = self.place(module, node)
        kinds: dict[str, int] | None = known["yields"].get(place) if known is not None and place else None
        return kinds

    def place(self, module: Module, node: ast.expr) -> str | None:
        """Where a yield, a call or a string stood in its file, as `profile.position` has it."""
        view = self._view(module)
        return view.places.get(node) if view is not None else None

    def ran(self, module: Module, node: ast.expr) -> bool:
        """Whether a call by a coroutine's name, or a string that is one, has run. Needs a run on Python 3.12."""
        place = self.place(module, node)
        return place is not None and place in self._files[module.path]["ran"]

    def calls(self, module: Module, function: Function) -> dict[str, dict[str, int]]:
        """Where a coroutine was called, ``file:line:column``, and what became of its results."""
        return self._sites(module, function, "called_from")

    def handed(self, module: Module, function: Function) -> dict[str, dict[str, int]]:
        """The calls that gave the function itself to a loop."""
        return self._sites(module, function, "handed")

    def _sites(self, module: Module, function: Function, kind: str) -> dict[str, dict[str, int]]:
        known = self.function(module, function)
        if known is None:
            return {}
        found: dict[str, dict[str, int]] = {}
        for site, counts in known[kind].items():
            at = found.setdefault(self._exact(site, function.name), {})
            for name, count in counts.items():
                at[name] = at.get(name, 0) + count
        return found

    def _exact(self, site: str, name: str) -> str:
        """A site with the column, where a line alone was told and one call of that name stands in its statement."""
        file, _, line = site.partition(":")
        before = self._before.get(file)
        if before is None or ":" in line:
            return site
        places = before.calls_in_statement.get((int(line), name), [])
        return f"{file}:{places[0]}" if len(places) == 1 else site

    def node_at(self, program: Program, site: str) -> tuple[Module, ast.Call] | None:
        """The call that a site is today; None for one in a file that is not read, or that cannot be found again."""
        file, _, place = site.partition(":")
        if file not in self._before:
            return None
        module = program.module(file)
        view = self._view(module)
        assert view is not None
        node = view.nodes.get(f"call {place}")
        return (module, node) if isinstance(node, ast.Call) else None

    def tells_of(self, file: str) -> bool:
        """Whether a file was there when the run was recorded, and is to be fixed."""
        return file in self._before


def _first_line(node: Function) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


class _Places:
    """The yields, calls and strings of a tree, each with its like in the same function, in their order."""

    def __init__(self, tree: ast.Module) -> None:
        self.groups: dict[tuple[str, str], list[ast.expr]] = defaultdict(list)
        self.functions: dict[str, Function] = {}
        self.calls_in_statement: dict[tuple[int, str], list[str]] = defaultdict(list)
        waiting: list[tuple[ast.AST, str, int]] = [(tree, "", 0)]
        while waiting:
            node, inside, line = waiting.pop()
            if isinstance(node, ast.stmt):
                line = node.lineno
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                inside = self._entered(node, f"{inside}.{node.name}")
            kind = _like(node)
            if kind:
                assert isinstance(node, ast.expr)
                self.groups[(inside, kind)].append(node)
                if isinstance(node, ast.Call):
                    self.calls_in_statement[(line, name_of(node.func))].append(position(node))
            waiting += [(child, inside, line) for child in reversed([*ast.iter_child_nodes(node)])]

    def _entered(self, node: Function | ast.ClassDef, name: str) -> str:
        """The name of a function or class, one that no other in the tree has."""
        number, own = 1, name
        while own in self.functions:
            number += 1
            own = f"{name}-{number}"
        if not isinstance(node, ast.ClassDef):
            self.functions[own] = node
        return own


def _like(node: ast.AST) -> str:
    """What makes two nodes alike: the kind, and what is yielded or called, or a string's text.

    A fix makes ``await`` of ``yield`` within.
    """
    if isinstance(node, ast.Yield):
        return f"yield {_dumped(node.value)}"
    if isinstance(node, ast.Call):
        return f"call {_dumped(node.func)}"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return f"string {node.value}"
    return ""


def _dumped(node: ast.expr | None) -> str:
    return "" if node is None else ast.dump(node).replace("Await(", "Yield(")


class _View:
    """A module as it is now: its nodes, by where they stood before."""

    def __init__(self, module: Module, before: _Places) -> None:
        now = _Places(module.tree)
        known = before.functions
        self.first_lines = {node: _first_line(known[name]) for name, node in now.functions.items() if name in known}
        self.places: dict[ast.expr, str] = {}
        self.nodes: dict[str, ast.expr] = {}
        for key, group in now.groups.items():
            former = before.groups.get(key, [])
            if len(former) == len(group):
                for node, then in zip(group, former, strict=True):
                    self.places[node] = position(then)
                    self.nodes[f"{key[1].partition(' ')[0]} {position(then)}"] = node
