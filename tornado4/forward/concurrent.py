"""For `tornado4.concurrent`: setting the outcome of a Future that may have been cancelled meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from tornado4.log import app_log


def future_set_result_unless_cancelled(future: Any, value: Any) -> None:
    """``future.set_result(value)``, unless it was cancelled. Ours never are; asyncio's and executors' may be."""
    if not future.cancelled():
        future.set_result(value)


def future_set_exception_unless_cancelled(future: Any, exc: BaseException) -> None:
    """``future.set_exception(exc)``; logged instead when the future was cancelled."""
    if not future.cancelled():
        future.set_exception(exc)
    else:
        app_log.error("Exception after Future was cancelled", exc_info=exc)


def future_set_exc_info(
    future: Any, exc_info: tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
) -> None:
    """Set the exception of a ``sys.exc_info()``, unless the future was cancelled. There must be one.

    :raises Exception: there is none.
    """
    if exc_info[1] is None:
        raise Exception("future_set_exc_info called with no exception")
    future_set_exception_unless_cancelled(future, exc_info[1])


def future_add_done_callback(future: Any, callback: Callable[..., None]) -> None:
    """Call ``callback(future)`` when the future is done: at once, if it is already."""
    if future.done():
        callback(future)
    else:
        future.add_done_callback(callback)
