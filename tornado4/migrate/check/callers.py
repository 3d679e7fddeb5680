"""Who calls a function of the program, and what becomes of the result.

A ``gen.coroutine`` starts when it is called, an ``async def`` when somebody waits for it. So one can become the other
where all callers wait: ``await f()``, ``yield [f(), g()]``, ``loop.spawn_callback(f)``. ``check --native`` says which
do not, ``fix --native`` leaves a function alone then.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tornado4.migrate.check.project import Instance, Module, Project, Ref, Value
from tornado4.migrate.check.scopes import FUNCTIONS, Defined, Function, Imported, Parameter, Scope, visible

COROUTINE = "tornado.gen.coroutine"
ENGINE = "tornado.gen.engine"
GEN_TEST = "tornado.testing.gen_test"

#: What a caller does: waits for the result, returns it, hands it (or the function) to what runs it, drops it, keeps it.
How: TypeAlias = Literal["waited", "returned", "handed", "dropped", "kept"]

#: Methods that Tornado calls, and whose result it waits for, in 4.5.3 and in 6.
AWAITED_METHODS = {
    "tornado.web.RequestHandler": frozenset("get post put delete head options patch prepare data_received".split()),
    "tornado.websocket.WebSocketHandler": frozenset("open on_message".split()),
    "tornado.tcpserver.TCPServer": frozenset(("handle_stream",)),
    "tornado.netutil.Resolver": frozenset(("resolve",)),
}

#: Functions that take a coroutine function, or what one gives, and see to it that it runs.
RUNNERS = frozenset(
    [
        f"tornado.ioloop.IOLoop.{name}"
        for name in "run_sync spawn_callback add_callback call_later call_at add_timeout".split()
    ]
    + ["tornado.ioloop.PeriodicCallback"]
)
TAKERS = frozenset(
    "tornado.gen.multi tornado.gen.with_timeout tornado.gen.convert_yielded asyncio.gather "
    "asyncio.ensure_future asyncio.wait_for asyncio.run tornado.gen.multi_future".split()
)
#: Decorators whose function takes what the method takes, and hands all of it on.
_HANDING_ON = frozenset(
    [COROUTINE, *(f"tornado.web.{name}" for name in "authenticated addslash removeslash asynchronous".split())]
)
_STARTERS = frozenset(("asyncio.ensure_future", "tornado.gen.convert_yielded", "asyncio.run"))
_RUNNER_NAMES = frozenset("run_sync spawn_callback add_callback call_later call_at add_timeout".split())

#: What a result passes through on its way to who waits.
_THROUGH = (ast.List, ast.Tuple, ast.ListComp, ast.Dict, ast.DictComp, ast.IfExp, ast.Starred)


@dataclass(slots=True, eq=False)
class Use:
    """One place that says a function's name. ``call`` when it is called there. ``sure``: it is this function."""

    module: Module
    node: ast.expr
    call: ast.Call | None
    sure: bool
    how: How

    @property
    def waits(self) -> bool:
        """Whether the result is waited for on the spot, or given to something that sees to it that it comes."""
        return self.how in ("waited", "handed")

    def __str__(self) -> str:
        return f"{self.module.path}:{self.node.lineno}"


@dataclass(slots=True, eq=False)
class Family:
    """A function; or the methods of one name in classes that are related: whoever calls one may get another."""

    name: str
    members: list[tuple[Module, Function]]
    classes: list[str]

    @property
    def is_method(self) -> bool:
        return bool(self.classes)


def family(project: Project, module: Module, node: Function) -> Family:
    """What must be changed together with a function."""
    scope = module.index.scopes[node]
    if scope.kind != "class":
        return Family(node.name, [(module, node)], [])
    own = project.class_of_scope(scope) or ""
    related = _related(project, own, node.name)
    members = []
    for name in related:
        cls = project.class_named(name)
        if cls is None:
            continue
        home = next((each for each in project.all_modules if _top(cls.scope) is each.scope), None)
        for binding in cls.scope.bindings.get(node.name, ()):
            if home is not None and isinstance(binding, Defined) and isinstance(binding.node, FUNCTIONS):
                members.append((home, binding.node))
    if not any(each is node for _, each in members):
        members.append((module, node))
    return Family(node.name, members, related or [own])


def called_by_tornado(project: Project, whole: Family) -> bool:
    """Whether a method is one that Tornado itself calls and waits for."""
    return any(
        whole.name in names and any(base in project.mro(cls) for cls in whole.classes)
        for base, names in AWAITED_METHODS.items()
    )


def _top(scope: Scope) -> Scope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _related(project: Project, own: str, name: str) -> list[str]:
    """The classes that define a method, connected by inheritance to one of them."""
    defining = {
        each.dotted
        for each in project.classes()
        if any(isinstance(binding, Defined) for binding in each.scope.bindings.get(name, ()))
    }
    found = {own}
    if defining <= found:
        return sorted(found)
    lines = [set(project.mro(each.dotted)) & defining for each in project.classes()]
    growing = True
    while growing:
        growing = False
        for line in lines:
            if line & found and not line <= found:
                found |= line
                growing = True
    return sorted(found)


def uses(project: Project, whole: Family) -> list[Use]:
    """Each place in the program that says the name and may mean the function; definitions and imports are none."""
    found = []
    defined = {(module.path, module.index.scopes[node]) for module, node in whole.members}
    dotted = {_dotted(project, module, node) for module, node in whole.members}
    for module in project.modules_saying(whole.name):
        index = module.index
        for name in index.names.get(whole.name, ()):
            scope = visible(whole.name, index.scopes[name])
            sure = scope is not None and (module.path, scope) in defined and scope.kind != "class"
            if not sure and scope is not None:
                sure = any(
                    isinstance(each, Imported) and _means(project, each.dotted, dotted)
                    for each in scope.bindings[whole.name]
                )
            if scope is None and module.scope.stars:
                sure = bool(_refs(project, module, name) & dotted)
            if sure or (scope is not None and scope.kind == "class" and (module.path, scope) in defined):
                found.append(_use(project, module, name, sure=True))
        found += [_use(project, module, name, sure=True) for name in _renamed(project, module, whole.name, dotted)]
        for attribute in index.attributes.get(whole.name, ()):
            verdict = _attribute(project, module, attribute, whole, dotted)
            if verdict is not None:
                use = _use(project, module, attribute, sure=verdict)
                if use.sure or use.call is None or any(_takes(project, *each, use.call) for each in whole.members):
                    found.append(use)
    return found


def _renamed(project: Project, module: Module, own: str, dotted: set[str]) -> Iterator[ast.Name]:
    """Uses under another name: ``from thing import run as start``."""
    index = module.index
    waiting = [module.scope]
    while waiting:
        scope = waiting.pop()
        waiting += scope.inner.values()
        for bound, bindings in scope.bindings.items():
            if bound != own and any(
                isinstance(each, Imported)
                and each.dotted.endswith(f".{own}")
                and _means(project, each.dotted, dotted)
                for each in bindings
            ):
                for name in index.names.get(bound, ()):
                    if isinstance(name.ctx, ast.Load) and visible(bound, index.scopes[name]) is scope:
                        yield name


def _resolve(project: Project, module: Module, node: ast.expr) -> tuple[Value, ...]:
    return project.resolve(node, module.index.scopes[node])


def _refs(project: Project, module: Module, node: ast.expr) -> set[str]:
    return {each.dotted for each in _resolve(project, module, node) if isinstance(each, Ref)}


def _dotted(project: Project, module: Module, node: Function) -> str:
    scope = module.index.scopes[node]
    prefix = module.name if scope.kind == "module" else project.class_of_scope(scope)
    return f"{prefix}.{node.name}"


def _means(project: Project, imported: str, dotted: set[str]) -> bool:
    if imported in dotted:
        return True
    return any(isinstance(each, Ref) and each.dotted in dotted for each in project.dotted(imported))


def _attribute(project: Project, module: Module, node: ast.Attribute, whole: Family, dotted: set[str]) -> bool | None:
    """True: it is the function. False: it may be. None: it is another."""
    values = _resolve(project, module, node)
    refs = {each.dotted for each in values if isinstance(each, Ref)}
    if refs & dotted:
        return True
    owner = _resolve(project, module, node.value)
    if whole.is_method and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super":
        scope = module.index.scopes[node].enclosing_class()
        cls = None if scope is None else project.class_of_scope(scope)
        return True if cls is not None and set(project.mro(cls)) & set(whole.classes) else None
    if refs and all(isinstance(each, Ref) for each in values):
        # a method that another class defines, or a member of another module
        return None
    if owner and whole.is_method:
        classes = {each.cls if isinstance(each, Instance) else each.dotted for each in owner}
        if all(project.is_class(cls) and "?" not in project.mro(cls) for cls in classes):
            related = any(set(project.mro(cls)) & set(whole.classes) for cls in classes)
            return True if related else None
    if not whole.is_method:
        # an attribute of something unknown is no function of a module, unless that something is the module
        return None
    if isinstance(node.value, ast.Name) and (
        (owner == () and _is_foreign_module(module, node.value)) or _is_packed(module, node.value)
    ):
        return None
    return False


def _takes(project: Project, module: Module, method: Function, call: ast.Call) -> bool:
    """Whether a method can be called with these arguments: ``thing.get("name", None)`` is none of ``get(self)``."""
    known = [_refs(project, module, each) for each in method.decorator_list]
    if any(not names or not names <= _HANDING_ON for names in known):
        return True  # what takes the arguments is the decorator's function
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return True
    parameters = method.args
    names = [each.arg for each in [*parameters.posonlyargs, *parameters.args]][1:]
    keywords = {each.arg for each in call.keywords} - ({"callback"} if {COROUTINE} in known else set())
    if len(call.args) > len(names) and parameters.vararg is None:
        return False
    by_name = {*names, *(each.arg for each in parameters.kwonlyargs)}
    if not keywords <= by_name and parameters.kwarg is None:
        return False
    needed = names[: len(names) - len(parameters.defaults)] if len(parameters.defaults) < len(names) else []
    return all(name in keywords for name in needed[len(call.args) :])


def _is_foreign_module(module: Module, node: ast.Name) -> bool:
    scope = visible(node.id, module.index.scopes[node])
    return scope is not None and all(isinstance(each, Imported) for each in scope.bindings[node.id])


def _is_packed(module: Module, node: ast.Name) -> bool:
    """Whether a name is a function's ``*args`` or ``**kwargs``, a tuple or a dictionary."""
    scope = visible(node.id, module.index.scopes[node])
    bindings = scope.bindings[node.id] if scope is not None else []
    return bool(bindings) and all(
        isinstance(each, Parameter)
        and node.id in [getattr(packed, "arg", "") for packed in (each.function.args.vararg, each.function.args.kwarg)]
        for each in bindings
    )


# -- what becomes of a result


def _use(project: Project, module: Module, node: ast.expr, *, sure: bool) -> Use:
    parent = module.index.parents[node]
    if isinstance(parent, ast.Call) and parent.func is node:
        return Use(module, node, parent, sure, what_becomes_of(project, module, parent))
    return Use(module, node, None, sure, "handed" if _is_run(project, module, node) else "kept")


def what_becomes_of(project: Project, module: Module, call: ast.expr) -> How:
    """What is done with what a call gives."""
    index = module.index
    node: ast.AST = call
    parent = index.parents[node]
    while isinstance(parent, _THROUGH):
        if isinstance(parent, ast.ListComp) and parent.elt is not node:
            return "kept"
        if isinstance(parent, ast.Dict) and node not in parent.values:
            return "kept"
        if isinstance(parent, ast.IfExp) and parent.test is node:
            return "kept"
        node = parent
        parent = index.parents[node]
    if isinstance(parent, ast.Await):
        return "waited" if node is call or isinstance(node, ast.IfExp) else "kept"
    if isinstance(parent, ast.Yield):
        return "waited" if _is_coroutines(project, module, parent) else "kept"
    if isinstance(parent, ast.Return):
        return "returned"
    if isinstance(parent, ast.Expr):
        return "dropped"
    if isinstance(parent, ast.Call) and node in parent.args:
        return _given_to(project, module, parent)
    if isinstance(parent, ast.Lambda) and parent.body is call and _is_run(project, module, parent):
        return "handed"
    return "kept"


def _given_to(project: Project, module: Module, taker: ast.Call) -> How:
    names = _refs(project, module, taker.func)
    if not names or not names <= TAKERS:
        return "kept"
    how = what_becomes_of(project, module, taker)
    return "handed" if how == "waited" or names <= _STARTERS else how


def _is_coroutines(project: Project, module: Module, node: ast.Yield) -> bool:
    """Whether a yield waits: it stands in a coroutine, not in any other generator."""
    function = module.index.function_of(node)
    if not isinstance(function, FUNCTIONS):
        return False
    called = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return any(_refs(project, module, each) & {COROUTINE, ENGINE, GEN_TEST} for each in called)


def _is_run(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether a function, a lambda or a partial is given to something that calls it and waits."""
    parent = module.index.parents[node]
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    names = _refs(project, module, parent.func)
    if names == {"functools.partial"} and parent.args[0] is node:
        return _is_run(project, module, parent)
    if names & {"tornado.gen.Task"}:
        return False
    if names and all(each in RUNNERS or each.endswith(".PeriodicCallback") for each in names):
        return True
    if names or not isinstance(parent.func, ast.Attribute):
        return False
    return parent.func.attr in _RUNNER_NAMES and "loop" in ast.unparse(parent.func.value).lower()
