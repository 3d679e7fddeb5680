"""First lines of messages (RFC 9112 section 3 and 4)."""

from __future__ import annotations

import re
from typing import NamedTuple

from tornado4.httputil.errors import HTTPInputError


class RequestStartLine(NamedTuple):
    """``method path version`` of a request; ``path`` is the whole request target, as sent."""

    method: str
    path: str
    version: str


class ResponseStartLine(NamedTuple):
    """``version code reason`` of a response; ``code`` is a number."""

    version: str
    code: int
    reason: str


_VERSION_1_X = re.compile(r"HTTP/1\.[0-9]", re.ASCII)
_STATUS_LINE = re.compile(r"(HTTP/1\.[0-9]) ([0-9]+) ([^\r]*)", re.ASCII)


def parse_request_start_line(line: str) -> RequestStartLine:
    """Split the first line of a request.

    Exactly two spaces part its three words, and the version is one of HTTP/1.x; all else raises
    `HTTPInputError`.

    >>> parse_request_start_line("OPTIONS * HTTP/1.0").path
    '*'
    """
    words = line.split(" ")
    if len(words) != 3:
        raise HTTPInputError("Malformed HTTP request line")
    if _VERSION_1_X.fullmatch(words[2]) is None:
        raise HTTPInputError(f"Malformed HTTP version in HTTP Request-Line: {words[2]!r}")
    return RequestStartLine(*words)


def parse_response_start_line(line: str) -> ResponseStartLine:
    """Split the first line of a response. The reason may be empty, the space before it may not (as in 4.5.3).

    >>> parse_response_start_line("HTTP/1.0 404 Not Found").reason
    'Not Found'

    :raises HTTPInputError: it is none.
    """
    found = _STATUS_LINE.match(line)
    if found is None:
        raise HTTPInputError("Error parsing response start line")
    version, code, reason = found.groups()
    if len(code) > 9:  # int() of a digit string is quadratic
        raise HTTPInputError("Error parsing response start line")
    return ResponseStartLine(version, int(code), reason)
