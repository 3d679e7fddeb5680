"""The functions that tell watchers, and putting them in the place of those that tell nobody."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from tornado4 import httpclient, httputil
from tornado4.concurrent import Future
from tornado4.hooks.events import FetchEvent, RequestEvent, Watcher, WebSocketEvent
from tornado4.log import app_log
from tornado4.web import Finish, RequestHandler, execution, failures
from tornado4.websocket import WebSocketHandler

#: By the method's name, those who override it.
_listeners: dict[str, list[Callable[[Any], None]]] = {
    name: [] for name, method in vars(Watcher).items() if callable(method) and not name.startswith("_")
}
_watchers: list[Watcher] = []

#: Where the event of a handler is.
_EVENT = "_hooks_event"


def add(watcher: Watcher) -> None:
    """Tell ``watcher`` from now on, after those that were added before."""
    _watchers.append(watcher)
    _arrange()


def remove(watcher: Watcher) -> None:
    """Tell it no more. ValueError if it was not added.

    :arg watcher: one that `add` was given.
    """
    _watchers.remove(watcher)
    _arrange()


def _arrange() -> None:
    for name, listeners in _listeners.items():
        ours = getattr(Watcher, name)
        listeners[:] = [getattr(each, name) for each in _watchers if getattr(type(each), name) is not ours]
    for place, name, telling, listened in _PLACES:
        wanted = telling if any(_listeners[each] for each in listened) else _FORMER[place, name]
        if getattr(place, name) is not wanted:
            setattr(place, name, wanted)


def _tell(name: str, event: Any) -> None:
    for listener in _listeners[name]:
        try:
            listener(event)
        except Exception:
            app_log.error("Error in %s of %r", name, listener, exc_info=True)


# ---------------------------------------------------------------------------------------------------------
# Requests


def _run_through(handler: RequestHandler, args: Any, kwargs: Any) -> Any:
    event = RequestEvent(handler)
    vars(handler)[_EVENT] = event
    connection: Any = handler.request.connection
    if hasattr(connection, "_close_callback"):
        # The connection has room for one callback; what is there already is called as well.
        former = connection._close_callback
        connection.set_close_callback(functools.partial(_on_disconnect, event, former))
    _tell("request_began", event)
    return _former_run_through(handler, args, kwargs)


def _on_disconnect(event: RequestEvent, former: Callable[[], Any] | None) -> None:
    if event._ended is None:
        event.disconnected = True
        _end(event)
    if former is not None:
        former()


def _handle(handler: RequestHandler, error: BaseException) -> None:
    event = vars(handler).get(_EVENT)
    if event is not None and event._ended is None and not isinstance(error, Finish):
        event.error = error
        _tell("request_failed", event)
    _former_handle(handler, error)


def _log(handler: RequestHandler) -> None:
    event = vars(handler).get(_EVENT)
    if event is not None and event._ended is None:
        event.status = handler.get_status()
        _end(event)
    _former_log(handler)


def _end(event: RequestEvent) -> None:
    event._ended = event.began + event.duration
    vars(event.handler).pop(_EVENT, None)  # each holds the other
    _tell("request_ended", event)


# ---------------------------------------------------------------------------------------------------------
# Fetches


def _fetch(client: Any, request: Any, callback: Any = None, raise_error: bool = True, **kwargs: Any) -> Future:
    if client._closed or (kwargs and isinstance(request, httpclient.HTTPRequest)):
        return _former_fetch(client, request, callback, raise_error, **kwargs)  # which raises
    if not isinstance(request, httpclient.HTTPRequest):
        request = httpclient.HTTPRequest(url=request, **kwargs)
    request.headers = httputil.HTTPHeaders(request.headers)
    event = FetchEvent(request)
    _tell("fetch_began", event)
    try:
        future = _former_fetch(client, request, callback, raise_error)
    except Exception as error:
        _end_fetch(event, error, None)
        raise

    def done(future: Any) -> None:
        # Not by exception(): whether somebody has looked at it is not for us to change.
        error = None if future._exc_info is None else future._exc_info[1]
        _end_fetch(event, error, future._result)

    future.add_done_callback(done)
    return future


def _end_fetch(event: FetchEvent, error: BaseException | None, response: Any) -> None:
    if error is not None:
        response = getattr(error, "response", None)
    else:
        error = response.error
    event.error, event.response = error, response
    event._ended = event.began + event.duration
    _tell("fetch_ended", event)


# ---------------------------------------------------------------------------------------------------------
# WebSockets


def _attach_stream(handler: WebSocketHandler) -> None:
    _former_attach_stream(handler)
    event = WebSocketEvent(handler)
    vars(handler)[_EVENT] = event
    _tell("websocket_opened", event)


def _on_connection_close(handler: WebSocketHandler) -> None:
    event = vars(handler).pop(_EVENT, None)
    if isinstance(event, WebSocketEvent):
        event.close_code, event.close_reason = handler.close_code, handler.close_reason
        event._ended = event.began + event.duration
        _tell("websocket_closed", event)
    _former_on_connection_close(handler)


_REQUESTS = ("request_began", "request_failed", "request_ended")
_FETCHES = ("fetch_began", "fetch_ended")
_WEBSOCKETS = ("websocket_opened", "websocket_closed")

#: Where something is put in place of what tells nobody, and for the sake of whom.
_PLACES: list[tuple[Any, str, Callable[..., Any], tuple[str, ...]]] = [
    (execution, "_run_through", _run_through, _REQUESTS),
    (failures, "handle", _handle, _REQUESTS),
    (RequestHandler, "_log", _log, _REQUESTS),
    (httpclient.AsyncHTTPClient, "fetch", _fetch, _FETCHES),
    (WebSocketHandler, "_attach_stream", _attach_stream, _WEBSOCKETS),
    (WebSocketHandler, "on_connection_close", _on_connection_close, _WEBSOCKETS),
]
_FORMER: dict[tuple[Any, str], Any] = {(place, name): getattr(place, name) for place, name, _, _ in _PLACES}
_former_run_through = cast("Callable[..., Any]", _FORMER[execution, "_run_through"])
_former_handle = cast("Callable[..., None]", _FORMER[failures, "handle"])
_former_log = cast("Callable[..., None]", _FORMER[RequestHandler, "_log"])
_former_fetch = cast("Callable[..., Future]", _FORMER[httpclient.AsyncHTTPClient, "fetch"])
_former_attach_stream = cast("Callable[..., None]", _FORMER[WebSocketHandler, "_attach_stream"])
_former_on_connection_close = cast("Callable[..., None]", _FORMER[WebSocketHandler, "on_connection_close"])
