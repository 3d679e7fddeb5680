"""How far a check is: one line on a terminal, which goes when the report comes."""

from __future__ import annotations

from typing import TextIO

#: A line is written anew for each so many files.
STEP = 25


class Progress:
    """Says what is read, and then how much of it has been looked at; nothing where nobody looks on."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.on = stream.isatty()

    def read(self, number: int, path: str) -> None:
        """A file is read: its number, from 1, and its path."""
        if number % STEP == 0:
            self._say(f"reading: {number} files, {path[-60:]}")

    def looked_at(self, number: int, count: int) -> None:
        """A file has been looked at: its number, from 1, of all."""
        if number % STEP == 0:
            self._say(f"looking: {number} of {count} files, {number * 100 // count} %")

    def done(self) -> None:
        """Nothing is left of the line."""
        self._say("")

    def _say(self, text: str) -> None:
        if self.on:
            self.stream.write(f"\r\x1b[K{text}")
            self.stream.flush()
