"""Two bodies: JSON by path, text by line, all else by byte."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

from tornado4.migrate.diff.message import Response

#: (where, the old side's text, the new side's)
Point = tuple[str, str, str]

_MOST_LINES = 2000  # of a text, beyond which lines are compared by number: alignment costs their square
_SHOWN_BYTES = 16
_NOTHING = object()
_TEXT = re.compile(r"text/|.*(?:javascript|xml|urlencoded|yaml)")
_IS_WORD = re.compile(r"[A-Za-z_][\w-]*")


#: What is no line's matter: taken out of the whole body first. In ``points``, the rule's name is the place.
WHOLE_BODY_RULES = ("traceback", "boundary", "gzip")

_FRAMES = re.compile(rb'(?m)^ *File "[^"\n]*", line \d+(?:, in .*)?\n(?:    .*\n|  \[.*\]\n)*')


def points(old: Response, new: Response) -> Iterator[Point]:
    """Where two bodies differ; a :data:`place <WHOLE_BODY_RULES>` for what differs as a whole, and does not count."""
    if old.body == new.body:
        return
    one, other = old.decoded, new.decoded
    if one == other:
        yield "gzip", f"{len(old.body)} bytes", f"{len(new.body)} bytes"
        return
    for rule, stripped in (("traceback", _without_frames), ("boundary", _without_boundary)):
        before = one, other
        one, other = stripped(one, old), stripped(other, new)
        if before[0] != one and before[1] != other and before[0] != before[1]:
            yield rule, "", ""
    if one != other:
        yield from _points(one, other, new)


def _without_frames(data: bytes, response: Response) -> bytes:
    return _FRAMES.sub(b"", data) if b"Traceback (most recent call last)" in data else data


def _without_boundary(data: bytes, response: Response) -> bytes:
    found = re.search(r'boundary="?([^";,]+)', response.get("content-type"))
    return data.replace(found[1].encode(), b"<boundary>") if found else data


def _points(one: bytes, other: bytes, new: Response) -> Iterator[Point]:
    kind = new.get("content-type").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        try:
            values = json.loads(one), json.loads(other)
        except (ValueError, RecursionError):
            pass
        else:
            found = list(json_points(*values))
            yield from found or [("$ (spelling)", one.decode("utf-8", "replace"), other.decode("utf-8", "replace"))]
            return
    if _TEXT.match(kind) or kind.endswith("json") or not kind:
        try:
            yield from line_points(one.decode("utf-8"), other.decode("utf-8"))
            return
        except UnicodeDecodeError:
            pass
    yield byte_point(one, other)


def json_points(old: Any, new: Any, path: str = "$") -> Iterator[Point]:
    """Where two JSON values differ: ``$.items[2].name``."""
    if isinstance(old, dict) and isinstance(new, dict):
        if list(old) != list(new) and old.keys() == new.keys():
            yield f"{path} (order of keys)", ", ".join(old), ", ".join(new)
        for key in {**old, **new}:
            step = f".{key}" if _IS_WORD.fullmatch(key) else f"[{json.dumps(key)}]"
            yield from json_points(old.get(key, _NOTHING), new.get(key, _NOTHING), path + step)
    elif isinstance(old, list) and isinstance(new, list):
        for index, pair in enumerate(zip_longest(old, new, fillvalue=_NOTHING)):
            yield from json_points(*pair, f"{path}[{index}]")
    elif old is _NOTHING or new is _NOTHING or type(old) is not type(new) or old != new:
        yield path, _dumped(old), _dumped(new)


def _dumped(value: Any) -> str:
    return "" if value is _NOTHING else json.dumps(value, ensure_ascii=False)


def line_points(old: str, new: str) -> Iterator[Point]:
    """Where two texts differ, by the old one's line numbers; lines are aligned, equal numbers of them paired."""
    one, other = old.split("\n"), new.split("\n")
    for first, last, start, end in _changed(one, other):
        if last - first == end - start:
            for offset in range(last - first):
                if one[first + offset] != other[start + offset]:
                    yield f"line {first + offset + 1}", one[first + offset], other[start + offset]
        else:
            where = f"line {first + 1}" if last - first <= 1 else f"lines {first + 1} to {last}"
            yield where, "\n".join(one[first:last]), "\n".join(other[start:end])


def _changed(one: list[str], other: list[str]) -> Iterator[tuple[int, int, int, int]]:
    if max(len(one), len(other)) > _MOST_LINES:
        common = min(len(one), len(other))
        yield 0, common, 0, common
        if len(one) != len(other):
            yield common, len(one), common, len(other)
        return
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag != "equal":
            yield first, last, start, end


def byte_point(old: bytes, new: bytes) -> Point:
    """The first byte in which two bodies differ, with what follows."""
    pairs: Callable[..., Iterator[tuple[int, int]]] = zip
    at = next((i for i, (a, b) in enumerate(pairs(old, new)) if a != b), min(len(old), len(new)))
    shown = [f"{data[at : at + _SHOWN_BYTES].hex(' ')} ({len(data)} bytes in all)" for data in (old, new)]
    return f"byte {at}", shown[0], shown[1]
