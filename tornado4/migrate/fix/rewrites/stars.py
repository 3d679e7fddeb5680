"""``from tornado.gen import *``: the names that the program takes by it, one by one.

A name that came by a star cannot be rewritten where it is bound. So the import is written out first.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import libcst as cst

from tornado4.migrate.check import tornado
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import Imported, absolute_import
from tornado4.migrate.fix.program import Import, Spot, visible
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, remove_line

#: Functions by which a program gets at its names without saying them.
_INDIRECT = frozenset({"globals", "locals", "vars", "eval", "exec"})


@rewrites("TND001")
def starred(plan: Plan, spot: Spot) -> Step | None:
    """The import itself is asked for."""
    node = spot.parent if isinstance(spot.node, ast.alias) else spot.node
    assert isinstance(node, ast.ImportFrom)
    return _written_out(plan, spot, plan.step(spot), node)


def brought_by_star(plan: Plan, spot: Spot) -> Step | None:
    """For a name that has a rule and came by a star: the star is written out."""
    node, module = spot.node, spot.module
    if not isinstance(node, ast.Name) or visible(node.id, spot.scope) is not None:
        return None
    for star, source in reversed([*_stars(module)]):
        if node.id in tornado.names_of(source):
            step = plan.step(spot)
            step.rule_id = "TND001"
            return _written_out(plan, spot, step, star)
    return None


def _stars(module: Module) -> Iterator[tuple[ast.ImportFrom, str]]:
    """The star imports of Tornado's modules, in the order of the file."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            source = absolute_import(node, module.package)
            if tornado.is_module(source):
                yield node, source


def _written_out(plan: Plan, spot: Spot, step: Step, star: ast.ImportFrom) -> Step:
    module = spot.module
    source = star.module or ""
    if star.level:
        raise Refused("a relative import: by hand")
    if _INDIRECT & set(plan.index(module).names):
        raise Refused("the program looks its names up: which come by * is for a person")
    last = module.name.rpartition(".")[2]
    for other in plan.program.project.all_modules:
        if other is not module and module.name in other.scope.stars:
            raise Refused(f"{other.path} takes all names from here by *: by hand")
    wanted = _used(plan, module) | _taken(plan, module, last)
    names = sorted(
        name
        for name in wanted & {each for each in tornado.names_of(source) if not each.startswith("_")}
        if not _is_bound_alike(module, name, source) and not _comes_later(module, star, name, source)
    )
    modules = [name for name in names if name in sys.stdlib_module_names and not tornado.names_of(source)[name]]
    names = [name for name in names if name not in modules]
    for name in modules:
        step.imports.append((module, Import(name)))

    def change(line: cst.CSTNode) -> Changed:
        if not names:
            return remove_line(line)
        assert isinstance(line, cst.SimpleStatementLine)
        node = line.body[0]
        assert isinstance(node, cst.ImportFrom)
        aliases = [cst.ImportAlias(cst.Name(name)) for name in names]
        return line.with_changes(body=[node.with_changes(names=aliases), *line.body[1:]])

    step.change(module, star, change, line=True)
    return step


def _used(plan: Plan, module: Module) -> set[str]:
    """The names that the module reads, and those that its strings may mean."""
    index = plan.index(module)
    read = {
        name
        for name, nodes in index.names.items()
        if any(
            isinstance(node.ctx, ast.Load) and visible(name, index.scopes[node]) in (None, module.scope)
            for node in nodes
        )
    }
    return read | (index.strings if "__all__" in module.scope.bindings else set())


def _taken(plan: Plan, module: Module, last: str) -> set[str]:
    """The names that other files take from this one."""
    found = set()
    for other in plan.program.modules_saying(last):
        if other is module:
            continue
        for bindings in other.scope.bindings.values():
            for each in bindings:
                if isinstance(each, Imported) and each.dotted.startswith(f"{module.name}."):
                    found.add(each.dotted.removeprefix(f"{module.name}."))
        found |= set(plan.index(other).attributes)
    return found


def _is_bound_alike(module: Module, name: str, source: str) -> bool:
    """Whether the module has the name by an import that gives the same."""
    home = tornado.home(source, name)
    bindings = module.scope.bindings.get(name, [])
    return bool(bindings) and all(isinstance(each, Imported) and each.dotted in (home, name) for each in bindings)


def _comes_later(module: Module, star: ast.ImportFrom, name: str, source: str) -> bool:
    """Whether a later star of Tornado's brings the same."""
    stars = [*_stars(module)]
    later = [other for node, other in stars if node.lineno > star.lineno and name in tornado.names_of(other)]
    return any(tornado.names_of(other)[name] == tornado.names_of(source)[name] for other in later)
