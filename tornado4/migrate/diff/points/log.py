"""Of the log: records, paired by their shape."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tornado4.migrate.diff import tokens
from tornado4.migrate.diff.model import Kind, LogRecord
from tornado4.migrate.diff.normalise import without_duration
from tornado4.migrate.diff.points.point import Point


def points(old: Sequence[LogRecord], new: Sequence[LogRecord], again: Sequence[LogRecord]) -> Iterator[Point]:
    """Where the records differ, how long a request took aside."""
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


def _record(old: LogRecord | None, new: LogRecord | None, number: int, again: LogRecord | None) -> Iterator[Point]:
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
