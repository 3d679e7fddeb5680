"""What may be yielded in a coroutine, turned into a Future.

`.IOLoop.run_sync` and `tornado4.gen` stand on this. `convert_yielded` is open for other types through its
``register``; ``gen`` itself adds lists and dictionaries that contain YieldPoints that way.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Generator, Iterable, Mapping
from functools import singledispatch
from inspect import isawaitable
from typing import Any

from tornado4._core.futures import Future, is_future
from tornado4._core.private_asyncio import get_running_loop
from tornado4._core.tasks import as_future
from tornado4.log import app_log


class BadYieldError(Exception):
    """Something was yielded that a coroutine cannot wait for."""


class _Moment(Future):
    """The type of `moment`: it is done, and yet waiting for it takes an iteration of the loop."""

    def __await__(self) -> Generator[Any, Any, Any]:
        loop = get_running_loop()
        if loop is None or asyncio.current_task(loop) is None:
            yield self
        else:
            yield  # what asyncio.sleep(0) does


_Moment.__module__ = "tornado4.concurrent"

#: Yield this to let the loop run for one iteration; ``yield None`` does the same.
moment = _Moment()
moment.set_result(None)
moment.__doc__ = """Yield this to let the loop run for one iteration; ``yield None`` does the same."""


@singledispatch
def convert_yielded(yielded: Any) -> Any:
    """Returns a Future for anything that may be yielded: Futures, lists and dictionaries, awaitables, None.

    A native coroutine is started by this. Other types are added with
    ``convert_yielded.register(type, function)``.

    :raises BadYieldError: nobody knows how to wait for ``yielded``.
    """
    if is_future(yielded):
        return yielded
    if isinstance(yielded, (list, dict)):
        return multi_future(yielded)
    if isawaitable(yielded):
        return as_future(yielded)
    raise BadYieldError(f"yielded unknown object {yielded!r}")


@convert_yielded.register(type(None))
def _convert_none(yielded: None) -> Future:
    return moment


@convert_yielded.register(Future)
def _convert_future(yielded: Future) -> Future:
    return yielded


@convert_yielded.register(asyncio.Future)
def _convert_asyncio_future(yielded: asyncio.Future[Any]) -> Future:
    """An asyncio future or task, of this thread's loop; its cancellation arrives as an exception."""
    future = Future()
    yielded._asyncio_future_blocking = False  # it may have come out of an ``__await__``

    def copy(source: asyncio.Future[Any]) -> None:
        try:
            result = source.result()
        except (Exception, asyncio.CancelledError):
            future.set_exc_info(sys.exc_info())
        else:
            future.set_result(result)

    if yielded.done():
        copy(yielded)
    else:
        yielded.add_done_callback(copy)
    return future


def multi_future(children: Any, quiet_exceptions: Any = ()) -> Future:
    """Waits for several things at once, given as an iterable or a dictionary, and returns a Future for all.

    Its result is a list, or a dictionary with the same keys. If any of them fails, the first exception
    (in the order of ``children``) is raised once all are done; further ones are logged, unless they are of
    a type in ``quiet_exceptions``. YieldPoints are not taken here; see `.multi`.
    """
    keys: list[Any] | None = None
    values: Iterable[Any] = children
    if isinstance(children, Mapping):
        keys = list(children.keys())
        values = children.values()
    futures = [child if type(child) is Future else convert_yielded(child) for child in values]
    result = Future()
    unfinished = [child for child in futures if not child.done()]
    if not unfinished:
        _resolve_all(result, keys, futures, quiet_exceptions)
        return result

    distinct = dict.fromkeys(unfinished)
    # Futures of an executor call back in its threads: counting must be one indivisible step.
    count = itertools.count(1)

    def finished_one(_: Any) -> None:
        if next(count) == len(distinct):
            _resolve_all(result, keys, futures, quiet_exceptions)

    for child in distinct:
        child.add_done_callback(finished_one)
    return result


def _resolve_all(result: Future, keys: list[Any] | None, futures: list[Any], quiet_exceptions: Any) -> None:
    values: list[Any] = []
    failed = None
    for future in futures:
        try:
            values.append(future.result())
        except (Exception, asyncio.CancelledError) as error:
            if failed is None:
                failed = sys.exc_info()
            elif not isinstance(error, quiet_exceptions):
                app_log.error("Multiple exceptions in yield list", exc_info=True)
    try:
        if failed is not None:
            result.set_exc_info(failed)
        else:
            result.set_result(values if keys is None else dict(zip(keys, values, strict=True)))
    finally:
        del failed
