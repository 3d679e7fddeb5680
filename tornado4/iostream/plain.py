"""`IOStream`: a stream over a socket."""

from __future__ import annotations

import errno
import os
import socket as socket_module
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tornado4 import netutil, stack_context
from tornado4.concurrent import Future
from tornado4.iostream.base import BaseIOStream
from tornado4.iostream.errors import _ERRNO_INPROGRESS, _ERRNO_WOULDBLOCK, StreamClosedError
from tornado4.iostream.lifecycle import _WRITE
from tornado4.log import gen_log
from tornado4.netutil import ssl_wrap_socket
from tornado4.util import errno_from_exception

if TYPE_CHECKING:
    from tornado4.iostream.tls import SSLIOStream

#: By which one system call sends several pieces; not on Windows.
_SENDMSG: Any = getattr(socket_module.socket, "sendmsg", None)

#: Has ``sendfile`` on Unix alone; callers ask.
_os: Any = os

#: What the system says when it cannot send this kind of file so.
_NO_SENDFILE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)  # two numbers on macOS, one elsewhere

_TCP_FAMILIES = (socket_module.AF_INET, socket_module.AF_INET6)


class IOStream(BaseIOStream):
    r"""A stream over a stream socket, connected or about to be by `connect`.

    ``socket`` (made non-blocking here) is the attribute of the same name, whose options may be set; further
    arguments are those of `BaseIOStream`. A client in full::

        async def head(host):
            stream = IOStream(socket.socket())
            await stream.connect((host, 80))
            await stream.write(b"HEAD / HTTP/1.0\r\nHost: " + host.encode() + b"\r\n\r\n")
            print(await stream.read_until_close())
    """

    def __init__(self, socket: socket_module.socket, *args: Any, **kwargs: Any) -> None:
        self.socket: Any = socket  # Any: None once closed, as in 4.5.3, which users do not expect to check
        self.socket.setblocking(False)
        super().__init__(*args, **kwargs)
        kind = type(self)
        self._short_read_drains = kind.read_from_fd is _READ_FROM_FD
        self._direct_write = kind.write_to_fd is _WRITE_TO_FD

    def fileno(self) -> Any:
        """The socket itself, which the loop accepts as a descriptor."""
        return self.socket

    def close_fd(self) -> None:
        """Close the socket; ``self.socket`` is None from then on."""
        self.socket.close()
        self.socket = None

    def get_fd_error(self) -> OSError | None:
        """The pending error of the socket (``SO_ERROR``), which asking for it clears."""
        number = self.socket.getsockopt(socket_module.SOL_SOCKET, socket_module.SO_ERROR)
        return OSError(number, os.strerror(number))

    def read_from_fd(self) -> bytes | None:
        """Up to ``read_chunk_size`` bytes; None when there are none now, or when the peer has closed."""
        try:
            chunk: bytes = self.socket.recv(self.read_chunk_size)
        except BlockingIOError:
            return None
        if not chunk:
            self.close()
            return None
        return chunk

    def write_to_fd(self, data: memoryview) -> int:
        """Send as much of ``data`` as the socket takes, and return how many bytes that was."""
        sent: int = self.socket.send(data)
        return sent

    # Two methods of the floors below once more, for the one case that every keep-alive request is: a plain
    # socket whose `read_from_fd` and `write_to_fd` are the two above. The outcome is the same, in one frame.

    def _receive(self) -> bytes | None:
        # A method may be set on the object, too: tests do.
        if not self._short_read_drains or "read_from_fd" in self.__dict__:
            return super()._receive()
        self._drained = False
        try:
            chunk: bytes = self.socket.recv(self._ask or self.read_chunk_size)
        except BlockingIOError:
            return None
        except OSError as e:
            self.close(exc_info=True)
            if self._is_connreset(e):
                return None
            raise
        if not chunk:
            self.close()
        return chunk or None

    def _send(self, data: bytes) -> bool:
        if (
            self._outgoing.size
            or not self._direct_write
            or "write_to_fd" in self.__dict__
            or self._connecting
            or self._closed
            or self.max_write_buffer_size is not None
            or self._write_limit is not None
        ):
            return super()._send(data)
        size = len(data)
        self._total_write_index += size
        try:
            sent: int = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as e:
            self._write_failed(e)
            return False
        if sent < size:
            self._outgoing.append_rest(data, sent)
            self._add_io_state(_WRITE)
            return False
        return True

    def _send_pieces(self, pieces: tuple[bytes, ...]) -> bool:
        kernel = self.socket
        if (
            self._outgoing.size
            or not self._direct_write
            or "write_to_fd" in self.__dict__
            or self._connecting
            or self.max_write_buffer_size is not None
            or type(kernel) is not socket_module.socket
            or _SENDMSG is None
        ):
            return super()._send_pieces(pieces)
        size = sum(map(len, pieces))
        self._total_write_index += size
        try:
            sent: int = _SENDMSG(kernel, pieces)
        except BlockingIOError:
            sent = 0
        except OSError as e:
            self._write_failed(e)
            return False
        if sent == size:
            return True
        for piece in pieces:
            if sent < len(piece):
                self._outgoing.append_rest(piece, sent)
                sent = 0
            else:
                sent -= len(piece)
        self._add_io_state(_WRITE)
        return False

    def _fills(self) -> bool:
        return self._short_read_drains and "read_from_fd" not in self.__dict__ and not self._connecting

    def _fill(self) -> None:
        assert self._sink is not None
        view, told = self._sink
        try:
            count: int = self.socket.recv_into(view)
        except BlockingIOError:
            return
        except OSError as e:
            self.close(exc_info=True)
            if self._is_connreset(e):
                return
            raise
        if not count:
            self.close()
            return
        self._sink = None
        if count < len(view):
            self._sink = view[count:], told
        elif self._direct_push():
            self._push_direct = self._push
        view.release()
        told(count)

    def _sends_files(self) -> bool:
        return (
            type(self.socket) is socket_module.socket
            and self._direct_write
            and "write_to_fd" not in self.__dict__
            and not self._connecting
        )

    def _send_file(self, fd: int, offset: int, count: int) -> int:
        self._check_closed()
        if self._outgoing.size:
            return 0
        try:
            sent: int = _os.sendfile(self.socket.fileno(), fd, offset, count)
        except BlockingIOError:
            return 0
        except OSError as e:
            if not self._is_connreset(e) and e.errno in _NO_SENDFILE:
                raise
            self._write_failed(e)
            raise StreamClosedError(real_error=e) from e
        self._total_write_index += sent
        return sent or -1

    def connect(
        self, address: Any, callback: Callable[[], Any] | None = None, server_hostname: str | None = None
    ) -> Any:
        """Connect to ``address``, given as to ``socket.connect``: for IPv4, ``(host, port)``.

        A host name is looked up and blocks meanwhile (`tornado4.tcpclient.TCPClient` does better). Returns a
        Future of the stream itself, or calls ``callback()``. On failure the Future gets a `StreamClosedError`
        whose ``real_error`` tells why; a callback is not called, but the close callback is. Writes may be
        queued before the connection is made; reads may not. ``server_hostname`` means nothing here: see
        `SSLIOStream.connect`.
        """
        self._connecting = True
        future: Future | None = None
        if callback is not None:
            self._connect_callback = stack_context.wrap(callback)
        else:
            future = self._connect_future = Future()
            future._stream = self  # type: ignore[attr-defined]  # for TCPClient, to close what takes too long
        try:
            self.socket.connect(address)
        except OSError as e:
            if errno_from_exception(e) not in _ERRNO_INPROGRESS + _ERRNO_WOULDBLOCK:
                if future is None:
                    gen_log.warning("Connect error on fd %s: %s", self.socket.fileno(), e)
                self.close(exc_info=True)
                return future
        self._add_io_state(_WRITE)
        return future

    def _handle_connect(self) -> None:
        """The socket has become writable: connected, or refused."""
        number = self.socket.getsockopt(socket_module.SOL_SOCKET, socket_module.SO_ERROR)
        if number:
            self.error = OSError(number, os.strerror(number))
            if self._connect_future is None:
                name = errno.errorcode.get(number, number)
                gen_log.warning("Connect error on fd %s: %s", self.socket.fileno(), name)
            self.close()
            return
        if self._connect_callback is not None:
            callback, self._connect_callback = self._connect_callback, None
            self._run_callback(callback)
        self._connecting = False
        if self._push is not None and not self._push_paused and self._direct_push():
            self._push_direct = self._push
        if self._connect_future is not None:
            future, self._connect_future = self._connect_future, None
            future.set_result(self)

    def start_tls(
        self,
        server_side: bool,
        ssl_options: ssl.SSLContext | Mapping[str, Any] | None = None,
        server_hostname: str | None = None,
    ) -> Any:
        """Go on with TLS on the same socket. Returns a Future of an `SSLIOStream`.

        This stream is detached at once: it must be idle (no pending read, write or callback, nothing
        buffered, else `ValueError`) and must not be used again; its close callback passes to the new one.
        ``ssl_options`` are an `ssl.SSLContext` or a dictionary for `tornado4.netutil.ssl_options_to_context`;
        None takes the defaults, with which a client checks the certificate for ``server_hostname``. When the
        handshake fails, the Future gets the `ssl.SSLError` or `OSError`.

        :arg server_side: whether we are the server.
        """
        # Late: the TLS stream is built upon this class, and only who starts TLS needs it.
        from tornado4.iostream.tls import SSLIOStream

        if not self._idle():
            raise ValueError("IOStream is not idle; cannot convert to SSL")
        if ssl_options is None:
            ssl_options = netutil._server_ssl_defaults if server_side else netutil._client_ssl_defaults
        bare = self.socket
        if self._state is not None:
            self.io_loop.remove_handler(bare)
            self._state = None
        # Raises for options that are none, and for a peer that has gone already: this stream can be closed then.
        secure = ssl_wrap_socket(
            bare,
            ssl_options,
            server_hostname=server_hostname,
            server_side=server_side,
            do_handshake_on_connect=False,
        )
        self.socket = None
        stream = SSLIOStream(secure, ssl_options=ssl_options, io_loop=self.io_loop)
        stream._server_hostname = None if server_side else server_hostname
        stream.max_buffer_size = self.max_buffer_size
        stream.read_chunk_size = self.read_chunk_size
        close_callback, self._close_callback = self._close_callback, None
        return _handshake_future(stream, close_callback)

    def _idle(self) -> bool:
        return not (
            self._closed
            or self._request is not None
            or self._push is not None
            or self._write_callback is not None
            or self._waiting_writes
            or self._connecting
            or self._pending_callbacks
            or self._incoming.size
            or self._outgoing.size
            or self._room_future is not None
        )

    def set_nodelay(self, value: bool) -> None:
        """Send small pieces at once (``TCP_NODELAY``) rather than wait for more. Ignored where it is not TCP."""
        if self.socket is None or self.socket.family not in _TCP_FAMILIES:
            return
        try:
            self.socket.setsockopt(socket_module.IPPROTO_TCP, socket_module.TCP_NODELAY, 1 if value else 0)
        except OSError as e:
            # Some systems say EINVAL when the peer has closed already, which the next read will find out.
            if e.errno != errno.EINVAL and not self._is_connreset(e):
                raise


# As they are here: programs replace them in the class, too.
_READ_FROM_FD, _WRITE_TO_FD = IOStream.read_from_fd, IOStream.write_to_fd


def _handshake_future(stream: SSLIOStream, close_callback: Callable[[], Any] | None) -> Future:
    """What `IOStream.start_tls` returns: resolved when the handshake is done, failed when ``stream`` closes
    first.
    """
    future = Future()
    future._stream = stream  # type: ignore[attr-defined]  # as that of `connect`

    def closed() -> None:
        if not future.done():
            future.set_exception(stream.error or StreamClosedError())
        if close_callback is not None:
            close_callback()

    stream.set_close_callback(closed)
    stream._ssl_connect_callback = lambda: future.set_result(stream)
    return future
