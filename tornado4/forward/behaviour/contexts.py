"""Callbacks as of 6.0: no stack context goes with them."""

from __future__ import annotations

from typing import Any

from tornado4 import stack_context
from tornado4.stack_context import ExceptionStackContext, StackContext, _state


def take_contexts_out() -> None:
    """A context is a ``with`` block and ends with it: what callbacks raise goes to the log.

    The names stay, so that what says ``with StackContext(...)`` runs.
    """

    def enter_plainly(self: Any) -> Any:
        self.old_contexts = self.new_contexts = _state.contexts
        return self._deactivate

    def enter(self: Any) -> Any:
        enter_plainly(self)
        self.enter()
        return self._deactivate

    StackContext.__enter__ = enter  # type: ignore[method-assign]
    ExceptionStackContext.__enter__ = enter_plainly  # type: ignore[method-assign]
    _state.contexts = stack_context._EMPTY
