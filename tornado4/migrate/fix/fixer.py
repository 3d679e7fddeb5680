"""A fix from its paths to the changed texts: pass by pass, until nothing more is to be done."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado4.migrate.check import collecting
from tornado4.migrate.check.files import shown as shown_path
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix import (
    helpers,
    markers,
    project_files,
    rewrites,  # noqa: F401 (enters the rewrites)
    verify,
)
from tornado4.migrate.fix.imports import tidied
from tornado4.migrate.fix.memory import parse
from tornado4.migrate.fix.program import File, Import, Program, Spot, load
from tornado4.migrate.fix.recorded import Facts
from tornado4.migrate.fix.rewrites.leaving import leave
from tornado4.migrate.fix.rewrites.stars import brought_by_star
from tornado4.migrate.fix.steps import REWRITES, Options, Plan, Refused, Step
from tornado4.migrate.fix.tree import Edit, Text, Unmapped
from tornado4.migrate.fix.wrapping import wrapped

#: More passes than any program needs: each takes what the one before laid open.
PASSES = 20


@dataclass(frozen=True, slots=True)
class Made:
    """One step that was made. ``count`` is the number of places it changed; ``helpers``: those that it calls.
    ``recorded``: names alone left something open, and a profile told it.
    """

    rule_id: str
    path: str
    line: int
    function: str
    count: int
    helpers: tuple[str, ...] = ()
    recorded: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Left:
    """One finding that was left, and why. ``unsafe``: ``--unsafe`` would change it."""

    path: str
    line: int
    function: str
    rule_id: str
    reason: str
    unsafe: bool
    required: bool


@dataclass(slots=True)
class Outcome:
    """What a fix would write, what it did, and what it left."""

    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    files: int = 0
    lines: int = 0
    #: Whether a profile was gone by.
    profiled: bool = False

    @property
    def changed(self) -> list[str]:
        return [shown for shown in self.after if self.after[shown] != self.before.get(shown)]


def fix(
    paths: Iterable[Path],
    options: Options,
    *,
    progress: Callable[[int, str], None] = lambda number, path: None,
) -> Outcome:
    """What becomes of the files at or below the paths. Nothing is written."""
    with collecting.rarely():
        return _fix(list(paths), options, progress)


def _fix(tops: list[Path], options: Options, progress: Callable[[int, str], None]) -> Outcome:
    loaded, unread = load(tops, progress)
    outcome = Outcome(unread=unread, files=len(loaded), lines=sum(file.text.count("\n") for file in loaded.values()))
    original = {shown: file.source.path.read_bytes() for shown, file in loaded.items()}
    program = Program(loaded, options.aliases)
    outcome.profiled = options.profile is not None
    facts = Facts(options.profile, loaded) if options.profile is not None else None
    _passes(program, options, facts, outcome, progress)
    if options.markers:
        markers.enter(program, outcome.left)
    for shown, file in program.files.items():
        data = file.encoded(file.text)
        if data != original[shown]:
            outcome.before[shown], outcome.after[shown] = original[shown], data
            outcome.paths[shown] = file.source.path
    needed = {name for each in outcome.made for name in each.helpers}
    if options.helpers is not None and needed:
        _write_helpers(options.helpers, sorted(needed), outcome)
    project_files.fix(tops, options, outcome)
    return outcome


def _write_helpers(path: Path, names: list[str], outcome: Outcome) -> None:
    """The helper's module, as a file that is changed, or new."""
    shown = shown_path(path)
    before = outcome.after.get(shown) or (path.read_bytes() if path.exists() else b"")
    newline = "\r\n" if b"\r\n" in before else "\n"
    text = helpers.with_helpers(before.decode("utf-8").replace("\r\n", "\n"), names)
    after = text.replace("\n", newline).encode("utf-8")
    if after != before:
        if path.exists():
            outcome.before.setdefault(shown, path.read_bytes())
        outcome.after[shown], outcome.paths[shown] = after, path


def _passes(
    program: Program,
    options: Options,
    facts: Facts | None,
    outcome: Outcome,
    progress: Callable[[int, str], None],
) -> None:
    rejected: dict[tuple[object, ...], str] = {}
    kept: dict[str, list[Left]] = {}
    idle: set[str] = set()  # files in which nothing is found: nothing will be, unless they change
    complete = True
    for number in range(PASSES):
        plan = Plan(program, options, facts)
        steps: list[Step] = []
        for module in program.project.all_modules:
            if module.path in idle:
                continue
            progress(number + 1, module.path)
            found, left = _steps(plan, module, rejected)
            steps += found
            kept[module.path] = left
            if not found and not left:
                idle.add(module.path)
        known = len(rejected)
        made = _make(program, steps, rejected)
        outcome.made += made
        if made or len(rejected) > known:
            complete = False
        elif complete:
            break
        else:  # once more, with what was found in files that have not changed found anew
            program.forget()
            idle.clear()
            complete = True
    outcome.left = sorted(each for left in kept.values() for each in left)


def _steps(plan: Plan, module: Module, rejected: dict[tuple[object, ...], str]) -> tuple[list[Step], list[Left]]:
    steps: list[Step] = []
    left: list[Left] = []
    for spot in plan.program.spots(module):
        finding = spot.finding
        if finding.guarded or not plan.options.choice.takes(finding) or finding.rule.fix == "none":
            continue
        if spot.settled is not None:
            left += [spot.settled] if isinstance(spot.settled, Left) else []
            continue
        try:
            step = _step(plan, spot)
        except Refused as refusal:
            spot.settled = _left(plan, spot, refusal)
            left.append(spot.settled)
            continue
        if step is None:
            spot.settled = False
            continue
        if step.key() in rejected:
            left.append(_left(plan, spot, Refused(rejected[step.key()])))
        else:
            steps.append(step)
    if plan.options.leave:
        try:
            last = leave(plan, module)
            if last is not None and last.key() not in rejected:
                steps.append(last)
        except Refused as refusal:
            left.append(Left(module.path, 1, "<module>", "TND324", refusal.reason, False, True))
    return steps, left


def _step(plan: Plan, spot: Spot) -> Step | None:
    finding = spot.finding
    rewrite = REWRITES.get(finding.rule_id)
    if rewrite is None:
        raise Refused(f"by hand: {finding.rule.advice or finding.rule.title}")
    if finding.certainty == "note":
        raise Refused("a note: it may be none of Tornado's")
    if finding.certainty == "likely":
        plan.unsafe_only("it looks like Tornado's, but cannot be traced there")
    try:
        return rewrite(plan, spot) or brought_by_star(plan, spot)
    except Refused:
        raise
    except Exception as error:
        if plan.options.strict:
            raise
        raise Refused(f"the tool fails here ({type(error).__name__}: {error}): by hand") from error


def _left(plan: Plan, spot: Spot, refusal: Refused) -> Left:
    step = plan.step(spot)
    finding = spot.finding
    return Left(
        finding.path, finding.line, step.function, finding.rule_id, refusal.reason, refusal.unsafe, finding.required
    )


def _make(program: Program, steps: list[Step], rejected: dict[tuple[object, ...], str]) -> list[Made]:
    """Make the steps that do not get in each other's way; the others come in the next pass."""
    chosen = _without_conflicts(steps)
    while chosen:
        texts, guilty = _applied(program, chosen)
        if not guilty:
            break
        for step, reason in guilty.items():
            rejected[step.key()] = reason
        chosen = [step for step in chosen if step not in guilty]
    if not chosen:
        return []
    changed = False
    for shown, text in texts.items():
        file = program.files[shown]
        if text != file.text:
            changed = True
            program.files[shown] = File(file.source, text, parse(text, shown), file.encoding, file.newline, file.bom)
    program.refresh()
    if not changed:
        for step in chosen:
            rejected[step.key()] = "nothing was to be changed"
        return []
    return [
        Made(
            rule_id, step.path, step.line, step.function, max(len(step.edits), 1), tuple(step.helpers), step.recorded
        )
        for step in chosen
        for rule_id in [step.rule_id, *step.rules]
    ]


def _without_conflicts(steps: list[Step]) -> list[Step]:
    """A node is changed by one step, and code that moves is left alone by others, in one pass."""
    taken: set[int] = set()
    spans: dict[str, list[tuple[Edit, bool]]] = {}
    chosen = []
    for step in steps:
        own = {id(edit.node) for _, edit in step.edits}
        if own & taken or any(_overlaps(module, edit, spans) for module, edit in step.edits):
            continue
        chosen.append(step)
        taken |= own
        for module, edit in step.edits:
            spans.setdefault(module.path, []).append((edit, edit.moves))
    return chosen


def _overlaps(module: Module, edit: Edit, spans: dict[str, list[tuple[Edit, bool]]]) -> bool:
    for other, moves in spans.get(module.path, ()):
        if moves and _within(edit.node, other.node):
            return True
        if edit.moves and (_within(other.node, edit.node) or _within(edit.node, other.node)):
            return True
    return False


def _within(inner: ast.AST, outer: ast.AST) -> bool:
    return _begin(outer) <= _begin(inner) and _end(inner) <= _end(outer)


def _begin(node: Any) -> tuple[int, int]:
    if isinstance(node, FUNCTIONS) and node.decorator_list:
        return min((node.lineno, node.col_offset), *((each.lineno, 0) for each in node.decorator_list))
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno or 0, node.end_col_offset or 0


def _applied(program: Program, steps: list[Step]) -> tuple[dict[str, str], dict[Step, str]]:
    """The texts with the steps made; and the steps that cannot be, with the reason."""
    by_file: dict[str, list[Step]] = {}
    for step in steps:
        for module in {module.path for module, _ in step.edits} | {module.path for module, _ in step.imports}:
            by_file.setdefault(module, []).append(step)
    texts: dict[str, str] = {}
    guilty: dict[Step, str] = {}
    for shown, concerned in by_file.items():
        result = _text(program, shown, concerned)
        if isinstance(result, str):
            texts[shown] = result
            continue
        for step in concerned:  # who of them is it?
            alone = _text(program, shown, [step])
            if not isinstance(alone, str):
                guilty[step] = alone.reason
        if not guilty:
            guilty[concerned[-1]] = result.reason
    return texts, guilty


def _text(program: Program, shown: str, steps: list[Step]) -> str | Refused:
    file = program.files[shown]
    edits = [edit for step in steps for module, edit in step.edits if module.path == shown]
    needs: list[Import] = [need for step in steps for module, need in step.imports if module.path == shown]
    try:
        text = Text(file.text, file.tree).apply(edits)
    except Unmapped as error:
        return Refused(f"the tool does not find this place again ({error})")
    except Exception as error:  # LibCST refuses what would be no Python by errors of many types
        return Refused(f"the result would be no Python ({type(error).__name__}: {error})")
    try:
        text = wrapped(file.text, tidied(file.text, text, needs, keep=_face(program, shown)))
    except SyntaxError as error:
        return Refused(f"the result would be no Python: {error}")
    wrong = verify.problem(file.text, text)
    return Refused(wrong) if wrong else text


def _face(program: Program, shown: str) -> frozenset[str]:
    """Names that other files take from this one."""
    file = program.files[shown]
    module = program.module(shown)
    if file.source.is_package:
        return frozenset(module.scope.bindings)
    names = set()
    last = module.name.rpartition(".")[2]
    for other in program.project.all_modules:
        text = program.files[other.path].text
        if other is not module and last in text:
            written = {last}
            for name, bindings in other.scope.bindings.items():
                for binding in bindings:
                    dotted = getattr(binding, "dotted", "")
                    if dotted.startswith(f"{module.name}."):
                        names.add(dotted.removeprefix(f"{module.name}.").partition(".")[0])
                    elif dotted == module.name:
                        written.add(name)
            for name in written:  # handlers.gen, where somebody takes the name from the module
                names |= {*re.findall(rf"\b{re.escape(name)}\.(\w+)", text)}
            if module.name in other.scope.stars:
                names |= set(module.scope.bindings)
    return frozenset(names)
