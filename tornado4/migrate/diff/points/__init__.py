"""Where two answers differ, point by point, before any rule is applied."""

from __future__ import annotations

from collections.abc import Iterator

from tornado4.migrate.diff.model import Answer, Kind, Step
from tornado4.migrate.diff.points import http, log, websocket
from tornado4.migrate.diff.points.point import Point


def points(step: Step, old: Answer, new: Answer, again: Answer) -> Iterator[Point]:
    """Where two answers differ, readings of the clock aside; no rules applied."""
    if old.failure != new.failure:
        yield Kind.FAILURE, "", old.failure, new.failure, old.failure
    if not step.frames:
        yield from http.points(step, old, new, again)
    yield from websocket.points(old.frames, new.frames, again.frames)
    if old.closed != new.closed:
        yield Kind.CONNECTION, "", _closed(old), _closed(new), _closed(again)
    yield from log.points(old.log, new.log, again.log)


def _closed(answer: Answer) -> str:
    return "closed" if answer.closed else "kept open"
