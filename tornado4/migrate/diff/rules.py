"""What may differ without counting, and by which rule.

Two kinds. Readings of the clock (the Date header, the duration at the end of an access line) are never compared but
by form: two runs of one program never agree on them, and a step is not "different but ignored" for that. All else that
is volatile is ignored by a named rule, and counted as such: here the rules on texts; those on what follows from
something ignored (an ETag, a length) are in ``compare``, and what differs on purpose is ``deviations``.

The last rule is noise: the old side runs twice, and the pieces of a text that vary between old and old may vary to the
new side as well, within their kind (``tokens``); what stands around them may not. The user's own rules are
``user_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tornado4.migrate.diff import tokens
from tornado4.migrate.diff.model import Kind
from tornado4.migrate.diff.normalise import (
    DATE_SECONDS,
    SUBSTITUTIONS,
    Normaliser,
    near_dates,
    signed,
    substitute,
    three,
    unqualified,
    without_port,
)
from tornado4.migrate.diff.user_rules import UserRules

#: What each rule means; shown in reports.
MEANINGS = {
    "xsrf": "an XSRF token: a fresh mask or value, and its time",
    "signed-value": "a signed value (secure cookie): its time and, with it, its signature",
    "expires": f"a date of expiry, counted from now: equal within {DATE_SECONDS} s",
    "boundary": "a multipart boundary, random in every answer",
    "request-id": "the id of a request or trace, made anew for each",
    "port": "the port on which a side listens, or from which it was called",
    "address": "an object's address in memory",
    "module-name": "tornado4, where the other side says tornado",
    "traceback": "the frames of a traceback: files and lines of another interpreter and package",
    "python": "an interpreter's wording: Python 3.10 and later name the class of a method in a TypeError",
    "gzip": "compressed otherwise, the same when unpacked",
    "mtime": "the time of a file whose content, by its ETag, is the same: two copies of it",
    "etag": "an ETag of a body in which something was ignored",
    "length": "the length of a body in which something was ignored",
    "noise": "a piece that differs between two runs of the old side, too, and keeps its kind",
    "asyncio-log": "a record of the logger asyncio, on which Tornado 4 does not run",
}


def markdown() -> str:
    """The table of rules in docs/diff.md."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in MEANINGS.items()]
    return "\n".join(["| rule | what it ignores |", "|---|---|", *rows])


REQUEST_ID_HEADERS = frozenset(
    {"x-request-id", "x-correlation-id", "x-trace-id", "x-b3-traceid", "x-b3-spanid", "traceparent", "x-amzn-trace-id"}
)


@dataclass(frozen=True)
class Place:
    """Where two texts stand: what kind of thing, its name, and each side's port."""

    kind: Kind
    where: str = ""
    ports: tuple[int, int, int] = (0, 0, 0)  # the old side's, the new one's, the old one's when it runs again
    against: str = "4.5.3"

    @property
    def name(self) -> str:
        """A header's, in small letters, without what stands before it (the response's number)."""
        return self.where.rpartition(": ")[2].partition(" ")[0].lower()


@dataclass(frozen=True)
class Rules:
    """All rules on texts, ready to be applied."""

    user: UserRules = field(default_factory=UserRules)

    def reconcile(self, old: str, new: str, place: Place, again: str | None = None) -> str | None:
        """The rules by which two different texts are equal (joined by ", "); None: they differ.

        ``again``: what the old side gave the second time, at the same place.
        """
        if whole := self._whole(old, new, place):
            return whole
        used: list[str] = []
        texts = old, new, old if again is None else again
        for name, normalise in self._steps(place):
            changed = normalise(texts)
            if changed[:2] != texts[:2]:
                used.append(name)
                if changed[0] == changed[1]:
                    return ", ".join(dict.fromkeys(used))
            texts = changed
        old, new, again = texts
        return ", ".join(dict.fromkeys([*used, "noise"])) if tokens.covers(old, again, new) else None

    def meanings(self, used: Iterable[str]) -> dict[str, str]:
        """What those of our rules mean that were used."""
        known = {**MEANINGS, **{name: f"your rule: {name.partition(' ')[2]}" for name in self.user.names}}
        texts = {rule: [known[one] for one in rule.split(", ") if one in known] for rule in sorted(used)}
        return {rule: known.get(rule) or "; ".join(found) for rule, found in texts.items() if found or rule in known}

    def _whole(self, old: str, new: str, place: Place) -> str:
        """The rule that ignores a place, whatever stands there."""
        name = place.name
        if place.kind is Kind.HEADER:
            if name in self.user.headers:
                return f"ignore-headers {name}"
            return "request-id" if name in REQUEST_ID_HEADERS and tokens.alike(old, new) else ""
        if place.kind is Kind.BODY:
            return self.user.of_body(place.where)
        if place.kind in (Kind.LOG, Kind.EXCEPTION):
            logger = place.where.partition(",")[0]
            if logger in self.user.loggers:
                return f"ignore-loggers {logger}"
            return "asyncio-log" if logger == "asyncio" and not old else ""
        return ""

    def _steps(self, place: Place) -> Iterable[tuple[str, Normaliser]]:
        for pattern in self.user.text:
            yield f"ignore-text {pattern}", substitute(re.compile(pattern), "")
        for name, compiled, replacement in SUBSTITUTIONS:
            yield name, substitute(compiled, replacement)
        yield "python", unqualified
        yield "signed-value", signed
        header = place.name if place.kind is Kind.HEADER else ""
        if header in ("expires", "set-cookie"):
            yield "expires", near_dates
        if header == "content-type":
            yield "boundary", substitute(re.compile(r'(boundary="?)[^";,]+'), r"\1<boundary>")
        yield "port", lambda texts: three(map(without_port, texts, place.ports))
