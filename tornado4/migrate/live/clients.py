"""HTTP clients: callbacks by position, answers of code 599, clients within a loop, empty bodies, curl."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any

from tornado4 import httpclient
from tornado4._core.private_asyncio import get_running_loop
from tornado4.concurrent import Future
from tornado4.gen import is_coroutine_function
from tornado4.migrate import _imports
from tornado4.migrate.live import handled, loops, places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

#: What code that is ready for Tornado 6 catches where there is no answer.
READY = ("HTTPError", "HTTPClientError", "HTTPTimeoutError", "HTTPStreamClosedError", "Exception", "BaseException")


def install(patches: Patches, ledger: Ledger) -> None:
    """TND150, TND203, TND601, TND608, TND614."""

    def make_init(original: Callable[..., None]) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            if get_running_loop() is not None:
                ledger.tell("TND150", places.here(), lambda: RuntimeError(loops.NESTED))
            original(self, *args, **kwargs)

        return __init__

    def make_fetch(original: Callable[..., Future]) -> Any:
        def fetch(self: Any, request: Any, *args: Any, **kwargs: Any) -> Future:
            place = places.caller()
            if place is not None and args and args[0] is not None:
                ledger.tell("TND203", place)
            future = original(self, request, *args, **kwargs)
            raising = args[1] if len(args) > 1 else kwargs.get("raise_error", True)
            if place is None or raising or isinstance(future, str):
                return future
            return _watch_answer(ledger, future, place)

        return fetch

    def make_body(original: Callable[[Any], Any]) -> Any:
        def body(self: Any) -> Any:
            if self.buffer is None and self.code != 599:
                place = places.caller()
                if place is not None:
                    ledger.tell("TND608", place)
            return original(self)

        return body

    def curl(module: ModuleType) -> None:
        def make_impl(original: Callable[..., None]) -> Any:
            def fetch_impl(self: Any, request: Any, callback: Any) -> None:
                streaming = request.streaming_callback
                inner = getattr(streaming, "_fn", streaming)  # what `stack_context.wrap` has made of it
                if inner is not None and (iscoroutinefunction(inner) or is_coroutine_function(inner)):
                    ledger.tell("TND614", places.here(), lambda: TypeError("streaming_callback is a coroutine"))
                original(self, request, callback)

            return fetch_impl

        patches.put(module.CurlAsyncHTTPClient, "fetch_impl", make_impl)

    patches.put(httpclient.HTTPClient, "__init__", make_init)
    patches.put(httpclient.AsyncHTTPClient, "fetch", make_fetch)
    patches.put(httpclient.HTTPResponse, "body", make_body)
    _imports.after_import("tornado4.curl_httpclient", curl)


def _watch_answer(ledger: Ledger, future: Future, place: places.Place) -> Future:
    """A Future like ``future``, but TND601 is told where that has an answer of code 599."""
    outer = Future()

    def copy(done: Future) -> None:
        exc_info = done.exc_info()
        if exc_info is not None:
            outer.set_exc_info(exc_info)
            return
        response = done.result()
        if response.code == 599 and not handled.caught(place, READY):
            try:
                ledger.tell("TND601", place, lambda: response.error)
            except Exception as error:
                outer.set_exception(error)
                return
        outer.set_result(response)

    future.add_done_callback(copy)
    return outer
