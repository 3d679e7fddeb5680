"""The bytes of a request, and the step that sends them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from tornado4.migrate.diff.model import Send, Step

#: What may be sent without asking: RFC 9110, 9.2.1.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: The Host of requests that name none. It is no side's address, so that pages which show it are alike.
DEFAULT_HOST = "localhost"

# The same key every time: the answer's Sec-WebSocket-Accept follows from it (RFC 6455, 4.2.2).
WEBSOCKET_KEY = base64.b64encode(b"tornado4 diff ws").decode("ascii")

_UNFIT = re.compile(r"[\x00-\x20\x7f]")


class TrafficError(Exception):
    """A file of recorded requests cannot be read: which one, where in it, and why."""


def read_bytes(path: Path) -> bytes:
    """A file's content. :raises TrafficError: it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrafficError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise TrafficError(f"{str(path)!r}: {error}") from error


def read_text(path: Path) -> str:
    """A UTF-8 file's content, without a byte order mark. :raises TrafficError: it is not."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrafficError(f"{path}: not UTF-8 at byte {error.start}") from error


def split_url(address: str, origin: str) -> SplitResult:
    """An address in its parts. :raises TrafficError: it is none (``http://[``)."""
    try:
        return urlsplit(address)
    except ValueError as error:
        raise TrafficError(f"{origin}: {address!r} is no URL: {error}") from error


def http_step(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    name: str = "",
    origin: str = "",
    new_connection: bool = False,
    version: str = "HTTP/1.1",
) -> Step:
    """One request. Host is put in where it is missing, Content-Length is counted afresh.

    :raises TrafficError: method or target would not make a request line.
    """
    fields = [(key, value) for key, value in headers if key.lower() not in ("content-length", "transfer-encoding")]
    present = {key.lower() for key, _ in fields}
    for word in (method, target):
        if not word or _UNFIT.search(word):
            raise TrafficError(f"{origin}: {word!r} cannot stand in a request line")
    if "host" not in present:
        fields.insert(0, ("Host", DEFAULT_HOST))
    if body or method in ("POST", "PUT", "PATCH"):
        fields.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} {version}", *(f"{key}: {value}" for key, value in fields), "", ""]
    data = "\r\n".join(lines).encode("utf-8") + body
    upgrade = any(key.lower() == "upgrade" and value.lower() == "websocket" for key, value in fields)
    return Step(
        name=name or f"{method} {target}",
        send=(Send(data),),
        origin=origin,
        new_connection=new_connection or upgrade,
        unsafe=method not in SAFE_METHODS,
        websocket=upgrade,
    )


def websocket_handshake(
    target: str, headers: Iterable[tuple[str, str]] = (), *, origin: str = "", name: str = ""
) -> Step:
    """The request that asks for a WebSocket, on a connection of its own (RFC 6455, 4.1)."""
    given = list(headers)
    present = {key.lower() for key, _ in given}
    needed = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", WEBSOCKET_KEY),
        ("Sec-WebSocket-Version", "13"),
    ]
    fields = [*given, *(field for field in needed if field[0].lower() not in present)]
    return http_step(
        "GET", target, fields, origin=origin, name=name or f"WebSocket {target}", new_connection=True
    )
