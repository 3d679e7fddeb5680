"""How much work one message may ask of the parsers.

``tornado4.httputil.limits`` is the one instance that every parser looks at, at the time of the call::

    from tornado4 import httputil
    httputil.limits.multipart_parts = 500

``None`` switches a limit off. Each is checked *before* anything is split, so that what is
refused costs no more than one scan over its bytes.
"""

from __future__ import annotations

import dataclasses

from tornado4 import switches


@dataclasses.dataclass(slots=True)
class ParseLimits:
    """Counts and sizes (bytes) that bound the parsing of queries, bodies and cookies. 4.5.3 had no such bounds."""

    #: Parts of one ``multipart/form-data`` body.
    multipart_parts: int | None = 100
    #: Bytes of one part's own header block.
    multipart_header_size: int | None = 10 * 1024
    #: Arguments of one ``application/x-www-form-urlencoded`` body.
    form_arguments: int | None = 1000
    #: Arguments of one query.
    query_arguments: int | None = 1000
    #: Cookies of one ``Cookie`` header; those behind it are left out.
    cookies: int | None = 1000


limits = ParseLimits()


def _lift() -> None:
    for field in dataclasses.fields(limits):
        setattr(limits, field.name, None)


switches.when_allowed("unbounded-forms", _lift)
