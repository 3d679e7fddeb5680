"""For `tornado4.httputil`: the limits of form bodies, as Tornado 6.5 lets them be set."""

from __future__ import annotations

import dataclasses

from tornado4.httputil import limits


@dataclasses.dataclass
class ParseMultipartConfig:
    """Of ``multipart/form-data``: parts, and bytes of one part's headers. ``enabled=False`` allows no part."""

    enabled: bool = True
    max_parts: int = 100
    max_part_header_size: int = 10 * 1024


@dataclasses.dataclass
class ParseUrlEncodedConfig:
    """Of ``application/x-www-form-urlencoded``: arguments."""

    max_arguments: int = 1000


@dataclasses.dataclass
class ParseBodyConfig:
    """Both kinds of forms."""

    multipart: ParseMultipartConfig = dataclasses.field(default_factory=ParseMultipartConfig)
    urlencoded: ParseUrlEncodedConfig = dataclasses.field(default_factory=ParseUrlEncodedConfig)


def set_parse_body_config(config: ParseBodyConfig) -> None:
    """Set the limits for all requests of the process: those of `httputil.limits`."""
    multipart, urlencoded = config.multipart, config.urlencoded
    limits.multipart_parts = multipart.max_parts if multipart.enabled else 0
    limits.multipart_header_size = multipart.max_part_header_size
    limits.form_arguments = urlencoded.max_arguments
