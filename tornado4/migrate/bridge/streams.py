"""A connection that changes sides: its socket, what was read of it ahead, and what has not left yet.

For WebSockets, and for all else that detaches a stream from HTTP.
"""

from __future__ import annotations

import socket as socket_module
import ssl
from typing import Any

from tornado4.iostream import IOStream, SSLIOStream
from tornado4.migrate.bridge import real


def to_real_stream(stream: Any) -> Any:
    """An ``IOStream`` of Tornado 6 that goes on where ``stream``, one of ours that nobody reads, has stopped.

    ``stream`` is closed from then on, and its socket is the other's. One that was closed gives one that is.
    """
    name, kind = ("SSLIOStream", _RealTLSStream) if isinstance(stream, SSLIOStream) else ("IOStream", _RealStream)
    made_of = real.derived(kind, "iostream", name)
    if stream.closed():
        return _closed(made_of, stream)
    read = stream._incoming.take(stream._incoming.size)
    unsent = bytes(stream._outgoing.snapshot())
    socket = _take_socket(stream)
    return _go_on(made_of, socket, stream, read + _decrypted(socket), unsent)


def to_our_stream(stream: Any) -> Any:
    """An `.IOStream` that goes on where ``stream``, one of Tornado 6's that nobody reads, has stopped.

    ``stream`` is closed from then on, and its socket is the other's. One that was closed gives one that is.
    """
    made_of = SSLIOStream if isinstance(stream, real.module("iostream").SSLIOStream) else IOStream
    if stream.closed():
        return _closed(made_of, stream)
    read = bytes(stream._read_buffer)
    unsent = b""
    outgoing = stream._write_buffer
    while len(outgoing):
        with outgoing.peek(len(outgoing)) as piece:
            unsent += piece
            size = len(piece)
        outgoing.advance(size)
    socket = _take_socket(stream)
    return _go_on(made_of, socket, stream, read + _decrypted(socket), unsent)


def _take_socket(stream: Any) -> Any:
    """Have the loop forget the socket, which stays open, and the stream be closed."""
    socket, stream.socket = stream.socket, None
    if stream._state is not None:
        stream.io_loop.remove_handler(socket)
        stream._state = None
    stream._closed = True
    return socket


def _decrypted(socket: Any) -> bytes:
    """What TLS has decrypted and nobody has read: no event would tell of it."""
    found = b""
    while isinstance(socket, ssl.SSLSocket) and socket.pending():
        found += socket.recv(socket.pending())
    return found


def _go_on(made_of: Any, socket: Any, stream: Any, read: bytes, unsent: bytes) -> Any:
    limits = {
        "max_buffer_size": stream.max_buffer_size,
        "read_chunk_size": stream.read_chunk_size,
        "max_write_buffer_size": stream.max_write_buffer_size,
    }
    if isinstance(socket, ssl.SSLSocket):
        limits["ssl_options"] = socket.context
    made = made_of(socket, **limits)
    if isinstance(made, IOStream):
        made._incoming.append(read)
    else:
        made._read_ahead = read
    if unsent:
        made.write(unsent).add_done_callback(_retrieve)
    return made


def _closed(made_of: Any, stream: Any) -> Any:
    ours, other = socket_module.socketpair()
    other.close()
    made = made_of(ours)
    made.close()
    made.error = stream.error
    return made


def _retrieve(future: Any) -> None:
    """Who does not look does not care."""
    if not future.cancelled():
        future.exception()


class _RealStream:
    """The first bytes that such a stream of Tornado 6 reads are those that were read before it was made."""

    _read_ahead = b""

    def read_from_fd(self, buf: Any) -> Any:
        """As Tornado 6's: the number of bytes that were put into ``buf``, None for none now, 0 at the end."""
        ahead = self._read_ahead
        if not ahead:
            return super().read_from_fd(buf)  # type: ignore[misc]
        count = min(len(ahead), len(buf))
        buf[:count] = ahead[:count]
        self._read_ahead = ahead[count:]
        return count


class _RealTLSStream(_RealStream):
    """The same over TLS, whose handshake is over."""
