"""Queries added to URLs, hosts parted from ports."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlparse, urlsplit, urlunparse, urlunsplit


def url_concat(url: str, args: Mapping[str, Any] | Iterable[tuple[str, Any]] | None) -> str:
    """Add query arguments to ``url``, behind those that it has; a fragment stays at the end.

    ``args`` is a dictionary, a list or a tuple of pairs, or None; another type raises `TypeError`.
    As in 4.5.3 the present query is read and written anew, so ``?x&`` becomes ``?x=&``.

    >>> url_concat("https://t.example/search?q=storm#top", [("page", 2), ("sort", "by name")])
    'https://t.example/search?q=storm&page=2&sort=by+name#top'
    """
    if args is None:
        return url
    if isinstance(args, dict):
        added = list(args.items())
    elif isinstance(args, (list, tuple)):
        added = list(args)
    else:
        raise TypeError(f"'args' parameter should be dict, list or tuple. Not {type(args)}")
    if ";" in url:  # parameters of the path, which only `urlparse` knows
        parts = urlparse(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        return urlunparse(parts._replace(query=urlencode(pairs + added)))
    scheme, netloc, path, query, fragment = urlsplit(url)
    pairs = parse_qsl(query, keep_blank_values=True) if query else []
    return urlunsplit((scheme, netloc, path, urlencode(pairs + added), fragment))


#: scheme "://" authority path [ "?" query ], of schemes that have an authority
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+://([^/?#]++)([^?#]*+)(?:\?([^#]*+))?")


def split_absolute(target: str) -> tuple[str, str, str] | None:
    """Authority, path (``/`` if empty) and query of an absolute-form request target (RFC 9112 section 3.2.2).

    None for a target of another form.

    >>> split_absolute("http://example.com?x")
    ('example.com', '/', 'x')
    """
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        return None
    authority, path, query = found.groups()
    return authority, path or "/", query or ""


_PORT_AT_END = re.compile(r"^(.+):(\d+)$")


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Part ``host:port``. The port is None when there is none; brackets of an IPv6 address stay with the
    host.

    .. versionadded:: 4.1

    :arg netloc: text.
    """
    found = _PORT_AT_END.match(netloc)
    if found is None:
        return netloc, None
    return found.group(1), int(found.group(2))


def encode_username_password(username: str | bytes, password: str | bytes) -> bytes:
    """``username:password`` as bytes, ready for Base64 (RFC 7617 section 2): text is taken in NFC form, as
    UTF-8.

    Tornado 5.1 has this name; 4.5.3's clients did the same without NFC.
    """
    return b":".join(
        [
            unicodedata.normalize("NFC", part).encode("utf-8") if isinstance(part, str) else part
            for part in (username, password)
        ]
    )


def qs_to_qsl(qs: Mapping[str, Iterable[Any]]) -> Iterable[tuple[str, Any]]:
    """Flatten what ``parse_qs`` returns into pairs. (A name of Tornado 5.0; harmless to have.)

    :arg qs: a dict of lists.
    """
    for name, values in qs.items():
        for value in values:
            yield name, value
