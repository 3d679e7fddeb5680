"""Whatever a peer sent, as text that is safe and plain to look at.

Reports show bytes of strangers. Control characters could rewrite a terminal's screen, marks of writing direction could
make a line read otherwise than it is, and some characters may not stand in XML at all: here they become escapes such as
``\\x1b``.
"""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls but tab and newline; zero-width and direction marks; line and paragraph separators; surrogates;
# what XML leaves out besides.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def visible(text: str) -> str:
    """The text with each character that does not show, or does more than show, escaped; newlines and tabs stay."""
    return _UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """`visible`, with newlines and tabs escaped too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character == "\r":
        return "\\r"
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def text_of(data: bytes) -> str | None:
    """The bytes as text when that is what they are (UTF-8 without control characters), else None."""
    if _CONTROL.search(data):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def decoded(data: bytes) -> str:
    """The bytes as readable text in any case; what is not UTF-8 is escaped."""
    return visible(data.decode("utf-8", "backslashreplace"))


def hex_lines(data: bytes) -> list[str]:
    """A hex dump, sixteen bytes a line: offset, bytes, and the ASCII among them."""
    lines = []
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        readable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
        lines.append(f"{start:08x}  {piece[:8].hex(' '):<23}  {piece[8:].hex(' '):<23}  |{readable}|")
    return lines


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters count twice, combining ones nothing."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int) -> str:
    """The text cut to so many columns, with dots where something is missing."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _columns_of(character)
        if used > width - 3:
            break
        kept.append(character)
    return ("".join(kept) + "...")[: max(width, 0)]


def wrapped(text: str, width: int) -> list[str]:
    """The text in pieces of so many columns; bytes on the wire have no words to break between."""
    pieces, piece, used = [], "", 0
    for character in text:
        wide = _columns_of(character)
        if used + wide > max(width, 2):
            pieces.append(piece)
            piece, used = "", 0
        piece += character
        used += wide
    return [*pieces, piece] if piece or not pieces else pieces
