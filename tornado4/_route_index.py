"""Which of many patterns may match a text: looked up, not tried one by one.

A `PathIndex` reads what a pattern says about the path's segments. `` `/user/(\\d+)/edit` `` says that there are four,
of which the first is empty, the second ``user``, the third of no slash and the last ``edit``; ``/static/.*`` says
only how paths begin. It goes into a tree of segments, and a path leads down that tree to the few patterns that it may
match. A `HostIndex` does the same for host names, by their characters.

What an index cannot read (flags, alternatives, look-aheads, ...) it takes for a pattern that may match anything, from
that place on: it may name a pattern that does not match, but it leaves out none that does. It names them by the
numbers they were added with, lowest first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

#: A set of characters, an escape, or one character.
_TOKEN = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|.", re.DOTALL)
#: A character that stands for itself.
_LITERAL = re.compile(r"\\?([^a-zA-Z0-9.^$*+?{}\[\]|()\\])|([a-zA-Z0-9])|\\([.^$*+?{}\[\]|()\\])")
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?")
_GROUP_HEAD = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
#: Sets that `re` warns of.
_ODD_SET = re.compile(r"\[\^?\[|--|&&|~~|\|\|")

#: Segments of a pattern: its text, and whether that is all of the segment or what it begins with.
_Segments = list[tuple[str, bool]]


class _Node:
    """A place in the tree: so many segments have been seen."""

    __slots__ = ("begins", "ends", "exact", "open")

    def __init__(self) -> None:
        #: Where a segment leads to that is this text.
        self.exact: dict[str, _Node] = {}
        #: Where a segment leads to that begins with this text, by the text's length.
        self.begins: dict[int, dict[str, _Node]] = {}
        #: Patterns that end here.
        self.ends: list[int] = []
        #: Patterns that take anything that follows, or nothing.
        self.open: list[int] = []

    def step(self, text: str, exact: bool) -> _Node:
        children = self.exact if exact else self.begins.setdefault(len(text), {})
        return children.setdefault(text, _Node())


#: So many patterns are compared one by one: down the tree takes longer.
_FEW = 8


class PathIndex:
    """Patterns by the segments of the paths that they match."""

    def __init__(self) -> None:
        self._root = _Node()
        self._depth = 0
        self._count = 0
        #: What the paths of the first patterns begin with.
        self._prefixes: list[tuple[str, int]] = []

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, number: int, pattern: re.Pattern[str]) -> None:
        """Take in ``pattern``, which goes by ``number``; higher than all numbers before."""
        segments, end = _read(pattern)
        if len(self._prefixes) <= _FEW:
            self._prefixes.append((_prefix(segments), number))
        self._put(number, segments, end)
        if end == "/?$":
            self._put(number, [*segments, ("", True)], end)
        self._count = number + 1

    def _put(self, number: int, segments: _Segments, end: str) -> None:
        node = self._root
        for text, exact in segments:
            node = node.step(text, exact)
        (node.ends if end else node.open).append(number)
        self._depth = max(self._depth, len(segments))

    def candidates(self, path: str) -> list[int]:
        """The numbers of all patterns that may match ``path``, in order."""
        if len(self._prefixes) <= _FEW:
            return [number for prefix, number in self._prefixes if path.startswith(prefix)]
        if "\n" in path:  # which "$" may leave unmatched
            return list(range(self._count))
        found: list[int] = []
        nodes = [self._root]
        # not more pieces than the tree is deep: in what is beyond, a slash is as good as any character
        for segment in path.split("/", self._depth):
            reached = []
            for node in nodes:
                child = node.exact.get(segment)
                if child is not None:
                    reached.append(child)
                    if child.open:
                        found += child.open
                for length, children in node.begins.items():
                    child = children.get(segment[:length])
                    if child is not None:
                        reached.append(child)
                        if child.open:
                            found += child.open
            if not reached:
                break
            nodes = reached
        else:
            for node in nodes:
                found += node.ends
        found.sort()
        return found


class HostIndex:
    """Patterns of host names, by the characters that they ask for.

    It reads names with and without backslashes before their dots; a dot without one stands for any character.
    """

    def __init__(self) -> None:
        #: By a name's length and the places of characters that may be any: texts in between, and their patterns.
        self._names: dict[int, dict[tuple[int, ...], dict[tuple[str, ...], list[int]]]] = {}
        self._unread: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._names or self._unread)

    def add(self, number: int, pattern: re.Pattern[str]) -> None:
        """Take in ``pattern``, which goes by ``number``; higher than all numbers before."""
        name = _host_name(pattern)
        if name is None:
            self._unread.append(number)
            return
        places = tuple(place for place, character in enumerate(name) if character is None)
        text = "".join(character or "." for character in name)
        by_places = self._names.setdefault(len(name), {})
        by_places.setdefault(places, {}).setdefault(_between(text, places), []).append(number)

    def candidates(self, host: str) -> list[int]:
        """The numbers of all patterns that may match ``host``, in order."""
        found = self._unread.copy()
        # "$" leaves a newline at the end unmatched
        for name in (host, host[:-1]) if host.endswith("\n") else (host,):
            for places, names in self._names.get(len(name), {}).items():
                found += names.get(_between(name, places), ())
        found.sort()
        return found


def _between(text: str, places: tuple[int, ...]) -> tuple[str, ...]:
    """The pieces of ``text`` around the characters at ``places``."""
    if not places:
        return (text,)
    edges = (-1, *places, len(text))
    return tuple(text[start + 1 : end] for start, end in pairwise(edges))


def _host_name(pattern: re.Pattern[str]) -> list[str | None] | None:
    """The characters of the names that ``pattern`` matches, None for any; None if it is not so simple."""
    text = pattern.pattern
    if not isinstance(text, str) or pattern.flags != re.UNICODE:
        return None
    name: list[str | None] = []
    place = 1 if text.startswith("^") else 0
    while text[place:] != "$":
        literal = _LITERAL.match(text, place)
        if literal is not None:
            name.append(literal[literal.lastindex or 0])
            place = literal.end()
        elif text.startswith(".", place):
            name.append(None)
            place += 1
        else:
            return None
        if text[place : place + 1] in ("*", "+", "?", "{"):
            return None
    return name


def _read(pattern: re.Pattern[str]) -> tuple[_Segments, str]:
    """The segments that a pattern asks for, and how it ends: ``$``, ``/?$``, or "" where anything may follow."""
    text = pattern.pattern
    if not isinstance(text, str) or pattern.flags != re.UNICODE or "(?#" in text or _has_alternatives(text):
        return [("", False)], ""
    segments: _Segments = []
    segment, exact = "", True
    place = 1 if text.startswith("^") else 0
    while place < len(text):
        if text[place:] in ("$", "/?$"):
            return [*segments, (segment, exact)], text[place:]
        literal = _LITERAL.match(text, place)
        end = _end_within_segment(text, place) if literal is None else literal.end()
        if end is None:
            break
        repeat = _REPEAT.match(text, end)
        if repeat is None and text[end : end + 1] in ("*", "+", "?", "{"):
            break
        place = end if repeat is None else repeat.end()
        character = None if literal is None else literal[literal.lastindex or 0]
        if character == "/":
            if repeat is not None:
                break
            segments.append((segment, exact))
            segment, exact = "", True
        elif character is None or repeat is not None:
            exact = False
        elif exact:
            segment += character
    return [*segments, (segment, False)], ""


def _prefix(segments: _Segments) -> str:
    """What all paths begin with that have these segments."""
    texts = []
    for text, exact in segments:
        texts.append(text)
        if not exact:
            break
    return "/".join(texts)


def _has_alternatives(pattern: str) -> bool:
    """Whether there is a ``|`` outside of all groups."""
    depth = 0
    for token in _TOKEN.findall(pattern):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "|" and not depth:
            return True
    return False


def _end_within_segment(pattern: str, place: int) -> int | None:
    """Where the set, class of characters or group at ``place`` ends; None if it may match a slash, or more."""
    token = _TOKEN.match(pattern, place)
    assert token is not None
    if token[0] != "(":
        return None if _may_be_slash(token[0]) else token.end()
    depth, end = 0, place
    while not (depth == 1 and pattern.startswith(")", end)):
        head = _GROUP_HEAD.match(pattern, end)
        if head is not None:
            depth, end = depth + 1, head.end()
            continue
        token = _TOKEN.match(pattern, end)
        if token is None or token[0] == "(" or (token[0] not in "^$*+?{}|)" and _may_be_slash(token[0])):
            return None
        depth, end = depth - (token[0] == ")"), token.end()
    return end + 1


@lru_cache(maxsize=1000)
def _may_be_slash(token: str) -> bool:
    """Whether ``token``, of a pattern without flags, may match a slash or is something that is not known here."""
    if token[0] == "[":
        return _ODD_SET.search(token) is not None or re.match(token, "/") is not None
    if token[0] == "\\":
        return token[1] not in "dws" and (token[1] == "/" or token[1].isalnum())
    return token == "/" or token in ".^$*+?{}[]|()"
