"""``multipart`` bodies (RFC 2046 section 5.1, RFC 7578): where the parts lie. Bytes in, slices out.

What the parts *mean* (names, files, charsets) is the business of ``httputil.body``. This room knows lines of
dashes only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class MultipartError(ValueError):
    """The body as a whole cannot be taken apart."""


class TooManyParts(MultipartError):
    """More parts than the caller wants to see."""


class Part(NamedTuple):
    """One part: its header block (None when no blank line ends it) and what follows, without the CRLF that should
    end it; ``ended`` says whether it was there. The content is copied once, here."""

    head: bytes | None
    content: bytes
    ended: bool = True


def split_parts(data: bytes, boundary: bytes, max_parts: int | None = None) -> Iterator[Part]:
    """Take ``data`` apart at its lines of ``--boundary``; raises `MultipartError`.

    Lenient as 4.5.3: the first line of dashes may be missing, an epilogue is ignored (section 5.1.1), and a
    closing delimiter is looked for from the end. Delimiters are counted before the first part is made, so a
    body of nothing but delimiters costs one scan and no memory. Linear in the length of ``data``.
    """
    end = data.rfind(b"--" + boundary + b"--")
    if end < 0:
        raise MultipartError("no final boundary")
    delimiter = b"--" + boundary + b"\r\n"
    if max_parts is not None and data.count(delimiter, 0, end) > max_parts:
        raise TooManyParts("too many parts")
    return _scan(data, end, delimiter)


def _scan(data: bytes, end: int, delimiter: bytes) -> Iterator[Part]:
    start = 0
    while start <= end:
        stop = data.find(delimiter, start, end)
        if stop < 0:
            stop = end
        if stop > start:
            blank = data.find(b"\r\n\r\n", start, stop)
            if blank < 0:
                yield Part(None, data[start:stop])
            else:
                first = blank + 4
                ended = stop - first >= 2 and data.endswith(b"\r\n", first, stop)
                yield Part(data[start:blank], data[first : stop - 2 if ended else stop], ended)
        start = stop + len(delimiter)
