"""What ``tornado.web`` did in 4.0 to 4.4 in place of today's routing, for code that still names it."""

from __future__ import annotations

from typing import Any

from tornado4 import httputil
from tornado4.concurrent import Future
from tornado4.web.application import Application, _HandlerDelegate


class _RequestDispatcher(_HandlerDelegate):
    """A request's delegate that looks for the handler itself, as soon as it knows the headers.

    Subclasses override `set_request` or `_find_handler`; an application that has its own returns one from
    `start_request`.
    """

    request: httputil.HTTPServerRequest

    def __init__(self, application: Application, connection: Any) -> None:
        self.application = application
        self.connection = connection
        self.chunks: list[bytes] = []
        self.handler_class: Any = None
        self.handler_kwargs = {}
        self.path_args = []
        self.path_kwargs = {}
        self.stream_request_body = False

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        request = httputil.HTTPServerRequest(
            connection=self.connection, start_line=start_line, headers=headers
        )
        self.set_request(request)
        if not self.stream_request_body:
            return None
        request.body = Future()  # type: ignore[assignment]
        return self.execute()

    def set_request(self, request: httputil.HTTPServerRequest) -> None:
        """Take the request, and find its handler."""
        self.request = request
        self._find_handler()
        self.stream_request_body = bool(getattr(self.handler_class, "_stream_request_body", False))

    def _find_handler(self) -> None:
        """Set ``handler_class``, ``handler_kwargs``, ``path_args`` and ``path_kwargs``."""
        found = self.application.find_handler(self.request)
        if not isinstance(found, _HandlerDelegate):
            raise TypeError(f"no request handler, but {found!r}: routes of 4.5 need Application.find_handler")
        self.handler_class = found.handler_class
        self.handler_kwargs = found.handler_kwargs
        self.path_args = found.path_args
        self.path_kwargs = found.path_kwargs
