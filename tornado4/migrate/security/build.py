"""The build's part: the CycloneDX file goes into ``.dist-info/sboms/`` (PEP 770).

pyproject.toml names `EggInfo` as a command of setuptools, which has no setting for it. What is beside the metadata
in the folder that this command fills, setuptools copies into the ``.dist-info`` of wheels and editable installations.
Only the build imports this module, by its path: it must not import tornado4.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.egg_info import egg_info

SBOM = Path(__file__).with_name("tornado4.cdx.json")


class EggInfo(egg_info):
    """Writes the metadata, and the SBOM beside it."""

    def run(self) -> None:
        super().run()
        folder = Path(self.egg_info) / "sboms"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(SBOM, folder / SBOM.name)
