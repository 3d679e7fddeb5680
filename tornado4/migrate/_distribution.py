"""The distribution ``tornado 4.5.3``, for programs that ask under the alias whether it is installed.

``importlib.metadata.version("tornado")`` and ``pkg_resources.require("tornado<5")`` get an answer in this process, and
only when they ask for it by name. Nothing is on disk, and no listing has it: what pip, uv or a scanner lists is what is
installed, also where they run in a process that has the alias. They name the folders that they look into, or
list, and neither is answered.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import tornado4

_METADATA = f"""\
Metadata-Version: 2.1
Name: tornado
Version: {tornado4.version}
Summary: The Tornado {tornado4.version} API, by tornado4, in this process.
Requires-Python: >=3.11
"""


class TornadoDistribution(importlib.metadata.Distribution):
    """Metadata without files."""

    def read_text(self, filename: str) -> str | None:
        """METADATA; there is no other file."""
        return _METADATA if filename == "METADATA" else None

    def locate_file(self, path: str | os.PathLike[str]) -> Any:
        """Where the package's files would be; RECORD lists none."""
        import pathlib

        return pathlib.Path(os.path.dirname(os.path.dirname(os.path.abspath(tornado4.__file__)))) / path


def find(context: importlib.metadata.DistributionFinder.Context) -> Iterable[TornadoDistribution]:
    """The distribution, for one who asks for ``tornado`` by name, and not in a folder."""
    by_name = context.name is not None and context.name.lower() == "tornado"
    return [TornadoDistribution()] if by_name and "path" not in vars(context) else []


# ---------------------------------------------------------------------------------------------------------
# pkg_resources, where a program has it: its working set is filled when it is imported


_requires: list[Any] = []


def hide_requires() -> None:
    """Console scripts of old say ``__requires__ = "app==1.0"`` first; the working set is made by that, without us."""
    main = sys.modules.get("__main__")
    if main is not None and hasattr(main, "__requires__"):
        _requires.append(main.__requires__)
        del main.__requires__


_PLACE = os.path.dirname(os.path.dirname(tornado4.__file__))


def give_to(module: ModuleType) -> None:
    """Have ``pkg_resources``, whose code has just run, find the distribution."""
    # A place that is one: packages with namespaces are looked for in each distribution's.
    distribution = module.Distribution(_PLACE, _Metadata(), project_name="tornado", version=tornado4.version)
    module.working_set.add(distribution, insert=False, replace=True)
    if _requires:
        wanted = _requires.pop()
        sys.modules["__main__"].__requires__ = wanted  # type: ignore[attr-defined]
        module.working_set.require(wanted)


def take_from(module: ModuleType) -> None:
    """Take back :func:`give_to`."""
    working_set = module.working_set
    if isinstance(getattr(working_set.by_key.get("tornado"), "_provider", None), _Metadata):
        del working_set.by_key["tornado"]
        keys = working_set.entry_keys.get(_PLACE, [])
        if "tornado" in keys:
            keys.remove("tornado")
        # Another one that we stood in front of. `add_entry` would add the entry a second time.
        for entry in working_set.entries:
            for distribution in module.find_distributions(entry, True):
                working_set.add(distribution, entry, False)


class _Metadata:
    """What ``pkg_resources.Distribution`` asks of a metadata provider."""

    def has_metadata(self, name: str) -> bool:
        return name == "METADATA"

    def get_metadata(self, name: str) -> str:
        if name != "METADATA":
            raise FileNotFoundError(name)
        return _METADATA

    def get_metadata_lines(self, name: str) -> Iterable[str]:
        return iter(self.get_metadata(name).splitlines())

    def metadata_isdir(self, name: str) -> bool:
        return False

    def metadata_listdir(self, name: str) -> list[str]:
        return []
