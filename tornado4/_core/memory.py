"""What the C library is to know about large bodies.

glibc gives a block of 128 KiB and more a mapping of its own, and gives back what is free at the end of its heap,
until a large block has been freed that it had mapped: from then on blocks up to that size stay with the process, and
are used again. Before that, a body lies in pages that are fresh, which cost more than to receive it.
"""

from __future__ import annotations

#: Bytes of the block that is freed: as if a body of this size had come and gone. At most twice as much stays.
_LARGE = 8 * 1024 * 1024

_known = False


def keep_large_blocks() -> None:
    """Have memory that a large body has left used again for the next. What the environment sets (``MALLOC_...``) comes
    first, and other C libraries do as they do.

    To be called before the first one; it takes effect once.
    """
    global _known
    if not _known:
        _known = True
        bytes(_LARGE)  # mapped, but no page of it is touched
