"""The default HTTP client: non-blocking, pure Python, one connection a request.

`SimpleAsyncHTTPClient` queues requests and hands each to an `_HTTPConnection`, which connects through a
`.TCPClient`, lets `.HTTP1Connection` do the framing, follows redirects and reports an `.HTTPResponse`.
Connections are reused only where ``keep_alive`` asks for it, and proxies are not supported; `tornado4.curl_httpclient`
does both.
"""

from __future__ import annotations

import base64
import collections
import copy
import functools
import importlib
import operator
import re
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from types import TracebackType
from typing import Any, cast
from urllib import parse as urlparse

from tornado4 import _handed_on, gen, httputil, netutil, stack_context, switches
from tornado4._core.memory import keep_large_blocks
from tornado4._http1.idle_pool import IdlePool
from tornado4._masking import mask_url
from tornado4._wire.http1_grammar import connection_options
from tornado4.concurrent import Future, is_future
from tornado4.escape import _unicode, utf8
from tornado4.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado4.httpclient import (
    AsyncHTTPClient,
    HTTPError,
    HTTPRequest,
    HTTPResponse,
    _RequestProxy,  # noqa: F401  (4.5.3 shows it here, too)
    _several,
    main,
)
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.log import gen_log
from tornado4.netutil import OverrideResolver, Resolver
from tornado4.tcpclient import TCPClient
from tornado4.util import PY3

__all__ = [
    "PY3",
    "AsyncHTTPClient",
    "HTTP1Connection",
    "HTTP1ConnectionParameters",
    "HTTPError",
    "HTTPResponse",
    "OverrideResolver",
    "Resolver",
    "SimpleAsyncHTTPClient",
    "StreamClosedError",
    "TCPClient",
    "gen_log",
    "main",
    "utf8",
]

#: The package, once `_default_ca_certs` has been asked for its file: Python's own certificate store is used here.
certifi: Any = None

#: Bytes of a body that are worth a buffer of their own, and those that a server has to send before it gets one.
_LEAST_ROOM, _MOST_ROOM = 128 * 1024, 8 * 1024 * 1024

_ResponseCallback = Callable[[HTTPResponse], Any]


def _default_ca_certs() -> str:
    """The file of CA certificates that ``certifi`` brings; needed by nobody here, kept for callers of
    4.5.3's.
    """
    global certifi
    if certifi is None:
        try:
            certifi = importlib.import_module("certifi")
        except ImportError:
            text = "The 'certifi' package is required to use https in simple_httpclient"
            raise Exception(text) from None
    return cast(str, certifi.where())


#: What makes the errors of fetches that took too long, and of connections that were closed too early, by a message.
#: The flag ``names`` puts the classes in their place that Tornado 6 has for them.
_timed_out: Callable[[str], HTTPError] = functools.partial(HTTPError, 599)
_stream_closed: Callable[[str], HTTPError] = functools.partial(HTTPError, 599)


class SimpleAsyncHTTPClient(AsyncHTTPClient):
    """The client that `.AsyncHTTPClient` makes unless configured otherwise. See `initialize` for its
    arguments.
    """

    #: SEC: credentials stay with the origin they were meant for. True sends ``Authorization`` and ``Cookie``
    #: headers and user names along when a redirect leads to another origin, as 4.5.3 did.
    forward_credentials = False

    #: Where connections wait for their next request, with ``keep_alive``.
    _idle_pool: IdlePool | None = None

    def initialize(  # type: ignore[override]
        self,
        io_loop: IOLoop,
        max_clients: int = 10,
        hostname_mapping: Mapping[Any, Any] | None = None,
        max_buffer_size: int = 104857600,
        resolver: Resolver | None = None,
        defaults: Mapping[str, Any] | None = None,
        max_header_size: int | None = None,
        max_body_size: int | None = None,
        *,
        keep_alive: bool = False,
        max_idle_connections: int | None = None,
        idle_timeout: float = 30.0,
    ) -> None:
        """Arguments, given to the constructor with ``force_instance=True`` or to
        ``AsyncHTTPClient.configure``:

        :arg int max_clients: requests at work at a time; more wait in a queue. Waiting counts as connecting:
            a request may time out there.
        :arg hostname_mapping: addresses for host names, as `.OverrideResolver` takes them.
        :arg int max_buffer_size: bytes read ahead, 100 MB by default; also the default for ``max_body_size``.
        :arg resolver: a `.Resolver` of the caller's, which is not closed with the client.
        :arg int max_header_size: bytes; longer response headers are an error.
        :arg int max_body_size: bytes, counted after decompression too; longer bodies are an error.
        :arg bool keep_alive: keep connections for further requests to the same origin, with the same TLS options. Not
            the default: 4.5.3 sent ``Connection: close``, and servers can tell. A kept connection that turns out to
            be closed is replaced once, for methods that are idempotent (RFC 9110, section 9.2.2); others fail.
        :arg int max_idle_connections: kept connections without a request, which ``max_clients`` does not count;
            as many as ``max_clients`` by default.
        :arg float idle_timeout: seconds for which these are kept.
        """
        super().initialize(io_loop, defaults=defaults)
        self.max_clients = max_clients
        self.queue: collections.deque[tuple[object, HTTPRequest, _ResponseCallback]] = collections.deque()
        self.active: dict[object, tuple[HTTPRequest, _ResponseCallback]] = {}
        self.waiting: dict[object, tuple[HTTPRequest, _ResponseCallback, Any]] = {}
        self.max_buffer_size = max_buffer_size
        self.max_header_size = max_header_size
        self.max_body_size = max_body_size
        # A resolver that we make lives on the client's loop, and goes when the client goes.
        self.own_resolver = resolver is None
        self.resolver: Any = Resolver(io_loop=io_loop) if resolver is None else resolver
        if hostname_mapping is not None:
            self.resolver = OverrideResolver(resolver=self.resolver, mapping=hostname_mapping)
        self.tcp_client = TCPClient(resolver=self.resolver, io_loop=io_loop)
        if keep_alive:
            most = max_clients if max_idle_connections is None else max_idle_connections
            self._idle_pool = IdlePool(io_loop, most, idle_timeout)

    def close(self) -> None:
        """Close the client. Requests under way go on to their end, as in 4.5.3."""
        super().close()
        if self._idle_pool is not None:
            self._idle_pool.close()
        self.tcp_client.close()
        if self.own_resolver:
            self.resolver.close()

    def fetch_impl(self, request: HTTPRequest, callback: _ResponseCallback) -> None:
        """Queue ``request`` and start what may start.

        :arg callback: gets the response.
        """
        key = object()
        self.queue.append((key, request, callback))
        timer = None
        if len(self.active) >= self.max_clients:
            # As in 4.5.3: a limit of 0, which is none while connecting, is a real one here.
            patience = min(request.connect_timeout, request.request_timeout)  # type: ignore[type-var]
            timer = self.io_loop.add_timeout(
                self.io_loop.time() + patience,  # type: ignore[operator]
                functools.partial(self._on_timeout, key, "in request queue"),
            )
        self.waiting[key] = (request, callback, timer)
        self._process_queue()
        if self.queue:
            gen_log.debug(
                "max_clients limit reached, request queued. %d active, %d queued requests.",
                len(self.active),
                len(self.queue),
            )

    def _process_queue(self) -> None:
        """Start queued requests while there is room for them."""
        if not self.queue or len(self.active) >= self.max_clients:
            return
        # Whoever happens to call us (the end of some other request, often) must not lend its context to
        # these.
        with stack_context.NullContext():
            while self.queue and len(self.active) < self.max_clients:
                self._start_next()

    def _start_next(self) -> None:
        key, request, callback = self.queue.popleft()
        if key in self.waiting:
            self._remove_timeout(key)
            release = functools.partial(self._release_fetch, key)
            self.active[key] = request, callback
            self._handle_request(request, release, callback)

    def _connection_class(self) -> type[_HTTPConnection]:
        """The class that performs one request; subclasses of the client bring their own."""
        return _HTTPConnection

    def _handle_request(
        self, request: HTTPRequest, release_callback: Callable[[], Any], final_callback: _ResponseCallback
    ) -> None:
        perform = self._connection_class()
        limits = (self.max_header_size, self.max_body_size)
        connect_with = (self.max_buffer_size, self.tcp_client)
        perform(self.io_loop, self, request, release_callback, final_callback, *connect_with, *limits)

    def _release_fetch(self, key: object) -> None:
        """A request is over: its place is free."""
        del self.active[key]
        self._process_queue()

    def _remove_timeout(self, key: object) -> None:
        """Take a request off the waiting list, and its timer off the loop."""
        entry = self.waiting.pop(key, None)
        if entry is not None and entry[2] is not None:
            self.io_loop.remove_timeout(entry[2])

    def _on_timeout(self, key: object, info: str | None = None) -> None:
        """A request waited for too long: answer it without having started it."""
        request, callback, _ = self.waiting.pop(key)
        self.queue.remove((key, request, callback))
        failure = _timed_out(f"Timeout {info}" if info else "Timeout")
        elapsed = self.io_loop.time() - request.start_time
        self.io_loop.add_callback(callback, HTTPResponse(request, 599, error=failure, request_time=elapsed))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """What two URLs must share to be one site (RFC 6454, section 4)."""
    parts = urlparse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _same_origin(one: str, other: str) -> bool:
    try:
        return _origin(one) == _origin(other)
    except ValueError:
        # A port that is none: no site at all.
        return False


# Blanks around a URL were always harmless; controls inside could only be meant to forge a request line.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NOT_A_METHOD = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")

# Redirects that keep method and body, and those that turn into a GET (RFC 9110, section 15.4; as in 4.5.3
# the latter do so whatever the method was).
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_TO_GET = frozenset({302, 303})


class _HTTPConnection(httputil.HTTPMessageDelegate):
    """One request, from connecting to its response; a redirect goes on in a new one.

    Private, and yet other packages subclass it for proxies, tunnels and HTTP/2: the methods keep 4.5.3's
    names, and are called in its order.
    """

    _SUPPORTED_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}

    def __init__(
        self,
        io_loop: IOLoop, client: SimpleAsyncHTTPClient | None, request: Any,
        release_callback: Callable[[], Any] | None, final_callback: _ResponseCallback | None,
        max_buffer_size: int, tcp_client: TCPClient, max_header_size: int | None, max_body_size: int | None,
    ) -> None:
        self.client, self.request = client, request
        self.io_loop, self.start_time = io_loop, io_loop.time()
        # Each is called at most once, and None from then on.
        self.release_callback, self.final_callback = release_callback, final_callback
        self.tcp_client, self.max_buffer_size = tcp_client, max_buffer_size
        self.max_header_size, self.max_body_size = max_header_size, max_body_size
        self.code: int | None = None
        self.reason: str | None = None
        self.headers: httputil.HTTPHeaders | None = None
        self.chunks: list[bytes] = []
        # A body of known size is put together where it is to stay, in place of ``chunks``.
        self._body: BytesIO | None = None
        self._decompressor = None
        # An announced body (expect_100_continue) that no 100 has asked for yet.
        self._body_announced = bool(request.expect_100_continue)
        # Made while the first connection attempt is under way; None when there is no limit.
        self._timeout: Any = None
        # Set where connections are kept, and there is something to find them by.
        self._pool: IdlePool | None = None
        self._pool_key: Any = None
        self._reused = False
        # The Future of the connection, while there is none yet.
        self._connecting: Any = None
        self._sockaddr = None
        self._guarded(self._start)

    # -- connecting

    def _guarded(self, step: Callable[..., Any], *args: Any) -> None:
        """Run one step of the exchange; its failure is the request's.

        A subclass may register callbacks of its own in `_on_connect` (a proxy's handshake): for these the
        stack context does what try does for ours. Plain requests are spared the context, which all
        callbacks would carry.
        """
        if type(self)._on_connect not in _PLAIN_CONNECTS:
            with stack_context.ExceptionStackContext(self._handle_exception):
                step(*args)
            return
        try:
            step(*args)
        except Exception:
            if not self._handle_exception(*cast(Any, sys.exc_info())):
                raise

    def _start(self) -> None:
        url = _unicode(self.request.url or "").strip()
        if _CONTROLS.search(url):
            raise ValueError(f"Control character in url: {mask_url(url)!r}")
        self.parsed = urlparse.urlsplit(url)
        if self.parsed.scheme not in ("http", "https"):
            raise ValueError(f"Unsupported url scheme: {mask_url(str(self.request.url))}")
        host, port = self._address()
        self.parsed_hostname = host
        family = socket.AF_INET if self.request.allow_ipv6 is False else socket.AF_UNSPEC
        if self._reuse((self.parsed.scheme, host, port, family)):
            return
        ssl_options = self._get_ssl_options(self.parsed.scheme)
        limit = min(self.request.connect_timeout, self.request.request_timeout)
        if limit:
            self._timeout = self.io_loop.add_timeout(
                self.start_time + limit,
                functools.partial(self._on_timeout, "while connecting"),
            )
        self._connecting = self.tcp_client.connect(
            host, port, af=family, ssl_options=ssl_options, max_buffer_size=self.max_buffer_size
        )
        self.io_loop.add_future(self._connecting, functools.partial(self._guarded, self._connected))

    def _reuse(self, origin: tuple[Any, ...]) -> bool:
        """Go on with a kept connection, if the client keeps any and has one for us."""
        pool = getattr(self.client, "_idle_pool", None)
        if pool is None or _steps_of(type(self)) != _PLAIN_STEPS:
            return False
        request, tls = self.request, None
        if origin[0] != "http":
            tls = request.ssl_options
            if tls is None:
                tls = request.validate_cert, request.ca_certs, request.client_cert, request.client_key
        key = (*origin, tls, self.tcp_client.resolver)
        try:
            hash(key)
        except TypeError:
            return False  # a dictionary of TLS options, for one, which may change
        self._pool, self._pool_key = pool, key
        stream = pool.take(key)
        if stream is None:
            return False
        self._reused = True
        self._on_connect(stream)
        return True

    def _address(self) -> tuple[str, int]:
        """Host and port to connect to. An IPv6 literal loses its brackets (RFC 3986, section 3.2.2)."""
        host, port = httputil.split_host_and_port(self.parsed.netloc.rpartition("@")[2])
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        if port is None:
            port = 443 if self.parsed.scheme == "https" else 80
        return host, port

    def _connected(self, connecting: Future) -> None:
        self._connecting = None
        self._on_connect(connecting.result())

    def _get_ssl_options(self, scheme: str) -> dict[str, Any] | ssl.SSLContext | None:
        """What to start TLS with; None for plain HTTP.

        ``ssl_options`` as given; else the context that all requests without wishes of their own share; else
        one made of ``validate_cert``, ``ca_certs``, ``client_cert`` and ``client_key``.
        """
        request = self.request
        if scheme != "https":
            return None
        if request.ssl_options is not None:
            return cast("dict[str, Any] | ssl.SSLContext", request.ssl_options)
        if request.validate_cert and not (request.ca_certs or request.client_cert or request.client_key):
            return cast("ssl.SSLContext", _handed_on.own(globals(), "_client_ssl_defaults"))
        return _make_client_context(
            bool(request.validate_cert), request.ca_certs, request.client_cert, request.client_key
        )

    def _on_timeout(self, info: str | None = None) -> None:
        """The timer has run out, ``info`` says in which phase; the request fails with 599."""
        self._timeout = None
        message = f"Timeout {info}" if info else "Timeout"
        if self.final_callback is not None:
            self._handle_exception(HTTPError, _timed_out(message), None)
        # Not every client of a caller's own can do this.
        give_up = getattr(self._connecting, "_give_up", None)
        if give_up is not None:
            give_up()

    def _remove_timeout(self) -> None:
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None

    def _on_connect(self, stream: IOStream) -> None:
        """The stream is connected: send the request, then read the response."""
        if self.final_callback is None:
            # Given up (timed out) meanwhile.
            stream.close()
            return
        request, self.stream = self.request, stream
        stream.set_close_callback(self.on_connection_close)
        self._remove_timeout()
        limit = request.request_timeout
        if limit:
            self._timeout = self.io_loop.add_timeout(
                self.start_time + limit,
                functools.partial(self._on_timeout, "during request"),
            )
        self._check_request()
        self._complete_headers()
        # After _complete_headers: what is written must not change while connecting subclasses look at it.
        path = self.parsed.path or "/"
        if self.parsed.query:
            path += "?" + self.parsed.query
        self.connection = self._create_connection(stream)
        self.connection.write_headers(
            httputil.RequestStartLine(request.method, path, ""), request.headers
        )
        if request.expect_100_continue:
            self._read_response()
        else:
            self._write_body(True)

    def _check_request(self) -> None:
        """Refuse what cannot be sent, with 4.5.3's errors in 4.5.3's order."""
        request = self.request
        method = request.method
        if not request.allow_nonstandard_methods and method not in self._SUPPORTED_METHODS:
            raise KeyError(f"unknown method {method}")
        if not method or _NOT_A_METHOD.search(method):
            raise ValueError(f"Invalid method: {method!r}")
        # The default of proxy_password is empty, and not a wish.
        if any(wishes := _curl_only(request)):
            feature = next(name for name, wish in zip(_CURL_ONLY, wishes, strict=True) if wish)
            raise NotImplementedError(f"{feature} not supported")

    def _complete_headers(self) -> None:
        """Add the headers that the request needs and the caller did not set."""
        request = self.request
        headers, agent, nonstandard, expects, body, method, decompress = _head_wishes(request)
        if "Connection" not in headers:
            headers["Connection"] = "close" if self._pool is None else "keep-alive"
        if "Host" not in headers:
            headers["Host"] = self.parsed.netloc.rpartition("@")[2]
        self._add_credentials(headers)
        if agent:
            headers["User-Agent"] = agent
        if not nonstandard:
            self._check_body_presence()
        if expects:
            headers["Expect"] = "100-continue"
        if body is not None:
            # Always ours: a length other than the body's would break the framing.
            headers["Content-Length"] = str(len(body))
        if method == "POST" and "Content-Type" not in headers:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if decompress:
            headers["Accept-Encoding"] = "gzip"

    def _add_credentials(self, headers: httputil.HTTPHeaders) -> None:
        """HTTP authentication from the URL or, failing that, the request (RFC 7617)."""
        request = self.request
        username: str | None
        password: str | None
        if self.parsed.username is not None:
            # As they stand, percent signs and all: as in 4.5.3.
            username, password = self.parsed.username, self.parsed.password
        elif request.auth_username is not None:
            username, password = request.auth_username, request.auth_password
        else:
            return
        if request.auth_mode not in (None, "basic"):
            # Two arguments, unformatted: that is the exception people know.
            raise ValueError("unsupported auth_mode %s", request.auth_mode)
        pair = utf8(username) + b":" + utf8(password or "")
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")

    def _check_body_presence(self) -> None:
        """A body where the method expects one, none where it does not."""
        request = self.request
        expected = request.method in ("POST", "PATCH", "PUT")
        present = request.body is not None or request.body_producer is not None
        if expected != present:
            raise ValueError(
                "Body must {}be None for method {} (unless allow_nonstandard_methods is true)".format(
                    "not " if expected else "", request.method
                )
            )

    def _create_connection(self, stream: IOStream) -> HTTP1Connection:
        """The protocol on top of ``stream``. Nagle's algorithm is switched off: we write in whole pieces."""
        if not self._reused:  # else it is off since the last request
            stream.set_nodelay(True)
        parameters = HTTP1ConnectionParameters(
            no_keep_alive=self._pool is None,
            max_header_size=self.max_header_size,
            max_body_size=self.max_body_size,
            decompress=bool(self.request.decompress_response),
        )
        connection = HTTP1Connection(stream, True, parameters, self._sockaddr)
        connection._undelayed = True
        return connection

    # -- the exchange

    def _write_body(self, start_read: bool) -> None:
        """Send the body; then, with ``start_read``, wait for the response."""
        if self.request.body is not None:
            self.connection.write(self.request.body)
        elif self.request.body_producer is not None:
            outcome = self.request.body_producer(self.connection.write)
            if outcome is not None:
                produced = outcome if is_future(outcome) else gen.convert_yielded(outcome)
                self.io_loop.add_future(
                    produced, functools.partial(self._guarded, self._body_produced, start_read)
                )
                return
        self._body_written(start_read)

    def _body_produced(self, start_read: bool, produced: Future) -> None:
        produced.result()
        self._body_written(start_read)

    def _body_written(self, start_read: bool) -> None:
        self.connection.finish()
        if start_read:
            self._read_response()

    def _read_response(self) -> None:
        self.io_loop.add_future(
            self.connection.read_response(self), functools.partial(self._guarded, self._response_read)
        )

    def _response_read(self, reading: Future) -> None:
        """Reading is over, one way or the other; a failure of it is ours to report."""
        reading.result()
        if self.final_callback is not None and self.stream.closed():
            # Nothing that deserves to be called a response: 4.5.3 left the caller to its time-out.
            self.on_connection_close()

    def _release(self) -> None:
        """Tell the client that our place is free."""
        if self.release_callback is not None:
            release, self.release_callback = self.release_callback, None
            release()

    def _run_callback(self, response: HTTPResponse) -> None:
        """Free the place, then report ``response``, once, from the loop and not from within our caller."""
        self._release()
        if self.final_callback is not None:
            report, self.final_callback = self.final_callback, None
            self.io_loop.add_callback(report, response)

    def _handle_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> bool:
        """End the request with an error. True means that it has been dealt with."""
        if self._reused and self.final_callback is not None and self._try_anew():
            return True
        if self.final_callback is None:
            # Reported already. Closing the stream makes whoever waited for it fail in turn: no news.
            return isinstance(value, StreamClosedError)
        self._remove_timeout()
        if isinstance(value, StreamClosedError):
            # The reason, where there is one, says more than the fact.
            value = value.real_error or _stream_closed("Stream closed")
        elapsed = self.io_loop.time() - self.start_time
        self._run_callback(HTTPResponse(self.request, 599, error=value, request_time=elapsed))
        if hasattr(self, "stream"):
            self.stream.close()
        return True

    def _try_anew(self) -> bool:
        """Replace a kept connection that the server had closed before it saw our request."""
        request, pool = self.request, self._pool
        if (
            self.code is not None
            or not self.stream.closed()
            or request.method not in _IDEMPOTENT
            or request.body_producer is not None
        ):
            return False
        assert pool is not None and self.client is not None
        pool.drop(self._pool_key)
        self._remove_timeout()
        callbacks = self.release_callback, self.final_callback
        self.release_callback = self.final_callback = None
        limits = (self.max_header_size, self.max_body_size)
        with stack_context.NullContext():
            type(self)(
                self.io_loop, self.client, request, *callbacks, self.max_buffer_size, self.tcp_client, *limits
            )
        return True

    def _give_back(self) -> bool:
        """Keep the connection for the next request, if it can be kept and the client wants it."""
        pool, connection, stream = self._pool, self.connection, self.stream
        if (
            pool is None
            or stream.closed()
            or not connection._write_finished
            or connection._disconnect_on_finish
            or stream._outgoing.size
            or "close" in connection_options(self.request.headers.get("Connection"))
        ):
            return False
        connection.detach()
        pool.put(self._pool_key, stream)
        return True

    def on_connection_close(self) -> None:
        """The stream was closed before the response was complete."""
        if self.final_callback is not None:
            error = self.stream.error or _stream_closed("Connection closed")
            self._handle_exception(type(error), error, None)

    def headers_received(
        self,
        first_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> None:
        """A response's head. ``100 (Continue)`` is the sign to send an announced body, and no response yet.
        """
        line = cast(httputil.ResponseStartLine, first_line)
        if self.request.expect_100_continue and line.code == 100:
            # Once: a server may say it again (RFC 9110, section 15.2), which made 4.5.3 send the body again.
            if self._body_announced:
                self._body_announced = False
                self._write_body(False)
            return
        self.code, self.reason, self.headers = line.code, line.reason, headers
        self._body = self._make_room(headers)
        if self._should_follow_redirect() or self.request.header_callback is None:
            return
        self.request.header_callback("{} {} {}\r\n".format(*line))
        for name, value in headers.get_all():
            self.request.header_callback(f"{name}: {value}\r\n")
        self.request.header_callback("\r\n")

    def _make_room(self, headers: httputil.HTTPHeaders) -> BytesIO | None:
        """A buffer for a large body, if it is known how large, and not so large that it had better come first."""
        length = headers.get("Content-Length", "")
        if (
            self.request.streaming_callback is not None
            or self.request.method == "HEAD"
            or "X-Consumed-Content-Encoding" in headers
            or not length.isdecimal()
            or not _LEAST_ROOM <= int(length) <= _MOST_ROOM
        ):
            return None
        keep_large_blocks()
        room = BytesIO()
        room.seek(int(length) - 1)
        room.write(b"\0")
        room.seek(0)
        return room

    def _body_room(self, missing: int) -> memoryview | None:
        """The part of the buffer that is not filled yet, for ``_http1.client_pump``; its owner releases it."""
        room = self._body
        if room is None or type(self).data_received is not _DATA_RECEIVED or self._should_follow_redirect():
            return None
        with room.getbuffer() as whole:
            return whole[-missing:]

    def _body_filled(self) -> None:
        """The kernel has written what was missing."""
        if self._body is not None:
            self._body.seek(0, 2)

    def _response_buffer(self) -> BytesIO:
        """The body. With a streaming_callback it has gone there, and this is empty."""
        room, self._body = self._body, None
        if room is None:
            return BytesIO(b"".join(self.chunks))
        room.truncate()
        room.seek(0)
        return room

    def _should_follow_redirect(self) -> bool:
        if self.code not in _REDIRECTS or not self.request.follow_redirects:
            return False
        if self.client is None or self.request.max_redirects <= 0:
            return False
        # A redirect to nowhere is a response like others; 4.5.3 died of it.
        return self.headers is not None and "Location" in self.headers

    def finish(self) -> None:
        """The response is complete: report it, or go where it points."""
        self._remove_timeout()
        # Before anybody may start another request.
        kept = self._give_back()
        if self.final_callback is None:
            # Reported already, as a time-out say: the end of the stream is the end of a body without a length, and yet
            # nobody waits for it, nor for where it points.
            if not kept:
                self._on_end_request()
            return
        if self._should_follow_redirect():
            self._guarded(self._follow_redirect)
            if not kept:
                self._on_end_request()
            return
        original = getattr(self.request, "original_request", self.request)
        self._run_callback(
            HTTPResponse(
                original,
                cast(int, self.code),
                reason=self.reason,
                headers=self.headers,
                request_time=self.io_loop.time() - self.start_time,
                buffer=self._response_buffer(),
                effective_url=self.request.url,
            )
        )
        if not kept:
            self._on_end_request()

    def _follow_redirect(self) -> None:
        """Hand over to a new request, through the client's own ``fetch``, which takes our final callback."""
        assert self.headers is not None and self.client is not None
        proxy = self.request
        following = copy.copy(proxy.request)
        following.url = urlparse.urljoin(proxy.url, self.headers["Location"])
        following.max_redirects = proxy.max_redirects - 1
        following.headers.pop("Host", None)
        if self.code in _REDIRECTS_TO_GET:
            following.method = "GET"
            following.body = following.body_producer = None
            for name in ("Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"):
                following.headers.pop(name, None)
        if not getattr(self.client, "forward_credentials", False):
            self._drop_credentials(following)
        following.original_request = getattr(proxy, "original_request", proxy)
        report, self.final_callback = self.final_callback, None
        # Our place is free before the next request asks for one: redirects work with max_clients=1.
        self._release()
        self.client.fetch(following, report)

    def _drop_credentials(self, following: HTTPRequest) -> None:
        """SEC: what authenticates us to one origin is not for another (RFC 9110, section 15.4)."""
        if _same_origin(following.url, self.request.url):
            return
        following.headers = httputil.HTTPHeaders(following.headers)
        for name in ("Authorization", "Cookie", "Proxy-Authorization"):
            following.headers.pop(name, None)
        following.auth_username = following.auth_password = None

    def _on_end_request(self) -> None:
        self.stream.close()

    def data_received(self, chunk: bytes) -> Any:
        """A piece of the body. The body of a redirect that is followed interests nobody."""
        if self._should_follow_redirect():
            return
        if self.request.streaming_callback is not None:
            self.request.streaming_callback(chunk)
        elif self._body is not None:
            self._body.write(chunk)
        else:
            self.chunks.append(chunk)


#: What puts the body into the buffer, piece by piece.
_DATA_RECEIVED = _HTTPConnection.data_received

#: `_on_connect` methods that register no callbacks but ours; see `_HTTPConnection._guarded`.
_PLAIN_CONNECTS = {_HTTPConnection._on_connect}

#: What a subclass may replace to have its connections for itself.
_steps_of = operator.attrgetter(
    "_address", "_create_connection", "_get_ssl_options", "_on_connect", "_on_end_request"
)
_PLAIN_STEPS = _steps_of(_HTTPConnection)

#: Methods that may be sent twice (RFC 9110, section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})

_CURL_ONLY = (
    "network_interface",
    *(f"proxy_{what}" for what in ("host", "port", "username", "password", "auth_mode")),
)


_curl_only = _several(*_CURL_ONLY)
_head_wishes = _several(
    *("headers", "user_agent", "allow_nonstandard_methods", "expect_100_continue", "body", "method"),
    "decompress_response",
)


def _make_client_context(
    validate: bool, ca_certs: str | None, client_cert: str | None, client_key: str | None
) -> ssl.SSLContext:
    """A TLS context for a request with wishes of its own.

    Validation checks chain and host name, against ``ca_certs`` or, without it, the system's store: 4.5.3
    had no store at all when only a client certificate was given. X.509 is checked as leniently as 4.5.3
    did, not with Python 3.13's VERIFY_X509_STRICT, which private CAs often fail.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not validate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ca_certs is not None:
        context.load_verify_locations(ca_certs)
    elif validate:
        context.load_default_certs()
    if client_cert is not None:
        context.load_cert_chain(client_cert, client_key)
    return context


def _forward_credentials() -> None:
    SimpleAsyncHTTPClient.forward_credentials = True


switches.when_allowed("redirect-credentials", _forward_credentials)

_handed_on.complete(globals(), made={"_client_ssl_defaults": lambda: netutil._client_ssl_defaults})


if __name__ == "__main__":
    # As in 4.5.3: the command line of httpclient with this implementation, whatever another would be.
    AsyncHTTPClient.configure("tornado4.simple_httpclient.SimpleAsyncHTTPClient")
    main()
