"""Flags that bring what Tornado 5 and 6 have, one by one, to a program that is still on tornado4.

    TORNADO4_FUTURE=names tornado4 run app.py

or from code, before what they change is used::

    from tornado4 import flags
    flags.turn_on("names")

``names`` gives the names that Tornado 5 and 6 added, so that code which was fixed for them runs on both sides. It is
off by default, since old programs ask ``hasattr`` to tell the releases apart. Single ones are left out with a minus:
``TORNADO4_FUTURE=names,-httpclient.HTTPClientError``. ``tornado4.version_info`` stays what it is.

Off, a flag costs nothing: turning one on sets or replaces names, and nothing asks for it afterwards.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from tornado4._switchboard import Switchboard

#: The environment variable that is read when this module is imported: names with commas or blanks between them.
VARIABLE = "TORNADO4_FUTURE"

#: All flags, each with what it brings.
FLAGS = {
    "names": "the names and keyword arguments that Tornado 5 and 6 added",
}

#: Names of the flag ``names`` that are not to be given, as ``module.name`` or ``module.Class.name``.
left_out: set[str] = set()


class _Flags(Switchboard):
    def set(self, *names: str) -> None:
        left_out.update(name[1:] for name in names if name.startswith("-"))
        super().set(*(name for name in names if not name.startswith("-")))


_board = _Flags(VARIABLE, "flag", FLAGS)


def turn_on(*names: str) -> None:
    """Turn flags on, as ``TORNADO4_FUTURE`` does. ValueError for a name that is none, before any is turned on."""
    _board.set(*names)


def turned_on() -> list[str]:
    """The names that are on, sorted."""
    return _board.all_set()


def is_on(name: str) -> bool:
    """Whether a flag is on. KeyError for a name that is none."""
    return _board.is_set(name)


def when_on(name: str, action: Callable[[], object]) -> None:
    """Call ``action`` when the flag is turned on: at once if it is already."""
    _board.when_set(name, action)


def _give_names() -> None:
    # Late, by name: the forward names stand on the modules that they are given to.
    importlib.import_module("tornado4.forward").install()


when_on("names", _give_names)
