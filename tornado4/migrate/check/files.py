"""Which files a check reads, what they are called as modules, and how they are read: never imported."""

from __future__ import annotations

import ast
import os
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Folders that are not the program.
SKIPPED = frozenset(
    ".git .hg .svn .tox .nox .venv venv env .eggs build dist node_modules __pycache__".split()
)

#: A folder with all of one of these is a copy of Tornado, or of its core.
VENDORED = ({"ioloop.py", "web.py", "gen.py"}, {"ioloop.py", "stack_context.py"})


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file: where it is, its name as a module, its text."""

    path: Path
    shown: str
    module: str
    is_package: bool


def python_files(paths: Iterable[Path]) -> Iterator[Source]:
    """All Python files at or below the paths, sorted, each once. FileNotFoundError for a path that is not there."""
    seen: set[Path] = set()
    for top in paths:
        if not top.exists():
            raise FileNotFoundError(f"no such file or folder: {top}")
        for path in [top] if top.is_file() else _below(top):
            resolved = path.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield Source(path, shown(path), module_name(path), path.name == "__init__.py")


def vendored(paths: Iterable[Path]) -> Iterator[Path]:
    """The folders below the paths that hold a copy of Tornado; they are left out of `python_files`."""
    for top in paths:
        if top.is_dir():
            for folder, folders, files in os.walk(top):
                folders[:] = sorted(each for each in folders if each not in SKIPPED)
                if is_vendored(files):
                    folders[:] = []
                    yield Path(folder)


def is_vendored(files: Iterable[str]) -> bool:
    names = set(files)
    return any(each <= names for each in VENDORED)


def _below(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        if is_vendored(files):
            folders[:] = []
            continue
        folders[:] = sorted(each for each in folders if each not in SKIPPED)
        yield from (Path(folder, each) for each in sorted(files) if each.endswith(".py"))


def shown(path: Path) -> str:
    """Relative to the working directory where it lies below, with slashes: as reports and baselines want it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def module_name(path: Path) -> str:
    """The dotted name of a file, by the packages around it: folders with an ``__init__.py``."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.resolve().parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts) or path.resolve().parent.name


def read(path: Path) -> str:
    """The text of a Python file, in the encoding that it declares. SyntaxError, UnicodeDecodeError: it is none."""
    with tokenize.open(path) as file:
        return file.read()


def parse(source: str, name: str) -> ast.Module:
    """The tree of a source. SyntaxError for what is no Python of today."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes of old programs are not what is asked
        return ast.parse(source, name)
