"""Texts as tokens: which pieces vary from one run to the next, of what kind they are, and what stands around them.

Of two texts that one program gave for the same request, :func:`covers` learns a pattern: what is equal must stay, and
each piece that varies may only be replaced by one of its kind (digits, hex, a uuid, base64, a time, ...) and of its
class of length. Nothing is known here of places, headers or rules.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d\d:\d\d:\d\d"
# Whole readings of a clock: their fields do not vary one by one.
_TIMES = (
    rf"{_DAY}, \d\d {_MONTH} \d{{4}} {_CLOCK}",
    rf"{_DAY}, \d\d-{_MONTH}-\d{{4}} {_CLOCK}",
    rf"{_DAY} {_MONTH} [ \d]\d {_CLOCK} \d{{4}}",
    rf"\d\d/{_MONTH}/\d{{4}}:{_CLOCK}",
    rf"\d{{4}}-\d\d-\d\dT{_CLOCK}(?:[.,]\d+)?",
    rf"\d{{4}}-\d\d-\d\d {_CLOCK}(?:[.,]\d+)?",
    rf"{_CLOCK}(?:[.,]\d+)?",
    r"\d{4}-\d\d-\d\d",
)
_UUID_LOW = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID_HIGH = "[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_OPAQUE = r"[A-Za-z0-9+/_-]{16,}={0,2}"
_EDGES = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9])"
_TOKEN = re.compile(
    "|".join(
        [
            *(_EDGES.format(one) for one in (*_TIMES, _UUID_LOW, _UUID_HIGH)),
            r"(?<![A-Za-z0-9+/_-])" + _OPAQUE,
            _EDGES.format(_NUMBER),
            r"[^\W_]+",
            r"\s+",
            ".",
        ]
    ),
    re.DOTALL,
)
_FINE = re.compile(r"[A-Za-z0-9]+|.", re.DOTALL)

# What a varying piece can be, the narrowest first. What has a fixed form says its own length.
_FORMS = tuple(re.compile(one) for one in (*_TIMES, _UUID_LOW, _UUID_HIGH, r"-?\d+\.\d+(?:[eE][+-]?\d+)?"))
_ALPHABETS = (
    "[0-9]",
    "[0-9a-f]",
    "[0-9A-F]",
    "[a-z]",
    "[A-Z]",
    "[0-9a-z]",
    "[0-9A-Z]",
    "[A-Za-z]",
    "[A-Za-z0-9]",
    "[A-Za-z0-9_-]",
    "[A-Za-z0-9+/]",
    "[A-Za-z0-9_.~-]|%[0-9A-F]{2}",
)
_MIXED, _ANY_BASE64, _LONG = ("[A-Za-z]", "[A-Za-z0-9]"), "[A-Za-z0-9+/_-]", 10
_FLAGS = (frozenset({"true", "false"}), frozenset({"True", "False"}))
_SIGNED = re.compile(r"-?\d+")
_MOST_TOKENS = 4000  # of a text, beyond which tokens are paired by number: alignment costs their square
_SHORT, _LONG_WORD = 8, 3


def split(text: str) -> list[str]:
    """The tokens of a text: times, uuids, long random values, numbers, words, white space, single characters."""
    return _TOKEN.findall(text)


def covers(old: str, again: str, new: str) -> bool:
    """Whether ``new`` differs from ``old`` only in pieces in which ``again`` does too, and each keeps its kind."""
    if new in (old, again):
        return True
    if old == again:
        return False
    if _permuted(old, again, new):
        return True
    pairs = _pieces(old, again)
    pieces = [(one, None if one == other else kind(one, other) or _loose(one, other)) for one, other in pairs]
    return _follows(pieces, new) or _pattern(pieces).fullmatch(new) is not None


def alike(old: str, new: str) -> bool:
    """Whether two texts could be two values of one thing: each piece that differs has the kind of its counterpart."""
    return all(_known(one, other) for one, other in _pieces(old, new) if one != other)


def _known(one: str, other: str) -> bool:
    known = kind(one, one)
    return known is not None and re.fullmatch(known, other) is not None


#: (a text, the expression that takes its place; None: the text is stable)
_Piece = tuple[str, str | None]


def _follows(pieces: Iterable[_Piece], text: str) -> bool:
    """Whether the pieces follow each other in a text, each as long as it can be: no whole pattern is made for that."""
    at = 0
    for literal, expression in pieces:
        if expression is None:
            if not text.startswith(literal, at):
                return False
            at += len(literal)
        elif (found := _compiled(expression).match(text, at)) is not None:
            at = found.end()
        else:
            return False
    return at == len(text)


def _pattern(pieces: Iterable[_Piece]) -> re.Pattern[str]:
    return re.compile("".join(expression or re.escape(text) for text, expression in pieces), re.DOTALL)


@functools.lru_cache(512)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _pieces(old: str, again: str) -> Iterator[tuple[str, str]]:
    """Pairs of texts, which joined give both: equal ones are stable, others vary."""
    one, other = split(old), split(again)
    for tag, first, last, start, end in opcodes(one, other):
        if tag == "equal":
            yield "".join(one[first:last]), "".join(one[first:last])
        elif last - first == end - start:
            for before, after in zip(one[first:last], other[start:end], strict=True):
                yield from _within(before, after)
        else:
            yield from _within("".join(one[first:last]), "".join(other[start:end]))


def _within(old: str, again: str) -> Iterator[tuple[str, str]]:
    """A long random value may have swallowed words beside it ("/items/Ab3..."); they stay what they are."""
    if old == again:
        yield old, again
        return
    if any(form.fullmatch(text) for form in _FORMS for text in (old, again)):
        yield old, again
        return
    one, other = _FINE.findall(old), _FINE.findall(again)
    if len(one) < 2 or len(other) < 2:
        yield old, again
        return
    layouts = [[len(word) if word.isalnum() else word for word in words] for words in (one, other)]
    if layouts[0] == layouts[1] and any(a == b and a.isalnum() for a, b in zip(one, other, strict=True)):
        yield from _by_segment(one, other)
        return
    before, after = 0, 0  # how much of either is told
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for at, start, size in (_trimmed(one, other, *block) for block in matcher.get_matching_blocks()):
        at_end = at == start == 0 or (at + size, start + size) == (len(one), len(other))
        # One letter and a sign are too little: chance makes such ends of base64 equal.
        edge = size > 1 and at_end and any(len(w) > 1 or w == "/" or w.isdigit() for w in one[at : at + size])
        if size and not edge and not any(len(word) >= _LONG_WORD for word in one[at : at + size]):
            continue
        if (at, start) != (before, after):
            yield "".join(one[before:at]), "".join(other[after:start])
        if size:
            yield ("".join(one[at : at + size]),) * 2
        before, after = at + size, start + size


def _by_segment(one: list[str], other: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of tokens; but of a path's segment in which no word is stable, a value of base64 is one, signs and all."""
    slashes = [-1, *(at for at, token in enumerate(one) if token == "/"), len(one)]
    for before, after in itertools.pairwise(slashes):
        pairs = list(zip(one[before + 1 : after], other[before + 1 : after], strict=True))
        whole = "".join(a for a, _ in pairs), "".join(b for _, b in pairs)
        stable = any(a == b and a.isalnum() for a, b in pairs)
        mixed = all(re.search("[a-z]", text) and re.search("[A-Z]", text) for text in whole)
        yield from [whole] if mixed and not stable else pairs
        if after < len(one):
            yield "/", "/"


def _trimmed(one: list[str], other: list[str], at: int, start: int, size: int) -> tuple[int, int, int]:
    """A matching block without what chance made equal: signs of base64 beside a slash are no part of the path."""
    block = one[at : at + size]
    if at == start == 0 and size < len(one):
        for length in (2, 1):
            if size > length and block[-length - 1] == "/" and block[-1] in "-_+" and len(block[-length]) == 1:
                return at, start, size - length
    elif (at + size, start + size) == (len(one), len(other)):
        for length in (2, 1):
            if size > length and block[length] == "/" and block[0] in "-_+" and len(block[length - 1]) == 1:
                return at + length, start + length, size - length
    return at, start, size


def opcodes(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """As difflib has them; by number only, where alignment would cost too much."""
    if max(len(one), len(other)) > _MOST_TOKENS:
        common = min(len(one), len(other))
        yield from (("equal" if one[i] == other[i] else "replace", i, i + 1, i, i + 1) for i in range(common))
        if len(one) != len(other):
            yield "replace", common, len(one), common, len(other)
        return
    if len(one) == len(other) and _same_layout(one, other):
        # By far the most common, and cheap: each token stands against its counterpart.
        yield from (("equal" if one[i] == other[i] else "replace", i, i + 1, i, i + 1) for i in range(len(one)))
        return
    yield from difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _same_layout(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether tokens that differ have one length, and are words with a digit or long ones: not two texts by chance."""
    return all(
        a == b or (len(a) == len(b) and (len(a) >= _SHORT or shape(a) == shape(b)))
        for a, b in zip(one, other, strict=True)
    )


@functools.lru_cache(2048)
def kind(one: str, other: str) -> str | None:
    """The regular expression of the narrowest kind that two values have in common; None: none is known."""
    if not one or not other:
        return None
    for values in _FLAGS:
        if one in values and other in values:
            return f"(?:{'|'.join(sorted(values))})"
    for form in _FORMS:
        if form.fullmatch(one) and form.fullmatch(other):
            return f"(?:{form.pattern})"
    for alphabet in _ALPHABETS:
        plain = _compiled(f"(?:{alphabet})+=*")
        if plain.fullmatch(one) and plain.fullmatch(other):
            padding = sorted(len(text) - len(text.rstrip("=")) for text in (one, other))
            # Long and of mixed case: base64 in which chance has left out the two other characters.
            wide = _ANY_BASE64 if alphabet in _MIXED and min(len(one), len(other)) >= _LONG else alphabet
            length = _length(alphabet, one.rstrip("="), other.rstrip("="))
            return f"(?:{wide}){length}={{{padding[0]},{padding[1]}}}"
    if _SIGNED.fullmatch(one) and _SIGNED.fullmatch(other):
        return rf"-?\d{{1,{max(len(one), len(other), _SHORT)}}}"
    return None


def _length(alphabet: str, one: str, other: str) -> str:
    shortest, longest = sorted((len(one), len(other)))
    if "%" in alphabet:
        return f"{{{shortest // 3},{longest * 3}}}"
    if alphabet == "[0-9]" and longest < _SHORT:
        return f"{{1,{_SHORT - 1}}}"  # a count; longer numbers are times and ids
    if alphabet == "[0-9]":
        # Of random numbers one in ten has a digit less, one in a thousand three: written, they have no leading zeros.
        return f"{{{max(1, shortest - 3)},{longest + 1}}}"
    if shortest == longest:
        return f"{{{shortest}}}"
    slack = longest - shortest + 1
    return f"{{{max(1, shortest - slack)},{longest + slack}}}"


def _loose(one: str, other: str) -> str:
    """Of no kind that has a name: the classes of characters of both, and up to twice their length."""
    seen = one + other
    classes = "".join(
        spelled
        for spelled, there in (
            ("a-z", re.search("[a-z]", seen)),
            ("A-Z", re.search("[A-Z]", seen)),
            ("0-9", re.search("[0-9]", seen)),
        )
        if there
    )
    others = "".join(re.escape(char) for char in sorted(set(re.sub("[A-Za-z0-9]", "", seen))))
    shortest = min(len(one), len(other)) // 2
    return f"[{classes}{others}]{{{shortest},{2 * max(len(one), len(other))}}}"


# -- Orders ------------------------------------------------------------------------------------------------


def _permuted(old: str, again: str, new: str) -> bool:
    """Whether all that varies is the order of the items of one list, in whose span all else stays."""
    for separator in ("\n", ", ", "; ", ",", ";", "&", " "):
        lists = [text.split(separator) for text in (old, again, new)]
        if len({len(one) for one in lists}) == 1 and in_another_order(*lists):
            return True
    return False


def in_another_order(old: Sequence[str], again: Sequence[str], new: Sequence[str]) -> bool:
    """Whether old and again have the same items in another order, and new has them as well.

    Items before and after those that moved must stay, unless they look like them: chance may have left them there.
    """
    span = moved(old, again)
    if span is None or len(new) != len(old):
        return False
    first, last = span
    same_around = list(old[:first]) == list(new[:first]) and list(old[last:]) == list(new[last:])
    return same_around and sorted(old[first:last]) == sorted(new[first:last])


def moved(old: Sequence[str], again: Sequence[str]) -> tuple[int, int] | None:
    """The span of items that stand in another order; None: they do not, or others are there."""
    if old == again or len(old) != len(again) or sorted(old) != sorted(again):
        return None
    places = [at for at, (one, other) in enumerate(zip(old, again, strict=True)) if one != other]
    first, last = places[0], places[-1] + 1
    shapes = {_opening(old[at]) for at in places}
    while first > 0 and _opening(old[first - 1]) in shapes:
        first -= 1
    while last < len(old) and _opening(old[last]) in shapes:
        last += 1
    return first, last


def _opening(item: str) -> str:
    """How an item begins: what two of one list have in common."""
    found = re.match(r"\s*(?:<\w+|[^\w\s]?)", item)
    return f"{found[0] if found else ''}{len(split(item))}"


@functools.lru_cache(maxsize=4096)  # the lines of a page come again with each answer
def shape(text: str) -> str:
    """A text without what usually varies (anything with a digit in it), to pair lines and records by."""
    return _VARIES.sub("#", text)


_VARIES = re.compile(r"[A-Za-z0-9]*\d[A-Za-z0-9_=-]*")
