"""`HTTPHeaders`: field names without case, fields in order, repeated fields kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from tornado4.escape import native_str

_LINE_END = re.compile(r"\r?\n")

#: The white space of RFC 9110 section 5.6.3. ``str.strip()`` alone would also take U+0085, U+00A0 and others,
#: and so change a value between two parties.
OWS = " \t"
_LINE_ENDS = "\r\n"
_BLANKS = OWS + _LINE_ENDS


def normalize_name(name: str) -> str:
    """``Http-Header-Case``: the first letter of each word between hyphens large, all others small."""
    return "-".join([word.capitalize() for word in name.split("-")])


class _NormalizedHeaderCache(dict[str, str]):
    """Field name as sent -> field name as shown, for at most ``size`` names.

    Names that peers make up must not grow memory: when full, the older half is forgotten. The dictionary
    keeps its order of insertion, so that is one slice a few hundred misses, and a hit costs a plain lookup.

    >>> normalized_headers = _NormalizedHeaderCache(10)
    >>> normalized_headers["coNtent-TYPE"]
    'Content-Type'
    """

    #: Longer names are normalised anew each time rather than kept.
    LONGEST = 128

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def __missing__(self, key: str) -> str:
        shown = normalize_name(key)
        if len(key) > self.LONGEST:
            return shown
        if len(self) >= self.size:
            for old in list(self)[: len(self) - self.size // 2]:
                self.pop(old, None)
        self[key] = shown
        return shown


_normalized_headers = _NormalizedHeaderCache(1000)


class HTTPHeaders(MutableMapping[str, str]):
    """Header fields by name; the case of names does not count.

    A name maps to one string; where the field came several times, the values are joined with commas.
    `get_list` and `get_all` give them one by one:

    >>> answer = HTTPHeaders(etag='"1"')
    >>> answer.add("vary", "Accept")
    >>> answer.add("VARY", "Cookie")
    >>> answer["Vary"]
    'Accept,Cookie'
    >>> answer.get_list("vary")
    ['Accept', 'Cookie']
    >>> list(answer.get_all())
    [('Etag', '"1"'), ('Vary', 'Accept'), ('Vary', 'Cookie')]
    """

    # A field is one `str`, or, from the second value on, a list; the joined form of a list is made when
    # asked for. So n repetitions cost n steps, where joining on every `add` would cost n * n.
    _values: dict[str, str | list[str]]
    _last_key: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._values = {}
        if not args and not kwargs:
            return
        if len(args) == 1 and not kwargs and isinstance(args[0], HTTPHeaders):
            for name, value in args[0].get_all():
                self.add(name, value)
        else:
            self.update(*args, **kwargs)

    @classmethod
    def fromkeys(cls, iterable: Iterable[str], value: Any = None) -> HTTPHeaders:
        """Headers of these names, all of one value: what 4.0 and 4.1, whose headers were a `dict`, had.

        :arg iterable: the names.
        """
        return cls((name, value) for name in iterable)

    @classmethod
    def _adopt(cls, values: dict[str, str | list[str]]) -> HTTPHeaders:
        """Make headers around ``values``, whose keys are normalised already. Keeps the dictionary."""
        made = cls.__new__(cls)
        made._values = values
        return made

    # Values by name

    def add(self, name: str, value: str) -> None:
        """Add a value, beside those that the name already has."""
        shown = _normalized_headers[name]
        self._last_key = shown
        values = self._values
        present = values.get(shown)
        if present is None:
            values[shown] = value
        elif type(present) is list:
            present.append(native_str(value))
        else:
            values[shown] = [native_str(present), native_str(value)]  # type: ignore[arg-type]

    def get_list(self, name: str) -> list[str]:
        """All values of ``name``, in order; empty if there are none."""
        present = self._values.get(_normalized_headers[name])
        if present is None:
            return []
        return list(present) if type(present) is list else [present]  # type: ignore[list-item]

    def get_all(self) -> Iterable[tuple[str, str]]:
        """Every ``(name, value)`` pair; a repeated field comes once for each of its values."""
        for name, present in self._values.items():
            if type(present) is list:
                for value in present:
                    yield name, value
            else:
                yield name, present  # type: ignore[misc]

    # Text

    def parse_line(self, line: str) -> None:
        r"""Add the field that ``line`` spells, or continue the last one if it starts with white space.

        Only spaces, tabs and line ends around the value are dropped, and those before a continuation. A line
        without a colon raises `ValueError`, a continuation of nothing `KeyError`, as in 4.5.3. This reads what
        an application has at hand, such as the lines that a ``header_callback`` gets, CRLF included; what
        comes from the network passes the stricter grammar of ``_wire.http1_grammar``.

        >>> request = HTTPHeaders()
        >>> request.parse_line("Accept: */*")
        >>> request.parse_line("  ;q=0.5")
        >>> request["accept"]
        '*/* ;q=0.5'
        """
        if line[0] in _BLANKS:
            self._continue(" " + line.lstrip(_BLANKS).rstrip(_LINE_ENDS))
            return
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("not enough values to unpack (expected 2, got 1)")
        self.add(name, value.strip(_BLANKS))

    def _continue(self, text: str) -> None:
        """Append ``text`` to the value that was added last (obs-fold, RFC 9112 section 5.2)."""
        last = self._last_key
        if last is None:
            raise KeyError(last)
        present = self._values[last]
        # Taken out first: what nobody else holds, CPython makes longer in place. With a copy for each line, the
        # lines of a value would cost the square of their number.
        if type(present) is list:
            value = present.pop()
            value += text
            present.append(value)
        else:
            self._values[last] = ""
            present += text  # type: ignore[operator]
            self._values[last] = present

    @classmethod
    def parse(cls, headers: str) -> HTTPHeaders:
        r"""Read a block of header lines, which end in CRLF or LF.

        >>> list(HTTPHeaders.parse("Age: 7\nAllow: GET\r\n").values())
        ['7', 'GET']
        """
        made = cls()
        for line in _LINE_END.split(headers):
            if line:
                made.parse_line(line)
        return made

    def __str__(self) -> str:
        return "".join([f"{name}: {value}\n" for name, value in self.get_all()])

    __unicode__ = __str__

    # The mapping

    def __setitem__(self, name: str, value: str) -> None:
        self._values[_normalized_headers[name]] = value

    def __getitem__(self, name: str) -> str:
        present = self._values[_normalized_headers[name]]
        return ",".join(present) if type(present) is list else present  # type: ignore[return-value]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name`` (joined with commas, if there are several), or ``default``."""
        present = self._values.get(_normalized_headers[name])
        if present is None:
            return default
        return ",".join(present) if type(present) is list else present

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _normalized_headers[name] in self._values

    def __delitem__(self, name: str) -> None:
        del self._values[_normalized_headers[name]]

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def copy(self) -> HTTPHeaders:
        """A copy that shares nothing with this object."""
        made = HTTPHeaders()
        made._values = {
            name: list(present) if type(present) is list else present
            for name, present in self._values.items()
        }
        return made

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> HTTPHeaders:
        return self.copy()

    # What 4.5.3 kept inside, for those who look; views made on demand.

    @property
    def _dict(self) -> Mapping[str, str]:
        return dict(self)

    @property
    def _as_list(self) -> Mapping[str, list[str]]:
        return {name: self.get_list(name) for name in self._values}
