"""Form bodies: ``application/x-www-form-urlencoded`` and ``multipart/form-data`` (RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from tornado4 import switches
from tornado4._masking import printable
from tornado4._wire.multipart import MultipartError, TooManyParts, split_parts
from tornado4.escape import native_str, parse_qs_bytes, utf8
from tornado4.httputil.errors import refuse
from tornado4.httputil.headers import HTTPHeaders
from tornado4.httputil.limits import limits
from tornado4.httputil.params import _parse_header
from tornado4.log import gen_log
from tornado4.util import ObjectDict


class HTTPFile(ObjectDict):
    """An uploaded file: a dictionary whose items are attributes as well.

    * ``filename``: the name that the client gave it; not to be trusted
    * ``body``: its bytes
    * ``content_type``: what the client says it is, ``application/unknown`` if it does not
    """


_Arguments: TypeAlias = dict[str, list[bytes]]
_Files: TypeAlias = dict[str, list[HTTPFile]]


def parse_body_arguments(
    content_type: str, body: bytes, arguments: _Arguments, files: _Files, headers: Mapping[str, str] | None = None
) -> None:
    """Read a form body into ``arguments`` and ``files``, which are added to.

    Bodies of other types are left alone. As in 4.5.3 a malformed form is a warning in the log and otherwise
    nothing; one that asks for more work than `limits` allows raises `HTTPInputError`, which a server answers
    with 400. ``headers`` are looked at for a Content-Encoding that was not undone.

    :arg content_type: the header's value.
    """
    if headers and "Content-Encoding" in headers:
        gen_log.warning("Unsupported Content-Encoding: %s", printable(headers["Content-Encoding"]))
        return
    if content_type.startswith("application/x-www-form-urlencoded"):
        _parse_urlencoded(body, arguments)
    elif content_type.startswith("multipart/form-data"):
        boundary = _find_boundary(content_type)
        if boundary is None:
            gen_log.warning("Invalid multipart/form-data: %s", "multipart boundary not found")
        else:
            parse_multipart_form_data(boundary, body, arguments, files)


def _parse_urlencoded(body: bytes, arguments: dict[str, list[bytes]]) -> None:
    most = limits.form_arguments
    if most is not None and body.count(b"&") >= most:
        raise refuse(f"too many form arguments {switches.hint('unbounded-forms')}")
    try:
        found: dict[str, list[bytes]] = parse_qs_bytes(native_str(body), keep_blank_values=True)
    except UnicodeError as error:  # not UTF-8, or beyond Latin-1
        gen_log.warning("Invalid x-www-form-urlencoded body: %s", error)
        return
    if not arguments:
        arguments.update(found)
        return
    for name, values in found.items():
        arguments.setdefault(name, []).extend(values)


def _find_boundary(content_type: str) -> bytes | None:
    """The first ``boundary=...`` with a value. Its name counts in lower case only, as in 4.5.3."""
    for field in content_type.split(";"):
        name, _, value = field.strip().partition("=")
        if name == "boundary" and value:
            return utf8(value)
    return None


def parse_multipart_form_data(boundary: bytes, data: bytes, arguments: _Arguments, files: _Files) -> None:
    """Read a ``multipart/form-data`` body into ``arguments`` and ``files``, which are added to.

    Parts that are no good are skipped, with one warning in the log for the last of them; see `parse_body_arguments`
    for the limits.

    :arg boundary: bytes, without the two hyphens.
    """
    if boundary.startswith(b'"') and boundary.endswith(b'"'):
        # RFC 2046 allows the quotes but not within; some clients put them though no character asks for it
        boundary = boundary[1:-1]
    try:
        parts = split_parts(data, boundary, limits.multipart_parts)
    except TooManyParts as error:
        raise refuse(f"multipart/form-data with {error} {switches.hint('unbounded-forms')}") from None
    except MultipartError as error:
        gen_log.warning("Invalid multipart/form-data: %s", error)
        return
    complaint = None
    for head, content, ended in parts:
        # One line a body: as many as there are parts would fill the log.
        # As in 4.5.3, the blank line may be the end of an empty value as well.
        complaint = _read_part(head, content, ended or not content, arguments, files) or complaint
    if complaint:
        gen_log.warning(complaint)


#: What no header of a part may hold: a bare CR is a line end to some readers, and a file name with NUL ends there.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")


def _read_part(
    head: bytes | None, value: bytes, whole: bool, arguments: _Arguments, files: _Files
) -> str | None:
    """Add what a part says; returns what is wrong with one that is skipped."""
    if head is None:
        return "multipart/form-data missing headers"
    most = limits.multipart_header_size
    if most is not None and len(head) > most:
        raise refuse(f"multipart/form-data part header too large {switches.hint('unbounded-forms')}")
    try:
        text = head.decode("utf-8")
        if _CONTROLS.search(text):
            raise ValueError("control character")
        headers = HTTPHeaders.parse(text)
    except (ValueError, KeyError):  # 4.5.3 let these out, and the request died of a traceback
        return "Invalid multipart/form-data: malformed part headers"
    disposition, params = _parse_header(headers.get("Content-Disposition", ""))
    if disposition != "form-data" or not whole:
        return "Invalid multipart/form-data"
    name = params.get("name")
    if not name:
        return "multipart/form-data value missing name"
    if params.get("filename"):
        content_type = headers.get("Content-Type", "application/unknown")
        upload: Any = HTTPFile(filename=params["filename"], body=value, content_type=content_type)
        files.setdefault(name, []).append(upload)
    else:
        arguments.setdefault(name, []).append(value)
    return None
