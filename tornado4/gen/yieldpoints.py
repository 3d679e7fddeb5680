"""YieldPoints: what coroutines yielded before there were Futures.

A function that takes a ``callback`` argument is called in one of two ways::

    response = yield gen.Task(http_client.fetch, url)

    http_client.fetch(url1, callback=(yield gen.Callback("k1")))
    http_client.fetch(url2, callback=(yield gen.Callback("k2")))
    response1, response2 = yield gen.WaitAll(["k1", "k2"])

They work in any coroutine. As in 4.5.3 the first one in a coroutine costs an iteration of the
loop, for it needs a stack context through which exceptions of the callbacks find their way back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

from tornado4._core.futures import Future, is_future
from tornado4._core.yielded import convert_yielded, multi_future
from tornado4.ioloop import IOLoop
from tornado4.log import app_log
from tornado4.stack_context import ExceptionStackContext


class YieldPoint:
    """Base class of what is not a Future and may be yielded. Obsolete since 4.0: use Futures."""

    def start(self, runner: Any) -> None:
        """Called once, before anything else, with the `.Runner` that was given this object."""
        raise NotImplementedError()

    def is_ready(self) -> bool:
        """True when there is a result. Asked after `start` and whenever a callback has come in."""
        raise NotImplementedError()

    def get_result(self) -> Any:
        """The value of the ``yield`` expression; called once, when `is_ready`."""
        raise NotImplementedError()


class Callback(YieldPoint):
    """Yields a callback; what that is called with can be waited for under ``key``, any hashable object.

    A single argument becomes the result as it is, none becomes None; more, or keywords, become `Arguments`.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key

    def start(self, runner: Any) -> None:
        """Reserve the key. `KeyReuseError` when the coroutine waits for that key already."""
        self.runner = runner
        runner.register_callback(self.key)

    def is_ready(self) -> bool:
        """Always True: the callback itself is there at once, what it will be called with is not."""
        return True

    def get_result(self) -> Callable[..., None]:
        """The callback to hand on. It may be called once, from the thread of the loop."""
        callback: Callable[..., None] = self.runner.result_callback(self.key)
        return callback


class Wait(YieldPoint):
    """Waits for one `Callback`.

    :arg key: that of the `Callback`.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key

    def start(self, runner: Any) -> None:
        """Remember whose keys are meant."""
        self.runner = runner

    def is_ready(self) -> bool:
        """True once the callback has been called. `UnknownKeyError` when there is none of this key."""
        ready: bool = self.runner.is_ready(self.key)
        return ready

    def get_result(self) -> Any:
        """What the callback was called with; the key is free again afterwards."""
        return self.runner.pop_result(self.key)


class WaitAll(YieldPoint):
    """Waits for several `Callback` keys; the result is a list in their order."""

    def __init__(self, keys: Iterable[Hashable]) -> None:
        self.keys = keys

    def start(self, runner: Any) -> None:
        """Remember whose keys are meant."""
        self.runner = runner

    def is_ready(self) -> bool:
        """True once all callbacks have been called. `UnknownKeyError` for a key that has none."""
        return all(map(self.runner.is_ready, self.keys))

    def get_result(self) -> list[Any]:
        """What the callbacks were called with, in the order of the keys, which are free again."""
        return list(map(self.runner.pop_result, self.keys))


class YieldFuture(YieldPoint):
    """Makes a YieldPoint of a Future. ``io_loop`` defaults to the current one.

    :arg future: what is waited for.
    """

    def __init__(self, future: Any, io_loop: Any = None) -> None:
        self.future = future
        self.io_loop: Any = io_loop or IOLoop.current()
        self.runner: Any = None

    def start(self, runner: Any) -> None:
        """Wake the coroutine through the loop when the Future is done, unless it is already."""
        if self.future.done():
            return
        self.runner = runner
        self.key = object()
        runner.register_callback(self.key)
        self.io_loop.add_future(self.future, runner.result_callback(self.key))

    def is_ready(self) -> bool:
        """True once the loop has told of the Future, or when it was done from the beginning."""
        return self.runner is None or bool(self.runner.is_ready(self.key))

    def get_result(self) -> Any:
        """The Future's result; raises its exception."""
        future = self.future if self.runner is None else self.runner.pop_result(self.key)
        return future.result()


class MultiYieldPoint(YieldPoint):
    """Waits for YieldPoints and Futures together; the result is a list, or a dictionary, as ``children`` is.

    Exceptions are handled as `.multi_future` does. Use `.multi`, which takes the better way by itself.

    :arg quiet_exceptions: a type or a tuple of types that are not logged when a further child raises them.
    """

    def __init__(self, children: Any, quiet_exceptions: Any = ()) -> None:
        self.keys: list[Any] | None = None
        if isinstance(children, dict):
            self.keys = list(children)
            children = children.values()
        self.children: list[YieldPoint] = [self._as_yield_point(child) for child in children]
        self.unfinished_children = set(self.children)
        self.quiet_exceptions = quiet_exceptions

    @staticmethod
    def _as_yield_point(child: Any) -> YieldPoint:
        if not isinstance(child, YieldPoint):
            child = convert_yielded(child)
        if is_future(child):
            child = YieldFuture(child)
        assert isinstance(child, YieldPoint)
        return child

    def start(self, runner: Any) -> None:
        """Start all children, in their order."""
        for child in self.children:
            child.start(runner)

    def is_ready(self) -> bool:
        """True once every child is. Children that were ready are not asked again."""
        # Stop at the first that is not: with many children, asked at each callback, this stays linear.
        unfinished = self.unfinished_children
        for child in list(unfinished):
            if not child.is_ready():
                return False
            unfinished.remove(child)
        return True

    def get_result(self) -> Any:
        """The children's results. When some failed, the exception of the first is raised.

        The others are logged, unless they are of ``quiet_exceptions``.
        """
        results: list[Any] = []
        failed = None
        for child in self.children:
            try:
                results.append(child.get_result())
            except Exception as error:
                if failed is None:
                    failed = error
                elif not isinstance(error, self.quiet_exceptions):
                    app_log.error("Multiple exceptions in yield list", exc_info=True)
        if failed is not None:
            try:
                raise failed
            finally:
                del failed
        return results if self.keys is None else dict(zip(self.keys, results, strict=True))


def _contains_yieldpoint(children: Any) -> bool:
    """True if a list or dictionary has a YieldPoint in it (itself, not deeper)."""
    if isinstance(children, dict):
        children = children.values()
    elif not isinstance(children, list):
        return False
    for child in children:  # any() with a generator would take three times as long
        if isinstance(child, YieldPoint):
            return True
    return False


def multi(children: Any, quiet_exceptions: Any = ()) -> Any:
    """Waits for several things in parallel: ``a, b = yield gen.multi([fetch(x), fetch(y)])``.

    ``children`` is a list (or another iterable) or a dictionary, and so is the result. A list or dictionary
    that is yielded in a coroutine is handed to this function; in a native coroutine call it
    yourself: ``await gen.multi(...)``. Nothing is stopped when one of them fails: the first
    exception is raised after all have finished, others are logged unless ``quiet_exceptions``, a
    type or a tuple of types, names them.
    """
    if _contains_yieldpoint(children):
        return MultiYieldPoint(children, quiet_exceptions=quiet_exceptions)
    return multi_future(children, quiet_exceptions=quiet_exceptions)


Multi = multi
# In 4.0 to 4.2 that was a class, whose methods were called by name.
for _name in ("start", "is_ready", "get_result"):
    setattr(multi, _name, getattr(MultiYieldPoint, _name))


# A list that holds a YieldPoint must not be taken for one of Futures.
@convert_yielded.register(list)
@convert_yielded.register(dict)
def _convert_several(yielded: Any) -> Any:
    return multi(yielded)  # looked up each time: a program may have replaced it


class Arguments(NamedTuple):
    """What a callback was called with: ``args`` and ``kwargs``, if it was not just one positional argument."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def _argument_adapter(callback: Callable[[Any], Any]) -> Callable[..., None]:
    """Makes a callback for any arguments of one that takes a single value."""

    def adapt(*args: Any, **kwargs: Any) -> None:
        if kwargs or len(args) > 1:
            callback(Arguments(args, kwargs))
        else:
            callback(args[0] if args else None)

    return adapt


def Task(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """Calls ``func(*args, callback=..., **kwargs)`` and returns a Future for what the callback gets.

    An exception, of ``func`` itself or of something asynchronous that it started, goes into the Future.
    """
    future = Future()

    def fail(typ: Any, value: Any, tb: Any) -> bool:
        if future.done():
            return False
        future.set_exc_info((typ, value, tb))
        return True

    def succeed(result: Any) -> None:
        if not future.done():
            future.set_result(result)

    with ExceptionStackContext(fail):
        func(*args, callback=_argument_adapter(succeed), **kwargs)
    return future


__all__ = [
    "Arguments",
    "Callback",
    "Multi",
    "MultiYieldPoint",
    "Task",
    "Wait",
    "WaitAll",
    "YieldFuture",
    "YieldPoint",
    "multi",
]
