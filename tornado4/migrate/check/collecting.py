"""Python's garbage collection while a program's trees are held: millions of objects that stay to the end.

To look for cycles among them again and again takes a quarter of a run, and finds nothing.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

#: New objects until Python looks for garbage: a large file's tree has as many. (Python's own numbers are 700 to 2,000.)
NEW_OBJECTS = 200_000


@contextlib.contextmanager
def rarely() -> Iterator[None]:
    """Within it garbage is looked for rarely. What was set before is set again at the end."""
    before = gc.get_threshold()
    if before[0]:  # 0: somebody has turned it off
        gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
