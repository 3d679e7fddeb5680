"""A server under attack stays bounded: the short form of `python -m compat_tests.attack`."""

from __future__ import annotations

import subprocess
import sys

import pytest
from programs import ROOT, environment


@pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are read from /proc")
def test_memory_descriptors_and_a_neighbours_answers_stay_what_they_were() -> None:
    command = [sys.executable, "-W", "error", "-m", "compat_tests.attack", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it stayed bounded\n") and done.stderr == ""
