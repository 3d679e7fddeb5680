"""Texts without what is volatile in them by its form: tokens, signatures, dates, ports, addresses in memory.

Each normaliser takes what stands at one place on three sides and gives it back without the volatile part; ``rules``
says which is applied where.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime

#: Dates that were made at answering are equal within so many seconds: the sides answer at different moments.
DATE_SECONDS = 300

#: What stands at one place: the old side's, the new side's, the old side's when asked again.
Texts = tuple[str, str, str]

Normaliser = Callable[[Texts], Texts]

_Replacement = str | Callable[[re.Match[str]], str]


def _masked(match: re.Match[str]) -> str:
    """A token against forgery: its length stays."""
    return f"<xsrf of {len(match[1])}>"


SUBSTITUTIONS: tuple[tuple[str, re.Pattern[str], _Replacement], ...] = (
    ("xsrf", re.compile(r"2\|[0-9a-f]{8}\|([0-9a-f]{2,64})\|\d{10}"), _masked),
    ("xsrf", re.compile(r'(_xsrf(?:=|" value=")"?)[0-9a-f]{32}\b'), r"\1<xsrf>"),
    ("address", re.compile(r"\bat 0x[0-9a-fA-F]{5,16}\b"), "at 0x..."),
    ("module-name", re.compile(r"\btornado4(?=[./])"), "tornado"),
    ("traceback", re.compile(r'(?m)^ *File ".*", line \d+, in .*(?:\n(?: {4,}.*|  \[.*\]))*\n?'), ""),
)


_SIGNED = (
    re.compile(r"(2\|\d:\d{1,2}\|10:)(\d{10})(\|\d+:[^|]*\|\d+:[^|]*\|)[0-9a-f]{64}"),
    re.compile(r"([A-Za-z0-9+/=]+\|)(\d{10})(\|)[0-9a-f]{40}\b"),
)


def three(texts: Iterable[str]) -> Texts:
    """Three texts, whatever they come from."""
    old, new, again = texts
    return old, new, again


def signed(texts: Texts) -> Texts:
    """Without times and signatures, where the times differ: of one second, the signatures must be equal as well."""
    if "|" not in texts[0]:  # which both forms have: most texts are told by that, at once
        return texts
    for pattern in _SIGNED:
        old, new = ([match[2] for match in pattern.finditer(text)] for text in texts[:2])
        if old != new and len(old) == len(new):
            texts = three(pattern.sub(r"\1<time>\3<signature>", text) for text in texts)
    return texts


_QUALIFIED = re.compile(r"\b(?:\w+\.|<locals>\.)+(\w+\(\) (?:missing|takes|got)\b)")


def unqualified(texts: Texts) -> Texts:
    """Where one interpreter names the class and the other does not; two classes are a difference."""
    if "() " not in texts[0] and "() " not in texts[1]:
        return texts
    bare = three(_QUALIFIED.sub(r"\1", text) for text in texts)
    one_sided = (texts[0] == bare[0]) != (texts[1] == bare[1])
    return bare if one_sided else texts


def substitute(pattern: re.Pattern[str], replacement: _Replacement) -> Normaliser:
    """What puts something else for whatever a pattern matches."""
    return lambda texts: three(pattern.sub(replacement, text) for text in texts)


def near_dates(texts: Texts) -> Texts:
    """Without dates, where each is near to the one at its place."""
    old, new = (_HTTP_DATE.findall(text) for text in texts[:2])
    if not old or len(old) != len(new):
        return texts
    for one, other in zip(old, new, strict=True):
        # One that has a zone is never near to one that has none.
        if one.endswith("GMT") != other.endswith("GMT") or _apart(one, other) > DATE_SECONDS:
            return texts
    return three(_HTTP_DATE.sub(_spelling, text) for text in texts)


def _apart(one: str, other: str) -> float:
    """The seconds between two dates; without end, if one is no date of the calendar (31 Feb)."""
    try:
        return abs((parsedate_to_datetime(one) - parsedate_to_datetime(other)).total_seconds())
    except ValueError:
        return math.inf


def _spelling(match: re.Match[str]) -> str:
    """How a date is written stays: its separators, its zone."""
    return re.sub(r"[A-Z][a-z]{2}\b|\d", "_", match[0])


def without_port(text: str, port: int) -> str:
    """Without the port of the side, and without those that loopback addresses were called from."""
    if port:
        text = re.sub(rf"(?<!\d){port}(?!\d)", "<port>", text)
    return re.sub(r"(\('(?:127\.0\.0\.1|::1)', )\d+", r"\1<port>", text)


# -- By form only ------------------------------------------------------------------------------------------

_HTTP_DATE = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2}[ -][A-Z][a-z]{2}[ -]\d{4} \d{2}:\d{2}:\d{2}\b(?: GMT\b)?"
)
_DURATION = re.compile(r" \d+\.\d\dms$")


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
