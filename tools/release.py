"""The steps of a release, up to files that wait to be uploaded.

    python tools/release.py --dry-run      # all of it, in a clone that is thrown away
    python tools/release.py                # on main, with nothing uncommitted; archives go to dist/

It dates the changelog's section, makes anew what has the version in it, commits, tags, builds twice in different places
and compares, has twine check what came of it, and opens the next section. It pushes and uploads nothing: it ends with
what is left for a person. The environment wants setuptools and twine. docs/releasing.md has the words to it.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"

BY_HAND = """\
Left for a person:
  1. every session of nox has passed on {tag}, and "Run now and then" of docs/support.md says so
  2. git push origin main {tag}
  3. twine upload dist/*
  4. where wheels with the extension are wanted: TORNADO_EXTENSION=1 python -m build --wheel, in the container of
     manylinux, then auditwheel repair, then as 3
  5. a release at the forge, with the section of CHANGELOG.md, and SHA256SUMS beside the archives
  6. advisories of what was mended, if any, with this version as the one that has it; SECURITY.md says where"""


class ReleaseError(Exception):
    """Something is not as a release wants it; the message says what, and the way out."""


# ---------------------------------------------------------------------------------------------------------
# Texts


def newest(changelog: str) -> tuple[str, str, str]:
    """Version, date and text of the top section; ReleaseError when there is none."""
    found = re.search(r"^## (\S+) \(([^)]*)\)\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ReleaseError('CHANGELOG.md: no section "## VERSION (unreleased)"')
    return found[1], found[2], found[3].strip()


def dated(changelog: str, version: str, day: str) -> str:
    """The changelog with its top section released on that day; ReleaseError when it is not the one to be released."""
    top, date, text = newest(changelog)
    if (top, date) != (version, "unreleased"):
        raise ReleaseError(
            f'CHANGELOG.md begins with "## {top} ({date})"; for this release it is to be "## {version} (unreleased)"'
        )
    if not text:
        raise ReleaseError(f"CHANGELOG.md: the section of {version} is empty; what is new for users?")
    return changelog.replace(f"## {version} (unreleased)", f"## {version} ({day})", 1)


def opened(changelog: str, version: str) -> str:
    """The changelog with an empty section for the version that comes next."""
    top, date, _ = newest(changelog)
    return changelog.replace(f"## {top} ({date})", f"## {version} (unreleased)\n\n## {top} ({date})", 1)


def successor(version: str) -> str:
    """4.5.3.2 after 4.5.3.1: the API's version stays."""
    api, _, number = version.rpartition(".")
    return f"{api}.{int(number) + 1}"


def with_version(pyproject: str, old: str, new: str) -> str:
    """pyproject.toml with the next version."""
    line = f'version = "{old}"\n'
    if pyproject.count(line) != 1:
        raise ReleaseError(f"pyproject.toml: the line {line.strip()} is not there once")
    return pyproject.replace(line, f'version = "{new}"\n')


# ---------------------------------------------------------------------------------------------------------
# Steps


class Release:
    """One release, of the clone in ``tree``."""

    def __init__(self, tree: Path, day: str) -> None:
        self.tree = tree
        self.day = day
        self.version: str = tomllib.loads(self.read("pyproject.toml"))["project"]["version"]
        self.tag = f"v{self.version}"

    def read(self, name: str) -> str:
        return (self.tree / name).read_text("utf-8")

    def write(self, name: str, text: str) -> None:
        (self.tree / name).write_text(text, "utf-8")

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.tree, capture_output=True, text=True)
        if done.returncode:
            raise ReleaseError(f"git {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def check(self) -> None:
        """Whether this can be released at all."""
        if changed := self.git("status", "--porcelain"):
            raise ReleaseError(f"not everything is committed:\n{changed.rstrip()}")
        if self.git("tag", "--list", self.tag):
            raise ReleaseError(f"the tag {self.tag} is there already; pyproject.toml wants the next version")
        dated(self.read("CHANGELOG.md"), self.version, self.day)

    def make_documents(self) -> None:
        """The SBOM, the VEX document and the page of the security list, which have the version in them."""
        path = os.pathsep.join(filter(None, [str(self.tree), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "tornado4.migrate.security.generate"]
        subprocess.run(command, cwd=self.tree, env=os.environ | {"PYTHONPATH": path}, check=True)

    def tag_it(self) -> None:
        """The commit that is released, and its tag, which has the changelog's section as its message."""
        changelog = dated(self.read("CHANGELOG.md"), self.version, self.day)
        self.write("CHANGELOG.md", changelog)
        self.make_documents()
        self.git("commit", "--all", "--message", f"Release {self.version}")
        message = f"tornado4 {self.version}\n\n{newest(changelog)[2]}\n"
        self.git("tag", "--annotate", "--cleanup=verbatim", self.tag, "--message", message)

    def build(self) -> list[Path]:
        """The archives, in dist/; ReleaseError when a second build has other bytes."""
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            first = self.build_in(here / "first", 0o022)
            second = self.build_in(here / "another" / "place", 0o077)
            for one, other in zip(first, second, strict=True):
                if one.name != other.name or one.read_bytes() != other.read_bytes():
                    raise ReleaseError(f"{one.name}: built twice, and not the same; diffoscope says what differs")
            shutil.rmtree(self.tree / "dist", ignore_errors=True)
            (self.tree / "dist").mkdir()
            return [Path(shutil.copy(path, self.tree / "dist")) for path in first]

    def build_in(self, folder: Path, umask: int) -> list[Path]:
        """The source distribution, out of the tag; and the wheel, out of the source distribution."""
        (folder / "tree").mkdir(parents=True)
        self.git("archive", "--output", str(folder / "tree.tar"), self.tag)
        unpack(folder / "tree.tar", folder / "tree")
        for path in (folder / "tree").rglob("*"):
            path.chmod(path.stat().st_mode & ~umask)
        backend(folder / "tree", "build_sdist", folder, umask)
        (sdist,) = folder.glob("*.tar.gz")
        unpack(sdist, folder / "unpacked")
        (unpacked,) = (folder / "unpacked").iterdir()
        backend(unpacked, "build_wheel", folder, umask)
        return [sdist, *folder.glob("*.whl")]

    def open_next(self) -> str:
        """The commit behind the release; the version that comes next."""
        following = successor(self.version)
        self.write("CHANGELOG.md", opened(self.read("CHANGELOG.md"), following))
        self.write("pyproject.toml", with_version(self.read("pyproject.toml"), self.version, following))
        self.make_documents()
        self.git("commit", "--all", "--message", f"After {self.version}")
        return following

    def run(self) -> None:
        """All steps, each with a line on what it did."""
        self.check()
        self.tag_it()
        print(f"{self.tag}: committed and tagged, with the changelog's section of {self.day}; SBOM and VEX made anew")
        archives = self.build()
        print("built twice, in different places and under different umasks: the same bytes")
        sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in archives)
        print(twine(archives))
        (self.tree / "dist" / "SHA256SUMS").write_text(sums)
        print(sums, end="")
        print(f"{self.open_next()}: its section is open")


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # since 3.11.4; the archive is our own
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)


def backend(tree: Path, what: str, into: Path, umask: int) -> None:
    """One call of the build backend; without the extension, so that the wheel is for every machine."""
    env = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, what, str(into)], cwd=tree, umask=umask,
        env=env | {"TORNADO_EXTENSION": "0"}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise ReleaseError(f"{what} failed:\n{done.stderr}")


def twine(archives: list[Path]) -> str:
    """What ``twine check --strict`` says; ReleaseError when it is not content."""
    if importlib.util.find_spec("twine") is None:
        return "twine is not installed: its check was left out"
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, archives)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"twine check --strict:\n{done.stdout}{done.stderr}")
    return f"twine check --strict: {len(archives)} passed"


@contextlib.contextmanager
def thrown_away() -> Iterator[Path]:
    """A clone of what is committed here."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tornado4"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tree)], check=True)
        for name, value in (("user.name", "dry run"), ("user.email", "dry@run.invalid")):
            subprocess.run(["git", "config", name, value], cwd=tree, check=True)
        yield tree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="in a clone that is thrown away")
    parser.add_argument("--date", default=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", help="default: today, UTC")
    options = parser.parse_args()
    try:
        if options.dry_run:
            Release(ROOT, options.date).check()
            with thrown_away() as tree:
                rehearsal = Release(tree, options.date)
                rehearsal.run()
            print(BY_HAND.format(tag=rehearsal.tag))
            print("Nothing has changed here: it was a dry run.")
            return 0
        release = Release(ROOT, options.date)
        branch = release.git("branch", "--show-current").strip()
        if branch != "main":
            raise ReleaseError(f"this is the branch {branch!r}; releases are made on main")
        if importlib.util.find_spec("twine") is None:
            raise ReleaseError("there is no twine in this environment: pip install twine setuptools")
        release.run()
        print(BY_HAND.format(tag=release.tag))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
