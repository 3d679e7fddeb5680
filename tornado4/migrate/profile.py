"""Profiles: what ``--migrate=record`` writes down of a run, so that a rewrite can go by what a program really does.

Facts only, never a value: which coroutines ran, where each was called and what became of its result, what each
``yield`` waited for (names of types), and which lines have not run. JSON; docs/migrate.md describes the form.

    tornado4 profile tornado4-profile.json                   # what it covers, and which files have changed since
    tornado4 profile one.json two.json --output both.json    # several runs in one

A run proves only what ran: ``yields_not_run`` and ``not_run`` say what did not.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

#: The version of the form. A file of another one is refused.
SCHEMA = 2

Profile: TypeAlias = dict[str, Any]


class ProfileError(ValueError):
    """A file that is no profile, or one of another version."""


def empty() -> Profile:
    """A profile of no run."""
    return {"schema": SCHEMA, "runs": 0, "coverage": False, "files": {}}


def load(path: Path) -> Profile:
    """Read a profile.

    :raises ProfileError: it cannot be read, or is none, or of another version.
    """
    try:
        profile = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path}: {error}") from None
    if not isinstance(profile, dict) or "files" not in profile:
        raise ProfileError(f"{path} is no profile of tornado4")
    if profile.get("schema") != SCHEMA:
        raise ProfileError(f"{path}: schema {profile.get('schema')!r}; this tornado4 reads {SCHEMA}: record it anew")
    return profile


def save(profile: Profile, path: Path) -> None:
    """Write a profile."""
    path.write_text(json.dumps(profile, indent=1, sort_keys=True) + "\n", "utf-8")


def digest(path: Path) -> str:
    """What tells whether a file is the one that ran: SHA-256, in hex; "" for one that cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def stale(profile: Profile, root: Path) -> list[str]:
    """The files below ``root`` that have changed, or gone, since they ran."""
    return [name for name, file in sorted(profile["files"].items()) if digest(root / name) != file["sha256"]]


def merge(profiles: Iterable[Profile]) -> Profile:
    """Several runs as one, in the order in which they ran.

    Of a file that has changed between, the last counts: what earlier runs say of it goes, its calls of others included.
    """
    merged = empty()
    for profile in profiles:
        merged["runs"] += profile["runs"]
        merged["coverage"] = merged["coverage"] or profile["coverage"]
        files = merged["files"]
        changed = {
            name for name, file in profile["files"].items() if files.get(name, file)["sha256"] != file["sha256"]
        }
        for file in files.values() if changed else ():
            _forget_calls_from(file, changed)
        for name, file in profile["files"].items():
            same = name in files and name not in changed
            files[name] = _merged_file(files[name], file) if same else json.loads(json.dumps(file))
    return merged


def _forget_calls_from(file: dict[str, Any], changed: set[str]) -> None:
    for function in file["functions"].values():
        for kind in ("called_from", "handed"):
            function[kind] = {site: n for site, n in function[kind].items() if site.partition(":")[0] not in changed}


def _merged_file(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    functions = dict(one["functions"])
    for line, function in other["functions"].items():
        known = functions.get(line)
        if known is None:
            functions[line] = function
            continue
        functions[line] = known | {
            "calls": known["calls"] + function["calls"],
            "called_from": _summed(known["called_from"], function["called_from"]),
            "handed": _summed(known["handed"], function["handed"]),
            "outside": sorted({*known["outside"], *function["outside"]}),
            "yields": _summed(known["yields"], function["yields"]),
            "yields_not_run": sorted({*known["yields_not_run"]} & {*function["yields_not_run"]}),
        }
    return {
        "sha256": one["sha256"],
        "functions": functions,
        "rules": _summed(one["rules"], other["rules"]),
        "not_run": sorted({*one["not_run"]} & {*other["not_run"]}),
        "ran": sorted({*one["ran"], *other["ran"]}),
    }


def _summed(one: dict[str, dict[str, int]], other: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    result = {key: dict(counts) for key, counts in one.items()}
    for key, counts in other.items():
        known = result.setdefault(key, {})
        for name, count in counts.items():
            known[name] = known.get(name, 0) + count
    return result


# -- what a file holds, whether it ran or not -------------------------------------------------------------------


def parsed(path: Path) -> ast.Module | None:
    """A file's tree; None for one that cannot be read, or is no Python."""
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def generators_in(tree: ast.Module) -> Iterator[tuple[int, str, list[str]]]:
    """The generator functions in a source: first line (that of a decorator), qualified name, where the yields are.

    A yield is where it begins, ``"line:column"``, the column in bytes of UTF-8 from 0.
    """
    yield from _generators(tree, "")


def calls_in(tree: ast.Module) -> set[str]:
    """The positions of all calls in a source."""
    return {position(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def mentions_that_ran(
    tree: ast.Module, names: Collection[str], calls: Collection[str], lines: Collection[int]
) -> list[str]:
    """Of the calls by these names, and of the strings that are one of them, the positions of those that ran.

    ``calls`` are positions of calls that ran. A string ran when its line did, or that on which its statement begins.
    """
    found = []
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, line = waiting.pop()
        if isinstance(node, ast.stmt):
            line = 0 if hasattr(node, "body") else node.lineno
        if isinstance(node, ast.Call):
            if name_of(node.func) in names and position(node) in calls:
                found.append(position(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names:
            if node.lineno in lines or line in lines:
                found.append(position(node))
        waiting += [(child, line) for child in ast.iter_child_nodes(node)]
    return sorted(found)


def name_of(node: ast.expr) -> str:
    """The last part of a name: ``run`` for ``self.thing.run``; "" for what has none."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def position(node: ast.expr) -> str:
    """Where an expression begins, and where a call ends: line, and column in bytes of UTF-8 from 0.

    Several calls may begin at one place: ``thing.first().second()``.
    """
    if isinstance(node, ast.Call):
        return f"{node.end_lineno}:{node.end_col_offset}"
    return f"{node.lineno}:{node.col_offset}"


def _generators(node: ast.AST, prefix: str) -> Iterator[tuple[int, str, list[str]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = prefix + child.name
            yields = [position(each) for each in _yields(child)]
            if yields and isinstance(child, ast.FunctionDef):
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                yield first, name, yields
            yield from _generators(child, f"{name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _generators(child, f"{prefix}{child.name}.")
        else:
            yield from _generators(child, prefix)


def _yields(function: ast.AST) -> Iterator[ast.Yield]:
    """The yields of a function, not of those within it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, ast.Yield):
            yield child
        yield from _yields(child)


# -- the subcommand ---------------------------------------------------------------------------------------------


def main(argv: Sequence[str]) -> int:
    """``tornado4 profile``: 0; 1 when files have changed since they ran; 2 for what is no profile."""
    parser = argparse.ArgumentParser(
        prog="tornado4 profile", description="Show what profiles of --migrate=record cover; put several into one."
    )
    parser.add_argument("file", nargs="+", type=Path, help="profiles, in the order in which they ran")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write them as one")
    parser.add_argument("--root", type=Path, default=Path(), help="where the program's files are; default: here")
    options = parser.parse_args(argv)
    try:
        merged = merge([load(path) for path in options.file])
        if options.output:
            save(merged, options.output)
    except (ProfileError, OSError) as error:
        print(f"tornado4 profile: {error}", file=sys.stderr)
        return 2
    changed = stale(merged, options.root)
    for name, file in sorted(merged["files"].items()):
        functions = file["functions"].values()
        whole = sum(1 for function in functions if not function["yields_not_run"])
        ran = f"{len(functions)} coroutines ran, {whole} of them with each yield"
        line = f"{name}: {ran}; {len(file['not_run'])} did not"
        print(f"{line}; changed since" if name in changed else line)
    print(f"{merged['runs']} runs, {len(merged['files'])} files, {len(changed)} of them changed since")
    return 1 if changed else 0
