"""An asyncio task that takes its first step at once, as a coroutine of 4.5.3 did."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from tornado4._core.private_asyncio import enter_task, leave_task

if sys.version_info >= (3, 12):

    def start_at_once(
        coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, context: Context | None
    ) -> asyncio.Task[Any]:
        """Makes a task of ``coro``, on the loop that is running, and takes its first step."""
        return asyncio.Task(coro, loop=loop, context=context, eager_start=True)

else:

    def start_at_once(
        coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, context: Context | None
    ) -> asyncio.Task[Any]:
        """Makes a task of ``coro``, on the loop that is running, and takes its first step.

        Python 3.11 would put that step into the loop's queue. It is intercepted on the way there.
        """
        steps: list[tuple[Context, Callable[[], Any]]] = []
        mine: Any = loop
        mine.call_soon = lambda step, context: steps.append((context, step))
        try:
            task = asyncio.Task(coro, loop=loop, context=context)
        finally:
            del mine.call_soon
        outer = leave_task(loop)
        try:
            for entered, step in steps:
                entered.run(step)
        finally:
            if outer is not None:
                enter_task(loop, outer)
        return task
