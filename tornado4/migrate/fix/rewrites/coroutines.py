"""Coroutines: ``raise gen.Return``, ``gen.Task``, ``gen.engine``, ``@asynchronous`` above them."""

from __future__ import annotations

import ast
import re
from typing import Any

import libcst as cst

from tornado4.migrate.check import callers
from tornado4.migrate.check.callers import COROUTINE, ENGINE
from tornado4.migrate.check.project import Module, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Function
from tornado4.migrate.fix import helpers, shapes
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.rewrites.callbacks import FUTURES, continued, wants_errors
from tornado4.migrate.fix.rewrites.names import dropping, uses
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Change, Changed, expression, holed

ASYNCHRONOUS = "tornado.web.asynchronous"

#: Decorators that hand on what the function gives, whatever that is.
TRANSPARENT = frozenset(
    f"tornado.web.{name}" for name in "authenticated addslash removeslash asynchronous stream_request_body".split()
)


# -- raise gen.Return


@rewrites("TND302", "TND303")
def returned(plan: Plan, spot: Spot) -> Step | None:
    """``raise gen.Return(value)`` is ``return value``."""
    node = spot.node
    assert isinstance(node, ast.Raise)
    index = plan.index(spot.module)
    function = index.function_of(node)
    if not isinstance(function, FUNCTIONS):
        raise Refused("it stands outside of a coroutine")
    if isinstance(function, ast.FunctionDef):
        decorated = plan.program.decorated(spot.module, function)
        if not decorated & {COROUTINE, ENGINE}:
            raise Refused("it stands in a function that is no coroutine itself: whoever calls it relies on the raise")
    if any(isinstance(each, ast.YieldFrom) for each in shapes.own_nodes(function)):
        raise Refused("the function has a yield from")
    _refuse_caught(plan, spot, node, function)
    if isinstance(node.exc, ast.Call) and not _is_one_value(node.exc):
        raise Refused("what it returns is handed on by *: by hand")
    step = plan.step(spot)
    step.change(spot.module, node, as_return)
    return step


def _is_one_value(call: ast.Call) -> bool:
    given = [*call.args, *(each.value for each in call.keywords)]
    return (
        len(given) <= 1
        and not any(isinstance(each, ast.Starred) for each in given)
        and all(each.arg == "value" for each in call.keywords)
    )


def as_return(node: cst.CSTNode) -> Changed:
    """A raise of gen.Return, as the return."""
    assert isinstance(node, cst.Raise)
    call = node.exc
    value: cst.BaseExpression | None = None
    if isinstance(call, cst.Call) and call.args:
        argument = call.args[0]
        value = argument.value
        before, after = call.whitespace_before_args, argument.whitespace_after_arg
        if isinstance(argument.comma, cst.Comma):
            after = argument.comma.whitespace_after
        around = [each for each in (before, after) if isinstance(each, cst.ParenthesizedWhitespace)]
        if isinstance(value, cst.GeneratorExp) and not value.lpar:
            value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        elif any(_has_comment(each) for each in around) or (
            not _is_enclosed(value) and (around or "\n" in cst.Module([]).code_for_node(value))
        ):
            value = value.with_changes(
                lpar=[cst.LeftParen(before), *value.lpar], rpar=[*value.rpar, cst.RightParen(after)]
            )
    return cst.Return(value, semicolon=node.semicolon)


def _has_comment(space: cst.ParenthesizedWhitespace) -> bool:
    return space.first_line.comment is not None or any(each.comment for each in space.empty_lines)


def _is_enclosed(value: cst.BaseExpression) -> bool:
    return bool(value.lpar) or isinstance(value, cst.List | cst.Dict | cst.Set | cst.ListComp | cst.DictComp | cst.Call)


def _refuse_caught(plan: Plan, spot: Spot, node: ast.AST, function: Function) -> None:
    """In a ``try`` that catches everything the raise is caught; a ``with`` is told of it."""
    inner: ast.AST = node
    for each in plan.index(spot.module).ancestors(node):
        if each is function:
            return
        if isinstance(each, ast.Try) and inner in each.body:
            for handler in each.handlers:
                if handler.type is not None and _names_return(plan, spot.module, handler.type):
                    raise Refused("an except around it asks for gen.Return: by hand")
                if _catches(plan, spot.module, handler):
                    plan.unsafe_only("an except around it catches the raise, which it would not do with a return")
        if isinstance(each, ast.With) and not all(_is_plain(plan, spot.module, item) for item in each.items):
            plan.unsafe_only("a with around it sees the raise as an error, which it would not do with a return")
        inner = each


def _is_plain(plan: Plan, module: Module, item: ast.withitem) -> bool:
    """Context managers that do the same with an error and without."""
    value = item.context_expr
    if isinstance(value, ast.Yield | ast.Await):
        return True  # a lock
    name = value.func if isinstance(value, ast.Call) else value
    spelled = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
    return spelled in ("open", "closing", "Lock", "RLock", "lock", "_lock") or plan.program.means(
        module, name, "tornado.stack_context.NullContext"
    )


def _names_return(plan: Plan, module: Module, kinds: ast.expr) -> bool:
    return any(
        plan.program.means(module, each, "tornado.gen.Return") for each in ast.walk(kinds) if isinstance(each, ast.expr)
    )


def _catches(plan: Plan, module: Module, handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        (isinstance(each, ast.Name) and each.id in ("Exception", "BaseException"))
        or plan.program.means(module, each, "tornado.gen.Return")
        for each in types
    )


# -- gen.Task


@rewrites("TND103")
def task(plan: Plan, spot: Spot) -> Step | None:
    """``gen.Task(f, x)`` is ``f(x)``, where that gives a Future."""
    node = spot.node
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom) or spot.scope is not spot.module.scope:
            raise Refused("the import stands in a function or class: by hand")
        bound = node.asname or node.name
        if uses(plan, spot.module, bound, spot.scope):
            return None  # the import goes when nothing reads it any more
        step.change(spot.module, parent, dropping(bound), line=len(parent.names) == 1)
        return step
    call = plan.index(spot.module).parents.get(node)
    if not isinstance(call, ast.Call) or call.func is not node or not call.args:
        if isinstance(node, ast.Name) and _is_import_use(plan, spot):
            return None
        raise Refused("gen.Task is not called here: by hand")
    if any(isinstance(each, ast.Starred) for each in call.args[:1]):
        raise Refused("what is called comes by *: by hand")
    return _task_of(plan, spot, step, call)


def _is_import_use(plan: Plan, spot: Spot) -> bool:
    return isinstance(plan.index(spot.module).parents.get(spot.node), ast.alias)


def _task_of(plan: Plan, spot: Spot, step: Step, call: ast.Call) -> Step:
    module, callee = spot.module, call.args[0]
    slept = slept_time(plan, step, module, callee, call.args[1:], call)
    if slept is not None:
        name = plan.spell(step, module, call, "tornado.gen.sleep")

        def sleeping(node: cst.CSTNode) -> Changed:
            return expression(f"{name}({slept})")

        step.change(module, call, sleeping)
        return step
    names = plan.program.refs(module, callee)
    errors = False
    if "tornado.httpclient.AsyncHTTPClient.fetch" in names or _ends_in(callee, "fetch"):
        errors = wants_errors(plan, module, call)
        if not errors:
            plan.unsafe_only("fetch raises for an answer that is an error, which gen.Task did not")
    elif not ((names and names <= FUTURES) or _is_coroutine(plan, module, callee)):
        if not any(_ends_in(callee, name) for name in FUTURE_METHODS):
            if plan.options.helpers is not None and plan.options.unsafe and not names & FUTURES:
                return _helped(plan, step, module, call)
            if _is_program_function(plan, module, callee):
                raise Refused("what it calls takes a callback still", unsafe=not plan.options.unsafe)
            raise Refused("whether what it calls gives a Future cannot be seen")
        plan.unsafe_only("that what it calls gives a Future is likely by its name alone")
    step.change(module, call, lambda n: calling_first(n, raise_error=errors))
    return step


def _helped(plan: Plan, step: Step, module: Module, call: ast.Call) -> Step:
    """``gen.Task(f, x)`` as ``as_future(f, x)``, by the project's own helper."""
    assert plan.options.helpers is not None
    found = function_of(plan, module, call.args[0])
    if found is not None and ENGINE in plan.program.decorated(*found):
        raise Refused("what it calls takes a callback still")
    name = helpers.spelled(plan, step, module, call, helpers.AS_FUTURE)
    step.change(module, call.func, lambda n: expression(name))
    return step


#: Methods of Tornado's that give a Future, by names that hardly anything else has.
FUTURE_METHODS = frozenset(
    "read_until read_until_regex read_bytes read_until_close flush wait_for_handshake get_authenticated_user "
    "facebook_request twitter_request oauth2_request".split()
)


def _ends_in(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def calling_first(node: cst.CSTNode, *, raise_error: bool = False) -> Changed:
    """``Task(f, x, y=1)`` as ``f(x, y=1)``."""
    assert isinstance(node, cst.Call)
    args = list(node.args[1:])
    if raise_error:
        args.append(
            cst.Arg(
                cst.Name("False"),
                cst.Name("raise_error"),
                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
            )
        )
        if len(args) > 1:
            args[-2] = args[-2].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    callee = holed(node.args[0].value)
    return node.with_changes(func=callee, args=args)


def _is_coroutine(plan: Plan, module: Module, callee: ast.expr) -> bool:
    found = function_of(plan, module, callee)
    if found is None:
        return False
    home, function = found
    if isinstance(function, ast.AsyncFunctionDef):
        return True
    if "callback" in {each.arg for each in _arguments(function)}:
        return False
    return COROUTINE in plan.program.decorated(home, function)


def _is_program_function(plan: Plan, module: Module, callee: ast.expr) -> bool:
    return function_of(plan, module, callee) is not None


def _arguments(function: Function | ast.Lambda) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def function_of(plan: Plan, module: Module, callee: ast.expr) -> tuple[Module, Function] | None:
    """The function of the program that an expression stands for, when it is one only."""
    refs = plan.program.refs(module, callee)
    if len(refs) != 1:
        return None
    return defined(plan, refs.pop())


def is_sure(plan: Plan, module: Module, callee: ast.expr) -> bool:
    """Whether what an expression stands for is certain: not by its name alone, and not set to something else."""
    return all(isinstance(each, Ref) and each.sure for each in plan.program.resolve(module, callee))


def defined(plan: Plan, dotted: str) -> tuple[Module, Function] | None:
    """The function of the program that has a dotted name."""
    known = plan.memory.get("defined")
    if known is None:
        known = {}
        for module in plan.program.project.all_modules:
            _enter(plan, module, known)
        plan.memory["defined"] = known
    assert isinstance(known, dict)
    return known.get(dotted)


def _enter(plan: Plan, module: Module, known: dict[str, tuple[Module, Function] | None]) -> None:
    waiting = [(module.scope, module.name)]
    while waiting:
        scope, prefix = waiting.pop()
        for node, inner in scope.inner.items():
            name = f"{prefix}.{getattr(node, 'name', '')}"
            if isinstance(node, FUNCTIONS):
                known[name] = None if name in known else (module, node)
            waiting.append((inner, name))


def slept_time(
    plan: Plan, step: Step, module: Module, callee: ast.expr, args: list[ast.expr], at: ast.AST
) -> str | None:
    """The seconds that a call of ``add_timeout``, ``call_later`` waits, as code; None for other calls."""
    if not isinstance(callee, ast.Attribute) or callee.attr not in ("add_timeout", "call_later") or len(args) != 1:
        return None
    names = plan.program.refs(module, callee)
    if names and not names <= {f"tornado.ioloop.IOLoop.{callee.attr}"}:
        return None
    if not names and "loop" not in ast.unparse(callee.value).lower():
        return None
    (when,) = args
    if callee.attr == "call_later":
        return ast.unparse(when)
    if isinstance(when, ast.BinOp) and isinstance(when.op, ast.Add) and _is_now(when.left):
        return ast.unparse(when.right)
    if isinstance(when, ast.BinOp) and isinstance(when.op, ast.Add) and _is_now(when.right):
        return ast.unparse(when.left)
    if isinstance(when, ast.Call) and ast.unparse(when.func).rpartition(".")[2] == "timedelta":
        only = when.keywords[0] if len(when.keywords) == 1 and not when.args else None
        if only is not None and only.arg == "seconds":
            return ast.unparse(only.value)
        return f"{ast.unparse(when)}.total_seconds()"
    return None


def _is_now(node: ast.expr) -> bool:
    """``loop.time()``, ``time.time()``, ``time()``."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name == "time"


# -- decorators


def decorator_change(old: ast.expr, new: str | None) -> Change:
    """A change of a function that replaces one decorator, by its line, or takes it out."""
    code = ast.unparse(old)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.FunctionDef | cst.ClassDef)
        decorators = []
        leading: list[cst.EmptyLine] = []
        for each in node.decorators:
            if _code(each.decorator) != code:
                kept = each.with_changes(leading_lines=[*leading, *each.leading_lines]) if leading else each
                decorators.append(kept)
                leading = []
            elif new is not None:
                decorators.append(each.with_changes(decorator=cst.parse_expression(new)))
            else:
                leading += [line for line in each.leading_lines if line.comment]
                comment = each.trailing_whitespace.comment
                if comment is not None and not _DIRECTIVE.match(comment.value):
                    leading.append(cst.EmptyLine(comment=comment))
        node = node.with_changes(decorators=decorators)
        if leading:
            node = node.with_changes(lines_after_decorators=[*leading, *node.lines_after_decorators])
        return node

    return change


#: Comments to tools, which go with what they are about.
_DIRECTIVE = re.compile(r"#\s*(noqa|type:|pylint:|pragma:|mypy:|pyright:|nosec|fmt:|yapf:|isort:)", re.IGNORECASE)


def _code(node: cst.BaseExpression) -> str:
    return ast.unparse(ast.parse(cst.Module([]).code_for_node(node), mode="eval").body)


def decorator_named(plan: Plan, module: Module, function: Function, dotted: str) -> ast.expr | None:
    for each in function.decorator_list:
        if plan.program.means(module, each, dotted):
            return each
    return None


def _function_of_decorator(plan: Plan, spot: Spot) -> Function | None:
    """The function that a finding's node decorates."""
    node: ast.AST = spot.node
    index = plan.index(spot.module)
    while isinstance(index.parents.get(node), ast.Attribute):
        node = index.parents[node]
    parent = index.parents.get(node)
    return parent if isinstance(parent, FUNCTIONS) and node in parent.decorator_list else None


def _import_only(plan: Plan, spot: Spot) -> Step | None:
    """For an import of the name: it goes by itself when the last user has gone. When it had none, now."""
    node, parent = spot.node, spot.parent
    if not isinstance(node, ast.alias) or not isinstance(parent, ast.ImportFrom):
        raise Refused("it is used as a value: by hand")
    bound = node.asname or node.name
    scope = spot.scope
    if uses(plan, spot.module, bound, scope) or scope is not spot.module.scope:
        return None
    from tornado4.migrate.fix.rewrites.names import _taken_by_others

    if _taken_by_others(plan, spot.module, bound) or bound in plan.index(spot.module).strings:
        raise Refused("other files take the name from here: by hand")
    step = plan.step(spot)
    step.change(spot.module, parent, dropping(bound), line=len(parent.names) == 1)
    return step


@rewrites("TND101")
def asynchronous(plan: Plan, spot: Spot) -> Step | None:
    """``@asynchronous``: goes, where the request is answered when the function ends."""
    if isinstance(spot.node, ast.alias):
        return _import_only(plan, spot)
    function = _function_of_decorator(plan, spot)
    if function is None:
        raise Refused("it is used as a value: by hand")
    module, step = spot.module, plan.step(spot)
    decorator = decorator_named(plan, module, function, ASYNCHRONOUS)
    if decorator is None:
        raise Refused("the decorator is called, or may be another: by hand")
    below = function.decorator_list[function.decorator_list.index(decorator) + 1 :]
    kinds = [plan.program.refs(module, each) for each in below]
    if any(COROUTINE in each for each in kinds):
        step.change(module, function, decorator_change(decorator, None))
        return step
    if decorator_named(plan, module, function, COROUTINE) is not None:
        raise Refused("@gen.coroutine above @asynchronous: in this order it never worked")
    if any(ENGINE in each for each in kinds):
        return None  # with the engine, in one step
    if isinstance(function, ast.AsyncFunctionDef):
        step.change(module, function, decorator_change(decorator, None))
        return step
    if shapes.is_generator(function):
        raise Refused("a generator that is no coroutine: by hand")
    if shapes.finishes(plan.program, module, function):
        step.change(module, function, decorator_change(decorator, None))
        return step
    return continued(plan, spot, step, function, decorator)


@rewrites("TND102")
def engine(plan: Plan, spot: Spot) -> Step | None:
    """``@gen.engine`` is ``@gen.coroutine``; a callback parameter becomes what is returned, for all callers at once."""
    if isinstance(spot.node, ast.alias):
        return _import_only(plan, spot)
    function = _function_of_decorator(plan, spot)
    if function is None:
        raise Refused("it is used as a value: by hand")
    module, step = spot.module, plan.step(spot)
    decorator = decorator_named(plan, module, function, ENGINE)
    if decorator is None or isinstance(function, ast.AsyncFunctionDef):
        raise Refused("the decorator is called, or may be another: by hand")
    new = plan.spell(step, module, function, COROUTINE)
    parameter = callback_parameter(function)
    above = decorator_named(plan, module, function, ASYNCHRONOUS)
    if above is not None:
        if not shapes.finishes(plan.program, module, function):
            plan.unsafe_only("whether the request is answered when the function ends cannot be seen")
        step.rules.append("TND101")
        step.change(module, function, decorator_change(above, None))
    elif parameter is None:
        plan.unsafe_only("errors come to whoever waits for the Future, no longer to the one who called")
    if parameter is not None:
        plan.unsafe_only("the callback becomes the result: errors come to whoever waits for it")
        into_result(plan, step, module, function, parameter)
    step.change(module, function, decorator_change(decorator, new))
    return step


def callback_parameter(function: Function) -> ast.arg | None:
    return next((each for each in _arguments(function) if each.arg in ("callback", "cb")), None)


def into_result(plan: Plan, step: Step, module: Module, function: Function, parameter: ast.arg) -> None:
    """Turn ``callback(value)`` at the ends of a function into its result, and change all who call it."""
    name = parameter.arg
    for node in shapes.own_nodes(function):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)) and any(
            isinstance(each, ast.Name) and each.id == name for each in ast.walk(node)
        ):
            raise Refused(f"{name} is called from a function within: by hand")
    handled: set[int] = set()
    for statement in list(shapes.tails(function.body)):
        _result_of(plan, step, module, function, statement, name, handled)
    _guards(plan, step, module, function, name, handled)
    for node in shapes.own_nodes(function):
        if isinstance(node, ast.Name) and node.id == name and id(node) not in handled:
            raise Refused(f"{name} is not only called where the function ends: by hand")
    if not handled:
        raise Refused(f"{name} is never called in it: by hand")
    if shapes.returns_value(function):
        raise Refused("it returns values already: by hand")
    _drop_parameter(plan, step, module, function, parameter)
    whole = callers.family(plan.program.project, module, function)
    if len(whole.members) > 1:
        raise Refused("a class that is related has a method of this name: all are changed by hand")
    _change_callers(plan, step, whole, function, parameter)


def _result_of(
    plan: Plan, step: Step, module: Module, function: Function, statement: ast.stmt, name: str, handled: set[int]
) -> None:
    """One end of the function: ``callback(value)``, ``return callback(value)``."""
    call = statement.value if isinstance(statement, ast.Expr | ast.Return) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name):
        return
    if call.keywords or len(call.args) > 1 or any(isinstance(each, ast.Starred) for each in call.args):
        raise Refused(f"{name} gets more than one argument: by hand")
    index = plan.index(module)
    for each in index.ancestors(statement):
        if each is function:
            break
        if isinstance(each, ast.For | ast.While | ast.Try | ast.With):
            raise Refused(f"{name} is called in a {type(each).__name__.lower()}: by hand")
    handled.add(id(call.func))

    def change(node: Any) -> Changed:
        value = node.value
        assert isinstance(value, cst.Call)
        return cst.Return(value.args[0].value if value.args else None)

    step.change(module, statement, change)
    siblings = _siblings(index.parents[statement], statement)
    position = siblings.index(statement)
    following = siblings[position + 1] if position + 1 < len(siblings) else None
    if isinstance(following, ast.Return):
        from tornado4.migrate.fix.tree import remove_line

        step.change(module, following, remove_line, line=True)


def _siblings(parent: ast.AST, statement: ast.stmt) -> list[ast.stmt]:
    for field in ("body", "orelse", "finalbody"):
        body = getattr(parent, field, None)
        if isinstance(body, list) and statement in body:
            return body
    return [statement]


def _guards(plan: Plan, step: Step, module: Module, function: Function, name: str, handled: set[int]) -> None:
    """``if callback: callback(x)``: the result is given to whoever wants it, so the condition goes."""
    index = plan.index(module)
    for node in shapes.own_nodes(function):
        if not isinstance(node, ast.If):
            continue
        test = node.test
        asks = test.left if isinstance(test, ast.Compare) else test
        if not (isinstance(asks, ast.Name) and asks.id == name):
            continue
        if isinstance(test, ast.Compare) and not (
            len(test.ops) == 1
            and isinstance(test.ops[0], ast.IsNot)
            and isinstance(test.comparators[0], ast.Constant)
            and test.comparators[0].value is None
        ):
            continue
        inside = node.body[0]
        ends = (
            isinstance(inside, ast.Expr)
            and isinstance(inside.value, ast.Call)
            and isinstance(inside.value.func, ast.Name)
            and inside.value.func.id == name
        )
        siblings = _siblings(index.parents[node], node)
        following = siblings[siblings.index(node) + 1 :]
        at_end = ends and len(node.body) == 1 and not node.orelse
        if not at_end or (following and not isinstance(following[0], ast.Return)):
            raise Refused(f"whether there is a {name} decides more than whether it is called: by hand")
        if not following and not shapes.ends_after(function.body, inside):
            raise Refused(f"{name} is not called where the function ends: by hand")
        handled.add(id(asks))
        assert isinstance(inside, ast.Expr) and isinstance(inside.value, ast.Call)
        call = inside.value
        if id(call.func) not in handled:
            _result_of(plan, step, module, function, inside, name, handled)
        if following and isinstance(following[0], ast.Return):
            from tornado4.migrate.fix.tree import remove_line

            step.change(module, following[0], remove_line, line=True)
        step.change(module, node, _body_of)


def _body_of(node: cst.CSTNode) -> Changed:
    assert isinstance(node, cst.If) and isinstance(node.body, cst.IndentedBlock)
    body: list[Any] = list(node.body.body)
    first, *rest = body
    first = first.with_changes(leading_lines=[*node.leading_lines, *first.leading_lines])
    return cst.FlattenSentinel([first, *rest])


def _drop_parameter(plan: Plan, step: Step, module: Module, function: Function, parameter: ast.arg) -> None:
    positional = [*function.args.posonlyargs, *function.args.args]
    if parameter in positional and positional[-1] is not parameter:
        raise Refused(f"{parameter.arg} is not the last parameter: by hand")
    name = parameter.arg

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.FunctionDef)
        params = [each for each in node.params.params if each.name.value != name]
        only = [each for each in node.params.kwonly_params if each.name.value != name]
        if params and not only and not isinstance(node.params.star_arg, cst.Param) and node.params.star_kwarg is None:
            params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        changed = node.params.with_changes(params=params, kwonly_params=only)
        return node.with_changes(params=changed)

    step.change(module, function, change)


def _change_callers(plan: Plan, step: Step, whole: callers.Family, function: Function, parameter: ast.arg) -> None:
    """``gen.Task(f, x)`` is ``f(x)``; ``f(x, callback=g)`` hands its result to g when it is there."""
    name = parameter.arg
    position = function.args.args.index(parameter) if parameter in function.args.args else -1
    for use in callers.uses(plan.program.project, whole):
        index = plan.index(use.module)
        if not use.sure:
            raise Refused(f"{use.module.path}:{use.node.lineno} may call it, which cannot be seen: by hand")
        parent = index.parents[use.node]
        if isinstance(parent, ast.Call) and use.node in parent.args[:1]:
            if plan.program.means(use.module, parent.func, "tornado.gen.Task"):
                step.change(use.module, parent, calling_first)
                step.rules.append("TND103")
                continue
        if use.call is None:
            raise Refused(f"{use.module.path}:{use.node.lineno} hands it on: by hand")
        _change_call(plan, step, use, name, position - (1 if whole.is_method else 0))


def _change_call(plan: Plan, step: Step, use: callers.Use, name: str, position: int) -> None:
    from tornado4.migrate.fix.rewrites.callbacks import with_add_future

    call = use.call
    assert call is not None
    keyword = next((each for each in call.keywords if each.arg == name), None)
    value = keyword.value if keyword is not None else None
    if value is None and 0 <= position < len(call.args):
        value = call.args[position]
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        raise Refused(f"{use.module.path}:{use.node.lineno} hands arguments on by *: by hand")
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        if value is None:
            return
        raise Refused(f"{use.module.path}:{use.node.lineno} gives None for {name}: by hand")
    with_add_future(plan, step, use.module, call, value)
