"""What all tests stand on."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

# A shell gives what it runs in the background an ignored SIGINT, and children inherit that; tests press Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A limit that only ends what hangs: on a busy machine five seconds may pass without a fault.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")

with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # The same inputs each time, and no limit of milliseconds for one of them.
    settings.register_profile(
        "tests", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("tests")

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
