"""Decorators for handlers: asynchronous, slashes, log-in, streamed bodies."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from tornado4 import gen
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop
from tornado4.stack_context import ExceptionStackContext
from tornado4.web.errors import HTTPError
from tornado4.web.handler import RequestHandler
from tornado4.web.redirects import is_local_path

_Method = TypeVar("_Method", bound=Callable[..., Any])
_HandlerClass = TypeVar("_HandlerClass", bound=type[RequestHandler])


def asynchronous(method: _Method) -> _Method:
    """For methods that do not end the request by returning: it goes on until `RequestHandler.finish` is
    called.

    Meant for callback style. Exceptions in callbacks end the request with an error page as exceptions in
    the method do (by a `stack_context.ExceptionStackContext`). Where the method returns a Future (it is a
    coroutine, or decorated with ``gen.engine`` or ``gen.coroutine`` in either order), the request ends with
    it at the latest.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> None:
        self._auto_finish = False
        with ExceptionStackContext(self._stack_context_handle_exception):
            result = method(self, *args, **kwargs)
            if result is not None:
                _finish_after(self, gen.convert_yielded(result))

    return wrapper  # type: ignore[return-value]


def _finish_after(handler: RequestHandler, result: Any) -> None:
    def complete(future: Future) -> None:
        # raises what the method raised, in the loop, within the stack context
        future.result()
        if not handler._finished:
            handler.finish()

    loop: Any = IOLoop.current()
    loop.add_future(result, complete)


def stream_request_body(cls: _HandlerClass) -> _HandlerClass:
    """Class decorator: hand the request's body to `RequestHandler.data_received` piece by piece.

    ``request.body`` is no bytes then, and arguments come from the query only. `prepare` runs when the headers
    are there (it may wait, nothing is read meanwhile), then `data_received` for each piece, then the method.

    :raises TypeError: ``cls`` is no handler's class.
    """
    if not issubclass(cls, RequestHandler):
        raise TypeError("expected subclass of RequestHandler, got %r", cls)
    cls._stream_request_body = True
    return cls


def removeslash(method: _Method) -> _Method:
    """Redirect ``/foo/`` to ``/foo`` (301, GET and HEAD; 404 otherwise) for a rule like ``r"/foo/*"``.

    :arg method: a handler's method.
    :raises HTTPError: 404, where nothing is redirected.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if not path.endswith("/"):
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(404)
        bare = path.rstrip("/")
        if not bare:
            # nothing but slashes: there is no address without
            return method(self, *args, **kwargs)
        return _redirect_to_path(self, bare)

    return wrapper  # type: ignore[return-value]


def addslash(method: _Method) -> _Method:
    """Redirect ``/foo`` to ``/foo/`` (301, GET and HEAD; 404 otherwise) for a rule like ``r"/foo/?"``.

    :arg method: a handler's method.
    :raises HTTPError: 404, where nothing is redirected.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if path.endswith("/"):
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(404)
        return _redirect_to_path(self, path + "/")

    return wrapper  # type: ignore[return-value]


def _redirect_to_path(handler: RequestHandler, path: str) -> None:
    """301 to a path of this very host, the query kept.

    Two slashes in front (a backslash counts as one in browsers) would name another host: an open redirect.
    """
    if not is_local_path(path):
        raise HTTPError(403, "cannot redirect path with two initial slashes")
    query = handler.request.query
    handler.redirect(f"{path}?{query}" if query else path, permanent=True)


def authenticated(method: _Method) -> _Method:
    """Let only users in: others are redirected to the log-in page (GET and HEAD) or refused with 403.

    The page (`RequestHandler.get_login_url`) gets where to return to as query argument ``next``, unless it
    has a query of its own.

    :arg method: a handler's method.
    :raises HTTPError: 403, where nobody is redirected.
    :raises Exception: the setting ``login_url`` is absent, and wanted.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        if self.current_user:
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(403)
        url = self.get_login_url()
        if "?" not in url:
            # A log-in page elsewhere needs to know our host to come back; so does the browser, where the path alone
            # would be another host's.
            whole = bool(urlsplit(url).scheme) or not is_local_path(self.request.uri)
            back = self.request.full_url() if whole else self.request.uri
            url += "?" + urlencode({"next": back})
        return self.redirect(url)

    return wrapper  # type: ignore[return-value]
