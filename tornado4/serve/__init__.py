"""``tornado4 serve``: an application in production, in one process or several.

``command`` reads the command line and ``config`` the table ``[tool.tornado4.serve]``; ``target`` finds the application;
``sockets`` makes what is listened on, or takes it over. ``worker`` is a process that serves, ``drain`` how it comes to
its end, ``reloading`` how it begins again, ``master`` the process over several workers. ``health`` and ``accesslog``
are what they say; ``gunicorn`` is a worker for that server.

An application asks `is_draining`, or is told by `when_draining`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import stack_context
from tornado4.ioloop import IOLoop

_draining = False
#: What is called when the drain begins, in the order of registration; the keys say which is taken back.
_callbacks: dict[object, Callable[[], Any]] = {}


def is_draining() -> bool:
    """Whether this process is on its way out: it accepts no connection any more, and is to answer what it has.

    A long poll that would wait answers at once instead, as does one that waits (`when_draining`): its client comes back
    to a process that stays. True from the begin of a drain to the end of the process, under ``tornado4 serve`` and our
    worker for gunicorn, for one process and for each of several by itself; under other servers False.
    """
    return _draining


def when_draining(callback: Callable[[], Any]) -> Callable[[], None]:
    """Call ``callback()`` on the loop when this process begins to drain, before WebSockets are closed with code 1001.

    Long polls can be answered in it, and WebSockets told to connect anew. Where the process drains already, it is
    called in the next round of the loop. An exception in it is logged, or, with the stack context of a request, is
    that request's.

    Returns a function without arguments that takes the callback back; it may be called more than once, and later.
    """
    key = object()
    wrapped = stack_context.wrap(callback)
    _callbacks[key] = wrapped
    if _draining:
        _call(IOLoop.current(), key)

    def forget() -> None:
        _callbacks.pop(key, None)

    return forget


def _begin_to_drain(loop: IOLoop) -> None:
    """The drain begins: `is_draining` from here on, and the callbacks in the next round of ``loop``."""
    global _draining
    _draining = True
    for key in list(_callbacks):
        _call(loop, key)


def _call(loop: IOLoop, key: object) -> None:
    def call() -> None:
        callback = _callbacks.pop(key, None)
        if callback is not None:  # else it was taken back meanwhile
            callback()

    with stack_context.NullContext():
        loop.add_callback(call)
