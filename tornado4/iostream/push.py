"""The way in, by being pushed: each chunk goes from the event to a protocol engine, as it came.

Internal, for `tornado4.http1connection` and `tornado4.websocket`. One event costs one ``recv``; there is no
Future, no buffer, and no look for a second chunk. TLS may hold decrypted bytes that no event announces, which
`_hidden` tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado4.iostream.errors import UnsatisfiableReadError
from tornado4.iostream.lifecycle import _READ
from tornado4.iostream.reading import StreamReading
from tornado4.log import app_log, gen_log

#: Full chunks that one stream is handed in a row before others have their turn.
_CHUNKS_AT_A_STRETCH = 4

#: Chunks that are read for one event which says more than that there is something to read. It may say that the
#: connection is broken, and what came before that is still to be had; a protocol engine with a ``_push_end`` wants it.
_CHUNKS_AT_ONCE = 256


class StreamPush(StreamReading):
    """The floor of `BaseIOStream` that hands on what arrives."""

    def _start_push(self, data_received: Callable[[bytes], None]) -> None:
        """From now on call ``data_received(chunk)`` for what arrives; first, before this returns, for what is
        buffered.

        An exception out of it is logged, closes the stream, and is raised. The end of the stream is told by
        the close callback, and before that by ``_push_end``, if it is set. Reads are "Already reading" until
        `_stop_push`.
        """
        assert self._request is None and self._push is None, "Already reading"
        self._push = data_received
        self._ask = 0
        self._resume_push()

    def _pause_push(self, ahead: bool = False) -> None:
        """Call nothing until `_resume_push`. One more chunk is read and held, so that an end is noticed.

        ``ahead`` says that the engine has bytes to go on with. Then nothing is read: as in 4.5.3, an orderly end waits
        behind what came before it, and what is answered meanwhile can still leave.
        """
        self._push_paused = True
        self._push_direct = None
        if self._push_ahead is not ahead:
            self._push_ahead = ahead
            if not ahead:
                self._maybe_add_error_listener()

    def _resume_push(self) -> None:
        """Hand on what is held, at once, and then what arrives."""
        if self._push is None:
            return
        self._push_paused = self._push_ahead = False
        if self._direct_push():
            self._push_direct = self._push
        if self._incoming.size or self._hidden():
            self._push_held()
        if self._push is not None and not self._push_paused and not self._closed:
            self._add_io_state(_READ)

    def _stop_push(self, unread: bytes = b"") -> None:
        """Go back to pull mode, with ``unread`` as the first bytes to be read."""
        self._push = self._push_direct = None
        self._push_paused = self._push_ahead = False
        self._ask = 0
        self._incoming.prepend(unread)
        self._maybe_add_error_listener()

    def _direct_push(self) -> bool:
        """Whether each READ event means one chunk, and nothing else has to be done about it."""
        return not self._connecting

    def _hidden(self) -> bool:
        """Whether bytes wait above the descriptor, where the loop does not see them."""
        return False

    def _push_held(self) -> None:
        """Hand on what is buffered, and what is hidden, until paused."""
        try:
            while self._push is not None and not self._push_paused:
                if self._incoming.size:
                    self._push(self._incoming.take(self._incoming.size))
                elif self._closed or not self._hidden() or not self._push_chunk():
                    return
        except (Exception, asyncio.CancelledError) as e:
            self._log_uncaught(e)
            raise

    def _push_chunk(self) -> bool:
        """Read one chunk and hand it on, or hold it when paused. Whether there was one."""
        chunk = self._receive()
        if not chunk:
            return False
        if self._push is not None and not self._push_paused:
            self._push(chunk)
        else:
            self._incoming.append(chunk)
        return True

    def _fills(self) -> bool:
        """Whether `_start_filling` can be used here."""
        return False

    def _start_filling(self, view: memoryview, told: Callable[[int], None]) -> None:
        """Have the kernel write what arrives next into ``view`` (which is released then), until it is full.

        ``told(count)`` is called for each piece, when it is there. To be called in push mode, with nothing buffered;
        chunks are handed on again when the view is full.
        """
        assert self._push is not None and not self._incoming.size
        self._push_direct = None
        self._sink = view, told

    def _stop_filling(self) -> None:
        if self._sink is not None:
            self._sink[0].release()
            self._sink = None

    def _fill(self) -> None:
        """Something has come for the view."""
        raise NotImplementedError

    def _push_more(self, push: Callable[[bytes], None], size: int) -> None:
        """A chunk was full, with ``size`` bytes: more is there, most probably, and a round of the loop costs more
        than a look.
        """
        if size < self._ask and size != self.read_chunk_size:
            return  # it was asked for more (what is asked for may have grown by now)
        for _ in range(_CHUNKS_AT_A_STRETCH - 1):
            if self._push_direct is not push:
                return
            asked = self._ask or self.read_chunk_size
            chunk = self._receive()
            if not chunk:
                return
            push(chunk)
            if len(chunk) < asked:
                return

    def _handle_read(self) -> None:
        if self._push is None:
            super()._handle_read()
            return
        if self._sink is not None and not self._push_paused:
            self._fill()
            return
        # A paused stream with a chunk in hand does not come here: see _read_unwanted.
        turns = 1 if self._push_end is None else _CHUNKS_AT_ONCE
        while self._push_chunk() and not self._closed and self.reading():
            turns -= 1
            if turns <= 0 and not self._hidden():
                break

    def _events_failed(self, error: BaseException) -> None:
        """An event's handler raised: our own reading, or user code called from it."""
        if isinstance(error, UnsatisfiableReadError):
            self._unsatisfiable(error)
        elif self._push is not None and isinstance(error, OSError) and self._closed and self.error is error:
            # Raised by _receive, which has closed the stream: a broken connection, not a broken program.
            gen_log.warning("error on read: %s", error)
        else:
            self._log_uncaught(error)
            raise error

    def _log_uncaught(self, error: BaseException) -> None:
        # As in 4.5.3, where a protocol engine had read callbacks: what these raise is the application's.
        log = gen_log if self._push is None else app_log
        log.error("Uncaught exception, closing connection.", exc_info=True)
        self.close(exc_info=(type(error), error, error.__traceback__))
