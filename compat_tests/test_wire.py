"""One legacy application, the same bytes, two sides: the real Tornado 4.5.3 and tornado4.

Compared: every byte of the answer (but for Date and other passing values), whether the connection was closed,
and the log lines. A difference needs a row in docs/deviations.md, and a row needs its difference.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compat_tests.oracle import TOP
from compat_tests.side import Side, side_by_side, stable
from compat_tests.wire import basic

CASES = [pytest.param(case[1], case[2] if len(case) > 2 else None, id=case[0]) for case in basic.EXCHANGES]


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Side, Side]]:
    with side_by_side("basic") as pair:
        yield pair


def answer_of(side: Side, data: bytes) -> dict[str, object]:
    answer = side.exchange(data)
    # The last field of an access line is how long the request took.
    log = [[*line[:2], str(line[2]).rsplit(" ", 1)[0] if line[0] == "tornado.access" else line[2], line[3]]
           for line in answer.log]
    return {"bytes": stable(answer.data), "closed": answer.closed, "log": log}


@pytest.mark.parametrize(("data", "row"), CASES)
def test_the_same_bytes_get_the_same_answer(sides: tuple[Side, Side], data: bytes, row: str | None) -> None:
    real, ours = (answer_of(side, data) for side in sides)
    if row is None:
        assert ours == real
    else:
        assert ours != real, f"{row} is listed, and both sides answer alike"
        assert f"| {row} |" in (TOP / "docs" / "deviations.md").read_text("utf-8")
