"""What an ASGI server and an ASGI application say to each other."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from tornado4 import version
from tornado4.escape import native_str
from tornado4.httputil import HTTPHeaders
from tornado4.httputil.headers import normalize_name

#: What a connection is: its type, path, headers, ...
Scope: TypeAlias = MutableMapping[str, Any]
#: One event, either way.
Message: TypeAlias = MutableMapping[str, Any]
#: Waits for the next event from the client.
Receive: TypeAlias = Callable[[], Awaitable[Message]]
#: Hands an event to the server, and waits until it takes more.
Send: TypeAlias = Callable[[Message], Awaitable[None]]
#: An application by ASGI 3.0: called once for each connection, which is a request, a WebSocket or the lifespan.
ASGIApplication: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Names and values as ASGI has them: bytes, names in small letters.
Pairs: TypeAlias = list[tuple[bytes, bytes]]

#: What belongs to one hop, and so to the server that frames the message (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)

#: A handler has set it unless it was told otherwise: an ASGI server says who it is itself.
_OUR_NAME = f"TornadoServer/{version}"


class ClientDisconnected(OSError):
    """The peer has gone: what ``send`` raises, as ASGI wants it since 2.4."""


def caused_by_disconnect(error: BaseException | None) -> bool:
    """Whether an application ended so because of that: frameworks raise errors of their own over it."""
    while error is not None:
        if isinstance(error, ClientDisconnected):
            return True
        error = error.__cause__ or error.__context__
    return False


def to_headers(pairs: Iterable[tuple[bytes, bytes]]) -> HTTPHeaders:
    """The headers of a scope. Cookies that HTTP/2 has taken apart are one field again (RFC 9113, 8.2.3)."""
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        shown, text = _shown(name), value.decode("latin-1")
        if shown not in values:
            values[shown] = text
        elif shown == "Cookie":
            values[shown] = f"{values[shown]}; {text}"
        else:
            present = values[shown]
            values[shown] = [*present, text] if isinstance(present, list) else [present, text]
    return HTTPHeaders._adopt(values)


@functools.lru_cache(1000)
def _shown(name: bytes) -> str:
    return normalize_name(name.decode("latin-1"))


def to_pairs(headers: HTTPHeaders) -> Pairs:
    """The headers of a response, without what an ASGI server says: those of the hop, the date, our name.

    :raises ValueError: there is a line break in one, or a NUL.
    :raises UnicodeEncodeError: one is no Latin-1, as under our own server.
    """
    pairs = []
    for name, value in headers._values.items():
        key = _key(name)
        if key is None or value == _OUR_NAME:
            continue
        for one in value if type(value) is list else (value,):
            if type(one) is not str:
                one = native_str(one)  # type: ignore[arg-type]  # bytes slip through, as in 4.5.3
            if "\n" in one or "\r" in one or "\0" in one:
                raise ValueError(f"Newline in header: {name!r}")
            pairs.append((key, one.encode("latin-1")))
    return pairs


@functools.lru_cache(1000)
def _key(name: str) -> bytes | None:
    """A header's name as ASGI has it; None for one of the hop, and for the date."""
    key = name.lower().encode("latin-1")
    return None if key in HOP_BY_HOP or key == b"date" else key
