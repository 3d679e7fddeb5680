"""Two bridges to WSGI (PEP 3333): our applications on WSGI servers, WSGI applications on our server.

`WSGIAdapter` makes a `tornado4.web.Application` callable by gunicorn, mod_wsgi or `wsgiref`. It needs no
event loop at all: handlers run to their end in the thread, or greenlet, that the server calls from.
What waits cannot be had there: ``@asynchronous`` methods, coroutines that do not finish at once,
WebSockets, `AsyncHTTPClient`.

`WSGIContainer` runs a WSGI application under `tornado4.httpserver`::

    http_server = HTTPServer(WSGIContainer(wsgi_application))

It blocks the loop while the WSGI application works, so it is meant for small loads and for having
both kinds side by side, through `.FallbackHandler`.
"""

from __future__ import annotations

import re
import sys
import urllib.parse as urllib_parse
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import tornado4
from tornado4 import _handed_on, escape, httputil, web
from tornado4._core.current import manner
from tornado4._masking import printable, shown_target
from tornado4.concurrent import Future
from tornado4.escape import native_str
from tornado4.httputil import HTTPServerRequest
from tornado4.log import access_log, gen_log
from tornado4.util import PY3, bytes_type, u, unicode_type
from tornado4.web.failures import has_no_body

_Environ = dict[str, Any]
_StartResponse = Callable[..., Any]
_Headers = httputil.HTTPHeaders
_Callback = Callable[[], Any] | None

HTTPRequest = HTTPServerRequest  # its name in earlier releases

# What methods of a connection return that are finished when they return; shared by all.
_dummy_future: Future = Future()
_dummy_future.set_result(None)


def to_wsgi_str(s: bytes) -> str:
    """Return bytes as WSGI wants them in its strings: one character a byte (Latin-1).

    :arg s: bytes.
    """
    assert isinstance(s, bytes)
    return s.decode("latin1")


def from_wsgi_str(s: str) -> bytes:
    """Return the bytes that a WSGI string stands for.

    :arg s: text in Latin-1.
    """
    assert isinstance(s, unicode_type)
    return s.encode("latin1")


class WSGIApplication(web.Application):
    """A `tornado4.web.Application` that is a WSGI application itself.

    Kept for programs that use it; `WSGIAdapter` does the same for any application.
    """

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> list[bytes]:  # type: ignore[override]
        adapter = WSGIAdapter(self)  # type: ignore[arg-type]  # it sees to it that this is not called again
        return adapter(environ, start_response)


class _WSGIConnection(httputil.HTTPConnection):
    """Collects one response, whose head it passes on at once.

    ``_error`` holds a violation of the Content-Length that the handler gave, which a handler's
    own error page could no longer repair.
    """

    def __init__(self, method: str, start_response: _StartResponse, context: _WSGIRequestContext) -> None:
        self.method, self.context = method, context
        self.start_response = start_response
        self._write_buffer: list[bytes] = []
        self._finished = False
        self._expected_content_remaining: int | None = None
        self._error: httputil.HTTPOutputError | None = None

    def set_close_callback(self, callback: _Callback) -> None:
        """Forget the callback: WSGI has no way to tell that a client has gone."""

    def write_headers(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: _Headers,
        chunk: bytes | None = None,
        callback: _Callback = None,
    ) -> Future:
        """Hand status and headers to the server."""
        assert isinstance(start_line, httputil.ResponseStartLine)
        if self.method == "HEAD":
            self._expected_content_remaining = 0
        elif "Content-Length" in headers:
            self._expected_content_remaining = int(headers["Content-Length"])
        pairs = [(native_str(name), native_str(value)) for name, value in headers.get_all()]
        self.start_response(f"{start_line.code} {start_line.reason}", pairs)
        if chunk is not None:
            return self.write(chunk, callback)
        if callback is not None:
            callback()
        return _dummy_future

    def write(self, chunk: bytes, callback: _Callback = None) -> Future:
        """Keep a piece of the body until the server asks for it.

        :raises HTTPOutputError: there is more than Content-Length says.
        """
        if self._expected_content_remaining is not None:
            self._expected_content_remaining -= len(chunk)
            if self._expected_content_remaining < 0:
                self._fail("Tried to write more data than Content-Length")
        self._write_buffer.append(chunk)
        if callback is not None:
            callback()
        return _dummy_future

    def finish(self) -> None:
        """Mark the response complete.

        :raises HTTPOutputError: there is less than Content-Length says.
        """
        missing = self._expected_content_remaining
        if missing:
            self._fail(f"Tried to write {missing} bytes less than Content-Length")
        self._finished = True

    def _fail(self, message: str) -> None:
        self._error = httputil.HTTPOutputError(message)
        raise self._error


class _WSGIRequestContext:
    def __init__(self, remote_ip: str, protocol: str) -> None:
        self.remote_ip, self.protocol = remote_ip, protocol

    def __str__(self) -> str:
        return self.remote_ip


class WSGIAdapter:
    """Makes an application a WSGI application::

        application = tornado4.web.Application([(r"/", MainHandler)])
        wsgi_application = tornado4.wsgi.WSGIAdapter(application)

    Safe to be called from many threads at once. The body is read whole before the handler runs.
    """

    def __init__(self, application: Callable[[HTTPServerRequest], Any]) -> None:
        self.application = application
        if isinstance(application, WSGIApplication):
            # Calling it would come back here.
            self.application = lambda request: web.Application.__call__(application, request)

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> list[bytes]:
        """Answer one request.

        :raises Exception: the handler waits for something.
        :raises HTTPOutputError: its body does not have the length that it says.
        """
        headers = _headers_of(environ)
        length = headers.get("Content-Length", "0")
        # The server has framed the message; yet int() would take "-5", for which read() reads on
        # until the connection is closed.
        if re.fullmatch("[0-9]+", length) is None:
            return _refuse(start_response, f"invalid Content-Length {length!r}")
        body = environ["wsgi.input"].read(int(length)) if headers.get("Content-Length") else b""
        method = environ["REQUEST_METHOD"]
        context = _WSGIRequestContext(environ.get("REMOTE_ADDR", ""), environ["wsgi.url_scheme"])
        connection = _WSGIConnection(method, start_response, context)
        try:
            request = HTTPServerRequest(
                method,
                _uri_of(environ),
                "HTTP/1.1",
                headers=headers,
                body=body,
                host=environ.get("HTTP_HOST") or environ["SERVER_NAME"],
                connection=connection,
            )
            request._parse_body()
        except httputil.HTTPInputError as error:
            return _refuse(start_response, str(error))
        _run_without_loop(self.application, request)
        if connection._error is not None:
            raise connection._error
        if not connection._finished:
            raise Exception("request did not finish synchronously")
        return connection._write_buffer


def _run_without_loop(application: Callable[[HTTPServerRequest], Any], request: HTTPServerRequest) -> None:
    """Call an application so that its native coroutines, too, run at once and not as tasks of a loop."""
    outer = manner.without_loop
    manner.without_loop = True
    try:
        application(request)
    finally:
        manner.without_loop = outer


def _refuse(start_response: _StartResponse, reason: str) -> list[bytes]:
    gen_log.info("Malformed HTTP message: %s", printable(reason))
    start_response("400 Bad Request", [("Content-Length", "0")])
    return [b""]


def _uri_of(environ: _Environ) -> str:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    uri = urllib_parse.quote(from_wsgi_str(path))
    query = environ.get("QUERY_STRING")
    return f"{uri}?{query}" if query else uri


def _headers_of(environ: _Environ) -> httputil.HTTPHeaders:
    headers = httputil.HTTPHeaders()
    for key, value in environ.items():
        # These two have keys of their own. With the prefix they come from a client who writes
        # "Content_Length", and would contradict what the server found.
        if key.startswith("HTTP_") and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            headers[key[5:].replace("_", "-")] = value
    for key, name in (("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length")):
        if environ.get(key):
            headers[name] = environ[key]
    return headers


class WSGIContainer:
    """Makes a WSGI application callable by `.HTTPServer` and `.FallbackHandler`::

        def simple_app(environ, start_response):
            start_response("200 OK", [("Content-type", "text/plain")])
            return [b"Hello world!"]

        http_server = tornado4.httpserver.HTTPServer(WSGIContainer(simple_app))

    The application runs in the thread of the loop, which waits for it; the answer leaves as a whole.

    :arg wsgi_application: a callable of ``environ`` and ``start_response``.
    """

    def __init__(self, wsgi_application: Callable[[_Environ, _StartResponse], Iterable[bytes]]) -> None:
        self.wsgi_application = wsgi_application

    def __call__(self, request: HTTPServerRequest) -> None:
        """Run the application on a request, and answer with what it gives, collected.

        :raises Exception: it did not call ``start_response``.
        """
        head: list[tuple[str, list[tuple[str, str]]]] = []
        chunks: list[bytes] = []

        def start_response(
            status: str, response_headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], Any]:
            head[:] = [(status, response_headers)]
            return chunks.append

        app_response = self.wsgi_application(WSGIContainer.environ(request), start_response)
        try:
            chunks.extend(app_response)
            body = b"".join(chunks)
        finally:
            close = getattr(app_response, "close", None)
            if close is not None:
                close()
        if not head:
            raise Exception("WSGI app did not call start_response")
        status, given = head[0]
        code, reason = status.split(" ", 1)
        start_line = httputil.ResponseStartLine("HTTP/1.1", int(code), reason)
        connection: Any = request.connection
        headers = _response_headers(start_line.code, given, body)
        if request.method == "HEAD" or has_no_body(start_line.code):
            body = b""  # an application may leave that to its server (PEP 3333); 4.5.3 closed without an answer
        connection.write_headers(start_line, headers, chunk=body)
        connection.finish()
        self._log(start_line.code, request)

    @staticmethod
    def environ(request: HTTPServerRequest) -> _Environ:
        """Return the WSGI environment for a request."""
        host, port = httputil.split_host_and_port(request.host)
        if port is None:
            port = 443 if request.protocol == "https" else 80
        path = escape.url_unescape(request.path, encoding=None, plus=False)
        environ: _Environ = {
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": request.version,
            "REMOTE_ADDR": request.remote_ip,
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",  # the application is at the root, as far as we know
            "PATH_INFO": to_wsgi_str(path),
            "QUERY_STRING": request.query,
            "wsgi.input": BytesIO(escape.utf8(request.body)),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": request.protocol,
            "wsgi.version": (1, 0),
            # One call at a time in this process, and there may be other processes.
            "wsgi.multithread": False,
            "wsgi.run_once": False,
            "wsgi.multiprocess": True,
        }
        for name, value in request.headers.items():
            key = name.replace("-", "_").upper()
            if name not in ("Content-Type", "Content-Length"):
                key = "HTTP_" + key
            # "X_Forwarded_For" must not pass for, or replace, what a proxy says in X-Forwarded-For.
            if "_" in name and key in environ:
                continue
            environ[key] = value
        return environ

    def _log(self, status_code: int, request: HTTPServerRequest) -> None:
        if status_code < 400:
            log = access_log.info
        else:
            log = access_log.warning if status_code < 500 else access_log.error
        summary = f"{request.method} {shown_target(request.uri)} ({request.remote_ip})"
        log("%d %s %.2fms", status_code, summary, 1000.0 * request.request_time())


def _response_headers(code: int, given: list[tuple[str, str]], body: bytes) -> httputil.HTTPHeaders:
    """Return a response's headers, completed with those that the application left to us."""
    headers = httputil.HTTPHeaders()
    for name, value in given:
        headers.add(name, value)
    if code == 204 or code < 200:
        headers.pop("Content-Length", None)  # RFC 9110, section 8.6
    elif code != 304:
        headers.setdefault("Content-Length", str(len(body)))
    if code != 304:
        headers.setdefault("Content-Type", "text/html; charset=UTF-8")
    headers.setdefault("Server", f"TornadoServer/{tornado4.version}")
    return headers


__all__ = [
    "PY3",
    "HTTPRequest",
    "WSGIAdapter",
    "WSGIApplication",
    "WSGIContainer",
    "_WSGIConnection",
    "_WSGIRequestContext",
    "bytes_type",
    "from_wsgi_str",
    "to_wsgi_str",
    "u",
]

_handed_on.complete(globals())
