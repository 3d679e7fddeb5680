"""``fix --native --profile``: what a recorded run tells where names alone leave something open.

A run proves only what ran. So a function that leans on a profile must have run with each of its yields, and have been
called from each place that surely calls it; and what the run has seen to call it, and not to wait, keeps any function
as it is, whatever names say.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import libcst as cst

from tornado4.migrate.check import callers
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import Function
from tornado4.migrate.fix import shapes
from tornado4.migrate.fix.recorded import WAITED, WAITED_BY_TORNADO, Facts
from tornado4.migrate.fix.steps import Never, Plan, Refused, Step
from tornado4.migrate.fix.tree import expression, holed

#: A coroutine that is to become native, and its module.
Member: TypeAlias = tuple[Module, Function]
#: None: the profile tells. Else why it does not.
Reason: TypeAlias = "str | None"

NO_LINES = "what has not run is not in a profile that was recorded on Python 3.11: record on 3.12 or later"
EXECUTORS = "executor future"


def told(plan: Plan, step: Step, doubt: str, open_still: Reason, *, unsafe: bool = True) -> None:
    """Refuse for a doubt that the profile does not settle; note in the step that it has settled one."""
    if unsafe and plan.options.unsafe:
        return
    if plan.facts is not None and open_still is None:
        step.recorded = True
        return
    reason = f"{doubt}; {open_still}" if plan.facts is not None and open_still else doubt
    raise Refused(reason, unsafe=unsafe)


# -- what is yielded


def form(
    plan: Plan,
    step: Step,
    module: Module,
    function: Function,
    node: ast.Yield,
    by_names: Callable[[], None],
    several: bool,
) -> Callable[[Any], cst.BaseExpression] | None:
    """How to write what names leave open, as the kinds say that were recorded; None where names will do.

    ``several``: it is a list or a dictionary, by names.
    """
    facts = plan.facts
    if facts is None:
        return None
    doubt = plan.doubt(by_names)
    if isinstance(doubt, Never):
        raise doubt
    kinds = facts.kinds(module, function, node)
    where = f"{module.path}:{node.lineno}"
    if doubt is None:
        if kinds is not None and not several and not _fit(kinds, _can_be_awaited, EXECUTORS):
            raise Refused(f"{where} waits for {_listed(kinds)} in the profile, where names say a Future")
        return None
    if kinds is None:
        if doubt.unsafe and plan.options.unsafe:
            return None
        raise Refused(f"{doubt.reason}; {where} has not run in the profile", unsafe=doubt.unsafe)
    step.recorded = step.recorded or not (doubt.unsafe and plan.options.unsafe)
    if _fit(kinds, _can_be_awaited):
        return lambda inner: cst.Await(holed(inner))
    if _fit(kinds, _is_several):
        name = plan.spell(step, module, node, "tornado.gen.multi")
        return lambda inner: expression(f"await {name}({{items}})", items=_bare(inner))
    if kinds.keys() == {EXECUTORS}:
        name = plan.spell(step, module, node, "asyncio.wrap_future")
        return lambda inner: expression(f"await {name}({{future}})", future=_bare(inner))
    if kinds.keys() == {"moment"} and isinstance(node.value, ast.Name | ast.Attribute):
        name = plan.spell(step, module, node, "asyncio.sleep")
        return lambda inner: expression(f"await {name}(0)")
    raise Refused(f"{where} waits for {_listed(kinds)} in the profile: no one way to write it takes that")


def _bare(node: Any) -> Any:
    """Without the parentheses that a call's take the place of; those that hold lines and comments stay."""
    plain = all(isinstance(each.whitespace_after, cst.SimpleWhitespace) for each in node.lpar)
    return node.with_changes(lpar=[], rpar=[]) if plain else node


def _fit(kinds: dict[str, int], fits: Callable[[str], bool], *others: str) -> bool:
    return all(fits(kind) or kind in others for kind in kinds)


def _can_be_awaited(kind: str) -> bool:
    return kind in ("Future", "coroutine") or kind.endswith(" (awaitable)")


def _is_several(kind: str) -> bool:
    """A list or dictionary of what gen.multi waits for as yield does. An executor's Futures it does not wake up for."""
    outer, _, inner = kind.removesuffix("]").partition("[")
    if outer not in ("list", "dict"):
        return False
    each = inner.split(", ") if inner else []
    return all(_can_be_awaited(one) or one in ("None", "moment") for one in each)


def _listed(kinds: dict[str, int]) -> str:
    return ", ".join(sorted(kinds))


# -- who calls


def has_run(plan: Plan, module: Module, function: Function) -> Reason:
    if plan.facts is not None and plan.facts.function(module, function) is not None:
        return None
    return f"{plan.program.qualname(module, function)} has not run in the profile"


def no_base_says(plan: Plan, converted: Sequence[Member]) -> Reason:
    """Whether no class that is not read, above one whose method ran, has the method or says its name."""
    for module, member in converted:
        known = plan.facts.function(module, member) if plan.facts is not None else None
        if known is None:
            return has_run(plan, module, member)
        if known["outside"]:
            return f"{known['outside'][0]} does"
    return None


def strings_ran(plan: Plan, name: str) -> Reason:
    """Whether each string that is the name has run; who calls by one is seen then, see `ensure_proved`."""
    facts = plan.facts
    if facts is None:
        return ""
    for module in plan.program.modules_saying(name):
        if name not in plan.index(module).strings:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and node.value == name and not facts.ran(module, node):
                return _not_run(facts, f"{module.path}:{node.lineno}")
    return None


def given_to_loop(plan: Plan, use: callers.Use, converted: Sequence[Member]) -> Reason:
    """Whether a loop got the function there."""
    facts = plan.facts
    call = _taker(plan, use)
    if facts is None or call is None:
        return ""
    site = _site(facts, use.module, call)
    if site is not None and any(site in facts.handed(*member) for member in converted):
        return None
    return f"{use} gave it to no loop in the profile"


def calls_another(plan: Plan, use: callers.Use, converted: Sequence[Member], doubt: str) -> Reason:
    """Whether what may be a call of the function has run, and was one of something else each time.

    :raises Refused: it was one of the function.
    """
    facts = plan.facts
    if facts is None or use.call is None:
        return ""
    site = _site(facts, use.module, use.call)
    if site is not None and any(site in facts.calls(*member) for member in converted):
        raise Refused(f"{doubt}: it does, in the profile")
    if not facts.ran(use.module, use.call):
        return _not_run(facts, str(use))
    return None


def _not_run(facts: Facts, where: str) -> str:
    return f"{where} has not run in the profile" if facts.coverage else NO_LINES


def _taker(plan: Plan, use: callers.Use) -> ast.Call | None:
    """The call that gets a function as it is, or in a partial."""
    index = plan.index(use.module)
    node: ast.expr = use.node
    parent = index.parents[node]
    while isinstance(parent, ast.Call) and node in parent.args:
        if plan.program.refs(use.module, parent.func) != {"functools.partial"}:
            return parent
        node, parent = parent, index.parents[parent]
    return None


def _site(facts: Facts, module: Module, call: ast.Call) -> str | None:
    place = facts.place(module, call)
    return f"{module.path}:{place}" if place is not None else None


# -- a run proves only what ran


def ensure_proved(plan: Plan, step: Step, whole: callers.Family, converted: Sequence[Member]) -> None:
    """Refuse what the run has seen to be wrong; and what leans on the run, unless all of it ran."""
    facts = plan.facts
    if facts is None:
        return
    uses = callers.uses(plan.program.project, whole)
    seen = {_site(facts, use.module, use.call) for use in uses if use.call is not None} - {None}
    for module, member in converted:
        for site, fates in facts.calls(module, member).items():
            if site not in seen:
                _ensure_waited(plan, facts, site, fates)
    if not step.recorded:
        return
    for module, member in converted:
        not_run = has_run(plan, module, member)
        if not_run is not None:
            raise Refused(f"it leans on the profile, and {not_run}")
        ensure_yields_ran(plan, step, module, member)
    for use in uses:
        if use.sure and not _has_run(plan, facts, use, converted):
            raise Refused(f"it leans on the profile, in which {use} has not called it, or not given it on")


def ensure_yields_ran(plan: Plan, step: Step, module: Module, function: Function) -> None:
    """Refuse a function that leans on the profile and has a yield that has not run."""
    if plan.facts is None or not step.recorded:
        return
    for node in _yields(function):
        if plan.facts.kinds(module, function, node) is None:
            raise Refused(f"it leans on the profile, in which the yield at {module.path}:{node.lineno} has not run")


def _yields(function: Function) -> Iterator[ast.Yield]:
    return (each for each in shapes.own_nodes(function) if isinstance(each, ast.Yield))


def _ensure_waited(plan: Plan, facts: Facts, site: str, fates: dict[str, int]) -> None:
    """Refuse for a call that only the run has seen: from elsewhere, or by another name."""
    if site == "":
        if not fates.keys() <= WAITED_BY_TORNADO:
            raise Refused("in the profile Tornado calls it and does not wait")
        return
    found = facts.node_at(plan.program, site)
    if found is None:
        if not fates.keys() <= WAITED:
            raise Refused(f"in the profile {site} calls it and does not wait")
        return
    module, call = found
    if callers.what_becomes_of(plan.program.project, module, call) not in ("waited", "handed"):
        raise Refused(f"in the profile {module.path}:{call.lineno} calls it by another name, and does not wait at once")


def _has_run(plan: Plan, facts: Facts, use: callers.Use, converted: Sequence[Member]) -> bool:
    call = use.call if use.call is not None else _taker(plan, use)
    if call is None:
        return True  # post = get, in a handler
    site = _site(facts, use.module, call)
    known = facts.calls if use.call is not None else facts.handed
    return site is not None and any(site in known(*member) for member in converted)
