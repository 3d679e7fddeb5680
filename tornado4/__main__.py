"""``python -m tornado4 COMMAND``; the console script ``tornado4`` calls the same function."""

from __future__ import annotations

import sys

from tornado4.migrate.commands import main

if __name__ == "__main__":
    sys.exit(main())
