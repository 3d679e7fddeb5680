"""Calls of a program's own ``async def`` functions for which nobody waits: they never start.

    python -m compat_tests.fixes.unawaited FOLDER ...

Lists each call that surely means such a function and is neither awaited nor given to something that runs it. What
``tornado4 fix --native`` makes must have none that was not there before.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

from tornado4.migrate.check import callers
from tornado4.migrate.check.callers import GEN_TEST
from tornado4.migrate.fix.program import Program, load


def unawaited(folders: Iterable[Path]) -> list[tuple[str, int, str]]:
    """Path, line and name of each such call."""
    files, _ = load(folders, lambda number, path: None)
    program = Program(files)
    found = []
    for module in program.project.all_modules:
        for function in program.index(module).functions:
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            if GEN_TEST in program.decorated(module, function):
                continue  # a call runs it, to its end
            own = callers.Family(function.name, [(module, function)], _classes(program, module, function))
            for use in callers.uses(program.project, own):
                if _is_anothers(program, own, use) or not use.sure or use.call is None:
                    continue
                if not use.waits:
                    found.append((use.module.path, use.call.lineno, function.name))
    return sorted(set(found))


def _is_anothers(program: Program, own: callers.Family, use: callers.Use) -> bool:
    """``super(Base, self).prepare()``: what is called is a method of Base's base."""
    names = program.refs(use.module, use.node)
    return own.is_method and bool(names) and not any(name.rpartition(".")[0] in own.classes for name in names)


def _classes(program: Program, module: object, function: ast.AsyncFunctionDef) -> list[str]:
    scope = program.index(module).scopes[function]  # type: ignore[arg-type]
    return [program.project.class_of_scope(scope) or ""] if scope.kind == "class" else []


def main() -> None:
    calls = unawaited([Path(each) for each in sys.argv[1:]])
    for path, line, name in calls:
        print(f"{path}:{line}  {name}")
    print(f"{len(calls)} calls that nobody waits for")


if __name__ == "__main__":
    main()
