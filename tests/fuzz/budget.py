"""How long the properties are tried: half a second or so each, on the same inputs each time.

``TORNADO4_FUZZ=150`` tries 150 times as many, new ones each time (``nox -s fuzz``).
"""

from __future__ import annotations

import itertools
import os

from hypothesis import HealthCheck, settings

_TIMES = int(os.environ.get("TORNADO4_FUZZ", "1"))


def examples(count: int) -> settings:
    """Settings for a property that is tried ``count`` times in an ordinary run."""
    return settings(
        max_examples=count * _TIMES,
        derandomize=_TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """``data`` in pieces; each place is taken modulo its length."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]
