"""The distribution ``tornado`` 4.5.3, for programs that ask what is installed, in a process that has the alias.

Nothing is on disk, and nothing is listed: it answers those alone who ask for ``tornado`` by name. pip, uv and
scanners, which list what is there, see nothing of it.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import tornado4
from tornado4.migrate import _imports

METADATA = f"""\
Metadata-Version: 2.1
Name: tornado
Version: {tornado4.version}
Summary: The API of Tornado {tornado4.version}, by tornado4
"""


class AliasDistribution(importlib.metadata.Distribution):
    """What ``importlib.metadata.distribution("tornado")`` gives."""

    def read_text(self, filename: str) -> str | None:
        """The metadata; None for every other file."""
        return METADATA if filename in ("METADATA", "PKG-INFO") else None

    def locate_file(self, path: Any) -> Any:
        """Where a file of it would lie."""
        return Path(tornado4.__file__).parent.parent / path


def find_distributions(context: importlib.metadata.DistributionFinder.Context) -> Iterable[AliasDistribution]:
    """For a finder on ``sys.meta_path``: the distribution, when it is asked for by name."""
    name = context.name
    if name is not None and re.sub(r"[-_.]+", "-", name).lower() == "tornado":
        return [AliasDistribution()]
    return []


def tell_pkg_resources() -> None:
    """Enter it in the working set of ``pkg_resources``, when a program imports that."""
    _imports.after_import("pkg_resources", _enter)


def forget_pkg_resources() -> None:
    """Take back `tell_pkg_resources`, also where it was imported meanwhile."""
    _imports.forget("pkg_resources", _enter)
    pkg_resources = sys.modules.get("pkg_resources")
    if pkg_resources is not None:
        working_set = pkg_resources.working_set
        mine = working_set.by_key.get("tornado")
        if mine is not None and getattr(mine, "_by_tornado4", False):
            del working_set.by_key["tornado"]


def _enter(pkg_resources: ModuleType) -> None:
    distribution = pkg_resources.Distribution(
        location=str(Path(tornado4.__file__).parent.parent), project_name="tornado", version=tornado4.version
    )
    distribution._by_tornado4 = True
    pkg_resources.working_set.add(distribution, replace=True)
