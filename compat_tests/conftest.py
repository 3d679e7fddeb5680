"""``-m old_suites``: Tornado's suites of 4.0.2 to 4.4.3, which take minutes and so run when asked for only."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "old_suites: Tornado's own suites before 4.5.3's; only run when asked for")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "old_suites" in config.getoption("markexpr") or any("::" in arg for arg in config.args):
        return
    old = [item for item in items if item.get_closest_marker("old_suites")]
    if old:
        config.hook.pytest_deselected(items=old)
        items[:] = [item for item in items if not item.get_closest_marker("old_suites")]
