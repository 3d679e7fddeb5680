"""`RequestHandler`: the base of all handlers, and the API by which they see a request and answer it.

The class is large because its face is: Tornado 4.5's 84 methods, which subclasses override and call freely.
They lie on three floors: ``handler_input`` (arguments, cookies, users, languages), ``handler_pages`` (templates,
URLs), and here the way of a request through its handler: entry points, output, errors. The work is done by the
small modules beside these, in plain functions.

A handler lives for one request. Its methods are to be called from the IOLoop's thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any

from tornado4 import escape, httputil, iostream
from tornado4._masking import shown_target
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.httputil.headers import HTTPHeaders
from tornado4.web import etag, execution, failures, output
from tornado4.web.errors import HTTPError
from tornado4.web.handler_pages import HandlerPages

if TYPE_CHECKING:
    from tornado4.web.application import Application

_OK = httputil.responses[200]
# `HTTPHeaders` without its constructor, for names that are known to be normalised.
_make_headers = HTTPHeaders.__new__
_good_names = output.good_names
_invalid_value = output.INVALID_VALUE.search


class RequestHandler(HandlerPages):
    """Base class for HTTP request handlers.

    Subclasses define at least one of the HTTP methods (`get`, `post`, ...). What a handler writes is
    buffered, and sent when it finishes: for plain methods when they return, for coroutines when they are
    done.
    """

    #: The methods that are looked for on the handler; a tuple, to be extended in subclasses.
    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    _INVALID_HEADER_CHAR_RE = output.INVALID_VALUE
    _stream_request_body = False

    # How far the response has come. Most handlers leave these as they are but for `_finished`.
    _auto_finish = True
    _finished = False
    _headers_written = False
    _prepared_future: Future | None = None
    _request_context: Context | None = None
    _transforms: list[Any] | None = None
    _headers: httputil.HTTPHeaders  # `clear` makes them

    def __init__(self, application: Application, request: httputil.HTTPServerRequest, **kwargs: Any) -> None:
        self.application = application
        self.request = request
        self.path_args: list[Any] = None  # type: ignore[assignment]  # known from _execute on
        self.path_kwargs: dict[str, Any] = None  # type: ignore[assignment]
        self.clear()
        if self._stream_request_body or type(self).on_connection_close is not _ON_CONNECTION_CLOSE:
            # where it would do nothing, nobody needs to be told
            connection: Any = request.connection
            if connection is not None:
                connection.set_close_callback(execution.close_callback(self))
        self.initialize(**kwargs)

    # -- entry points

    if TYPE_CHECKING:
        # Programs override it with parameters of their own, which its real signature would forbid.
        def initialize(self, *args: Any, **kwargs: Any) -> Any:
            """Takes the keyword arguments of the URL rule (its third item); called first. Override it."""

    else:

        def initialize(self) -> None:
            """Takes the keyword arguments of the URL rule (its third item); called first. Override it."""

    def prepare(self) -> Any:
        """Called before the HTTP method, whichever it is. Override it; it may be a coroutine.

        If it finishes the response (or redirects, or sends an error), the method is not called.
        """

    def on_finish(self) -> Any:
        """Called after the response has been handed over. Override it for cleaning up or logging."""

    def on_connection_close(self) -> Any:
        """Called in asynchronous handlers when the client has closed the connection.

        Override it to free resources of long requests. A proxy may hide the client's leaving for long.
        """
        if not self._stream_request_body:
            return
        body: Any = self.request.body
        if not body.done():
            body.set_exception(iostream.StreamClosedError())
            body.exception()  # looked at: nobody may be waiting for it

    def head(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP HEAD. Override it; 405 otherwise, and so for the other methods.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP GET.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def post(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP POST.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP DELETE.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def patch(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP PATCH.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def put(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP PUT.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def options(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP OPTIONS.

        :raises HTTPError: 405, unless it is overridden.
        """
        raise HTTPError(405)

    def data_received(self, chunk: bytes) -> Any:
        """Takes pieces of a streamed body (`stream_request_body`); a Future returned holds the next one
        back.
        """
        raise NotImplementedError()

    # -- output

    def clear(self) -> None:
        """Start the response anew: default headers, no body, status 200."""
        headers = self._headers = _make_headers(HTTPHeaders)
        headers._values = output.default_values()
        self.set_default_headers()
        self._write_buffer: list[bytes] = []
        self._status_code = 200
        self._reason = _OK

    def set_default_headers(self) -> None:
        """Called by `clear`, before a response and again before an error page. Override it to set headers."""

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """Set the status, and its reason phrase if it is not to be the standard one.

        `ValueError` for an unknown status without a phrase, and for a phrase with control characters.

        :arg status_code: an int.
        :raises ValueError: it is not known, and there is no ``reason``.
        """
        self._status_code = status_code
        if reason is None:
            reason = httputil.responses.get(status_code)
            if reason is None:
                raise ValueError(f"unknown status code {status_code}")
        else:
            reason = escape.native_str(reason)
            if not output.is_safe_reason(reason):
                raise ValueError(f"Unsafe reason phrase {reason!r}")
        self._reason = reason

    def get_status(self) -> int:
        """The status as it stands."""
        return self._status_code

    def set_header(self, name: str, value: Any) -> None:
        """Set a header, in place of any of that name. Takes str, bytes, int and datetime (naive ones are
        UTC).

        :arg value: str, bytes, a whole number, or a datetime in UTC.
        :raises TypeError: ``value`` is of another type.
        :raises ValueError: it has a line break or another control character.
        """
        if name not in _good_names:
            output.check_header_name(name)
        # most values are plain text or numbers: those two without further calls
        kind = type(value)
        if kind is int:
            self._headers[name] = str(value)
        elif kind is str and not _invalid_value(value):
            self._headers[name] = value
        else:
            self._headers[name] = self._convert_header_value(value)

    def add_header(self, name: str, value: Any) -> None:
        """Add a header, besides any of that name.

        :arg value: as for `set_header`, which says what is raised.
        """
        output.check_header_name(name)
        self._headers.add(name, self._convert_header_value(value))

    def clear_header(self, name: str) -> None:
        """Take out all headers of that name, set before; cookies are kept elsewhere."""
        if name in self._headers:
            del self._headers[name]

    def _convert_header_value(self, value: Any) -> str:
        return output.header_value(value)

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Append to the response's body: bytes, text (as UTF-8), or a dict (as JSON, with its Content-Type).

        Set another Content-Type after writing a dict, not before.

        :raises RuntimeError: the request is finished.
        :raises TypeError: ``chunk`` is none of these; a list is none.
        """
        if self._finished:
            raise RuntimeError("Cannot write() after finish()")
        kind = type(chunk)
        if kind is str:
            chunk = chunk.encode()  # type: ignore[union-attr]  # just asked
        elif kind is not bytes:
            chunk = output.body_piece(self, chunk)
        self._write_buffer.append(chunk)  # type: ignore[arg-type]

    def flush(
        self, include_footers: bool = False, callback: Callable[[], Any] | None = None
    ) -> Future:
        """Send headers and what has been written so far.

        The Future resolves (or ``callback`` runs) when the bytes have gone to the socket: wait for it, to
        go at the speed of a slow reader.

        :arg include_footers: this is the end of the response; set by `finish`.
        """
        return output.flush(self, include_footers, callback)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> None:
        """Complete the response, with ``chunk`` as its last piece. `RuntimeError` if it is complete
        already.
        """
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        request = self.request
        if not self._headers_written:
            # By position, as with all calls that each request makes: Python takes longer over keywords.
            kind = type(self)
            output.complete_headers(
                self,
                kind.set_header is _SET_HEADER
                and kind.compute_etag is _COMPUTE_ETAG
                and kind.set_etag_header is _SET_ETAG_HEADER
                and kind.check_etag_header is _CHECK_ETAG_HEADER,
            )
        flush = self.flush
        if type(flush) is MethodType and flush.__func__ is _FLUSH:
            output.send_last(self)
        else:
            output.let_go(request.connection)
            flush(include_footers=True)
        request.finish()
        self._log()
        self._finished = True
        on_finish = self.on_finish
        if type(on_finish) is not MethodType or on_finish.__func__ is not _ON_FINISH:
            execution.call_on_finish(self, on_finish)
        self._break_cycles()

    def _break_cycles(self) -> None:
        # what the handler holds that holds the handler; freed by reference count then
        self.ui = self._request_context = None

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error page, made by `write_error`, which gets the keyword arguments.

        If headers are out already, the response just ends. ``reason`` sets the reason phrase.

        :arg status_code: the status, 500 by default.
        """
        failures.send(self, status_code, kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> Any:
        """Write the error page. Override it for pages of your own.

        ``exc_info`` is in ``kwargs`` if an exception (an `HTTPError` included) caused it; it need not be
        the one being handled at the moment.

        :arg status_code: the status, which is set already.
        """
        failures.write_page(self, status_code, kwargs)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log an exception that ended the request. Override it to report errors elsewhere.

        :arg typ: with ``value`` and ``tb``: the exception, as `sys.exc_info` gives it.
        """
        failures.log(self, value, (typ, value, tb))

    def _handle_request_exception(self, e: BaseException) -> None:
        failures.handle(self, e)

    def _stack_context_handle_exception(self, type: Any, value: Any, traceback: Any) -> bool:
        try:
            # handling needs the exception to be the current one
            raise value.with_traceback(traceback)
        except Exception as e:
            self._handle_request_exception(e)
        return True

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Send the client to ``url`` (a relative one is resolved by the client) and finish.

        302, or 301 if ``permanent``, or ``status`` (300 to 399).

        :raises Exception: the headers have left already.
        """
        if self._headers_written:
            raise Exception("Cannot redirect after headers have been written")
        code = (301 if permanent else 302) if status is None else status
        assert isinstance(code, int) and code // 100 == 3
        self.set_status(code)
        self.set_header("Location", utf8(url))
        self.finish()

    # -- ETag

    def compute_etag(self) -> str | bytes | None:
        """The ETag for what has been written. Override it; None for no ETag."""
        return etag.body_etag(self._write_buffer)

    def set_etag_header(self) -> None:
        """Set the ETag header from `compute_etag`. Called when a response to GET or HEAD finishes."""
        tag = self.compute_etag()
        if tag is not None:
            self.set_header("Etag", tag)

    def check_etag_header(self) -> bool:
        """Whether the ETag header set is among the request's If-None-Match: then 304 is the answer."""
        asked = self.request.headers.get("If-None-Match", "")
        return bool(asked) and etag.matches(self._headers.get("Etag", ""), asked)

    def _clear_headers_for_304(self) -> None:
        for name in output.ENTITY_HEADERS:
            self.clear_header(name)

    # -- everything else

    def _execute(self, transforms: list[Any], *args: Any, **kwargs: Any) -> Future:
        return execution.execute(self, transforms, args, kwargs)

    def _log(self) -> None:
        self.application.log_request(self)

    def _request_summary(self) -> str:
        request = self.request
        return f"{request.method} {shown_target(request.uri)} ({request.remote_ip})"


#: Our own methods, to tell whether a handler brings others.
_FLUSH = RequestHandler.flush
_SET_HEADER = RequestHandler.set_header
_COMPUTE_ETAG = RequestHandler.compute_etag
_SET_ETAG_HEADER = RequestHandler.set_etag_header
_CHECK_ETAG_HEADER = RequestHandler.check_etag_header
_ON_CONNECTION_CLOSE = RequestHandler.on_connection_close
_ON_FINISH = RequestHandler.on_finish
