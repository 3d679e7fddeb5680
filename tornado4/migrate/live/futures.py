"""Futures: callbacks that run at once, results set twice or from another thread, Futures where there is no loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any

from tornado4._core.current import current
from tornado4._core.futures import Future, is_future
from tornado4._core.private_asyncio import get_running_loop
from tornado4.log import app_log
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches


def install(patches: Patches, ledger: Ledger) -> None:
    """TND402 to TND406, TND409."""
    main = threading.main_thread().ident

    def without_loop() -> bool:
        """Whether this is a thread that no loop belongs to; the main thread can always make one."""
        return get_ident() != main and get_running_loop() is None and getattr(current, "instance", None) is None

    def make_init(original: Callable[..., None]) -> Any:
        own = is_own(original)

        def __init__(self: Future) -> None:
            if get_ident() != main and without_loop():
                ledger.tell("TND402", places.here(), _no_loop)
            if own:
                self._callbacks = []  # all that it does: there is a Future for every wait of a program
            else:
                original(self)

        return __init__

    def make_set_done(original: Callable[..., None]) -> Any:
        def _set_done(self: Future) -> None:
            callbacks = self._callbacks
            if not callbacks:
                if callbacks is None:
                    ledger.tell("TND404", places.here(), lambda: asyncio.InvalidStateError("invalid state"))
                original(self)
                return
            if get_ident() != main and without_loop():
                ledger.tell("TND406", places.here())
                original(self)  # which may be that of the flag future-thread
                return
            for callback in callbacks:
                if places.is_programs(callback):
                    _tell_early(callback)
                    break
            self._done = True
            self._callbacks = None
            for callback in callbacks:
                try:
                    callback(self)
                except (Exception, asyncio.CancelledError) as error:
                    app_log.exception("Exception in callback %r for %r", callback, self)
                    ledger.tell("TND409", places.of_traceback(error.__traceback__))

        return _set_done

    def _tell_early(callback: Any) -> None:
        place = places.here()
        if place is not None:  # with nothing of the program on the stack there is no order to be changed
            code = places.code_of(callback)
            where = f"the callback is at {code.co_filename}:{code.co_firstlineno}" if code else ""
            ledger.tell("TND403", place, detail=where)

    def make_add(original: Callable[..., None]) -> Any:
        own = is_own(original)

        def add_done_callback(self: Future, fn: Any, *, context: Any = None) -> None:
            if own and context is None and not self._done and self._callbacks is not None:
                self._callbacks.append(fn)
                return
            if self._done and context is None and places.is_programs(fn):
                place = places.caller()
                if place is not None:
                    ledger.tell("TND403", place)
            original(self, fn, context=context)

        return add_done_callback

    def make_cancel(original: Callable[..., bool]) -> Any:
        def cancel(self: Future) -> bool:
            if not self._done:
                ledger.tell("TND405", places.here())
            return original(self)

        return cancel

    patches.put(Future, "__init__", make_init)
    patches.put(Future, "_set_done", make_set_done)
    patches.put(Future, "add_done_callback", make_add)
    patches.put(Future, "cancel", make_cancel)


def is_own(function: Callable[..., Any]) -> bool:
    """Whether it is the framework's, which no flag has put another in the place of."""
    return function.__code__.co_filename == is_future.__code__.co_filename


def _no_loop() -> RuntimeError:
    return RuntimeError(f"There is no current event loop in thread {threading.current_thread().name!r}.")
