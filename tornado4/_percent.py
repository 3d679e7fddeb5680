"""Percent-encoding undone (RFC 3986 section 2.1): one pass, and little more memory than the result.

`urllib.parse` makes several objects of each escape, up to 180 bytes for one that is none: a body of nothing but
``%`` took more than a hundred times its size.
"""

from __future__ import annotations

import re
from binascii import unhexlify

#: Escapes in a row. Not all of them: the pattern remembers a way back for each, which is memory, too.
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2}){1,64}")

#: ASCII in a row, which is what text that is no ASCII is parted by.
_ASCII = re.compile("[\0-\x7f]++")

#: Bytes that are taken at a time: their pieces exist all at once.
_AT_ONCE = 64 * 1024


#: Escapes in a text that is taken apart at them, which is the quicker way where they are few.
_FEW = 4

_HEX = "0123456789abcdefABCDEF"
_BYTES = {(high + low).encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX}


def _undo_few(data: bytes) -> bytes:
    pieces = data.split(b"%")
    undone = [pieces[0]]
    for piece in pieces[1:]:
        byte = _BYTES.get(piece[:2])
        undone += (b"%", piece) if byte is None else (byte, piece[2:])
    return b"".join(undone)


def _undo(escapes: re.Match[bytes]) -> bytes:
    text = escapes[0]
    return unhexlify(text[1:] if len(text) == 3 else text.replace(b"%", b""))


def unquote_bytes(data: bytes) -> bytes:
    """What `urllib.parse.unquote_to_bytes` makes of ``data``: what is no escape stays as it is.

    >>> unquote_bytes(b"1%20%2B%201%")
    b'1 + 1%'
    """
    escapes = data.count(b"%")
    if escapes <= _FEW:
        return _undo_few(data) if escapes else data
    if len(data) <= _AT_ONCE:
        return _ESCAPES.sub(_undo, data)
    pieces = []
    start = 0
    while start < len(data):
        end = start + _AT_ONCE
        cut = data.rfind(b"%", end - 2, end)  # an escape is not to be parted
        if cut >= 0:
            end = cut
        pieces.append(_ESCAPES.sub(_undo, data[start:end]))
        start = end
    return b"".join(pieces)


def unquote_text(text: str, encoding: str) -> str:
    """What `urllib.parse.unquote` makes of ``text``: escapes in ``encoding``, what is wrong in it as U+FFFD."""

    def decode(run: re.Match[str]) -> str:
        return unquote_bytes(run[0].encode("ascii")).decode(encoding, "replace")

    return _ASCII.sub(decode, text) if "%" in text else text
