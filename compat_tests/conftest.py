"""What takes minutes runs when asked for only: ``-m old_suites``, ``-m asgi_servers``, ``-m alone``."""

from __future__ import annotations

import os

import pytest

# A limit that only ends what hangs, in the programs that tests start as well.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")

#: Markers, and what they mark.
ON_DEMAND = {
    "old_suites": "Tornado's own suites before 4.5.3's; only run when asked for",
    "asgi_servers": "programs under each ASGI server, and heavy loads; only run when asked for",
    "alone": "each function that can be replaced, replaced by itself; only run when asked for",
}


def pytest_configure(config: pytest.Config) -> None:
    for marker, what in ON_DEMAND.items():
        config.addinivalue_line("markers", f"{marker}: {what}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any("::" in arg for arg in config.args):
        return
    unasked = [marker for marker in ON_DEMAND if marker not in config.getoption("markexpr")]
    left_out = {item for item in items if any(item.get_closest_marker(marker) for marker in unasked)}
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]
