"""Header values of the form ``value; name=value; name="quoted value"`` (RFC 9110 section 5.6.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def _parseparam(s: str) -> Iterator[str]:
    """Yield the parameters of ``;a=b;c="d;e"``, stripped; nothing if ``s`` does not start with a semicolon.

    A semicolon within quotes parts nothing. Each piece is looked at once, so the time is linear, where 4.5.3
    counted the quotes again from the start at each semicolon.
    """
    if s[:1] != ";":
        return
    held: list[str] = []
    quotes = 0
    for piece in s[1:].split(";"):
        held.append(piece)
        quotes += piece.count('"') - piece.count('\\"')
        if quotes % 2 == 0:
            yield ";".join(held).strip()
            held = []
            quotes = 0
    if held:  # a quote that nobody closes holds all the rest
        yield ";".join(held).strip()


def _parse_header(line: str) -> tuple[str, dict[str, str | None]]:
    r"""Take a header such as Content-Type apart: the main value, and a dictionary of its parameters.

    Names come in lower case; a parameter without ``=`` maps to None. Of a repeated name the last one counts.

    >>> _parse_header('form-data; name="a;b"; size=3; x')
    ('form-data', {'name': 'a;b', 'size': '3', 'x': None})
    """
    parts = _parseparam(";" + line)
    value = next(parts)
    params: dict[str, str | None] = {}
    for part in parts:
        name, equals, text = part.partition("=")
        if equals:
            params[name.strip().lower()] = _unquote(text.strip())
        else:
            params[part] = None
    return value, params


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
    return text


def _encode_header(key: str, pdict: Mapping[str, str | int | None]) -> str:
    """Put a header together again, parameters in the order of their names. Values are not quoted.

    >>> _encode_header("attachment", {"size": 3, "inline": None})
    'attachment; inline; size=3'
    """
    if not pdict:
        return key
    params = [name if value is None else f"{name}={value}" for name, value in sorted(pdict.items())]
    return "; ".join([key, *params])
