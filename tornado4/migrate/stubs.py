"""``tornado4 stubs [DIR]``: types for programs that say ``import tornado`` under the alias.

Type checkers and editors know nothing of the alias. The command writes stubs of the package ``tornado`` into a project,
each of which hands on what the module of tornado4 has. mypy (``mypy_path``) and pyright look in
``typings``.
"""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import tornado4

#: What is no module of Tornado 4.
_OURS = frozenset({"migrate", "forward", "asgi", "flags", "switches", "serve"})


def main(argv: Sequence[str]) -> int:
    """The subcommand: 2 when the files cannot be written."""
    parser = argparse.ArgumentParser(
        prog="tornado4 stubs",
        description="Write type stubs of the package tornado, which hand on tornado4's types.",
        epilog="pyright and Pylance read the folder typings by themselves; mypy wants mypy_path = \"typings\".",
    )
    parser.add_argument("folder", nargs="?", default="typings", metavar="DIR", help="where to (default: typings)")
    folder = Path(parser.parse_args(argv).folder)
    try:
        written = write(folder)
    except OSError as error:
        print(f"tornado4 stubs: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{written} stubs of tornado in {folder}")
    return 0


def write(folder: Path) -> int:
    """Write the stubs below a folder; how many there are."""
    count = 0
    for name, is_package in modules():
        path = folder.joinpath("tornado", *name.split(".")) if name else folder / "tornado"
        file = path / "__init__.pyi" if is_package else path.with_suffix(".pyi")
        file.parent.mkdir(parents=True, exist_ok=True)
        source = f"tornado4.{name}" if name else "tornado4"
        file.write_text(f"from {source} import *\n{_private(source)}", "utf-8")
        count += 1
    return count


def modules() -> Iterator[tuple[str, bool]]:
    """The modules of Tornado 4 as tornado4 has them, below the package, each with whether it is a package."""
    yield "", True
    packages = {"platform"}  # others are rooms of one module's
    for info in pkgutil.iter_modules(tornado4.__path__):
        if not info.name.startswith("_") and info.name not in _OURS:
            yield info.name, info.name in packages
    platform = Path(next(iter(tornado4.__path__))) / "platform"
    for info in pkgutil.iter_modules([str(platform)]):
        yield f"platform.{info.name}", False


def _private(source: str) -> str:
    """Names that a star leaves out."""
    return "from tornado4 import version as version, version_info as version_info\n" if source == "tornado4" else ""
