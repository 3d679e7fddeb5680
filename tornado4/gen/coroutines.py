"""`coroutine` and `engine`: the decorators that make coroutines of generator functions."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import Callable, Generator
from contextvars import copy_context
from types import GeneratorType
from typing import Any, TypeVar, overload

from tornado4 import stack_context
from tornado4._core.context import shared_context, take_over
from tornado4._core.futures import Future
from tornado4._core.tasks import INCONSISTENT
from tornado4.gen.errors import Return, ReturnValueIgnoredError, _value_from_stopiteration
from tornado4.gen.runner import Runner, without_own_frames
from tornado4.ioloop import IOLoop
from tornado4.stack_context import StackContextInconsistentError

_state = stack_context._state

_T = TypeVar("_T")


# The arguments are left open: a coroutine takes a ``callback`` besides those of the function.
@overload
def coroutine(
    func: Callable[..., Generator[Any, Any, _T]], replace_callback: bool = True
) -> Callable[..., Future[_T]]: ...


@overload
def coroutine(func: Callable[..., _T], replace_callback: bool = True) -> Callable[..., Future[_T]]: ...


def coroutine(func: Callable[..., Any], replace_callback: bool = True) -> Callable[..., Future]:
    """Decorator for a generator that yields Futures: calling it returns a `.Future` for its result.

    The body runs at once up to its first ``yield`` of something that is not done. The result is given with
    ``return`` (or ``raise gen.Return(value)``), and an exception goes into the Future too: look at it, by
    yielding the Future or with `.IOLoop.run_sync`, or it is only logged. A function that turns out
    not to be a generator has its return value put into the Future.

    Unless ``replace_callback`` is false, callers may give a ``callback`` keyword, which is not
    passed on: it is run on the loop with the result.

    :arg func: the generator, or a plain function, whose result is the Future's then.
    """
    return _make_coroutine_wrapper(func, replace_callback=replace_callback)


def engine(func: Callable[..., Any]) -> Callable[..., None]:
    """Decorator for generators that report through callbacks: like `coroutine`, but there is no Future.

    Such a function has no result (it is an error to return one), and its exceptions are raised in the
    surrounding stack context. Older than `coroutine`, which is the better choice.

    :arg func: the generator.
    """
    start = _make_coroutine_wrapper(func, replace_callback=False)

    @functools.wraps(start)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        future = start(*args, **kwargs)
        future.add_done_callback(stack_context.wrap(_refuse_result))

    return wrapper


def _refuse_result(future: Future) -> None:
    result = future.result()
    if result is not None:
        raise ReturnValueIgnoredError(f"@gen.engine functions cannot return values: {result!r}")


def is_coroutine_function(func: Any) -> bool:
    """True for functions made by `coroutine` or, as in 4.5.3, by `engine`.

    :arg func: anything.
    """
    return bool(getattr(func, "__tornado_coroutine__", False))


def _make_coroutine_wrapper(func: Callable[..., Any], replace_callback: bool) -> Callable[..., Future]:
    if inspect.isgeneratorfunction(func):
        # So that ``yield from native_coroutine()`` is allowed in its body.
        func = types.coroutine(func)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Future:
        future, waiting = Future(), None
        try:
            if replace_callback and "callback" in kwargs:
                _run_callback_later(future, kwargs.pop("callback"))
            waiting = _begin(func, args, kwargs, future)
            if waiting is not None:
                future._runner = Runner(waiting.pop(), future, *waiting)  # type: ignore[attr-defined]
            return future
        finally:
            # If the coroutine failed, its traceback leads here by ``f_back``, and would hold its own Future, or the
            # failed one that it waited for.
            del future, waiting

    wrapper.__wrapped__ = func
    wrapper.__tornado_coroutine__ = True  # type: ignore[attr-defined]
    return wrapper


def _run_callback_later(future: Future, callback: Callable[[Any], Any]) -> None:
    loop: Any = IOLoop.current()
    loop.add_future(future, lambda done: callback(done.result()))


def _begin(func: Callable[..., Any], args: Any, kwargs: dict[str, Any], future: Future) -> list[Any] | None:
    """Calls the function and sets ``future``; or returns what a generator waits for, its Context, and the generator."""
    try:
        result = func(*args, **kwargs)
        if type(result) is GeneratorType or isinstance(result, Generator):
            context = shared_context()
            if context is not None:
                return [_first_unresolved(result), context, result]
            context = copy_context()
            try:
                return [context.run(_first_unresolved, result), context, result]
            finally:
                if len(context):
                    future._handed_over = take_over(context)
    except (StopIteration, Return) as stop:
        result = _value_from_stopiteration(stop)
    except (Exception, asyncio.CancelledError) as error:
        future.set_exc_info(without_own_frames(error))
        del future
        return None
    future.set_result(result)
    return None


def _first_unresolved(gen: Generator[Any, Any, Any]) -> Any:
    """Advances ``gen`` past all Futures that have a result; returns what it yields after these."""
    before = _state.contexts
    yielded = next(gen)
    while _state.contexts is before:
        if type(yielded) is not Future or not yielded._done or yielded._exc_info is not None:
            return yielded
        yielded = gen.send(yielded._result)
    return _inconsistent()


def _inconsistent() -> Future:
    """What is thrown at a ``yield`` by the Runner, so that the ``with`` block is left and can restore the contexts."""
    failed = Future()
    failed.set_exception(StackContextInconsistentError(INCONSISTENT))
    return failed
