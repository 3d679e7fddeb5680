"""What is rewritten. Importing a room here enters its rewrites into the table of `steps`."""

from __future__ import annotations

from tornado4.migrate.fix.rewrites import (
    arguments,
    blocks,
    callbacks,
    client,
    coroutines,
    loops,
    maybe,
    names,
    native,
    python,
    stars,
    testing,
    threads,
    web,
)

__all__ = [
    "arguments",
    "blocks",
    "callbacks",
    "client",
    "coroutines",
    "loops",
    "maybe",
    "names",
    "native",
    "python",
    "stars",
    "testing",
    "threads",
    "web",
]
