"""Entity tags (RFC 9110, sections 8.8.3 and 13.1.2) as plain functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from tornado4.escape import utf8

_TAGS = re.compile(rb'\*|(?:W/)?"[^"]*"')


def body_etag(parts: Sequence[bytes]) -> str:
    """A strong tag for a body: the SHA-1 of its bytes, in quotes."""
    whole = parts[0] if len(parts) == 1 else b"".join(parts)
    return f'"{hashlib.sha1(whole, usedforsecurity=False).hexdigest()}"'


def matches(etag: str | bytes, if_none_match: str) -> bool:
    """Whether a request's If-None-Match names ``etag``, by weak comparison (RFC 9110, 8.8.3.2)."""
    if not if_none_match:
        return False
    offered = _TAGS.findall(utf8(if_none_match))
    if not etag or not offered:
        return False
    if offered[0] == b"*":
        return True
    ours = _opaque(utf8(etag))
    return any(_opaque(tag) == ours for tag in offered)


def _opaque(tag: bytes) -> bytes:
    return tag.removeprefix(b"W/")
