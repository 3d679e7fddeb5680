"""Compiled where there is a C compiler; ImportError elsewhere. `tornado4.util` has the same in Python."""

from typing import Any

# Bytes, and any other contiguous buffer.
def websocket_mask(mask: Any, data: Any, /) -> bytes: ...
