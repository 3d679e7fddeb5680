"""Handlers, requests and their connections."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix.program import Spot
from tornado4.migrate.fix.rewrites.arguments import call_of
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Changed, expression


def _called(plan: Plan, spot: Spot) -> ast.Call:
    call = plan.index(spot.module).parents.get(spot.node)
    if not isinstance(call, ast.Call) or call.func is not spot.node:
        raise Refused("it is not called here: by hand")
    return call


@rewrites("TND132")
def http_1_1(plan: Plan, spot: Spot) -> Step | None:
    """``request.supports_http_1_1()`` is a comparison."""
    call = _called(plan, spot)
    parent = plan.index(spot.module).parents[call]
    plain = isinstance(parent, ast.Call | ast.If | ast.Assign | ast.Return | ast.keyword | ast.IfExp)
    step = plan.step(spot)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        made = expression('({request}.version == "HTTP/1.1")', request=node.func.value)
        return made.with_changes(lpar=[], rpar=[]) if plain else made

    step.change(spot.module, call, change)
    return step


@rewrites("TND138")
def detached(plan: Plan, spot: Spot) -> Step | None:
    """``self.request.connection.detach()`` is ``self.detach()``."""
    call = _called(plan, spot)
    assert isinstance(call.func, ast.Attribute)
    if ast.unparse(call.func.value) != "self.request.connection" or not plan.program.derives(
        spot.module, call, "tornado.web.RequestHandler"
    ):
        raise Refused("it is not called in a handler: by hand")
    plan.unsafe_only("the handler counts as finished then, which it did not")
    step = plan.step(spot)
    step.change(spot.module, call.func, lambda n: expression("self.detach"))
    return step


@rewrites("TND148")
def all_cookies(plan: Plan, spot: Spot) -> Step | None:
    """``self.clear_all_cookies()`` for each cookie."""
    call = _called(plan, spot)
    line = plan.index(spot.module).statement(call)
    if not (isinstance(line, ast.Expr) and line.value is call):
        raise Refused("by hand: for each cookie by its name")
    if any(isinstance(each, ast.Starred) for each in call.args) or call.args:
        raise Refused("arguments by position: by hand")
    plan.unsafe_only("it works on in Tornado 6")
    function = plan.index(spot.module).function_of(call)
    names = {each.id for each in ast.walk(function or spot.module.tree) if isinstance(each, ast.Name)}
    name = next(each for each in ("name", "cookie", "cookie_name") if each not in names)
    step = plan.step(spot)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Expr)
        old = node.body[0].value
        assert isinstance(old, cst.Call) and isinstance(old.func, cst.Attribute)
        handler = old.func.value
        first = cst.Arg(cst.Name(name))
        clear = cst.Call(cst.Attribute(handler, cst.Name("clear_cookie")), [first, *old.args])
        loop = cst.For(
            cst.Name(name),
            cst.parse_expression(cst.Module([]).code_for_node(handler) + ".request.cookies"),
            cst.IndentedBlock([cst.SimpleStatementLine([cst.Expr(clear)])]),
        )
        return loop.with_changes(leading_lines=node.leading_lines)

    step.change(spot.module, line, change, line=True)
    return step


@rewrites("TND224")
def wsgi_environ(plan: Plan, spot: Spot) -> Step | None:
    """``WSGIContainer.environ(request)`` on the class."""
    call = call_of(plan, spot)
    if not isinstance(call.func, ast.Attribute) or not plan.program.means(
        spot.module, call.func.value, "tornado.wsgi.WSGIContainer"
    ):
        raise Refused("it is not called on the class: by hand")
    step = plan.step(spot)
    step.change(spot.module, call.func, lambda n: n.with_changes(value=expression("{cls}(None)", cls=n.value)))
    return step


@rewrites("TND701")
def websocket_get(plan: Plan, spot: Spot) -> Step | None:
    """``get`` of a WebSocketHandler: the base's is a coroutine now; what is ahead of it may be prepare."""
    function = spot.node
    if not isinstance(function, ast.FunctionDef):
        return None
    last = function.body[-1]
    call = last.value if isinstance(last, ast.Expr | ast.Return) else None
    if not (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "get"
        and isinstance(call.func.value, ast.Call)
        and getattr(call.func.value.func, "id", "") == "super"
    ):
        raise Refused("the base's get is not called at its end: by hand")
    others = [
        each for each in ast.walk(function) if isinstance(each, ast.Return | ast.Yield | ast.Await) and each is not last
    ]
    parameters = [*function.args.args[1:], *function.args.kwonlyargs]
    cls = plan.index(spot.module).parents[function]
    assert isinstance(cls, ast.ClassDef)
    has_prepare = any(isinstance(each, FUNCTIONS) and each.name == "prepare" for each in cls.body)
    inherited = plan.program.project.method(plan.program.class_of(spot.module, function) or "", "prepare")
    decorators = [
        each
        for each in function.decorator_list
        if not plan.program.means(spot.module, each, "tornado.web.asynchronous")
    ]
    if others or parameters or call.args or call.keywords or has_prepare or inherited or decorators:
        raise Refused("what it does ahead is more than prepare can: by hand, as async def that awaits the base's")
    if function.args.vararg or function.args.kwarg:
        raise Refused("what it does ahead is more than prepare can: by hand, as async def that awaits the base's")
    step = plan.step(spot)
    if len(function.body) == 1:
        raise Refused("it does nothing of its own: by hand")

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock)
        return node.with_changes(
            name=cst.Name("prepare"), body=node.body.with_changes(body=node.body.body[:-1]), decorators=[]
        )

    step.change(spot.module, function, change, moves=True)
    return step


@rewrites("TND501")
def answers_later(plan: Plan, spot: Spot) -> Step | None:
    """A handler that answers from a callback: with its decorator, TND101."""
    return None


@rewrites("TND149")
def log_message(plan: Plan, spot: Spot) -> Step | None:
    """What an error says: by hand."""
    raise Refused("what is wanted of the message is for a person: error.get_message() on Tornado 6.5 and later")
