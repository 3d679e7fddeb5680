"""How a `contextvars.Context` travels with coroutines.

A coroutine runs all its steps in one Context, the first included, so that a token of ``ContextVar.set`` can be reset
behind a ``yield``: in a copy of the context it was called in. What its first step has set is handed to the caller,
who saw it in 4.5.3, where nothing was ever copied.

One request is different: ``prepare``, the handler's method and ``on_finish`` are to see each other's variables, so
`tornado4.web` runs them through `run_in`, and a coroutine that is started within uses that very Context. What the
connection calls later (a WebSocket's messages, the pieces of a body, its end) gets there by `rejoin`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar, Token, copy_context
from typing import Any, TypeVar

from tornado4._core.private_asyncio import get_running_loop

_R = TypeVar("_R")


#: The attribute of a loop that holds the Context that `run_in` is in. It belongs to the loop: another one may run
#: inside a callback of the first (a synchronous client in a handler), and what that one resumes would find the
#: Context still entered.
ENTERED = "_tornado4_entered"


class _Nobody(threading.local):
    """Stands in for the loop in threads where none is running, as under WSGI."""


_nobody = _Nobody()


def run_in(context: Context, fn: Callable[..., _R], *args: Any) -> _R:
    """Calls ``fn(*args)`` in ``context``, which coroutines that it starts share.

    May be nested; a call within the same ``context`` is an ordinary call.
    """
    loop: Any = get_running_loop() or _nobody
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


def shared_context() -> Context | None:
    """The Context of `run_in`, when this is called within it."""
    entered: Context | None = getattr(get_running_loop() or _nobody, ENTERED, None)
    return entered


def coroutine_context() -> Context:
    """The Context for the steps of a coroutine that is being started now."""
    shared = shared_context()
    return copy_context() if shared is None else shared


_UNSET: Any = object()


class HandedOver:
    """What the first step of a coroutine has set, handed to its caller; when the coroutine ends, `settle` follows."""

    __slots__ = ("_context", "_entries")

    def __init__(self, context: Context, entries: list[tuple[ContextVar[Any], Any, Token[Any]]]) -> None:
        self._context = context
        self._entries = entries

    def settle(self) -> None:
        """Undo or renew what was handed over, as the coroutine has, where nobody else has changed it meanwhile.

        For the caller that has waited for the coroutine; in another context than it was handed to, nothing
        happens.
        """
        for var, value, token in reversed(self._entries):
            final = self._context.get(var, _UNSET)
            if final is value or var.get(_UNSET) is not value:
                continue
            try:
                var.reset(token)
            except (ValueError, RuntimeError):  # another context; settled already
                continue
            if final is not _UNSET and var.get(_UNSET) is not final:
                var.set(final)


def take_over(context: Context) -> HandedOver | None:
    """Set in the current context what differs in ``context``, a copy of it in which something has run."""
    entries = [
        (var, value, var.set(value)) for var, value in context.items() if var.get(_UNSET) is not value
    ]
    return HandedOver(context, entries) if entries else None


def enter(context: Context, fn: Callable[[], _R]) -> _R:
    """``context.run(fn)``; a plain call where the context is entered already, by a coroutine that shares it."""
    return _enter_by(Context.run, context, fn)


def rejoin(context: Context | None, fn: Callable[..., _R], *args: Any) -> _R:
    """`run_in`, for what is called from anywhere; a plain call where the context is entered already, or is None."""
    if context is None or shared_context() is context:
        return fn(*args)
    return _enter_by(run_in, context, fn, *args)


def _enter_by(run: Callable[..., Any], context: Context, fn: Callable[..., _R], *args: Any) -> _R:
    begun = False

    def body() -> _R:
        nonlocal begun
        begun = True
        return fn(*args)

    try:
        result: _R = run(context, body)
    except RuntimeError:
        if begun:
            raise
        result = fn(*args)
    return result
