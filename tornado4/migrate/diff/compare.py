"""Two answers to one step, point by point: what differs, and by which rule it does not count.

    compare(step, old, new, again, rules)

- ``again`` is the old side's second answer: each point carries what stands there at the same place, for the noise;
- ``rules`` are those on texts (``rules``);
- what is left, and follows from something ignored, is ignored with it: an ETag, a length;
- what is left then may be a deviation on purpose (``deviations``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tornado4.migrate.diff import body, deviations, switch, tokens
from tornado4.migrate.diff.model import Answer, Difference, Kind, Step
from tornado4.migrate.diff.normalise import is_http_date, server_alike
from tornado4.migrate.diff.points import points
from tornado4.migrate.diff.rules import Place, Rules

_MOST_DIFFERENCES = 200  # of one step; a page that is another page altogether needs no more


@dataclass(frozen=True)
class Comparer:
    """Compares with one set of rules; ``against``: the old side's Tornado, "" for none; ``logs``: they are told.

    ``switch``: the old side is tornado4, the new one the Tornado 6 that ``against`` names.
    """

    rules: Rules = field(default_factory=Rules)
    against: str = "4.5.3"
    logs: bool = True
    switch: bool = False

    def compare(self, step: Step, old: Answer, new: Answer, again: Answer | None = None) -> tuple[Difference, ...]:
        """Every point in which the answers differ; what has a rule does not count."""
        found = self._found(step, *(one if self.logs else replace(one, log=()) for one in (old, new, again or old)))
        found = _copies(_follow(found), old, new)
        if any(not one.rule for one in found) and self.against == "4.5.3":
            found = deviations.explain(step, old, new, found)
        elif self.switch:
            found = switch.explain(step, old, new, found)
        return tuple(found[:_MOST_DIFFERENCES])

    def _found(self, step: Step, old: Answer, new: Answer, again: Answer) -> list[Difference]:
        differences = []
        ports = old.port, new.port, again.port
        for kind, where, one, other, second in points(step, old, new, again):
            place = Place(kind, where, ports, self.against)
            whole = where.rpartition(": ")[2]
            if kind is Kind.BODY and whole in body.WHOLE_BODY_RULES:
                rule: str | None = whole
            elif kind is Kind.HEADER and place.name == "server" and server_alike(one, other, self.against):
                continue
            else:
                rule = self.rules.reconcile(one, other, place, None if kind is Kind.FAILURE else second)
            differences.append(Difference(kind, where, one, other, rule or ""))
        return differences


def _follow(differences: Iterable[Difference]) -> list[Difference]:
    """ETag and length of a body in which all that differs is ignored."""
    found = list(differences)
    bodies = [one for one in found if one.kind is Kind.BODY]
    if not bodies or any(not one.rule for one in bodies):
        return found
    return [replace(one, rule=_consequence(one)) if not one.rule else one for one in found]


def _copies(differences: list[Difference], old: Answer, new: Answer) -> list[Difference]:
    """Last-Modified of files that are installed once for each side: nothing else differs, and the ETags are there."""
    told = all(b"\r\netag:" in answer.raw.lower() for answer in (old, new))
    if not told or any(one.where.lower() != "last-modified" and not one.rule for one in differences):
        return differences
    return [
        replace(one, rule="mtime") if not one.rule and is_http_date(one.old) and is_http_date(one.new) else one
        for one in differences
    ]


def _consequence(one: Difference) -> str:
    name = one.where.rpartition(": ")[2].lower()
    if one.kind is not Kind.HEADER or not one.old or not one.new:
        return ""
    if name == "etag" and tokens.alike(one.old, one.new):
        return "etag"
    # That it is the body's is known: one that is not would have cut it short, or left something behind it.
    return "length" if name == "content-length" and one.old.isdecimal() and one.new.isdecimal() else ""
