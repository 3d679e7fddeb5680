"""Names that have moved, or have another name now."""

from __future__ import annotations

import ast

import libcst as cst

from tornado4.migrate.check import tornado
from tornado4.migrate.check.project import Module, Ref
from tornado4.migrate.check.scopes import Imported
from tornado4.migrate.fix.program import Import, Spot, visible
from tornado4.migrate.fix.steps import Plan, Refused, Step, rewrites
from tornado4.migrate.fix.tree import Change, Changed, expression, remove_line

#: What is written today, by what was written. A name without a dot is a builtin's.
MOVED = {
    "tornado.concurrent.TracebackFuture": "tornado.concurrent.Future",
    "tornado.escape.unichr": "chr",
    "tornado.escape.htmlentitydefs": "html.entities",
    "tornado.web._time_independent_equals": "hmac.compare_digest",
    "tornado.netutil.BlockingResolver": "tornado.netutil.Resolver",
    "tornado.netutil.ThreadedResolver": "tornado.netutil.Resolver",
    "tornado.httpclient.HTTPError": "tornado.httpclient.HTTPClientError",
    "tornado.escape.basestring": "str",
    "tornado.util.basestring_type": "str",
    "tornado.util.unicode_type": "str",
    "tornado.util.bytes_type": "bytes",
}
#: What has no home of its own in the data: objects, which modules handed on.
OBJECTS = {name: f"tornado.log.{name}" for name in ("gen_log", "app_log", "access_log")}


@rewrites("TND107", "TND119", "TND136", "TND143")
def moved(plan: Plan, spot: Spot) -> Step | None:
    """A name of the table, wherever it stands: in an import, as an attribute, by itself."""
    old = _meant(plan, spot)
    new = MOVED.get(old)
    if new is None:
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    return renamed(plan, spot, old, new)


@rewrites("TND118")
def handed_on(plan: Plan, spot: Spot) -> Step | None:
    """``from tornado.httputil import gen_log``: from where the name is at home."""
    home = _meant(plan, spot)
    last = home.rpartition(".")[2]
    if last == "set_close_exec":
        return close_exec(plan, spot)
    if last in OBJECTS:
        return renamed(plan, spot, home, OBJECTS[last])
    if home in MOVED:
        return renamed(plan, spot, home, MOVED[home])
    if tornado.is_gone(home) or not home.startswith("tornado."):
        if isinstance(spot.node, ast.alias) or not _is_stdlib(home):
            raise Refused(f"{home} is not in Tornado 6: by hand")
    return renamed(plan, spot, home, home)


def _is_stdlib(dotted: str) -> bool:
    import sys

    return dotted.partition(".")[0] in sys.stdlib_module_names


def _meant(plan: Plan, spot: Spot) -> str:
    """The dotted name, at home, of what a finding is about."""
    node = spot.node
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom) or parent.level:
            raise Refused("a module is imported as a whole: by hand")
        source = parent.module or ""
        found = {Ref(tornado.home(source, node.name), f"{source}.{node.name}")}
    else:
        assert isinstance(node, ast.Name | ast.Attribute)
        found = {each for each in plan.program.project.resolve(node, spot.scope) if isinstance(each, Ref)}
    if len(found) != 1:
        raise Refused("the name may stand for several things")
    (ref,) = found
    # A name that is but another one for something: tornado.concurrent.TracebackFuture, wherever it was handed on.
    last = ref.written.rpartition(".")[2]
    for old in (
        ref.written,
        ref.dotted,
        *(each for each in MOVED if each.endswith(f".{last}") and ref.dotted == MOVED[each]),
    ):
        if old in MOVED:
            return old
    return ref.dotted


def renamed(plan: Plan, spot: Spot, old: str, new: str) -> Step | None:
    """A step that writes ``new`` where ``old`` stands. A local name that was given by ``as`` stays."""
    step = plan.step(spot)
    node = spot.node
    if isinstance(node, ast.alias):
        return _import(plan, step, spot, node, old, new)
    if isinstance(node, ast.Name):
        top = visible(node.id, spot.scope)
        bindings = top.bindings[node.id] if top is not None else []
        if top is None or len(bindings) != 1 or not isinstance(bindings[0], Imported):
            return None  # a name of the program's own, set to the old one: its assignment is what changes
        return None  # it changes with the import that binds it
    spelled = plan.spell(step, spot.module, node, new)
    step.change(spot.module, node, lambda updated: _same_parens(updated, expression(spelled)))
    return step


def _same_parens(old: cst.CSTNode, new: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(old, cst.BaseExpression) and old.lpar:
        return new.with_changes(lpar=old.lpar, rpar=old.rpar)
    return new


def _import(plan: Plan, step: Step, spot: Spot, alias: ast.alias, old: str, new: str) -> Step:
    """The import, and all names in the module that it binds."""
    parent = spot.parent
    assert isinstance(parent, ast.ImportFrom)
    module, bound = spot.module, alias.asname or alias.name
    last = new.rpartition(".")[2]
    scope = spot.scope
    if len(scope.bindings.get(bound, ())) != 1:
        raise Refused(f"{bound} is bound more than once")
    taken = _taken_by_others(plan, module, bound) or bound in plan.index(module).strings
    local = bound if alias.asname or last == bound or taken else None
    if local is None:
        users = uses(plan, module, bound, scope)
        spellings = {plan.spell(step, module, each, new) for each in users}
        if any(plan.index(module).in_fstring(each) for each in users):
            raise Refused("it is used in an f-string")
        for each in users:
            spelled = next(iter(spellings)) if len(spellings) == 1 else plan.spell(step, module, each, new)
            step.change(module, each, _written(spelled))
        if "." not in new or not spellings <= {last} or scope.bindings.get(last):
            step.change(module, parent, dropping(bound), line=len(parent.names) == 1)
            return step
        step.imports[:] = []
        local = last
    source, _, name = new.rpartition(".")
    if "." not in new:
        raise Refused(f"{bound} stands for what is a builtin now: by hand")
    move_import(step, module, parent, bound, Import(source, name, local))
    return step


def move_import(step: Step, module: Module, parent: ast.ImportFrom, bound: str, new: Import) -> None:
    """One name of an import comes from elsewhere: in its place, where the import has no other, or is from there."""
    if len(parent.names) == 1 or (parent.module == new.module and not parent.level):
        alias = f"{new.name} as {new.bound}" if new.bound != new.name else new.name
        made = cst.parse_statement(f"from {new.module} import {alias}")
        assert isinstance(made, cst.SimpleStatementLine) and isinstance(made.body[0], cst.ImportFrom)
        wanted = made.body[0]
        assert not isinstance(wanted.names, cst.ImportStar)
        first = wanted.names[0]

        def change(node: cst.CSTNode) -> Changed:
            assert isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
            names = []
            for each in node.names:
                if _bound(each) != bound:
                    names.append(each)
                elif not any(other is not each and _code(other) == _code(first) for other in node.names):
                    names.append(first.with_changes(comma=each.comma))
            if names and len(names) < len(node.names):
                names[-1] = names[-1].with_changes(comma=node.names[-1].comma)
            return node.with_changes(module=wanted.module, names=names, relative=[])

        step.change(module, parent, change)
    else:
        step.imports.append((module, new))
        step.change(module, parent, dropping(bound))


def _code(node: cst.ImportAlias) -> str:
    return cst.Module([]).code_for_node(node.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip()


def _written(code: str) -> Change:
    return lambda updated: _same_parens(updated, expression(code))


def dropping(bound: str) -> Change:
    """A change of an import that takes one name out; of its whole line, when that was all."""

    def change(node: cst.CSTNode) -> Changed:
        if isinstance(node, cst.SimpleStatementLine):
            return remove_line(node)
        assert isinstance(node, cst.Import | cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
        kept = [each for each in node.names if _bound(each) != bound]
        if not kept:
            return cst.RemoveFromParent()
        if kept[-1] is not node.names[-1]:
            kept[-1] = kept[-1].with_changes(comma=node.names[-1].comma)
        return node.with_changes(names=kept)

    return change


def _bound(alias: cst.ImportAlias) -> str:
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    name: cst.BaseExpression = alias.name
    while isinstance(name, cst.Attribute):
        name = name.value
    assert isinstance(name, cst.Name)
    return name.value


def uses(plan: Plan, module: Module, name: str, scope: object) -> list[ast.Name]:
    """Where a name is read that is bound in a scope; Refused when it is written there as well."""
    found = []
    for node in plan.index(module).names.get(name, ()):
        if visible(name, plan.index(module).scopes[node]) is scope:
            if not isinstance(node.ctx, ast.Load):
                raise Refused(f"{name} is set elsewhere, too")
            found.append(node)
    return found


# -- names that only 4.5.3 had a reason for


@rewrites("TND139")
def client_error(plan: Plan, spot: Spot) -> Step | None:
    """``httpclient.HTTPError`` under its later name; an import keeps the old one locally."""
    step = plan.step(spot)
    node = spot.node
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom):
            return None
        if spot.scope is not spot.module.scope:
            raise Refused("the import stands in a function: by hand")
        bound = node.asname or node.name
        move_import(step, spot.module, parent, bound, Import("tornado.httpclient", "HTTPClientError", bound))
        return step
    if isinstance(node, ast.Attribute):
        step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name("HTTPClientError")))
        return step
    return None


@rewrites("TND147")
def signed_cookies(plan: Plan, spot: Spot) -> Step | None:
    """``get_secure_cookie`` is ``get_signed_cookie``."""
    node = spot.node
    if not isinstance(node, ast.Attribute):
        return None
    cls = plan.program.class_of(spot.module, node)
    project = plan.program.project
    if any(node.attr in each.scope.bindings for each in project.classes()):
        raise Refused(f"{node.attr} is redefined in the program: what is called would be another method")
    assert cls is None or cls
    step = plan.step(spot)
    new = node.attr.replace("secure", "signed")
    step.change(spot.module, node, lambda n: n.with_changes(attr=cst.Name(new)))
    return step


@rewrites("TND115")
def python3(plan: Plan, spot: Spot) -> Step | None:
    """``PY3`` is true: a choice by it is made, elsewhere it is spelled as the version."""
    node = spot.node
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom):
            return None
        bound = node.asname or node.name
        users = uses(plan, spot.module, bound, spot.scope)
        for each in users:
            _true(plan, step, spot.module, each)
        step.change(spot.module, parent, dropping(bound), line=len(parent.names) == 1)
        return step
    if isinstance(node, ast.Attribute):
        _true(plan, step, spot.module, node)
        return step
    return None


def _true(plan: Plan, step: Step, module: Module, node: ast.expr) -> None:
    parent = plan.index(module).parents[node]
    if isinstance(parent, ast.IfExp) and parent.test is node:
        step.change(module, parent, lambda n: _same_parens(n, n.body))
    else:
        step.change(module, node, lambda n: expression("True"))


@rewrites("TND135")
def wsgi_strings(plan: Plan, spot: Spot) -> Step | None:
    """``from_wsgi_str(text)`` is ``text.encode("latin1")``, ``to_wsgi_str`` the way back."""
    node = spot.node
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if not isinstance(parent, ast.ImportFrom):
            return None
        bound = node.asname or node.name
        for each in uses(plan, spot.module, bound, spot.scope):
            _latin1(plan, step, spot.module, each, node.name)
        step.change(spot.module, parent, dropping(bound), line=len(parent.names) == 1)
        return step
    if isinstance(node, ast.Attribute):
        _latin1(plan, step, spot.module, node, node.attr)
        return step
    return None


def _latin1(plan: Plan, step: Step, module: Module, node: ast.expr, name: str) -> None:
    call = plan.index(module).parents[node]
    if not isinstance(call, ast.Call) or call.func is not node or len(call.args) != 1 or call.keywords:
        raise Refused(f"{name} is not called: by hand")
    way = "encode" if name == "from_wsgi_str" else "decode"
    step.change(
        module,
        call,
        lambda n: expression(f'{{text}}.{way}("latin1")', text=n.args[0].value),
    )


@rewrites("TND140")
def timeouts(plan: Plan, spot: Spot) -> Step | None:
    """In ``except``: both names, as long as both releases are run."""
    node = spot.node
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    parent = plan.index(spot.module).parents.get(node)
    if not isinstance(parent, ast.ExceptHandler) or parent.type is not node:
        raise Refused("not the only name of an except: by hand")
    if visible("TimeoutError", spot.scope) is not None:
        if isinstance(node, ast.Name) and node.id == "TimeoutError":
            raise Refused("TimeoutError is the name of Tornado's here: by hand")
        raise Refused("TimeoutError means something else here")
    step = plan.step(spot)
    step.change(spot.module, node, lambda n: expression("({old}, TimeoutError)", old=n))
    return step


@rewrites("TND111")
def close_exec(plan: Plan, spot: Spot) -> Step | None:
    """``set_close_exec(fd)`` is ``os.set_inheritable(fd, False)``."""
    node = spot.node
    index = plan.index(spot.module)
    step = plan.step(spot)
    if isinstance(node, ast.alias):
        parent = spot.parent
        if isinstance(parent, ast.ImportFrom) and node.name == "set_close_exec":
            for each in uses(plan, spot.module, node.asname or node.name, spot.scope):
                _inheritable(plan, step, spot.module, each)
            step.change(spot.module, parent, dropping(node.asname or node.name), line=len(parent.names) == 1)
            return step
        raise Refused(f"by hand: {spot.finding.rule.advice}")
    if isinstance(node, ast.Attribute) and isinstance(index.parents[node], ast.Attribute):
        outer = index.parents[node]
        assert isinstance(outer, ast.Attribute)
        if outer.attr == "set_close_exec":
            _inheritable(plan, step, spot.module, outer)
            return step
    if isinstance(node, ast.Name):
        return None
    if isinstance(node, ast.Attribute) and node.attr == "set_close_exec":
        _inheritable(plan, step, spot.module, node)
        return step
    raise Refused(f"by hand: {spot.finding.rule.advice}")


def _inheritable(plan: Plan, step: Step, module: Module, node: ast.expr) -> None:
    call = plan.index(module).parents[node]
    if not isinstance(call, ast.Call) or call.func is not node or len(call.args) != 1 or call.keywords:
        raise Refused("set_close_exec is not called: by hand")
    name = plan.spell(step, module, node, "os.set_inheritable")
    step.change(
        module,
        call,
        lambda n: expression(f"{name}({{fd}}, False)", fd=n.args[0].value),
    )


@rewrites("TND108")
def stack_context(plan: Plan, spot: Spot) -> Step | None:
    """An import of ``stack_context`` that nothing uses goes; the rest is in `blocks`."""
    from tornado4.migrate.fix.rewrites.blocks import contexts

    node = spot.node
    if isinstance(node, ast.alias):
        parent = spot.parent
        assert isinstance(parent, ast.Import | ast.ImportFrom)
        bound = node.asname or node.name.partition(".")[0]
        if isinstance(parent, ast.Import) and not node.asname:
            inside: list[ast.expr] = [
                each
                for each in plan.index(spot.module).attributes.get("stack_context", ())
                if plan.program.means(spot.module, each, "tornado.stack_context")
            ]
        else:
            inside = list(plan.index(spot.module).names.get(bound, ()))
        if inside or bound in plan.index(spot.module).strings or _taken_by_others(plan, spot.module, bound):
            raise Refused("it is used: what becomes of that is for a person")
        step = plan.step(spot)
        step.rule_id = "TND109"
        if isinstance(parent, ast.Import) and not node.asname:
            raise Refused("a module imported as a whole: by hand")
        step.change(spot.module, parent, dropping(bound), line=len(parent.names) == 1)
        return step
    return contexts(plan, spot)


def _taken_by_others(plan: Plan, module: Module, name: str) -> bool:
    dotted = f"{module.name}.{name}"
    return any(
        isinstance(binding, Imported) and binding.dotted == dotted
        for other in plan.program.project.all_modules
        if other is not module
        for bindings in other.scope.bindings.values()
        for binding in bindings
    )
