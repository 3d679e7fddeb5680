"""One of ``apps/`` on two sides: the product's own machinery (``tornado4.migrate.diff``) with the tests' oracle."""

from __future__ import annotations

import contextlib
from pathlib import Path

from compat_tests.oracle import oracle
from tornado4.migrate.diff import sides
from tornado4.migrate.diff.answers import comparable, stable
from tornado4.migrate.diff.sides import HALF_CLOSE, ServerSide

__all__ = ["HALF_CLOSE", "ServerSide", "comparable", "side_by_side", "stable"]

APPS = Path(__file__).resolve().parent / "apps"


def side_by_side(
    app: str, version: str = "4.5.3"
) -> contextlib.AbstractContextManager[tuple[ServerSide, ServerSide]]:
    """``apps/{app}.py`` on the real Tornado and on tornado4, in this order."""
    return sides.side_by_side(str(APPS / f"{app}.py"), oracle(version))
