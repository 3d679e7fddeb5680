"""Responses as they stood on the wire: order and case of the headers kept, framing kept, nothing refused.

The strict reader (``tornado4._wire.http1``) tells when an answer is complete; this one serves to compare it, and
therefore takes whatever a server may have sent. What is no response is left in ``rest``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"(HTTP/\d\.\d) (\d{3})(?: (.*))?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


@dataclass(frozen=True)
class Response:
    """One response. ``framing`` is "length", "chunked", "close" or "none" (no body can be there)."""

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]  # as spelled, in order
    framing: str
    body: bytes  # without the framing, still encoded
    chunks: tuple[int, ...] = ()  # sizes of the chunks
    complete: bool = True

    def all(self, name: str) -> list[str]:
        """The values of every field of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        """The first value of that name, or nothing."""
        return next(iter(self.all(name)), "")

    @property
    def decoded(self) -> bytes:
        """The body without its content coding; as it is where that cannot be undone."""
        if self.get("content-encoding").lower() not in ("gzip", "deflate", "x-gzip"):
            return self.body
        try:
            return zlib.decompress(self.body, wbits=47)
        except zlib.error:
            return self.body


def head_end(raw: bytes) -> int:
    """Where the first message's body begins; where there is no end of its head, behind everything."""
    end = _HEAD_END.search(raw)
    return end.end() if end else len(raw)


def responses(raw: bytes, methods: Iterable[str] = (), limit: int = 0) -> tuple[list[Response], bytes]:
    """(the responses, what is behind them). ``methods``: what was asked for, one a final response; else not HEAD.

    ``limit``: so many at most; 0: all.
    """
    found: list[Response] = []
    asked = list(methods)
    finals = 0
    rest = raw
    while rest:
        method = asked[finals] if finals < len(asked) else "GET"
        one = _response(rest, method)
        if one is None:
            break
        response, rest = one
        found.append(response)
        finals += response.status >= 200
        if response.status == 101 or len(found) == limit:
            break
    return found, rest


def _response(raw: bytes, method: str) -> tuple[Response, bytes] | None:
    end = _HEAD_END.search(raw)
    head = raw[: end.start()] if end else raw
    lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    status = _STATUS.fullmatch(lines[0])
    if status is None:
        return None
    fields = [line.partition(":") for line in lines[1:]]
    headers = tuple((name, value.strip(" \t")) for name, _, value in fields)
    rest = raw[end.end() :] if end else b""
    code = int(status[2])
    low = {name.lower(): value for name, value in headers}
    chunks: list[int] = []
    complete = end is not None
    if method == "HEAD" or code < 200 or code in (204, 304):
        framing, body = "none", b""
    elif "chunked" in low.get("transfer-encoding", "").lower():
        framing = "chunked"
        body, chunks, rest, complete = _chunked(rest)
    elif low.get("content-length", "").isdecimal():
        framing, size = "length", int(low["content-length"])
        complete = len(rest) >= size
        body, rest = rest[:size], rest[size:]
    else:
        framing, body, rest = "close", rest, b""
    return Response(status[1], code, status[3] or "", headers, framing, body, tuple(chunks), complete), rest


def _chunked(data: bytes) -> tuple[bytes, list[int], bytes, bool]:
    """(the body, sizes of the chunks, what is behind, whether the last chunk was there)."""
    pieces: list[bytes] = []
    sizes: list[int] = []
    at = 0
    while True:
        line = _CHUNK.match(data, at)
        if line is None:
            return b"".join(pieces), sizes, b"", False
        size, at = int(line[1], 16), line.end()
        if size == 0:
            trailers = re.compile(rb"(?:[^\r\n]+\r\n)*\r\n").match(data, at)
            return b"".join(pieces), sizes, data[trailers.end() :] if trailers else b"", trailers is not None
        pieces.append(data[at : at + size])
        sizes.append(size)
        at += size + 2
