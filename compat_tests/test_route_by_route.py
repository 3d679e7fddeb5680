"""examples/route_by_route: each command of its README, as it stands there, finds no difference."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.oracle import CACHE, TOP, oracle
from compat_tests.test_bridge import installed

EXAMPLE = TOP / "examples" / "route_by_route"
COMMANDS = re.findall(r"^tornado4 diff .*$", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE)


def test_there_is_one_for_each_step() -> None:
    programs = {word for command in COMMANDS for word in re.findall(r"\w+\.py", command)}
    assert programs == {path.name for path in EXAMPLE.glob("s*.py") if path.name != "settings.py"}
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("command", COMMANDS, ids=[re.findall(r"\w+\.py", command)[-1] for command in COMMANDS])
def test_nothing_differs(command: str, tmp_path: Path) -> None:
    oracle()
    for name, words in (("python", ""), ("tornado4", "-m tornado4")):
        (tmp_path / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (tmp_path / name).chmod(0o755)
    env = {
        **installed().environ(),
        "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORNADO4_ORACLE_CACHE": str(CACHE),
    }
    done = subprocess.run(command, shell=True, cwd=EXAMPLE, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^  ! +0  different", done.stdout, re.MULTILINE), done.stdout


def test_the_old_tree_knows_nothing_of_it() -> None:
    old = [*(EXAMPLE / "board").glob("*.py"), EXAMPLE / "server.py"]
    moved = [*(EXAMPLE / "moved").glob("*.py"), EXAMPLE / "step5.py", EXAMPLE / "notes.py", EXAMPLE / "settings.py"]
    code = [re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL) for path in [*old, *moved]]
    assert not any("tornado4" in text for text in code)
