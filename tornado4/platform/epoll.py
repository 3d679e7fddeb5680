"""`EPollIOLoop`: the IOLoop over ``select.epoll``, the default on Linux."""

from __future__ import annotations

import select
from typing import Any

from tornado4 import _handed_on
from tornado4.ioloop import PollIOLoop

__all__ = ["EPollIOLoop", "PollIOLoop"]


class EPollIOLoop(PollIOLoop):
    """A `PollIOLoop` over ``epoll``, whose interface is the one that pollers are made after."""

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Make the poller; the arguments are `PollIOLoop`'s."""
        there: Any = select
        super().initialize(impl=there.epoll(), **kwargs)

_handed_on.complete(globals())
