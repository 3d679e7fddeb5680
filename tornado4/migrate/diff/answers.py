"""What of an answer is stable: everything but dates, tokens and durations.

Two programs, a second apart, must give equal answers when they behave alike. :func:`comparable` makes that of an
:class:`~tornado4.migrate.diff.sides.Answer`.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

from tornado4.migrate.diff.sides import Answer

VOLATILE = [
    (re.compile(rb"(?m)^(Date: )[^\r\n]*"), rb"\1<date>"),
    (re.compile(rb"(_xsrf=)[^;\r]+"), rb"\1<xsrf>"),
    # Tokens against forgery as they stand in forms: mask, masked, time.
    (re.compile(rb"2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d{10}"), rb"<xsrf>"),
    # Signed values that carry the current time (a fixed clock's, ten years back, stays).
    (re.compile(rb"2\|1:0\|10:(?:1[89]|2)\d{8,9}\|[^\"; \r]*"), rb"<signed>"),
    (re.compile(rb"(expires=)[^;\r]*"), rb"\1<time>"),
    # The head of a gzip body: its time, and what wrote it.
    (re.compile(rb"\x1f\x8b\x08\x00.{6}", re.DOTALL), b"\x1f\x8b\x08\x00......"),
]
_DURATION = re.compile(r" [0-9.]+ms$")


_EXPIRES = re.compile(rb"(?m)^(Expires: )([^\r\n]*)")


def stable(data: bytes) -> bytes:
    """The bytes without what changes from one second, or one token, to the next."""
    for pattern, replacement in VOLATILE:
        data = pattern.sub(replacement, data)
    return _EXPIRES.sub(_days_ahead, data)


def _days_ahead(found: re.Match[bytes]) -> bytes:
    """``Expires: <in 3650 days>`` for a time to come; others are fixed ones, and stay."""
    try:
        ahead = parsedate_to_datetime(found[2].decode("latin-1")).timestamp() - time.time()
    except ValueError:
        return found[0]
    return found[1] + b"<in %d days>" % round(ahead / 86400) if ahead > 0 else found[0]


def stable_log(line: list[Any]) -> list[Any]:
    """A log line [logger, level, message, exception or None] without how long a request took."""
    return [line[0], line[1], _DURATION.sub("", str(line[2])), *line[3:]]


def comparable(answer: Answer) -> dict[str, Any]:
    """What must be equal on both sides."""
    return {
        "bytes": stable(answer.data),
        "closed": answer.closed,
        "log": [stable_log(line) for line in answer.log],
    }
