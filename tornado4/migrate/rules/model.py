"""What a rule is: one difference between Tornado 4.5.3 and Tornado 6 that a program can meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

#: What Tornado 6 does where the old spelling or behaviour is met: ``raises`` at import or when it runs; ``silent``, it
#: runs and does something else; ``deprecated``, works with a warning or is to go; ``style``, both ways are fine;
#: ``info``, worth knowing, nothing to do.
Severity: TypeAlias = Literal["raises", "silent", "deprecated", "style", "info"]

#: Who can see it: reading the source, the running program, or both versions side by side.
Seer: TypeAlias = Literal["static", "run", "diff"]

#: How far a rewrite by a tool goes: ``safe`` keeps what the program does; ``unsafe`` is right in most programs and
#: wants a look; ``manual`` needs a person; ``none``, there is nothing to rewrite.
FixClass: TypeAlias = Literal["safe", "unsafe", "manual", "none"]

#: The families, in the order in which pages list them, with a title for each. A family is a file of data.
FAMILIES = {
    "tool": "What reading the source cannot tell",
    "names": "Names",
    "signatures": "Signatures",
    "style": "Coroutines, as they are written today",
    "loop": "Loops, Futures and callbacks",
    "streams": "Streams",
    "web": "Handlers and applications",
    "client": "HTTP clients",
    "websocket": "WebSockets",
    "wire": "On the wire",
    "testing": "Tests",
    "util": "Options, logs, templates",
    "python": "Python itself",
    "project": "Projects and their dependencies",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPattern:
    """Calls that a rule is about: of the functions ``to``, by dotted name, with an argument that Tornado 6 lost.

    The argument has the name ``keyword``, or stands at ``position`` (from 0, self not counted) and was
    ``parameter`` there. ``*`` in ``to`` is each function of 4.5.3 that has lost a parameter of that name.
    """

    to: tuple[str, ...]
    keyword: str = ""
    position: int = -1
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table. An id never changes its meaning.

    ``family`` and ``title`` say what it is about, ``advice`` what to do, ``seen_by`` which tools see it, ``fix`` how
    safely ``tornado4 fix`` rewrites it, and ``fix_note`` why it does not.
    ``since`` names the release that changed it ("" where none did: style, tools); ``effort`` is points for one
    place: 1 a rewrite without thought, 2 one with a look, 5 some thought, 0 none.
    ``flag`` is the future flag that turns Tornado 6's behaviour on, still on tornado4; ``no_flag`` says why a behaviour
    has none, with the row of the deviations behind the last blank.

    ``names`` are names of 4.5.3 whose use is what the rule is about, ``overrides`` methods that a class of the program
    redefines, ``calls`` calls with certain arguments: what reading the source needs no code of its own for.

    ``before`` and ``after`` are code of 4.5.3 and of Tornado 6, as pages show it. With ``setup`` ahead (imports)
    and ``driver`` behind, either is a program, which prints ``prints``; after it is ``prints_after``, where
    Tornado 6 rightly prints something else. ``before`` on Tornado 6 prints something else or raises, when the
    severity says so; ``same_on_6`` says why not, where it does not. ``no_pair`` says why there is no such program.
    """

    id: str
    family: str
    title: str
    since: str
    severity: Severity
    seen_by: tuple[Seer, ...]
    fix: FixClass
    effort: int
    names: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    calls: tuple[CallPattern, ...] = ()
    fix_note: str = ""
    advice: str = ""
    flag: str = ""
    no_flag: str = ""
    before: str = ""
    after: str = ""
    setup: str = ""
    driver: str = ""
    prints: str = ""
    prints_after: str = ""
    same_on_6: str = ""
    no_pair: str = ""

    def __post_init__(self) -> None:
        _one_of(self, "family", FAMILIES)
        _one_of(self, "severity", get_args(Severity))
        _one_of(self, "fix", get_args(FixClass))
        for seer in self.seen_by:
            if seer not in get_args(Seer):
                raise ValueError(f"{self.id}: seen_by: {seer!r} is none of {', '.join(get_args(Seer))}")
        if bool(self.before) != bool(self.after):
            raise ValueError(f"{self.id}: 'before' and 'after' come together")

    @property
    def required(self) -> bool:
        """Whether Tornado 6 needs the change. What is deprecated works, what is style is optional."""
        return self.severity in ("raises", "silent")

    @property
    def has_pair(self) -> bool:
        """Whether there is a program to run before and after."""
        return bool(self.prints)

    def program(self, code: str) -> str:
        """``before`` or ``after`` as a whole program."""
        return f"{self.setup}\n{code}\n{self.driver}"


def _one_of(rule: Rule, field: str, known: object) -> None:
    names = list(known)  # type: ignore[call-overload]
    if getattr(rule, field) not in names:
        raise ValueError(f"{rule.id}: {field}: {getattr(rule, field)!r} is none of {', '.join(names)}")
