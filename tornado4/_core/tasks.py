"""Native coroutines as real asyncio tasks.

What an ``async def`` function may expect of asyncio (`asyncio.current_task`, ``timeout()``,
``TaskGroup``, libraries built on them) works only inside a task. Ours start at once if their loop runs, as a
coroutine of 4.5.3 did.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

from tornado4._core import current
from tornado4._core.context import ENTERED
from tornado4._core.eager import start_at_once
from tornado4._core.futures import Future
from tornado4._core.private_asyncio import get_running_loop
from tornado4._core.returned import Return
from tornado4.stack_context import StackContextInconsistentError, _Attached, _state

_AsyncioFuture = asyncio.Future

# asyncio itself holds its tasks weakly. One that waits for something which only it knows would vanish.
_running: set[asyncio.Task[Any]] = set()

INCONSISTENT = 'stack_context inconsistency (probably caused by yield within a "with StackContext" block)'


def as_future(awaitable: Awaitable[Any], context: Context | None = None) -> Future:
    """Runs an awaitable as an asyncio task of this thread's loop and returns a `Future` for its outcome.

    The Future is resolved in the last step, which may be the first and taken already, not an iteration of the loop
    later. The steps run within the stack contexts that are active now, and in ``context`` (default: a copy of the
    current one). Call it from outside ``context``: a Context cannot be entered twice.
    """
    future = Future()
    start_task(_deliver(awaitable, _state.contexts, future), context)
    return future


def release_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Lets go of the unfinished tasks of a loop that has been closed, quietly; `.IOLoop.close` calls it."""
    for task in [task for task in _running if task.get_loop() is loop]:
        _running.discard(task)
        coro: Any = task.get_coro()
        if inspect.iscoroutine(coro) and inspect.getcoroutinestate(coro) == inspect.CORO_CREATED:
            # It would be reported as never awaited, as would the coroutine that it was to run.
            inner = coro.cr_frame.f_locals.get("awaitable") if coro.cr_frame is not None else None
            coro.close()
            if inspect.iscoroutine(inner):
                inner.close()


def start_task(coro: Coroutine[Any, Any, Any], context: Context | None) -> None:
    """Makes a task of ``coro``, which keeps its exceptions to itself and calls `end_task` in its last step."""
    if current.manner.without_loop:
        _first_step(coro, context)
        return
    loop = current.asyncio_loop()
    task: asyncio.Task[Any]
    if loop.get_task_factory() is None and get_running_loop() is loop:
        outer = getattr(loop, ENTERED, None)
        if outer is None:
            task = start_at_once(coro, loop, context)
        else:
            # The task enters a Context of its own: what it starts does not share that of `run_in`.
            setattr(loop, ENTERED, None)
            try:
                task = start_at_once(coro, loop, context)
            finally:
                setattr(loop, ENTERED, outer)
    else:
        # The application's own kind of task, or one that starts when the loop does. If it is cancelled before its
        # first step, it never comes to its last.
        task = loop.create_task(coro, context=context)
        task.add_done_callback(_running.discard)
    if not task.done():
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        _running.add(task)


def end_task() -> None:
    """What a coroutine of `start_task` calls when it ends: nobody needs to hold its task any more."""
    loop = get_running_loop()
    if loop is not None:
        task = asyncio.current_task(loop)
        if task is not None:
            _running.discard(task)


def _first_step(coro: Coroutine[Any, Any, Any], context: Context | None) -> None:
    """Runs a coroutine up to where it waits, with no task around it, as 4.5.3 ran all of them.

    For WSGI, where nothing could ever resume it: one that waits is dropped, what it would have resolved left
    pending.
    """
    try:
        (context or copy_context()).run(coro.send, None)
    except StopIteration:
        return
    coro.close()


async def _deliver(awaitable: Awaitable[Any], contexts: Any, future: Future) -> None:
    try:
        await take_steps(awaitable, contexts, future)
    except (Exception, asyncio.CancelledError):
        pass  # the Future has it, and whoever waits for that; the task itself has no owner
    except BaseException:
        future._clear_tb_log()  # KeyboardInterrupt and SystemExit go on through the loop
        raise
    finally:
        end_task()
        del awaitable, future


def _iterator_of(awaitable: Any) -> Any:
    """What ``await`` would iterate over. Raises what ``__await__`` raises; TypeError when that gives no iterable."""
    if hasattr(awaitable, "__await__"):  # a generator of `types.coroutine` has none, and is its own
        awaitable = awaitable.__await__()
    return awaitable if hasattr(awaitable, "send") else iter(awaitable)


def _failing(error: BaseException) -> Generator[Any, Any, Any]:
    """Raises in its first step what an ``__await__`` has raised: a `Return` is a result there, as in 4.5.3."""
    raise error
    yield  # makes this a generator


@types.coroutine
def keep_stack_contexts(coro: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Awaits ``coro``; the stack contexts that it has entered stay its own while it waits.

    For code that was not written for 4.5.3, where waiting within ``with StackContext(...)`` is an error.
    """
    contexts = _state.contexts
    step: Callable[[Any], Any] = coro.send
    argument: Any = None
    while True:
        outer = _state.contexts
        _state.contexts = contexts
        try:
            yielded = step(argument)
        except StopIteration as stop:
            return stop.value
        finally:
            contexts = _state.contexts
            _state.contexts = outer
        try:
            argument = yield yielded
            step = coro.send
        except GeneratorExit:
            coro.close()
            raise
        except BaseException as error:
            step, argument = coro.throw, error


_YIELDED, _RETURNED, _RAISED = range(3)


@types.coroutine
def take_steps(awaitable: Any, contexts: Any, future: Future | None = None) -> Generator[Any, Any, Any]:
    """Awaits an awaitable step by step, within the stack contexts that were active when it began.

    If there is a ``future``, it gets the outcome in the last step, within these contexts.
    """
    send: Callable[[Any], Any]
    if type(awaitable) is types.CoroutineType:
        iterator: Any = awaitable  # its ``__await__`` would only wrap it
        send = iterator.send
    else:
        try:
            iterator = _iterator_of(awaitable)
        except BaseException as error:
            iterator = _failing(error)
        send = getattr(iterator, "send", None) or (lambda _: next(iterator))
    step, argument = send, None
    while True:
        if _state.contexts is contexts:
            # Mostly so, and shorter: what `_take_step` does.
            try:
                value = step(argument)
                if _state.contexts is not contexts:
                    value = iterator.throw(StackContextInconsistentError(INCONSISTENT))
            except (StopIteration, Return) as stop:
                if future is not None:
                    future.set_result(stop.value)
                return stop.value
            except BaseException:
                if future is not None:
                    future.set_exc_info(sys.exc_info())
                del future  # or its traceback would lead back to it
                raise
        else:
            kind, value = _Attached(_take_step, contexts)(iterator, step, argument, future)
            if kind == _RETURNED:
                return value
            if kind == _RAISED:
                try:
                    raise value
                finally:
                    del value, future
        argument = None
        try:
            if type(value) is _AsyncioFuture or value is None:
                argument = yield value
            elif isinstance(value, Future):
                # Plain objects with an ``__await__`` of their own may yield one, which no task understands.
                argument = yield from value.__await__()
            elif getattr(value, "_asyncio_future_blocking", None) is not None:
                argument = yield value
            else:
                argument = yield from _as_yielded(value).__await__()
            step = send
        except GeneratorExit:
            if hasattr(iterator, "close"):
                iterator.close()
            raise
        except BaseException as error:
            if not hasattr(iterator, "throw"):
                raise
            step, argument = iterator.throw, error


def _as_yielded(value: Any) -> Any:
    """A Future for what an ``__await__`` has yielded and asyncio does not know: lists and the like, as in 4.5.3."""
    from tornado4._core.yielded import convert_yielded  # which stands on this module

    return convert_yielded(value)


def _take_step(
    iterator: Any, step: Callable[[Any], Any], argument: Any, future: Future | None
) -> tuple[int, Any]:
    """Takes one step and raises nothing: contexts should not see what the coroutine may handle."""
    before = _state.contexts
    try:
        yielded = step(argument)
        if _state.contexts is not before:
            yielded = iterator.throw(StackContextInconsistentError(INCONSISTENT))
    except (StopIteration, Return) as stop:
        if future is not None:
            future.set_result(stop.value)
        return _RETURNED, stop.value
    except BaseException as error:
        if future is not None:
            future.set_exc_info(sys.exc_info())
        return _RAISED, error
    finally:
        del argument, future
    return _YIELDED, yielded
