"""Legacy applications, the same bytes, two sides: the real Tornado 4.5.3 and tornado4.

Compared: every byte of the answer (but for Date and other passing values), whether the connection was closed,
and the log lines. A difference needs a row in docs/deviations.md, and a row needs its difference.

``apps/X.py`` is what is served, ``wire/X.py`` what is sent: ``EXCHANGES``, tuples of a name, the bytes (or a list of
steps) and, where the sides differ, the row's id.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterator

import pytest

from compat_tests.oracle import TOP
from compat_tests.side import ServerSide, comparable, side_by_side

#: A cookie in the representation of a request.
_COOKIE = re.compile(r"(HTTPServerRequest\(.*'Cookie': )'[^']*'")


def _mask(text: str) -> str:
    """A log line of 4.5.3's without the cookies that we do not show (SEC-LOG)."""
    return _COOKIE.sub(r"\1'***'", text)


SUITES = ["basic", "features", "limited", "programs", "sockets"]


def every_case() -> Iterator[object]:
    for suite in SUITES:
        for name, sent, *row in importlib.import_module(f"compat_tests.wire.{suite}").EXCHANGES:
            yield pytest.param(suite, sent, row[0] if row else None, id=f"{suite}: {name}")


@pytest.fixture(scope="module")
def sides() -> Iterator[dict[str, tuple[ServerSide, ServerSide]]]:
    """The pairs that have been started so far, by application."""
    with contextlib.ExitStack() as stack:

        class Pairs(dict[str, tuple[ServerSide, ServerSide]]):
            def __missing__(self, app: str) -> tuple[ServerSide, ServerSide]:
                self[app] = stack.enter_context(side_by_side(app))
                return self[app]

        yield Pairs()


@pytest.mark.parametrize(("suite", "sent", "row"), list(every_case()))
def test_the_same_bytes_get_the_same_answer(
    sides: dict[str, tuple[ServerSide, ServerSide]], suite: str, sent: object, row: str | None
) -> None:
    steps = sent if isinstance(sent, list) else [sent]
    real, ours = (comparable(side.exchange(*steps)) for side in sides[suite])
    real["log"] = [[name, level, _mask(text), error] for name, level, text, error in real["log"]]
    if row is None:
        assert ours == real
    else:
        assert ours != real, f"{row} is listed, and both sides answer alike"
        assert f"| {row} |" in (TOP / "docs" / "deviations.md").read_text("utf-8")
