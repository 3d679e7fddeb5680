"""A Python with an old Tornado in it: found or made once, and kept.

:func:`environment` gives a command line that runs Python with that release importable as ``tornado``:

- by the interpreter that the caller names (``python=``, ``--python``): as it is when it has that Tornado,
  else through a virtual environment made of it;
- else by a native interpreter, 3.9 down to 3.6, on which Tornado 4 imports untouched, when one is found
  (on the PATH, or with pyenv), again in a virtual environment;
- for Tornado 6, by the current interpreter, in a virtual environment;
- else by the current interpreter, with the release's package in a folder by itself; ``old_library`` then puts the
  standard library back to what it was on Python 3.9, in that process and in those that it starts.

What is made lies below :func:`cache_folder`, and two processes at once make each thing once. Making needs pip
and, the first time, a package index. Nothing here imports Tornado.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

OLD_LIBRARY = Path(__file__).with_name("old_library")
NATIVE = ("3.9", "3.8", "3.7", "3.6")
STEP_SECONDS = 300

_ABOUT = """
import sys
try:
    import tornado
    version = tornado.version
except Exception:
    version = "-"
print("%d.%d" % sys.version_info[:2], version)
"""


class EnvironmentUnavailable(Exception):
    """An old Tornado could not be had: the message says which step failed, with its output, and the way out."""


@dataclass(frozen=True)
class Environment:
    """A Python with the Tornado of one version in it.

    ``backfilled``: the interpreter is newer than that Tornado, which needs the standard library of its time.
    ``path``: a folder for PYTHONPATH, or None where Tornado is installed.
    """

    version: str
    python: Path
    backfilled: bool
    path: Path | None

    def command(self, *args: str) -> list[str]:
        return [str(self.python), *args]

    def environ(self) -> dict[str, str]:
        """The variables of this process without Python's own, which would reach across versions."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        folders = [str(OLD_LIBRARY)] if self.backfilled else []
        if self.path is not None:
            folders.append(str(self.path))
        if folders:
            env["PYTHONPATH"] = os.pathsep.join(folders)
        return env


def cache_folder() -> Path:
    """Where things are kept: ``TORNADO4_ORACLE_CACHE``, else ``tornado4/oracle`` in the user's cache folder."""
    chosen = os.environ.get("TORNADO4_ORACLE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tornado4" / "oracle"


def environment(
    version: str = "4.5.3", *, python: str | Path | None = None, cache: Path | None = None
) -> Environment:
    """Tornado ``version``, ready to run; see the module's text for where it comes from.

    :arg python: an interpreter, by path or by a name on the PATH.
    :arg cache: the folder to keep things in; :func:`cache_folder` by default.
    :raises EnvironmentUnavailable: no such interpreter or release, no pip, no way to the index, no room on the disk.
    """
    cache = cache or cache_folder()
    try:
        if python is not None:
            return _of_interpreter(version, _resolve(python), cache)
        if not _is_old(version):
            current = f"{sys.version_info[0]}.{sys.version_info[1]}"
            return _made(version, Path(sys.executable), native_version=current, cache=cache)
        native = find_native_python()
        if native is not None:
            return _made(version, native, native_version=native.name.removeprefix("python"), cache=cache)
        return Environment(version, Path(sys.executable), backfilled=True, path=package_folder(version, cache))
    except (OSError, tarfile.TarError, shutil.Error) as e:
        raise EnvironmentUnavailable(f"Tornado {version} cannot be made ready in {cache}: {e}") from e


def _of_interpreter(version: str, python: Path, cache: Path) -> Environment:
    runs, has = _about(python)
    backfilled = tuple(int(part) for part in runs.split(".")) >= (3, 10) and _is_old(version)
    if has == version:
        return Environment(version, python, backfilled, path=None)
    if backfilled:
        return Environment(version, python, backfilled, path=package_folder(version, cache))
    return _made(version, python, native_version=runs, cache=cache)


def _is_old(version: str) -> bool:
    """Made for Python 3.9 and before; Tornado 6 and later run on those of today as they are."""
    major = version.partition(".")[0]
    return not major.isdecimal() or int(major) < 6


def _made(version: str, python: Path, native_version: str, cache: Path) -> Environment:
    """A virtual environment of ``python`` with that Tornado installed."""
    env = cache / f"env-{version}-python{native_version}"
    made = env / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    with locked(env.name, cache):
        # A venv dies with the interpreter it was made of (pyenv removes those): "ready" alone is not enough.
        if not (env / "ready").exists() or not _starts(made):
            shutil.rmtree(env, ignore_errors=True)
            _run([str(python), "-m", "venv", str(env)])
            _run([str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"tornado=={version}"])
            (env / "ready").touch()
    return Environment(version, made, backfilled=False, path=None)


def find_native_python() -> Path | None:
    """An interpreter on which Tornado 4 runs untouched, or None."""
    for version in NATIVE:
        candidates = [shutil.which(f"python{version}")]
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        candidates += [str(p) for p in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
        for candidate in candidates:
            if candidate and _is_python(candidate, version):
                return Path(candidate)
    return None


def sdist(version: str = "4.5.3", cache: Path | None = None) -> Path:
    """The folder of Tornado's unpacked source distribution (its package, tests and demos)."""
    cache = cache or cache_folder()
    target = cache / f"tornado-{version}"
    with locked(f"sdist-{version}", cache):
        if not (target / "setup.py").exists():
            downloads = cache / "download"
            _run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                  "--no-binary", "tornado", "--dest", str(downloads), f"tornado=={version}"])  # fmt: skip
            with tarfile.open(downloads / f"tornado-{version}.tar.gz") as tar:
                _unpack(tar, cache)
    return target


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """All of an archive, below ``folder``: no member may lead out of it."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    # Python 3.11 before 3.11.4, Debian 12's own among them: no filters. Names are looked at here, and only
    # files and folders are taken, which leaves no link to lead elsewhere.
    top = folder.resolve()
    members = [member for member in tar.getmembers() if member.isfile() or member.isdir()]
    for member in members:
        if not (top / member.name).resolve().is_relative_to(top):
            raise EnvironmentUnavailable(f"{tar.name!r}: {member.name!r} would lie outside of {folder}")
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    tar.extractall(folder, members)


def package_folder(version: str, cache: Path | None = None) -> Path:
    """A folder with nothing but that release's package ``tornado`` in it."""
    cache = cache or cache_folder()
    folder = cache / f"package-{version}"
    source = sdist(version, cache)
    with locked(folder.name, cache):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source / "tornado", folder / "tornado")
            (folder / "ready").touch()
    return folder


@contextlib.contextmanager
def locked(name: str, cache: Path | None = None) -> Iterator[None]:
    """While inside, no other process is inside a lock of the same name."""
    cache = cache or cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / f"{name}.lock", "w") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _resolve(python: str | Path) -> Path:
    found = shutil.which(str(python))
    if found is None:
        raise EnvironmentUnavailable(f"there is no interpreter {str(python)!r}: give the path of one (--python)")
    # Not resolved further: a venv's python is a link, and must be started by its own name.
    return Path(found).absolute()


def _about(python: Path) -> tuple[str, str]:
    """('3.9', '4.5.3'): the version of an interpreter, and of the Tornado that it has ('-' for none)."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        done = subprocess.run([python, "-c", _ABOUT], capture_output=True, text=True, timeout=60, env=env)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise EnvironmentUnavailable(f"{python} does not start: {e}") from e
    words = done.stdout.split()
    if len(words) != 2:
        raise EnvironmentUnavailable(f"{python} is no usable Python:\n{done.stdout}{done.stderr}")
    return words[0], words[1]


def tornado_of(python: str | Path) -> str:
    """The Tornado that an interpreter has, "-" for none. :raises EnvironmentUnavailable: no such interpreter."""
    return _about(_resolve(python))[1]


def _starts(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", "import tornado"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _is_python(path: str, version: str) -> bool:
    # A pyenv shim exists for versions that are not selected, too, and then only prints an error.
    code = "import sys, ssl, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == version


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_SECONDS)
    except subprocess.TimeoutExpired as e:
        raise EnvironmentUnavailable(f"no answer within {STEP_SECONDS} s: {' '.join(command)}") from e
    except OSError as e:
        raise EnvironmentUnavailable(f"{command[0]} does not start: {e}") from e
    if done.returncode:
        raise EnvironmentUnavailable(
            f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}"
            "A Python that has this Tornado can be named instead (--python)."
        )
