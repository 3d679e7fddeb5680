"""Which files `StaticFileHandler` may touch: those below its root, links and the names of Windows considered."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from functools import cache

from tornado4 import switches

_ON_WINDOWS = os.name == "nt"


@cache  # the first request makes it, not each start
def _device() -> re.Pattern[str]:
    """Devices, which Windows finds in every directory and whatever the suffix."""
    return re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3])[ .]*(?:[.:].*)?", re.I)


#: By path and places allowed, the file that was found to lie in one of them. It is known again by its number and the
#: time of its last change, so that the links on the way to it need not be followed for each request.
_found_inside: dict[tuple[str, tuple[str, ...]], tuple[int, int, int]] = {}
_MOST_FOUND = 10_000


class LeadsOut(OSError):
    """A symbolic link leads out of the directory."""


def is_below(path: str, root: str) -> bool:
    """Whether ``path``, by its name, is ``root`` or lies below it. Both are absolute and normalised."""
    # /srv/files must not open /srv/files-private; the file system's root ends in a separator already
    return path == root or path.startswith(root if root.endswith(os.path.sep) else root + os.path.sep)


def is_windows_trap(path: str) -> bool:
    """Whether Windows takes a name in ``path`` for another one than it says: a device, a drive, a stream of a file, or
    one with dots or blanks at its end. A file's source could be read so where only its output should.
    """
    return any(
        ":" in name or _device().fullmatch(name) or (name[-1:] in (".", " ") and name not in (".", ".."))
        for name in re.split(r"[/\\]", path)
    )


def leads_out(path: str, status: os.stat_result, root: str, allowed: str | Iterable[str] | None) -> bool:
    """Whether symbolic links lead from ``path`` to a file that is neither in ``root`` nor in a directory ``allowed``.

    ``status`` is what `os.stat` says of ``path``.
    """
    places = (root,) if allowed is None else (root, *([allowed] if isinstance(allowed, str) else allowed))
    key = path, places
    file = status.st_dev, status.st_ino, status.st_ctime_ns
    if _found_inside.get(key) == file:
        return False
    real = os.path.realpath(path)
    if not any(is_below(real, os.path.realpath(place)) for place in places):
        return not switches.is_allowed("static-symlinks")
    if len(_found_inside) >= _MOST_FOUND:
        _found_inside.clear()
    _found_inside[key] = file
    return False


def check_readable(path: str, root: str, allowed: str | Iterable[str] | None) -> None:
    """Raise `OSError` for what is not to be read to make a version of it: reading a FIFO, or some devices, never ends.

    ``path`` is absolute.
    """
    root = os.path.abspath(root)
    if not is_below(path, root) or (_ON_WINDOWS and is_windows_trap(path[len(root) :])):
        raise OSError("not in the static directory")
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a file")
    if leads_out(path, status, root, allowed):
        raise LeadsOut(f"a link out of the static directory {switches.hint('static-symlinks')}")
