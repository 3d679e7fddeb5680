"""``tornado4 startup install``: every Python of this environment obeys ``TORNADO4_ALIAS`` and ``TORNADO4_BACKFILL``.

For processes that nobody can put ``tornado4 run`` in front of: console scripts, kernels of notebooks, what a supervisor
starts. One file, ``tornado4-startup.pth``, is put into the environment's site-packages, with one line that the
interpreter runs when it starts. Where neither variable is set, that line looks for the two and is done. Uninstalling
tornado4 does not remove it; ``tornado4 startup remove`` does.

    tornado4 startup install
    TORNADO4_ALIAS=1 jupyter lab
    TORNADO4_ALIAS=myapp,oldlib myapp-server        # tornado4 for these packages alone
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_obeyed = False

FILE = "tornado4-startup.pth"

# The interpreter runs the lines of a .pth file that begin with "import". find_spec: the package may be gone.
LINE = (
    "import os; [__import__('tornado4.migrate.startup').migrate.startup.obey() for spec in "
    "[__import__('importlib.util').util.find_spec('tornado4')] if spec] "
    "if os.environ.get('TORNADO4_ALIAS') or os.environ.get('TORNADO4_BACKFILL') else None\n"
)


def obey() -> None:
    """Do what the variables ask for, at the start of the interpreter.

    A wrong value is said on stderr, and the program goes on: an interpreter that does not start helps nobody.
    """
    global _obeyed
    if _obeyed:  # in a virtual environment site runs each .pth file twice
        return
    _obeyed = True
    from tornado4.migrate import alias, settings

    try:
        wanted = settings.of_environment()
        if wanted.alias:
            alias.install(for_=wanted.alias_for)
    except (settings.SettingsError, alias.TornadoAlreadyImported) as error:
        print(f"tornado4 startup: {error}", file=sys.stderr)
        return
    if wanted.backfill:
        from tornado4.migrate import backfill

        backfill.install()


def main(argv: Sequence[str]) -> int:
    """The subcommand ``startup``."""
    import argparse  # here: obey() is to be quick
    import sysconfig

    parser = argparse.ArgumentParser(
        prog="tornado4 startup",
        description="Have every Python of this environment obey TORNADO4_ALIAS and TORNADO4_BACKFILL when it starts.",
    )
    parser.add_argument("action", choices=["install", "remove", "status"])
    parser.add_argument("--dir", metavar="FOLDER", help="the site-packages to use; default: this environment's")
    options = parser.parse_args(argv)
    path = os.path.join(options.dir or sysconfig.get_path("purelib"), FILE)
    try:
        if options.action == "install":
            with open(path, "w", encoding="ascii") as file:
                file.write(LINE)
            print(f"wrote {path}")
        elif options.action == "remove":
            if os.path.exists(path):
                os.remove(path)
                print(f"removed {path}")
            else:
                print(f"there is no {path}")
        else:
            print(f"{'installed' if os.path.exists(path) else 'not installed'}: {path}")
    except OSError as error:
        print(f"tornado4 startup: {path}: {error.strerror}; --dir names another site-packages", file=sys.stderr)
        return 1
    return 0
