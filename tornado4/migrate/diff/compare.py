"""Two answers to one step, point by point: what differs, and by which rule it does not count.

    compare(step, old, new, again, rules)

- ``again`` is the old side's second answer: each point carries what stands there at the same place, for the noise;
- ``rules`` are those on texts (``rules``);
- what is left, and follows from something ignored, is ignored with it: an ETag, a length;
- what is left then may be a deviation on purpose (``deviations``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tornado4.migrate.diff import body, deviations, tokens
from tornado4.migrate.diff.message import Response, responses
from tornado4.migrate.diff.model import Answer, Difference, Frame, Kind, LogRecord, Step
from tornado4.migrate.diff.rules import Place, Rules, is_http_date, server_alike, without_duration

_METHOD = re.compile(rb"(?m)^([A-Z]+) \S+ HTTP/1\.\d\r?$")
_MOST_DIFFERENCES = 200  # of one step; a page that is another page altogether needs no more
_FRAME_NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

#: A point, before rules: kind, where, the old side's text, the new one's, the old side's when asked again.
Point = tuple[Kind, str, str, str, str]


@dataclass(frozen=True)
class Comparer:
    """Compares with one set of rules; ``against`` is the old side's Tornado."""

    rules: Rules = field(default_factory=Rules)
    against: str = "4.5.3"

    def compare(self, step: Step, old: Answer, new: Answer, again: Answer | None = None) -> tuple[Difference, ...]:
        """Every point in which the answers differ; what has a rule does not count."""
        found = self._found(step, old, new, again or old)
        found = _copies(_follow(found), old, new)
        if any(not one.rule for one in found) and self.against == "4.5.3":
            found = deviations.explain(step, old, new, found)
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


def points(step: Step, old: Answer, new: Answer, again: Answer) -> Iterator[Point]:
    """Where two answers differ, readings of the clock aside; no rules applied."""
    if old.failure != new.failure:
        yield Kind.FAILURE, "", old.failure, new.failure, old.failure
    if not step.frames:
        yield from _responses(step, old, new, again)
    yield from _frames(old.frames, new.frames, again.frames)
    if old.closed != new.closed:
        yield Kind.CONNECTION, "", _closed(old), _closed(new), _closed(again)
    yield from _logs(old.log, new.log, again.log)


def _closed(answer: Answer) -> str:
    return "closed" if answer.closed else "kept open"


# -- HTTP --------------------------------------------------------------------------------------------------


def _responses(step: Step, old: Answer, new: Answer, again: Answer) -> Iterator[Point]:
    data = b"".join(send.data for send in step.send)
    methods = [method.decode("ascii") for method in _METHOD.findall(data)]
    (olds, old_rest), (news, new_rest) = responses(old.raw, methods), responses(new.raw, methods)
    seconds = responses(again.raw, methods)[0] if again.raw != old.raw else olds
    several = max(len(olds), len(news)) > 1
    for number in range(max(len(olds), len(news))):
        prefix = f"response {number + 1}: " if several else ""
        if number >= len(olds):
            yield Kind.STATUS, prefix.rstrip(": "), "", _status_line(news[number]), ""
        elif number >= len(news):
            line = _status_line(olds[number])
            yield Kind.STATUS, prefix.rstrip(": "), line, "", line
        else:
            second = seconds[number] if number < len(seconds) else olds[number]
            for kind, where, one, other, third in _response(olds[number], news[number], second):
                yield kind, prefix + where if where else prefix.rstrip(": "), one, other, third
    upgraded = any(response.status == 101 for response in (*olds, *news))
    if old_rest != new_rest and not upgraded:
        where, one, other = body.byte_point(old_rest, new_rest)
        yield Kind.BODY, f"behind the answer, {where}", one, other, one


def _status_line(response: Response) -> str:
    return f"{response.version} {response.status} {response.reason}"


def _response(old: Response, new: Response, again: Response) -> Iterator[Point]:
    status = [f"{one.version} {one.status}" for one in (old, new, again)]
    if status[0] != status[1]:
        yield Kind.STATUS, "", status[0], status[1], status[0]
    if old.reason != new.reason:
        yield Kind.REASON, "", old.reason, new.reason, old.reason
    yield from _headers(old, new, again)
    if old.framing != new.framing:
        yield Kind.FRAMING, "", old.framing, new.framing, old.framing
    elif old.body == new.body and old.chunks != new.chunks:
        yield Kind.FRAMING, "chunks", _sizes(old), _sizes(new), _sizes(old)
    elif len(old.chunks) != len(new.chunks):
        yield Kind.FRAMING, "number of chunks", str(len(old.chunks)), str(len(new.chunks)), str(len(again.chunks))
    if old.complete != new.complete:
        ends = {True: "complete", False: "cut short"}
        yield Kind.FRAMING, "end", ends[old.complete], ends[new.complete], ends[old.complete]
    if old.body != new.body:
        for where, one, other, second in body.points(old, new, again):
            yield Kind.BODY, where, one, other, second


def _sizes(response: Response) -> str:
    return " + ".join(map(str, response.chunks)) or "none"


def _headers(old: Response, new: Response, again: Response) -> Iterator[Point]:
    spelled: list[dict[str, str]] = [{}, {}]
    for one_side, response in zip(spelled, (old, new), strict=True):
        for name, _ in response.headers:
            one_side.setdefault(name.lower(), name)
    for low in {**spelled[0], **spelled[1]}:
        name = spelled[0].get(low) or spelled[1][low]
        ours, theirs, seconds = old.all(low), new.all(low), again.all(low)
        if low == "date" and ours and theirs and all(map(is_http_date, (*ours, *theirs))):
            continue
        if len(ours) != len(theirs):
            yield Kind.HEADER, name, "\n".join(ours), "\n".join(theirs), "\n".join(seconds)
            continue
        for one, other, second in zip(ours, theirs, seconds if len(seconds) == len(ours) else ours, strict=True):
            if one != other:
                yield Kind.HEADER, name, one, other, second
        if name != spelled[1][low]:
            yield Kind.HEADER_CASE, name, name, spelled[1][low], name
    orders = [
        ", ".join(name for name, _ in one.headers if all(name.lower() in s for s in spelled))
        for one in (old, new, again)
    ]
    if orders[0].count(",") == orders[1].count(",") and orders[0].lower() != orders[1].lower():
        yield Kind.HEADER_ORDER, "", orders[0], orders[1], orders[2]


# -- WebSocket ---------------------------------------------------------------------------------------------


def _frames(old: Sequence[Frame], new: Sequence[Frame], again: Sequence[Frame]) -> Iterator[Point]:
    for number in range(max(len(old), len(new))):
        one = old[number] if number < len(old) else None
        other = new[number] if number < len(new) else None
        second = again[number] if number < len(again) else None
        where = f"frame {number + 1}"
        if one is None or other is None or one.opcode != other.opcode:
            yield Kind.WEBSOCKET_FRAME, where, _shown(one), _shown(other), _shown(one)
            continue
        if one.opcode == 8 and one.close_code != other.close_code:
            yield Kind.CLOSE_CODE, where, _code(one), _code(other), _code(one)
        if _payload(one) != _payload(other):
            yield Kind.WEBSOCKET_FRAME, where, _shown(one), _shown(other), _shown(second)
        if one.compressed != other.compressed:
            was, is_now = str(one.compressed), str(other.compressed)
            yield Kind.WEBSOCKET_FRAME, f"{where} compressed", was, is_now, was


def _code(frame: Frame) -> str:
    return "no code" if frame.close_code is None else str(frame.close_code)


def _payload(frame: Frame) -> bytes:
    return frame.payload[2:] if frame.opcode == 8 else frame.payload


def _shown(frame: Frame | None) -> str:
    if frame is None:
        return ""
    kind = _FRAME_NAMES.get(frame.opcode, f"opcode {frame.opcode}")
    if frame.opcode == 2:
        return f"{kind} {frame.payload.hex(' ')}"
    text = _payload(frame).decode("utf-8", "backslashreplace")
    return f"{kind} {_code(frame)} {text}" if frame.opcode == 8 else f"{kind} {text}"


# -- Log ---------------------------------------------------------------------------------------------------


def _logs(old: Sequence[LogRecord], new: Sequence[LogRecord], again: Sequence[LogRecord]) -> Iterator[Point]:
    olds, news = ([replace(r, message=without_duration(r.message)) for r in log] for log in (old, new))
    if olds == news:
        return
    seconds = [replace(r, message=without_duration(r.message)) for r in again]
    paired = dict(_paired(olds, seconds))
    number = 0
    for at, start in _paired(olds, news):
        number += 1
        one, other = at and olds[at - 1], start and news[start - 1]
        second = paired.get(at)
        if one != other:
            yield from _record(one or None, other or None, at or number, seconds[second - 1] if second else None)


def _paired(old: Sequence[LogRecord], new: Sequence[LogRecord]) -> Iterator[tuple[int, int]]:
    """Records by number, from 1 on, 0 for none: those of one shape first, then those that stand between the same."""
    matcher = difflib.SequenceMatcher(None, [*map(_shape, old)], [*map(_shape, new)], autojunk=False)
    for _, first, last, start, end in matcher.get_opcodes():
        for offset in range(max(last - first, end - start)):
            yield (
                first + offset + 1 if first + offset < last else 0,
                start + offset + 1 if start + offset < end else 0,
            )


def _shape(record: LogRecord) -> tuple[str, str, str]:
    return record.logger, record.level, tokens.shape(record.message)


def _record(
    old: LogRecord | None, new: LogRecord | None, number: int, again: LogRecord | None
) -> Iterator[Point]:
    some = old or new
    assert some is not None
    where = f"{some.logger}, record {number}"
    if old is not None and new is not None and old.logger != new.logger:
        first = f"{old.logger}: {_line(old)}"
        yield Kind.LOG, where, first, f"{new.logger}: {_line(new)}", first
    elif _line(old) != _line(new):
        yield Kind.LOG, where, _line(old), _line(new), _line(again or old)
    errors = [record.exception if record else "" for record in (old, new, again or old)]
    if errors[0] != errors[1]:
        yield Kind.EXCEPTION, where, errors[0], errors[1], errors[2]


def _line(record: LogRecord | None) -> str:
    return f"{record.level} {record.message}" if record else ""


# -- What follows from something ignored -------------------------------------------------------------------


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
