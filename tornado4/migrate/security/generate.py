"""``python -m tornado4.migrate.security.generate``: in a checkout, write all that is made of the list anew."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from tornado4.migrate.security import documents, pages
from tornado4.migrate.security.table import listing, peers

#: Beside this file, so that it is in the package; the build puts it into ``.dist-info/sboms/`` (PEP 770).
CYCLONEDX = "tornado4/migrate/security/tornado4.cdx.json"


def files(root: Path) -> dict[str, str]:
    """What is to be in each file, by its path below ``root``, the checkout."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return {
        "docs/security.md": pages.page(listing(), peers()),
        CYCLONEDX: _json(documents.cyclonedx(listing(), version)),
        ".vex/tornado4.openvex.json": _json(documents.openvex(listing(), version)),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    top = Path(__file__).resolve().parents[3]
    for name, text in files(top).items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(text, "utf-8")
