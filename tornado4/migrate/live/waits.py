"""Limits of time, and executors: zero as a limit, which error means that time is up, Futures of threads."""

from __future__ import annotations

import asyncio
import datetime
import functools
import sys
from collections.abc import Callable
from typing import Any

from tornado4 import concurrent, gen, ioloop, locks, queues
from tornado4.concurrent import Future
from tornado4.gen import runner
from tornado4.migrate.live import handled, places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

_TIMES_UP = (gen.TimeoutError, ioloop.TimeoutError)
_OS_ERRORS = frozenset(("OSError", "IOError", "EnvironmentError", "error", "WindowsError"))
_TAKES_IT = frozenset(("TimeoutError", "Exception", "BaseException"))

#: The methods that take a limit, each with its place among the arguments.
_LIMITED = (
    (locks.Condition, "wait", 0),
    (locks.Event, "wait", 0),
    (locks.Semaphore, "acquire", 0),
    (locks.Lock, "acquire", 0),
    (queues.Queue, "get", 0),
    (queues.Queue, "put", 1),
)


def install(patches: Patches, ledger: Ledger) -> None:
    """TND412, TND424, TND425."""
    for owner, name, position in _LIMITED:
        patches.put(owner, name, _limited(ledger, position))
    _watch_executors(patches, ledger)
    _watch_times_up(patches, ledger)


def _limited(ledger: Ledger, position: int) -> Callable[[Callable[..., Any]], Any]:
    def make(original: Callable[..., Any]) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            timeout = args[position] if len(args) > position else kwargs.get("timeout")
            if timeout is not None and (timeout == 0 or timeout == datetime.timedelta(0)) and not result.done():
                place = places.caller()
                if place is not None:
                    ledger.tell("TND425", place)
            return result

        return method

    return make


def _watch_executors(patches: Patches, ledger: Ledger) -> None:
    def make(original: Callable[..., Any]) -> Any:
        def run_on_executor(*args: Any, **kwargs: Any) -> Any:
            decorated = original(*args, **kwargs)
            if args:
                return _submitting(ledger, decorated)
            return lambda fn: _submitting(ledger, decorated(fn))

        return run_on_executor

    patches.put(concurrent, "run_on_executor", make)


def _submitting(ledger: Ledger, submit: Any) -> Any:

    @functools.wraps(submit)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        future = submit(self, *args, **kwargs)
        if not isinstance(future, Future):
            plain = future.result

            def result(*args: Any, **kwargs: Any) -> Any:
                place = places.caller()
                if place is not None and (args or kwargs or not future.done()):
                    ledger.tell("TND424", place, lambda: _refused_result(args, kwargs))
                return plain(*args, **kwargs)

            future.result = result
        return future

    return method


def _refused_result(args: Any, kwargs: Any) -> BaseException:
    """What an asyncio future's ``result`` raises for these arguments while it is not done."""
    loop = asyncio.new_event_loop()
    try:
        loop.create_future().result(*args, **kwargs)
    except Exception as error:
        return error.with_traceback(None)
    finally:
        loop.close()
    raise AssertionError("it has no result")


def _watch_times_up(patches: Patches, ledger: Ledger) -> None:
    """TND412 where the time is up for a coroutine, and a clause for OSError stands ahead of the one that took it."""

    def tell(place: places.Place | None) -> None:
        if place is None:
            return
        for clauses in handled.clauses_around(place.file, place.line):
            for names in clauses:
                if names & _TAKES_IT:
                    return
                if names & _OS_ERRORS:
                    ledger.tell("TND412", place)
                    return

    def make_outcome(original: Callable[..., Any]) -> Any:
        def _outcome(future: Any) -> Any:
            if type(future) is Future and future._done and future._exc_info is None:
                return future._result, None
            value, error = original(future)
            if error is not None and isinstance(error, _TIMES_UP):
                tell(places.of_generator(getattr(sys._getframe(1).f_locals.get("self"), "gen", None)))
            return value, error

        return _outcome

    def make_result(original: Callable[..., Any]) -> Any:
        def result(self: Future, timeout: float | None = None) -> Any:
            exc_info = self._exc_info
            if exc_info is not None and isinstance(exc_info[1], _TIMES_UP):
                tell(places.here())
            try:
                return original(self, timeout)
            finally:
                del self, exc_info  # the traceback holds this frame, which must not hold the exception in turn

        return result

    patches.put(runner, "_outcome", make_outcome)
    patches.put(Future, "result", make_result)
