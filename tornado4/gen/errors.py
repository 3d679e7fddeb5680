"""The exceptions of coroutines. `Return` is not an error but a way to give back a value."""

from __future__ import annotations

from typing import Any

from tornado4._core.returned import Return
from tornado4._core.yielded import BadYieldError


class KeyReuseError(Exception):
    """A `.Callback` was made with a key that another one, not waited for yet, has."""


class UnknownKeyError(Exception):
    """A `.Wait` names a key for which there is no `.Callback`."""


class LeakedCallbackError(Exception):
    """A coroutine ended without having waited for all of its `.Callback` keys."""


class ReturnValueIgnoredError(Exception):
    """A `.engine` function returned a value, for which there is no receiver."""


class TimeoutError(Exception):
    """What `.with_timeout`, and the locks and queues, raise when the time is over."""


def _value_from_stopiteration(e: Any) -> Any:
    """The result that a `StopIteration` or `Return` carries, or None."""
    return getattr(e, "value", None)


__all__ = [
    "BadYieldError",
    "KeyReuseError",
    "LeakedCallbackError",
    "Return",
    "ReturnValueIgnoredError",
    "TimeoutError",
    "UnknownKeyError",
]
