"""What may differ without counting, and by which rule.

Two kinds. Readings of the clock (the Date header, the duration at the end of an access line) are never compared but
by form: two runs of one program never agree on them, and a step is not "different but ignored" for that. All else that
is volatile is ignored by a named rule, and counted as such: here the rules on texts; those on what follows from
something ignored (an ETag, a length) are in ``compare``, and what differs on purpose is ``deviations``.

The last rule is noise: the old side runs twice, and the pieces of a text that vary between old and old may vary to the
new side as well, within their kind (``tokens``); what stands around them may not. The user's own rules come from
``[tool.tornado4.diff]`` in the application's pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from tornado4.migrate.diff import tokens
from tornado4.migrate.diff.model import Kind

#: Dates that were made at answering are equal within so many seconds: the sides answer at different moments.
DATE_SECONDS = 300

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

_HTTP_DATE = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2}[ -][A-Z][a-z]{2}[ -]\d{4} \d{2}:\d{2}:\d{2}\b(?: GMT\b)?"
)
_DURATION = re.compile(r" \d+\.\d\dms$")

#: What stands at one place: the old side's, the new side's, the old side's when asked again.
Texts = tuple[str, str, str]

_Replacement = str | Callable[[re.Match[str]], str]


def _masked(match: re.Match[str]) -> str:
    """A token against forgery: its length stays."""
    return f"<xsrf of {len(match[1])}>"


_SUBSTITUTIONS: tuple[tuple[str, re.Pattern[str], _Replacement], ...] = (
    ("xsrf", re.compile(r"2\|[0-9a-f]{8}\|([0-9a-f]{2,64})\|\d{10}"), _masked),
    ("xsrf", re.compile(r'(_xsrf(?:=|" value=")"?)[0-9a-f]{32}\b'), r"\1<xsrf>"),
    ("address", re.compile(r"\bat 0x[0-9a-fA-F]{5,16}\b"), "at 0x..."),
    ("module-name", re.compile(r"\btornado4(?=[./])"), "tornado"),
    ("traceback", re.compile(r'(?m)^ *File ".*", line \d+, in .*(?:\n(?: {4,}.*|  \[.*\]))*\n?'), ""),
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


class BadRules(Exception):
    """``[tool.tornado4.diff]`` has something in it that means nothing."""


@dataclass(frozen=True)
class UserRules:
    """The table ``[tool.tornado4.diff]``: four lists of texts, each may be left out."""

    headers: frozenset[str] = frozenset()  # ignore-headers: names
    json: tuple[str, ...] = ()  # ignore-json: paths; * for any key or index; what lies below is meant too
    text: tuple[str, ...] = ()  # ignore-text: regular expressions; what they match is no difference, anywhere
    loggers: frozenset[str] = frozenset()  # ignore-loggers: names


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
        known = {**MEANINGS, **{name: f"your rule: {name.partition(' ')[2]}" for name in self._user_names()}}
        texts = {rule: [known[one] for one in rule.split(", ") if one in known] for rule in sorted(used)}
        return {rule: known.get(rule) or "; ".join(found) for rule, found in texts.items() if found or rule in known}

    def _user_names(self) -> list[str]:
        user = self.user
        return [
            *(f"ignore-headers {name}" for name in user.headers),
            *(f"ignore-json {path}" for path in user.json),
            *(f"ignore-text {pattern}" for pattern in user.text),
            *(f"ignore-loggers {name}" for name in user.loggers),
        ]

    def _whole(self, old: str, new: str, place: Place) -> str:
        """The rule that ignores a place, whatever stands there."""
        name = place.name
        if place.kind is Kind.HEADER:
            if name in self.user.headers:
                return f"ignore-headers {name}"
            return "request-id" if name in REQUEST_ID_HEADERS and tokens.alike(old, new) else ""
        if place.kind is Kind.BODY:
            return next((f"ignore-json {path}" for path in self.user.json if _json_path(path).match(place.where)), "")
        if place.kind in (Kind.LOG, Kind.EXCEPTION):
            logger = place.where.partition(",")[0]
            if logger in self.user.loggers:
                return f"ignore-loggers {logger}"
            return "asyncio-log" if logger == "asyncio" and not old else ""
        return ""

    def _steps(self, place: Place) -> Iterable[tuple[str, Callable[[Texts], Texts]]]:
        for pattern in self.user.text:
            yield f"ignore-text {pattern}", _substitute(re.compile(pattern), "")
        for name, compiled, replacement in _SUBSTITUTIONS:
            yield name, _substitute(compiled, replacement)
        yield "python", _unqualified
        yield "signed-value", _signed
        header = place.name if place.kind is Kind.HEADER else ""
        if header in ("expires", "set-cookie"):
            yield "expires", _near_dates
        if header == "content-type":
            yield "boundary", _substitute(re.compile(r'(boundary="?)[^";,]+'), r"\1<boundary>")
        yield "port", lambda texts: _three(map(_without_port, texts, place.ports))


_SIGNED = (
    re.compile(r"(2\|\d:\d{1,2}\|10:)(\d{10})(\|\d+:[^|]*\|\d+:[^|]*\|)[0-9a-f]{64}"),
    re.compile(r"([A-Za-z0-9+/=]+\|)(\d{10})(\|)[0-9a-f]{40}\b"),
)


def _three(texts: Iterable[str]) -> Texts:
    old, new, again = texts
    return old, new, again


def _signed(texts: Texts) -> Texts:
    """Without times and signatures, where the times differ: of one second, the signatures must be equal as well."""
    if "|" not in texts[0]:  # which both forms have: most texts are told by that, at once
        return texts
    for pattern in _SIGNED:
        old, new = ([match[2] for match in pattern.finditer(text)] for text in texts[:2])
        if old != new and len(old) == len(new):
            texts = _three(pattern.sub(r"\1<time>\3<signature>", text) for text in texts)
    return texts


_QUALIFIED = re.compile(r"\b(?:\w+\.|<locals>\.)+(\w+\(\) (?:missing|takes|got)\b)")


def _unqualified(texts: Texts) -> Texts:
    """Where one interpreter names the class and the other does not; two classes are a difference."""
    if "() " not in texts[0] and "() " not in texts[1]:
        return texts
    bare = _three(_QUALIFIED.sub(r"\1", text) for text in texts)
    one_sided = (texts[0] == bare[0]) != (texts[1] == bare[1])
    return bare if one_sided else texts


def _substitute(pattern: re.Pattern[str], replacement: _Replacement) -> Callable[[Texts], Texts]:
    return lambda texts: _three(pattern.sub(replacement, text) for text in texts)


def _near_dates(texts: Texts) -> Texts:
    old, new = (_HTTP_DATE.findall(text) for text in texts[:2])
    if not old or len(old) != len(new):
        return texts
    for one, other in zip(old, new, strict=True):
        if abs((parsedate_to_datetime(one) - parsedate_to_datetime(other)).total_seconds()) > DATE_SECONDS:
            return texts
    return _three(_HTTP_DATE.sub(_spelling, text) for text in texts)


def _spelling(match: re.Match[str]) -> str:
    """How a date is written stays: its separators, its zone."""
    return re.sub(r"[A-Z][a-z]{2}\b|\d", "_", match[0])


def _without_port(text: str, port: int) -> str:
    if port:
        text = re.sub(rf"(?<!\d){port}(?!\d)", "<port>", text)
    return re.sub(r"(\('(?:127\.0\.0\.1|::1)', )\d+", r"\1<port>", text)


def _json_path(path: str) -> re.Pattern[str]:
    """``$.items[*].id`` as an expression for that place and all below it."""
    wild = re.escape(path).replace(r"\[\*\]", r"\[\d+\]").replace(r"\.\*", r"\.[^.\[]+")
    return re.compile(wild + r"(?![^.\[])")


# -- By form only ------------------------------------------------------------------------------------------


def is_http_date(text: str) -> bool:
    """Whether a Date header has the form that RFC 9110, 5.6.7, prefers."""
    return text.endswith(" GMT") and _HTTP_DATE.fullmatch(text) is not None


_SERVER = re.compile(r"TornadoServer/[\w.]+")


def server_alike(old: str, new: str, against: str) -> bool:
    """Whether two Server headers differ in Tornado's version alone, and another one was asked for."""
    return against != "4.5.3" and all(map(_SERVER.fullmatch, (old, new)))


def without_duration(message: str) -> str:
    """An access line without how long the request took."""
    return _DURATION.sub("", message)


# -- The user's own ----------------------------------------------------------------------------------------

_KEYS = {"ignore-headers": "headers", "ignore-json": "json", "ignore-text": "text", "ignore-loggers": "loggers"}


def find_user_rules(start: Path) -> UserRules:
    """From the nearest pyproject.toml at or above a folder that has ``[tool.tornado4.diff]``; none: no rules.

    :raises BadRules: the file is no TOML, or the table is not as :class:`UserRules` says.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _user_rules(table, path)
    return UserRules()


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadRules(f"{path}: {error}") from error
    table = document.get("tool", {}).get("tornado4", {}).get("diff")
    return table if isinstance(table, dict) else None


def _user_rules(table: dict[str, Any], path: Path) -> UserRules:
    lists: dict[str, list[str]] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise BadRules(f"{path}: [tool.tornado4.diff] knows {', '.join(_KEYS)}, not {key!r}")
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadRules(f"{path}: [tool.tornado4.diff] {key} must be a list of texts")
        lists[_KEYS[key]] = value
    for pattern in lists.get("text", ()):
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadRules(f"{path}: [tool.tornado4.diff] ignore-text {pattern!r}: {error}") from error
    for json_path in lists.get("json", ()):
        if not json_path.startswith("$"):
            raise BadRules(f"{path}: [tool.tornado4.diff] ignore-json {json_path!r}: a path begins with $")
    return UserRules(
        frozenset(name.lower() for name in lists.get("headers", ())),
        tuple(lists.get("json", ())),
        tuple(lists.get("text", ())),
        frozenset(lists.get("loggers", ())),
    )
