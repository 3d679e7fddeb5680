"""The measure of ``compat_tests.fixes.people``: which functions count, and what is equal."""

from __future__ import annotations

import textwrap

import pytest

from compat_tests.fixes.people import judged

BEFORE = """\
    class Handler:
        @gen.coroutine
        def get(self):
            loop = IOLoop.instance()
            yield gen.Task(loop.add_timeout, loop.time() + 1)  # a second
            raise gen.Return((yield self.ask()))
"""
AFTER = """\
    class Handler:
        async def get(self):
            await asyncio.sleep(1)
            return await self.ask()
"""


@pytest.mark.parametrize(
    ("people", "ours", "verdict"),
    [
        (AFTER, AFTER.replace("asyncio", "gen"), "equal"),
        (AFTER, BEFORE, "unlike"),
        (AFTER.replace("self.ask()", "self.tell()"), AFTER, "more changed"),
        (AFTER.replace("await self.ask()", "self.ask()"), AFTER, "more changed"),
    ],
)
def test_a_function_of_people(people, ours, verdict):
    texts = [textwrap.dedent(each) for each in (BEFORE, people, ours)]
    assert list(judged(*texts)) == [("Handler.get", verdict)]


def test_a_callback_that_became_the_result():
    before = "@gen.engine\ndef f(x, callback):\n    yield g(x)\n    if callback:\n        callback(x)\n"
    after = "@gen.coroutine\ndef f(x):\n    yield g(x)\n    raise gen.Return(x)\n"
    assert list(judged(before, after, after)) == [("f", "equal")]


def test_what_is_as_it_was_is_not_counted():
    same = "def f():\n    return 1  # one\n"
    assert list(judged(same, "def f():\n    return 1\n", same)) == []
