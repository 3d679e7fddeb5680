"""The front of a queue of byte strings, as 4.4's streams arranged it. Ours have buffers of their own; these
two functions are for code that called them.
"""

from __future__ import annotations

from collections import deque


def _merge_prefix(deque: deque[bytes], size: int) -> None:
    """Make the first string hold ``size`` bytes, or all there are; what is split off follows as another."""
    if not deque:
        deque.append(b"")
    if len(deque) == 1 and len(deque[0]) <= size:
        return
    taken: list[bytes] = []
    missing = size
    while deque and missing > 0:
        first = deque.popleft()
        if len(first) > missing:
            deque.appendleft(first[missing:])
            first = first[:missing]
        taken.append(first)
        missing -= len(first)
    if taken:
        deque.appendleft(taken[0][:0].join(taken))  # str works as well, as it did


def _double_prefix(deque: deque[bytes]) -> None:
    """Make the first string at least twice as long; needs two strings, IndexError without."""
    _merge_prefix(deque, max(2 * len(deque[0]), len(deque[0]) + len(deque[1])))
