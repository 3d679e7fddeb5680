"""Coroutines as of 6.0: no ``callback``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4.gen import coroutines

_make = coroutines._make_coroutine_wrapper


def refuse_callbacks() -> None:
    """``callback=`` is an argument like others: a TypeError where the function has none. For later decorations."""

    def _make_coroutine_wrapper(func: Callable[..., Any], replace_callback: bool) -> Any:
        return _make(func, replace_callback=False)

    coroutines._make_coroutine_wrapper = _make_coroutine_wrapper
