"""``tornado4 fix``: lines that a rewrite has made too long."""

from __future__ import annotations

import pytest

pytest.importorskip("libcst")

from tornado4.migrate.fix.wrapping import wrapped

SHORT = f"x = {'1' * 70}\n"
TINY = "x = 1\n"
LONG = f"# {'x' * 200}\n"


@pytest.mark.parametrize(
    ("before", "line", "expected"),
    [
        (SHORT, f"ffffff({'a' * 74})\n", f"ffffff(\n    {'a' * 74}\n)\n"),
        (TINY, f"f({'a' * 92})\n", f"f({'a' * 92})\n"),
        (TINY, f"fffffff({'a' * 93})\n", f"fffffff(\n    {'a' * 93}\n)\n"),
        (LONG, f"f({'a' * 117})\n", f"f({'a' * 117})\n"),
        (LONG, f"f({'a' * 118})\n", f"f({'a' * 118})\n"),  # it would not become short enough
        (
            SHORT,
            f"if x:\n    y = z(1)(g({'a' * 40}, {'b' * 40}), c=[1, 2])  # why\n",
            f"if x:\n    y = z(1)(g(\n        {'a' * 40},\n        {'b' * 40},\n    ), c=[1, 2])  # why\n",
        ),
        (
            SHORT,
            f"f({'a' * 40}, (b, {'c' * 30}), *d, **e)\n",
            f"f(\n    {'a' * 40},\n    (b, {'c' * 30}),\n    *d,\n    **e,\n)\n",
        ),
        (
            SHORT,
            f'x = "{"é" * 30}" + f({"a" * 30}, lambda b, c: d)\n',
            f'x = "{"é" * 30}" + f(\n    {"a" * 30}, lambda b, c: d\n)\n',
        ),
        (SHORT, f"if x:\n\tff = gg({'a' * 60}, b)\n", f"if x:\n\tff = gg(\n\t\t{'a' * 60}, b\n\t)\n"),
        (SHORT, f"{'a' * 90} = 1\n", f"{'a' * 90} = 1\n"),
        (SHORT, f"f({'a' * 60}, b)  # noqa: TND203\n", f"f({'a' * 60}, b)  # noqa: TND203\n"),
        (SHORT, f'"""\nf({"a" * 77})\n"""\n', f'"""\nf({"a" * 77})\n"""\n'),
    ],
)
def test_a_new_line_that_is_too_long(before, line, expected):
    assert wrapped(before, before + line) == before + expected


def test_what_was_there_stays():
    line = f"f({'a' * 130})\n"
    assert wrapped(line, line + SHORT) == line + SHORT
