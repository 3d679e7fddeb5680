"""tornado4.migrate.diff: one scenario under both sides. The old side is a real Tornado 4.5.3, where it can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat_tests.oracle import Oracle, OracleUnavailable, oracle
from tornado4.migrate import diff
from tornado4.migrate.diff import Scenario, Transcript, scenario_of
from tornado4.migrate.diff.scenarios import recorded


@pytest.fixture(scope="module")
def old() -> Oracle:
    try:
        return oracle()
    except OracleUnavailable as e:
        pytest.skip(str(e))


def on_tornado4(source: str, seconds: float = 20.0) -> list[str]:
    return recorded([Scenario("s", "source", source)], None, seconds)[0]


def test_what_is_recorded_logged_and_raised_stands_in_order() -> None:
    steps = on_tornado4(
        "import logging\nfrom tornado import ioloop\n"
        "record('one', 2, b'x', None)\n"
        "logging.getLogger('tornado.general').warning('line %d', 5)\n"
        "ioloop.IOLoop.current().run_sync(lambda: None)\n"
        "raise KeyError('end')\n"
    )
    assert steps == ["record 'one', 2, b'x', None", "log tornado.general WARNING line 5", "raised KeyError: 'end'"]


def test_values_are_told_without_addresses_and_under_the_old_name() -> None:
    steps = on_tornado4(
        "import collections\nfrom tornado import gen, concurrent\n"
        "class Mine: pass\n"
        "record(concurrent.Future(), Mine(), gen.Return, gen.BadYieldError('b'), {3, 1}, (1,), [Mine()],\n"
        "       collections.OrderedDict(a=1), gen.Arguments((), {}))\n"
    )
    assert steps == [
        (
            "record <tornado.concurrent.Future>, <Mine>, <class tornado.gen.Return>, tornado.gen.BadYieldError: b, "
            "set(1, 3), (1,), [<Mine>], OrderedDict{'a': 1}, Arguments(args=(), kwargs={})"
        )
    ]


def test_what_a_scenario_prints_is_not_taken_for_a_step() -> None:
    assert on_tornado4("print('{}')\nrecord(1)") == ["record 1"]


def test_a_scenario_that_does_not_end_or_ends_the_process_costs_the_next_nothing() -> None:
    scenarios = [
        Scenario("endless", "source", "record('in')\nwhile True: pass"),
        Scenario("exits", "source", "import os\nos._exit(3)"),
        Scenario("fine", "source", "record('fine')"),
    ]
    endless, exits, fine = recorded(scenarios, None, seconds=5.0)
    assert endless[0] == "record 'in'" and endless[1].startswith("did not end\n") and "in <module>" in endless[1]
    assert exits[0].startswith("did not end")
    assert fine == ["record 'fine'"]


def test_each_scenario_has_a_fresh_loop_and_no_context() -> None:
    first = (
        "from tornado import ioloop, stack_context\n"
        "stack_context.ExceptionStackContext(lambda *a: None).__enter__()\n"
        "ioloop.IOLoop.current().add_callback(record, 'left over')\nrecord(1)"
    )
    second = (
        "from tornado import ioloop, stack_context\nloop = ioloop.IOLoop.current()\n"
        "record(len(stack_context._state.contexts[0]))\nloop.call_later(0.01, loop.stop)\nloop.start()"
    )
    done = recorded([Scenario("a", "source", first), Scenario("b", "source", second)], None)
    assert done == [["record 1"], ["record 0"]]


def test_a_scenario_may_be_text_a_file_or_a_function(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("def one(record):\n    record(1)\n")
    assert scenario_of("record(1)\n").kind == "source"
    assert scenario_of("record(1)").kind == "source"
    assert scenario_of(file) == Scenario("some", "file", str(file), None)
    assert scenario_of(f"{file}:one") == Scenario("one", "file", str(file), "one")
    assert scenario_of("email.utils:one") == Scenario("one", "module", "email.utils", "one")
    assert scenario_of(on_tornado4) == Scenario("on_tornado4", "file", __file__, "on_tornado4")


@pytest.mark.parametrize("given", ["/nowhere.py", "/nowhere.py:one", "no_such_module:one", lambda record: None])
def test_what_is_no_scenario_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"no file|no module|not reachable"):
        scenario_of(given)  # type: ignore[arg-type]


def test_a_function_of_a_module_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_scenarios.py").write_text("def one(record):\n    record(__name__)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert recorded([scenario_of("my_scenarios:one")], None) == [["record 'my_scenarios'"]]


def test_both_sides_agree_on_what_is_the_same(old: Oracle) -> None:
    result = diff.transcript(
        "from tornado import gen, ioloop\n"
        "@gen.coroutine\ndef main():\n    record('before')\n    yield gen.moment\n    record('after')\n"
        "ioloop.IOLoop.current().run_sync(main)\n",
        old,
    )
    assert result.same and result.old == ["record 'before'", "record 'after'"]
    assert result.report() == ""


def test_a_difference_is_shown_as_one(old: Oracle) -> None:
    result = diff.transcript("import sys\nrecord('same')\nrecord('tornado4.util' in sys.modules)\n", old)
    assert not result.same
    report = result.report().splitlines()
    assert report[:2] == ["--- tornado 4.5.3", "+++ tornado4"]
    assert "-record False" in report and "+record True" in report


def test_neither_ends_is_the_same() -> None:
    assert Transcript("n", "o", ["record 1", "did not end\nhere"], ["record 1", "did not end\nthere"]).same
