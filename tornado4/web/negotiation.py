"""Which language a browser asks for (RFC 9110, section 12.5.4)."""

from __future__ import annotations


def preferred_languages(header: str) -> list[str]:
    """The codes of an Accept-Language value, best first; equal weights keep their order.

    A weight that is no number counts as 0, as in 4.5.3.
    """
    weighted = [_weigh(part) for part in header.split(",")]
    weighted.sort(key=lambda pair: pair[1], reverse=True)
    return [code for code, _weight in weighted]


def _weigh(part: str) -> tuple[str, float]:
    code, *parameters = part.strip().split(";")
    if not parameters or not parameters[0].startswith("q="):
        return code, 1.0
    try:
        return code, float(parameters[0][2:])
    except (TypeError, ValueError):
        return code, 0.0
