"""Writing what was changed: into a clean git tree, or with a copy of what was; each file whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path


class Dirty(Exception):
    """Why nothing is written."""


def ensure_safe(paths: Iterable[Path], *, backup: bool) -> None:
    """Dirty, when there would be no way back to what was: uncommitted changes, or no git and no backup."""
    for path in paths:
        folder = path if path.is_dir() else path.parent
        state = _git_status(folder, path)
        if state is None:
            if not backup:
                raise Dirty(f"{path} is not in a git tree: --backup keeps a copy of each file, --force goes without")
        elif state:
            shown = ", ".join(state[:3]) + (", ..." if len(state) > 3 else "")
            raise Dirty(f"{path} has changes that are not committed ({shown}): commit them, or say --force")


def _git_status(folder: Path, path: Path) -> list[str] | None:
    """The changed files at or below a path; None where there is no git, or git does not know the files."""
    git = shutil.which("git")
    if git is None:
        return None
    where = [git, "-C", str(folder.resolve())]
    inside = subprocess.run([*where, "rev-parse", "--is-inside-work-tree"], capture_output=True, text=True)
    if inside.returncode or inside.stdout.strip() != "true":
        return None
    name = str(path.resolve())
    if not subprocess.run([*where, "ls-files", "--", name], capture_output=True, text=True).stdout.strip():
        return None
    done = subprocess.run([*where, "status", "--porcelain", "--", name], capture_output=True, text=True)
    if done.returncode:
        return None
    return [line[3:] for line in done.stdout.splitlines()]


def write(path: Path, data: bytes) -> None:
    """Put new content in the place of a file at once; its mode stays, and a symbolic link stays one."""
    target = path.resolve()
    mode = target.stat().st_mode if target.exists() else 0o644
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep(path: Path) -> Path:
    """Copy a file to ``NAME.orig``, or ``NAME.orig.2`` and so on: an older copy is never overwritten."""
    number = 1
    while True:
        copy = path.with_name(f"{path.name}.orig" + (f".{number}" if number > 1 else ""))
        if not copy.exists():
            shutil.copy2(path, copy)
            return copy
        number += 1
