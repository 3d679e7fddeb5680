"""What ``tornado.websocket`` had in 4.0 to 4.4 to take methods away from a handler, for code that names it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

#: A loop at the end of the module left its last value behind.
method = "finish"


def _wrap_method(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that a handler has only until it has become a WebSocket; then it raises RuntimeError."""

    @functools.wraps(method)
    def unless_websocket(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.stream is not None:
            raise RuntimeError("Method not supported for Web Sockets")
        return method(self, *args, **kwargs)

    return unless_websocket
