"""Byte ranges (RFC 9110 section 14), as half-open Python slices."""

from __future__ import annotations

import re

_POSITION = re.compile(r"[0-9]+", re.ASCII)

#: What stands for a position of more than 18 digits, which no content has.
_BEYOND = 10**18


def _parse_request_range(range_header: str) -> tuple[int | None, int | None] | None:
    """Read a ``Range`` header of one byte range; the result fits ``content[start:end]``.

    None stands for what cannot be read: another unit, several ranges, numbers that are none. Such a header is
    to be left out of account (section 14.2). A suffix range gives a negative start:

    >>> [_parse_request_range(f"bytes={text}") for text in ("10-19", "10-", "-10", "-0")]
    [(10, 20), (10, None), (-10, None), (None, 0)]
    >>> [_parse_request_range(text) for text in ("lines=1-2", "bytes=1-2,5-6", "bytes=a-b")]
    [None, None, None]

    Positions are digits and nothing else (4.5.3 also took what Python's ``int`` takes: ``+1``, ``1_0``,
    ``-5``).
    """
    unit, _, value = range_header.partition("=")
    first, _, last = value.strip().partition("-")
    if unit.strip() != "bytes":
        return None
    try:
        start, end = _int_or_none(first), _int_or_none(last)
    except ValueError:
        return None
    if end is None:
        return start, None
    if start is not None:
        return start, end + 1
    return (-end, None) if end else (None, 0)


def _get_content_range(start: int | None, end: int | None, total: int) -> str:
    """Spell a ``Content-Range`` for the slice ``content[start:end]`` of ``total`` bytes.

    >>> [_get_content_range(*part, 100) for part in ((None, 10), (90, None))]
    ['bytes 0-9/100', 'bytes 90-99/100']
    """
    last = (end or total) - 1
    return f"bytes {start or 0}-{last}/{total}"


def _int_or_none(val: str) -> int | None:
    """None for nothing but white space, else the number; `ValueError` for anything but digits."""
    text = val.strip()
    if not text:
        return None
    if _POSITION.fullmatch(text) is None:
        raise ValueError(f"invalid literal for int() with base 10: {text!r}")
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else _BEYOND
