"""A non-blocking HTTP server for one thread.

Most applications never meet it: `.Application.listen` makes one. Where the process and its sockets are
to be set up by hand::

    server = HTTPServer(application)
    server.listen(8888)                 # one process

    server = HTTPServer(application)
    server.bind(8888)
    server.start(0)                     # forks one process per CPU

    inherited = netutil.bind_unix_socket("/run/app.sock")
    HTTPServer(application).add_socket(inherited)   # sockets of any kind, from anywhere

then start the `.IOLoop`. What HTTP/1 is, ``http1connection`` knows; what a TCP server is, ``tcpserver``. Here
the two are joined, and a reverse proxy's headers are read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Container
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from tornado4 import gen, httputil, iostream, netutil
from tornado4.escape import native_str
from tornado4.http1connection import HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado4.tcpserver import TCPServer
from tornado4.util import Configurable

if TYPE_CHECKING:
    from collections.abc import Generator

    from tornado4._http1.parameters import Bytes, Seconds
    from tornado4.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerConnectionDelegate

__all__ = [
    "Configurable",
    "HTTP1ConnectionParameters",
    "HTTP1ServerConnection",
    "HTTPRequest",
    "HTTPServer",
    "TCPServer",
    "_CallableAdapter",
    "_HTTPRequestContext",
    "_ProxyAdapter",
    "_ServerRequestAdapter",
    "gen",
    "httputil",
    "iostream",
    "native_str",
    "netutil",
    "socket",
]


class HTTPServer(TCPServer, Configurable, httputil.HTTPServerConnectionDelegate):
    """An HTTP/1.x server.

    ``request_callback`` is an `.HTTPServerConnectionDelegate`, such as an `.Application`, or a callable that
    takes an `.HTTPServerRequest` and answers on it.

    Keyword arguments:

    * ``no_keep_alive``: close after each request
    * ``io_loop``: the `.IOLoop` to serve on (default: the current one)
    * ``xheaders``: believe a proxy: ``X-Forwarded-For``, overruled by ``X-Real-Ip``, for the client's
      address; ``X-Forwarded-Proto``, overruled by ``X-Scheme``, for the protocol. Only for servers that
      nobody but the proxy reaches
    * ``trusted_downstream``: addresses of further proxies, skipped from the right in ``X-Forwarded-For``
    * ``ssl_options``: serve TLS; a `ssl.SSLContext`, or a dictionary of arguments to
      `.ssl_options_to_context`
    * ``protocol``: what ``request.protocol`` shall say (``https`` behind a TLS terminator without headers)
    * ``decompress_request``: undo ``Content-Encoding: gzip`` of requests
    * ``chunk_size``, ``max_header_size``, ``max_body_size``: bytes; see `.HTTP1ConnectionParameters`
    * ``max_buffer_size``: bytes that a stream buffers at most (default 100 MiB)
    * ``idle_connection_timeout``: seconds until an idle connection is closed (default 3600)
    * ``body_timeout``: seconds for a request's body to arrive (default: no limit)

    .. versionchanged:: 4.5
       ``trusted_downstream`` and the list form of ``X-Forwarded-For``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # `Configurable` makes instances and calls `initialize`; nothing of it may happen a second time.
        pass

    def initialize(  # type: ignore[override]  # each implementation has arguments of its own
        self,
        request_callback: HTTPServerConnectionDelegate | Callable[[httputil.HTTPServerRequest], Any],
        no_keep_alive: bool = False,
        io_loop: Any = None,
        xheaders: bool = False,
        ssl_options: Any = None,
        protocol: str | None = None,
        decompress_request: bool = False,
        chunk_size: Bytes | None = None,
        max_header_size: Bytes | None = None,
        idle_connection_timeout: Seconds | None = None,
        body_timeout: Seconds | None = None,
        max_body_size: Bytes | None = None,
        max_buffer_size: Bytes | None = None,
        trusted_downstream: Container[str] | None = None,
    ) -> None:
        """Set the server up; the arguments are those of the class."""
        self.request_callback = request_callback
        self.no_keep_alive = no_keep_alive
        self.xheaders = xheaders
        self.protocol = protocol
        self.trusted_downstream = trusted_downstream
        self.conn_params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            header_timeout=idle_connection_timeout or 3600,
            body_timeout=body_timeout,
            chunk_size=chunk_size,
            max_header_size=max_header_size,
            max_body_size=max_body_size,
            decompress=decompress_request,
        )
        TCPServer.__init__(
            self,
            io_loop=io_loop,
            ssl_options=ssl_options,
            max_buffer_size=max_buffer_size,
            read_chunk_size=chunk_size,
        )
        self._connections: set[HTTP1ServerConnection] = set()

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """This class, unless `configure` has chosen another."""
        return HTTPServer

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """The class that `configure` acts on."""
        return HTTPServer

    @gen.coroutine
    def close_all_connections(self) -> Generator[Any, Any, None]:
        """Close every connection; the `.Future` resolves when no handler is at work on any of them."""
        while self._connections:
            connection = next(iter(self._connections))
            yield connection.close()

    def handle_stream(self, stream: Any, address: Any) -> None:
        """Serve a new connection (called by `.TCPServer`)."""
        context = _HTTPRequestContext(stream, address, self.protocol, self.trusted_downstream)
        connection = HTTP1ServerConnection(stream, self.conn_params, context)
        self._connections.add(connection)
        connection.start_serving(self)

    def start_request(self, server_conn: Any, request_conn: httputil.HTTPConnection) -> HTTPMessageDelegate:
        """The delegate for one request: the application's own, or an adapter for a plain callable."""
        application = self.request_callback
        delegate: HTTPMessageDelegate
        if isinstance(application, httputil.HTTPServerConnectionDelegate):
            delegate = application.start_request(server_conn, request_conn)
        else:
            delegate = _CallableAdapter(application, request_conn)
        return _ProxyAdapter(delegate, request_conn) if self.xheaders else delegate

    def _find_shortcut(self) -> Any:
        """What answers requests without body in one step, in place of `start_request` and its delegates.

        None where the application has no such thing, or `start_request` is not ours. Asked once a connection.
        """
        if type(self).start_request is not _START_REQUEST or "start_request" in self.__dict__:
            return None
        find_shortcut = getattr(self.request_callback, "_find_shortcut", None)
        serve = None if find_shortcut is None else find_shortcut()
        if serve is None or not self.xheaders:
            return serve

        def serve_behind_proxy(server_conn: Any, connection: Any, start_line: Any, headers: Any) -> bool:
            context = connection.context
            context._apply_xheaders(headers)
            try:
                served: bool = serve(server_conn, connection, start_line, headers)
            finally:
                context._unapply_xheaders()
            return served

        return serve_behind_proxy

    def on_close(self, server_conn: Any) -> None:
        """A connection has ended; called by the connection itself."""
        self._connections.remove(server_conn)


_START_REQUEST = HTTPServer.start_request


class _CallableAdapter(httputil.HTTPMessageDelegate):
    """Gathers a request and its body for a callable of one argument."""

    request: httputil.HTTPServerRequest | None = None
    delegate: HTTPMessageDelegate | None = None
    _takes_any_size = True  # see ``_http1.pump``

    def __init__(
        self, request_callback: Callable[[httputil.HTTPServerRequest], Any], request_conn: Any
    ) -> None:
        self.connection = request_conn
        self.request_callback = request_callback
        self._chunks: list[bytes] = []

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self.request = httputil.HTTPServerRequest(
            connection=self.connection, start_line=start_line, headers=headers
        )

    def data_received(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def finish(self) -> None:
        request = self.request
        assert request is not None
        request.body = b"".join(self._chunks)
        request._parse_body()
        # As a RequestHandler has it: context variables set here are gone with the request.
        copy_context().run(self.request_callback, request)

    def on_connection_close(self) -> None:
        self._chunks.clear()


_NOBODY: frozenset[str] = frozenset()


class _HTTPRequestContext:
    """Whom a connection is with: ``remote_ip`` and ``protocol``, and how a proxy's headers change them."""

    def __init__(
        self,
        stream: Any,
        address: Any,
        protocol: str | None,
        trusted_downstream: Container[str] | None = None,
    ) -> None:
        self.address = address
        self.address_family = None if stream.socket is None else stream.socket.family
        if self.address_family in (socket.AF_INET, socket.AF_INET6) and address is not None:
            self.remote_ip = address[0]
        else:
            self.remote_ip = "0.0.0.0"  # a Unix socket has no address, and applications expect one
        if protocol:
            self.protocol = protocol
        else:
            self.protocol = "https" if isinstance(stream, iostream.SSLIOStream) else "http"
        self._orig_remote_ip = self.remote_ip
        self._orig_protocol = self.protocol
        self.trusted_downstream: Container[str] = (
            set(cast(Any, trusted_downstream)) if trusted_downstream else _NOBODY
        )

    def __str__(self) -> str:
        if self.address_family in (socket.AF_INET, socket.AF_INET6):
            return str(self.remote_ip)
        if isinstance(self.address, bytes):
            # Linux gives clients of Unix sockets no name, others an unfinished one, as bytes
            return native_str(self.address)
        return str(self.address)

    def _apply_xheaders(self, headers: HTTPHeaders) -> None:
        """Take address and protocol from a proxy's headers, as far as they are well-formed."""
        # What a proxy appends stands last: the client itself can have sent all that stands before.
        forwarded: str = headers.get("X-Forwarded-For", self.remote_ip)
        address = ""
        for one in reversed(forwarded.split(",")):
            address = one.strip()
            if address not in self.trusted_downstream:
                break
        address = headers.get("X-Real-Ip", address)
        if netutil.is_valid_ip(address):
            self.remote_ip = address
        scheme: str = headers.get("X-Scheme", headers.get("X-Forwarded-Proto", self.protocol))
        scheme = scheme.rpartition(",")[2].strip()  # the last one, here as well
        if scheme in ("http", "https"):
            self.protocol = scheme

    def _unapply_xheaders(self) -> None:
        """Forget what the last request's headers said; the next one may be another client's."""
        self.remote_ip = self._orig_remote_ip
        self.protocol = self._orig_protocol


class _ProxyAdapter(httputil.HTTPMessageDelegate):
    """Stands before another delegate and applies a proxy's headers for the time of one request."""

    def __init__(self, delegate: HTTPMessageDelegate, request_conn: Any) -> None:
        self.connection = request_conn
        self.delegate = delegate

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        self.connection.context._apply_xheaders(headers)
        return self.delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return self.delegate.data_received(chunk)

    @property
    def _takes_any_size(self) -> bool:
        return getattr(self.delegate, "_takes_any_size", False)

    # One of these two is the last that a request hears.

    def finish(self) -> None:
        self._tell_last(self.delegate.finish)

    def on_connection_close(self) -> None:
        self._tell_last(self.delegate.on_connection_close)

    def _tell_last(self, tell: Callable[[], Any]) -> None:
        try:
            tell()
        finally:
            self._cleanup()

    def _cleanup(self) -> None:
        self.connection.context._unapply_xheaders()


class _ServerRequestAdapter(_ProxyAdapter):
    """What `HTTPServer.start_request` returned in older Tornado 4, kept for code that makes or wraps one.

    Finds the application's delegate by ``server.request_callback``, as `HTTPServer.start_request` does, and
    applies a proxy's headers if ``server.xheaders`` says so.
    """

    def __init__(self, server: HTTPServer, server_conn: Any, request_conn: Any) -> None:
        self.server = server
        application = server.request_callback
        delegate: HTTPMessageDelegate
        if isinstance(application, httputil.HTTPServerConnectionDelegate):
            delegate = application.start_request(server_conn, request_conn)
        else:
            delegate = _CallableAdapter(application, request_conn)
        super().__init__(delegate, request_conn)

    @property
    def request(self) -> httputil.HTTPServerRequest | None:
        """The request, once its headers are there; None where the application's own delegate keeps it."""
        return getattr(self.delegate, "request", None)

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        if self.server.xheaders:
            return super().headers_received(start_line, headers)
        return self.delegate.headers_received(start_line, headers)

    def _cleanup(self) -> None:
        if self.server.xheaders:
            super()._cleanup()


HTTPRequest = httputil.HTTPServerRequest
