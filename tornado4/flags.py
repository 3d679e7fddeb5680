"""Flags that bring what Tornado 5 and 6 have, one by one, to a program that is still on tornado4.

    TORNADO4_FUTURE=names tornado4 run app.py

or from code, before what they change is used::

    from tornado4 import flags
    flags.turn_on("names")

``names`` gives the names that Tornado 5 and 6 added, so that code which was fixed for them runs on both sides. It is
off by default, since old programs ask ``hasattr`` to tell the releases apart. Single ones are left out with a minus:
``TORNADO4_FUTURE=names,-httpclient.HTTPClientError``. ``tornado4.version_info`` stays what it is.

The others bring what Tornado 6 does otherwise, one by one or by release (``5.0``, ``6.0``, ``6.6``), to a program that
moves there: ``TORNADO4_FUTURE=future-strict-state,nested-loop``, ``TORNADO4_FUTURE=6.6``. What is stricter for the sake
of security is so without a flag.

Off, a flag costs nothing: turning one on sets or replaces names, and nothing asks for it afterwards.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import NamedTuple

from tornado4._switchboard import Switchboard

#: The environment variable that is read when this module is imported: names with commas or blanks between them.
VARIABLE = "TORNADO4_FUTURE"


class Flag(NamedTuple):
    """One flag: its ``name``, the release ``since`` which Tornado has what it ``brings``, in words."""

    name: str
    since: str
    brings: str


_ALL = (
    Flag("names", "", "the names and keyword arguments that Tornado 5 and 6 added"),
    Flag("future-async-callbacks", "5.0", "callbacks of a Future run a turn of the loop later, not within set_result"),
    Flag("future-strict-state", "5.0", "a Future is set once: InvalidStateError"),
    Flag("future-needs-loop", "5.0", "no Future without a loop in other threads than the main one"),
    Flag("future-cancel", "5.0", "Future.cancel() cancels"),
    Flag("future-thread", "5.0", "a Future that another thread sets does not wake the loop"),
    Flag("executor-future", "5.0", "run_on_executor gives a Future of the loop; no Future takes a timeout"),
    Flag("run-sync-cancels", "5.0", "run_sync(timeout=) cancels a native coroutine"),
    Flag("loop-make-current", "5.0", "IOLoop() becomes the current loop although there is one"),
    Flag("loop-instance", "5.0", "IOLoop.instance() is current(), and each thread has a loop of its own"),
    Flag("nested-loop", "5.0", "no loop runs within a callback of another, HTTPClient included"),
    Flag("redirect-query", "5.0", "RedirectHandler appends the query of the request"),
    Flag("coroutine-callback", "6.0", "callback= is no argument of a @gen.coroutine"),
    Flag("no-stack-context", "6.0", "exceptions of callbacks go to the log, not to who started them"),
    Flag("raise-error-strict", "6.0", "fetch(raise_error=False) raises where nothing answered"),
    Flag("redirect-methods", "6.0", "after 301 and 302 POST becomes GET, and other methods stay"),
    Flag("default-user-agent", "6.1", "requests without a User-Agent name Tornado 6.6.1"),
    Flag("no-basic-config", "6.2", "start() does not set logging up"),
    Flag("periodic-waits", "6.2", "PeriodicCallback waits for an asynchronous callback"),
    Flag("timeout-class", "6.2", "the TimeoutErrors are asyncio's"),
    Flag("aware-mtime", "6.4", "StaticFileHandler.get_modified_time() says that it is UTC"),
    Flag("escape-apostrophe", "6.4", "xhtml_escape and templates write &#x27; for an apostrophe"),
    Flag("strict-body", "6.5", "a malformed multipart body is a 400, before the handler"),
    Flag("strict-headers", "6.5", "HTTPHeaders.add and parse raise HTTPInputError"),
    Flag("coalesced-chunks", "6.6", "data_received gets small chunks of the peer's as one piece"),
    Flag("ws-check-origin", "6.6", "check_origin is not asked for requests of the same origin"),
    Flag("zero-timeout", "6.6", "timeout=0 of locks and queues waits for nothing"),
)

#: All flags, each with what it brings.
FLAGS = {flag.name: flag.brings for flag in _ALL}

#: Names for several: all that a release and those before it have brought, ``names`` included.
GROUPS = {
    release: [flag.name for flag in _ALL if (flag.since or "0") <= release] for release in ("5.0", "6.0", "6.6")
}

#: Names of the flag ``names`` that are not to be given, as ``module.name`` or ``module.Class.name``.
left_out: set[str] = set()


class _Flags(Switchboard):
    def set(self, *names: str) -> None:
        left_out.update(name[1:] for name in names if name.startswith("-"))
        super().set(*(name for name in names if not name.startswith("-")))


_board = _Flags(VARIABLE, "flag", FLAGS, GROUPS)


def turn_on(*names: str) -> None:
    """Turn flags on, as ``TORNADO4_FUTURE`` does. ValueError for a name that is none, before any is turned on.

    :arg names: as in the variable.
    """
    _board.set(*names)


def turned_on() -> list[str]:
    """The names that are on, sorted."""
    return _board.all_set()


def is_on(name: str) -> bool:
    """Whether a flag is on. KeyError for a name that is none."""
    return _board.is_set(name)


def when_on(name: str, action: Callable[[], object]) -> None:
    """Call ``action`` when the flag is turned on: at once if it is already.

    :arg name: of the flag.
    """
    _board.when_set(name, action)


def _give_names() -> None:
    # Late, by name: the forward names stand on the modules that they are given to.
    importlib.import_module("tornado4.forward").install()


def _behave(flag: str) -> None:
    # Late, by name: what is put in place stands on the modules that it changes.
    importlib.import_module("tornado4.forward.behaviour").turn_on(flag)


when_on("names", _give_names)
for _flag in FLAGS:
    if _flag != "names":
        when_on(_flag, functools.partial(_behave, _flag))
