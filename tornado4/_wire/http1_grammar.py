"""The grammar of HTTP/1.1 heads and chunk lines (RFC 9110, RFC 9112), as patterns and small functions.

Rules that hold all over: a number on the wire is digits and nothing else, a name is a token, a value has no
control characters but HTAB, and only SP and HTAB count as white space. Each function either returns a value
or raises `HTTPInputError`; none takes more than linear time (the patterns never give back what they took:
``*+``).
"""

from __future__ import annotations

import re

from tornado4 import switches
from tornado4._masking import mask_line, mask_url
from tornado4.httputil.errors import refuse
from tornado4.httputil.headers import OWS, HTTPHeaders, _normalized_headers
from tornado4.httputil.uris import split_absolute

# Only what is one character wide is repeated possessively: of groups, Python 3.11.0 to 3.11.4 take a part of the
# next one with them (gh-106052). tests/test_patterns.py looks through the package.

#: token = 1*tchar (RFC 9110 section 5.6.2)
TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"

#: field-vchar, obs-text, SP and HTAB (section 5.5). Read as Latin-1, so obs-text is one character a byte.
_FIELD_TEXT = r"[^\x00-\x08\x0a-\x1f\x7f]*+"

#: field-line = field-name ":" OWS field-value OWS (RFC 9112 section 5). No white space before the colon
#: (section 5.1). The line may end in a lone LF (section 2.2).
_FIELD_LINE = re.compile(rf"^({TOKEN}):[ \t]*+({_FIELD_TEXT})\r?\n", re.MULTILINE)

#: obs-fold (section 5.2)
_OBS_FOLD = re.compile(r"\r?\n[ \t]++")

#: request-line = method SP request-target SP HTTP-version (section 3). obs-text in the target is let through,
#: as 4.5.3 did: clients that do not percent-encode are many, and nothing is framed by it.
REQUEST_LINE = re.compile(rf"({TOKEN}) ([\x21-\x7e\x80-\xff]++) (HTTP/1\.[0-9])")

#: status-line = HTTP-version SP status-code SP [ reason-phrase ] (section 4)
STATUS_LINE = re.compile(rf"(HTTP/1\.[0-9]) ([0-9]{{3}}) ({_FIELD_TEXT})")

#: Any version, to tell 505 from 400.
OTHER_VERSION = re.compile(r"[^ ]+ [^ ]+ HTTP/[0-9]\.[0-9]")

#: Host = uri-host [ ":" port ] (RFC 9110 section 7.2, RFC 3986 section 3.2.2)
#: No comma: that is how two fields are joined, so one reader's host is another one's list.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]++|%[0-9A-Fa-f]{2})*)(?::[0-9]*+)?")
_LENIENT_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*+)(?::[0-9]*+)?")

_DIGITS = re.compile(r"[0-9]++")

#: More digits than this are no size that anyone means (and ``int`` of many digits is slow).
_MOST_DIGITS = 18

#: chunk-size [ chunk-ext ] (RFC 9112 section 7.1). Extensions are skipped, and yet have to be some: a name without
#: a quoted string that is open at the line's end, where another program might read on (section 7.1.1).
_QUOTED = r'"(?:[\t\x20!\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*"'
_EXTENSION = rf"[ \t]*+;[ \t]*+{TOKEN}(?:[ \t]*=[ \t]*+(?:{TOKEN}|{_QUOTED}))?"
_CHUNK_LINE = re.compile(rf"([0-9A-Fa-f]{{1,16}})(?:{_EXTENSION})*".encode("latin-1"))

#: Fields that say where a message ends or whom it is for. Folding them has no honest use; nor has a folded line that
#: looks like one of them, which another program may take for it.
_FRAMING = r"(?:content-length|transfer-encoding|host|connection)"
_NEVER_FOLDED = re.compile(rf"^{_FRAMING}:[^\n]*\n[ \t]|^[ \t]++{_FRAMING}[ \t]*+:", re.M | re.I)


def parse_fields(text: str) -> HTTPHeaders | None:
    """Read the field lines ``text`` (each with its line end); None if some line is no field line."""
    found = _FIELD_LINE.findall(text)
    if len(found) != text.count("\n"):
        return _parse_folded(text)
    # Trailing white space is rare, and looking for it once is cheaper than stripping every value.
    if " \r" in text or "\t" in text or " \n" in text:
        found = [(name, value.rstrip(OWS)) for name, value in found]
    values: dict[str, str | list[str]] = {}
    shown_as = _normalized_headers
    for name, value in found:
        name = shown_as[name]
        if name in values:
            present = values[name]
            if type(present) is list:
                present.append(value)
            else:
                values[name] = [present, value]  # type: ignore[list-item]
        else:
            values[name] = value
    return HTTPHeaders._adopt(values)


def blame_field(text: str) -> str:
    """What to say about field lines that `parse_fields` does not take: the first bad one's name, never its value."""
    for number, line in enumerate(text.split("\n"), 1):
        if line and _FIELD_LINE.match(line + "\n") is None:
            name = line.partition(":")[0] if ":" in line else ""
            return f"line {number}, {name[:40]!r}" if name else f"line {number} has no name"
    return "folded"


def _parse_folded(text: str) -> HTTPHeaders | None:
    """`parse_fields`, once obs-folds are replaced by a space (RFC 9112 section 5.2, as in 4.5.3)."""
    if text[:1] in (" ", "\t") or _NEVER_FOLDED.search(text):
        return None
    unfolded = _OBS_FOLD.sub(" ", text)
    return None if unfolded == text else parse_fields(unfolded)


def parse_content_length(value: str | list[str]) -> int:
    """Read Content-Length (RFC 9110 section 8.6).

    The same number several times over, as lines or as one list, is taken (section 8.6 allows it, 4.5.3 did
    so).
    """
    if type(value) is str and len(value) < _MOST_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    joined = ",".join(value) if isinstance(value, list) else value
    pieces = [piece.strip(OWS) for piece in joined.split(",")]
    for piece in pieces:
        if _DIGITS.fullmatch(piece) is None:
            raise refuse(f"Only integer Content-Length is allowed: {joined}")
    numbers = {piece.lstrip("0") for piece in pieces}
    if len(numbers) > 1:
        raise refuse(f"Multiple unequal Content-Lengths: {joined!r}")
    digits = numbers.pop()
    if len(digits) > _MOST_DIGITS:
        raise refuse("Content-Length too long", 413)
    return int(digits or "0")


def is_chunked(value: str | list[str], version: str, has_length: bool) -> bool:
    """Judge Transfer-Encoding (RFC 9112 section 6.1): exactly one ``chunked``, or the message is refused.

    What else it could say is either beyond us (a coding that we do not undo) or a try to make two parties
    disagree on where a message ends: a repeated field, a list, a Content-Length beside it, HTTP/1.0.
    """
    if not isinstance(value, str) or value.lower() != "chunked":
        shown = value if isinstance(value, str) else ",".join(value)
        # 501 is for a coding that we do not know (section 6.1); it is the request's fault all the same
        raise refuse(f"Unsupported Transfer-Encoding: {shown!r}", 501 if isinstance(value, str) else 400)
    if has_length:
        # 4.5.3's words, which it used for requests too
        raise refuse("Response with both Transfer-Encoding and Content-Length")
    if version == "HTTP/1.0":
        raise refuse(f"Transfer-Encoding in an HTTP/1.0 message {switches.hint('chunked-http10')}")
    return True


def check_host(value: str | list[str] | None, version: str, required: bool) -> None:
    """HTTP/1.1 wants exactly one Host, and a valid one (RFC 9112 section 3.2)."""
    if value is None:
        if required and version != "HTTP/1.0":
            raise refuse(f"Missing Host header {switches.hint('missing-host')}")
        return
    if not isinstance(value, str):
        raise refuse(f"Multiple Host headers: {','.join(value)!r}")
    if _HOST.fullmatch(value) is None and not _is_lenient_host(value):
        raise refuse(f"Invalid Host header: {value!r}{_odd_host_hint(value)}")


def _odd_host_hint(value: str) -> str:
    return f" {switches.hint('odd-hosts')}" if _LENIENT_HOST.fullmatch(value) else ""


def _is_lenient_host(value: str) -> bool:
    return switches.is_allowed("odd-hosts") and _LENIENT_HOST.fullmatch(value) is not None


def check_target(method: str, target: str) -> None:
    """Refuse a request target that has none of the four forms of RFC 9112, section 3.2.

    What the forms are made of is left as lenient as `REQUEST_LINE` is: nothing is framed by it.
    """
    if method == "CONNECT":
        good = target.rpartition(":")[0] != "" and _HOST.fullmatch(target) is not None
    elif target == "*":
        good = method == "OPTIONS"
    elif target[0] == "/":
        good = True
    else:
        absolute = split_absolute(target)
        good = absolute is not None and _HOST.fullmatch(absolute[0]) is not None
    if not good and not switches.is_allowed("request-targets"):
        raise refuse(f"Invalid request target: {mask_url(target[:64])!r} {switches.hint('request-targets')}")


def connection_options(value: str | None) -> set[str]:
    """The options of a Connection header, in lower case (RFC 9110 section 7.6.1)."""
    if not value:
        return set()
    return {option.strip(OWS) for option in value.lower().split(",")}


def wants_keep_alive(version: str, connection: str | None, framed: bool) -> bool:
    """Whether the connection outlives the message (RFC 9112 section 9.3).

    HTTP/1.1 stays unless ``close`` is among the options. HTTP/1.0 (as in 4.5.3, any other version too) goes
    unless ``keep-alive`` is, and the message says where it ends (``framed``).
    """
    if connection is None:
        return version == "HTTP/1.1"
    options = connection_options(connection)
    if "close" in options:
        return False
    if version == "HTTP/1.1":
        return True
    return framed and "keep-alive" in options


def parse_chunk_size(line: bytes) -> int:
    """Read ``chunk-size [ chunk-ext ]``, without its CRLF: ASCII hex digits, at most 16 (section 7.1)."""
    found = _CHUNK_LINE.fullmatch(line)
    if found is None:
        raise refuse(f"Invalid chunk size: {line[:64]!r}")
    return int(found.group(1), 16)


# What we send

_FORBIDDEN = re.compile(r"[\r\n\0]")

#: Patterns of heads by their field names, for `%`: most responses of a server have the same few. The names in them
#: have been checked. Bounded, as an application may make up names.
_layouts: dict[tuple[str, ...], str] = {}
_MOST_LAYOUTS = 500


def _lay_out(names: tuple[str, ...]) -> str:
    layout = "".join(["%s\r\n", *[name.replace("%", "%%") + ": %s\r\n" for name in names], "\r\n"])
    if _FORBIDDEN.search("".join(names)):
        return ""
    if len(_layouts) < _MOST_LAYOUTS:
        _layouts[names] = layout
    return layout


def format_head(first_line: str, headers: HTTPHeaders) -> bytes:
    """Spell a head, with the blank line. A CR, LF or NUL in any piece raises `ValueError` (RFC 9110 section
    5.5).

    As in 4.5.3 the first line goes out as UTF-8, the fields as Latin-1; a field that does not fit raises
    `UnicodeEncodeError`.
    """
    values = headers._values
    names = tuple(values)
    texts = (first_line, *values.values())
    try:
        # This fails for what is no plain text: a list of values, bytes, or something wrong.
        everything = "".join(texts)  # type: ignore[arg-type]
    except TypeError:
        return _format_line_by_line(first_line, headers)
    layout = _layouts.get(names) or _lay_out(names)
    if not layout or not first_line.isascii() or "\n" in everything or "\r" in everything or "\0" in everything:
        return _format_line_by_line(first_line, headers)
    try:
        return (layout % texts).encode("latin-1")
    except UnicodeEncodeError:
        return _format_line_by_line(first_line, headers)


def _format_line_by_line(first_line: str, headers: HTTPHeaders) -> bytes:
    """The head of an unusual message, or the error for the line that is to blame."""
    lines = [first_line]
    for name, value in headers._values.items():
        lines += _spell_unusual(name, value)
    _blame(lines)
    # Each by itself, so that an error names the place in the line.
    return b"\r\n".join([first_line.encode(), *[line.encode("latin-1") for line in lines[1:]], b"", b""])


def _blame(lines: list[str]) -> None:
    for line in lines:
        if _FORBIDDEN.search(line):
            raise ValueError("Newline in header: " + repr(mask_line(line).encode("utf-8", "surrogateescape")))


def _spell_unusual(name: str, value: object) -> list[str]:
    """Lines for a repeated field, or for a value set as bytes (UTF-8, as in 4.5.3). Other types raise
    `TypeError`."""
    values = value if isinstance(value, list) else [value]
    lines = []
    for one in values:
        if isinstance(one, bytes):
            one = one.decode("utf-8")
        elif not isinstance(one, str):
            raise TypeError(f"Expected bytes, unicode, or None; got {type(one)!r}")
        lines.append(f"{name}: {one}")
    return lines
