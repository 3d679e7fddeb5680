"""docs/deviations.md: one row for each thing that differs, and a test behind each row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tornado4 import concurrent, gen

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/deviations.md").read_text("utf-8")
COMPAT = ROOT / "compat_tests"

#: How an id is spelled: WIRE-400, WIRE-1.0-END, PY3.
ID = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9.]+)*"


def rows_of(page: str) -> list[list[str]]:
    """The cells of each row of the first table."""
    table = page.split("\n## ")[0]
    lines = [line for line in table.splitlines() if re.match(rf"\| {ID} \|", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


ROWS = rows_of(PAGE)
IDS = {row[0] for row in ROWS}


def functions_of(path: Path) -> set[str]:
    """The names of all test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {function.name for function in functions if function.name.startswith("test_")}


def ids_in_use() -> dict[str, Path]:
    """The ids that the compatibility tests name, and where.

    They stand at the end of a case in ``wire/``, in the ``ROWS`` of a file with cases or scenarios, and
    behind the word "deviates" in ``expected/``.
    """
    found = {}
    for path in [*(COMPAT / "wire").glob("*.py"), *(COMPAT / "transcripts").glob("*.py")]:
        named: list[ast.expr] = []
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 3:
                named.append(node.elts[2])
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                named += node.value.values if ast.unparse(target) == "ROWS" else []
        texts = {node.value for node in named if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        found |= dict.fromkeys(filter(re.compile(ID).fullmatch, texts), path)
    for path in COMPAT.rglob("expected/*.json"):
        found |= dict.fromkeys(re.findall(r'"deviates ([^"]+)"', path.read_text("utf-8")), path)
    return found


def test_the_table_is_read() -> None:
    assert len(ROWS) > 40 and {"WIRE-400", "RELOAD-1", "PRIVATE"} <= IDS
    table = PAGE.split("\n## ")[0]
    assert len(ROWS) == len([line for line in table.splitlines() if line.startswith("| ")]) - 1  # and its head


def test_ids_are_unique() -> None:
    assert sorted(IDS) == sorted(row[0] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_is_whole_and_its_tests_exist(row: list[str]) -> None:
    assert len(row) == 5 and all(row)
    named = re.split(r",\s+", row[4].replace("`", ""))
    for path, _, test in (name.partition("::") for name in named):
        assert (ROOT / path).exists(), path
        assert not test or test in functions_of(ROOT / path), f"{test} is not in {path}"


def test_every_id_that_the_compatibility_tests_name_has_a_row() -> None:
    found = ids_in_use()
    assert {"WIRE-400", "WIRE-HOST", "GEN-GC"} <= found.keys()
    assert not {row: path for row, path in found.items() if row not in IDS}


def test_tests_of_tornados_own_suite_that_deviate_are_on_the_page() -> None:
    """Each row of the second table names an id of the first."""
    table = PAGE.split("## Tornado's own tests that deviate")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    for line in lines:
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert len(cells) == 2 and cells[1] in IDS, line


def test_private_names_that_are_gone() -> None:
    assert not hasattr(gen, "_futures_to_runners")
    assert not hasattr(concurrent, "_TracebackLogger")
    assert not hasattr(concurrent, "_GC_CYCLE_FINALIZERS")
