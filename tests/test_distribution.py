"""What is handed out: the source distribution and the metadata, as far as it can be told without building them.

``nox -s package`` builds them, installs from each, and runs the tests from an unpacked source distribution.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ALWAYS = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"}  # setuptools takes these by itself
CODE = {".py", ".pyc", ".c", ".so", ".pyd"}


def test_the_source_distribution_has_the_whole_tree() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone: what belongs to the tree is not known")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = {line.partition("/")[0] for line in listed.splitlines()} - ALWAYS
    words = [line.split() for line in (ROOT / "MANIFEST.in").read_text("utf-8").splitlines()]
    taken = {word for line in words if line and line[0] in ("graft", "include") for word in line[1:]}
    assert wanted == taken


@pytest.mark.source_tree
def test_what_help_and_log_lines_point_to_is_handed_out_with_the_package() -> None:
    told = {
        name
        for file in (ROOT / "tornado4").rglob("*.py")
        for text in texts(ast.parse(file.read_text("utf-8")))
        for name in re.findall(r"\bdocs/[\w/]+\.md", text)
    }
    globs = PROJECT["tool"]["setuptools"]["data-files"]["share/doc/tornado4/docs"]
    given = {str(path.relative_to(ROOT)) for pattern in globs for path in ROOT.glob(pattern)}
    assert {"docs/deviations.md"} <= told <= given


def texts(module: ast.Module) -> Iterator[str]:
    """What a user may be shown: every string but the docstrings."""
    alone = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_each_kind_of_file_in_the_package_is_in_the_wheel() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["tornado4"]
    given = {path for pattern in patterns for path in (ROOT / "tornado4").glob(pattern)}
    there = {
        path
        for path in (ROOT / "tornado4").rglob("*")
        if path.is_file() and path.suffix not in CODE and "__pycache__" not in path.parts
    }
    assert there <= given


def test_the_metadata_names_no_host_that_others_cannot_reach() -> None:
    project = PROJECT["project"]
    assert project["authors"] and project["classifiers"]
    hosts = {re.sub(r"^https?://([^/]*).*", r"\1", url) for url in project.get("urls", {}).values()}
    assert not [host for host in hosts if "." not in host or re.fullmatch(r"[\d.:]+", host)]
