"""Small scenarios in legacy style, run in-process on both sides: the same steps in the same order.

``transcripts/X_scenarios.py`` (a plain ``locale.py`` would hide the standard library's) holds functions that take
``record``; ``ROWS`` there names, by function, the row of docs/deviations.md that explains a difference. A difference
needs its row, and a row its difference. One process a file and side.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from compat_tests.oracle import TOP, oracle
from tornado4.migrate.diff.scenarios import Scenario, Transcript, transcripts

HERE = Path(__file__).resolve().parent / "transcripts"
#: The most that a scenario may take: nobody does, unless it hangs.
SECONDS = 120.0


def on_6() -> Iterator[ParameterSet]:
    """The scenarios of which a file says what Tornado 6 does."""
    for file in sorted(HERE.glob("*_scenarios.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ON_6":
                assert isinstance(node.value, ast.Dict)
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    name = ast.literal_eval(ast.unparse(key)) if key else ""
                    same = isinstance(value, ast.Constant) and value.value is None
                    yield pytest.param(file, name, same, id=f"{file.stem.removesuffix('_scenarios')}: {name}")


def scenarios_of(file: Path) -> tuple[list[Scenario], dict[str, str]]:
    """The scenarios of a file, which is not imported, and its rows by scenario."""
    found, rows = [], {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.args) == "record":
            found.append(Scenario(node.name, "file", str(file), node.name))
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROWS":
            rows = ast.literal_eval(node.value)
    return found, rows


@functools.cache
def results_on_6(file: Path) -> dict[str, Transcript]:
    wanted = {case.values[1] for case in on_6() if case.values[0] == file}
    found = [scenario for scenario in scenarios_of(file)[0] if scenario.name in wanted]
    return {result.name: result for result in transcripts(found, oracle("6.6.1"), seconds=SECONDS)}


@functools.cache
def results(file: Path) -> dict[str, Transcript]:
    return {result.name: result for result in transcripts(scenarios_of(file)[0], oracle(), seconds=SECONDS)}


def every_case() -> list[object]:
    cases = []
    for file in sorted(HERE.glob("*_scenarios.py")):
        scenarios, rows = scenarios_of(file)
        assert rows.keys() <= {scenario.name for scenario in scenarios}
        subject = file.stem.removesuffix("_scenarios")
        cases += [
            pytest.param(file, scenario.name, rows.get(scenario.name), id=f"{subject}: {scenario.name}")
            for scenario in scenarios
        ]
    return cases


@pytest.mark.parametrize(("file", "name", "row"), every_case())
def test_the_same_scenario_takes_the_same_steps(file: Path, name: str, row: str | None) -> None:
    result = results(file)[name]
    assert result.old, "the scenario records nothing"
    if row is None:
        assert result.same, result.report()
    else:
        assert not result.same, f"{row} is listed, and both sides do the same"
        assert f"| {row} |" in (TOP / "docs" / "deviations.md").read_text("utf-8")


@pytest.mark.parametrize(("file", "name", "same"), list(on_6()))
def test_what_tornado_6_does_there(file: Path, name: str, same: bool) -> None:
    result = results_on_6(file)[name]
    assert result.same is same, result.report()
