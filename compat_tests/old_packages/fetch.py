"""The source distributions of ``packages.tsv``, from the package registry that pip is set up for, unpacked.

They are fetched once, into ``.cache/old_packages``, and known by their SHA-256. Nothing of them is run or built.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / ".cache" / "old_packages"
SECONDS = 120


class NotThere(Exception):
    """The registry does not give a file: the text says which, and why."""


@dataclass(frozen=True)
class Package:
    """One source distribution. ``purpose`` is what it is here for: ``labels``, ``recall`` or ``later``."""

    name: str
    version: str
    file: str
    sha256: str
    purpose: str

    @property
    def folder(self) -> Path:
        return FOLDER / f"{self.name}-{self.version}"


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def packages(*purposes: str) -> list[Package]:
    """The packages that are here for these purposes."""
    return [package for package in (Package(**row) for row in rows("packages.tsv")) if package.purpose in purposes]


def fetched(package: Package) -> Path:
    """The folder that holds what a distribution held, made on first use."""
    if not package.folder.exists():
        data = _bytes(package)
        part = package.folder.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        if package.file.endswith(".zip"):
            zipfile.ZipFile(io.BytesIO(data)).extractall(part)
        else:
            tarfile.open(fileobj=io.BytesIO(data)).extractall(part, filter="data")
        (top,) = [each for each in part.iterdir() if each.is_dir()]
        top.rename(package.folder)
        for left in sorted(part.rglob("*"), reverse=True):
            left.rmdir() if left.is_dir() else left.unlink()
        part.rmdir()
    return package.folder


def _bytes(package: Package) -> bytes:
    for entry in _listed(package.name):
        if entry["filename"] == package.file:
            with urllib.request.urlopen(entry["url"], timeout=SECONDS) as answer:
                data: bytes = answer.read()
            if hashlib.sha256(data).hexdigest() != package.sha256:
                raise NotThere(f"{package.file} is not the file that was read: its SHA-256 is another")
            return data
    raise NotThere(f"the registry has no {package.file}")


def _listed(name: str) -> list[dict[str, str]]:
    """What the registry has of a package, by the simple API in JSON."""
    request = urllib.request.Request(
        f"{_index()}/{name.lower()}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            files: list[dict[str, str]] = json.load(answer)["files"]
    except (OSError, ValueError) as error:
        raise NotThere(f"the registry does not list {name}: {error}") from None
    return files


def _index() -> str:
    """The index that pip uses: the one it is set up for, or its own default."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if configured:
        return configured.rstrip("/")
    default = [sys.executable, "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]
    return subprocess.run(default, capture_output=True, text=True, check=True).stdout.strip().rstrip("/")
