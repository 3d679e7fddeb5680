"""The build's part: a tree that is built twice gives the same bytes, wherever, whenever and by whomever.

pyproject.toml names `Sdist` and `BdistWheel` as commands of setuptools, which leaves in its archives who built them,
when, and under which umask. What an archive says of a file here is its name, its bytes, and whether it is executable.
All files have one date: that of ``SOURCE_DATE_EPOCH`` (seconds since 1970, as reproducible-builds.org has it), else
`DATE`. Only the build imports this module, by its path: it must not import tornado4.
"""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.sdist import sdist

#: 1 January 2026, UTC. Any date does, but for those before 1980, which a zip file cannot have.
DATE = 1767225600


def date() -> int:
    """Seconds since 1970. SystemExit for a SOURCE_DATE_EPOCH that is none."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or str(DATE)
    if not given.isdecimal():
        raise SystemExit(
            f"SOURCE_DATE_EPOCH is {given!r}: it is a whole number of seconds since 1970, or not set at all"
        )
    return int(given)


def mode(path: Path) -> int:
    """What an archive says of who may do what: everybody may read, and execute what its owner may."""
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


class Sdist(sdist):
    """Writes the archive itself."""

    def make_archive(
        self, base_name: str, format: str, root_dir: str | None = None, base_dir: str | None = None,
        owner: str | None = None, group: str | None = None,
    ) -> str:  # fmt: skip
        if format != "gztar" or base_dir is None:
            raise SystemExit(f"the source distribution is a .tar.gz; --formats={format} is not made here")
        seconds = date()
        found = (path for path in Path(root_dir or ".", base_dir).rglob("*") if not path.is_dir())
        files = sorted(found, key=Path.as_posix)  # paths by themselves compare otherwise on Windows
        with (
            open(f"{base_name}.tar.gz", "wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=seconds) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for path in files:
                entry = tarfile.TarInfo(path.relative_to(root_dir or ".").as_posix())
                entry.size, entry.mode, entry.mtime = path.stat().st_size, mode(path), seconds
                with path.open("rb") as content:
                    tar.addfile(entry, content)
        return f"{base_name}.tar.gz"


class BdistWheel(bdist_wheel):
    """Has the files as they are to stand in the wheel before it is written; the order is setuptools'."""

    bdist_dir: str

    def run(self) -> None:
        os.environ["SOURCE_DATE_EPOCH"] = str(max(date(), 315532800))  # zip begins in 1980
        super().run()

    def write_wheelfile(self, wheelfile_base: str, *args: str) -> None:
        """The last thing that happens before the files are packed."""
        super().write_wheelfile(wheelfile_base, *args)
        for path in Path(self.bdist_dir).rglob("*"):
            path.chmod(mode(path))
