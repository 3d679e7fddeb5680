"""The ``Cookie`` header as browsers send it (RFC 6265 section 5.4), which is laxer than what servers may
set."""

from __future__ import annotations

import re

from tornado4.httputil.limits import limits

#: What a browser sends in place of ``;``, ``,`` and the like within a quoted value: three octal digits or one
#: character.
_ESCAPED = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))")


def _unescape(found: re.Match[str]) -> str:
    octal, char = found.groups()
    return chr(int(octal, 8)) if octal else char


def _unquote_cookie(str: str) -> str:
    """Undo what ``http.cookies`` does to values with special characters.

    Only a value within double quotes is touched. One pass over the text, so linear in its length (4.5.3 was
    not).
    """
    if len(str) < 2 or str[0] != '"' or str[-1] != '"':
        return str
    return _ESCAPED.sub(_unescape, str[1:-1])


def parse_cookie(cookie: str) -> dict[str, str]:
    """Part a ``Cookie`` header into names and values.

    Every semicolon parts, also within quotes, as in browsers. What has no ``=`` is the value of the cookie
    without a name. Of a repeated name the last one counts. No more than ``limits.cookies`` pieces are looked
    at.

    .. versionadded:: 4.4.2
    """
    found: dict[str, str] = {}
    most = limits.cookies
    if most is None or cookie.count(";") < most:
        pieces = cookie.split(";")
    else:
        pieces = cookie.split(";", most)[:most]
    for piece in pieces:
        name, equals, value = piece.partition("=")
        if not equals:
            name, value = "", piece
        name, value = name.strip(), value.strip()
        if name or value:
            found[name] = _unquote_cookie(value)
    return found
