"""An asyncio task that takes its first step at once, as a coroutine of 4.5.3 did.

Python 3.12 can do that by itself. On 3.11 the first step is taken here, as the task that is to take the others.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any

if sys.version_info >= (3, 12):

    def start_at_once(
        coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, context: Context | None
    ) -> asyncio.Task[Any] | None:
        """Makes a task of ``coro``, on a loop that is running, and takes its first step.

        Returns the task; None if there are no further steps.
        """
        task = asyncio.Task(coro, loop=loop, context=context, eager_start=True)
        return None if task.done() else task

else:

    def start_at_once(
        coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, context: Context | None
    ) -> asyncio.Task[Any] | None:
        """Makes a task of ``coro``, on a loop that is running, and takes its first step.

        Returns the task; None if there are no further steps. (It is done an iteration of the loop later even so.)
        """
        context = context or copy_context()
        begun = _Begun(coro)
        task = asyncio.Task(begun, loop=loop, context=context)
        outer = asyncio.current_task(loop)
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        asyncio.tasks._enter_task(loop, task)
        try:
            context.run(begun.begin)
        finally:
            asyncio.tasks._leave_task(loop, task)
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)
            if begun.ended:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
        return None if begun.ended else task

    class _Begun(Coroutine[Any, Any, Any]):
        """A coroutine whose first step has been taken: a task that sends the first None gets what came of it."""

        __slots__ = ("_coro", "_pending", "ended")

        def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
            self._coro = coro
            self._pending: list[Any] = []
            self.ended = False

        def begin(self) -> None:
            """Take the first step. `KeyboardInterrupt` and `SystemExit` are raised here, and not once more."""
            self.ended = True
            try:
                self._pending.append(self._coro.send(None))
            except StopIteration:
                return
            self.ended = False

        def send(self, value: Any) -> Any:
            if self._pending:
                return self._pending.pop()
            if self.ended:
                raise StopIteration
            return self._coro.send(value)

        def throw(self, *exc: Any) -> Any:
            # Cancelled before the task has seen what it waits for.
            self._pending.clear()
            return self._coro.throw(*exc)

        def close(self) -> None:
            self._coro.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._coro, name)  # what debuggers and `asyncio.Task.print_stack` look at

        def __await__(self) -> Any:
            raise NotImplementedError("a task runs this one, nobody awaits it")
