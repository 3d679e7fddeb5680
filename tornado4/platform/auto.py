"""The platform functions of this system: import `set_close_exec`, `Waker` and `monotonic_time` from here."""

from __future__ import annotations

import os
from time import monotonic as monotonic_time

if os.name == "nt":
    from tornado4.platform.common import Waker
    from tornado4.platform.windows import set_close_exec
else:
    from tornado4.platform.posix import Waker as Waker  # type: ignore[assignment]
    from tornado4.platform.posix import set_close_exec

__all__ = ["Waker", "monotonic_time", "set_close_exec"]
