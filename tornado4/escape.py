"""Escaping and unescaping for HTML, JSON and URLs, and conversions between bytes and text.

Nearly everything that enters or leaves a request passes through here, so the functions test the
common case first and leave early.
"""

from __future__ import annotations

import json
import re
import urllib.parse as urllib_parse
from collections.abc import Callable, Collection
from typing import Any, overload
from urllib.parse import quote, quote_plus

from tornado4 import _handed_on
from tornado4._percent import unquote_bytes, unquote_text
from tornado4.util import PY3, basestring_type, bytes_type, u, unicode_type

unichr = chr


def _refuse(value: object) -> TypeError:
    return TypeError(f"Expected bytes, unicode, or None; got {type(value)!r}")


@overload
def utf8(value: str | bytes) -> bytes: ...
@overload
def utf8(value: None) -> None: ...
def utf8(value: str | bytes | None) -> bytes | None:
    """Encode text as UTF-8; bytes and ``None`` are returned as they are.

    :raises TypeError: ``value`` is anything else, a ``bytearray`` for example.
    """
    if isinstance(value, str):
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    raise _refuse(value)


@overload
def to_unicode(value: str | bytes) -> str: ...
@overload
def to_unicode(value: None) -> None: ...
def to_unicode(value: str | bytes | None) -> str | None:
    """Decode UTF-8 bytes; text and ``None`` are returned as they are.

    :raises TypeError: ``value`` is anything else.
    :raises UnicodeDecodeError: the bytes are not UTF-8.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    raise _refuse(value)


# Three names of 4.5.3 that differed on Python 2 only.
_unicode = to_unicode
native_str = to_unicode
to_basestring = to_unicode


# "&" comes first: the replacements bring new ones.
_XHTML_ESCAPE_DICT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def xhtml_escape(value: str | bytes) -> str:
    """Escape ``& < > " '``, so that ``value`` may stand in HTML or XML, attributes included.

    :raises TypeError: for None.
    """
    if type(value) is str:
        text = value
    elif value is None:
        raise TypeError("expected string or bytes-like object, got 'NoneType'")
    else:
        # A subclass may have a `replace` of its own (markupsafe's has): read its characters alone.
        text = str.__str__(to_unicode(value))
    # Unrolled on purpose: five searches in C are quicker than one pass of a regular expression.
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "'" in text:
        text = text.replace("'", "&#39;")
    return text



def _build_unicode_map() -> dict[str, str]:
    names: dict[str, int] = _handed_on.own(globals(), "htmlentitydefs").name2codepoint
    return {name: chr(number) for name, number in names.items()}


_ENTITY_RE = re.compile(r"&(#?)(\w+?);")


def _convert_entity(m: re.Match[str]) -> str:
    body = m[2]
    if not m[1]:
        names: dict[str, str] = _handed_on.own(globals(), "_HTML_UNICODE_MAP")
        return names.get(body, m[0])
    try:
        return chr(int(body[1:], 16) if body[0] in "xX" else int(body))
    except (ValueError, OverflowError):
        return m[0]  # no such character: not an entity, hence plain text


def xhtml_unescape(value: str | bytes) -> str:
    """Undo `xhtml_escape`; HTML 4's named entities and numeric ones are known too.

    What is no valid entity is left alone.

    :arg value: text, or bytes in UTF-8.
    """
    return _ENTITY_RE.sub(_convert_entity, to_unicode(value))


def json_encode(value: Any) -> str:
    r"""Encode ``value`` as JSON that may also stand inside a ``<script>`` element.

    For the latter ``</`` is written ``<\/``, which means the same to a JSON reader. To embed the
    result in other HTML, use `xhtml_escape` on it.
    """
    return json.dumps(value).replace("</", "<\\/")


def json_decode(value: str | bytes) -> Any:
    """Decode JSON text; bytes must be UTF-8.

    :raises ValueError: ``value`` is not valid JSON.
    """
    return json.loads(to_basestring(value))


_BLANKS_RE = re.compile(r"[\x00-\x20]+")


def squeeze(value: str) -> str:
    """Make each run of white space and control characters one space; strip both ends.

    :arg value: text.
    """
    return _BLANKS_RE.sub(" ", value).strip()


def url_escape(value: str | bytes, plus: bool = True) -> str:
    """Percent-encode ``value`` for use in a URL; text is encoded as UTF-8.

    With ``plus`` (the convention of query strings) a space becomes ``+`` and ``/`` is escaped; without
    it a space becomes ``%20`` and ``/`` stays.
    """
    encoder = quote_plus if plus else quote
    return encoder(utf8(value))


@overload
def url_unescape(value: str | bytes, encoding: None, plus: bool = True) -> bytes: ...
@overload
def url_unescape(value: str | bytes, encoding: str = "utf-8", plus: bool = True) -> str: ...
def url_unescape(value: str | bytes, encoding: str | None = "utf-8", plus: bool = True) -> str | bytes:
    """Decode a percent-encoded value of a URL.

    The decoded bytes are returned as text in ``encoding`` (what is invalid in it becomes U+FFFD),
    or as bytes if ``encoding`` is ``None``. With ``plus``, ``+`` stands for a space.
    """
    text = to_unicode(value)
    if plus:
        text = text.replace("+", " ")
    if encoding is None:
        return unquote_bytes(text.encode("utf-8"))
    return unquote_text(text, encoding)


def parse_qs_bytes(
    qs: str | bytes | None,
    keep_blank_values: bool = False,
    strict_parsing: bool = False,
    *,
    max_num_fields: int | None = None,
) -> dict[str, list[bytes]]:
    """Parse a query string (``a=1&b=2``) to a dictionary of lists of *byte* values.

    Names are text, read as Latin-1, in order of their first appearance; values wait for whoever
    knows their encoding. Fields are separated by ``&`` alone. ``qs`` as bytes is read as Latin-1.

    :param keep_blank_values: keep fields without a value (as ``b""``) instead of dropping them.
    :param strict_parsing: a field without ``=`` is an error instead of being ignored.
    :param max_num_fields: most fields that may be there; checked before any is parsed.
    :raises ValueError: a field is malformed and ``strict_parsing`` is set, or there are too many; a value has
        characters beyond Latin-1 (`UnicodeEncodeError`).
    """
    result: dict[str, list[bytes]] = {}
    if not qs:
        return result
    if not isinstance(qs, str):
        qs = qs.decode("latin-1")
    if max_num_fields is not None and qs.count("&") >= max_num_fields:
        raise ValueError("Max number of fields exceeded")
    for field in qs.split("&"):
        name, equals, value = field.partition("=")
        if not equals:
            if strict_parsing:
                raise ValueError(f"bad query field: {field!r}")
            if not field:
                continue
        if not value and not keep_blank_values:
            continue
        name = name.replace("+", " ")
        if "%" in name:
            name = unquote_text(name, "latin-1")
        try:
            raw = value.replace("+", " ").encode("latin-1")
        except UnicodeEncodeError:
            # The error's position is to count what was escaped as one character, as in 4.5.3.
            unquote_text(value, "latin-1").encode("latin-1")
            raise
        if b"%" in raw:
            raw = unquote_bytes(raw)
        if name in result:
            result[name].append(raw)
        else:
            result[name] = [raw]
    return result


def recursive_unicode(obj: Any) -> Any:
    """Decode all byte strings (UTF-8) in dictionaries, lists and tuples, however nested.

    :arg obj: whatever JSON may hold.
    """
    if isinstance(obj, bytes):
        return obj.decode()
    if isinstance(obj, dict):
        return {recursive_unicode(key): recursive_unicode(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        plain = list if isinstance(obj, list) else tuple
        return plain(map(recursive_unicode, obj))
    return obj


# What linkify takes for a URL, in text that xhtml_escape has already seen.
#
# A head: a word and one to three slashes ("http://", "rdar:/"), or "www.". The word is only looked
# for at the start of its run of letters and hyphens, so that "a-a-a-a" is scanned once and not once
# from every hyphen; hyphens in front are no part of it.
# Then blocks: punctuation that is followed by something better, or a pair of parentheses. So a URL never
# ends in a full stop, and has parentheses in pairs only. No repetition can be split in two ways: matching takes
# linear time.
_INNER = r"""[!"#$%'*+,.:;<=>?@\[\]^`{|}~]++|&(?:amp|quot);"""
_FINAL = r"""[^!"#$%&'()*+,.:;<=>?@\[\]^`{|}~\s]"""
_URL = (
    rf"""(?:(?<![\w-])(?P<hyphens>-*+)(?P<protocol>\w[\w-]*+):(?P<slashes>/{{1,3}})|\bwww[.])
         (?:(?:{_INNER})*{_FINAL}++
         |  \((?:[^\s&()]++|&(?:amp|quot);)*\)
         )+"""
)
_SHORT_URL = 30  # characters that `shorten` aims at
_LinkParams = str | Callable[[str], str]


def linkify(
    text: str | bytes,
    shorten: bool = False,
    extra_params: _LinkParams = "",
    require_protocol: bool = False,
    permitted_protocols: Collection[str] = ["http", "https"],
) -> str:
    """Escape plain text for HTML and make the URLs in it links.

    :param shorten: clip long URLs for display; the link's ``title`` then has all of it.
    :param extra_params: attributes for the ``<a>`` elements, or a function that gets the link's
        target and returns them.
    :param require_protocol: link only what names a protocol, not ``www.example.com``.
    :param permitted_protocols: link no others. Never allow ``javascript`` for text of strangers.
    """
    fixed_params = ""
    if extra_params and not callable(extra_params):
        fixed_params = " " + extra_params.strip()

    def make_link(match: re.Match[str]) -> str:
        hyphens, protocol, slashes = match.group("hyphens", "protocol", "slashes")
        if (protocol or require_protocol) and (not protocol or protocol not in permitted_protocols):
            return match[0]
        lead = hyphens or ""
        url = match[0][len(lead) :]
        href = url if protocol else "http://" + url
        params = " " + extra_params(href).strip() if callable(extra_params) else fixed_params
        if shorten:
            clipped = _clip_url(url, len(protocol) + 1 + len(slashes) if protocol else 0)
            if len(clipped) < len(url):
                url = clipped
                params += f' title="{href}"'
        return f'{lead}<a href="{href}"{params}>{url}</a>'

    pattern: re.Pattern[str] = _handed_on.own(globals(), "_URL_RE")
    return pattern.sub(make_link, _unicode(xhtml_escape(text)))


def _clip_url(url: str, host_start: int) -> str:
    """Return a URL's host and the beginning of its path, with dots for the rest.

    The result is the URL itself, or even longer, where there is little to clip.
    """
    if len(url) <= _SHORT_URL:
        return url
    short = url
    host, slash, path = url[host_start:].partition("/")
    if slash:
        # Eight characters of the first directory, but nothing of a query or a file's suffix.
        first = path.partition("/")[0][:8]
        short = url[:host_start] + host + "/" + re.split(r"[?.]", first, maxsplit=1)[0]
    if len(short) > _SHORT_URL * 1.5:
        short = short[:_SHORT_URL]
    if short == url:
        return url
    entity = short.rfind("&")
    if entity > _SHORT_URL - 5:
        short = short[:entity]  # it may have been cut in two
    return short + "..."


__all__ = [
    "PY3",
    "basestring_type",
    "bytes_type",
    "json_decode",
    "json_encode",
    "linkify",
    "native_str",
    "parse_qs_bytes",
    "recursive_unicode",
    "squeeze",
    "to_basestring",
    "to_unicode",
    "u",
    "unichr",
    "unicode_type",
    "url_escape",
    "url_unescape",
    "urllib_parse",
    "utf8",
    "xhtml_escape",
    "xhtml_unescape",
]

# For what few programs do, and long in the making.
_handed_on.complete(
    globals(),
    made={"_HTML_UNICODE_MAP": _build_unicode_map, "_URL_RE": lambda: re.compile(_URL, re.VERBOSE)},
)
