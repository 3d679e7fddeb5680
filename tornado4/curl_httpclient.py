"""An HTTP client on libcurl, through ``pycurl``, without which this module does not import.

It does what `tornado4.simple_httpclient` does not: proxies, digest authentication, outgoing interfaces, and
connections that are kept and used again. Chosen with::

    AsyncHTTPClient.configure("tornado4.curl_httpclient.CurlAsyncHTTPClient")

libcurl's multi interface drives the transfers, and the `.IOLoop` watches its sockets and its timer.
"""

from __future__ import annotations

import collections
import functools
import logging
import re
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import pycurl

from tornado4 import _handed_on, httputil, stack_context, switches
from tornado4._masking import mask_line, mask_url
from tornado4.escape import native_str, utf8
from tornado4.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse, main
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.log import gen_log

__all__ = [
    "AsyncHTTPClient",
    "CurlAsyncHTTPClient",
    "CurlError",
    "HTTPError",
    "HTTPResponse",
    "curl_log",
    "main",
    "native_str",
    "utf8",
]

#: What libcurl has to say, at debug level; asking for it makes libcurl verbose.
curl_log = logging.getLogger("tornado.curl_httpclient")

_Headers = httputil.HTTPHeaders
_ResponseCallback = Callable[[HTTPResponse], Any]

_POLL_EVENTS = {
    pycurl.POLL_NONE: IOLoop.NONE,
    pycurl.POLL_IN: IOLoop.READ,
    pycurl.POLL_OUT: IOLoop.WRITE,
    pycurl.POLL_INOUT: IOLoop.READ | IOLoop.WRITE,
}

# Methods that have an option of their own, and those that go by name.
_METHOD_OPTIONS = {"GET": pycurl.HTTPGET, "POST": pycurl.POST, "PUT": pycurl.UPLOAD, "HEAD": pycurl.NOBODY}
_NAMED_METHODS = frozenset({"DELETE", "OPTIONS", "PATCH"})
_BODY_METHODS = frozenset({"POST", "PATCH", "PUT"})
_AUTH_MODES = {"basic": pycurl.HTTPAUTH_BASIC, "digest": pycurl.HTTPAUTH_DIGEST}

_TIMES = {
    "namelookup": pycurl.NAMELOOKUP_TIME,
    "connect": pycurl.CONNECT_TIME,
    "pretransfer": pycurl.PRETRANSFER_TIME,
    "starttransfer": pycurl.STARTTRANSFER_TIME,
    "total": pycurl.TOTAL_TIME,
    "redirect": pycurl.REDIRECT_TIME,
}

#: Bytes of a response's body.
_MOST_BYTES = 100 * 1024 * 1024

# SEC: libcurl sends these lines as they are.
_LINE_BREAKS = re.compile(r"[\r\n\0]")
_NOT_A_METHOD = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")


class CurlAsyncHTTPClient(AsyncHTTPClient):
    """The client on libcurl. ``max_clients`` is the number of its handles, thus of requests at a time."""

    def initialize(  # type: ignore[override]
        self,
        io_loop: IOLoop,
        max_clients: int = 10,
        defaults: Mapping[str, Any] | None = None,
        *,
        max_body_size: int | None = None,
    ) -> None:
        """Set up the multi handle and ``max_clients`` easy handles.

        :arg int max_body_size: bytes, counted after decompression; a longer body is an error (599). The default is
            100 MB, as in `.SimpleAsyncHTTPClient`.
        """
        super().initialize(io_loop, defaults=defaults)
        self.max_body_size = max_body_size or _MOST_BYTES
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timeout)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._handle_socket)
        self._curls: list[Any] = [self._curl_create() for _ in range(max_clients)]
        self._free_list: list[Any] = self._curls[:]
        self._requests: collections.deque[tuple[HTTPRequest, _ResponseCallback, float]] = collections.deque()
        #: Events watched for, by descriptor.
        self._fds: dict[int, int] = {}
        self._timeout: Any = None
        # libcurl has been known to forget its timer; once a second it is asked in any case.
        self._force_timeout_callback = PeriodicCallback(self._handle_force_timeout, 1000, io_loop=io_loop)
        self._force_timeout_callback.start()

    def close(self) -> None:
        """Close all handles. Requests under way are never answered, as in 4.5.3."""
        if self._closed:
            return
        self._force_timeout_callback.stop()
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None
        for curl in self._curls:
            if curl not in self._free_list:
                self._multi.remove_handle(curl)
            curl.close()
        self._multi.close()
        for fd in list(self._fds):
            self.io_loop.remove_handler(fd)
        self._fds.clear()
        # The callbacks held by the handles are bound methods of ours: a cycle.
        self._curls, self._free_list = [], []
        super().close()

    def fetch_impl(self, request: HTTPRequest, callback: _ResponseCallback) -> None:
        """Queue ``request`` and start what may start."""
        self._requests.append((request, callback, time.time()))
        self._process_queue()
        self._set_timeout(0)

    # -- between libcurl and the loop

    def _handle_socket(self, event: int, fd: int, multi: Any, data: Any) -> None:
        """libcurl wants a socket to be watched, or no longer."""
        # A known descriptor is registered afresh: libcurl may have closed it, and a new socket got the same
        # number, without our being told in between.
        if fd in self._fds:
            self.io_loop.remove_handler(fd)
            del self._fds[fd]
        if event != pycurl.POLL_REMOVE:
            events = _POLL_EVENTS[event]
            self.io_loop.add_handler(fd, self._handle_events, events)
            self._fds[fd] = events

    def _set_timeout(self, msecs: int) -> None:
        """libcurl wants to be called in so many milliseconds; -1 is never."""
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None
        if msecs >= 0 and not self._closed:
            deadline = self.io_loop.time() + msecs / 1000.0
            self._timeout = self.io_loop.add_timeout(deadline, self._handle_timeout)

    def _handle_events(self, fd: int, events: int) -> None:
        """A socket is ready."""
        action = 0
        if events & IOLoop.READ:
            action |= pycurl.CSELECT_IN
        if events & IOLoop.WRITE:
            action |= pycurl.CSELECT_OUT
        self._socket_action(fd, action)
        self._finish_pending_requests()

    def _socket_action(self, fd: int, action: int) -> None:
        while True:
            try:
                status, _ = self._multi.socket_action(fd, action)
            except pycurl.error as failure:
                status = failure.args[0]
            if status != pycurl.E_CALL_MULTI_PERFORM:
                return

    def _handle_timeout(self) -> None:
        """The time that libcurl asked for has passed."""
        # New requests may be started from here, and their callbacks are no business of whoever set the timer.
        with stack_context.NullContext():
            self._timeout = None
            self._socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._finish_pending_requests()
            if self._closed or self._timeout is not None:
                return
            # When we came too early, libcurl does not set the timer again by itself.
            self._set_timeout(self._multi.timeout())

    def _handle_force_timeout(self) -> None:
        with stack_context.NullContext():
            self._socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._finish_pending_requests()

    # -- requests

    def _process_queue(self) -> None:
        """Start queued requests as long as there are free handles."""
        with stack_context.NullContext():
            while self._free_list and self._requests:
                request, callback, queued = self._requests.popleft()
                self._start(self._free_list.pop(), request, callback, queued)

    def _start(self, curl: Any, request: HTTPRequest, callback: _ResponseCallback, queued: float) -> None:
        curl.info = {
            "queue_start_time": queued,
            "curl_start_time": time.time(),
            "callback": callback,
            "request": request,
            "headers": httputil.HTTPHeaders(),
            "buffer": BytesIO(),
        }
        try:
            self._curl_setup_request(curl, request, curl.info["buffer"], curl.info["headers"])
            self._multi.add_handle(curl)
        except Exception as failure:
            # A request that cannot be put to libcurl has failed; the handle is as good as before.
            self._give_back(curl)
            callback(HTTPResponse(request=request, code=599, error=failure))

    def _give_back(self, curl: Any) -> None:
        """Free a handle for the next request."""
        request = curl.info["request"]
        curl.info = None
        if request.ca_certs or request.client_cert or request.client_key or request.network_interface:
            # SEC: libcurl has no way back to the default of these, and the next request has no right to them.
            self._curls.remove(curl)
            curl.close()
            curl = self._curl_create()
            self._curls.append(curl)
        self._free_list.append(curl)

    def _finish_pending_requests(self) -> None:
        """Answer what libcurl has finished, and start what waited for it."""
        while not self._closed:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finish(curl)
            for curl, code, message in failed:
                self._finish(curl, code, message)
            if not left:
                break
        if not self._closed:
            self._process_queue()

    def _finish(self, curl: Any, curl_error: int | None = None, curl_message: str | None = None) -> None:
        """Report one finished transfer."""
        info = curl.info
        self._multi.remove_handle(curl)
        buffer: BytesIO | None = info["buffer"]
        error: CurlError | None = None
        url: str | None = None
        if curl_error:
            error = CurlError(curl_error, curl_message or "")
            code = error.code
            buffer = None
        else:
            assert buffer is not None
            code = curl.getinfo(pycurl.HTTP_CODE)
            url = curl.getinfo(pycurl.EFFECTIVE_URL)
            buffer.seek(0)
        times = {name: curl.getinfo(option) for name, option in _TIMES.items()}
        times["queue"] = info["curl_start_time"] - info["queue_start_time"]
        self._give_back(curl)
        response = HTTPResponse(
            request=info["request"],
            code=code,
            headers=info["headers"],
            buffer=buffer,
            effective_url=url,
            error=error,
            reason=info["headers"].get("X-Http-Reason", None),
            request_time=time.time() - info["curl_start_time"],
            time_info=times,
        )
        try:
            info["callback"](response)
        except Exception:
            self.handle_callback_exception(info["callback"])

    def handle_callback_exception(self, callback: Callable[..., Any]) -> None:
        """A response callback has raised."""
        self.io_loop.handle_callback_exception(callback)

    # -- handles

    def _curl_create(self) -> Any:
        """A new easy handle. Subclasses may set options here that hold for all requests."""
        curl = pycurl.Curl()
        if curl_log.isEnabledFor(logging.DEBUG):
            curl.setopt(pycurl.DEBUGFUNCTION, self._curl_debug)
        # Nothing but HTTP, redirects included: a URL from outside must not read files.
        web = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
        curl.setopt(pycurl.PROTOCOLS, web)
        curl.setopt(pycurl.REDIR_PROTOCOLS, web)
        # libcurl is not the one to install signal handlers in somebody's process.
        curl.setopt(pycurl.NOSIGNAL, 1)
        return curl

    def _curl_setup_request(
        self, curl: Any, request: HTTPRequest, buffer: BytesIO, headers: httputil.HTTPHeaders
    ) -> None:
        """Tell ``curl`` all about ``request``: its body goes to ``buffer``, its header to ``headers``.

        A handle is used again and again, so each option is set or unset every time.
        """
        # Quiet while options change, see below.
        curl.setopt(pycurl.VERBOSE, 0)
        curl.setopt(pycurl.URL, native_str(request.url))
        self._setup_headers(curl, request)
        self._setup_receivers(curl, request, buffer, headers)
        self._setup_transport(curl, request)
        self._setup_proxy(curl, request)
        self._setup_tls(curl, request)
        self._setup_method(curl, request)
        self._setup_body(curl, request)
        self._setup_credentials(curl, request)
        if request.prepare_curl_callback is not None:
            request.prepare_curl_callback(curl)
        # Last: a verbose libcurl talks already while options are set, which pycurl is not prepared for.
        if curl_log.isEnabledFor(logging.DEBUG):
            curl.setopt(pycurl.VERBOSE, 1)

    def _setup_headers(self, curl: Any, request: HTTPRequest) -> None:
        # libcurl would add these two by itself, with values that web servers are known to trip over.
        if "Expect" not in request.headers:
            request.headers["Expect"] = ""
        if "Pragma" not in request.headers:
            request.headers["Pragma"] = ""
        lines = [f"{native_str(name)}: {native_str(value)}" for name, value in request.headers.get_all()]
        for line in lines:
            if _LINE_BREAKS.search(line):
                raise ValueError(f"Illegal characters (CR, LF or NUL) in header: {mask_line(line)!r}")
        curl.setopt(pycurl.HTTPHEADER, lines)
        agent = request.user_agent
        if agent and _LINE_BREAKS.search(native_str(agent)):
            raise ValueError(f"Illegal characters (CR, LF or NUL) in user_agent: {agent!r}")
        curl.setopt(pycurl.USERAGENT, native_str(agent) if agent else "Mozilla/5.0 (compatible; pycurl)")

    def _setup_receivers(
        self, curl: Any, request: HTTPRequest, buffer: BytesIO, headers: httputil.HTTPHeaders
    ) -> None:
        curl.setopt(
            pycurl.HEADERFUNCTION,
            functools.partial(self._curl_header_callback, headers, request.header_callback),
        )
        receive: Callable[[bytes], Any] = buffer.write
        if request.streaming_callback is not None:
            # On the loop: an error there is the caller's, and not libcurl's.
            receive = functools.partial(self.io_loop.add_callback, request.streaming_callback)
        if switches.is_allowed("unbounded-curl"):
            limit = None
        else:
            limit = self.max_body_size
        curl.setopt(pycurl.WRITEFUNCTION, _Bounded(receive, limit).take)

    def _setup_transport(self, curl: Any, request: HTTPRequest) -> None:
        curl.setopt(pycurl.FOLLOWLOCATION, bool(request.follow_redirects))
        curl.setopt(pycurl.MAXREDIRS, request.max_redirects)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(1000 * (request.connect_timeout or 0)))
        curl.setopt(pycurl.TIMEOUT_MS, int(1000 * (request.request_timeout or 0)))
        if request.network_interface:
            curl.setopt(pycurl.INTERFACE, request.network_interface)
        curl.setopt(pycurl.ENCODING, "gzip,deflate" if request.decompress_response else "none")
        # "whatever" is libcurl's own default, and may try both families.
        family = pycurl.IPRESOLVE_V4 if request.allow_ipv6 is False else pycurl.IPRESOLVE_WHATEVER
        curl.setopt(pycurl.IPRESOLVE, family)

    def _setup_proxy(self, curl: Any, request: HTTPRequest) -> None:
        if not request.proxy_host or not request.proxy_port:
            # An empty name, and not unset: that would let libcurl look for one in the environment.
            curl.setopt(pycurl.PROXY, "")
            curl.unsetopt(pycurl.PROXYUSERPWD)
            return
        curl.setopt(pycurl.PROXY, request.proxy_host)
        curl.setopt(pycurl.PROXYPORT, request.proxy_port)
        if request.proxy_username:
            curl.setopt(pycurl.PROXYUSERPWD, f"{request.proxy_username}:{request.proxy_password}")
        else:
            curl.unsetopt(pycurl.PROXYUSERPWD)
        mode = _AUTH_MODES.get(request.proxy_auth_mode or "basic")
        if mode is None:
            raise ValueError(f"Unsupported proxy_auth_mode {request.proxy_auth_mode}")
        curl.setopt(pycurl.PROXYAUTH, mode)

    def _setup_tls(self, curl: Any, request: HTTPRequest) -> None:
        curl.setopt(pycurl.SSL_VERIFYPEER, 1 if request.validate_cert else 0)
        # 2 is "must match"; 1 has not meant anything for years.
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.validate_cert else 0)
        # None is never set: these go with their handle, see _give_back.
        for option, file in (
            (pycurl.CAINFO, request.ca_certs),
            (pycurl.SSLCERT, request.client_cert),
            (pycurl.SSLKEY, request.client_key),
        ):
            if file is not None:
                curl.setopt(option, file)
        if request.ssl_options is not None:
            raise ValueError("ssl_options not supported in curl_httpclient")

    def _setup_method(self, curl: Any, request: HTTPRequest) -> None:
        for option in _METHOD_OPTIONS.values():
            curl.setopt(option, False)
        method = request.method
        if method in _METHOD_OPTIONS:
            curl.unsetopt(pycurl.CUSTOMREQUEST)
            curl.setopt(_METHOD_OPTIONS[method], True)
        elif method in _NAMED_METHODS or request.allow_nonstandard_methods:
            if not method or _NOT_A_METHOD.search(method):
                raise ValueError(f"Invalid method: {method!r}")
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        else:
            raise KeyError("unknown method " + method)

    def _setup_body(self, curl: Any, request: HTTPRequest) -> None:
        method = request.method
        expected, present = method in _BODY_METHODS, request.body is not None
        if not request.allow_nonstandard_methods and expected != present:
            raise ValueError(
                "Body must {}be None for method {} (unless allow_nonstandard_methods is true)".format(
                    "not " if expected else "", method
                )
            )
        if not expected and not present:
            return
        if method == "GET":
            # Not even then: libcurl would make a POST of it.
            raise ValueError("Body must be None for GET request")
        source = BytesIO(utf8(request.body or ""))
        size = len(request.body or "")

        def rewind(offset: int, origin: int) -> int:
            source.seek(offset, origin)
            return int(pycurl.SEEKFUNC_OK)

        curl.setopt(pycurl.READFUNCTION, source.read)
        # A redirect or an authentication makes libcurl send the body again.
        curl.setopt(pycurl.SEEKFUNCTION, rewind)
        if method == "POST":
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, size)
        else:
            curl.setopt(pycurl.UPLOAD, True)
            curl.setopt(pycurl.INFILESIZE_LARGE, size)

    def _setup_credentials(self, curl: Any, request: HTTPRequest) -> None:
        if request.auth_username is None:
            curl.unsetopt(pycurl.USERPWD)
            curl_log.debug("%s %s", request.method, mask_url(native_str(request.url)))
            return
        mode = _AUTH_MODES.get(request.auth_mode or "basic")
        if mode is None:
            raise ValueError(f"Unsupported auth_mode {request.auth_mode}")
        curl.setopt(pycurl.HTTPAUTH, mode)
        pair = utf8(request.auth_username) + b":" + utf8(request.auth_password or "")
        curl.setopt(pycurl.USERPWD, pair)
        url = mask_url(native_str(request.url))
        curl_log.debug("%s %s (username: %r)", request.method, url, request.auth_username)

    def _curl_header_callback(
        self,
        headers: httputil.HTTPHeaders,
        header_callback: Callable[[str], Any] | None,
        header_line: bytes,
    ) -> None:
        """A line of a response's head, line end included; start lines and the final empty line come here,
        too.
        """
        line = header_line.decode("latin1")
        if header_callback is not None:
            self.io_loop.add_callback(header_callback, line)
        # Not rstrip(): a line that begins with white space continues the one before.
        line = line.rstrip("\r\n")
        if line.startswith("HTTP/"):
            # The head of another response: after a 100, a redirect, a request for authentication.
            headers.clear()
            try:
                start_line = httputil.parse_response_start_line(line)
            except httputil.HTTPInputError:
                # HTTP/2's has no reason.
                return
            line = f"X-Http-Reason: {start_line.reason}"
        if line:
            headers.parse_line(line)

    def _curl_debug(self, debug_type: int, debug_msg: Any) -> None:
        """libcurl's commentary; bodies are left out."""
        if debug_type == 0:
            curl_log.debug("%s", _text(debug_msg).strip())
        elif debug_type in (1, 2):
            sign = "<" if debug_type == 1 else ">"
            for line in _text(debug_msg).splitlines():
                curl_log.debug("%s %s", sign, mask_line(line))
        elif debug_type == 4:
            curl_log.debug("%s %r", ">", _text(debug_msg))


class _Bounded:
    """Hands what libcurl has received, and decompressed, on to ``receive``, up to ``limit`` bytes."""

    def __init__(self, receive: Callable[[bytes], Any], limit: int | None) -> None:
        self.receive = receive
        self.left = limit

    def take(self, chunk: bytes) -> int:
        """The number of bytes taken. One that is too small ends the transfer (``pycurl.E_WRITE_ERROR``)."""
        if self.left is not None:
            self.left -= len(chunk)
            if self.left < 0:
                gen_log.warning("Response body too large %s", switches.hint("unbounded-curl"))
                return 0
        self.receive(chunk)
        return len(chunk)


def _text(message: str | bytes) -> str:
    return message.decode("utf8", "replace") if isinstance(message, bytes) else message


class CurlError(HTTPError):
    """libcurl gave up; ``errno`` is its error code (``pycurl.E_...``), ``code`` is 599."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(599, message)
        self.errno = errno

    def __reduce__(self) -> tuple[Any, ...]:
        # HTTPError's args are not our own, and would not rebuild us.
        return type(self), (self.errno, self.message)

_handed_on.complete(globals())


if __name__ == "__main__":
    # As in 4.5.3: the command line of httpclient with this implementation.
    AsyncHTTPClient.configure(CurlAsyncHTTPClient)
    main()
