"""Callbacks of Tornado's functions, by keyword and by position: they are called with what was waited for.

Where nothing follows, the function becomes a coroutine that waits (``show((yield client.fetch(url)))``): it starts at
once, as before. Elsewhere the loop calls (``add_future``), which changes nothing around it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence

import libcst as cst

from tornado4.migrate.check.project import Module, Ref
from tornado4.migrate.check.scopes import FUNCTIONS, Defined, Function, Imported
from tornado4.migrate.fix import shapes
from tornado4.migrate.fix.program import Spot, visible
from tornado4.migrate.fix.rewrites.arguments import as_keyword, call_of
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Change, Changed, expression, holed, on_lines, without_argument

COROUTINE = "tornado.gen.coroutine"
FETCH = "tornado.httpclient.AsyncHTTPClient.fetch"

#: What gives a Future in 4.5.3 and in 6 when no callback is given, with the number of arguments that the callback got.
GIVES = {
    FETCH: 1,
    "tornado.websocket.websocket_connect": -1,  # the callback gets the Future itself
    "tornado.iostream.BaseIOStream.read_until": 1,
    "tornado.iostream.BaseIOStream.read_until_regex": 1,
    "tornado.iostream.BaseIOStream.read_bytes": 1,
    "tornado.iostream.BaseIOStream.read_until_close": 1,
    "tornado.iostream.BaseIOStream.write": 0,
    "tornado.iostream.IOStream.connect": 0,
    "tornado.iostream.SSLIOStream.connect": 0,
    "tornado.iostream.SSLIOStream.wait_for_handshake": 1,
    "tornado.web.RequestHandler.flush": 0,
    "tornado.auth.GoogleOAuth2Mixin.get_authenticated_user": 1,
    "tornado.auth.FacebookGraphMixin.get_authenticated_user": 1,
    "tornado.auth.OpenIdMixin.get_authenticated_user": 1,
    "tornado.auth.OAuthMixin.get_authenticated_user": 1,
    "tornado.auth.OAuth2Mixin.oauth2_request": 1,
    "tornado.auth.FacebookGraphMixin.facebook_request": 1,
    "tornado.auth.TwitterMixin.twitter_request": 1,
    "tornado.httpserver.HTTPServer.close_all_connections": 0,
    "tornado.process.Subprocess.wait_for_exit": 1,
    "tornado.tcpclient.TCPClient.connect": 1,
    "tornado.netutil.Resolver.resolve": 1,
}
#: The same by the method's name alone, for objects of which nothing is known.
GIVES_BY_NAME = {name.rpartition(".")[2]: count for name, count in GIVES.items() if "connect" not in name}
GIVES_BY_NAME.pop("write"), GIVES_BY_NAME.pop("resolve")

#: Functions of Tornado's whose Future can be waited for in 4.5.3 and in 6.
FUTURES = frozenset(GIVES) | frozenset(
    (
        "tornado.gen.sleep",
        "tornado.gen.with_timeout",
        "tornado.gen.multi",
        "tornado.gen.convert_yielded",
        "tornado.locks.Condition.wait",
        "tornado.locks.Event.wait",
        "tornado.locks.Semaphore.acquire",
        "tornado.locks.Lock.acquire",
        "tornado.queues.Queue.get",
        "tornado.queues.Queue.put",
        "tornado.queues.Queue.join",
        "tornado.concurrent.Future",
        "tornado.websocket.WebSocketClientConnection.read_message",
        "tornado.websocket.WebSocketHandler.write_message",
        "tornado.iostream.IOStream.start_tls",
        "tornado.iostream.BaseIOStream.read_into",
        "tornado.ioloop.IOLoop.run_in_executor",
        "asyncio.sleep",
        "asyncio.gather",
        "asyncio.wait",
        "asyncio.wait_for",
        "asyncio.ensure_future",
    )
)


def wants_errors(plan: Plan, module: Module, node: ast.AST) -> bool:
    """Whether what looks at the answer expects one that is an error: then fetch must not raise."""
    function = plan.index(module).function_of(node)
    return function is not None and _looks_at_errors(function)


def _looks_at_errors(function: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Attribute) and each.attr in ("error", "rethrow", "code") and isinstance(each.ctx, ast.Load)
        for each in ast.walk(function)
    )


@rewrites("TND202", "TND203", "TND204", "TND205", "TND209", "TND214")
def callback(plan: Plan, spot: Spot) -> Step | None:
    """A callback that Tornado's function took."""
    module, call = spot.module, call_of(plan, spot)
    value, position = _callback_in(call, spot.node)
    step = plan.step(spot)
    count = _count(plan, module, call)
    if count is None:
        raise Refused("what the callback gets there is not known: by hand")
    if "self.stop" in ast.unparse(value) and plan.program.derives(module, call, "tornado.testing.AsyncTestCase"):
        return None  # a test: TND801 and TND805 see to it
    _refuse_effects(value)
    index = plan.index(module)
    statement = index.statement(call)
    if count == -1:  # the callback gets the Future: the loop hands it over, as Tornado did
        with_add_future(plan, step, module, call, value, count=count, keep=_place(call, spot.node, position))
        return step
    plan.unsafe_only("errors come to whoever waits, no longer to a callback or a log")
    function = index.function_of(call)
    alone = isinstance(statement, ast.Expr) and statement.value is call
    if isinstance(function, FUNCTIONS) and alone and shapes.ends_after(function.body, statement):
        try:
            return _waited(plan, step, module, function, statement, call, value, count)
        except Refused as refusal:
            if _is_handler_method(plan, module, function):
                raise
            step = plan.step(spot)
            del refusal
    if isinstance(function, FUNCTIONS) and _has_asynchronous(plan, module, function):
        raise Refused("the request would be answered before the callback is called: by hand")
    if not alone:
        raise Refused("the result of the call is used, too: by hand")
    with_add_future(plan, step, module, call, value, count=count, keep=_place(call, spot.node, position))
    return step


def _callback_in(call: ast.Call, node: ast.AST) -> tuple[ast.expr, int | None]:
    if isinstance(node, ast.keyword):
        return node.value, None
    if node in call.args:
        return node, call.args.index(node)
    for keyword in call.keywords:
        if keyword.arg == "callback":
            return keyword.value, None
    raise Refused("the callback is not found")


def _place(call: ast.Call, node: ast.AST, position: int | None) -> Callable[[int, cst.Arg], bool]:
    """Which argument is the callback, for LibCST."""
    if position is not None:
        return lambda number, argument: number == position and argument.keyword is None
    return lambda number, argument: argument.keyword is not None and argument.keyword.value == "callback"


def _count(plan: Plan, module: Module, call: ast.Call) -> int | None:
    """How many arguments the callback gets; None where that is not known."""
    for value in plan.program.resolve(module, call.func):
        if isinstance(value, Ref):
            for name in [value.dotted, *plan.program.project.mro(value.dotted)]:
                if name in GIVES:
                    return GIVES[name]
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if not plan.program.refs(module, call.func):
        return GIVES_BY_NAME.get(name)
    return None


def _refuse_effects(node: ast.expr) -> None:
    for each in ast.walk(node):
        if isinstance(each, ast.Yield | ast.Await | ast.NamedExpr):
            raise Refused("the callback is gen.Callback, or made in the call: TND104 sees to it")


def _is_handler_method(plan: Plan, module: Module, function: Function) -> bool:
    return plan.program.derives(module, function, "tornado.web.RequestHandler")


def _has_asynchronous(plan: Plan, module: Module, function: Function) -> bool:
    return "tornado.web.asynchronous" in plan.program.decorated(module, function)


def stripped(plan: Plan, module: Module, node: ast.expr) -> ast.expr:
    """The callback within ``self.async_callback(f)``, ``stack_context.wrap(f)``."""
    while isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "async_callback":
            node = node.args[0]
        elif plan.program.means(module, node.func, "tornado.stack_context.wrap"):
            node = node.args[0]
        else:
            break
    return node


def _callback_function(plan: Plan, module: Module, value: ast.expr) -> tuple[Module, Function] | None:
    from tornado4.migrate.fix.rewrites.coroutines import function_of

    found = function_of(plan, module, value)
    if found is not None:
        return found
    if isinstance(value, ast.Name):
        scope = visible(value.id, plan.index(module).scopes[value])
        bindings = scope.bindings.get(value.id, []) if scope is not None else []
        node = getattr(bindings[0], "node", None) if len(bindings) == 1 else None
        if isinstance(node, FUNCTIONS):
            return module, node
    return None


def _waited(
    plan: Plan,
    step: Step,
    module: Module,
    function: Function,
    statement: ast.stmt,
    call: ast.Call,
    value: ast.expr,
    count: int,
) -> Step:
    """The function as a coroutine that waits at its end and calls the callback itself."""
    target = stripped(plan, module, value)
    partial = _partial(plan, module, target)
    found = _callback_function(plan, module, partial.args[0] if partial is not None else target)
    await_it = found is not None and _waits(plan, *found)
    if count == 0 and not is_fixed(plan, module, target):
        raise Refused("what the callback is then cannot be seen")
    if isinstance(target, ast.Lambda) and not _can_be_inlined(function, target, count):
        raise Refused("the names in the lambda mean something else in the function")
    handler = _is_handler_method(plan, module, function)
    verb = handler and (_has_asynchronous(plan, module, function) or function.name in VERBS)
    if verb and not await_it and not _callback_answers(plan, module, target, found):
        raise Refused("whether the callback answers the request cannot be seen: by hand")
    errors = False
    if FETCH in plan.program.refs(module, call.func) or getattr(call.func, "attr", "") == "fetch":
        body: ast.AST | None = found[1] if found is not None else target if isinstance(target, ast.Lambda) else None
        errors = body is None or _looks_at_errors(body)
    word = become_coroutine(plan, step, module, function)
    wait = "await" if word == "await" else "yield"

    gone = _place(call, value, call.args.index(value) if value in call.args else None)

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Expr) and isinstance(node.value, cst.Call)
        taken = next(each for number, each in enumerate(node.value.args) if gone(number, each)).value
        bare = without_argument(node.value, gone)
        if errors:
            bare = _with_raise_error(bare)
        return _continued(plan, node, bare, _stripped_cst(taken, target), partial is not None, count, wait, await_it)

    step.change(module, statement, on_lines(change), line=True)
    return step


def _can_be_inlined(function: Function, target: ast.Lambda, count: int) -> bool:
    """Whether a lambda's body can stand in the function: its parameter is no name that functions within use."""
    arguments = target.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs or arguments.defaults:
        return False
    if len(arguments.args) != count:
        return False
    names = {each.arg for each in arguments.args}
    for each in ast.walk(function):
        if isinstance(each, ast.Global | ast.Nonlocal) and names & set(each.names):
            return False
        if isinstance(each, (*FUNCTIONS, ast.Lambda)) and each is not function and each is not target:
            if any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(each)):
                return False
    return not any(isinstance(each, ast.Yield | ast.Lambda) for each in ast.walk(target.body))


VERBS = frozenset("get post put delete head options patch prepare".split())


def _with_raise_error(call: cst.Call) -> cst.Call:
    if any(each.keyword is not None and each.keyword.value == "raise_error" for each in call.args):
        return call
    extra = as_keyword(cst.Arg(cst.Name("False")), "raise_error")
    args = list(call.args)
    if args:
        comma = args[-1].comma
        if isinstance(comma, cst.MaybeSentinel):
            args[-1] = args[-1].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return call.with_changes(args=[*args, extra])


def _stripped_cst(node: cst.BaseExpression, target: ast.expr) -> cst.BaseExpression:
    wanted = ast.unparse(target)
    while isinstance(node, cst.Call) and len(node.args) == 1:
        if (
            ast.unparse(
                ast.parse(cst.Module([]).code_for_node(node.with_changes(lpar=[], rpar=[])).strip(), mode="eval").body
            )
            == wanted
        ):
            break
        node = node.args[0].value
    return node


def _partial(plan: Plan, module: Module, node: ast.expr) -> ast.Call | None:
    if isinstance(node, ast.Call) and plan.program.means(module, node.func, "functools.partial") and node.args:
        return node
    return None


def _waits(plan: Plan, module: Module, function: Function) -> bool:
    return isinstance(function, ast.AsyncFunctionDef) or COROUTINE in plan.program.decorated(module, function)


def _callback_answers(plan: Plan, module: Module, target: ast.expr, found: tuple[Module, Function] | None) -> bool:
    if found is not None:
        return not shapes.is_generator(found[1]) and shapes.finishes(plan.program, *found)
    body = target.body if isinstance(target, ast.Lambda) else None
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Attribute) and body.func.attr in shapes.ANSWERS:
        return ast.unparse(body.func.value) == "self"
    if isinstance(target, ast.Attribute) and target.attr in shapes.ANSWERS:
        return ast.unparse(target.value) == "self"
    return False


def _continued(
    plan: Plan,
    node: cst.Expr,
    call: cst.Call,
    callee: cst.BaseExpression,
    partial: bool,
    count: int,
    wait: str,
    await_it: bool,
) -> Changed:
    """``callee(wait call)``; ``wait call`` and then ``callee()``, where it gets nothing."""
    waited = expression(f"({wait} {{call}})", call=call)
    bare = waited.with_changes(lpar=[], rpar=[])
    args: list[cst.Arg] = []
    if partial:
        assert isinstance(callee, cst.Call)
        args, callee = list(callee.args[1:]), callee.args[0].value
    if isinstance(callee, cst.Lambda) and not partial:
        return _inlined(node, callee, bare, count)
    if count == 0:
        last = cst.Call(holed(callee), args)
        value: cst.BaseExpression = waiting(wait, last) if await_it else last
        return cst.FlattenSentinel([node.with_changes(value=bare), node.with_changes(value=value)])
    inner = waited if wait == "yield" else bare
    args = _inserted(args, cst.Arg(inner))
    last = cst.Call(holed(callee), args)
    value = waiting(wait, last) if await_it else last
    return node.with_changes(value=value)


def _inserted(args: Sequence[cst.Arg], extra: cst.Arg) -> list[cst.Arg]:
    """After the positional ones."""
    positional = [each.with_changes(comma=cst.MaybeSentinel.DEFAULT) for each in args if each.keyword is None]
    named = [each.with_changes(comma=cst.MaybeSentinel.DEFAULT) for each in args if each.keyword is not None]
    return [*positional, extra, *named]


def _inlined(node: cst.Expr, callee: cst.Lambda, waited: cst.BaseExpression, count: int) -> Changed:
    """A lambda's body in its place, with the name of its parameter for what was waited for."""
    params = callee.params.params
    if count == 0 and not params:
        return cst.FlattenSentinel([node.with_changes(value=waited), node.with_changes(value=callee.body)])
    assert len(params) == 1
    assign = cst.Assign([cst.AssignTarget(params[0].name)], waited)
    return cst.FlattenSentinel([assign, node.with_changes(value=callee.body)])


def become_coroutine(plan: Plan, step: Step, module: Module, function: Function) -> str:
    """Make a function one that can wait; says by which word. Its callers see a Future where they saw None."""
    from tornado4.migrate.fix.rewrites.coroutines import TRANSPARENT, decorator_change, decorator_named

    if isinstance(function, ast.AsyncFunctionDef):
        return "await"
    decorated = plan.program.decorated(module, function)
    if COROUTINE in decorated:
        return "yield"
    if shapes.is_generator(function):
        raise Refused("the function is a generator, and no coroutine")
    if shapes.returns_value(function):
        raise Refused("the function returns something already")
    if function.name.startswith("__") or function.name in ("setUp", "tearDown", "initialize", "on_finish", "on_close"):
        raise Refused(f"{function.name} cannot wait: whoever calls it does not")
    for each in function.decorator_list:
        if not plan.program.refs(module, each.func if isinstance(each, ast.Call) else each) & TRANSPARENT:
            raise Refused("what its decorator does with a Future cannot be seen")
    new = plan.spell(step, module, function, COROUTINE)
    old = decorator_named(plan, module, function, "tornado.web.asynchronous")
    if old is not None:
        step.rules.append("TND101")
        step.change(module, function, decorator_change(old, new))
    else:
        step.change(module, function, lambda n: _decorated(n, new))
    return "yield"


def _decorated(node: cst.CSTNode, name: str) -> cst.CSTNode:
    assert isinstance(node, cst.FunctionDef)
    decorator = cst.Decorator(cst.parse_expression(name))
    if not node.decorators:
        # comments ahead of a function stay ahead of it
        return node.with_changes(decorators=[decorator])
    return node.with_changes(decorators=[*node.decorators, decorator])


def with_add_future(
    plan: Plan,
    step: Step,
    module: Module,
    call: ast.Call,
    value: ast.expr,
    *,
    count: int = 1,
    keep: object = None,
) -> None:
    """``f(x, callback=g)`` as a call whose Future, once done, has its result handed to g by the loop."""
    index = plan.index(module)
    statement = index.statement(call)
    if not (isinstance(statement, ast.Expr) and statement.value is call):
        raise Refused(f"{module.path}:{call.lineno} uses what the call gives: by hand")
    target = stripped(plan, module, value)
    loop = plan.spell(step, module, call, "tornado.ioloop.IOLoop.current")
    position = call.args.index(value) if value in call.args else None
    named = next((each.arg for each in call.keywords if each.value is value), None)
    fixed = is_fixed(plan, module, target)
    inside = {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
    future = "future" if "future" not in inside else "done_future"
    gone = keep if callable(keep) else None
    errors = (
        FETCH in plan.program.refs(module, call.func) or getattr(call.func, "attr", "") == "fetch"
    ) and _errors_of(plan, module, target)

    def is_gone(number: int, argument: cst.Arg) -> bool:
        if gone is not None:
            return bool(gone(number, argument))
        if position is not None:
            return number == position and argument.keyword is None
        return argument.keyword is not None and argument.keyword.value == named

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Call)
        taken = next(each for number, each in enumerate(node.args) if is_gone(number, each)).value
        callee = _stripped_cst(taken, target)
        bare = without_argument(node, is_gone)
        if errors:
            bare = _with_raise_error(bare)
        if count == -1:
            return expression(f"{loop}().add_future({{call}}, {{callee}})", call=bare, callee=callee)
        # What the callback is was settled by the call, so it is settled here as well.
        given = f"{future}" if fixed else f"{future}, callback={{callee}}"
        name = "{callee}" if fixed else "callback"
        done = f"{name}({future}.result())" if count else f"({future}.result(), {name}())"
        return expression(f"{loop}().add_future({{call}}, lambda {given}: {done})", call=bare, callee=callee)

    step.change(module, call, change)


def is_fixed(plan: Plan, module: Module, node: ast.expr) -> bool:
    """Whether an expression stands for one thing whenever it is looked at: a function, a method of self, a lambda."""
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Name):
        scope = visible(node.id, plan.index(module).scopes[node])
        if scope is None:
            return hasattr(builtins, node.id)
        return all(isinstance(each, Defined | Imported) for each in scope.bindings[node.id])
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        refs = plan.program.refs(module, node)
        return len(refs) == 1 and not any(
            isinstance(each.ctx, ast.Store) for each in plan.index(module).attributes.get(node.attr, ())
        )
    return False


def _errors_of(plan: Plan, module: Module, target: ast.expr) -> bool:
    partial = _partial(plan, module, target)
    found = _callback_function(plan, module, partial.args[0] if partial is not None else target)
    if found is not None:
        return _looks_at_errors(found[1])
    return _looks_at_errors(target) if isinstance(target, ast.Lambda) else True


# -- a handler that answers from a callback


def continued(plan: Plan, spot: Spot, step: Step, function: Function, decorator: ast.expr) -> Step | None:
    """``@asynchronous`` on a plain method: it waits for what its last statement begins."""
    from tornado4.migrate.fix.rewrites.coroutines import decorator_change, function_of

    module = spot.module
    ends = [each for each in shapes.tails(function.body) if not isinstance(each, ast.Return | ast.Raise)]
    if shapes.returns_value(function):
        raise Refused("the function returns something already: by hand")
    changes: list[tuple[ast.stmt, Change]] = []
    for statement in dict.fromkeys(ends):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call):
            if _statement_answers(plan, module, statement):
                continue
            raise Refused("where the answer comes from cannot be seen: by hand")
        if _has_callback_finding(plan, module, call):
            return None  # with the callback, in one step
        if _statement_answers(plan, module, statement):
            continue
        found = function_of(plan, module, call.func)
        if found is not None and _waits(plan, *found):
            changes.append((statement, _yielded))
            continue
        changes.append((statement, _later(plan, step, module, call)))
    plan.unsafe_only("that the request is answered by then is likely, not certain")
    new = plan.spell(step, module, function, COROUTINE)
    step.change(module, function, decorator_change(decorator, new))
    for statement, change in changes:
        step.change(module, statement, on_lines(change), line=True)
    return step


def _statement_answers(plan: Plan, module: Module, statement: ast.stmt) -> bool:
    return shapes._statement(plan.program, module, statement, 3) == "answers"


def _has_callback_finding(plan: Plan, module: Module, call: ast.Call) -> bool:
    if _count(plan, module, call) is None:
        return False
    return any(each.arg == "callback" for each in call.keywords) or bool(
        len(call.args) > 1 and isinstance(call.args[-1], ast.Attribute | ast.Lambda)
    )


def _yielded(node: cst.CSTNode) -> Changed:
    assert isinstance(node, cst.Expr)
    return node.with_changes(value=waiting("yield", node.value))


def waiting(word: str, node: cst.BaseExpression) -> cst.BaseExpression:
    """``yield node`` or ``await node``, without parentheses."""
    return expression(f"({word} {{node}})", node=node).with_changes(lpar=[], rpar=[])


def _later(plan: Plan, step: Step, module: Module, call: ast.Call) -> Change:
    """``call_later(1, self.ready)`` at the end: sleep, then ready."""
    from tornado4.migrate.fix.rewrites.coroutines import slept_time

    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if call.keywords or any(isinstance(each, ast.Starred) for each in call.args):
        raise Refused("where the answer comes from cannot be seen: by hand")
    if name in ("add_timeout", "call_later") and len(call.args) >= 2:
        slept = slept_time(plan, step, module, call.func, call.args[:1], call)
        rest = 1
    elif name in ("add_callback", "spawn_callback") and call.args:
        slept, rest = "0", 0
    else:
        raise Refused("where the answer comes from cannot be seen: by hand")
    target = stripped(plan, module, call.args[rest])
    found = _callback_function(plan, module, target)
    if slept is None or not (
        _callback_answers(plan, module, target, found) or (found is not None and _waits(plan, *found))
    ):
        raise Refused("whether what is called later answers the request cannot be seen: by hand")
    if isinstance(target, ast.Lambda) and target.args.args:
        raise Refused("a lambda with parameters is called later: by hand")
    await_it = found is not None and _waits(plan, *found)
    sleep = plan.spell(step, module, call, "tornado.gen.sleep")

    def change(node: cst.CSTNode) -> Changed:
        assert isinstance(node, cst.Expr) and isinstance(node.value, cst.Call)
        args = node.value.args
        callee = _stripped_cst(args[rest].value, target)
        if isinstance(callee, cst.Lambda):
            then: cst.BaseExpression = callee.body
        else:
            then = cst.Call(
                holed(callee), [each.with_changes(comma=cst.MaybeSentinel.DEFAULT) for each in args[rest + 1 :]]
            )
        if await_it:
            then = waiting("yield", then)
        first = node.with_changes(value=waiting("yield", expression(f"{sleep}({slept})")))
        return cst.FlattenSentinel([first, node.with_changes(value=then)])

    return change


@rewrites("TND210")
def coroutine_callback(plan: Plan, spot: Spot) -> Step | None:
    """A coroutine of the program that is called with ``callback=``, which 4.5.3's gen.coroutine took away."""
    call = call_of(plan, spot)
    keyword = next((each for each in call.keywords if each.arg == "callback"), None)
    if keyword is None:
        return None
    plan.unsafe_only("errors come to the loop's log, no longer to the one who called")
    step = plan.step(spot)
    with_add_future(plan, step, spot.module, call, keyword.value)
    return step
