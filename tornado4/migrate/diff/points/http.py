"""Of HTTP: status, headers, framing, body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tornado4.migrate.diff import body
from tornado4.migrate.diff.message import Response, responses
from tornado4.migrate.diff.model import Answer, Kind, Step
from tornado4.migrate.diff.normalise import is_http_date
from tornado4.migrate.diff.points.point import Point

_METHOD = re.compile(rb"(?m)^([A-Z]+) \S+ HTTP/1\.\d\r?$")


def points(step: Step, old: Answer, new: Answer, again: Answer) -> Iterator[Point]:
    """Where the responses to one step differ."""
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
        spellings = [[one for one, _ in response.headers if one.lower() == low] for response in (old, new)]
        for one, other in dict.fromkeys(zip(*spellings, strict=True)):
            if one != other:
                yield Kind.HEADER_CASE, name, one, other, one
    orders = [
        ", ".join(name for name, _ in one.headers if all(name.lower() in s for s in spelled))
        for one in (old, new, again)
    ]
    if orders[0].count(",") == orders[1].count(",") and orders[0].lower() != orders[1].lower():
        yield Kind.HEADER_ORDER, "", orders[0], orders[1], orders[2]
