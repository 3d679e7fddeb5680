"""How a `contextvars.Context` travels with coroutines.

A coroutine takes a copy of the context it was started in and runs all its later steps in that copy.
One request is different: ``prepare``, the handler's method and ``on_finish`` are to see each other's
variables, so `tornado4.web` runs them through `run_in`, and a coroutine that is started within
uses that very Context instead of a copy.
"""

from __future__ import annotations

import threading
from asyncio import _get_running_loop
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

_R = TypeVar("_R")


#: The attribute of a loop that holds the Context that `run_in` is in. It belongs to the loop: another one may run
#: inside a callback of the first (a synchronous client in a handler), and what that one resumes would find the
#: Context still entered.
_ATTRIBUTE = "_tornado4_entered"


class _Nobody(threading.local):
    """Stands in for the loop in threads where none is running, as under WSGI."""


_nobody = _Nobody()


def run_in(context: Context, fn: Callable[..., _R], *args: Any) -> _R:
    """Calls ``fn(*args)`` in ``context``, which coroutines that it starts share.

    May be nested; a call within the same ``context`` is an ordinary call.
    """
    loop: Any = _get_running_loop() or _nobody
    try:
        outer = loop._tornado4_entered
    except AttributeError:  # the first time
        outer = None
    if outer is context:
        return fn(*args)
    loop._tornado4_entered = context
    try:
        return context.run(fn, *args)
    finally:
        loop._tornado4_entered = outer


def coroutine_context() -> Context:
    """The Context for the later steps of a coroutine that is being started now."""
    entered: Context | None = getattr(_get_running_loop() or _nobody, _ATTRIBUTE, None)
    return copy_context() if entered is None else entered
