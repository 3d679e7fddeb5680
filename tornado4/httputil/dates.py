"""Dates as HTTP spells them (RFC 9110 section 5.6.7)."""

from __future__ import annotations

import calendar
import datetime
import email.utils
import functools
import numbers
import time
from typing import Any


def format_timestamp(ts: Any) -> str:
    """Spell a moment as HTTP does: ``Sun, 27 Jan 2013 18:43:20 GMT``.

    ``ts`` is a number (seconds since the epoch), a time tuple or `time.struct_time` (UTC), or a
    `datetime.datetime` (UTC when naive, as in 4.5.3; an aware one is converted). Anything else raises
    `TypeError`.

    >>> format_timestamp(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    seconds: float
    if type(ts) is datetime.datetime and ts.tzinfo is None:
        seconds = (ts - _EPOCH) // _SECOND  # as below, for what is asked most
    elif isinstance(ts, numbers.Real):
        seconds = float(ts)
    elif isinstance(ts, (tuple, time.struct_time)):
        seconds = calendar.timegm(ts)
    elif isinstance(ts, datetime.datetime):
        seconds = calendar.timegm(ts.utctimetuple())
    else:
        raise TypeError(f"unknown timestamp type: {ts!r}")
    return _spell(seconds)


_EPOCH = datetime.datetime(1970, 1, 1)
_SECOND = datetime.timedelta(seconds=1)


@functools.lru_cache(maxsize=1024)  # the same few files are asked for again and again
def _spell(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def parse_date(text: str) -> datetime.datetime | None:
    """Read a date as HTTP spells it: UTC, naive, whatever zone it names (as in 4.5.3). None for what is none.

    Conditional headers hold what a client likes; what cannot be read is to be ignored (RFC 9110 section 13.1.3).

    >>> parse_date("Sun, 27 Jan 2013 18:43:20 GMT")
    datetime.datetime(2013, 1, 27, 18, 43, 20)
    >>> parse_date("Sun, 27 Jan 99999999999999999999 18:43:20 GMT")
    """
    try:
        parts = email.utils.parsedate(text)
        return None if parts is None else datetime.datetime(*parts[:6])
    except (ValueError, OverflowError, IndexError, TypeError):
        # no such day, a number that nothing holds, and what the parser itself trips over
        return None


_clock = time.time
_shown_from = 0.0
_shown_until = 0.0
_shown_date = ""


def current_date() -> str:
    """The value of a ``Date`` header for now, formatted once a second."""
    global _shown_from, _shown_until, _shown_date
    now = _clock()
    if not _shown_from <= now < _shown_until:
        second = int(now)
        _shown_date = _spell(second)
        _shown_from, _shown_until = second, second + 1
    return _shown_date
