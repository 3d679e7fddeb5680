"""Two bodies, and the old one again: JSON by path, text by line, all else by byte."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby, zip_longest
from typing import Any

from tornado4.migrate.diff import tokens
from tornado4.migrate.diff.message import Response

#: (where, the old side's text, the new side's, the old side's when asked again)
Point = tuple[str, str, str, str]

_MOST_LINES = 2000  # of a text, beyond which lines are compared by number: alignment costs their square
_SHOWN_BYTES = 16
_NOTHING, _SAME = object(), object()
_TEXT = re.compile(r"text/|.*(?:javascript|xml|urlencoded|yaml)")
_IS_WORD = re.compile(r"[A-Za-z_][\w-]*")


#: What is no line's matter: taken out of the whole body first. In ``points``, the rule's name is the place.
WHOLE_BODY_RULES = ("traceback", "boundary", "gzip", "noise")

_FRAMES = re.compile(rb'(?m)^ *File "[^"\n]*", line \d+(?:, in .*)?\n(?:    .*\n|  \[.*\]\n)*')


def points(old: Response, new: Response, again: Response) -> Iterator[Point]:
    """Where two bodies differ; a :data:`place <WHOLE_BODY_RULES>` for what differs as a whole, and does not count."""
    if old.body == new.body:
        return
    one, other = old.decoded, new.decoded
    if one == other:
        yield "gzip", f"{len(old.body)} bytes", f"{len(new.body)} bytes", ""
        return
    second = again.decoded
    for rule, stripped in (("traceback", _without_frames), ("boundary", _without_boundary)):
        before = one, other
        one, other, second = stripped(one, old), stripped(other, new), stripped(second, again)
        if before[0] != one and before[1] != other and before[0] != before[1]:
            yield rule, "", "", ""
    if one != other:
        yield from _points(one, other, second, new)


def _without_frames(data: bytes, response: Response) -> bytes:
    return _FRAMES.sub(b"", data) if b"Traceback (most recent call last)" in data else data


def _without_boundary(data: bytes, response: Response) -> bytes:
    found = re.search(r'boundary="?([^";,]+)', response.get("content-type"))
    return data.replace(found[1].encode(), b"<boundary>") if found else data


def _points(one: bytes, other: bytes, second: bytes, new: Response) -> Iterator[Point]:
    kind = new.get("content-type").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        try:
            values = json.loads(one), json.loads(other)
        except (ValueError, RecursionError):
            pass
        else:
            try:
                third = json.loads(second)
            except (ValueError, RecursionError):
                third = values[0]
            found = list(json_points(*values, again=third))
            yield from found
            if not found or _spelling(other) not in (_spelling(one), _spelling(second)):
                text = one.decode("utf-8", "replace")
                yield "$ (spelling)", text, other.decode("utf-8", "replace"), text
            return
    if _TEXT.match(kind) or kind.endswith("json") or not kind:
        try:
            texts = one.decode("utf-8"), other.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            yield from line_points(*texts, second.decode("utf-8", "replace"))
            return
    where, *shown = byte_point(one, other)
    yield where, shown[0], shown[1], shown[0]


_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.\w]+')
_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|.)")


def _spelling(data: bytes) -> set[bytes]:
    """How a JSON text is written, whatever its values are: its white space around signs, its kinds of escapes."""
    return {*re.findall(rb"\s*[][{}:,]\s*", _JSON_TOKEN.sub(b"", data)), *_escapes(data)}


def _escapes(data: bytes) -> set[bytes]:
    # What a slash, a sign of HTML or a letter beyond ASCII looks like; each is known by its first two bytes.
    return {escape[:2] for escape in _ESCAPE.findall(data)} | ({b"raw"} if not data.isascii() else set())


def json_points(old: Any, new: Any, path: str = "$", again: Any = _SAME) -> Iterator[Point]:
    """Where two JSON values differ: ``$.items[2].name``. ``again``: the old one, asked once more."""
    again = old if again is _SAME else again
    if isinstance(old, dict) and isinstance(new, dict):
        seconds = again if isinstance(again, dict) else old
        if list(old) != list(new) and old.keys() == new.keys():
            yield f"{path} (order of keys)", ", ".join(old), ", ".join(new), ", ".join(seconds)
        for key in {**old, **new}:
            step = f".{key}" if _IS_WORD.fullmatch(key) else f"[{json.dumps(key)}]"
            yield from _json_values(
                old.get(key, _NOTHING), new.get(key, _NOTHING), seconds.get(key, _NOTHING), path + step
            )
    elif isinstance(old, list) and isinstance(new, list):
        thirds = again if isinstance(again, list) else old
        if old != new and tokens.in_another_order([*map(_dumped, old)], [*map(_dumped, thirds)], [*map(_dumped, new)]):
            # Known to be noise: told as if the old side had given this very order the second time.
            yield f"{path} (order)", _dumped(old), _dumped(new), _dumped(new)
            return
        for index, (one, other, third) in enumerate(zip_longest(old, new, thirds, fillvalue=_NOTHING)):
            yield from _json_values(one, other, third, f"{path}[{index}]")
    elif old is _NOTHING or new is _NOTHING or type(old) is not type(new) or old != new:
        yield path, _dumped(old), _dumped(new), _dumped(again)


def _json_values(old: Any, new: Any, again: Any, path: str) -> Iterator[Point]:
    if not (old is _NOTHING and new is _NOTHING):
        yield from json_points(old, new, path, again)


def _dumped(value: Any) -> str:
    return "" if value is _NOTHING else json.dumps(value, ensure_ascii=False)


def line_points(old: str, new: str, again: str | None = None) -> Iterator[Point]:
    """Where two texts differ, by the old one's line numbers; lines are aligned, equal numbers of them paired."""
    one, other = old.split("\n"), new.split("\n")
    second = one if again is None else again.split("\n")
    if tokens.in_another_order(one, second, other):
        yield "noise", "", "", ""
        return
    if one != second and _unshuffle(one, second, other):
        yield "noise", "", "", ""
    if one == second:
        changed, twins = list(_changed(one, other)), {}
    else:  # lines that vary are paired with themselves, so that no stable one is taken for theirs
        changed, twins = list(_changed_shapes(one, other)), dict(_twins(one, second))
    for first, last, start, end in changed:
        if last - first == end - start:
            for offset in range(last - first):
                at = first + offset
                if one[at] != other[start + offset]:
                    yield f"line {at + 1}", one[at], other[start + offset], twins.get(at, one[at])
        else:
            where = f"line {first + 1}" if last - first <= 1 else f"lines {first + 1} to {last}"
            text = "\n".join(one[first:last])
            yield where, text, "\n".join(other[start:end]), text


_ITEM = re.compile(r"\s*(?:<\w+|[-*+] )")


def _unshuffle(one: list[str], second: list[str], other: list[str]) -> bool:
    """Put runs of items (``<li>``, ``<tr>``, ``- ``) that are in another order each time into the old one's; True: some
    were."""
    if not len(one) == len(second) == len(other):
        return False
    some, first = False, 0
    for opening, group in groupby(one, lambda line: found[0] if (found := _ITEM.match(line)) else ""):
        run = list(group)
        here = slice(first, first + len(run))
        first += len(run)
        if opening and run != second[here] and sorted(run) == sorted(second[here]):
            second[here] = run
            if run != other[here] and sorted(run) == sorted(other[here]):
                other[here], some = run, True
    return some


def _changed_shapes(one: list[str], other: list[str]) -> Iterator[tuple[int, int, int, int]]:
    shapes = [*map(tokens.shape, one)], [*map(tokens.shape, other)]
    if shapes[0] == shapes[1]:
        yield 0, len(one), 0, len(other)
        return
    for tag, first, last, start, end in tokens.opcodes(*shapes):
        if tag != "equal" or one[first:last] != other[start:end]:
            yield first, last, start, end


def _twins(one: list[str], second: list[str]) -> Iterator[tuple[int, str]]:
    """What the old side gave again for each of its lines; those without a counterpart are left out."""
    for first, last, start, end in _changed_shapes(one, second):
        if last - first == end - start:
            yield from ((first + offset, second[start + offset]) for offset in range(last - first))


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


def byte_point(old: bytes, new: bytes) -> tuple[str, str, str]:
    """The first byte in which two bodies differ, with what follows."""
    pairs: Callable[..., Iterator[tuple[int, int]]] = zip
    at = next((i for i, (a, b) in enumerate(pairs(old, new)) if a != b), min(len(old), len(new)))
    shown = [f"{data[at : at + _SHOWN_BYTES].hex(' ')} ({len(data)} bytes in all)" for data in (old, new)]
    return f"byte {at}", shown[0], shown[1]
