"""Private names of asyncio: all that tornado4 asks for, and what happens where one is gone; others: `private_names`.

They are asked for here, once, at import. tests/test_standard_private.py finds uses elsewhere, and takes each away.

| name | for | where it is gone |
|---|---|---|
| `asyncio._get_running_loop` | the loop that runs here, or None | `asyncio.get_running_loop`, whose error is None |
| `asyncio._set_running_loop` | a loop inside a callback of another | that is a `RuntimeError`; nothing else asks |
| `asyncio.tasks._swap_current_task` | the same, from Python 3.14 on | ``_leave_task`` and ``_enter_task`` |
| `asyncio.tasks._leave_task`, ``_enter_task`` | the same, and a task's first step on 3.11 | a `RuntimeError` |
| `LOOP_QUEUE` of `asyncio.BaseEventLoop` | several rounds in one turn of asyncio's | one round a turn |
| ``_ready`` of any loop | what a message has started has a turn before the next | after all that came with it |
| `HANDLE`, `CALL_SOON`, ``_call_soon`` | one queue for tasks and callbacks | tasks wait in asyncio's own |
| `HANDLE_SLOTS`: all attributes of a handle | making one without asking the loop for its debug mode | its constructor |
| ``_csock``, ``_signal_handlers`` of the loop | waking up for a signal at once | the signal waits for the next event |
| `WAKE_UP` of the loop | waking up from another thread without a detour | the detour: a callback that does nothing |
| ``_local`` of asyncio's policy | which loop was set, before Python 3.14 | two loops are not told of |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sized
from contextvars import Context, copy_context
from typing import Any

_new = object.__new__
_Handle = asyncio.Handle
_Loop = asyncio.AbstractEventLoop
_Task = asyncio.Task[Any]


def _find_running_loop() -> _Loop | None:
    """What ``asyncio._get_running_loop`` does, by the public function."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


#: The asyncio loop that runs in this thread, or None.
get_running_loop: Callable[[], _Loop | None] = getattr(asyncio, "_get_running_loop", _find_running_loop)

_set_running_loop: Callable[[_Loop | None], None] | None = getattr(asyncio, "_set_running_loop", None)
_swap_current_task: Callable[[_Loop, _Task | None], _Task | None] | None
_swap_current_task = getattr(asyncio.tasks, "_swap_current_task", None)
_leave_task: Callable[[_Loop, _Task], None] | None = getattr(asyncio.tasks, "_leave_task", None)
_enter_task: Callable[[_Loop, _Task], None] | None = getattr(asyncio.tasks, "_enter_task", None)

#: Attributes of asyncio's loop: what it is to call next and later, and whether it was told to stop.
LOOP_QUEUE = ("_ready", "_scheduled", "_stopping")

#: Attributes of its handles: whoever makes them can run them.
HANDLE = ("_run", "_cancelled")

#: What a handle consists of, and nothing else.
HANDLE_SLOTS = frozenset(
    ("__weakref__", "_args", "_callback", "_cancelled", "_context", "_loop", "_repr", "_source_traceback")
)

#: Attributes of the loop: what its ``call_soon`` looks at, and ours.
CALL_SOON = ("_debug", "_closed")

#: Attributes of the loop: how it writes to itself so that the poll returns, and what it does with what it has read.
WAKE_UP = ("_write_to_self", "_ssock", "_process_self_data")


def has_all(thing: object, names: Iterable[str]) -> bool:
    """Whether an object of the standard library has the private names that it had so far."""
    return all(hasattr(thing, name) for name in names)


def handle_maker() -> Callable[[Any, Any, _Loop, Context | None], asyncio.Handle]:
    """What makes an `asyncio.Handle` for a loop that is not in debug mode; its arguments are the constructor's."""
    if frozenset(getattr(asyncio.Handle, "__slots__", ())) != HANDLE_SLOTS:
        return asyncio.Handle

    def make(callback: Any, args: Any, loop: _Loop, context: Context | None) -> asyncio.Handle:
        handle: Any = _new(_Handle)
        handle._context = copy_context() if context is None else context
        handle._loop = loop
        handle._callback = callback
        handle._args = args
        handle._cancelled = False
        handle._repr = handle._source_traceback = None
        return handle  # type: ignore[no-any-return]

    return make


def set_running_loop(loop: _Loop | None) -> None:
    """Say that this loop runs in this thread, or none. `RuntimeError` where asyncio has no such function any more."""
    if _set_running_loop is None:
        raise RuntimeError(
            "an event loop runs in this thread already, and this Python's asyncio has no _set_running_loop, by which "
            "another could be started inside it: start it in a thread of its own, or await instead"
        )
    _set_running_loop(loop)


def leave_task(loop: _Loop) -> _Task | None:
    """Set the loop's current task aside, if it has one, so that another may take a step; `enter_task` takes it back.

    `RuntimeError` where it cannot be set aside.
    """
    task = asyncio.current_task(loop)
    if task is None:
        return None
    if _swap_current_task is not None:
        _swap_current_task(loop, None)
    elif _leave_task is not None and _enter_task is not None:
        _leave_task(loop, task)
    else:
        raise RuntimeError(
            f"{task!r} is taking a step, and this Python's asyncio has no _swap_current_task, by which it could be set "
            "aside: start the other loop in a thread of its own, or await instead"
        )
    return task


def enter_task(loop: _Loop, task: _Task) -> None:
    """Make the task that `leave_task` returned the loop's current one again."""
    if _swap_current_task is not None:
        _swap_current_task(loop, task)
    elif _enter_task is not None:
        _enter_task(loop, task)


def write_wake_up(loop: Any) -> None:
    """Make the loop's poll return, from any thread. Where `WAKE_UP` is there; a closed loop is no error."""
    loop._write_to_self()


def read_wake_up(loop: Any) -> None:
    """Read what the loop, or a signal, has written to itself. Where `WAKE_UP` is there.

    Once: asyncio reads until there is nothing, at the price of an exception. What is left is polled again.
    """
    try:
        data = loop._ssock.recv(4096)
    except (BlockingIOError, InterruptedError):
        return
    if data:
        loop._process_self_data(data)


def wakeup_end(loop: _Loop) -> Any:
    """The end of the loop's own pair of sockets into which a signal is written, or None."""
    return getattr(loop, "_csock", None)


def has_signal_handlers(loop: _Loop) -> bool:
    """Whether somebody used ``loop.add_signal_handler``."""
    return bool(getattr(loop, "_signal_handlers", None))


def has_work(loop: Any) -> bool:
    """Whether anything waits for the loop to run; of loops that are not asyncio's own it cannot be told: False."""
    return bool(getattr(loop, "_ready", None) or getattr(loop, "_scheduled", None))


def queue_of(loop: Any) -> Sized:
    """What the loop is to call in its next round; nothing where it does not tell."""
    return getattr(loop, "_ready", ())


def loop_of_policy(policy: Any) -> Any:
    """The loop that was set in this thread, or None, without that one is made. Before Python 3.14."""
    return getattr(getattr(policy, "_local", None), "_loop", None)
