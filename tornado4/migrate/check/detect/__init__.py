"""What is looked for. Importing a room here enters its detectors; each says which nodes it wants to see."""

from __future__ import annotations

from tornado4.migrate.check.detect import (
    calls,
    coroutines,
    names,
    objects,
    overrides,
    python,
    signatures,
    threads,
    waiting,
)

__all__ = ["calls", "coroutines", "names", "objects", "overrides", "python", "signatures", "threads", "waiting"]
