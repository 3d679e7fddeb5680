"""Where a redirect leads: on the site that the program names, or off it.

Browsers read a URL more freely than RFC 3986 does, so it is read here as they do (WHATWG URL, section 4.4): tabs and
line ends within it and blanks around it vanish, a backslash is a slash, and two slashes or more begin a host.
"""

from __future__ import annotations

import functools
import re

from tornado4 import switches

_VANISHING = re.compile(r"[\t\r\n]")
_AROUND = "".join(map(chr, range(0x21)))
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(/*)([^/?#]*)")

#: What stands for groups where the groups themselves must not matter: nothing, or what no filled-in URL may hold.
_STAND_INS = ("", "\x7f")


class LeadsAway(Exception):
    """The groups of a path would choose where a redirect leads."""


def site(url: str) -> tuple[str, str] | None:
    """Scheme and authority of ``url`` as a browser takes them; None if it stays on the site that it came from.

    Without a scheme, the first of the two is empty.
    """
    text = _VANISHING.sub("", url).strip(_AROUND).replace("\\", "/")
    found = _URL.match(text)
    assert found is not None  # all of it may be empty
    scheme, slashes, authority = found.groups()
    if scheme is None and len(slashes) < 2:
        return None
    return (scheme or "").lower(), authority.lower()


def is_local_path(path: str) -> bool:
    """Whether ``path``, as the target of a redirect, is a path of the very site: one slash in front, and no other."""
    return path.startswith("/") and site(path) is None and _CONTROLS.search(path) is None


@functools.lru_cache(maxsize=1000)
def _sites_of_pattern(pattern: str, groups: int) -> list[tuple[str, str] | None]:
    """The site that ``pattern`` itself names: as it is with a path's groups left out, or with no part in it."""
    return [site(pattern.format(*[text] * groups)) for text in _STAND_INS]


def fill_in(pattern: str, groups: tuple[str, ...]) -> str:
    """``pattern`` with ``groups`` of a path in place of ``{0}``, ``{1}``, ...

    :raises LeadsAway: the groups would choose the site, or break the header.
    """
    url = pattern.format(*groups)
    if not groups or switches.is_allowed("redirect-groups"):
        return url
    if _CONTROLS.search(url):
        raise LeadsAway("control character in the target")
    if site(url) not in _sites_of_pattern(pattern, len(groups)):
        raise LeadsAway(f"the path would choose where to {switches.hint('redirect-groups')}")
    return url
