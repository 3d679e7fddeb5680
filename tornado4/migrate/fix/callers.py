"""Who calls a function of the program, and what becomes of the result."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tornado4.migrate.check.project import Instance, Module, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Defined, Function, Imported, Scope
from tornado4.migrate.fix.program import Program, visible


@dataclass(slots=True, eq=False)
class Use:
    """One place that says a function's name. ``call`` when it is called there. ``sure``: it is this function."""

    module: Module
    node: ast.expr
    call: ast.Call | None
    sure: bool


@dataclass(slots=True, eq=False)
class Family:
    """A function; or the methods of one name in classes that are related: whoever calls one may get another."""

    name: str
    members: list[tuple[Module, Function]]
    classes: list[str]

    @property
    def is_method(self) -> bool:
        return bool(self.classes)


def family(program: Program, module: Module, node: Function) -> Family:
    """What must be changed together with a function."""
    scope = program.index(module).scopes[node]
    if scope.kind != "class":
        return Family(node.name, [(module, node)], [])
    own = program.project.class_of_scope(scope) or ""
    related = _related(program, own, node.name)
    members = []
    for name in related:
        cls = program.project.class_named(name)
        if cls is None:
            continue
        home = next((each for each in program.project.all_modules if _top(cls.scope) is each.scope), None)
        for binding in cls.scope.bindings.get(node.name, ()):
            if home is not None and isinstance(binding, Defined) and isinstance(binding.node, FUNCTIONS):
                members.append((home, binding.node))
    if not any(each is node for _, each in members):
        members.append((module, node))
    return Family(node.name, members, related or [own])


def _top(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _related(program: Program, own: str, name: str) -> list[str]:
    """The classes that define a method, connected by inheritance to one of them."""
    defining = {
        each.dotted
        for each in program.project.classes()
        if any(isinstance(binding, Defined) for binding in each.scope.bindings.get(name, ()))
    }
    lines = [set(program.project.mro(each.dotted)) & defining for each in program.project.classes()]
    found = {own}
    growing = True
    while growing:
        growing = False
        for line in lines:
            if line & found and not line <= found:
                found |= line
                growing = True
    return sorted(found)


def uses(program: Program, whole: Family) -> list[Use]:
    """Each place in the program that says the name and may mean the function; definitions and imports are none."""
    found = []
    defined = {(module.path, _scope_of(program, module, node)) for module, node in whole.members}
    dotted = {_dotted(program, module, node) for module, node in whole.members}
    for module in program.modules_saying(whole.name):
        index = program.index(module)
        for name in index.names.get(whole.name, ()):
            scope = visible(whole.name, index.scopes[name])
            sure = scope is not None and (module.path, scope) in defined and scope.kind != "class"
            if not sure and scope is not None:
                sure = any(
                    isinstance(each, Imported) and _means(program, each.dotted, dotted)
                    for each in scope.bindings[whole.name]
                )
            if scope is None and module.scope.stars:
                sure = bool(program.refs(module, name) & dotted)
            if sure or (scope is not None and scope.kind == "class" and (module.path, scope) in defined):
                found.append(_use(program, module, name, sure=True))
        for attribute in index.attributes.get(whole.name, ()):
            verdict = _attribute(program, module, attribute, whole, dotted)
            if verdict is not None:
                found.append(_use(program, module, attribute, sure=verdict))
    return found


def _scope_of(program: Program, module: Module, node: Function) -> Scope:
    return program.index(module).scopes[node]


def _dotted(program: Program, module: Module, node: Function) -> str:
    scope = _scope_of(program, module, node)
    prefix = module.name if scope.kind == "module" else program.project.class_of_scope(scope)
    return f"{prefix}.{node.name}"


def _means(program: Program, imported: str, dotted: set[str]) -> bool:
    if imported in dotted:
        return True
    return any(isinstance(each, Ref) and each.dotted in dotted for each in program.project.dotted(imported))


def _attribute(program: Program, module: Module, node: ast.Attribute, whole: Family, dotted: set[str]) -> bool | None:
    """True: it is the function. False: it may be. None: it is another."""
    values = program.resolve(module, node)
    refs = {each.dotted for each in values if isinstance(each, Ref)}
    if refs & dotted:
        return True
    owner = program.resolve(module, node.value)
    if whole.is_method and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super":
        cls = program.class_of(module, node)
        return True if cls is not None and set(program.project.mro(cls)) & set(whole.classes) else None
    if refs and all(isinstance(each, Ref) for each in values):
        # a method that another class defines, or a member of another module
        return None
    if owner and whole.is_method:
        classes = {each.cls if isinstance(each, Instance) else each.dotted for each in owner}
        if all(program.project.is_class(cls) and "?" not in program.project.mro(cls) for cls in classes):
            related = any(set(program.project.mro(cls)) & set(whole.classes) for cls in classes)
            return True if related else None
    if not whole.is_method:
        # an attribute of something unknown is no function of a module, unless that something is the module
        return None
    if isinstance(node.value, ast.Name) and owner == () and _is_foreign_module(program, module, node.value):
        return None
    return False


def _is_foreign_module(program: Program, module: Module, node: ast.Name) -> bool:
    scope = visible(node.id, program.index(module).scopes[node])
    return scope is not None and all(isinstance(each, Imported) for each in scope.bindings[node.id])


def _use(program: Program, module: Module, node: ast.expr, *, sure: bool) -> Use:
    parent = program.index(module).parents[node]
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    return Use(module, node, call, sure)
