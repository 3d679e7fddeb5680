"""How a `contextvars.Context` travels with coroutines.

A coroutine takes a copy of the context it was started in and runs all its later steps in that copy.
One request is different: ``prepare``, the handler's method and ``on_finish`` are to see each other's
variables, so `tornado4.web` runs them through `run_in`, and a coroutine that is started within
uses that very Context instead of a copy.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

_R = TypeVar("_R")


class _Entered(threading.local):
    """The Context that `run_in` is in, and the loop that ran when it was entered."""

    # One attribute for both: looking up a thread-local costs more than making a tuple.
    now: tuple[Context | None, asyncio.AbstractEventLoop | None] = (None, None)


_entered = _Entered()


def run_in(context: Context, fn: Callable[..., _R], *args: Any) -> _R:
    """Calls ``fn(*args)`` in ``context``, which coroutines that it starts share.

    May be nested; a call within the same ``context`` is an ordinary call.
    """
    outer = _entered.now
    if outer[0] is context:
        return fn(*args)
    _entered.now = (context, asyncio._get_running_loop())
    try:
        return context.run(fn, *args)
    finally:
        _entered.now = outer


def coroutine_context() -> Context:
    """The Context for the later steps of a coroutine that is being started now."""
    context, loop = _entered.now
    # Another loop may run inside a callback of the first (a synchronous client in a handler). What it
    # resumes would find the Context still entered, so there a copy has to do.
    if context is not None and loop is asyncio._get_running_loop():
        return context
    return copy_context()
