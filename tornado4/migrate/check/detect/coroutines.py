"""Coroutines: what breaks in them, and on the optional ladder how they are written today."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tornado4.migrate.check import callers
from tornado4.migrate.check.callers import COROUTINE, GEN_TEST, Use
from tornado4.migrate.check.nodes import children
from tornado4.migrate.check.project import Project, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Function
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules


def decorators(place: Place, node: Function) -> set[str]:
    """The dotted names of what decorates a function, called or not."""
    found = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        found |= {value.dotted for value in place.resolve(called) if isinstance(value, Ref)}
    return found


def own_nodes(node: Function) -> list[ast.AST]:
    """What is in a function; of functions, lambdas and classes within, what is evaluated where they stand."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += _outside(each) if isinstance(each, (*FUNCTIONS, ast.Lambda, ast.ClassDef)) else children(each)
    return found


def _outside(node: Function | ast.Lambda | ast.ClassDef) -> list[ast.AST]:
    """Decorators, defaults and annotations of a function, bases of a class: they belong to the scope around it."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]
    given = node.args
    found = [*given.defaults, *(each for each in given.kw_defaults if each is not None)]
    if isinstance(node, ast.Lambda):
        return [*found]
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    annotations = [node.returns, *(each.annotation for each in every if each is not None)]
    return [*node.decorator_list, *found, *(each for each in annotations if each is not None)]


@detects(ast.FunctionDef)
def function(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.FunctionDef)
    if not node.decorator_list:
        return
    decorated = decorators(place, node)
    is_test = GEN_TEST in decorated
    if not (COROUTINE in decorated or is_test):
        return
    inside = own_nodes(node)
    yields = [each for each in inside if isinstance(each, ast.Yield)]
    if is_test:
        if yields:
            place.report(node, "TND318", "certain", f"{node.name}: {rules()['TND318'].advice}")
    else:
        _could_be_native(place, node)
    for each in yields:
        _yield(place, each)


#: How many places a message names.
PLACES = 3


def _could_be_native(place: Place, node: ast.FunctionDef) -> None:
    """A coroutine, and who calls it: it can become an ``async def`` where all wait."""
    whole = callers.family(place.project, place.module, node)
    uses = callers.uses(place.project, whole)
    tornado = callers.called_by_tornado(place.project, whole)
    unwaited = sorted((use for use in uses if use.sure and not _waits(use)), key=_position)
    perhaps = sorted((use for use in uses if not use.sure and not use.waits), key=_position)
    seen = sorted((use for use in uses if use.sure), key=_position)
    if unwaited:
        said = f"async def when these wait for it, too: {_places(unwaited)}"
    elif perhaps:
        said = f"async def, if what may be calls of it wait: {_places(perhaps)}"
    elif not seen and not tornado:
        said = "async def, when whoever calls it waits: no caller is seen"
    else:
        who = [*(["Tornado"] if tornado else []), *([_places(seen)] if seen else [])]
        said = f"async def will do: all that call it wait: {', '.join(who)}"
    place.report(node, "TND301", "certain", f"{node.name}: {said}")


def _waits(use: Use) -> bool:
    """Who returns what it gets leaves the waiting to its own callers."""
    return use.waits or use.how == "returned"


def _position(use: Use) -> tuple[str, int]:
    return use.module.path, use.node.lineno


def _places(uses: Sequence[Use]) -> str:
    shown = ", ".join(str(use) if _waits(use) else f"{use} ({use.how})" for use in uses[:PLACES])
    return f"{shown} and {len(uses) - PLACES} more" if len(uses) > PLACES else shown


@detects(ast.Call)
def call(place: Place, node: ast.AST) -> None:
    """A coroutine of the program that is called and not waited for."""
    assert isinstance(node, ast.Call)
    parent = place.parent
    if isinstance(parent, ast.Expr):
        if _is_coroutine(place, node):
            place.report(node, "TND315", "certain", f"{_name(node)}: {rules()['TND315'].advice}")
    elif isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Attribute):
        if _is_coroutine(place, node):
            place.report(node, "TND316", "likely", f"{_name(node)} is kept: {rules()['TND316'].advice}")
    elif isinstance(parent, ast.Call) and parent.args[:1] == [node] and _name(parent) == "add_future":
        if _is_coroutine(place, node):
            place.report(node, "TND317", "certain", f"{_name(node)}: {rules()['TND317'].advice}")


def _is_coroutine(place: Place, node: ast.Call) -> bool:
    values = place.resolve(node.func)
    known = _coroutines(place.project) if values else frozenset()
    return any(isinstance(value, Ref) and value.dotted in known for value in values)


def _coroutines(project: Project) -> frozenset[str]:
    """The dotted names of all coroutines of a program."""
    known = project.notes.get("coroutines")
    if not isinstance(known, frozenset):
        known = project.notes["coroutines"] = frozenset(
            f"{project.class_of_scope(outer)}.{node.name}"
            for node, outer in project.functions()
            for decorator in node.decorator_list
            if any(isinstance(value, Ref) and value.dotted == COROUTINE for value in project.resolve(decorator, outer))
        )
    return known


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _yield(place: Place, node: ast.Yield) -> None:
    value = node.value
    if value is None or (isinstance(value, ast.Constant) and value.value is None) or _is_moment(place, value):
        rule_id = "TND313"
    elif isinstance(value, ast.List | ast.ListComp | ast.GeneratorExp | ast.Tuple):
        rule_id = "TND311"
    elif isinstance(value, ast.Dict | ast.DictComp):
        rule_id = "TND312"
    elif isinstance(value, ast.Call):
        rule_id = "TND310"
    else:
        rule_id = "TND314"
    place.report(node, rule_id, "certain", f"yield: {rules()[rule_id].advice}")


def _is_moment(place: Place, node: ast.expr) -> bool:
    if not isinstance(node, ast.Attribute | ast.Name):
        return False
    return any(isinstance(each, Ref) and each.dotted == "tornado.gen.moment" for each in place.resolve(node))


@detects(ast.Raise)
def raised(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Raise)
    called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if not isinstance(called, ast.Name | ast.Attribute):
        return
    if not any(isinstance(each, Ref) and each.dotted == "tornado.gen.Return" for each in place.resolve(called)):
        return
    function = place.scope.enclosing_function()
    native = function is not None and isinstance(function.node, ast.AsyncFunctionDef)
    rule_id = "TND303" if native else "TND302"
    place.report(node, rule_id, "certain", f"raise gen.Return: {rules()[rule_id].advice}")


@detects(ast.With)
def with_yield(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.With)
    for item in node.items:
        value = item.context_expr
        if isinstance(value, ast.Yield) and isinstance(value.value, ast.Call):
            name = getattr(value.value.func, "attr", "")
            if name == "acquire":
                place.report(item.context_expr, "TND319", "likely", f"with (yield ...): {rules()['TND319'].advice}")
