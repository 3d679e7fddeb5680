"""What has arrived and was not read yet, and what a pending read is looking for. No socket, no loop.

`ReadBuffer` wants to be cheap for the three things that streams do:

- One message arrives in one chunk and is read whole: the very object that ``recv`` made is handed on, not
  copied.
- A large body is read by its length: large chunks are kept apart and joined once at the end, one copy in all.
- Small messages are cut out of a large backlog: one copy of each byte into a contiguous buffer, one out of
  it.

Worst cases, for n bytes held:

- `append`, `take`: amortised O(1) a byte. What is taken out of several chunks is joined once. Consumed bytes
  at the front are dropped only when they are half of the buffer, small chunks are merged at once (so that
  one-byte packets cost memory as bytes, not as objects).
- `UntilDelimiter`: O(n) in all, however the bytes were cut: a search resumes where the last one ended.
- `UntilRegex`: one search over all n bytes a time that it is asked; a stream asks whenever bytes have come
  and
  the socket is drained, and in between only when the buffer has doubled. A peer that sends byte by byte
  thus makes it O(n²) at worst, which is what ``max_bytes`` is for; a bulk transfer is O(n).
- `ExactBytes`, `UntilClose`: O(1) a look. Of a read of at least a chunk each byte is copied once after the kernel
  has handed it over, by the join of its chunks, and not at all when it came in one: see `ReadRequest.ask`.
"""

from __future__ import annotations

import collections
import re

from tornado4.iostream.errors import UnsatisfiableReadError

#: A chunk shorter than this is merged into the contiguous buffer instead of being kept as an object.
_MERGE_BELOW = 8192

#: Consumed bytes at the front are not worth moving the rest for until there are this many of them.
_COMPACT_ABOVE = 65536


#: What stands for no further chunks: a deque takes more memory than everything else that an idle stream holds.
_NO_TAIL: collections.deque[bytes] = collections.deque(maxlen=0)


class ReadBuffer:
    """A queue of bytes: in by chunks at the end, out by counts at the front.

    ``data[pos:]`` followed by the chunks of ``_tail`` is what it holds, ``size`` bytes. ``data`` is the first
    chunk itself until something has to be merged with it, and a bytearray from then on.
    """

    __slots__ = ("_tail", "data", "pos", "size")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""
        self.pos = 0
        self.size = 0
        self._tail: collections.deque[bytes] = _NO_TAIL

    def __len__(self) -> int:
        return self.size

    def append(self, chunk: bytes) -> None:
        """Take in ``chunk`` behind what is held."""
        n = len(chunk)
        if not self.size:
            self.data = chunk
            self.pos = 0
        elif n >= _MERGE_BELOW:
            if self._tail is _NO_TAIL:
                self._tail = collections.deque()
            self._tail.append(chunk)
        else:
            self.flatten().extend(chunk)
        self.size += n

    def prepend(self, data: bytes) -> None:
        """Put ``data`` back in front: O(size), for the rare hand-over from one reader to another."""
        if data:
            self.replace(data + self.take(self.size))

    def replace(self, data: bytes) -> None:
        """Hold ``data`` and nothing else."""
        self.data = data
        self.pos = 0
        self.size = len(data)
        self._tail = _NO_TAIL

    def take(self, count: int) -> bytes:
        """Remove ``count`` bytes (at most ``size``) from the front and return them."""
        if count >= self.size:
            return self._take_all()
        if count <= 0:
            return b""
        pos, end = self.pos, self.pos + count
        data = self.data
        if end > len(data):
            return self._take_across(count)
        if type(data) is bytes:
            taken = data[pos:end]
        else:
            with memoryview(data) as view:
                taken = bytes(view[pos:end])
        self.pos = end
        self.size -= count
        if end > _COMPACT_ABOVE and end > len(data) // 2:
            self._compact()
        return taken

    def _take_across(self, count: int) -> bytes:
        """Take more than ``data`` has and less than all: one join, in which each byte taken is copied once.

        The chunk in which the cut lies becomes ``data``, uncopied.
        """
        tail = self._tail
        with memoryview(self.data) as first:
            pieces: list[bytes | memoryview] = [first[self.pos :]]
            missing = count - len(pieces[0])
            while missing >= len(tail[0]):
                piece = tail.popleft()
                pieces.append(piece)
                missing -= len(piece)
            rest = tail.popleft()
            with memoryview(rest) as last:
                pieces.append(last[:missing])
                taken = b"".join(pieces)
                for view in (pieces[0], pieces[-1]):
                    view.release()  # type: ignore[union-attr]
        self.data = rest
        self.pos = missing
        self.size -= count
        return taken

    def _take_all(self) -> bytes:
        pos, data, tail = self.pos, self.data, self._tail
        if tail:
            with memoryview(data) as view:
                taken = b"".join((view[pos:], *tail))
            self._tail = _NO_TAIL
        elif pos:
            with memoryview(data) as view:
                taken = bytes(view[pos:])
        else:
            taken = bytes(data)  # the same object when it is bytes
        self.data = b""
        self.pos = self.size = 0
        return taken

    def _compact(self) -> None:
        """Forget the consumed front. The bytes moved are fewer than those consumed since the last time."""
        if not self.size:
            self.data = b""
        else:
            with memoryview(self.data) as view:
                self.data = bytearray(view[self.pos :])
        self.pos = 0

    def flatten(self) -> bytearray:
        """Make ``data`` one bytearray of all that is held (behind ``pos``), and return it."""
        data = self.data
        if not isinstance(data, bytearray):
            with memoryview(data) as view:
                data = self.data = bytearray(view[self.pos :])
            self.pos = 0
        if self._tail:
            for chunk in self._tail:
                data += chunk
            self._tail = _NO_TAIL
        return data

    def expose(self) -> bytearray:
        """All that is held, from its first byte on, for somebody to change; `size` is theirs to set then."""
        data = self.flatten()
        del data[: self.pos]
        self.pos = 0
        return data

    def find(self, delimiter: bytes, start: int = 0) -> int:
        """Where the first ``delimiter`` at or behind ``start`` ends, counted from the front; -1 when there is
        none.
        """
        if self._tail:
            self.flatten()
        at = self.data.find(delimiter, self.pos + start)
        return -1 if at < 0 else at - self.pos + len(delimiter)

    def search(self, pattern: re.Pattern[bytes]) -> int:
        """Where the first match of ``pattern`` ends, counted from the front; -1 when there is none."""
        if self._tail:
            self.flatten()
        if not self.pos:
            match = pattern.search(self.data)
            return -1 if match is None else match.end()
        with memoryview(self.data) as whole, whole[self.pos :] as view:
            match = pattern.search(view)
            end = -1 if match is None else match.end()
            del match  # it holds the view, which could not be released then
        return end


class ReadRequest:
    """What one pending read waits for.

    ``target`` is the number of bytes at which a look is due in any case (None: no such number). ``cheap``
    says that `locate` may be asked after every chunk at no cost to speak of.
    """

    __slots__ = ("target",)

    cheap = True
    #: Whether `ask` is worth asking.
    large = False
    target: int | None

    def ask(self, held: int, chunk_size: int) -> int:
        """How many bytes to ask the kernel for when ``held`` are there; mostly ``chunk_size``."""
        return chunk_size

    def locate(self, buffer: ReadBuffer) -> int | None:
        """How many bytes the read takes, or None when they are not there yet. May raise
        UnsatisfiableReadError.
        """
        raise NotImplementedError


class _Until(ReadRequest):
    """The common part of the two searching reads: the limit."""

    __slots__ = ("max_bytes",)

    def __init__(self, max_bytes: int | None) -> None:
        self.max_bytes = self.target = max_bytes

    def _check(self, sought: object, size: int) -> None:
        if self.max_bytes is not None and size > self.max_bytes:
            raise UnsatisfiableReadError(f"delimiter {sought!r} not found within {self.max_bytes} bytes")


class UntilDelimiter(_Until):
    """All up to and including the first ``delimiter``, which must end within ``max_bytes``."""

    __slots__ = ("_searched", "delimiter")

    def __init__(self, delimiter: bytes, max_bytes: int | None = None) -> None:
        self.max_bytes = self.target = max_bytes  # as the base class: a call less for each line
        self.delimiter = delimiter
        self._searched = 0

    def locate(self, buffer: ReadBuffer) -> int | None:
        """Where the first delimiter ends, in bytes; None when it is not there yet.

        `UnsatisfiableReadError` when it cannot, or does not, end within ``max_bytes``.
        """
        size = buffer.size
        if not size:
            return None
        end = buffer.find(self.delimiter, self._searched)
        if end >= 0:
            if self.max_bytes is not None:
                self._check(self.delimiter, end)
            return end
        if self.max_bytes is not None:
            self._check(self.delimiter, size)
        # The delimiter's first bytes may be here already: begin that much earlier the next time.
        self._searched = max(0, size - len(self.delimiter) + 1)
        return None


class UntilRegex(_Until):
    """All up to the end of the first match of ``pattern``, which must end within ``max_bytes``."""

    __slots__ = ("pattern",)

    cheap = False

    def __init__(self, regex: bytes | re.Pattern[bytes], max_bytes: int | None = None) -> None:
        super().__init__(max_bytes)
        self.pattern = re.compile(regex)

    def locate(self, buffer: ReadBuffer) -> int | None:
        """Where the first match ends, in bytes; None when there is none yet.

        `UnsatisfiableReadError` when it does not end within ``max_bytes``.
        """
        if not buffer.size:
            return None
        end = buffer.search(self.pattern)
        self._check(self.pattern, buffer.size if end < 0 else end)
        return None if end < 0 else end


class ExactBytes(ReadRequest):
    """``count`` bytes; with ``partial``, at least one and at most that many."""

    __slots__ = ("count", "partial")

    large = True

    def __init__(self, count: int, partial: bool = False) -> None:
        self.count = self.target = count
        self.partial = partial

    def locate(self, buffer: ReadBuffer) -> int | None:
        """How many bytes may be taken now; None when more have to come first."""
        size = buffer.size
        if size >= self.count or (self.partial and size > 0):
            return min(self.count, size)
        return None

    def ask(self, held: int, chunk_size: int) -> int:
        """A chunk, but for a large read no more than is missing.

        What follows stays in the kernel then, and the next read finds its bytes at the front of a chunk, which is
        handed on as it came. (Not more than a chunk, either: from 128 KiB on the C library maps memory for each
        object anew, and touching that costs more than the system calls saved.)
        """
        missing = self.count - held
        return missing if self.count >= chunk_size > missing > 0 else chunk_size

    def reduce(self, streamed: int) -> None:
        """``streamed`` of the bytes went to a streaming callback."""
        self.count -= streamed
        self.target = self.count


class UntilClose(ReadRequest):
    """All there will be: never satisfied by bytes, only by the end of the stream."""

    __slots__ = ()

    def __init__(self) -> None:
        self.target = None

    def locate(self, buffer: ReadBuffer) -> int | None:
        """None, whatever is there."""
        return None
