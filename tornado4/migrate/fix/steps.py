"""What a rewrite wants to change, and the table of rewrites: one function for each rule that can be fixed.

A step is made as a whole or not at all, however many files it touches. What cannot be done says why.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeAlias

from tornado4.migrate.check.choosing import Choice
from tornado4.migrate.check.index import Index
from tornado4.migrate.check.project import Module
from tornado4.migrate.fix.program import Import, Program, Spot, spelled
from tornado4.migrate.fix.recorded import Facts
from tornado4.migrate.fix.tree import Change, Edit
from tornado4.migrate.profile import Profile


class Refused(Exception):
    """Why a place is not changed. ``unsafe``: ``--unsafe`` would."""

    def __init__(self, reason: str, *, unsafe: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unsafe = unsafe


class Never(Refused):
    """A refusal that no profile lifts."""


@dataclass(slots=True, eq=False)
class Step:
    """Changes that belong together. ``rule_id``, ``path``, ``line`` and ``function`` say in a report what it was."""

    rule_id: str
    path: str
    line: int
    function: str
    edits: list[tuple[Module, Edit]] = field(default_factory=list)
    imports: list[tuple[Module, Import]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    recorded: bool = False  # a profile says what names alone leave open

    def change(self, module: Module, node: ast.AST, change: Change, *, line: bool = False, moves: bool = False) -> None:
        """Enter a change of a node; see `tree.Edit`."""
        self.edits.append((module, Edit(node, change, line=line, moves=moves)))

    def key(self) -> tuple[object, ...]:
        """The same for the same step in a later pass."""
        return (self.rule_id, self.path, self.function, self.line)


@dataclass(slots=True)
class Options:
    """What is asked for. ``choice`` chooses among the findings as check's does."""

    unsafe: bool = False
    choice: Choice = field(default_factory=Choice)
    leave: bool = False
    markers: bool = True
    aliases: dict[str, str] = field(default_factory=dict)
    helpers: Path | None = None
    profile: Profile | None = None
    strict: bool = False  # for tests: a rewrite that fails is an error

    @property
    def native(self) -> bool:
        return self.choice.native


class Plan:
    """One pass: the program as it stands, and the steps that the rewrites have found."""

    def __init__(self, program: Program, options: Options, facts: Facts | None = None) -> None:
        self.program = program
        self.options = options
        #: What was recorded of the program, where a profile is given.
        self.facts = facts
        #: Anything that rewrites want to find once for a pass.
        self.memory: dict[str, object] = {}
        self._strict = False

    def step(self, spot: Spot) -> Step:
        """A step for a finding, empty as yet."""
        index = self.program.index(spot.module)
        function = spot.function
        name = self.program.qualname(spot.module, function if function is not None else spot.node)
        if function is None and not isinstance(spot.node, ast.ClassDef):
            scope = index.scopes.get(spot.node)
            cls = scope.enclosing_class() if scope is not None else None
            name = self.program.qualname(spot.module, cls.node) if cls is not None else "<module>"
        return Step(spot.finding.rule_id, spot.module.path, spot.finding.line, name)

    def index(self, module: Module) -> Index:
        return self.program.index(module)

    def spell(self, step: Step, module: Module, at: ast.AST, dotted: str) -> str:
        """How to write a dotted name at a place; what it needs to have imported is entered into the step."""
        scope = self.program.index(module).scopes[at]
        return spelled(dotted, scope, lambda need: step.imports.append((module, need)))

    def unsafe_only(self, reason: str) -> None:
        """Refuse, unless ``--unsafe`` was said."""
        if self._strict or not self.options.unsafe:
            raise Refused(reason, unsafe=True)

    def doubt(self, look: Callable[[], object]) -> Refused | None:
        """What keeps a look at something from being certain; None where nothing does."""
        self._strict = True
        try:
            look()
        except Refused as refusal:
            return refusal
        finally:
            self._strict = False
        return None

    def refuse(self, reason: str) -> NoReturn:
        raise Refused(reason)


Rewrite: TypeAlias = Callable[[Plan, Spot], "Step | None"]
REWRITES: dict[str, Rewrite] = {}


def rewrites(*rule_ids: str) -> Callable[[Rewrite], Rewrite]:
    """Enter a function as the rewrite for these rules. It gives a step, None for nothing to do, or raises Refused."""

    def enter(function: Rewrite) -> Rewrite:
        for rule_id in rule_ids:
            assert rule_id not in REWRITES, rule_id
            REWRITES[rule_id] = function
        return function

    return enter
