"""What each platform module offers; this is the description, `tornado4.platform.auto` has the functions.

All of it is older than Python's own answers (PEP 446, `time.monotonic`, asyncio's self-pipe), and is kept
because programs import it.
"""

from __future__ import annotations


def set_close_exec(fd: int) -> None:
    """Keep a descriptor from being inherited by a program that this process executes."""
    raise NotImplementedError()


def monotonic_time() -> float:
    """Seconds of a clock that never goes back; its zero means nothing."""
    raise NotImplementedError()


class Waker:
    """Something that another thread can make readable, to wake a poller that watches it.

    Give `fileno` to the poller; call `wake` from anywhere and `consume` in the poller's thread.
    """

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        raise NotImplementedError()

    def write_fileno(self) -> int:
        """The descriptor that `wake` writes to, fit for ``signal.set_wakeup_fd``."""
        raise NotImplementedError()

    def wake(self) -> None:
        """Make `fileno` readable. Any thread, any number of times."""
        raise NotImplementedError()

    def consume(self) -> None:
        """Make `fileno` unreadable again, however often `wake` was called."""
        raise NotImplementedError()

    def close(self) -> None:
        """Close both ends."""
        raise NotImplementedError()
