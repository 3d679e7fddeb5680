"""What a watcher is told, and the class that it derives from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tornado4.httpclient import HTTPRequest, HTTPResponse
    from tornado4.web import RequestHandler
    from tornado4.websocket import WebSocketHandler


class _Event:
    """What all events have.

    ``began``: seconds of the monotonic clock. ``duration``: seconds, so far or, at the end, in all. ``data``: a dict
    for watchers to keep what they will want at the end, under a key of their own.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.data: dict[Any, Any] = {}
        self._ended: float | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return (time.monotonic() if self._ended is None else self._ended) - self.began


class RequestEvent(_Event):
    """A request and its answer.

    ``handler``: the `.RequestHandler`; its ``request`` has the rest. ``name``: its class, as ``module.Class``.
    ``method``: the verb. ``status``: the answer's, None before it is complete. ``error``: what the handler has raised,
    or None; an `.HTTPError` for ``raise HTTPError(404)``. ``disconnected``: the client has gone before the answer was
    complete; ``status`` is None then, and what the handler goes on to do is not told any more.
    """

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__()
        kind = type(handler)
        self.handler = handler
        self.name = f"{kind.__module__}.{kind.__qualname__}"
        self.method: str = handler.request.method or ""
        self.status: int | None = None
        self.error: BaseException | None = None
        self.disconnected = False


class FetchEvent(_Event):
    """A request of `.AsyncHTTPClient` (`.HTTPClient` uses that).

    ``request``: the `.HTTPRequest`. Its ``headers`` are a copy of the caller's: what `Watcher.fetch_began` adds is
    sent. ``response``: the `.HTTPResponse`, None where there is none. ``error``: what went wrong, an `.HTTPError` for a
    status other than 2xx, or None. Redirects that are followed are one event.
    """

    def __init__(self, request: HTTPRequest) -> None:
        super().__init__()
        self.request = request
        self.response: HTTPResponse | None = None
        self.error: BaseException | None = None


class WebSocketEvent(_Event):
    """A WebSocket of a `.WebSocketHandler`, from the end of its handshake on; that was a request with status 101.

    ``handler``, ``name``: as in `RequestEvent`. ``close_code``, ``close_reason``: what the peer gave when it closed.
    """

    def __init__(self, handler: WebSocketHandler) -> None:
        super().__init__()
        kind = type(handler)
        self.handler = handler
        self.name = f"{kind.__module__}.{kind.__qualname__}"
        self.close_code: int | None = None
        self.close_reason: str | None = None


class Watcher:
    """Override what you want to hear of; the rest is not even called."""

    def request_began(self, event: RequestEvent) -> None:
        """Just before ``prepare``, and in the request's `contextvars.Context`: what is set here, the handler sees, and
        so do its coroutines and callbacks.

        :arg event: a `RequestEvent`.
        """

    def request_failed(self, event: RequestEvent) -> None:
        """The handler has raised ``event.error``, while it is being handled (`sys.exc_info`). The answer follows."""

    def request_ended(self, event: RequestEvent) -> None:
        """The answer is complete, or the client has gone.

        :arg event: the `RequestEvent` of its beginning.
        """

    def fetch_began(self, event: FetchEvent) -> None:
        """In the context of whoever fetches, before anything is sent.

        :arg event: a `FetchEvent`.
        """

    def fetch_ended(self, event: FetchEvent) -> None:
        """There is a response, or an error.

        :arg event: the `FetchEvent` of its beginning.
        """

    def websocket_opened(self, event: WebSocketEvent) -> None:
        """Before ``open`` is called.

        :arg event: a `WebSocketEvent`.
        """

    def websocket_closed(self, event: WebSocketEvent) -> None:
        """Before ``on_close`` is called.

        :arg event: the `WebSocketEvent` of its opening.
        """
