"""Of a WebSocket: its frames, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tornado4.migrate.diff.model import Frame, Kind
from tornado4.migrate.diff.points.point import Point

_FRAME_NAMES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def points(old: Sequence[Frame], new: Sequence[Frame], again: Sequence[Frame]) -> Iterator[Point]:
    """Where the frames that came differ."""
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
