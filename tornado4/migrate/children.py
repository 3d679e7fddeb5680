"""``tornado4 children``: the alias for processes that nobody can put ``tornado4 run`` in front of.

Kernel specifications, supervisors and console scripts start the interpreter by themselves. A ``.pth`` file in the
interpreter's site-packages is read by each process of that environment; ours looks for ``TORNADO4_ALIAS`` and
``TORNADO4_BACKFILL`` there and does nothing without them.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

NAME = "tornado4-children.pth"
LINE = (
    "import os; (os.environ.get('TORNADO4_ALIAS') or os.environ.get('TORNADO4_BACKFILL')) "
    "and __import__('tornado4.migrate.children', fromlist=['begin']).begin()\n"
)


def main(argv: Sequence[str]) -> int:
    """The subcommand: 2 when the file cannot be written or removed."""
    parser = argparse.ArgumentParser(
        prog="tornado4 children",
        description="Let processes that others start have the alias: when TORNADO4_ALIAS=1 is in their environment.",
        epilog="install writes one .pth file into this environment's site-packages, remove takes it away. "
        "It costs each start of this interpreter some hundredths of a millisecond without the variable.",
    )
    parser.add_argument("action", choices=["install", "remove", "status"])
    action = parser.parse_args(argv).action
    file = Path(sysconfig.get_path("purelib")) / NAME
    try:
        if action == "install":
            file.write_text(LINE, "utf-8")
        elif action == "remove":
            file.unlink(missing_ok=True)
    except OSError as error:
        print(f"tornado4 children: {file}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{file}: {'there' if file.exists() else 'not there'}")
    return 0


def begin() -> None:
    """What the ``.pth`` file calls at the start of a process."""
    from tornado4.migrate import settings  # late: most processes never come here

    settings.from_environment().apply()
