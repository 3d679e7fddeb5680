"""What the page shows of a run, as plain JSON values: the list of steps, and one step's details.

`entry` is a line in the list; `details` is the rest, which the page reads when the step is opened. In both, all text is
safe to show (`printable`), and a row that is equal on both sides is one string; another is ``[old, new, tone, rule]``,
where each side is None or a list of parts, a changed part in a list of its own, and the tone is ``different``,
``ignored`` or empty (not compared).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tornado4.migrate.diff.model import Answer, Difference, Frame, Kind, LogRecord, Run, Send, Verdict
from tornado4.migrate.diff.report import align, times
from tornado4.migrate.diff.report.messages import Message, messages
from tornado4.migrate.diff.report.printable import decoded, hex_lines, one_line, text_of, visible

_SHOWN_BODY = 64 * 1024  # bytes of a body that are laid side by side
_SHOWN_RAW = 256 * 1024  # bytes of each side's answer that are in the page
_SHOWN_VALUE = 2_000  # characters of a difference's value
_OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

_NOT_COMPARED = ("", "")
_FRAMING_HEADERS = {
    "content-length": (Kind.FRAMING,),
    "transfer-encoding": (Kind.FRAMING,),
    "connection": (Kind.CONNECTION,),
}

Json = Any  # what json.dumps takes


def entry(run: Run, verdict: Verdict) -> dict[str, Json]:
    """A step's line in the list, with what the filters look at."""
    points = [
        one_line(f"{item.kind.value} {item.where} {item.explained.partition(':')[0]}".strip())
        for item in verdict.differences if not item.rule
    ]  # fmt: skip
    values = (part for item in verdict.differences for part in (item.where, item.old[:200], item.new[:200]))
    return {
        "number": verdict.number,
        "name": one_line(verdict.step.name),
        "sequence": one_line(verdict.sequence),
        "origin": one_line(verdict.step.origin),
        "outcome": verdict.outcome.name.lower(),
        "status": verdict.status,
        "took": times.shown(run, verdict),
        "untested": one_line(verdict.untested),
        "kinds": list(dict.fromkeys(item.kind.value for item in verdict.differences)),
        "rules": list(dict.fromkeys(one_line(item.rule) for item in verdict.differences if item.rule)),
        "hint": ", ".join(dict.fromkeys(points))[:200],
        "text": " ".join(dict.fromkeys(map(one_line, values))).strip(),
    }


def details(run: Run, verdict: Verdict) -> dict[str, Json]:
    """All that the page shows of an open step."""
    sides = run.sides or list(verdict.answers)
    nothing = Answer(b"", closed=False, failure="was not asked")
    old, new = (verdict.answers.get(side, nothing) for side in (sides[0], sides[-1])) if sides else (nothing, nothing)
    return {
        "findings": [_finding(difference) for difference in verdict.differences],
        "request": _request(verdict, sides),
        "sections": _sections(verdict, old, new),
        "answers": _raw_answers([(side, verdict.answers.get(side, nothing).raw) for side in sides]),
    }


def _raw_answers(answers: list[tuple[str, bytes]]) -> list[dict[str, Json]]:
    """Each side's bytes; where a side gave the same as an earlier one, that one's name stands for them."""
    first: dict[bytes, str] = {}
    raw: list[dict[str, Json]] = []
    for side, data in answers:
        like = first.setdefault(data, side)
        raw.append({"side": one_line(side), **(_raw(data) if like == side else {"like": one_line(like)})})
    return raw


def _finding(difference: Difference) -> dict[str, str]:
    values = {"where": difference.where, "old": difference.old, "new": difference.new, "rule": difference.rule}
    return {"kind": difference.kind.value, **{name: visible(_cut(value)) for name, value in values.items()}}


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}… ({len(text):,} characters)"


def _request(verdict: Verdict, sides: list[str]) -> list[dict[str, Json]]:
    """What was to be sent, and what each side was really sent where that is something else."""
    pieces = verdict.step.send
    recorded = [{"label": _piece(send, index, len(pieces)), **_raw(send.data)} for index, send in enumerate(pieces, 1)]
    whole = b"".join(send.data for send in pieces)
    sent = [(side, verdict.answers[side].sent) for side in sides if side in verdict.answers]
    return recorded + [
        {"label": f"as sent to {one_line(side)}", **_raw(data)} for side, data in sent if data and data != whole
    ]


def _piece(send: Send, index: int, number: int) -> str:
    if send.opcode is not None:
        return f"{_OPCODES.get(send.opcode, str(send.opcode))} frame"
    return "as recorded" if number == 1 else f"piece {index} of {number}"


def _raw(data: bytes) -> dict[str, Json]:
    return {"bytes": base64.b64encode(data[:_SHOWN_RAW]).decode("ascii"), "size": len(data)}


@dataclass(frozen=True)
class _Tones:
    """Finds out how a row that is not equal is to be shown: as a difference, as an ignored one, or neither."""

    differences: Sequence[Difference]

    def of(self, row: align.Row, kinds: Iterable[Kind], where: str | None = None) -> tuple[str, str]:
        """Tone and rule. ``where`` narrows the differences to one header."""
        found = [item for item in self.differences if item.kind in kinds]
        if where is not None:
            found = [item for item in found if item.where.lower() == where.lower()]
        counted = [item for item in found if not item.rule]
        ignored = [item for item in found if item.rule]
        if ignored and (not counted or (self._shows(row, ignored) and not self._shows(row, counted))):
            return "ignored", one_line(", ".join(dict.fromkeys(item.rule for item in ignored)))
        return ("different", "") if counted else _NOT_COMPARED

    @staticmethod
    def _shows(row: align.Row, differences: list[Difference]) -> bool:
        """Whether one of the differences is seen in the row, as far as its values tell."""
        return any(
            value and (value in text or text.strip() in value)
            for item in differences
            for value, text in zip((item.old, item.new), row.texts, strict=True)
            if text.strip()
        )

    def plain(self, row: align.Row, kinds: Iterable[Kind]) -> Json:
        """The row as JSON."""
        return row.texts[0] if row.equal else [_segments(row.old), _segments(row.new), *self.of(row, kinds)]

    def header(self, row: align.Row, name: str) -> Json:
        """A header's row as JSON; what frames the message is compared under kinds of its own."""
        tone = self.of(row, (Kind.HEADER, Kind.HEADER_CASE), name)
        if tone == _NOT_COMPARED:
            tone = self.of(row, _FRAMING_HEADERS.get(name.lower(), ()))
        return row.texts[0] if row.equal else [_segments(row.old), _segments(row.new), *tone]


def _segments(side: tuple[align.Segment, ...] | None) -> Json:
    return None if side is None else [[text] if changed else text for text, changed in side]


_BODY_KINDS = (Kind.BODY,)
_STATUS_KINDS = (Kind.STATUS, Kind.REASON)
_FRAME_KINDS = (Kind.WEBSOCKET_FRAME, Kind.CLOSE_CODE)
_LOG_KINDS = (Kind.LOG, Kind.EXCEPTION)
_END_KINDS = (Kind.CONNECTION, Kind.FAILURE)


def _sections(verdict: Verdict, old: Answer, new: Answer) -> list[dict[str, Json]]:
    tones = _Tones(verdict.differences)
    heads_only = verdict.step.send[:1] != () and verdict.step.send[0].data.startswith(b"HEAD ")
    pairs = list(zip_longest(messages(old.raw, heads_only), messages(new.raw, heads_only)))
    sections: list[dict[str, Json]] = []
    for index, (before, after) in enumerate(pairs, 1):
        nth = f", answer {index} of {len(pairs)}" if len(pairs) > 1 else ""
        # A side that gave fewer answers has no line in this place, which is not the same as an empty one.
        status = align.row(*(None if each is None else visible(each.start) for each in (before, after)))
        framing = align.row(*(None if each is None else each.framing for each in (before, after)))
        sections += [
            {"title": f"Status line{nth}", "rows": [tones.plain(status, _STATUS_KINDS)]},
            {"title": "Headers", "rows": _headers(tones, before or Message(), after or Message())},
            _body(tones, before or Message(), after or Message()),
            {"title": "Framing", "rows": [tones.plain(framing, (Kind.FRAMING,))]},
        ]
    frames = align.rows([_frame(frame) for frame in old.frames], [_frame(frame) for frame in new.frames])
    log = align.rows(_log(old.log), _log(new.log))
    end = align.row(_end(old), _end(new))
    sections += [
        {"title": "Frames", "rows": [tones.plain(row, _FRAME_KINDS) for row in frames]},
        {"title": "Log", "rows": [tones.plain(row, _LOG_KINDS) for row in log]},
        {"title": "Connection", "rows": [tones.plain(end, _END_KINDS)]},
    ]
    return [section for section in sections if section["rows"]]


def _headers(tones: _Tones, old: Message, new: Message) -> list[Json]:
    """Headers of one name in one row, the first with the first; what only the new side has stands last."""
    left = list(new.headers)
    paired: list[Json] = []
    order_old, order_new = [], [name for name, _ in new.headers]
    for name, value in old.headers:
        order_old.append(name)
        partner = next((header for header in left if header[0].lower() == name.lower()), None)
        if partner:
            left.remove(partner)
        row = align.row(_field((name, value)), _field(partner) if partner else None)
        paired.append(tones.header(row, name))
    for header in left:
        paired.append(tones.header(align.row(None, _field(header)), header[0]))
    known_old, known_new = ({name.lower() for name in names} for names in (order_old, order_new))
    orders = [
        [name.lower() for name in names if name.lower() in known_old & known_new] for names in (order_old, order_new)
    ]
    if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
        order = align.row(*(f"(order) {', '.join(names)}" for names in (order_old, order_new)))
        paired.append(tones.plain(order, (Kind.HEADER_ORDER,)))
    return paired


def _field(header: tuple[str, str]) -> str:
    name, value = header
    return visible(f"{name}: {value}" if name else value)


def _body(tones: _Tones, old: Message, new: Message) -> dict[str, Json]:
    bodies = (old.body[:_SHOWN_BODY], new.body[:_SHOWN_BODY])
    texts = [_text(message, body) for message, body in zip((old, new), bodies, strict=True)]
    note = ""
    if texts[0] is None or texts[1] is None:
        lines = [hex_lines(body) for body in bodies]
        note = "as bytes"
    else:
        present = [text for text in texts if text]
        if present and all(map(_is_json, present)):
            texts = [text and indented(text) for text in texts]
            note = "JSON, indented to be read"
        lines = [[visible(line) for line in (text or "").split("\n")] if text else [] for text in texts]
    longest = max(len(old.body), len(new.body))
    if longest > _SHOWN_BODY:
        note = f"{note}, " * bool(note) + f"the first {_SHOWN_BODY:,} of {longest:,} bytes"
    rows = [tones.plain(row, _BODY_KINDS) for row in align.rows(*lines)]
    return {"title": "Body", "note": note, "rows": rows, "numbered": True}


def _text(message: Message, body: bytes) -> str | None:
    """The body as text; None when it is none. Invalid UTF-8 of a type that is text shows as escapes."""
    text = text_of(body)
    kind = message.get("content-type").lower()
    if text is None and b"\0" not in body and kind.startswith(("text/", "application/json", "application/xml")):
        text = decoded(body).replace("\\r\n", "\n")
    return text if text is None else text.replace("\r\n", "\n")


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def indented(text: str) -> str:
    """Valid JSON with each member on a line of its own, and otherwise as it came: order, numbers, escapes, doubled
    keys."""
    written: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            written.append(character)
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character in "{[":
            depth += 1
            written += [character, "\n", "  " * depth]
        elif character in "}]":
            depth -= 1
            written += ["\n", "  " * depth, character]
        elif character == ",":
            written += [character, "\n", "  " * depth]
        elif character not in " \t\r\n":
            written.append(": " if character == ":" else character)
            quoted = character == '"'
    return "".join(written)


def _frame(frame: Frame) -> str:
    kind = _OPCODES.get(frame.opcode, f"opcode {frame.opcode}")
    packed = ", compressed" if frame.compressed else ""
    if frame.opcode == 8:
        reason = one_line(decoded(frame.payload[2:]))
        return f"close {'without a code' if frame.close_code is None else frame.close_code} {reason}".rstrip()
    text = text_of(frame.payload) if frame.opcode != 2 else None
    shown = frame.payload[:4096].hex(" ") if text is None else one_line(text[:4096])
    return f"{kind}, {len(frame.payload)} bytes{packed}: {shown}"


def _log(records: Iterable[LogRecord]) -> list[str]:
    lines = []
    for record in records:
        lines += visible(f"{record.level} {record.logger}: {record.message}").split("\n")
        lines += [f"    {line}" for line in visible(record.exception).split("\n") if line]
    return lines


def _end(answer: Answer) -> str:
    if answer.failure:
        return one_line(answer.failure)
    return "closed" if answer.closed else "kept open"
