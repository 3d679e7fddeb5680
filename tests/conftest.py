"""What all tests stand on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

# A shell gives what it runs in the background an ignored SIGINT, and children inherit that; tests press Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: What needs programs that pip does not bring: ``nox -s deploy`` runs it, where they must be.
DEPLOY = Path(__file__).parent / "deploy"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deploy: with the real nginx and supervisor; only run when asked for")
    config.addinivalue_line("markers", "source_tree: looks into tornado4/ beside the tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Not by what happens to be on the machine: ``-m deploy`` runs it, and then nothing of it is skipped."""
    if collection_path == DEPLOY and "deploy" not in config.getoption("markexpr"):
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Distributions run the tests against what is installed, with the package's folder moved away."""
    if not (Path(__file__).parent.parent / "tornado4").exists():
        for item in items:
            if item.get_closest_marker("source_tree"):
                item.add_marker(pytest.mark.skip(reason="there is no tornado4/ beside the tests to be looked into"))
