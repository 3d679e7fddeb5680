"""The `Runner`: what carries a coroutine from one ``yield`` to the next.

A coroutine whose yields are all done already never gets one (see `.coroutines`). One that waits
is held by its Runner, the Runner by the callback on the Future it waits for and by the coroutine's own
Future. When neither of these Futures is of interest to anybody, all of it is garbage, and the
generator is closed: as in 4.5.3, a coroutine that nothing can ever resume does not live on.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Generator, Hashable
from contextvars import Context
from typing import Any

from tornado4 import stack_context
from tornado4._core.context import coroutine_context, enter
from tornado4._core.futures import FUTURES, Future, resolved
from tornado4._core.tasks import INCONSISTENT
from tornado4._core.yielded import convert_yielded, moment
from tornado4.gen.errors import (
    KeyReuseError,
    LeakedCallbackError,
    Return,
    UnknownKeyError,
    _value_from_stopiteration,
)
from tornado4.gen.yieldpoints import YieldPoint, _argument_adapter, _contains_yieldpoint, multi
from tornado4.ioloop import IOLoop, PollIOLoop
from tornado4.stack_context import ExceptionStackContext, StackContextInconsistentError

_null_future = resolved(None)

_POLL_ADD_CALLBACK = PollIOLoop.add_callback

_state = stack_context._state
_EMPTY = stack_context._EMPTY


def without_own_frames(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """The ``exc_info`` of an exception that has just been caught, without the frames of this package on top.

    They tell a reader nothing, and they know the coroutine's Future: each failure would be a reference cycle.
    """
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None and tb.tb_frame.f_globals.get("__name__") in _OWN_MODULES:
        tb = tb.tb_next
    error.__traceback__ = tb
    return type(error), error, tb


_OWN_MODULES = frozenset({__name__, __name__.replace(".runner", ".coroutines")})


def call_soon(loop: Any, callback: Any) -> None:
    """``loop.add_callback(callback)``, for an object that wants no stack context and brings its ``context``.

    A `PollIOLoop` gets it into its queue as it is; others are asked to run it in that context.
    """
    if type(loop).add_callback is not _POLL_ADD_CALLBACK:
        loop.add_callback(_InContext(callback))
    elif not loop._closing:
        loop._callbacks.append(callback)
        if loop._polling:
            loop._wake()


class _InContext:
    """A callback in its own context, for loops that look for none."""

    __slots__ = ("_callback",)
    _wrapped = True  # it is to run in no stack context, whatever is active now

    def __init__(self, callback: Any) -> None:
        self._callback = callback

    def __call__(self) -> None:
        self._callback.context.run(self._callback)


def _outcome(future: Any) -> tuple[Any, BaseException | None]:
    """The result of a Future that is done, or its exception, ready to be thrown."""
    if type(future) is Future:
        # Not by result(): it would add frames to the traceback each time the exception is passed on.
        exc_info = future._exc_info
        if exc_info is not None and exc_info[1] is not None:
            future._clear_tb_log()
            return None, exc_info[1].with_traceback(exc_info[2])
    try:
        return future.result(), None
    except (Exception, asyncio.CancelledError) as error:
        return None, error
    finally:
        del future


class Runner:
    """Runs the generator ``gen`` until it ends, and sets ``result_future`` then.

    ``first_yielded`` is what the generator has yielded already: it was advanced once before, in ``context``, in
    which all steps run (default: a copy of the current one).
    """

    def __init__(
        self,
        gen: Generator[Any, Any, Any],
        result_future: Any,
        first_yielded: Any,
        context: Context | None = None,
    ) -> None:
        self.gen = gen
        self.result_future = result_future
        self.future: Any = _null_future
        self.yield_point: YieldPoint | None = None
        self.pending_callbacks: set[Hashable] | None = None
        self.results: dict[Hashable, Any] | None = None
        self.running = False
        self.finished = False
        self.had_exception = False
        self.stack_context_deactivate: Callable[[], None] | None = None
        self.io_loop: Any = IOLoop.current()
        self.context = coroutine_context() if context is None else context
        if self.handle_yield(first_yielded):
            gen = result_future = first_yielded = None  # type: ignore[assignment]
            self.run()

    # -- callbacks and their keys ---------------------------------------------------------------

    def register_callback(self, key: Hashable) -> None:
        """Notes that a result for ``key`` is to come.

        :raises KeyReuseError: it is registered already.
        """
        if self.pending_callbacks is None or self.results is None:
            self.pending_callbacks = set()
            self.results = {}
        if key in self.pending_callbacks:
            raise KeyReuseError(f"key {key!r} is already pending")
        self.pending_callbacks.add(key)

    def is_ready(self, key: Hashable) -> bool:
        """True if the result for ``key`` is there.

        :raises UnknownKeyError: nobody has registered the key.
        """
        if self.pending_callbacks is None or self.results is None or key not in self.pending_callbacks:
            raise UnknownKeyError(f"key {key!r} is not pending")
        return key in self.results

    def set_result(self, key: Hashable, result: Any) -> None:
        """Stores the result for ``key`` and goes on if the coroutine has waited for just that."""
        assert self.results is not None
        self.results[key] = result
        point = self.yield_point
        if point is not None and point.is_ready():
            try:
                self.future.set_result(point.get_result())
            except Exception:
                self.future.set_exc_info(sys.exc_info())
            self.yield_point = None
            self._run_in_context()

    def pop_result(self, key: Hashable) -> Any:
        """Returns the result for ``key`` and forgets it."""
        assert self.pending_callbacks is not None and self.results is not None
        self.pending_callbacks.remove(key)
        return self.results.pop(key)

    def result_callback(self, key: Hashable) -> Callable[..., None]:
        """A callback that stores what it is called with under ``key``."""
        callback: Callable[..., None] = stack_context.wrap(
            _argument_adapter(functools.partial(self.set_result, key))
        )
        return callback

    # -- stepping ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Goes on as long as what was yielded is done; then returns, to be called again later."""
        if self.running or self.finished:
            return
        self.running = True
        try:
            while self.future.done():
                future, self.future = self.future, None
                if not self._step(future):
                    return
        finally:
            future = None
            self.running = False

    def _step(self, future: Any) -> bool:
        """Hands the outcome of ``future`` to the generator. True if the next outcome is there already."""
        value, error = _outcome(future)
        if type(future) is Future and future._handed_over is not None:
            future._handed_over.settle()
        if error is not None:
            self.had_exception = True
        before = _state.contexts
        try:
            yielded = self.gen.send(value) if error is None else self.gen.throw(error)
            # What is done already goes in at once, in this frame, unless somebody wants to hear of each yield.
            while type(yielded) is Future and yielded._done and _state.contexts is before:
                if yielded._exc_info is not None or yielded._handed_over is not None:
                    break
                if type(self).handle_yield is not _HANDLE_YIELD:
                    break
                yielded = self.gen.send(yielded._result)
            if _state.contexts is not before:
                yielded = self.gen.throw(StackContextInconsistentError(INCONSISTENT))
        except (StopIteration, Return) as stop:
            result, failure = _value_from_stopiteration(stop), None
        except (Exception, asyncio.CancelledError) as e:
            result, failure = None, without_own_frames(e)
        else:
            return self.handle_yield(yielded)
        finally:
            yielded = None
            del error, value, future
        try:
            self._finish(result, failure)
        finally:
            del failure  # its traceback leads to this frame
        return False

    def _finish(self, result: Any, failure: Any) -> None:
        self.finished = True
        self.future = _null_future
        if failure is None and self.pending_callbacks and not self.had_exception:
            # As in 4.5.3 this goes to the loop, or to a stack context: the coroutine's Future never ends.
            raise LeakedCallbackError(f"finished without waiting for callbacks {self.pending_callbacks!r}")
        result_future, self.result_future = self.result_future, None
        try:
            if failure is None:
                result_future.set_result(result)
            else:
                result_future.set_exc_info(failure)
        finally:
            del failure
        if self.stack_context_deactivate is not None:
            self.stack_context_deactivate()
            self.stack_context_deactivate = None

    def handle_yield(self, yielded: Any) -> bool:
        """Makes ``self.future`` of what was yielded. True if it is done, so that `run` may go on."""
        if not isinstance(yielded, Future):
            if _contains_yieldpoint(yielded):
                yielded = multi(yielded)
            if isinstance(yielded, YieldPoint):
                return self._handle_yield_point(yielded)
            try:
                yielded = convert_yielded(yielded)
            except Exception as error:
                yielded = Future()
                yielded.set_exc_info(without_own_frames(error))
        self.future = yielded
        return self._ready_or_wait()

    def _handle_yield_point(self, point: YieldPoint) -> bool:
        if self.stack_context_deactivate is not None:
            self._start_yield_point(point)
            return self._ready_or_wait()
        # The first one. From here on the coroutine runs in a context that gives it the exceptions
        # of the callbacks it starts, and the way into a context leads through the loop.
        self.future = Future()
        with ExceptionStackContext(self.handle_exception) as deactivate:
            self.stack_context_deactivate = deactivate

            def start() -> None:
                self._start_yield_point(point)
                self._run_in_context()

            self.io_loop.add_callback(start)
        return False

    def _start_yield_point(self, point: YieldPoint) -> None:
        self.future = Future()
        try:
            point.start(self)
            if point.is_ready():
                self.future.set_result(point.get_result())
            else:
                self.yield_point = point
        except Exception as error:
            self.future = Future()
            self.future.set_exc_info(without_own_frames(error))

    def _ready_or_wait(self) -> bool:
        future = self.future
        if future.done() and future is not moment:
            return True
        if stack_context._active() or not isinstance(future, FUTURES):
            self.io_loop.add_future(future, self._resume)
        else:
            future.add_done_callback(self._schedule)
        return False

    def _schedule(self, future: Any) -> None:
        """Asks for another round of the loop, from any thread: executors resolve Futures in theirs."""
        call_soon(self.io_loop, self)

    def _resume(self, future: Any = None) -> None:
        self._run_in_context()

    def _run_in_context(self) -> None:
        """`run`, called from wherever a callback was: another coroutine that shares the Context may be at work."""
        if not (self.running or self.finished):
            enter(self.context, self.run)

    def __call__(self) -> None:
        """What the loop calls, with ``context`` entered. As if wrapped where no stack context was active."""
        surrounding = _state.contexts
        if surrounding is _EMPTY:
            self.run()
            return
        _state.contexts = _EMPTY
        try:
            self.run()
        finally:
            _state.contexts = surrounding

    def handle_exception(self, typ: Any, value: Any, tb: Any) -> bool:
        """Gives the coroutine an exception of something it started, unless it is at work or has ended."""
        if self.running or self.finished:
            return False
        self.future = Future()
        self.future.set_exc_info((typ, value, tb))
        self._run_in_context()
        return True


#: What a program, or the watch of ``--migrate``, may put another in the place of.
_HANDLE_YIELD = Runner.handle_yield
