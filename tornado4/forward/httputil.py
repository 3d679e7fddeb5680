"""For `tornado4.httputil`: the limits of form bodies, as Tornado 6.5 lets them be set."""

from __future__ import annotations

import dataclasses

from tornado4.httputil import limits


@dataclasses.dataclass
class ParseUrlEncodedConfig:
    """Of ``application/x-www-form-urlencoded``.

    :arg max_arguments: 1000 by default.
    """

    #: Arguments of one body.
    max_arguments: int = 1000


@dataclasses.dataclass
class ParseMultipartConfig:
    """Of ``multipart/form-data``.

    :arg enabled: False refuses such bodies.
    :arg max_parts: 100 by default.
    :arg max_part_header_size: bytes, 10 KiB by default.
    """

    #: False allows no part.
    enabled: bool = True
    #: Parts of one body.
    max_parts: int = 100
    #: Bytes of one part's own headers.
    max_part_header_size: int = 10240


@dataclasses.dataclass
class ParseBodyConfig:
    """Of both kinds of forms: ``multipart`` and ``urlencoded``."""

    multipart: ParseMultipartConfig = dataclasses.field(default_factory=ParseMultipartConfig)
    urlencoded: ParseUrlEncodedConfig = dataclasses.field(default_factory=ParseUrlEncodedConfig)


def set_parse_body_config(config: ParseBodyConfig) -> None:
    """Set the limits for all requests of the process: those of ``httputil.limits``.

    :arg config: the limits.
    """
    multipart, urlencoded = config.multipart, config.urlencoded
    limits.multipart_parts = multipart.max_parts if multipart.enabled else 0
    limits.multipart_header_size = multipart.max_part_header_size
    limits.form_arguments = urlencoded.max_arguments
