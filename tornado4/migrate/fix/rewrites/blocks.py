"""What stands around code, or waits for it by a key: gen.Callback and gen.Wait, return_future, stack contexts."""

from __future__ import annotations

import ast
import keyword
import re

import libcst as cst

from tornado4.migrate.check.callers import COROUTINE
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import Function
from tornado4.migrate.fix import helpers, shapes
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.rewrites.callbacks import GIVES
from tornado4.migrate.fix.rewrites.coroutines import (
    _arguments,
    _function_of_decorator,
    _import_only,
    callback_parameter,
    decorator_change,
    decorator_named,
    into_result,
)
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Change, Changed, expression, statement

CALLBACK, WAIT, WAIT_ALL = "tornado.gen.Callback", "tornado.gen.Wait", "tornado.gen.WaitAll"


# -- gen.Callback, gen.Wait


@rewrites("TND104")
def keys(plan: Plan, spot: Spot) -> Step | None:
    """``(yield gen.Callback("a"))`` is a Future's ``set_result``, ``gen.Wait("a")`` the Future."""
    if isinstance(spot.node, ast.alias):
        return _import_only(plan, spot)
    module = spot.module
    index = plan.index(module)
    function = index.function_of(spot.node)
    if not isinstance(function, ast.FunctionDef):
        raise Refused("it stands in no function of its own: by hand")
    places = _places(plan, module, function)
    first = min(places, key=lambda each: (each.lineno, each.col_offset))
    if first.func is not spot.node:
        return None  # the first place speaks for all
    plan.unsafe_only("a callback that gets more than one value, or is called twice, is another thing for a Future")
    step = plan.step(spot)
    calls: dict[str, ast.Call] = {}
    waits: dict[str, list[ast.Call]] = {}
    for call in places:
        name = plan.program.refs(module, call.func).pop()
        if name == CALLBACK:
            key = _key(call.args)
            if key in calls:
                raise Refused(f"the key {key!r} is used twice: by hand")
            calls[key] = call
        elif name == WAIT:
            waits.setdefault(_key(call.args), []).append(call)
        else:
            for each in _all_keys(call):
                waits.setdefault(each, []).append(call)
    if set(calls) != set(waits) or any(len(each) != 1 for each in waits.values()):
        raise Refused("each key is to have one Callback and one Wait here: by hand")
    names = {key: _variable(plan, module, function, key) for key in calls}
    if len(set(names.values())) != len(names):
        raise Refused("the keys make no names: by hand")
    future = plan.spell(step, module, function, "tornado.concurrent.Future")
    for key, call in calls.items():
        _callback_of(plan, step, module, function, call, names[key], future)
    for call in dict.fromkeys(each for several in waits.values() for each in several):
        name = plan.program.refs(module, call.func).pop()
        code = (
            names[_key(call.args)] if name == WAIT else "[" + ", ".join(names[each] for each in _all_keys(call)) + "]"
        )
        if not isinstance(index.parents[call], ast.Yield):
            raise Refused("gen.Wait is not yielded on the spot: by hand")
        step.change(module, call, _written(code))
    return step


def _written(code: str) -> Change:
    return lambda node: expression(code)


def _places(plan: Plan, module: Module, function: Function) -> list[ast.Call]:
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and plan.program.refs(module, node.func) & {CALLBACK, WAIT, WAIT_ALL}:
            if plan.index(module).function_of(node) is not function:
                raise Refused("a key is waited for in another function: by hand")
            found.append(node)
    return found


def _key(args: list[ast.expr]) -> str:
    if len(args) == 1 and isinstance(args[0], ast.Constant) and isinstance(args[0].value, str):
        return args[0].value
    raise Refused("the key is no text: by hand")


def _all_keys(call: ast.Call) -> list[str]:
    if len(call.args) == 1 and isinstance(call.args[0], ast.List | ast.Tuple):
        return [_key([each]) for each in call.args[0].elts]
    raise Refused("the keys are made elsewhere: by hand")


def _variable(plan: Plan, module: Module, function: Function, key: str) -> str:
    name = re.sub(r"\W+", "_", key).strip("_").lower() or "key"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"key_{name}"
    taken = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
    taken |= {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
    taken |= set(module.scope.bindings)
    return f"{name}_future" if name in taken else name


def _callback_of(
    plan: Plan, step: Step, module: Module, function: Function, call: ast.Call, name: str, future: str
) -> None:
    index = plan.index(module)
    outer = index.parents[call]
    if not isinstance(outer, ast.Yield):
        raise Refused("gen.Callback is not yielded on the spot: by hand")
    line = index.statement(call)
    for each in index.ancestors(call):
        if each is function:
            break
        if isinstance(each, ast.For | ast.While | ast.AsyncFor):
            raise Refused("gen.Callback in a loop: by hand")
        if isinstance(each, ast.Lambda | ast.IfExp | ast.BoolOp | ast.comprehension):
            raise Refused("gen.Callback is not made on each way: by hand")
    whole = index.parents[outer]
    taker: ast.AST = whole
    is_keyword = isinstance(whole, ast.keyword)
    if is_keyword:
        taker = index.parents[whole]
    alone = isinstance(line, ast.Expr) and line.value is taker and isinstance(taker, ast.Call)
    if alone and isinstance(taker, ast.Call) and plan.program.refs(module, taker.func) & set(GIVES):
        count = next(GIVES[each] for each in plan.program.refs(module, taker.func) if each in GIVES)
        if count == 1:  # Tornado's own function gives the Future by itself

            def given(node: cst.CSTNode) -> Changed:
                assert isinstance(node, cst.Expr) and isinstance(node.value, cst.Call)
                kept = [each for each in node.value.args if not _is_yield(each.value)]
                bare = node.value.with_changes(
                    args=[*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)] if kept else []
                )
                return cst.Assign([cst.AssignTarget(cst.Name(name))], bare)

            step.change(module, line, given)
            return
    if not isinstance(line, ast.Expr | ast.Assign | ast.AugAssign | ast.Return):
        raise Refused("gen.Callback is made in a condition: by hand")

    def ahead(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.SimpleStatementLine)
        made = statement(f"{name} = {future}()").with_changes(leading_lines=node.leading_lines)
        return cst.FlattenSentinel([made, node.with_changes(leading_lines=[])])

    step.change(module, outer, lambda n: expression(f"{name}.set_result"))
    step.change(module, line, ahead, line=True)


def _is_yield(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Yield)


# -- return_future


@rewrites("TND106")
def return_future(plan: Plan, spot: Spot) -> Step | None:
    """``@return_future``: a coroutine that returns what it called the callback with; else a Future that is set."""
    if isinstance(spot.node, ast.alias):
        return _import_only(plan, spot)
    function = _function_of_decorator(plan, spot)
    module, step = spot.module, plan.step(spot)
    if function is None or isinstance(function, ast.AsyncFunctionDef):
        raise Refused("it is used as a value: by hand")
    decorator = decorator_named(plan, module, function, "tornado.concurrent.return_future")
    parameter = callback_parameter(function)
    if decorator is None or parameter is None:
        raise Refused("the decorator is called, or there is no callback parameter: by hand")
    plan.unsafe_only("who gave it a callback gets the Future as well, and errors come to whoever waits")
    if shapes.is_generator(function):
        raise Refused("it is a generator, too: by hand")
    try:
        into_result(plan, step, module, function, parameter)
    except Refused:
        step = plan.step(spot)
        _with_future(plan, step, module, function, parameter)
        step.change(module, function, decorator_change(decorator, None))
        return step
    step.change(module, function, decorator_change(decorator, plan.spell(step, module, function, COROUTINE)))
    return step


def _with_future(plan: Plan, step: Step, module: Module, function: Function, parameter: ast.arg) -> None:
    """``future = Future()`` ahead, ``future.set_result`` for each callback, ``return future`` behind."""
    from tornado4.migrate.check import callers
    from tornado4.migrate.fix.rewrites.coroutines import _change_callers, _drop_parameter

    if any(isinstance(each, ast.Return) for each in shapes.own_nodes(function)):
        raise Refused("it returns before its end: by hand")
    name = parameter.arg
    if _may_be_called_twice(plan, module, function, name):
        raise Refused(f"{name} may be called twice, and a Future is set once: by hand")
    taken = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)} | set(module.scope.bindings)
    taken |= {each.arg for each in _arguments(function)}
    if "future" in taken:
        raise Refused("the name future is taken: by hand")
    for each in ast.walk(function):
        if isinstance(each, ast.Name) and each.id == name:
            if not isinstance(each.ctx, ast.Load):
                raise Refused(f"{name} is set anew: by hand")
            step.change(module, each, lambda n: expression("future.set_result"))
            parent = plan.index(module).parents[each]
            if isinstance(parent, ast.Call) and parent.func is each and not parent.args:
                raise Refused(f"{name} is called without a value: by hand")
        elif isinstance(each, ast.arg) and each.arg == name and each is not parameter:
            raise Refused(f"{name} is a parameter of a function within, too: by hand")
    made = plan.spell(step, module, function, "tornado.concurrent.Future")
    _drop_parameter(plan, step, module, function, parameter)

    def around(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock)
        body = list(node.body.body)
        at = 1 if _is_docstring(body[0]) else 0
        body.insert(at, statement(f"future = {made}()"))
        body.append(statement("return future"))
        return node.with_changes(body=node.body.with_changes(body=body))

    step.change(module, function, around)
    whole = callers.family(plan.program.project, module, function)
    if len(whole.members) > 1:
        raise Refused("a class that is related has a method of this name: by hand")
    _change_callers(plan, step, whole, function, parameter)


def _may_be_called_twice(plan: Plan, module: Module, function: Function, name: str) -> bool:
    """Whether a function calls something in a loop, or in two places of which one does not exclude the other."""
    index = plan.index(module)
    ways: list[list[tuple[ast.AST, str]]] = []
    for node in shapes.own_nodes(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            way: list[tuple[ast.AST, str]] = []
            inner: ast.AST = node
            for outer in index.ancestors(node):
                if outer is function:
                    break
                if isinstance(outer, ast.For | ast.While | ast.AsyncFor):
                    return True
                if isinstance(outer, ast.If | ast.IfExp):
                    branch = outer.orelse
                    inside = inner in branch if isinstance(branch, list) else inner is branch
                    way.append((outer, "else" if inside else "then"))
                inner = outer
            ways.append(way)
    return any(
        not any(place is other and branch != another for place, branch in first for other, another in second)
        for number, first in enumerate(ways)
        for second in ways[:number]
    )


def _is_docstring(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.SimpleStatementLine)
        and isinstance(node.body[0], cst.Expr)
        and isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


# -- stack contexts


def contexts(plan: Plan, spot: Spot) -> Step | None:
    """``stack_context.wrap(f)`` and ``NullContext``: asyncio carries the context by itself."""
    module, index = spot.module, plan.index(spot.module)
    node: ast.AST = spot.node
    if plan.program.means(module, node, "tornado.stack_context"):
        node = index.parents[node]
    if not isinstance(node, ast.expr):
        return None
    call = index.parents.get(node)
    if not isinstance(call, ast.Call) or call.func is not node:
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    if plan.program.means(module, node, "tornado.stack_context.NullContext"):
        return _null_context(plan, spot, call)
    if plan.program.means(module, node, "tornado.stack_context.StackContext"):
        return _variable_context(plan, spot, call)
    if plan.program.means(module, node, "tornado.stack_context.wrap"):
        return _wrapped(plan, spot, call)
    if plan.program.means(module, node, "tornado.stack_context.ExceptionStackContext"):
        raise Refused("errors come to whoever waits in Tornado 6: a try around the await, by hand")
    raise Refused(f"by hand: {spot.finding.rule.advice}")


def _null_context(plan: Plan, spot: Spot, call: ast.Call) -> Step:
    """``with NullContext():`` around code that starts something: contextlib's, which does as little."""
    index = plan.index(spot.module)
    item = index.parents[call]
    if not isinstance(item, ast.withitem) or item.optional_vars is not None:
        raise Refused("NullContext is not entered by a with: by hand")
    plan.unsafe_only("what is started in it keeps the context variables that are set")
    step = plan.step(spot)
    name = plan.spell(step, spot.module, call, "contextlib.nullcontext")
    step.change(spot.module, call, lambda n: expression(f"{name}()"))
    return step


def _variable_context(plan: Plan, spot: Spot, call: ast.Call) -> Step:
    """``with StackContext(manager)``: where the manager sets a context variable alone, the with does by itself."""
    index = plan.index(spot.module)
    item = index.parents[call]
    if not isinstance(item, ast.withitem) or len(call.args) != 1 or call.keywords:
        raise Refused("StackContext is not entered by a with: by hand")
    if not _sets_variable(plan, spot.module, call.args[0]):
        raise Refused(f"what the context does is more than to set a context variable: {spot.finding.rule.advice}")
    plan.unsafe_only("what is called later sees the variable as it was when it was scheduled")
    step = plan.step(spot)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call)
        given = node.args[0].value
        if isinstance(given, cst.Lambda):
            return given.body
        return cst.Call(given)

    step.change(spot.module, call, change)
    return step


def _sets_variable(plan: Plan, module: Module, node: ast.expr) -> bool:
    """Whether a context manager's function is ``token = var.set(x)``, ``yield``, ``var.reset(token)`` and no more."""
    from tornado4.migrate.fix.rewrites.coroutines import function_of

    target = node.body.func if isinstance(node, ast.Lambda) and isinstance(node.body, ast.Call) else node
    found = function_of(plan, module, target)
    if found is None or not isinstance(found[1], ast.FunctionDef):
        return False
    home, function = found
    if plan.program.decorated(home, function) != {"contextlib.contextmanager"}:
        return False
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if len(body) == 2 and isinstance(body[1], ast.Try) and not body[1].handlers and not body[1].orelse:
        body = [body[0], *body[1].body, *body[1].finalbody]
    return (
        len(body) == 3
        and isinstance(body[0], ast.Assign)
        and _is_variables(plan, home, body[0].value, "set")
        and isinstance(body[1], ast.Expr)
        and isinstance(body[1].value, ast.Yield)
        and isinstance(body[2], ast.Expr)
        and _is_variables(plan, home, body[2].value, "reset")
    )


def _is_variables(plan: Plan, module: Module, node: ast.expr, method: str) -> bool:
    """A call of a method of a contextvars.ContextVar."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method):
        return False
    made = plan.program.project.written(node.func.value, plan.index(module).scopes[node])
    return (
        isinstance(made, ast.Call)
        and isinstance(made.func, ast.Name | ast.Attribute)
        and ast.unparse(made.func).rpartition(".")[2] == "ContextVar"
    )


def _wrapped(plan: Plan, spot: Spot, call: ast.Call) -> Step:
    """``stack_context.wrap(f)``: by a helper that binds a function to the context variables."""
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        raise Refused("it is not given a function alone: by hand")
    if plan.options.helpers is None:
        raise Refused("a helper can take its place: --unsafe --helpers FILE; or contextvars.copy_context().run by hand")
    plan.unsafe_only("it binds context variables in place of Tornado 4's contexts")
    step = plan.step(spot)
    name = helpers.spelled(plan, step, spot.module, call, helpers.IN_CONTEXT)
    step.change(spot.module, call.func, lambda n: expression(name))
    return step
