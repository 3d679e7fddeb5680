"""The platform functions of Windows."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

#: A flag of ``SetHandleInformation``.
HANDLE_FLAG_INHERIT = 0x00000001


def set_close_exec(fd: int) -> None:
    """Keep a socket's handle from being inherited; `OSError` for a pipe's descriptor, as in 4.5.3."""
    if sys.platform == "win32":
        kernel: Any = ctypes.windll.kernel32
        if not kernel.SetHandleInformation(fd, HANDLE_FLAG_INHERIT, 0):
            raise ctypes.WinError()
    else:
        raise OSError("set_close_exec of tornado4.platform.windows works on Windows only")
