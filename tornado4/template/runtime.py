"""What a compiled template finds in its namespace."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from tornado4 import escape
from tornado4.escape import utf8
from tornado4.util import unicode_type

# `namespace` shows what tornado4.escape has now, which may be somebody's replacement.
OUR_XHTML_ESCAPE = escape.xhtml_escape


def show_bytes(value: Any) -> bytes:
    """Return a value as a template shows it, not escaped."""
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else utf8(str(value))


def show_xhtml(value: Any) -> bytes:
    """Return a value as a template shows it, escaped by our own `.xhtml_escape`.

    The same as ``utf8(xhtml_escape(show_bytes(value)))``, with one encoding fewer. It is what most
    expressions of most templates come to.
    """
    kind = type(value)
    if kind is str:
        return OUR_XHTML_ESCAPE(value).encode()
    if kind is int:
        return b"%d" % value
    return OUR_XHTML_ESCAPE(value if isinstance(value, (str, bytes)) else str(value)).encode()


def with_escaping(function: Callable[[bytes], str | bytes]) -> Callable[[Any], bytes]:
    """Return `show_xhtml` for an ``xhtml_escape`` that somebody has replaced; it gets bytes."""
    return lambda value: utf8(function(show_bytes(value)))


def namespace() -> dict[str, Any]:
    """Return the names that every template knows, as they are now in `tornado4.escape`."""
    escaping = escape.xhtml_escape
    return {
        "datetime": datetime,
        "escape": escaping,
        "json_encode": escape.json_encode,
        "linkify": escape.linkify,
        "squeeze": escape.squeeze,
        "url_escape": escape.url_escape,
        "xhtml_escape": escaping,
        "_tt_utf8": utf8,
        "_tt_string_types": (unicode_type, bytes),
        "_tt_bytes": show_bytes,
        "_tt_xhtml": show_xhtml,
    }
