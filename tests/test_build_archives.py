"""Archives that are built twice are the same bytes.

A small project is built here, with the commands that build tornado4; ``nox -s package`` does it with tornado4 itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from programs import ROOT, environment

pytestmark = pytest.mark.source_tree

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "small"
version = "1"

[tool.setuptools]
packages = ["small", "small.inner"]

[tool.setuptools.cmdclass]
bdist_wheel = "small._build_archives.BdistWheel"
sdist = "small._build_archives.Sdist"
"""
BUILD = "import setuptools.build_meta as b; print(b.build_sdist('dist')); print(b.build_wheel('dist'))"


def build(folder: Path, umask: int, date: str | None = None, seconds: int = 0) -> list[Path]:
    """The source distribution and the wheel, of a tree whose files have this date, made under this umask."""
    (folder / "small/inner").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "MANIFEST.in").write_text("graft small\nglobal-exclude *.py[cod]\n")
    shutil.copyfile(ROOT / "tornado4/_build_archives.py", folder / "small/_build_archives.py")
    for name in ("__init__", "b", "a", "inner/__init__"):
        (folder / f"small/{name}.py").write_text("")
    (folder / "small/a.py").chmod(0o777)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode & ~umask)
        os.utime(path, (seconds, seconds))
    env = {key: value for key, value in environment().items() if key != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD], cwd=folder, capture_output=True, text=True, umask=umask,
        env=env if date is None else env | {"SOURCE_DATE_EPOCH": date},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return sorted((folder / "dist").iterdir())


def sums(archives: list[Path]) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in archives}


@pytest.mark.skipif(os.name != "posix", reason="umasks")
def test_folder_umask_and_dates_of_files_leave_no_trace(tmp_path: Path) -> None:
    one = build(tmp_path / "one", 0o022, seconds=1_500_000_000)
    another = build(tmp_path / "another/deeper", 0o077, seconds=1_700_000_001)
    assert list(sums(one)) == ["small-1-py3-none-any.whl", "small-1.tar.gz"]
    assert sums(one) == sums(another)
    with tarfile.open(one[1]) as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {entry.name: entry.mode for entry in entries if entry.name.endswith(("a.py", "b.py"))} == {
        "small-1/small/a.py": 0o755, "small-1/small/b.py": 0o644,
    }  # fmt: skip
    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, "", "")}


@pytest.mark.skipif(os.name != "posix", reason="umasks")
def test_the_date_of_the_environment_is_that_of_the_files(tmp_path: Path) -> None:
    wheel, source = build(tmp_path, 0o022, "1600000000")
    with tarfile.open(source) as tar:
        assert {entry.mtime for entry in tar} == {1600000000}
    with zipfile.ZipFile(wheel) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(2020, 9, 13, 12, 26, 40)}


def test_a_date_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="SOURCE_DATE_EPOCH is 'yesterday': it is a whole number of seconds"):
        build(tmp_path, 0o022, "yesterday")
