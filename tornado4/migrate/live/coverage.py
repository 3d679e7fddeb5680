"""Which calls and lines of the program have run, each told once: what has run costs nothing after that.

It needs `sys.monitoring`, which Python has from 3.12 on. On 3.11 nothing is known, and nothing is claimed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

#: Tools are numbered; debuggers, coverage and profilers have 0 to 2 by convention.
_NUMBERS = (3, 4)


class Coverage:
    """What has run of the files that ``wanted`` says yes to."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.lines: dict[str, set[int]] = {}
        #: By the code's id: codes that are alike are equal, whatever their files.
        self._calls: dict[int, set[int]] = {}
        self._codes: dict[int, CodeType] = {}
        self._number: int | None = None

    def start(self) -> None:
        """Begin, where this Python can, and has a number left."""
        monitoring: Any = getattr(sys, "monitoring", None)
        if monitoring is None:
            return
        free = [number for number in _NUMBERS if monitoring.get_tool(number) is None]
        if not free:
            return
        number = self._number = free[0]
        events, disable = monitoring.events, monitoring.DISABLE
        monitoring.use_tool_id(number, "tornado4 --migrate=record")

        def began(code: CodeType, offset: int) -> Any:
            if self.wanted(code.co_filename):
                self._codes[id(code)] = code
                monitoring.set_local_events(number, code, events.LINE | events.CALL)
            return disable

        def line(code: CodeType, line: int) -> Any:
            self.lines.setdefault(code.co_filename, set()).add(line)
            return disable

        def call(code: CodeType, offset: int, function: Any, first: Any) -> Any:
            self._calls.setdefault(id(code), set()).add(offset)
            return disable

        monitoring.register_callback(number, events.PY_START, began)
        monitoring.register_callback(number, events.LINE, line)
        monitoring.register_callback(number, events.CALL, call)
        monitoring.set_events(number, events.PY_START)

    def stop(self) -> None:
        """End it; what was told stays."""
        if self._number is not None:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
            monitoring.set_events(self._number, 0)
            for code in self._codes.values():
                monitoring.set_local_events(self._number, code, 0)
            for event in ("PY_START", "LINE", "CALL"):
                monitoring.register_callback(self._number, getattr(monitoring.events, event), None)
            monitoring.free_tool_id(self._number)
            self._number = None

    def calls(self) -> dict[str, set[str]]:
        """By file, where the calls that ran end: line and column."""
        found: dict[str, set[str]] = {}
        for key, offsets in self._calls.items():
            code = self._codes[key]
            positions = list(code.co_positions())
            ends = found.setdefault(code.co_filename, set())
            for offset in offsets:
                _, line, _, column = positions[offset // 2]
                ends.add(f"{line}:{column}")
        return found
