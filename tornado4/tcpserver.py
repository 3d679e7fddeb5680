"""A TCP server: listening sockets in, streams out.

`TCPServer` accepts connections, wraps them in an `IOStream` or `SSLIOStream`, and hands them to
`handle_stream`, which a subclass defines. `tornado4.httpserver.HTTPServer` is one.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket as socket_module
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

from tornado4 import _handed_on, gen, switches
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, SSLIOStream
from tornado4.log import app_log
from tornado4.netutil import add_accept_handler, bind_sockets, ssl_wrap_socket
from tornado4.util import errno_from_exception

__all__ = [
    "IOLoop",
    "IOStream",
    "SSLIOStream",
    "TCPServer",
    "add_accept_handler",
    "app_log",
    "bind_sockets",
    "errno_from_exception",
    "ssl_wrap_socket",
]

#: What a client that is gone looks like while TLS is put around its connection.
_GONE = (errno.ECONNABORTED, errno.ECONNRESET, errno.ENOTCONN, errno.EINVAL)


class TCPServer:
    r"""A server for whatever protocol its `handle_stream` speaks. An echo server::

        class EchoServer(TCPServer):
            async def handle_stream(self, stream, address):
                try:
                    while True:
                        await stream.write(await stream.read_until(b"\n"))
                except StreamClosedError:
                    pass

    Three ways to start one:

    - `listen`: one process. ``server.listen(8888)``
    - `bind` and `start`: one or several processes. ``server.bind(8888); server.start(0)``, before any loop
      exists
    - `add_sockets`: everything by hand, with sockets from `tornado4.netutil.bind_sockets`, or handed over by
      whoever
      started the process; after a fork of one's own, too.

    Then start the `IOLoop`. ``ssl_options`` makes it a TLS server: an `ssl.SSLContext`, or a dictionary for
    `tornado4.netutil.ssl_options_to_context` with at least a ``certfile`` (a missing key is a `KeyError`, a
    missing file a `ValueError`). A dictionary's files are read anew for each connection, as in 4.5.3: renewed
    certificates need no restart. ``max_buffer_size`` and ``read_chunk_size``, in bytes, are those of the
    streams. A TLS handshake that takes longer than a minute is given up (``TORNADO4_ALLOW=slow-handshakes``).
    """

    #: Seconds; None: for ever, as in 4.5.3.
    _handshake_timeout: float | None = 60

    def __init__(
        self,
        io_loop: IOLoop | None = None,
        ssl_options: ssl.SSLContext | Mapping[str, Any] | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
    ) -> None:
        # Usually unknown until sockets are added: a loop made now would not survive the fork in start().
        self.io_loop = io_loop
        self.ssl_options = ssl_options
        self._sockets: dict[int, socket_module.socket] = {}
        self._pending_sockets: list[socket_module.socket] = []
        self._started = False
        self._stopped = False
        self.max_buffer_size = max_buffer_size
        self.read_chunk_size = read_chunk_size
        # Found out now rather than at the first connection, where only the log would tell.
        if isinstance(ssl_options, dict):
            _check_certificate_files(ssl_options)

    def listen(self, port: int, address: str = "") -> None:
        """Accept connections on ``port`` from now on, on all interfaces or those of ``address``.

        May be called more than once, for several ports. Nothing is forked.
        """
        self.add_sockets(bind_sockets(port, address=address))

    def add_sockets(self, sockets: Iterable[socket_module.socket]) -> None:
        """Accept connections on each of ``sockets``, which are listening already and now belong to the
        server.
        """
        loop = self.io_loop
        if loop is None:
            loop = self.io_loop = IOLoop.current()
        for sock in sockets:
            self._sockets[sock.fileno()] = sock
            add_accept_handler(sock, self._handle_connection, io_loop=loop)

    def add_socket(self, socket: socket_module.socket) -> None:
        """`add_sockets`, for one.

        :arg socket: one that listens.
        """
        self.add_sockets((socket,))

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: int = socket_module.AF_UNSPEC,
        backlog: int = 128,
        reuse_port: bool = False,
    ) -> None:
        """Bind ``port``, to accept on it when `start` is called (at once, if it has been).

        The arguments are those of `tornado4.netutil.bind_sockets`. May be called more than once.

        :arg address: a name or address; None or ``""`` is every interface.
        :arg family: `socket.AF_INET` or `socket.AF_INET6`; default: both.
        :arg backlog: connections that wait in the kernel, 128.
        :arg reuse_port: several processes may bind it (``SO_REUSEPORT``).
        :raises OSError: the port is taken, or cannot be had.
        """
        sockets = bind_sockets(port, address=address, family=family, backlog=backlog, reuse_port=reuse_port)
        if self._started:
            self.add_sockets(sockets)
        else:
            self._pending_sockets += sockets

    def start(self, num_processes: int | None = 1) -> None:
        """Accept on what `bind` has bound, in this process, or in ``num_processes`` forked from it.

        None, or a number below 1, means one process for each CPU. Forking has to come before the first
        `IOLoop`, and neither ``autoreload`` nor ``debug`` goes with it; see
        `tornado4.process.fork_processes`. Only the children return from here. May be called once
        (`AssertionError`).
        """
        assert not self._started
        self._started = True
        if num_processes != 1:
            # Late: only those who fork need it.
            from tornado4 import process

            process.fork_processes(num_processes)
        sockets, self._pending_sockets = self._pending_sockets, []
        self.add_sockets(sockets)

    def stop(self) -> None:
        """Accept no more, and close the listening sockets. Connections that are open stay so. May be
        repeated.
        """
        if not self._stopped:
            self._stopped = True
            for fd, sock in self._sockets.items():
                assert sock.fileno() == fd, "closed behind the server's back"
                assert self.io_loop is not None
                self.io_loop.remove_handler(fd)
                sock.close()

    def handle_stream(self, stream: IOStream, address: Any) -> Any:
        """To be defined by subclasses: speak with the client on ``stream``, who came from ``address``.

        May be a coroutine of either kind; an exception in it is logged. On a TLS server the handshake is not
        done yet (see `SSLIOStream.wait_for_handshake`), and may be ignored: reads and writes wait for it.
        """
        raise NotImplementedError()

    def _handle_connection(self, connection: socket_module.socket, address: Any) -> None:
        """What `add_accept_handler` calls with each new connection."""
        if self.ssl_options is not None:
            secured = self._wrap_connection(connection)
            if secured is None:
                return
            connection = secured
        try:
            kind = IOStream if self.ssl_options is None else SSLIOStream
            stream = kind(
                connection,
                io_loop=self.io_loop,
                max_buffer_size=self.max_buffer_size,
                read_chunk_size=self.read_chunk_size,
            )
            if self.ssl_options is not None and self._handshake_timeout is not None:
                stream._limit_handshake(self._handshake_timeout)  # type: ignore[attr-defined]  # an SSLIOStream
            waiting = self.handle_stream(stream, address)
            if waiting is not None:
                assert self.io_loop is not None
                self.io_loop.add_future(gen.convert_yielded(waiting), _look_at)
        except (Exception, asyncio.CancelledError):
            app_log.error("Error in connection callback", exc_info=True)

    def _wrap_connection(self, connection: socket_module.socket) -> ssl.SSLSocket | None:
        """``connection`` with TLS around it; None when the client has gone already."""
        assert self.ssl_options is not None
        try:
            connection.getpeername()
        except OSError:
            # Reset before it was accepted. `ssl` finds that out as well, in several ways, and with a traceback.
            connection.close()
            return None
        try:
            return ssl_wrap_socket(
                connection, self.ssl_options, server_side=True, do_handshake_on_connect=False
            )
        except BaseException as e:
            connection.close()
            # Or just now: EOF, or on some systems one of these errors, which since Python 3.11.4 may be in an
            # SSLError.
            gone = isinstance(e, ssl.SSLError) and e.args[0] == ssl.SSL_ERROR_EOF
            if isinstance(e, OSError) and errno_from_exception(e) in _GONE:
                gone = True
            if gone:
                return None
            raise


def _wait_for_handshakes() -> None:
    TCPServer._handshake_timeout = None


switches.when_allowed("slow-handshakes", _wait_for_handshakes)


def _look_at(future: Any) -> None:
    """Raise what `handle_stream` raised, for the loop to log."""
    future.result()


def _check_certificate_files(ssl_options: Mapping[str, Any]) -> None:
    if "certfile" not in ssl_options:
        raise KeyError('missing key "certfile" in ssl_options')
    for key in ("certfile", "keyfile"):
        path = ssl_options.get(key)
        if path is not None and not os.path.exists(path):
            raise ValueError(f'{key} "{path}" does not exist')

_handed_on.complete(globals())
