"""Coroutines: ``callback=``, context variables; with ``native`` what `await` does not take, results for none or two."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import sys
from collections.abc import Callable
from concurrent import futures
from types import CodeType
from typing import Any

from tornado4.concurrent import Future
from tornado4.gen import coroutines, runner
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches


def install(patches: Patches, ledger: Ledger) -> None:
    """TND210, TND422; TND314, TND315 and TND316 with ``native``."""

    def make_run_callback(original: Callable[..., None]) -> Any:
        def _run_callback_later(future: Future, callback: Callable[[Any], Any]) -> None:
            function = sys._getframe(1).f_locals.get("func")
            name = getattr(function, "__qualname__", "the coroutine")
            text = f"{name}() got an unexpected keyword argument 'callback'"
            ledger.tell("TND210", places.here(), lambda: TypeError(text))
            original(future, callback)

        return _run_callback_later

    def make_take_over(original: Callable[..., Any]) -> Any:
        def take_over(context: Any) -> Any:
            handed = original(context)
            if handed is not None:
                ledger.tell("TND422", places.here())
            return handed

        return take_over

    patches.put(coroutines, "_run_callback_later", make_run_callback)
    patches.put(coroutines, "take_over", make_take_over)
    if ledger.wanted.native:
        _watch_waiting(patches, ledger)


#: What a ``yield`` waits for, and an ``await`` does not.
_NOT_AWAITED = (list, tuple, dict, type(None), futures.Future)


@functools.lru_cache(1024)
def _yields_a_name(code: CodeType, offset: int) -> bool:
    """Whether the ``yield`` at an offset is of a name or an attribute, and not of what shows in its line."""
    line, end_line, start, end = next(itertools.islice(code.co_positions(), offset // 2, None), (None,) * 4)
    if line is None or line != end_line or start is None or end is None:
        return False
    text = linecache.getline(code.co_filename, line).encode()[start:end].decode("utf-8", "replace")
    try:
        parsed = ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return False
    return isinstance(parsed, ast.Yield) and isinstance(parsed.value, ast.Name | ast.Attribute)


class _Called:
    """A call of a coroutine: where, and whether anybody has asked for its outcome."""

    __slots__ = ("asked", "ledger", "place")

    def __init__(self, ledger: Ledger, place: places.Place) -> None:
        self.ledger = ledger
        self.place = place
        self.asked = 0

    def __del__(self) -> None:
        if not self.asked and not sys.is_finalizing():
            self.ledger.tell("TND315", self.place)


def _watch_waiting(patches: Patches, ledger: Ledger) -> None:
    """Each Future of a coroutine that the program calls gets a `_Called`; whoever waits for it counts there."""

    def make_begin(original: Callable[..., Any]) -> Any:
        def _begin(func: Any, args: Any, kwargs: Any, future: Any) -> Any:
            code = places.code_of(func)
            if code is not None and code.co_flags & 0x20:  # a generator
                frame = sys._getframe(2)  # behind the decorator's wrapper
                if places.kind_of(frame.f_code.co_filename) is places.Kind.PROGRAM and "callback" not in kwargs:
                    future._called = _Called(ledger, places.of_frame(frame))
            return original(func, args, kwargs, future)

        return _begin

    def make_first(original: Callable[..., Any]) -> Any:
        def _first_unresolved(gen: Any) -> Any:
            return original(_Marking(ledger, gen))

        return _first_unresolved

    def make_handle_yield(original: Callable[..., bool]) -> Any:
        def handle_yield(self: runner.Runner, yielded: Any) -> bool:
            frame = getattr(self.gen, "gi_frame", None)  # none, of what is only like a generator
            if isinstance(yielded, _NOT_AWAITED) and frame is not None and _yields_a_name(frame.f_code, frame.f_lasti):
                ledger.tell("TND314", places.of_generator(self.gen))
            if isinstance(yielded, list | tuple):
                for each in yielded:
                    _asked(ledger, each, None)
            elif isinstance(yielded, dict):
                for each in yielded.values():
                    _asked(ledger, each, None)
            else:
                _asked(ledger, yielded, self.gen)
            return original(self, yielded)

        return handle_yield

    patches.put(coroutines, "_begin", make_begin)
    patches.put(coroutines, "_first_unresolved", make_first)
    patches.put(runner.Runner, "handle_yield", make_handle_yield)
    for name in ("result", "exception", "exc_info", "add_done_callback", "__await__"):
        patches.put(Future, name, _make_asking)


class _Marking:
    """A generator in its first steps: what it yields that is done already is marked here, and by nobody else."""

    def __init__(self, ledger: Ledger, gen: Any) -> None:
        self._ledger = ledger
        self._gen = gen

    def __iter__(self) -> _Marking:
        return self

    def __next__(self) -> Any:
        return self._marked(next(self._gen))

    def send(self, value: Any) -> Any:
        return self._marked(self._gen.send(value))

    def _marked(self, value: Any) -> Any:
        if type(value) is Future and value._done and value._exc_info is None:
            _asked(self._ledger, value, self._gen)
        return value


def _make_asking(original: Callable[..., Any]) -> Any:
    def asking(self: Any, *args: Any, **kwargs: Any) -> Any:
        called = self.__dict__.get("_called")
        if called is not None:
            called.asked = called.asked or 1
        try:
            return original(self, *args, **kwargs)
        finally:
            del self, called  # a traceback may hold this frame

    return asking


def _asked(ledger: Ledger, future: Any, gen: Any) -> None:
    called = getattr(future, "_called", None)
    if called is None:
        return
    if called.asked == 2 and gen is not None:
        ledger.tell("TND316", places.of_generator(gen))
    called.asked = 2
