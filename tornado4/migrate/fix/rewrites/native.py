"""The optional ladder: ``@gen.coroutine`` and yield become ``async def`` and await, where all callers wait.

A coroutine of Tornado's starts when it is called, an ``async def`` when somebody waits for it. So a function is left as
it is when one of its callers does not wait, or cannot be seen. And ``await`` takes less than yield did: lists,
dictionaries and None have another spelling, what is unknown is left.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from tornado4.migrate.check import callers
from tornado4.migrate.check.callers import AWAITED_METHODS, COROUTINE, GEN_TEST
from tornado4.migrate.check.project import Instance, Module, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Assigned, Function
from tornado4.migrate.fix import helpers, shapes
from tornado4.migrate.fix.program import Spot, visible
from tornado4.migrate.fix.rewrites import by_profile, maybe
from tornado4.migrate.fix.rewrites.callbacks import FUTURES
from tornado4.migrate.fix.rewrites.coroutines import (
    TRANSPARENT,
    decorator_change,
    decorator_named,
    function_of,
    is_sure,
)
from tornado4.migrate.fix.steps import Never, Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Change, Changed, calling, expression, holed

#: What gave a Future in 4.5.3 and gives None in 6; and what gives None in 4.5.3, which yield takes.
NOTHING_TO_AWAIT = frozenset(
    f"tornado.{owner}.{name}"
    for owner, names in {
        "auth.OAuth2Mixin": "authorize_redirect",
        "auth.OpenIdMixin": "authenticate_redirect",
        "web.RequestHandler": "prepare initialize write finish render redirect send_error write_error on_finish "
        "set_header add_header clear_header set_status set_cookie clear_cookie set_secure_cookie clear",
        "websocket.WebSocketHandler": "open on_message on_close on_ping on_pong close ping",
        "ioloop.IOLoop": "add_callback spawn_callback add_callback_from_signal add_future start stop close",
        "testing.AsyncTestCase": "setUp tearDown stop",
    }.items()
    for name in names.split()
)


@rewrites("TND301")
def native(plan: Plan, spot: Spot) -> Step | None:
    """One coroutine, and all methods that go under the same name in related classes."""
    function = spot.node
    assert isinstance(function, ast.FunctionDef)
    module, step = spot.module, plan.step(spot)
    whole = callers.family(plan.program.project, module, function)
    converted: list[tuple[Module, Function]] = []
    _refuse_hidden_calls(plan, whole)
    for home, member in whole.members:
        if isinstance(member, ast.AsyncFunctionDef):
            continue
        if COROUTINE not in plan.program.decorated(home, member):
            if home is module and member is function:
                raise Refused("it is decorated in a way that is not followed")
            reason = f"{plan.program.qualname(home, member)} has the same name and is no coroutine"
            by_profile.told(plan, step, reason, by_profile.has_run(plan, module, function))
            continue
        _convert(plan, step, home, member)
        converted.append((home, member))
    _look_at_callers(plan, step, whole, converted)
    by_profile.ensure_proved(plan, step, whole, converted)
    return step


def _refuse_hidden_calls(plan: Plan, whole: callers.Family) -> None:
    """Methods that are called by another name than their own: ``__call__``, ``_Class__private``."""
    name = whole.name
    if name.startswith("__") and name.endswith("__"):
        if name != "__call__":
            raise Refused("Python calls it, and does not wait")
        plan.unsafe_only("who calls it does not say its name")
    elif name.startswith("__"):
        for cls in whole.classes:
            mangled = f"_{cls.rpartition('.')[2].lstrip('_')}{name}"
            if plan.program.modules_saying(mangled):
                raise Refused(f"it is called as {mangled}, too: by hand")


@rewrites("TND318")
def gen_test(plan: Plan, spot: Spot) -> Step | None:
    """A test of ``@gen_test``."""
    function = spot.node
    assert isinstance(function, ast.FunctionDef)
    step = plan.step(spot)
    if not any(isinstance(each, ast.Yield) for each in shapes.own_nodes(function)):
        return None
    _convert(plan, step, spot.module, function)
    by_profile.ensure_yields_ran(plan, step, spot.module, function)
    return step


@rewrites("TND310", "TND311", "TND312", "TND313", "TND314", "TND319")
def with_its_function(plan: Plan, spot: Spot) -> Step | None:
    """Each yield changes with the coroutine that it stands in."""
    return None


def _convert(plan: Plan, step: Step, module: Module, function: Function) -> None:
    decorators = function.decorator_list
    coroutine = decorator_named(plan, module, function, COROUTINE)
    is_test = GEN_TEST in plan.program.decorated(module, function)
    if coroutine is None and not is_test:
        raise Refused("it is decorated in a way that is not followed")
    if coroutine is not None:
        position = decorators.index(coroutine)
        if position != len(decorators) - 1:
            below = plan.program.refs(module, _called(decorators[-1]))
            if below != {COROUTINE}:
                raise Refused("a decorator below gen.coroutine works on the generator")
        for above in decorators[:position]:
            names = plan.program.refs(module, _called(above))
            if not names & TRANSPARENT and GEN_TEST not in names:
                if isinstance(above, ast.Name) and above.id == "property":
                    raise Refused("a property: who waits for it cannot be seen")
                if isinstance(above, ast.Name) and above.id in ("classmethod", "staticmethod"):
                    continue
                plan.unsafe_only("what the decorator above does with a coroutine cannot be seen")
    own = shapes.own_nodes(function)
    if any(isinstance(each, ast.YieldFrom) for each in own):
        raise Refused("it has a yield from")
    for each in own:
        if isinstance(each, ast.Yield):
            if any(isinstance(part, NOT_IN_LINE) for part in _within(plan, module, function, each)):
                raise Refused("it yields within a comprehension, which is no Python of today")
            step.change(module, each, _awaiting(plan, step, module, function, each))
        elif isinstance(each, ast.Raise):
            called = each.exc.func if isinstance(each.exc, ast.Call) else each.exc
            if plan.program.means(module, called, "tornado.gen.Return"):
                raise Refused("it has a raise gen.Return that is not a return yet")
        elif isinstance(each, ast.ExceptHandler) and any(
            plan.program.means(module, one, "tornado.gen.Return")
            for one in ast.walk(each.type or ast.Pass())
            if isinstance(one, ast.expr)
        ):
            raise Refused("it catches gen.Return")
    _with_locks(plan, step, module, function)
    if coroutine is not None:
        step.change(module, function, decorator_change(coroutine, None))
    step.change(module, function, _async)


#: What a yield cannot stand in, and an await would make something else of. (A list's was a part of its function once.)
NOT_IN_LINE = (ast.GeneratorExp, ast.SetComp, ast.DictComp)


def _within(plan: Plan, module: Module, function: Function, node: ast.AST) -> Iterator[ast.AST]:
    """From a node up to its function."""
    for each in plan.index(module).ancestors(node):
        if each is function:
            return
        yield each


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _async(node: cst.CSTNode) -> Changed:
    assert isinstance(node, cst.FunctionDef)
    return node.with_changes(asynchronous=cst.Asynchronous())


# -- what is yielded


def _awaiting(plan: Plan, step: Step, module: Module, function: Function, node: ast.Yield) -> Change:
    """How a yield is written with await."""
    value = node.value
    drop = _drops_parentheses(plan.index(module).parents[node], node)

    def made(build: Callable[[Any], cst.BaseExpression]) -> Change:
        def change(old: cst.CSTNode) -> Changed:
            assert isinstance(old, cst.Yield)
            inner = old.value
            new = build(inner)
            if drop or not old.lpar:
                return new.with_changes(lpar=[], rpar=[]) if drop else new
            return new.with_changes(lpar=old.lpar, rpar=old.rpar)

        return change

    if (
        value is None
        or (isinstance(value, ast.Constant) and value.value is None)
        or _is(plan, module, value, "tornado.gen.moment")
    ):
        name = plan.spell(step, module, node, "asyncio.sleep")
        return made(lambda inner: expression(f"await {name}(0)"))
    _refuse_unwritten(plan, module, value)

    def waiting() -> Change:
        name = helpers.spelled(plan, step, module, node, helpers.WAIT)
        return made(lambda inner: cst.Await(calling(name, inner)))

    helper = maybe.by_helper(plan, step, module, node)
    if helper is not None:
        return made(lambda inner: maybe.renamed(inner, helper))
    several = isinstance(value, ast.Tuple) or _is_collection(plan, module, value)
    try:
        told = by_profile.form(plan, step, module, function, node, lambda: _by_names(plan, module, value), several)
    except Refused:
        if plan.options.helpers is None:
            raise
        return waiting()
    if told is not None:
        return made(told)
    if isinstance(value, ast.GeneratorExp):
        raise Refused("it yields a generator")
    if several:
        name = plan.spell(step, module, node, "tornado.gen.multi")
        return made(lambda inner: cst.Await(calling(name, inner if not isinstance(inner, cst.Tuple) else holed(inner))))
    submitted = _submitted(plan, module, value)
    if submitted is not None and (plan.options.unsafe or plan.options.helpers is None) and not submitted.keywords:
        plan.unsafe_only("an executor's Future cannot be awaited as it is: run_in_executor takes its place")
        loop = plan.spell(step, module, node, "tornado.ioloop.IOLoop.current")
        return made(lambda inner: _run_in_executor(inner, loop))
    if _of_threads(plan, module, value):
        name = plan.spell(step, module, node, "asyncio.wrap_future")
        return made(lambda inner: cst.Await(calling(name, inner)))
    try:
        _known(plan, module, value)
    except Refused:
        if plan.options.helpers is None:
            raise
        return waiting()
    return made(lambda inner: cst.Await(holed(inner)))


def _by_names(plan: Plan, module: Module, value: ast.expr) -> None:
    """Refuse what names alone do not prove to be waited for by await as it is by yield."""
    if isinstance(value, ast.GeneratorExp):
        raise Never("it yields a generator")
    if isinstance(value, ast.Tuple) or _is_collection(plan, module, value):
        return  # gen.multi takes what yield took in them
    if _submitted(plan, module, value) is not None:
        plan.unsafe_only("an executor's Future cannot be awaited as it is")
    elif not _of_threads(plan, module, value):
        _known(plan, module, value)


def _drops_parentheses(parent: ast.AST, node: ast.Yield) -> bool:
    """Await binds tightly: parentheses stay where a dot, a bracket, a call or a power follow."""
    if isinstance(parent, ast.Attribute | ast.Subscript | ast.Await | ast.FormattedValue | ast.Call):
        return isinstance(parent, ast.Call | ast.Subscript) and node not in (
            getattr(parent, "func", None),
            getattr(parent, "value", None),
        )
    return not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow))


def _is(plan: Plan, module: Module, node: ast.expr, dotted: str) -> bool:
    return plan.program.means(module, node, dotted)


_COLLECTIONS = (ast.List, ast.ListComp, ast.Dict, ast.DictComp)


def _is_collection(plan: Plan, module: Module, node: ast.expr) -> bool:
    """A list or a dictionary for certain: gen.multi takes what yield took in one."""
    if isinstance(node, _COLLECTIONS):
        return True
    index = plan.index(module)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("list", "dict"):
        return node in index.scopes and visible(node.func.id, index.scopes[node]) is None and not module.scope.stars
    if not isinstance(node, ast.Name):
        return False
    scope = visible(node.id, index.scopes[node])
    bindings = scope.bindings[node.id] if scope is not None and scope.kind == "function" else []
    return bool(bindings) and all(
        isinstance(each, Assigned)
        and (isinstance(each.value, _COLLECTIONS) or (isinstance(each.value, ast.Call) and each.value in index.scopes))
        and _is_collection(plan, module, each.value)
        for each in bindings
    )


def _parts(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.List() | ast.Tuple():
            return [each.value if isinstance(each, ast.Starred) else each for each in node.elts]
        case ast.ListComp():
            return [node.elt]
        case ast.DictComp():
            return [node.value or node.key]  # from Python 3.15 on, {**each for ...} has its dict in place of a key
        case ast.Dict():
            return list(node.values)
        case ast.IfExp():
            return [node.body, node.orelse]
    return []


def _refuse_unwritten(plan: Plan, module: Module, node: ast.expr) -> None:
    """What Tornado 6 does not take at all is rewritten first."""
    for each in _parts(node):
        _refuse_unwritten(plan, module, each)
    if isinstance(node, ast.Call):
        names = plan.program.refs(module, node.func)
        for name in ("tornado.gen.Task", "tornado.gen.Wait", "tornado.gen.WaitAll", "tornado.gen.Callback"):
            if name in names:
                raise Never(f"it yields {name.removeprefix('tornado.')}, which is to be rewritten first")


def _known(plan: Plan, module: Module, node: ast.expr) -> None:
    """Refuse what may be no awaitable."""
    if isinstance(node, ast.IfExp):
        _known(plan, module, node.body)
        _known(plan, module, node.orelse)
        return
    if is_awaitable(plan, module, node):
        return
    maybe_future = maybe.given(plan, module, node)
    if maybe_future is not None:
        if _submitted(plan, module, maybe_future) is not None or _of_threads(plan, module, maybe_future):
            raise Refused("gen.maybe_future gives an executor's Future on, which yield takes and await does not")
        if not isinstance(maybe_future, ast.Constant) and not is_awaitable(plan, module, maybe_future):
            plan.unsafe_only(
                "whether gen.maybe_future gets an executor's Future, which await does not take, is not seen"
            )
        return
    if isinstance(node, ast.Call):
        names = plan.program.refs(module, node.func)
        if names & NOTHING_TO_AWAIT:
            raise Never(f"{ast.unparse(node.func)} gives nothing to await")
        found = function_of(plan, module, node.func)
        if found is not None and not _may_give_awaitable(plan, *found):
            raise Refused(f"it yields {ast.unparse(node)[:40]}, which may give nothing that can be awaited")
        plan.unsafe_only(f"whether {ast.unparse(node)[:60]} can be awaited cannot be seen")
        return
    if isinstance(node, ast.Constant | ast.List | ast.Dict | ast.Tuple | ast.ListComp):
        raise Refused(f"it yields {ast.unparse(node)[:40]} within another")
    given = _assigned(plan, module, node)
    if any(isinstance(each, ast.List | ast.Dict | ast.ListComp | ast.Tuple | ast.DictComp) for each in given):
        raise Refused(f"{ast.unparse(node)[:60]} is a list or a dictionary, which yield takes and await does not")
    if any(_submitted(plan, module, each) is not None for each in given):
        raise Refused(f"{ast.unparse(node)[:60]} is an executor's Future, which yield takes and await does not")
    if "future" in ast.unparse(node).lower() or ast.unparse(node).lower().endswith("fut"):
        plan.unsafe_only(f"that {ast.unparse(node)[:60]} is a Future is likely by its name alone")
        return
    if isinstance(node, ast.Attribute) and node.attr == FETCH_NEXT and _is_motors(plan):
        plan.unsafe_only(f"that {ast.unparse(node)[:60]} is a Future of Motor's is likely by its name alone")
        return
    raise Refused(f"{ast.unparse(node)[:60]} may be a list, a dictionary or None, which yield takes and await does not")


#: What cursors of Motor, the driver for MongoDB, have: a Future each time that it is asked for.
FETCH_NEXT = "fetch_next"


def _is_motors(plan: Plan) -> bool:
    """Whether the program imports Motor, and nothing else has a ``fetch_next``."""
    known = plan.memory.get(FETCH_NEXT)
    if known is None:
        modules = [each for each in plan.program.project.all_modules if {"motor", FETCH_NEXT} & each.words]
        others = [each for each in modules if not each.name.startswith("motor.")]
        known = any(_imports_motor(each) for each in modules) and not any(_defines(each, FETCH_NEXT) for each in others)
        plan.memory[FETCH_NEXT] = known
    return bool(known)


def _imports_motor(module: Module) -> bool:
    return any(
        (isinstance(each, ast.Import) and any(one.name.partition(".")[0] == "motor" for one in each.names))
        or (isinstance(each, ast.ImportFrom) and not each.level and (each.module or "").partition(".")[0] == "motor")
        for each in ast.walk(module.tree)
    )


def _defines(module: Module, name: str) -> bool:
    index = module.index
    return (
        name in index.strings
        or any(each.name == name for each in index.functions)
        or any(not isinstance(each.ctx, ast.Load) for each in index.attributes.get(name, ()))
        or any(not isinstance(each.ctx, ast.Load) for each in index.names.get(name, ()))
    )


def _may_give_awaitable(plan: Plan, module: Module, function: Function) -> bool:
    """Whether a function, undecorated, gives something on each way that can be seen: None cannot be awaited."""
    if function.decorator_list or isinstance(function, ast.AsyncFunctionDef):
        return True
    nothing = any(isinstance(each, ast.Return) and shapes.is_none(each.value) for each in shapes.own_nodes(function))
    last = function.body[-1]
    ends = isinstance(last, ast.Expr | ast.Assign | ast.AugAssign | ast.For | ast.Pass)
    ends = ends or (isinstance(last, ast.If) and not last.orelse)
    return shapes.returns_value(function) and not nothing and not ends


def is_awaitable(plan: Plan, module: Module, node: ast.expr, depth: int = 3) -> bool:
    """Whether an expression certainly can be awaited."""
    if isinstance(node, ast.Call):
        if not is_sure(plan, module, node.func):
            return False  # by its name alone, or it may be something else: f = timed(f)
        names = plan.program.refs(module, node.func)
        if names and names <= FUTURES:
            return True
        found = function_of(plan, module, node.func)
        if found is None:
            return False
        home, function = found
        whole = callers.family(plan.program.project, home, function)
        return all(_gives_awaitable(plan, other, member, depth) for other, member in whole.members)
    if isinstance(node, ast.Name | ast.Attribute):
        values = plan.program.resolve(module, node)
        if values and all(
            isinstance(each, Instance) and each.sure and each.cls == "tornado.concurrent.Future" for each in values
        ):
            return True
    if isinstance(node, ast.Name) and depth:
        index = plan.index(module)
        scope = visible(node.id, index.scopes[node])
        bindings = scope.bindings[node.id] if scope is not None and scope.kind == "function" else []
        return bool(bindings) and all(
            isinstance(each, Assigned)
            and each.value in index.scopes
            and is_awaitable(plan, module, each.value, depth - 1)
            and not _is_native_call(plan, module, each.value)
            for each in bindings
        )
    return False


def _is_native_call(plan: Plan, module: Module, node: ast.expr) -> bool:
    found = function_of(plan, module, node.func) if isinstance(node, ast.Call) else None
    return found is not None and isinstance(found[1], ast.AsyncFunctionDef)


def _gives_awaitable(plan: Plan, module: Module, function: Function, depth: int) -> bool:
    if isinstance(function, ast.AsyncFunctionDef):
        return not function.decorator_list and not shapes.is_generator(function)
    names = plan.program.decorated(module, function)
    if COROUTINE in names or "tornado.concurrent.return_future" in names:
        return all(
            plan.program.refs(module, _called(each)) <= {COROUTINE, *TRANSPARENT, "tornado.concurrent.return_future"}
            for each in function.decorator_list
        )
    if function.decorator_list or shapes.is_generator(function) or not depth:
        return False
    returns = [each for each in shapes.own_nodes(function) if isinstance(each, ast.Return)]
    last = function.body[-1]
    return (
        bool(returns)
        and isinstance(last, ast.Return | ast.Raise)
        and all(each.value is not None and is_awaitable(plan, module, each.value, depth - 1) for each in returns)
    )


def _assigned(plan: Plan, module: Module, node: ast.expr) -> list[ast.expr]:
    """What a local name, or an attribute of self, is set to."""
    index = plan.index(module)
    if isinstance(node, ast.Name):
        scope = visible(node.id, index.scopes[node])
        bindings = scope.bindings.get(node.id, []) if scope is not None else []
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        cls = index.scopes[node].enclosing_class()
        bindings = cls.bindings.get(f"self.{node.attr}", []) if cls is not None else []
    else:
        bindings = []
    return [each.value for each in bindings if isinstance(each, Assigned)]


def _of_threads(plan: Plan, module: Module, node: ast.expr) -> bool:
    """A Future of concurrent.futures, which yield takes and await does not."""
    values = [node] if isinstance(node, ast.Call) else _assigned(plan, module, node)
    return any(
        isinstance(each, ast.Call)
        and each.func in plan.index(module).scopes
        and (
            "concurrent.futures.Future" in plan.program.refs(module, each.func)
            or _is_executors(plan, module, each)
            or _runs_on_executor(plan, module, each)
        )
        for each in values
    )


def _is_executors(plan: Plan, module: Module, node: ast.Call) -> bool:
    """``submit`` of what certainly is an executor of the standard library."""
    values = plan.program.resolve(module, node.func)
    return bool(values) and all(
        isinstance(each, Ref)
        and each.sure
        and each.dotted.startswith("concurrent.futures.")
        and each.dotted.endswith(".submit")
        for each in values
    )


def _runs_on_executor(plan: Plan, module: Module, node: ast.Call) -> bool:
    """A method under ``@run_on_executor``: it gives a thread's Future on 4.5.3, which wrap_future takes on both."""
    found = function_of(plan, module, node.func)
    return found is not None and "tornado.concurrent.run_on_executor" in plan.program.decorated(*found)


def _submitted(plan: Plan, module: Module, node: ast.expr) -> ast.Call | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "submit"):
        return None
    values = plan.program.resolve(module, node.func)
    known = any(isinstance(each, Ref) and each.dotted.startswith("concurrent.futures") for each in values)
    if known or "executor" in ast.unparse(node.func.value).lower() or "pool" in ast.unparse(node.func.value).lower():
        return node
    return None


def _run_in_executor(inner: cst.CSTNode | None, loop: str) -> cst.BaseExpression:
    assert isinstance(inner, cst.Call) and isinstance(inner.func, cst.Attribute)
    first = cst.Arg(inner.func.value, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    call = inner.with_changes(func=cst.parse_expression(f"{loop}().run_in_executor"), args=[first, *inner.args])
    return cst.Await(call)


def _with_locks(plan: Plan, step: Step, module: Module, function: Function) -> None:
    """``with (yield lock.acquire())`` is ``async with lock``, for Tornado's own locks."""
    for node in shapes.own_nodes(function):
        if not isinstance(node, ast.With) or len(node.items) != 1 or node.items[0].optional_vars is not None:
            continue
        value = node.items[0].context_expr
        if not isinstance(value, ast.Yield) or not isinstance(value.value, ast.Call):
            continue
        if plan.program.refs(module, value.value.func) <= {
            "tornado.locks.Semaphore.acquire",
            "tornado.locks.Lock.acquire",
        }:
            if not plan.program.refs(module, value.value.func) or value.value.args or value.value.keywords:
                continue

            def change(old: cst.CSTNode) -> Changed:
                assert isinstance(old, cst.With)
                item = old.items[0].item
                while isinstance(item, cst.Await):
                    item = item.expression
                assert isinstance(item, cst.Call) and isinstance(item.func, cst.Attribute)
                lock = item.func.value
                return old.with_changes(
                    items=[old.items[0].with_changes(item=lock)],
                    asynchronous=cst.Asynchronous(),
                    whitespace_after_with=cst.SimpleWhitespace(" "),
                    lpar=cst.MaybeSentinel.DEFAULT,
                    rpar=cst.MaybeSentinel.DEFAULT,
                )

            step.change(module, node, change)


# -- who calls


def _look_at_callers(plan: Plan, step: Step, whole: callers.Family, converted: list[tuple[Module, Function]]) -> None:
    project = plan.program.project
    if whole.is_method and not callers.called_by_tornado(project, whole):
        for cls in whole.classes:
            taken = [each for each in project.mro(cls) if _is_tornados(each, whole.name)]
            if taken:
                raise Refused(f"{taken[0]}.{whole.name} is called by Tornado, which does not wait for it")
            if "?" in project.mro(cls) or any(
                each != cls and project.class_named(each) is None and not each.startswith(("tornado.", "builtins."))
                for each in project.mro(cls)
            ):
                reason = "a base class that is not read may call it, or have it"
                by_profile.told(plan, step, reason, by_profile.no_base_says(plan, converted))
    nested = not whole.is_method and all(_is_nested(*each) for each in whole.members)
    if not nested and any(whole.name in plan.index(each).strings for each in plan.program.modules_saying(whole.name)):
        if not (whole.is_method and any(whole.name in names for names in AWAITED_METHODS.values())):
            reason = f"{whole.name!r} stands in a string: somebody may call it by that"
            by_profile.told(plan, step, reason, by_profile.strings_ran(plan, whole.name))
    at_once = any(not _yields(member) for _, member in converted)
    for use in callers.uses(plan.program.project, whole):
        if not _is_of_others(plan, whole, use):
            _look_at(plan, step, use, converted)
            if at_once and use.how == "waited" and not _is_awaited(plan, use):
                plan.unsafe_only(f"it ends at once: {use} yields it, and would wait a turn of the loop for it")


def _is_nested(module: Module, function: Function) -> bool:
    """Within another function: it is no attribute of anything that a string could be asked for."""
    return module.index.scopes[function].kind == "function"


def _yields(function: Function) -> bool:
    return any(isinstance(each, ast.Yield) for each in shapes.own_nodes(function))


def _is_awaited(plan: Plan, use: callers.Use) -> bool:
    """In an ``async def``: await goes straight into another one, where yield asks the loop for a task."""
    return isinstance(plan.index(use.module).function_of(use.node), ast.AsyncFunctionDef)


def _is_tornados(cls: str, name: str) -> bool:
    from tornado4.migrate.check import tornado

    return cls.startswith("tornado.") and tornado.member_home(cls, name) is not None


def _is_of_others(plan: Plan, whole: callers.Family, use: callers.Use) -> bool:
    """Whether a use gets a method of the family that is no coroutine, whatever the object: then it is of no concern.

    That is ``self.close()`` in a method of a base that each class with a coroutine ``close`` has redefined. Where the
    object is of the base's type as far as one sees, but may be of a derived one, the use is no longer sure.
    """
    refs = {each.dotted for each in plan.program.resolve(use.module, use.node) if isinstance(each, Ref)}
    waiting = {
        cls
        for (module, member), cls in zip(whole.members, map(_class_of(plan), whole.members), strict=True)
        if cls is not None
        and (isinstance(member, ast.AsyncFunctionDef) or COROUTINE in plan.program.decorated(module, member))
    }
    if not refs or not whole.is_method or any(ref.rpartition(".")[0] in waiting for ref in refs):
        return False
    use.sure = False
    node = use.node
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"):
        return False
    method = plan.index(use.module).function_of(node)
    own = plan.program.class_of(use.module, node)
    if not isinstance(method, FUNCTIONS) or own is None:
        return False
    for cls in waiting:
        if own not in plan.program.project.mro(cls):
            continue
        found = plan.program.project.method(cls, method.name)
        if found is not None and found[1] is method:
            use.sure = True  # such a class has this very method, and gets its coroutine there
            return False
        if found is None or _calls_super(found[1], method.name):
            return False
    return True


def _class_of(plan: Plan) -> Callable[[tuple[Module, Function]], str | None]:
    return lambda member: plan.program.class_of(*member)


def _calls_super(function: Function, name: str) -> bool:
    return any(
        isinstance(each, ast.Attribute) and each.attr == name and "super" in ast.unparse(each.value)
        for each in ast.walk(function)
    )


def _look_at(plan: Plan, step: Step, use: callers.Use, converted: list[tuple[Module, Function]]) -> None:
    index = plan.index(use.module)
    where = str(use)
    if use.call is None:
        if use.waits:
            return
        parent = index.parents[use.node]
        if isinstance(parent, ast.Attribute) and not use.sure:
            return
        if isinstance(parent, ast.Assign) and isinstance(index.parents[parent], ast.ClassDef):
            targets = {each.id for each in parent.targets if isinstance(each, ast.Name)}
            if len(targets) == len(parent.targets) and targets <= AWAITED_METHODS["tornado.web.RequestHandler"]:
                return  # post = get, in a handler
        if use.sure:
            reason = f"{where} hands it on: whether somebody waits then cannot be seen"
            by_profile.told(plan, step, reason, by_profile.given_to_loop(plan, use, converted), unsafe=False)
            return
        if isinstance(use.node, ast.Attribute) and isinstance(use.node.ctx, ast.Load):
            plan.unsafe_only(f"{where} may hand it on")
        return  # thing.close = other: that hands nothing on
    calls_back = any(each.arg == "callback" for each in use.call.keywords)
    if calls_back and use.sure:
        raise Refused(f"{where} gives it a callback")
    if calls_back:
        reason = f"{where} may give it a callback"
        by_profile.told(plan, step, reason, by_profile.calls_another(plan, use, converted, reason))
    if use.waits or maybe.is_waited_by_helper(plan, use):
        return
    if maybe.takes(plan, use):
        raise Refused(f"{where} gives it to gen.maybe_future, which does not wait for an async def")
    if use.sure:
        raise Refused(f"{where} does not wait for it: an async def would not start there")
    reason = f"{where} may call it and does not wait"
    by_profile.told(plan, step, reason, by_profile.calls_another(plan, use, converted, reason))


@rewrites("TND320")
def sleeping(plan: Plan, spot: Spot) -> Step | None:
    """``await gen.sleep(1)`` is asyncio's."""
    node, module = spot.node, spot.module
    if isinstance(node, ast.alias):
        return None
    index = plan.index(module)
    call = index.parents.get(node)
    if not (isinstance(call, ast.Call) and call.func is node and isinstance(index.parents[call], ast.Await)):
        return None
    step = plan.step(spot)
    name = plan.spell(step, module, node, "asyncio.sleep")
    step.change(module, node, lambda n: expression(name))
    return step


@rewrites("TND315")
def started(plan: Plan, spot: Spot) -> Step | None:
    """A coroutine that nobody waits for stays one of Tornado's: that starts it."""
    raise Refused("it is to start at once: leave it a gen.coroutine, or spawn_callback it")
