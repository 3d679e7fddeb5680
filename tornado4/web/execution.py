"""Running one request through its handler: prepare, the HTTP method, finish.

For a handler that does not wait, all of this is one call, with no Future, no coroutine and no loop involved
(WSGI runs on that). Where something has to be waited for, a `_Run` takes over. It goes on one loop iteration after
each thing awaited, as 4.5.3's own coroutine did.

All steps of one request run in one contextvars Context, which native coroutines and gen.coroutine runners
started on the way share.
"""

from __future__ import annotations

import asyncio
import contextvars
import enum
import types
from collections.abc import Callable, Generator
from inspect import isawaitable, iscoroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from tornado4 import gen, stack_context
from tornado4._core.context import rejoin, run_in, shared_context, take_over
from tornado4._core.tasks import as_future, end_task, keep_stack_contexts, start_task, take_steps
from tornado4._core.yielded import convert_yielded
from tornado4.concurrent import Future
from tornado4.gen.runner import call_soon
from tornado4.ioloop import IOLoop
from tornado4.iostream import StreamClosedError
from tornado4.log import app_log
from tornado4.stack_context import _state
from tornado4.web import failures
from tornado4.web.errors import HTTPError

if TYPE_CHECKING:
    from tornado4.web.handler import RequestHandler

#: What a request that is over on return gives back. Resolved, so nobody can change it.
_DONE: Future = Future()
_DONE.set_result(None)

_METHOD_NAMES: dict[str, str] = {
    verb: verb.lower() for verb in ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
}
_NO_XSRF_CHECK = frozenset(("GET", "HEAD", "OPTIONS"))


class _Stage(enum.Enum):
    """What a request waits for. PREPARE -> BODY -> METHOD; BODY is for `stream_request_body` alone."""

    PREPARE = "what prepare() returned"
    BODY = "the end of the body, which comes in pieces"
    METHOD = "what the HTTP method returned; then the response is finished"


_PREPARE, _BODY, _METHOD = _Stage.PREPARE, _Stage.BODY, _Stage.METHOD


def execute(
    handler: RequestHandler, transforms: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Future:
    """Run the request; the Future (resolved already where nothing waits) tells when it is over."""
    handler._transforms = transforms
    context = handler._request_context = contextvars.copy_context()
    waiting = run_in(context, _run_through, handler, args, kwargs)
    if waiting is None:
        return _DONE
    stage, awaited = waiting
    run = _Run(handler, context, stage)
    run.wait_for(awaited)
    return run.over


def call_back(handler: Any, method: Callable[..., Any], *args: Any) -> Any:
    """Call one of the handler's methods for its connection, in the Context that the request has run in so far.

    What is a native coroutine becomes a Future, and has a copy of that Context.
    """
    context = handler._request_context
    result = rejoin(context, method, *args)
    if context is not None and type(result) is CoroutineType:
        return as_future(result, context.copy())
    return result


def close_callback(handler: RequestHandler) -> Callable[[], None]:
    """What a connection is to call when its other side has gone."""
    return lambda: call_back(handler, handler.on_connection_close)


def call_on_finish(handler: RequestHandler, on_finish: Callable[[], None]) -> None:
    """In the request's Context, where tokens that `prepare` got are valid, whoever it was that has finished.

    If that was a callback in a Context of its own, what it has set is seen as well.
    """
    context = handler._request_context
    if context is None or shared_context() is context:
        on_finish()
    else:
        rejoin(context, _with_variables_of, contextvars.copy_context(), on_finish)


def _with_variables_of(context: contextvars.Context, function: Callable[[], None]) -> None:
    take_over(context)
    function()


def see_to(handler: RequestHandler, over: Any) -> None:
    """Start what an ``_execute`` of somebody else's has returned, if that has to be waited for.

    An ``async def`` in its place, as of a tracing agent, does nothing until then. What it raises is logged, and is
    the answer, unless there was one. It may wait within stack contexts that it has entered by ``with``.
    """

    def ended(future: Any) -> None:
        try:
            future.result()
        except (Exception, asyncio.CancelledError) as error:
            _fail(handler, error)

    if isawaitable(over) and not isinstance(over, Future):
        loop: Any = IOLoop.current()
        future = as_future(keep_stack_contexts(over)) if iscoroutine(over) else convert_yielded(over)
        loop.add_future(future, ended)


def _run_through(
    handler: RequestHandler, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[_Stage, Any] | None:
    """Run the request as far as it goes without waiting.

    None if that is to its end; else where it stopped, and what has to be waited for there.
    """
    try:
        verb: Any = handler.request.method
        if verb not in handler.SUPPORTED_METHODS:
            raise HTTPError(405)
        if args or kwargs:
            handler.path_args = [handler.decode_argument(arg) for arg in args]
            handler.path_kwargs = {key: handler.decode_argument(arg, name=key) for key, arg in kwargs.items()}
        else:
            handler.path_args, handler.path_kwargs = [], {}
        if verb not in _NO_XSRF_CHECK and handler.application.settings.get("xsrf_cookies"):
            handler.check_xsrf_cookie()
        awaited = handler.prepare()
        if awaited is not None:
            return _PREPARE, awaited
        if handler._stream_request_body:
            return _PREPARE, _DONE
        if handler._finished:
            return None
        awaited = _call_method(handler)
        # what is done needs no waiting: so it is with coroutines that never had to
        if awaited is not None and not (type(awaited) is Future and awaited._done and awaited._exc_info is None):
            return _METHOD, awaited
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except (Exception, asyncio.CancelledError) as error:
        _fail(handler, error)
    return None


def _call_method(handler: RequestHandler) -> Any:
    verb: Any = handler.request.method
    method = getattr(handler, _METHOD_NAMES.get(verb) or verb.lower())
    if handler.path_args or handler.path_kwargs:  # which prepare may have changed
        return method(*handler.path_args, **handler.path_kwargs)
    return method()


def _fail(handler: RequestHandler, error: BaseException) -> None:
    """Answer with an error. To be called while ``error`` is being handled."""
    try:
        handler._handle_request_exception(error)
    except Exception:
        app_log.error("Exception in exception handler", exc_info=True)
        failures.answer_anyhow(handler)
    _open_body(handler)


def _open_body(handler: RequestHandler) -> None:
    """Let a streamed body come: `prepare` is through, or has failed."""
    prepared = handler._prepared_future
    if prepared is not None and not prepared.done():
        prepared.set_result(None)


@gen.coroutine
def _yielded(value: Any) -> Generator[Any, Any, Any]:
    """Wait for anything that may be yielded (lists, dicts, YieldPoints, ...); BadYieldError for the rest."""
    result = yield value
    raise gen.Return(result)


@types.coroutine
def _next_round() -> Generator[None, None, None]:
    """What ``asyncio.sleep(0)`` does, in one frame less."""
    yield


class _Run:
    """A request that waits: goes from one thing awaited to the next.

    It is itself the callback that the loop runs then.
    """

    __slots__ = ("_awaited", "_handler", "_loop", "_request_context", "_stage", "_suspended", "context", "over")

    def __init__(self, handler: RequestHandler, context: contextvars.Context, stage: _Stage) -> None:
        self._handler = handler
        self._stage = stage
        self._request_context = context
        #: What the loop calls us in. Not the request's own, which eager tasks want to enter by themselves.
        self.context: contextvars.Context | None = None
        self._awaited: Any = None
        self._loop: Any = None
        self._suspended = False
        self.over: Future = Future()

    def wait_for(self, awaited: Any) -> None:
        """Come back when ``awaited`` is done; if it is, go on at once. None: there is nothing left to do."""
        while awaited is not None:
            if self._stage is _METHOD and type(awaited) is CoroutineType and not stack_context._active():
                start_task(self._finish_after(awaited), self._request_context)
                self._suspended = True
                return
            future = self._as_future(awaited)
            if not future.done() or future is gen.moment:
                self._call_later(future)
                return
            awaited = run_in(self._request_context, self._step, future)
        self.over.set_result(None)

    def _go_on(self, future: Any) -> None:
        self.wait_for(run_in(self._request_context, self._step, future))

    def __call__(self) -> None:
        future, self._awaited = self._awaited, None
        self._go_on(future)

    def _step(self, future: Any) -> Any:
        """Do what comes behind ``future``, which is done; returns what is to be awaited next."""
        handler = self._handler
        try:
            if self._stage is _BODY:
                try:
                    future.result()
                except StreamClosedError:
                    return None
                return self._call_method()
            future.result()
            if self._stage is _PREPARE:
                return self._open_body()
            if handler._auto_finish and not handler._finished:
                handler.finish()
        except (Exception, asyncio.CancelledError) as error:
            _fail(handler, error)
        return None

    def _open_body(self) -> Any:
        handler = self._handler
        _open_body(handler)
        if handler._finished:
            return None
        if handler._stream_request_body:
            self._stage = _BODY
            return handler.request.body
        return self._call_method()

    def _call_method(self) -> Any:
        self._stage = _METHOD
        awaited = _call_method(self._handler)
        return _DONE if awaited is None else awaited

    async def _finish_after(self, awaitable: Any) -> None:
        """The task of a method that is a native coroutine: it finishes the response, too."""
        handler = self._handler
        try:
            await take_steps(awaitable, _state.contexts)
            if self._suspended:
                # As in 4.5.3, what the method has queued on the loop runs before the response is finished.
                await _next_round()
            if handler._auto_finish and not handler._finished:
                handler.finish()
        except (Exception, asyncio.CancelledError) as error:
            # the task can be cancelled: the client gets its 500 all the same
            _fail(handler, error)
        finally:
            end_task()
        self.over.set_result(None)

    def _as_future(self, awaited: Any) -> Any:
        if isinstance(awaited, Future):
            return awaited
        if iscoroutine(awaited):
            # outside of run_in: an eager task enters the context itself
            return as_future(awaited, self._request_context)
        if asyncio.isfuture(awaited):
            return awaited
        return run_in(self._request_context, _yielded, awaited)

    def _call_later(self, future: Any) -> None:
        if not isinstance(future, Future):
            # an asyncio future calls back in the next iteration of its loop by itself
            future.add_done_callback(stack_context.wrap(self._go_on))
        elif stack_context._active():
            loop: Any = IOLoop.current()
            loop.add_future(future, self._go_on)
        else:
            self._loop = IOLoop.current()
            if self.context is None:
                self.context = contextvars.copy_context()
            future.add_done_callback(self._schedule)

    def _schedule(self, future: Any) -> None:
        # also called by other threads, if that is where the Future is resolved
        self._awaited = future
        call_soon(self._loop, self)
