"""Contexts that follow a callback from where it was registered to where it runs.

A ``with`` block ends when its function returns, which is long before the callbacks that were
started within it run. `StackContext` and `ExceptionStackContext` are ``with`` blocks whose effect
goes on: every callback handed to the `.IOLoop`, a stream or a Future while one is active is passed
through `wrap` and re-enters it when it runs::

    def report(typ, value, tb):
        mail_to_operator(value)
        return True

    with ExceptionStackContext(report):
        stream.read_until(b"\\n", parse_line)  # what parse_line raises is reported, hours later

Most applications use only what the framework does with it: exceptions of a handler's callbacks end
as a 500 response. As long as no context is active this module costs next to nothing; code on a hot
path asks `_active` before it wraps.

``_state.contexts`` is a pair, as in 4.5.3: the tuple of active `StackContext` objects, outermost
first, and the innermost context of either kind, from which ``old_contexts[1]`` leads outwards.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from tornado4.util import raise_exc_info

_ExcInfo = tuple[Any, Any, Any]
_Context: TypeAlias = "StackContext | ExceptionStackContext"
_Contexts: TypeAlias = "tuple[tuple[StackContext, ...], _Context | None]"
_R = TypeVar("_R")

_EMPTY: _Contexts = ((), None)
_NO_EXCEPTION: _ExcInfo = (None, None, None)


class StackContextInconsistentError(Exception):
    """Contexts were left in another order than they were entered, most often by a ``yield`` within one."""


class _State(threading.local):
    """What is active in this thread."""

    contexts: _Contexts = _EMPTY


_state = _State()


def _active() -> bool:
    """True if any context is active in this thread, that is if `wrap` has something to remember."""
    contexts = _state.contexts
    return contexts is not _EMPTY and (contexts[1] is not None or bool(contexts[0]))


class StackContext:
    """Makes the context manager that ``context_factory`` returns active, also in callbacks.

    The factory is called once for this block and once more for each callback that runs on its
    behalf, since a context manager can be entered only once.

    Entering returns a function; calling that function takes the context out of all callbacks that
    were wrapped in it and have not begun to run. Few need it: it is for code that starts contexts in a loop.
    """

    def __init__(self, context_factory: Callable[[], AbstractContextManager[Any]]) -> None:
        self.context_factory = context_factory
        self.contexts: list[AbstractContextManager[Any]] = []  # entered and not yet left
        self.active = True
        self.old_contexts: _Contexts = _EMPTY
        self.new_contexts: _Contexts | None = None

    def _deactivate(self) -> None:
        self.active = False

    def enter(self) -> None:
        """Makes a fresh context manager and enters it; called for each wrapped callback."""
        manager = self.context_factory()
        self.contexts.append(manager)
        manager.__enter__()

    def exit(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves what `enter` entered last.

        As in 4.5.3 the manager's answer is dropped: a StackContext swallows no exception, in its block or after.
        """
        self.contexts.pop().__exit__(type, value, traceback)

    def __enter__(self) -> Callable[[], None]:
        outer = self.old_contexts = _state.contexts
        _state.contexts = self.new_contexts = ((*outer[0], self), self)
        try:
            self.enter()
        except BaseException:
            _state.contexts = outer
            raise
        return self._deactivate

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.exit(type, value, traceback)
        finally:
            _leave(self)


class ExceptionStackContext:
    """Hands exceptions of the block, and of all callbacks started in it, to ``exception_handler``.

    The handler is called as ``handler(type, value, traceback)``. A true result says that the
    exception has been dealt with; otherwise it goes on to the next context outwards, at last to the caller.
    """

    def __init__(self, exception_handler: Callable[[Any, Any, Any], Any]) -> None:
        self.exception_handler = exception_handler
        self.active = True
        self.old_contexts: _Contexts = _EMPTY
        self.new_contexts: _Contexts | None = None

    def _deactivate(self) -> None:
        self.active = False

    def exit(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        """Runs the handler if there is an exception."""
        return self.exception_handler(type, value, traceback) if type is not None else None

    def __enter__(self) -> Callable[[], None]:
        outer = self.old_contexts = _state.contexts
        _state.contexts = self.new_contexts = (outer[0], self)
        return self._deactivate

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        try:
            return self.exit(type, value, traceback)
        finally:
            _leave(self)


def _leave(context: _Context) -> None:
    """Restores what was active around ``context`` and complains if something else than it was innermost."""
    found, expected = _state.contexts, context.new_contexts
    _state.contexts = context.old_contexts
    if found is not expected:
        raise StackContextInconsistentError(
            'stack_context inconsistency (may be caused by yield within a "with StackContext" block)'
        )
    context.new_contexts = None  # it refers to us: without this each block would be a reference cycle


class NullContext:
    """Resets the contexts for its block: what is started within belongs to no surrounding context.

    Useful for things that outlive the request that happened to create them, such as pooled connections.
    """

    #: What was active outside, and is again behind the block.
    old_contexts: _Contexts

    def __enter__(self) -> None:
        self.old_contexts = _state.contexts
        _state.contexts = _EMPTY

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _state.contexts = self.old_contexts


def run_with_stack_context(context: AbstractContextManager[Any], func: Callable[[], _R]) -> _R:
    """Calls ``func`` within ``context`` and returns its result.

    A coroutine must not ``yield`` inside a ``with StackContext`` block, but it may say
    ``yield run_with_stack_context(StackContext(ctx), coroutine_function)``.
    """
    with context:
        return func()


def _nearest_active(context: _Context | None) -> _Context | None:
    """``context``, or the first one outside it that has not been deactivated; None if there is none."""
    while context is not None and not context.active:
        context = context.old_contexts[1]
    return context


def _all_active(contexts: _Contexts) -> bool:
    """Whether no deactivation function has been called, of ``contexts`` and of those outside of them."""
    for context in contexts[0]:
        if not context.active:
            return False
    inner = contexts[1]
    while inner is not None:
        if not inner.active:
            return False
        inner = inner.old_contexts[1]
    return True


def _remove_deactivated(contexts: _Contexts) -> _Contexts:
    """``contexts`` without those whose deactivation function has been called.

    Also shortens the chain of ``old_contexts`` that starts at the innermost one.
    """
    if _all_active(contexts):
        return contexts
    full = tuple([ctx for ctx in contexts[0] if ctx.active])
    inner = head = _nearest_active(contexts[1])
    while inner is not None:
        all_outside, outside = inner.old_contexts
        kept = _nearest_active(outside)
        if kept is not outside:
            inner.old_contexts = (all_outside, kept)
        inner = kept
    return full, head


def _handle_exception(tail: _Context | None, exc: _ExcInfo) -> _ExcInfo:
    """Offers ``exc`` to ``tail`` and all contexts outside it; returns what is left (nothing: three None).

    Every context is left, also after one of them has dealt with the exception.
    """
    while tail is not None:
        try:
            if tail.exit(*exc):
                exc = _NO_EXCEPTION
        except BaseException:
            exc = sys.exc_info()
        tail = tail.old_contexts[1]
    return exc


class _Detached:
    """A callback that was wrapped while no context was active: it runs with none, wherever it is called."""

    __slots__ = ("__weakref__", "_fn")
    __name__ = "null_wrapper"  # a function in 4.5.3, which log lines of applications call by name
    _wrapped = True

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _state.contexts is _EMPTY:
            return self._fn(*args, **kwargs)
        surrounding = _state.contexts
        _state.contexts = _EMPTY
        try:
            return self._fn(*args, **kwargs)
        finally:
            _state.contexts = surrounding

    def __repr__(self) -> str:
        return f"<wrapped {self._fn!r}>"


class _Attached:
    """A callback together with the contexts that were active when it was wrapped."""

    __slots__ = ("__weakref__", "_captured", "_fn")
    __name__ = "wrapped"
    _wrapped = True

    def __init__(self, fn: Callable[..., Any], captured: _Contexts) -> None:
        self._fn = fn
        self._captured = captured

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        surrounding = _state.contexts
        try:
            self._captured = contexts = _remove_deactivated(self._captured)
            _state.contexts = contexts
            result, exc = self._run_within(contexts, args, kwargs)
            if exc is not _NO_EXCEPTION and exc != _NO_EXCEPTION:
                raise_exc_info(exc)
            return result
        finally:
            _state.contexts = surrounding
            exc = _NO_EXCEPTION  # a traceback holds this frame: let it not hold the traceback

    def _run_within(
        self, contexts: _Contexts, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, _ExcInfo]:
        """Enters the contexts, calls, and leaves them; an exception is offered to each on the way out."""
        for ctx in contexts[0]:
            try:
                ctx.enter()
            except BaseException:
                # It could not be entered: those outside of it decide.
                return None, _handle_exception(ctx.old_contexts[1], sys.exc_info())
        try:
            result = self._fn(*args, **kwargs)
        except BaseException:
            return None, _handle_exception(contexts[1], sys.exc_info())
        for ctx in reversed(contexts[0]):
            try:
                ctx.exit(None, None, None)
            except BaseException:
                return result, _handle_exception(ctx.old_contexts[1], sys.exc_info())
        return result, _NO_EXCEPTION

    def __repr__(self) -> str:
        return f"<wrapped {self._fn!r}>"


def wrap(fn: Any) -> Any:
    """Returns a callable that runs ``fn`` within the contexts that are active now.

    Use it for a callback that is stored, or handed to another thread; what is given to an
    `.IOLoop` has this done to it. ``None`` and functions that are wrapped already come back as they are.
    """
    if fn is None or hasattr(fn, "_wrapped"):
        return fn
    contexts = _state.contexts
    if contexts is _EMPTY or (contexts[1] is None and not contexts[0]):
        return _Detached(fn)
    return _Attached(fn, contexts)
