"""Making a response: header values, default headers, body pieces, and the way out to the connection."""

from __future__ import annotations

import datetime
import numbers
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from tornado4 import httputil, version
from tornado4.concurrent import Future
from tornado4.escape import json_encode, utf8
from tornado4.httputil.dates import current_date
from tornado4.web.etag import body_etag, matches

if TYPE_CHECKING:
    from tornado4.web.handler import RequestHandler

INVALID_VALUE = re.compile(r"[\x00-\x1f]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSAFE_REASON = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

#: Header names that have been found to be tokens; bounded, so that names made from input cannot fill memory.
good_names: set[str] = {"Etag", "Content-Length", "Content-Type", "Location"}
_MAX_GOOD_NAMES = 1000

#: Headers that a 304 leaves out (RFC 9110, 15.4.5, and what 4.5.3 drops besides).
ENTITY_HEADERS = (
    "Allow",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-MD5",
    "Content-Range",
    "Content-Type",
    "Last-Modified",
)

#: Responses to these get an ETag.
_TAGGED_METHODS = frozenset(("GET", "HEAD"))

#: Start lines by status and reason. Bounded, as a reason may be made from anything.
_start_lines: dict[tuple[int, str], httputil.ResponseStartLine] = {}
_MOST_START_LINES = 200

_SERVER = f"TornadoServer/{version}"
#: What may be given as a header's value.
_HeaderTypes: TypeAlias = "bytes | str | numbers.Integral | datetime.datetime"

_LIST_HINT = (
    ". Lists not accepted for security reasons; see "
    "http://www.tornadoweb.org/en/stable/web.html#tornado.web.RequestHandler.write"
)


def default_values() -> dict[str, str | list[str]]:
    """The headers that every response starts from, in the order in which they are sent."""
    return {"Server": _SERVER, "Content-Type": "text/html; charset=UTF-8", "Date": current_date()}


def header_value(value: Any) -> str:
    """A header's value as text: str and bytes checked, integers and datetimes formatted.

    Raises `ValueError` for control characters (they could start another header), `TypeError` for other types.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = value.decode("latin1")
    elif isinstance(value, int):
        return str(value)
    elif isinstance(value, datetime.datetime):
        return httputil.format_timestamp(value)
    else:
        raise TypeError(f"Unsupported header value {value!r}")
    if INVALID_VALUE.search(text):
        raise ValueError("Unsafe header value %r", text)
    return text


def check_header_name(name: str) -> None:
    """Refuse a name that is no token (RFC 9110, 5.1): it could end the line, or hide another header."""
    if name in good_names:
        return
    if not _TOKEN.fullmatch(name):
        raise ValueError("Unsafe header name %r", name)
    if len(good_names) < _MAX_GOOD_NAMES:
        good_names.add(name)


def is_safe_reason(reason: str) -> bool:
    """Whether a reason phrase can stand in a status line (RFC 9112, section 4)."""
    return not _UNSAFE_REASON.search(reason)


def safe_reason(reason: str | None) -> str | None:
    """The phrase with control characters made spaces, so that an error can still be told."""
    return reason and _UNSAFE_REASON.sub(" ", reason)


def body_piece(handler: RequestHandler, chunk: Any) -> bytes:
    """What `RequestHandler.write` was given, as bytes. A dict becomes JSON, its type set accordingly."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode("utf-8")
    if isinstance(chunk, dict):
        handler.set_header("Content-Type", "application/json; charset=UTF-8")
        return utf8(json_encode(chunk))
    # a list as a whole response was readable across sites in browsers of old
    hint = _LIST_HINT if isinstance(chunk, list) else ""
    raise TypeError("write() only accepts bytes, unicode, and dict objects" + hint)


def complete_headers(handler: RequestHandler, plainly: bool) -> None:
    """Just before an unflushed response ends: ETag and 304, then Content-Length, as far as they apply.

    A handler that set an ETag itself is taken to have compared it, too (as in 4.5.3). ``plainly`` says that the
    handler's methods for all this are our own, so that what they would do can be done here.
    """
    status = handler._status_code
    values = handler._headers._values
    buffer = handler._write_buffer
    if status == 200:
        if "Etag" not in values and handler.request.method in _TAGGED_METHODS:
            if plainly:
                values["Etag"] = tag = body_etag(buffer)
                asked = handler.request.headers.get("If-None-Match")
                matched = asked is not None and matches(tag, asked)
            else:
                handler.set_etag_header()
                matched = handler.check_etag_header()
            if matched:
                handler._write_buffer = []
                handler.set_status(304)
        status = handler._status_code
    if status != 200 and (status in (204, 304) or 100 <= status < 200):
        assert not handler._write_buffer, f"Cannot send body with {status}"
        handler._clear_headers_for_304()
    elif "Content-Length" not in handler._headers._values:
        if plainly:
            values["Content-Length"] = str(len(buffer[0]) if len(buffer) == 1 else sum(map(len, buffer)))
        else:
            handler.set_header("Content-Length", sum(map(len, handler._write_buffer)))


def _first_piece(handler: RequestHandler, finishing: bool) -> tuple[httputil.ResponseStartLine, bytes | None]:
    """Empty the write buffer into the first piece, run the transforms, add the cookies."""
    buffered = handler._write_buffer
    body: bytes | None = buffered[0] if len(buffered) == 1 else b"".join(buffered)
    handler._write_buffer = []
    handler._headers_written = True
    if handler._transforms:
        for transform in handler._transforms:
            assert body is not None
            handler._status_code, handler._headers, body = transform.transform_first_chunk(
                handler._status_code, handler._headers, body, finishing
            )
    if handler.request.method == "HEAD":
        body = None
    jar = getattr(handler, "_new_cookie", None)
    if jar:
        for morsel in jar.values():
            handler.add_header("Set-Cookie", morsel.OutputString(None))
    status = (handler._status_code, handler._reason)
    start_line = _start_lines.get(status)
    if start_line is None:
        start_line = httputil.ResponseStartLine("", *status)
        if len(_start_lines) < _MOST_START_LINES:
            _start_lines[status] = start_line
    return start_line, body


def flush(handler: RequestHandler, finishing: bool, callback: Any) -> Future:
    """Send what is buffered; the Future resolves when it has left (with ``callback`` the connection calls
    that).
    """
    connection: Any = handler.request.connection
    sent: Future
    if not handler._headers_written:
        start_line, body = _first_piece(handler, finishing)
        sent = connection.write_headers(start_line, handler._headers, body, callback=callback)
        return sent
    chunk = b"".join(handler._write_buffer)
    handler._write_buffer = []
    if handler._transforms:
        for transform in handler._transforms:
            chunk = transform.transform_chunk(chunk, finishing)
    if handler.request.method == "HEAD":
        sent = Future()
        sent.set_result(None)
    else:
        sent = connection.write(chunk, callback=callback)
    return sent


def let_go(connection: Any) -> None:
    """Have the connection forget `on_connection_close`, which would keep the handler alive as long as itself."""
    if connection is not None:
        connection.set_close_callback(None)


def send_last(handler: RequestHandler) -> None:
    """What `flush` does, for the end of a response: nobody waits, so no Future is made where that can be."""
    connection: Any = handler.request.connection
    try:
        write_response = connection._write_response
    except AttributeError:  # not one of ours
        write_response = None
    if write_response is None or (handler._headers_written and (handler._write_buffer or handler._transforms)):
        let_go(connection)
        flush(handler, True, None)
    elif handler._headers_written:
        let_go(connection)  # and all has been flushed
    else:
        start_line, body = _first_piece(handler, True)
        write_response(start_line, handler._headers, body)
