"""A stream's life: its descriptor's registration with the loop, its user callbacks, its end.

The joint states, and what moves between them:

    connecting --_handle_connect--> open --EOF, error, close()--> closed --no callback pending--> told
                                     |                              ^
                                     +-- error while connecting ----+

- *connecting* (``_connecting``): writes are queued; only WRITE is listened for.
- *open*: READ is listened for from the first read, close callback or push on, and stays so (the descriptor is
  registered once) until an event finds that nobody wants what has come; WRITE only while something is unsent.
- *closed* (``_closed``): the descriptor is gone. Bytes that had arrived can still be read.
- *told*: waiting Futures have failed, the close callback is scheduled. As in 4.5.3 it has to wait for the
  user
  callbacks that are on their way (``_pending_callbacks``), so that it is the last one to run.
"""

from __future__ import annotations

import asyncio
import errno
import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from tornado4 import stack_context
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop
from tornado4.iostream.errors import _ERRNO_CONNRESET, StreamClosedError
from tornado4.iostream.read_buffer import ReadBuffer, ReadRequest
from tornado4.iostream.write_buffer import WriteBuffer
from tornado4.log import app_log, gen_log
from tornado4.util import errno_from_exception

_READ = IOLoop.READ
_WRITE = IOLoop.WRITE
_ERROR = IOLoop.ERROR

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

#: Bytes that a stream holds unread unless told otherwise, and the most that one read from the kernel asks
#: for.
_DEFAULT_MAX_BUFFER_SIZE = 100 * 1024 * 1024
_DEFAULT_READ_CHUNK_SIZE = 64 * 1024


class StreamLifecycle:
    """The ground floor of `BaseIOStream`: see the module's docstring."""

    # What a stream begins with is said by the class: an idle connection holds what it has come to differ in.

    #: Why the stream was closed, if an error was the reason.
    error: BaseException | None = None

    _state: int | None = None
    _closed = False
    _connecting = False
    _pending_callbacks = 0
    _close_callback: Callable[[], Any] | None = None
    _connect_callback: Callable[[], Any] | None = None
    _connect_future: Future | None = None
    _ssl_connect_future: Future | None = None

    _request: ReadRequest | None = None
    _read_callback: Callable[[bytes], Any] | None = None
    _streaming_callback: Callable[[bytes], Any] | None = None
    _read_future: Future | None = None
    _ask = 0  # bytes to ask the kernel for at once; 0 for ``read_chunk_size``
    _drained = False  # the last read emptied the socket: only an event can bring more

    _room_future: Future | None = None  # see `_room`
    _write_callback: Callable[[], Any] | None = None
    _waiting_writes: deque[tuple[int, Future]] | None = None  # see `_write_futures`
    _total_write_index = 0
    _drain_callbacks: Sequence[Callable[[], None]] = ()

    _push: Callable[[bytes], None] | None = None
    _push_paused = False
    #: Whether whoever has paused holds bytes that it has not looked at: an end waits behind these, too.
    _push_ahead = False
    #: What arrives goes here, past ``_push``, until it is full; see `StreamPush._start_filling`.
    _sink: tuple[memoryview, Callable[[int], None]] | None = None
    #: Told when the stream has closed, as a pending read would be; see `StreamPush._start_push`.
    _push_end: Callable[[], None] | None = None
    #: ``_push`` when chunks may go straight from the event to it (not paused, nothing between us and the
    #: socket).
    _push_direct: Callable[[bytes], None] | None = None

    def __init__(
        self,
        io_loop: IOLoop | None = None,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
    ) -> None:
        self.io_loop: IOLoop = io_loop or IOLoop.current()
        self.max_buffer_size: int = max_buffer_size or _DEFAULT_MAX_BUFFER_SIZE
        # A chunk as large as the whole buffer would overfill it on the first read behind a rest.
        chunk_size = read_chunk_size or _DEFAULT_READ_CHUNK_SIZE
        self.read_chunk_size: int = min(chunk_size, self.max_buffer_size // 2)
        self.max_write_buffer_size: int | None = max_write_buffer_size
        self._incoming = ReadBuffer()
        self._outgoing = WriteBuffer()

    @property
    def _write_futures(self) -> deque[tuple[int, Future]]:
        """What `write` has returned and is not done, each with the number of bytes after which it is."""
        waiting = self._waiting_writes
        if waiting is None:
            waiting = self._waiting_writes = deque()
        return waiting

    # -- what a kind of stream provides ---------------------------------------------------------------

    def read_from_fd(self) -> bytes | None:
        """Try to read up to ``self.read_chunk_size`` bytes from the descriptor.

        None when there is nothing now, or when the stream is at its end, after a call to `close`.
        """
        raise NotImplementedError()

    def write_to_fd(self, data: memoryview) -> int:
        """Try to write ``data`` (bytes-like) to the descriptor; return how many bytes were taken.

        Zero, or `BlockingIOError`, says that nothing can be written now.
        """
        raise NotImplementedError()

    def fileno(self) -> Any:
        """The descriptor, or an object that has a ``fileno`` method, for the loop to watch."""
        raise NotImplementedError()

    def close_fd(self) -> None:
        """Close what the stream reads and writes. Called once, by `close`, for which it is meant alone."""
        raise NotImplementedError()

    def get_fd_error(self) -> BaseException | None:
        """What is wrong with the descriptor, after the loop reported an error on it; None when it does not
        tell.
        """
        return None

    # -- what the floors above provide -----------------------------------------------------------------

    #: Whether something waits for `_write_gathered`; see `StreamWriting._write_later`.
    _gathered = False

    def _write_gathered(self) -> None:
        raise NotImplementedError

    def reading(self) -> bool:
        """Whether a read is pending."""
        return self._request is not None or (self._push is not None and not self._push_paused)

    def writing(self) -> bool:
        """Whether something that was written has not left yet."""
        return self._outgoing.size > 0 or self._room_future is not None

    def _handle_read(self) -> None:
        raise NotImplementedError

    def _handle_write(self) -> None:
        raise NotImplementedError

    def _handle_connect(self) -> None:
        raise NotImplementedError

    def _finish_read_until_close(self) -> None:
        raise NotImplementedError

    # -- the end -----------------------------------------------------------------------------------------

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Have ``callback()`` called when the stream has closed, for whatever reason, after all other
        callbacks.

        It is called once, from the loop, also when the stream is closed already. ``stream.error`` tells why
        it closed. None takes the callback away. A stream with a close callback listens for its end even when
        nothing is read.
        """
        self._close_callback = stack_context.wrap(callback) if callback is not None else None
        self._maybe_add_error_listener()

    def close(self, exc_info: bool | _ExcInfo = False) -> None:
        """Close the stream; what it had received can still be read. Closing twice is harmless.

        ``exc_info`` (a triple as of ``sys.exc_info()``, or True for the exception now being handled) becomes
        ``error``.
        """
        if self._gathered:
            self._write_gathered()  # as if it had been written at once
        if not self._closed:
            if exc_info:
                info = sys.exc_info() if isinstance(exc_info, bool) else exc_info
                if any(info):
                    self.error = info[1]
            self._push_direct = None
            self._finish_read_until_close()
        if not self._closed:  # which the Future of that read may have done
            self._give_up_fd()
            self._closed = True
        self._maybe_run_close_callback()

    def _give_up_fd(self) -> None:
        state, self._state = self._state, None
        if state is not None:
            self.io_loop.remove_handler(self.fileno())
        self.close_fd()

    def closed(self) -> bool:
        """Whether the stream has been closed, by whichever side."""
        return self._closed

    def _check_closed(self) -> None:
        if self._closed:
            raise StreamClosedError(real_error=self.error)

    def _maybe_run_close_callback(self) -> None:
        """Tell those who wait, unless a user callback is on its way (which will call this again)."""
        if not self._closed or self._pending_callbacks:
            return
        self._fail_waiting()
        callback = self._close_callback
        if callback is not None:
            self._close_callback = None
            self._run_callback(callback)
        # The stream may live on in a cycle of references; what it holds for others need not.
        self._read_callback = self._streaming_callback = self._write_callback = None
        self._request = None
        self._outgoing.clear()
        self._drain_callbacks = ()

    def _fail_waiting(self) -> None:
        """Fail each Future that waits for the stream, in 4.5.3's order: read, writes, connect, handshake."""
        if self._push_end is not None:
            self._push_end()
        waiting: list[Future] = []
        if self._read_future is not None:
            waiting.append(self._read_future)
            self._read_future = None
        waiting += [future for _, future in self._waiting_writes or ()]
        self._waiting_writes = None
        if self._room_future is not None:
            waiting.append(self._room_future)
            self._room_future = None
        if self._connect_future is not None:
            waiting.append(self._connect_future)
            self._connect_future = None
        if self._ssl_connect_future is not None:
            waiting.append(self._ssl_connect_future)
            self._ssl_connect_future = None
        for future in waiting:
            future.set_exception(StreamClosedError(real_error=self.error))

    # -- user callbacks ----------------------------------------------------------------------------------

    def _run_callback(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback`` from the loop, outside of what runs now (as 4.5.3 does: no recursion, no
        surprise).
        """
        self._pending_callbacks += 1

        def run_callback() -> Any:  # a closure, so that what the log shows of it holds no user data
            return self._call_user(callback, args)

        if stack_context._active():
            with stack_context.NullContext():  # the callback brings those it was given in
                self.io_loop.add_callback(run_callback)
        else:
            self.io_loop.add_callback(run_callback)

    def _call_user(self, callback: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        self._pending_callbacks -= 1
        try:
            return callback(*args)
        except (Exception, asyncio.CancelledError):
            app_log.error("Uncaught exception, closing connection.", exc_info=True)
            # Nobody is left to read from or to close this stream: do it before descriptors run out.
            self.close(exc_info=True)
            raise  # the loop logs it, too, or hands it to handle_callback_exception
        finally:
            self._maybe_add_error_listener()

    # -- the loop's registration -----------------------------------------------------------------------------

    def _maybe_add_error_listener(self) -> None:
        """Listen for the end of an idle stream that someone has set a close callback on."""
        if self._pending_callbacks:
            return
        if self._closed:
            self._maybe_run_close_callback()
        elif (
            (self._state is None or self._state == _ERROR)
            and not self._incoming.size
            and not self._push_ahead
            and self._close_callback is not None
        ):
            self._add_io_state(_READ)

    def _add_io_state(self, state: int) -> None:
        """Listen for ``state`` (`IOLoop.READ` or `IOLoop.WRITE`) besides what is listened for."""
        current = self._state
        if self._closed or (current is not None and current & state):
            return
        if current is not None:
            self._state = current | state
            self.io_loop.update_handler(self.fileno(), self._state)
            return
        self._state = _ERROR | state
        if stack_context._active():
            with stack_context.NullContext():  # events belong to no one's context
                self.io_loop.add_handler(self.fileno(), self._handle_events, self._state)
        else:
            self.io_loop.add_handler(self.fileno(), self._handle_events, self._state)

    def _drop_io_state(self, state: int) -> None:
        """Listen no longer for ``state``."""
        if not self._closed and self._state is not None and self._state & state:
            self._state &= ~state
            self.io_loop.update_handler(self.fileno(), self._state)

    def _handle_events(self, fd: Any, events: int) -> None:
        """What the loop calls when something can be read or written."""
        push = self._push_direct
        try:
            if push is not None and events == _READ:
                chunk = self._receive()
                if chunk:
                    push(chunk)
                    if len(chunk) >= self.read_chunk_size:
                        self._push_more(push, len(chunk))
                return
            if self._closed:
                gen_log.warning("Got events for closed stream %s", fd)
                return
            self._dispatch(events)
        except (Exception, asyncio.CancelledError) as e:
            self._events_failed(e)

    def _receive(self) -> bytes | None:
        raise NotImplementedError

    def _push_more(self, push: Callable[[bytes], None], size: int) -> None:
        raise NotImplementedError

    def _events_failed(self, error: BaseException) -> None:
        raise NotImplementedError

    def _dispatch(self, events: int) -> None:
        """Handle ``events``; any step may close the stream."""
        if self._connecting:
            self._handle_connect()
        if self._closed:
            return
        if events & _READ:
            if (self._incoming.size or self._push_ahead) and not self.reading():
                self._read_unwanted()
            else:
                self._handle_read()
            if self._closed:
                return
        if events & _WRITE:
            self._handle_write()
            if self._closed:
                return
        if events & _ERROR:
            self.error = self.get_fd_error()
            self.io_loop.add_callback(self.close)
            return
        self._settle_io_state()

    def _settle_io_state(self) -> None:
        """After an event: listen for what the stream now needs. READ is not dropped here (see
        _read_unwanted).
        """
        state = self._state
        if state is None:
            return
        wanted = (state & _READ) | _ERROR
        if self.writing():
            wanted |= _WRITE
        if self.reading() or (wanted == _ERROR and not (self._incoming.size or self._push_ahead)):
            wanted |= _READ
        if wanted != state:
            self._state = wanted
            self.io_loop.update_handler(self.fileno(), wanted)

    def _read_unwanted(self) -> None:
        """Something has come while what came before is still unread: stop listening until it is asked for.

        As in 4.5.3 an error on the connection ends the stream even so; an orderly end waits behind the data.
        """
        error = self.get_fd_error()
        if error is not None and errno_from_exception(error):
            self.error = error
            self.io_loop.add_callback(self.close)
        self._drop_io_state(_READ)

    def _is_connreset(self, exc: BaseException) -> bool:
        """Whether ``exc`` only says that the peer has gone."""
        return isinstance(exc, OSError) and errno_from_exception(exc) in _ERRNO_CONNRESET

    @staticmethod
    def _is_interrupt(exc: BaseException) -> bool:
        return isinstance(exc, OSError) and exc.errno == errno.EINTR
