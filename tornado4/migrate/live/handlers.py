"""Handlers: answers from callbacks, what they return, statuses without a body, dates of static files, chunks."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction, isgeneratorfunction
from typing import Any

from tornado4 import routing, web
from tornado4.concurrent import Future
from tornado4.gen import is_coroutine_function
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches
from tornado4.web import application, cookies, decorators, execution, static_paths


def install(patches: Patches, ledger: Ledger) -> None:
    """TND423, TND501, TND502, TND504, TND506, TND507, TND510, TND517, TND525."""
    _watch_asynchronous(patches, ledger)
    _watch_failures(patches, ledger)
    _watch_results(patches, ledger)
    _watch_static(patches, ledger)
    _watch_chunks(patches, ledger)
    _watch_refusals(patches, ledger)


def method_place(handler: Any) -> places.Place | None:
    """Where the method that answers a request is defined."""
    verb = handler.request.method
    return places.of_function(getattr(handler, verb.lower(), None)) if isinstance(verb, str) else None


def _watch_asynchronous(patches: Patches, ledger: Ledger) -> None:
    def late(handler: Any, *args: Any, **kwargs: Any) -> None:
        """What ``finish`` is after a plain method has returned: in Tornado 6 the response has ended with it."""
        handler.__dict__.pop("finish", None)
        place = places.here()
        if place is not None and not handler._finished:
            ledger.tell("TND501", place, lambda: RuntimeError("finish() called twice"))
        handler.finish(*args, **kwargs)

    def make(original: Callable[..., Any]) -> Any:
        def asynchronous(method: Any) -> Any:
            if is_coroutine_function(method) or iscoroutinefunction(method) or isgeneratorfunction(method):
                return original(method)

            @functools.wraps(method)
            def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
                result = method(self, *args, **kwargs)
                if result is None:
                    self.__dict__["_returned_open"] = True
                return result

            inner = original(noted)

            @functools.wraps(method)
            def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
                inner(self, *args, **kwargs)
                if self.__dict__.pop("_returned_open", False) and not self._finished:
                    self.finish = functools.partial(late, self)

            return wrapper

        return asynchronous

    patches.put(web, "asynchronous", make)
    patches.put(decorators, "asynchronous", make)


def _watch_failures(patches: Patches, ledger: Ledger) -> None:
    def make(original: Callable[..., None]) -> Any:
        def _fail(handler: Any, error: BaseException) -> None:
            try:
                if isinstance(error, AssertionError) and str(error).startswith("Cannot send body with"):
                    text = f"Cannot send body with status code HTTP{handler._status_code}"
                    place = places.of_traceback(error.__traceback__) or method_place(handler)
                    ledger.tell("TND502", place, lambda: RuntimeError(text))
                elif isinstance(error, asyncio.CancelledError):
                    ledger.tell("TND525", method_place(handler))
            except Exception as raised:
                original(handler, raised)
            else:
                original(handler, error)

        return _fail

    patches.put(execution, "_fail", make)


def _watch_results(patches: Patches, ledger: Ledger) -> None:
    def make(original: Callable[..., Any]) -> Any:
        def _as_future(self: Any, awaited: Any) -> Any:
            if not (isinstance(awaited, Future) or isawaitable(awaited) or asyncio.isfuture(awaited)):
                handler = self._handler
                is_method = self._stage is execution._METHOD
                place = method_place(handler) if is_method else places.of_function(handler.prepare)
                try:
                    ledger.tell("TND423", place, lambda: _refused_by_await(awaited))
                except Exception as error:
                    failed = Future()
                    failed.set_exception(error)
                    return failed
            return original(self, awaited)

        return _as_future

    patches.put(execution._Run, "_as_future", make)


def _refused_by_await(value: Any) -> BaseException:
    """What ``await value`` raises in this Python."""

    async def wait() -> None:
        await value

    try:
        wait().send(None)
    except TypeError as error:
        return error.with_traceback(None)
    raise AssertionError("it can be awaited")


def _watch_static(patches: Patches, ledger: Ledger) -> None:
    def make(original: Callable[..., bool]) -> Any:
        own = web.StaticFileHandler.get_modified_time

        def should_return_304(self: Any) -> bool:
            modified = self.modified
            method = type(self).get_modified_time
            if method is not own and modified is not None and modified.tzinfo is None:
                compares = "If-Modified-Since" in self.request.headers or ledger.wanted.mode != "error"
                if compares:
                    text = "can't compare offset-naive and offset-aware datetimes"
                    ledger.tell("TND504", places.of_function(method), lambda: TypeError(text))
            return original(self)

        return should_return_304

    patches.put(web.StaticFileHandler, "should_return_304", make)


def _watch_refusals(patches: Patches, ledger: Ledger) -> None:
    """What Tornado 6 refuses, and tornado4 too, unless a switch lets it pass: under that switch it is told."""

    def make_leads_out(original: Callable[..., bool]) -> Any:
        def leads_out(path: str, status: Any, root: str, allowed: Any) -> bool:
            refused = original(path, status, root, allowed)
            if not refused and _links_lead_out(path, root, allowed):
                error = web.HTTPError(403, "%s is not in root static directory", path)
                ledger.tell("TND506", places.here() or made.get(os.path.realpath(root)), lambda: error)
            return refused

        return leads_out

    # No line of the program takes part in serving a file: it is told where the rule, or its application, was made.
    made: dict[str, places.Place | None] = {}

    def make_rule(original: Callable[..., None]) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            root = self.target_kwargs.get("path") if isinstance(self.target_kwargs, dict) else None
            if isinstance(root, str):
                made[os.path.realpath(root)] = places.here()

        return __init__

    def make_put(original: Callable[..., None]) -> Any:
        def put(jar: Any, *args: Any, lenient: bool = False) -> None:
            if lenient:
                try:
                    original(type(jar)(), *args, lenient=False)
                except Exception as error:
                    raised = error
                    ledger.tell("TND510", places.here(), lambda: raised)
            original(jar, *args, lenient=lenient)

        return put

    def make_static_url(original: Callable[..., str]) -> Any:
        def make_static_url(cls: Any, settings: Any, path: str, include_version: bool = True) -> str:
            root = settings.get("static_path")
            if root and not static_paths.is_below(cls.get_absolute_path(root, path), os.path.abspath(root)):
                error = web.HTTPError(403, "%s is not in root static directory", path)
                ledger.tell("TND507", places.here(), lambda: error)
            url: str = original(cls, settings, path, include_version)
            return url

        return make_static_url

    patches.put(static_paths, "leads_out", make_leads_out)
    patches.put(routing.Rule, "__init__", make_rule)
    patches.put(cookies, "put", make_put)
    patches.put(web.StaticFileHandler, "make_static_url", make_static_url)


def _links_lead_out(path: str, root: str, allowed: Any) -> bool:
    """What `static_paths.leads_out` says with its switch off."""
    roots = [root, *([allowed] if isinstance(allowed, str) else allowed or ())]
    real = os.path.realpath(path)
    return not any(static_paths.is_below(real, os.path.realpath(each)) for each in roots)


def _watch_chunks(patches: Patches, ledger: Ledger) -> None:
    """TND517 where the pieces of a chunked body are kept apart: each lives on when the next one has come."""

    def make_received(original: Callable[..., Any]) -> Any:
        def data_received(self: Any, data: bytes) -> Any:
            if not self.stream_request_body or "Transfer-Encoding" not in self.request.headers:
                return original(self, data)
            piece = bytes(bytearray(data))  # nobody else has this one
            self.__dict__.setdefault("_pieces", []).append(piece)
            return original(self, piece)

        return data_received

    def make_finish(original: Callable[..., None]) -> Any:
        def finish(self: Any) -> None:
            pieces = self.__dict__.pop("_pieces", ())
            kept = sum(1 for index in range(len(pieces)) if sys.getrefcount(pieces[index]) > 2)
            if kept > 1:
                ledger.tell("TND517", places.of_function(type(self.handler).data_received))
            original(self)

        return finish

    patches.put(application._HandlerDelegate, "data_received", make_received)
    patches.put(application._HandlerDelegate, "finish", make_finish)
