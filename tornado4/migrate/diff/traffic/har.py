"""HAR 1.2: what a browser's network panel, a proxy or a load tester saves.

One file is one sequence, in the order of its entries. Entries of other hosts than the first one are left out (fonts,
trackers), with a note. What HTTP/2 added (``:authority`` and its like) is dropped, Content-Length is counted afresh.
WebSocket entries with messages (``_webSocketMessages``, as Chromium writes them) become sequences of their own.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tornado4.migrate.diff.model import Send, Sequence, Step
from tornado4.migrate.diff.traffic.request import TrafficError, http_step, read_text, split_url, websocket_handshake

_BOUNDARY = "tornado4-diff-boundary"
_CONNECTION_FIELDS = frozenset({"keep-alive", "proxy-connection", "te", "http2-settings"})
_HANDSHAKE_FIELDS = frozenset(
    {"upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"}
)


def read_har(path: Path) -> tuple[list[Sequence], list[str]]:
    """(sequences, notes for the user) of a HAR file. :raises TrafficError: it is none."""
    entries = _entries(path)
    steps: list[Step] = []
    sockets: list[Sequence] = []
    first_host, foreign = "", 0
    for number, entry in enumerate(entries, 1):
        origin = f"{path.name}, entry {number}"
        request = _wanted(entry, "request", dict, origin)
        url = split_url(_wanted(request, "url", str, origin), origin)
        if url.scheme not in ("http", "https", "ws", "wss"):
            continue  # data:, blob:, chrome-extension: never reach a server
        first_host = first_host or url.netloc
        if url.netloc != first_host:
            foreign += 1
        elif url.scheme in ("ws", "wss") or entry.get("_webSocketMessages"):
            sockets.append(_socket(entry, request, f"{path.name}, entry {number}"))
        else:
            steps.append(_step(request, origin))
    notes = [f"{path.name}: {foreign} entries of other hosts than {first_host} left out"] if foreign else []
    sequences = [Sequence(path.name, tuple(steps))] if steps else []
    return [*sequences, *sockets], notes


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(read_text(path))
    except ValueError as error:
        raise TrafficError(f"{path}: not a HAR file: {error}") from error
    except RecursionError as error:
        raise TrafficError(f"{path}: not a HAR file: nested too deep") from error
    log = _wanted(document, "log", dict, str(path))
    entries: list[dict[str, Any]] = _wanted(log, "entries", list, str(path))
    return entries


def _wanted(where: Any, key: str, kind: type, origin: str) -> Any:
    if not isinstance(where, dict) or not isinstance(where.get(key), kind):
        raise TrafficError(f"{origin}: not HAR 1.2: no {key!r} ({kind.__name__})")
    return where[key]


def _step(request: dict[str, Any], origin: str) -> Step:
    headers = _headers(request, origin)
    body, kind = _body(request, origin)
    if kind and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    elif kind and kind.startswith("multipart/form-data; boundary=" + _BOUNDARY):
        headers = [(name, kind if name.lower() == "content-type" else value) for name, value in headers]
    version = "HTTP/1.0" if request.get("httpVersion") == "HTTP/1.0" else "HTTP/1.1"
    method, target = _wanted(request, "method", str, origin), target_of(request["url"])
    return http_step(method, target, headers, body, origin=origin, version=version)


def target_of(address: str) -> str:
    """What stands in the request line for an URL: its path and query, with what cannot stand there escaped."""
    url = urlsplit(address)
    return quote(url.path or "/", safe="/%:@!$&'()*+,;=-._~[]|^{}\"<>`") + (
        "?" + quote(url.query, safe="%/?:@!$&'()*+,;=-._~[]|^{}\"<>`") if url.query else ""
    )


def _headers(request: dict[str, Any], origin: str) -> list[tuple[str, str]]:
    fields = []
    authority = urlsplit(request["url"]).netloc.rpartition("@")[2]
    for header in _wanted(request, "headers", list, origin):
        name, value = _wanted(header, "name", str, origin), _wanted(header, "value", str, origin)
        if "\r" in name + value or "\n" in name + value:
            raise TrafficError(f"{origin}: a line end within the header {name!r}")
        if not name.startswith(":") and name.lower() not in _CONNECTION_FIELDS:
            fields.append((name, value))
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", authority))
    return fields


def _body(request: dict[str, Any], origin: str) -> tuple[bytes, str]:
    """The body, and its type where the headers may not tell."""
    data = request.get("postData")
    if not isinstance(data, dict):
        return b"", ""
    kind = str(data.get("mimeType") or "")
    text, params = data.get("text"), data.get("params")
    if isinstance(text, str) and (text or not params):
        if data.get("encoding") == "base64" or data.get("_encoding") == "base64":
            return _decoded(text, origin), kind
        return text.encode("utf-8"), kind
    if not isinstance(params, list):
        return b"", kind
    if kind.startswith("multipart/form-data"):
        return _multipart(params), f"multipart/form-data; boundary={_BOUNDARY}"
    pairs = [(str(p.get("name", "")), str(p.get("value", ""))) for p in params if isinstance(p, dict)]
    return urlencode(pairs).encode("ascii"), kind or "application/x-www-form-urlencoded"


def _decoded(text: str, origin: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise TrafficError(f"{origin}: what should be base64 is not: {error}") from error


def _multipart(params: list[Any]) -> bytes:
    parts = []
    for param in params:
        disposition = f'form-data; name="{param.get("name", "")}"'
        if param.get("fileName"):
            disposition += f'; filename="{param["fileName"]}"'
        head = [f"--{_BOUNDARY}", f"Content-Disposition: {disposition}"]
        if param.get("contentType"):
            head.append(f"Content-Type: {param['contentType']}")
        parts.append("\r\n".join([*head, "", str(param.get("value") or ""), ""]))
    return ("".join(parts) + f"--{_BOUNDARY}--\r\n").encode("utf-8")


def _socket(entry: dict[str, Any], request: dict[str, Any], origin: str) -> Sequence:
    """A recorded WebSocket: what the browser sent, and after each message as many frames as came then."""
    headers = [field for field in _headers(request, origin) if field[0].lower() not in _HANDSHAKE_FIELDS]
    target = target_of(request["url"])
    steps = [websocket_handshake(target, headers, origin=origin)]
    sends: list[Send] = []
    awaited = 0

    def flush() -> None:
        nonlocal awaited
        if sends or awaited:
            name = f"WebSocket {target}, exchange {len(steps)}"
            steps.append(Step(name, tuple(sends), origin, websocket=True, expect_frames=awaited))
            sends.clear()
            awaited = 0

    for message in entry.get("_webSocketMessages") or []:
        opcode = int(message.get("opcode", 1))
        if message.get("type") == "receive":
            awaited += 1
            continue
        if awaited:
            flush()
        text = str(message.get("data", ""))
        # DevTools protocol, WebSocketFrame: all but text is base64.
        sends.append(Send(text.encode("utf-8") if opcode == 1 else _decoded(text, origin), opcode))
    flush()
    return Sequence(origin, tuple(steps))
