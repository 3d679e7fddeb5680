"""The loop: how one gets it, and methods of it and of Futures that have gone."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check.callers import COROUTINE
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, expression, remove_line

#: Modules by which a program has more threads than one.
_THREADS = frozenset("threading thread _thread concurrent multiprocessing".split())


@rewrites("TND120")
def instance(plan: Plan, spot: Spot) -> Step | None:
    """``IOLoop.instance()`` is ``IOLoop.current()``, on the loop's own thread."""
    node = spot.node
    if not isinstance(node, ast.Attribute):
        return None
    if not _on_the_loop(plan, spot):
        if _is_run_in_thread(plan, spot):
            raise Refused("it runs on another thread, where current() is another loop: hand the loop over")
        plan.unsafe_only("the program has threads, and on another one current() is another loop")
    step = plan.step(spot)
    step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name("current")))
    return step


def _on_the_loop(plan: Plan, spot: Spot) -> bool:
    """No thread in the program; or a place that only the loop's thread comes to."""
    if not any(_has_threads(each.tree) for each in plan.program.project.all_modules):
        return True
    function = spot.function
    if function is None:
        return True
    names = plan.program.decorated(spot.module, function)
    return isinstance(function, ast.AsyncFunctionDef) or COROUTINE in names or "tornado.web.asynchronous" in names


def _is_run_in_thread(plan: Plan, spot: Spot) -> bool:
    """Whether the function around is given to a thread or an executor, by its name."""
    function = spot.function
    if function is None:
        return False
    if "tornado.concurrent.run_on_executor" in plan.program.decorated(spot.module, function):
        return True
    for module in plan.program.modules_saying(function.name):
        index = plan.index(module)
        for node in [*index.names.get(function.name, ()), *index.attributes.get(function.name, ())]:
            parent = index.parents[node]
            call = index.parents.get(parent) if isinstance(parent, ast.keyword) else parent
            if isinstance(call, ast.Call) and node is not call.func:
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if name in ("Thread", "Timer", "submit", "map", "run_in_executor", "start_new_thread", "Process"):
                    return True
    return False


def _has_threads(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name.partition(".")[0] in _THREADS for each in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] in _THREADS:
            return True
    return False


def _called(plan: Plan, spot: Spot) -> ast.Call:
    call = plan.index(spot.module).parents.get(spot.node)
    if not isinstance(call, ast.Call) or call.func is not spot.node:
        raise Refused("it is not called here: by hand")
    return call


def _statement_alone(plan: Plan, spot: Spot, call: ast.Call) -> ast.stmt:
    statement = plan.index(spot.module).statement(call)
    if not (isinstance(statement, ast.Expr) and statement.value is call):
        raise Refused("its result is used: by hand")
    return statement


@rewrites("TND121")
def initialized(plan: Plan, spot: Spot) -> Step | None:
    """``IOLoop.initialized()``."""
    call = _called(plan, spot)
    step = plan.step(spot)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        made = expression("({cls}.current(instance=False) is not None)", cls=node.func.value)
        plain = isinstance(
            plan.index(spot.module).parents[call], ast.Assign | ast.Return | ast.If | ast.keyword | ast.Expr
        )
        return made.with_changes(lpar=[], rpar=[]) if plain else made

    step.change(spot.module, call, change)
    return step


@rewrites("TND122")
def configure(plan: Plan, spot: Spot) -> Step | None:
    """``IOLoop.configure``: the loop is asyncio's."""
    call = _called(plan, spot)
    step = plan.step(spot)
    step.change(spot.module, _statement_alone(plan, spot, call), remove_line, line=True)
    return step


@rewrites("TND123")
def blocking(plan: Plan, spot: Spot) -> Step | None:
    """``set_blocking_log_threshold(5)`` is asyncio's ``slow_callback_duration``."""
    call = _called(plan, spot)
    statement = _statement_alone(plan, spot, call)
    assert isinstance(spot.node, ast.Attribute)
    if spot.node.attr == "log_stack" or len(call.args) != 1:
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    step = plan.step(spot)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Expr) and isinstance(node.value, cst.Call)
        func = node.value.func
        assert isinstance(func, cst.Attribute)
        target = cst.Attribute(cst.Attribute(func.value, cst.Name("asyncio_loop")), cst.Name("slow_callback_duration"))
        return cst.Assign([cst.AssignTarget(target)], node.value.args[0].value)

    plan.unsafe_only("asyncio's loop has this on Tornado 6 alone, and in debug mode")
    step.change(spot.module, statement, change)
    return step


@rewrites("TND125")
def exc_info(plan: Plan, spot: Spot) -> Step | None:
    """``future.set_exc_info(sys.exc_info())`` in an except: ``set_exception(error)``."""
    call = _called(plan, spot)
    index = plan.index(spot.module)
    if (
        len(call.args) != 1
        or not isinstance(call.args[0], ast.Call)
        or "exc_info" not in ast.unparse(call.args[0].func)
    ):
        raise Refused("what is given is not sys.exc_info(): by hand")
    handler = next(
        (each for each in index.ancestors(call) if isinstance(each, (ast.ExceptHandler, *FUNCTIONS, ast.Lambda))), None
    )
    if not isinstance(handler, ast.ExceptHandler):
        raise Refused("it stands in no except: by hand")
    name = handler.name or "error"
    step = plan.step(spot)
    if handler.name is None:
        function = index.function_of(call)
        if any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(function or spot.module.tree)):
            raise Refused("the name error is taken: by hand")
        outer = index.parents[handler]
        assert isinstance(outer, ast.Try)
        position = outer.handlers.index(handler)
        if handler.type is None:
            raise Refused("an except without a type: by hand")

        def named(node: cst.CSTNode) -> Changed:
            assert isinstance(node, cst.Try)
            handlers = list(node.handlers)
            handlers[position] = handlers[position].with_changes(name=cst.AsName(cst.Name(name)))
            return node.with_changes(handlers=handlers)

        step.change(spot.module, outer, named)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        func = node.func.with_changes(attr=cst.Name("set_exception"))
        return node.with_changes(func=func, args=[cst.Arg(cst.Name(name))])

    step.change(spot.module, call, change)
    return step


@rewrites("TND127")
def install(plan: Plan, spot: Spot) -> Step | None:
    """``loop.install()`` is ``loop.make_current()``."""
    node = spot.node
    if not isinstance(node, ast.Attribute) or node.attr != "install":
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    step = plan.step(spot)
    step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name("make_current")))
    return step


@rewrites("TND129")
def future_names(plan: Plan, spot: Spot) -> Step | None:
    """``future.exc_info()`` in a condition: ``future.exception()``."""
    call = _called(plan, spot)
    assert isinstance(spot.node, ast.Attribute)
    parent = plan.index(spot.module).parents[call]
    compared = isinstance(parent, ast.Compare) and all(
        isinstance(each, ast.Constant) and each.value is None for each in parent.comparators
    )
    if spot.node.attr != "exc_info" or not (
        compared or (isinstance(parent, ast.If | ast.IfExp) and parent.test is call)
    ):
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    step = plan.step(spot)
    step.change(spot.module, spot.node, lambda n: n.with_changes(attr=cst.Name("exception")))
    return step


@rewrites("TND401")
def made_current(plan: Plan, spot: Spot) -> Step | None:
    """A loop that is made beside one that is current."""
    raise Refused(f"by hand: {spot.finding.rule.advice}")


@rewrites("TND141")
def futures_of_asyncio(plan: Plan, spot: Spot) -> Step | None:
    """``to_asyncio_future(f)`` is ``f``: both are one in Tornado 6, and on tornado4."""
    node = spot.node
    index = plan.index(spot.module)
    if isinstance(node, ast.alias):
        return None
    call = index.parents.get(node)
    if not isinstance(call, ast.Call) or call.func is not node or len(call.args) != 1 or call.keywords:
        if isinstance(node, ast.Name | ast.Attribute):
            raise Refused("it is not called here: by hand")
        return None
    if not isinstance(index.parents[call], ast.Await | ast.Yield):
        raise Refused("what it gives is not waited for on the spot: by hand")
    step = plan.step(spot)
    step.change(spot.module, call, lambda n: n.args[0].value)
    return step


@rewrites("TND142")
def asyncio_loops(plan: Plan, spot: Spot) -> Step | None:
    """``AsyncIOMainLoop().install()``: the loop is asyncio's as it is."""
    node = spot.node
    index = plan.index(spot.module)
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    call = index.parents.get(node)
    outer = index.parents.get(call) if call is not None else None
    if not (
        isinstance(call, ast.Call) and isinstance(outer, ast.Attribute) and outer.attr in ("install", "make_current")
    ):
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    whole = index.parents[outer]
    plan.unsafe_only("the loop is the running asyncio loop, whichever was meant")
    statement = index.statement(node)
    if not (isinstance(statement, ast.Expr) and statement.value is whole):
        raise Refused("its result is used: by hand")
    step = plan.step(spot)
    step.change(spot.module, statement, remove_line, line=True)
    return step
