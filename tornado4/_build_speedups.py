"""The build's part: `tornado4.speedups` is compiled where that can be done, and left out where not.

pyproject.toml names `BuildExt` as a command of setuptools. ``TORNADO_EXTENSION=1`` in the environment insists on the
extension, ``0`` forbids it, as for the setup of 4.5.3. Without it a wheel is for every machine (``py3-none-any``), with
it for one kind of machine and every Python from 3.11 on (``cp311-abi3-...``).
Only the build imports this module, by its path: it must not import tornado4.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from setuptools.command.build_ext import build_ext


class BuildExt(build_ext):
    """Compiles, and has the wheel named by what came of it."""

    extensions: list[Any]

    def run(self) -> None:
        wanted = os.environ.get("TORNADO_EXTENSION")
        if wanted not in (None, "", "0", "1"):
            raise SystemExit(
                f"TORNADO_EXTENSION is {wanted!r}: set it to 1 (tornado4.speedups must be compiled), "
                "to 0 (it must not), or not at all (it is, where there is a compiler)"
            )
        if wanted == "1":
            for extension in self.extensions:
                extension.optional = False  # an error of the compiler ends the build
        if os.name == "posix":
            for extension in self.extensions:  # else its debugging information has the folder that it was built in
                extension.extra_compile_args.append(f"-ffile-prefix-map={os.getcwd()}=.")
        if wanted == "0":
            for extension in self.extensions:  # of an earlier build
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []
        super().run()
        built = any(os.path.exists(self.get_ext_fullpath(extension.name)) for extension in self.extensions)
        wheel = self.distribution.get_command_obj("bdist_wheel", create=False)
        if built:
            if wheel is not None:
                wheel.py_limited_api = "cp311"
            return
        self.distribution.ext_modules = None
        if wheel is not None:
            wheel.root_is_pure = True
