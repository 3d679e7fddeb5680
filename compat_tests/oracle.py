"""The real Tornado, as a test dependency: where it comes from and which interpreter runs it.

Everything lands in ``.cache/oracle`` at the top of the project and is made once:

* ``sdist(version)``: the unpacked source distribution, for its own tests and demos;
* ``oracle(version)``: a command line that runs Python with that Tornado importable. A native
  interpreter (3.6 to 3.9) is used when one is found, since 4.x does not import on 3.10 or later; otherwise the
  current one, with the removed standard-library names put back by ``launch.py``.

tornado4 itself never imports any of this, and the oracle always runs in a process of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("TORNADO4_ORACLE_CACHE") or TOP / ".cache" / "oracle")
NATIVE = ("3.9", "3.8", "3.7", "3.6")
STEP_SECONDS = 300


class OracleUnavailable(Exception):
    """The real Tornado could not be had: the message says which step failed, and how."""


@dataclass(frozen=True)
class Oracle:
    """A Python with the real Tornado in it."""

    version: str
    python: Path
    backfilled: bool
    path: Path | None  # a folder to put on PYTHONPATH, or None where Tornado is installed

    def command(self, *args: str) -> list[str]:
        return [str(self.python), *args]

    def environ(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        if self.path is not None:
            env["PYTHONPATH"] = str(self.path)
        return env


def sdist(version: str = "4.5.3") -> Path:
    """The folder of Tornado's unpacked source distribution."""
    target = CACHE / f"tornado-{version}"
    with locked(f"sdist-{version}"):
        if not (target / "setup.py").exists():
            _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "tornado",
                  "--dest", str(CACHE / "download"), f"tornado=={version}"])
            archive = CACHE / "download" / f"tornado-{version}.tar.gz"
            with tarfile.open(archive) as tar:
                tar.extractall(CACHE, filter="data")
    return target


def oracle(version: str = "4.5.3") -> Oracle:
    """The real Tornado of that version, ready to run."""
    native = find_native_python()
    if native is None:
        return Oracle(version, Path(sys.executable), backfilled=True, path=_package_folder(version))
    env = CACHE / f"env-{version}-{native.parent.parent.name if native.name == 'python' else native.name}"
    python = env / "bin" / "python"
    with locked(env.name):
        if not (env / "ready").exists():
            shutil.rmtree(env, ignore_errors=True)
            _run([str(native), "-m", "venv", str(env)])
            _run([str(python), "-m", "pip", "install", "--quiet", f"tornado=={version}"])
            (env / "ready").touch()
    return Oracle(version, python, backfilled=False, path=None)


def find_native_python() -> Path | None:
    """An interpreter on which Tornado 4.5 runs untouched, or None."""
    for version in NATIVE:
        candidates = [shutil.which(f"python{version}")]
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        candidates += [str(p) for p in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
        for candidate in candidates:
            if candidate and _is_python(candidate, version):
                return Path(candidate)
    return None


def _is_python(path: str, version: str) -> bool:
    # A pyenv shim exists for versions that are not selected, too, and then only prints an error.
    code = "import sys, ssl, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30)
    except OSError:
        return False
    return done.stdout.strip() == version


def _package_folder(version: str) -> Path:
    """A folder with nothing but the real ``tornado`` package in it."""
    folder = CACHE / f"package-{version}"
    source = sdist(version)
    with locked(folder.name):
        if not (folder / "tornado").exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source / "tornado", folder / "tornado")
    return folder


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Two test runs side by side make each thing once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_SECONDS)
    except subprocess.TimeoutExpired as e:
        raise OracleUnavailable(f"no answer within {STEP_SECONDS} s: {' '.join(command)}") from e
    if done.returncode:
        raise OracleUnavailable(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
