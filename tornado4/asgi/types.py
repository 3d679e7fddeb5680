"""What an ASGI server and an ASGI application say to each other."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from tornado4.httputil import HTTPHeaders

#: What a connection is: its type, path, headers, ...
Scope: TypeAlias = MutableMapping[str, Any]
#: One event, either way.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Names and values as ASGI has them: bytes, names in small letters.
Pairs: TypeAlias = list[tuple[bytes, bytes]]

#: What belongs to one hop, and so to the server that frames the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)


def to_headers(pairs: Iterable[tuple[bytes, bytes]]) -> HTTPHeaders:
    """The headers of a scope."""
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return headers


def to_pairs(headers: HTTPHeaders) -> Pairs:
    """The headers of a response, without those of the hop."""
    return [(key, value.encode("utf-8")) for name, value in headers.get_all() if (key := _key(name)) is not None]


@functools.lru_cache(1000)
def _key(name: str) -> bytes | None:
    """A header's name as ASGI has it; None for one of the hop."""
    key = name.lower().encode("latin-1")
    return None if key in HOP_BY_HOP else key
