"""Stack contexts: exceptions of callbacks that reach who started them, and fail a test."""

from __future__ import annotations

import sys
import unittest
from collections.abc import Callable
from typing import Any

from tornado4 import stack_context
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches


def install(patches: Patches, ledger: Ledger) -> None:
    """TND410, and TND803 where it is a test that has caught it."""

    def make_handle(original: Callable[..., Any]) -> Any:
        nothing = stack_context._NO_EXCEPTION

        def _handle_exception(tail: Any, exc: Any) -> Any:
            while tail is not None:
                try:
                    if tail.exit(*exc) and exc[1] is not None:
                        test = getattr(getattr(tail, "exception_handler", None), "__self__", None)
                        rule = "TND803" if isinstance(test, unittest.TestCase) else "TND410"
                        place = places.of_traceback(exc[2])
                        exc = nothing
                        if place is not None:
                            ledger.tell(rule, place)
                except BaseException:
                    exc = sys.exc_info()
                tail = tail.old_contexts[1]
            return exc

        return _handle_exception

    patches.put(stack_context, "_handle_exception", make_handle)
