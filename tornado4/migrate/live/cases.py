"""Tests: answers of code 599, what is cancelled when a test ends, what is put in the place of ``gen.Task``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from tornado4 import gen, testing
from tornado4._core import tasks
from tornado4.concurrent import Future
from tornado4.gen.runner import Runner
from tornado4.migrate.live import clients, handled, places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

_tests: list[Any] = []
_TASK = gen.Task


def install(patches: Patches, ledger: Ledger) -> None:
    """TND802, TND806, and from the first test on TND809."""
    watched: list[bool] = []

    def make_fetch(original: Callable[..., Any]) -> Any:
        def fetch(self: Any, path: str, **kwargs: Any) -> Any:
            response = original(self, path, **kwargs)
            if response.code == 599:
                place = places.caller()
                if place is not None and not handled.caught(place, clients.READY):
                    ledger.tell("TND802", place, lambda: response.error)
            return response

        return fetch

    def make_run(original: Callable[..., Any]) -> Any:
        def run(self: Any, result: Any = None) -> Any:
            if not watched:  # programs that run no tests go without
                watched.append(True)
                _watch_yields(patches, ledger)
            _tests.append(self)
            try:
                return original(self, result)
            finally:
                _tests.remove(self)

        return run

    def make_tear_down(original: Callable[..., None]) -> Any:
        def tearDown(self: Any) -> None:
            loop = getattr(self, "io_loop", None)
            unfinished = [task for task in tasks._running if task.get_loop() is getattr(loop, "asyncio_loop", self)]
            if unfinished:
                method = getattr(self, self.id().rpartition(".")[2], None)
                ledger.tell("TND806", places.of_function(getattr(method, "orig_method", method)))
            original(self)

        return tearDown

    patches.put(testing.AsyncHTTPTestCase, "fetch", make_fetch)
    patches.put(testing.AsyncTestCase, "run", make_run)
    patches.put(testing.AsyncTestCase, "tearDown", make_tear_down)


def _watch_yields(patches: Patches, ledger: Ledger) -> None:
    """TND809: a coroutine waits while a test has put something in the place of ``gen.Task``."""

    def make(original: Callable[..., bool]) -> Any:
        def handle_yield(self: Any, yielded: Any) -> bool:
            if _tests and gen.Task is not _TASK and not isinstance(yielded, Future):
                with contextlib.suppress(AttributeError):
                    ledger.tell("TND809", places.of_generator(self.gen))
            return original(self, yielded)

        return handle_yield

    patches.put(Runner, "handle_yield", make)
