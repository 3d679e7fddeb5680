"""Decoding of query, form and path arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tornado4.escape import _unicode
from tornado4.web.errors import HTTPError

#: Control characters become spaces in arguments; tab, line feed, VT, FF and CR stay (as in 4.5.3).
CONTROL_CHARS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def decode(value: bytes, name: str | None) -> str:
    """UTF-8 bytes as text; 400 where they are none. ``name`` is for the log only."""
    try:
        return _unicode(value)
    except UnicodeDecodeError:
        raise HTTPError(400, "Invalid unicode in %s: %r", name or "url", value[:40]) from None


def collect(
    source: Mapping[str, Sequence[bytes]],
    name: str,
    strip: bool,
    decode_argument: Callable[..., str],
) -> list[str]:
    """All values of an argument, decoded by the handler's own ``decode_argument``, cleaned, in order."""
    values = []
    for raw in source.get(name, ()):
        value = decode_argument(raw, name=name)
        if isinstance(value, str):
            value = CONTROL_CHARS.sub(" ", value)
        values.append(value.strip() if strip else value)
    return values
