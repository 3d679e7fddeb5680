"""Running one request through its handler: prepare, the HTTP method, finish.

For a handler that does not wait, all of this is one call, with no Future, no coroutine and no loop involved
(WSGI runs on that). Where something has to be waited for, what is left of the request becomes a generator,
`_steps`, that yields it. `_Run` drives that, one loop iteration after each thing awaited, as 4.5.3's own
coroutine was driven.

All steps of one request run in one contextvars Context, which native coroutines and gen.coroutine runners
started on the way share.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Generator
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from tornado4 import gen, stack_context
from tornado4._core.context import run_in
from tornado4._core.tasks import start_coroutine
from tornado4.concurrent import Future
from tornado4.gen.runner import call_soon
from tornado4.ioloop import IOLoop
from tornado4.iostream import StreamClosedError
from tornado4.log import app_log
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


def execute(
    handler: RequestHandler, transforms: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Future:
    """Run the request; the Future (resolved already where nothing waits) tells when it is over."""
    handler._transforms = transforms
    context = contextvars.copy_context()
    waiting = run_in(context, _run_through, handler, args, kwargs)
    if waiting is None:
        return _DONE
    awaited, steps = waiting
    run = _Run(steps, context)
    run.wait_for(awaited)
    return run.over


def _run_through(
    handler: RequestHandler, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Generator[Any, None, None]] | None:
    """Run the request as far as it goes without waiting.

    None if that is to its end; else what has to be waited for, and the steps that are left.
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
        if awaited is not None or handler._stream_request_body:
            return _begin(_steps(handler, awaited, False))
        if handler._finished:
            return None
        method = getattr(handler, _METHOD_NAMES.get(verb) or verb.lower())
        if handler.path_args or handler.path_kwargs:  # which prepare may have changed
            awaited = method(*handler.path_args, **handler.path_kwargs)
        else:
            awaited = method()
        # what is done needs no waiting: so it is with coroutines that never had to
        if awaited is not None and not (type(awaited) is Future and awaited._done and awaited._exc_info is None):
            return _begin(_steps(handler, awaited, True))
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except (Exception, asyncio.CancelledError) as error:
        _fail(handler, error)
    return None


def _begin(steps: Generator[Any, None, None]) -> tuple[Any, Generator[Any, None, None]] | None:
    for awaited in steps:
        return awaited, steps
    return None  # it went to the end after all


def _steps(handler: RequestHandler, awaited: Any, method_called: bool) -> Generator[Any, None, None]:
    """What is left of a request that waits: for ``awaited``, which came from prepare or from the method, or for
    the body.
    """
    try:
        if not method_called:
            if awaited is not None:
                yield awaited
            _open_body(handler)
            if handler._finished:
                return
            if handler._stream_request_body:
                try:
                    yield handler.request.body
                except StreamClosedError:
                    return
            verb: Any = handler.request.method
            method = getattr(handler, _METHOD_NAMES.get(verb) or verb.lower())
            awaited = method(*handler.path_args, **handler.path_kwargs)
        if awaited is not None:
            yield awaited
        if handler._auto_finish and not handler._finished:
            handler.finish()
    except (Exception, asyncio.CancelledError) as error:
        # a native handler's task can be cancelled: the client gets its 500 all the same
        _fail(handler, error)


def _fail(handler: RequestHandler, error: BaseException) -> None:
    """Answer with an error. To be called while ``error`` is being handled."""
    try:
        handler._handle_request_exception(error)
    except Exception:
        app_log.error("Exception in exception handler", exc_info=True)
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


class _Run:
    """A request that waits: drives its steps from one awaited thing to the next.

    It is itself the callback that the loop runs then.
    """

    __slots__ = ("_awaited", "_loop", "_request_context", "_steps", "context", "over")

    def __init__(self, steps: Generator[Any, None, None], context: contextvars.Context) -> None:
        self._steps = steps
        self._request_context = context
        #: What the loop calls us in. Not the request's own, which eager tasks want to enter by themselves.
        self.context = contextvars.copy_context()
        self._awaited: Any = None
        self._loop: Any = None
        self.over: Future = Future()

    def wait_for(self, awaited: Any) -> None:
        """Come back when ``awaited`` is done; if it is, take the next steps at once."""
        future = self._as_future(awaited)
        if not future.done() or future is gen.moment:
            self._call_later(future)
        else:
            self.go_on(future)

    def go_on(self, future: Any) -> None:
        """Take the steps that follow ``future``, which is done, up to one that has to be waited for."""
        while True:
            try:
                awaited = run_in(self._request_context, self._step, future)
            except StopIteration:
                self.over.set_result(None)
                return
            future = self._as_future(awaited)
            if not future.done() or future is gen.moment:
                self._call_later(future)
                return

    def __call__(self) -> None:
        future, self._awaited = self._awaited, None
        self.go_on(future)

    def _step(self, future: Any) -> Any:
        try:
            future.result()
        except BaseException as error:
            return self._steps.throw(error)
        return next(self._steps)

    def _as_future(self, awaited: Any) -> Any:
        if isinstance(awaited, Future):
            return awaited
        if iscoroutine(awaited):
            # outside of run_in: an eager task enters the context itself
            return start_coroutine(awaited, self._request_context)
        if asyncio.isfuture(awaited):
            return awaited
        return run_in(self._request_context, _yielded, awaited)

    def _call_later(self, future: Any) -> None:
        if not isinstance(future, Future):
            # an asyncio future calls back in the next iteration of its loop by itself
            future.add_done_callback(stack_context.wrap(self.go_on))
        elif stack_context._active():
            loop: Any = IOLoop.current()
            loop.add_future(future, self.go_on)
        else:
            self._loop = IOLoop.current()
            future.add_done_callback(self._schedule)

    def _schedule(self, future: Any) -> None:
        # also called by other threads, if that is where the Future is resolved
        self._awaited = future
        call_soon(self._loop, self)
