"""What was written and has not left yet. No socket, no loop.

Each byte is copied at most once, and a large ``bytes`` object not at all: it is kept and sent from where it
lies. Small pieces are merged, so that draining takes few system calls. The first piece, once offered to the
kernel, never changes: OpenSSL wants a write that could not be finished to be repeated with the same bytes
(SSL_write(3)).
"""

from __future__ import annotations

from collections import deque

#: Pieces shorter than this are merged with their neighbours, up to about this many bytes.
_MERGE_BELOW = 65536


#: What stands for no pieces: a deque takes 700 bytes, and most streams have nothing to send most of the time.
_NO_PIECES: deque[bytes | bytearray | memoryview] = deque(maxlen=0)


class WriteBuffer:
    """A queue of bytes: in by pieces at the end, out at the front, as far as the kernel takes them."""

    __slots__ = ("_growing", "_head", "_pieces", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: deque[bytes | bytearray | memoryview] = _NO_PIECES
        self._growing: bytearray | None = None  # the last piece, while more may be merged into it
        self._head: memoryview | None = None  # the first piece, from its first unsent byte on, once offered

    def __len__(self) -> int:
        return self.size

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Add ``data`` at the end. What is not immutable is copied, since its owner may go on to change it.
        """
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        if not size:
            return
        if not self.size:
            self._pieces = deque()
        self.size += size
        growing = self._growing
        if size < _MERGE_BELOW:
            if growing is None:
                self._growing = growing = bytearray()
                self._pieces.append(growing)
            growing += data
            if len(growing) >= _MERGE_BELOW:
                self._growing = None
            return
        self._growing = None
        self._pieces.append(data if type(data) is bytes else bytes(data))

    def append_rest(self, data: bytes, sent: int) -> None:
        """Add ``data[sent:]``, without a copy when it is large."""
        rest = len(data) - sent
        if rest < _MERGE_BELOW:
            self.append(data[sent:])
        else:
            if not self.size:
                self._pieces = deque()
            self.size += rest
            self._growing = None
            self._pieces.append(memoryview(data)[sent:])

    def peek(self, limit: int | None = None) -> memoryview:
        """The front, at most ``limit`` bytes of it. There must be something."""
        head = self._head
        if head is None:
            first = self._pieces[0]
            if first is self._growing:
                self._growing = None
            head = self._head = first if isinstance(first, memoryview) else memoryview(first)
        return head if limit is None or len(head) <= limit else head[:limit]

    def advance(self, count: int) -> None:
        """The first ``count`` bytes of what `peek` showed have been sent."""
        self.size -= count
        head = self._head
        assert head is not None and count <= len(head)
        if count == len(head):
            self._head = None
            self._pieces.popleft()
            if not self.size:
                self._growing = None
                self._pieces = _NO_PIECES
        else:
            self._head = head[count:]

    def clear(self) -> None:
        """Forget everything."""
        self.size = 0
        self._growing = self._head = None
        self._pieces = _NO_PIECES

    def snapshot(self) -> bytearray:
        """A copy of what is held, as one bytearray."""
        pieces = list(self._pieces)
        if self._head is not None:
            pieces[0] = self._head
        return bytearray().join(pieces)
