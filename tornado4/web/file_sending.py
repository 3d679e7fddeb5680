"""The short way of a static file from the disk to its client, without its bytes passing through Python.

It is taken where nobody can tell: an unchanged `StaticFileHandler` (no method of `METHODS` replaced, no transform)
on a connection of our own HTTP/1. Small files are read once and leave with their head in one write. Large ones go by
``os.sendfile``, behind their head, where the stream is a plain socket. TLS has to see the bytes: it is given them in
large pieces, as long as the client takes them. Everything else takes the long way, as in 4.5.3:
`StaticFileHandler.get_content`, piece by piece.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tornado4 import iostream
from tornado4._core.memory import keep_large_blocks
from tornado4.http1connection import HTTP1Connection

if TYPE_CHECKING:
    from tornado4.web.handler import RequestHandler

#: What a handler's class must have from `StaticFileHandler` and `RequestHandler` themselves.
METHODS = ("finish", "flush", "get", "get_content_size", "head", "write", "get_content")

#: Bytes that are read at once. A larger file does not pass through Python, where that can be.
_PIECE = 65536
#: The same, for a client that has taken all there was so far: one that has not does not make us hold as much.
_LARGE_PIECE = 262144
#: Bytes that one client gets before others have their turn, however quick it reads.
_AT_ONCE = 1024 * 1024


#: The functions behind ``METHODS`` of a handler's class; `get_content` is a class method.
methods_of: Callable[[type], tuple[Any, ...]] = attrgetter(*METHODS[:-1], METHODS[-1] + ".__func__")
_connection_methods = attrgetter("finish", "write", "write_headers")
_OWN_CONNECTION = _connection_methods(HTTP1Connection)


def is_plain(handler: RequestHandler, own: tuple[Any, ...]) -> bool:
    """Whether the file may take the short way: all that it would meet on the long one is ``own``, or ours."""
    connection: Any = handler.request.connection
    try:
        return (
            not (handler._transforms or handler._headers_written or handler._write_buffer)
            and methods_of(type(handler)) == own
            and handler.__dict__.keys().isdisjoint(METHODS)
            and isinstance(connection, HTTP1Connection)
            and _connection_methods(type(connection)) == _OWN_CONNECTION
            and connection._pump is not None
            and connection._stream is not None
        )
    except AttributeError:  # a `get_content` that is no class method
        return False


def send(handler: RequestHandler, path: str, start: int, count: int) -> Generator[Any, Any, bool]:
    """Send ``count`` bytes of the file, from ``start`` on; False, with nothing sent, if it is none to be sent so.

    Status and headers are set. Of a file that is shorter by now what there is leaves, and `HTTPOutputError` follows
    from the connection, as in 4.5.3.
    """
    if handler._headers.get("Content-Length") != str(count):
        return False
    connection: Any = handler.request.connection
    stream = connection._stream
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False  # to be told as ever
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return False
        if count > _PIECE:
            yield handler.flush()
            sends = hasattr(os, "sendfile") and stream._sends_files()
            yield from (_send_all if sends else _read_all)(connection, fd, start, count)
            return True
        if start:
            os.lseek(fd, start, os.SEEK_SET)
        handler.write(os.read(fd, count))
        if "Etag" not in handler._headers:  # else `finish` sends it, with the head before it
            yield handler.flush()
    except iostream.StreamClosedError:
        pass  # as in 4.5.3: the client has gone, which is its own affair
    finally:
        os.close(fd)
    return True


def _send_all(connection: Any, fd: int, offset: int, count: int) -> Generator[Any, Any, None]:
    stream = connection._stream
    turn = 0
    while count > 0:
        try:
            sent = 0 if turn >= _AT_ONCE else stream._send_file(fd, offset, min(count, _AT_ONCE))
        except iostream.StreamClosedError:
            raise
        except OSError:  # not every file system has what it takes
            yield from _read_all(connection, fd, offset, count)
            return
        if not sent:
            turn = 0
            yield stream._room()
            continue
        if sent < 0:
            return  # the file has become shorter
        offset += sent
        count -= sent
        turn += sent
        connection._count_body(sent)


def _read_all(connection: Any, fd: int, offset: int, count: int) -> Generator[Any, Any, None]:
    if offset:
        os.lseek(fd, offset, os.SEEK_SET)
    keep_large_blocks()
    size = _LARGE_PIECE
    while count > 0 and (piece := os.read(fd, min(count, size))):
        count -= len(piece)
        written = connection.write(piece)
        size = _LARGE_PIECE if written.done() else _PIECE
        del piece  # it is the stream's now
        yield written
