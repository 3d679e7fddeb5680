"""Takes an answer's bytes apart for people to read: start line, header lines, body, how its end was told.

This is for showing only, so nothing is an error here: what cannot be made sense of is handed on as bytes. What may be
called equal is decided elsewhere, from the bytes themselves.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from tornado4.migrate.diff.report.printable import decoded

_LARGEST_DECODED = 1 << 20  # bytes of a compressed body that are unpacked to be shown


@dataclass(frozen=True)
class Message:
    """One answer of those that a side's bytes hold (an interim one is a message of its own)."""

    start: str = ""
    headers: tuple[tuple[str, str], ...] = ()  # as on the wire, in order; a line without a colon has an empty name
    body: bytes = b""  # without chunk framing and without gzip
    framing: str = ""  # "content-length 12", "chunked, 3 chunks, gzip"

    def get(self, name: str) -> str:
        """The first value of a header, without regard to case; empty when there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


def messages(raw: bytes, heads_only: bool = False) -> list[Message]:
    """All messages in the bytes. ``heads_only``: they answer HEAD, so that none has a body."""
    found: list[Message] = []
    while raw:
        message, raw = _next(raw, heads_only)
        found.append(message)
    return found


def _next(raw: bytes, heads_only: bool) -> tuple[Message, bytes]:
    if not raw.startswith(b"HTTP/"):
        return Message(body=raw, framing="no HTTP message"), b""
    end = min((at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0), default=-1)
    if end < 0:
        head, rest = raw, b""
    else:
        head, rest = raw[:end], raw[end + (4 if raw.startswith(b"\r\n\r\n", end) else 2) :]
    start, _, fields = head.partition(b"\n")
    headers = tuple(_header(line) for line in fields.split(b"\n") if line.strip())
    message = Message(decoded(start.rstrip(b"\r")), headers)
    body, framing, rest = _body(message, rest, heads_only)
    if message.get("content-encoding").strip().lower() == "gzip" and body:
        body, how = _unpacked(body)
        framing += how
    return Message(message.start, headers, body, framing), rest


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.rstrip(b"\r").partition(b":")
    if not colon or line[:1] in b" \t":
        return "", decoded(line.rstrip(b"\r"))
    return decoded(name), decoded(value.strip(b" \t"))


def _body(message: Message, rest: bytes, heads_only: bool) -> tuple[bytes, str, bytes]:
    """The body, how its length is told, and what follows it."""
    status = message.start.split(" ")[1:2]
    code = status[0] if status else ""
    length = message.get("content-length").strip()
    if code == "101":
        return b"", "upgrade, then frames", b""
    if heads_only or code in ("204", "304") or code.startswith("1"):
        return b"", "no body" + (f", content-length {length}" if length else ""), rest
    if message.get("transfer-encoding").strip().lower() == "chunked":
        return _chunks(rest)
    # int() refuses more digits than 4,300; no length has that many.
    if length.isascii() and length.isdigit() and len(length) < 20:
        size = int(length)
        short = "" if len(rest) >= size else f", {len(rest)} came"
        return rest[:size], f"content-length {size}{short}", rest[size:]
    return rest, "until close", b""


def _chunks(rest: bytes) -> tuple[bytes, str, bytes]:
    pieces: list[bytes] = []
    while True:
        line, newline, after = rest.partition(b"\n")
        digits = line.split(b";")[0].strip()
        size = _chunk_size(digits)
        if not newline or size is None:
            return b"".join(pieces), f"chunked, {len(pieces)} chunks, then none", rest
        if size == 0:
            end = after.find(b"\r\n")
            # Trailers are shown among the raw bytes only.
            while end > 0:
                after = after[end + 2 :]
                end = after.find(b"\r\n")
            return b"".join(pieces), f"chunked, {len(pieces)} chunks", after[2:]
        pieces.append(after[:size])
        rest = after[size:].removeprefix(b"\r").removeprefix(b"\n")


def _chunk_size(digits: bytes) -> int | None:
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)


def _unpacked(body: bytes) -> tuple[bytes, str]:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _LARGEST_DECODED), ", gzip"
    except zlib.error:
        return body, ", broken gzip"
