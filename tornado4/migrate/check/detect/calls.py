"""Arguments that Tornado's functions have lost: by keyword, and by position, where what follows takes their place."""

from __future__ import annotations

import ast
import functools

from tornado4.migrate.check import tornado
from tornado4.migrate.check.findings import Certainty
from tornado4.migrate.check.project import Instance, Project, Ref
from tornado4.migrate.check.scopes import Scope
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import Rule, rules

#: Functions that take the argument although their signature does not say so: coroutines, and what hands on.
ALSO = {
    "callback": ("tornado.tcpclient.TCPClient.connect", "tornado.iostream.IOStream.start_tls"),
    "io_loop": (
        "tornado.process.Subprocess",
        "tornado.concurrent.run_on_executor",
        "tornado.gen.YieldFuture",
        "tornado.iostream.IOStream",
        "tornado.iostream.SSLIOStream",
        "tornado.iostream.PipeIOStream",
    ),
}

#: Methods whose name alone says whose they most likely are.
TELLING = frozenset(
    "fetch read_until read_until_regex read_bytes read_until_close wait_for_handshake start_tls get_authenticated_user "
    "oauth2_request facebook_request twitter_request authorize_redirect authenticate_redirect".split()
)


@functools.cache
def keywords() -> dict[str, list[Rule]]:
    """The rules about an argument given by keyword, by that keyword."""
    found: dict[str, list[Rule]] = {}
    for rule in rules().values():
        for call in rule.calls:
            if call.keyword:
                found.setdefault(call.keyword, []).append(rule)
    return found


@functools.cache
def positions() -> dict[str, list[tuple[Rule, int, str]]]:
    """By function: the rule, the position, and the parameter that stood there."""
    found: dict[str, list[tuple[Rule, int, str]]] = {}
    for rule in rules().values():
        for call in rule.calls:
            if call.position >= 0:
                for name in call.to:
                    found.setdefault(name, []).append((rule, call.position, call.parameter))
    return found


@functools.cache
def last_parts() -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in positions())


@detects(ast.Call)
def call(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    given = [keyword for keyword in node.keywords if keyword.arg in keywords()]
    if not given and not node.args:
        return
    func, arguments = node.func, node.args
    if hands_on(place.project, node, place.scope):
        func, arguments = arguments[0], arguments[1:]
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    callees = tuple(_made(each) for each in place.resolve(func))
    for keyword in given:
        _keyword(place, keyword, callees, name)
    if is_unbound(place.project, func, place.scope):
        arguments = arguments[1:]
    for callee in callees:
        if isinstance(callee, Ref):
            _positional(place, arguments, callee)
    if not callees and name in TELLING and arguments and name in last_parts():
        _unknown_positional(place, arguments, name)


#: What calls its first argument with the others.
_HANDING_ON = frozenset({"functools.partial", "tornado.gen.Task"})


def hands_on(project: Project, node: ast.Call, scope: Scope) -> bool:
    """``functools.partial(f, x)``, ``gen.Task(f, x)``: the arguments are those of ``f``."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if not node.args or isinstance(node.args[0], ast.Starred) or isinstance(node.args[0], ast.Constant):
        return False
    values = project.resolve(node.func, scope)
    if not values:
        return name == "partial"
    return all(isinstance(each, Ref) and each.dotted in _HANDING_ON for each in values)


def is_unbound(project: Project, func: ast.expr, scope: Scope) -> bool:
    """``TCPServer.__init__``: a method of a class, which is given the object first."""
    if not isinstance(func, ast.Attribute) or func.attr not in ("__init__", "initialize"):
        return False
    owners = project.resolve(func.value, scope)
    return bool(owners) and all(isinstance(each, Ref) and project.is_class(each.dotted) for each in owners)


def _made(callee: Ref | Instance) -> Ref | Instance:
    """What makes an object stands for the class: ``TCPServer.__init__``; ``initialize`` of what is Configurable."""
    if not isinstance(callee, Ref):
        return callee
    cls, _, name = callee.dotted.rpartition(".")
    configurable = "tornado.util.Configurable" in tornado.mro(cls)  # its __init__ takes anything, and does nothing
    if not tornado.is_class(cls) or name != ("initialize" if configurable else "__init__"):
        return callee
    return Ref(cls, callee.written or callee.dotted, callee.sure)


def _keyword(place: Place, keyword: ast.keyword, callees: tuple[Ref | Instance, ...], name: str) -> None:
    assert keyword.arg is not None
    for callee in callees:
        if not isinstance(callee, Ref):
            continue
        for rule in keywords()[keyword.arg]:
            base = _lost(place, rule, keyword.arg, callee)
            if base is not None:
                certainty: Certainty = "certain" if callee.sure else "likely"
                place.report(keyword, rule.id, certainty, f"{base}({keyword.arg}=...): {rule.advice}")
                return
    if not callees and name in TELLING:
        rule = keywords()[keyword.arg][0]
        place.report(keyword, rule.id, "likely", f".{name}({keyword.arg}=...): {rule.advice}")


def _lost(place: Place, rule: Rule, keyword: str, callee: Ref) -> str | None:
    """The function of Tornado's that has lost the argument: the callee, or what it inherits its signature from."""
    for pattern in rule.calls:
        if pattern.keyword != keyword:
            continue
        if "*" not in pattern.to:
            if any(name in pattern.to for name in _with_bases(place, callee)):
                return callee.written or callee.dotted
            continue
        for name in _with_bases(place, callee):
            if keyword in tornado.lost(name) or name in ALSO.get(keyword, ()):
                return name
    return None


def _with_bases(place: Place, callee: Ref) -> list[str]:
    """The callee; for a class of the program that takes its base's constructor, that base, too."""
    project = place.project
    names = [callee.dotted]
    if project.class_named(callee.dotted) is not None:
        for each in project.mro(callee.dotted):
            own = project.class_named(each)
            if own is not None and ("__init__" in own.scope.bindings or "initialize" in own.scope.bindings):
                break
            names.append(each)
    return names


def _positional(place: Place, arguments: list[ast.expr], callee: Ref) -> None:
    for name in _with_bases(place, callee):
        for rule, position, parameter in positions().get(name, ()):
            if len(arguments) <= position or any(isinstance(each, ast.Starred) for each in arguments):
                continue
            argument = arguments[position]
            if _harmless(argument, parameter):
                continue
            if not callee.sure and parameter == "callback" and not _is_function(place, argument):
                continue
            certainty: Certainty = "certain" if callee.sure else "likely"
            place.report(argument, rule.id, certainty, f"{name}: {rule.title}")


def _harmless(argument: ast.expr, parameter: str) -> bool:
    """None was "not given" for both parameters; a number or text is no callback: the new order is meant already."""
    if parameter == "replace_callback":
        return False
    if isinstance(argument, ast.Constant):
        return True
    if parameter == "io_loop":
        name = argument.attr if isinstance(argument, ast.Attribute) else getattr(argument, "id", "")
        called = isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute)
        loop = called and argument.func.attr in ("current", "instance", "get_new_ioloop")  # type: ignore[attr-defined]
        return not (loop or "loop" in name.lower())
    return isinstance(argument, ast.Dict | ast.List | ast.Tuple | ast.JoinedStr | ast.Compare)


def _unknown_positional(place: Place, arguments: list[ast.expr], name: str) -> None:
    """``x.fetch(url, self.on_response)``: a function by position, to something with a telling name."""
    for dotted, entries in positions().items():
        if dotted.rpartition(".")[2] != name:
            continue
        for rule, position, parameter in entries:
            if parameter == "callback" and len(arguments) > position and _is_function(place, arguments[position]):
                place.report(arguments[position], rule.id, "likely", f".{name}: {rule.title}")
                return


def _is_set(place: Place, name: str) -> bool:
    """Whether ``self.name`` is set to something: then it is no method."""
    cls = place.scope.enclosing_class()
    return cls is not None and (f"self.{name}" in cls.bindings or name in cls.bindings)


def _is_function(place: Place, node: ast.expr) -> bool:
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name in ("partial", "wrap")
    if any(isinstance(value, Ref) and place.project.is_function(value.dotted) for value in place.resolve(node)):
        return True
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "self" and not _is_set(place, node.attr):
            return True
        words = ("on_", "_on_", "handle", "_handle", "callback", "stop")
        return node.attr.startswith(words) or node.attr.endswith("callback")
    return isinstance(node, ast.Name) and (node.id in ("callback", "cb") or node.id.startswith(("on_", "handle_")))
