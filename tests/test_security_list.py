"""The list of weaknesses: whole, proved, and the same in every file that is made of it."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from programs import ROOT, environment
from test_deviations import IDS

from tornado4.migrate import commands
from tornado4.migrate.security import documents, generate
from tornado4.migrate.security.table import FIXED, KEPT, NOT_AFFECTED, STATUSES, Entry, Peer, listing, peers
from tornado4.switches import SWITCHES

ENTRIES = list(listing().entries.values())
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
#: Switches that weaken nothing: a refusal without an answer is a refusal.
HARMLESS = {"silent-refusals"}


def each(entry: Entry) -> str:
    return entry.id


def names_of_tests(path: Path) -> set[str]:
    """``test_a`` and ``TestB::test_c`` for the test functions of a file."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {prefix + one.name for one in inside if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return {name for name in names if name.rpartition("::")[2].startswith("test_")}


# -- the rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES, ids=each)
def test_a_row_is_whole_and_proved(entry: Entry) -> None:
    assert entry.status in STATUSES
    assert entry.what.endswith(".") and entry.module and entry.fixed_in
    assert bool(entry.why) or entry.status == FIXED
    assert bool(entry.instead) == (entry.status == KEPT)
    assert set(entry.rows) <= IDS
    assert set(entry.switches) <= SWITCHES.keys()
    assert entry.tests, "a row without a test proves nothing"
    for test in entry.tests:
        path, _, name = test.partition("::")
        assert name in names_of_tests(ROOT / path), f"{test} does not exist"


def test_ids_are_unique() -> None:
    ids = [name for entry in ENTRIES for name in entry.ids]
    assert len(ids) == len(set(ids)) and len(ENTRIES) > 80


def test_each_switch_that_weakens_is_in_the_row_that_it_undoes() -> None:
    named = {name for entry in ENTRIES for name in entry.switches}
    assert named == SWITCHES.keys() - HARMLESS
    for entry in ENTRIES:
        if entry.switches:
            assert {SWITCHES[name].row for name in entry.switches} <= set(entry.rows), entry.id


def test_each_row_of_the_deviations_for_security_is_in_the_list() -> None:
    """A weakness that we closed and that the list does not tell of would be news to a scanner."""
    told = {row for entry in ENTRIES for row in entry.rows}
    ours_alone = {
        "SEC-HEADER-NAME",  # what the application itself sends
        "SEC-TLS-NAME",  # a part of SEC-TLS-VERIFY
        "SEC-TLS-CN",
        "SEC-SIGNED",  # a part of SEC-SIGNED-MOVED
    }
    assert {row for row in IDS if row.startswith("SEC-")} - told == ours_alone


def test_every_release_from_5_0_to_6_6_1_that_closed_something_is_there() -> None:
    releases = {entry.fixed_in for entry in ENTRIES if not entry.id.startswith("TORNADO4-")}
    assert releases == {
        "5.0", "5.1", "5.1.1", "6.0", "6.1", "6.2", "6.3.0", "6.3.2", "6.3.3", "6.4.1", "6.4.2", "6.5.0", "6.5.2",
        "6.5.3", "6.5.5", "6.5.6", "6.5.7", "6.5.8", "6.5.9", "6.6.0", "6.6.1", "6.7",
    }  # fmt: skip


@pytest.mark.parametrize("peer", peers(), ids=lambda peer: peer.id)
def test_what_others_closed_is_tried_or_cannot_occur(peer: Peer) -> None:
    assert peer.of and peer.what.endswith(".")
    assert bool(peer.why) != bool(peer.tests)
    for test in peer.tests:
        path, _, name = test.partition("::")
        assert name in names_of_tests(ROOT / path), f"{test} does not exist"


def test_all_of_the_others_are_there() -> None:
    named = {name.strip() for peer in peers() for name in peer.of.split(",")}
    assert named == {"uvicorn", "aiohttp", "werkzeug", "starlette", "websockets", "h11"}
    ids = [name.strip() for peer in peers() for name in peer.id.split(",")]
    assert len(ids) == len(set(ids)) > 60


# -- what is made of them -------------------------------------------------------------------------------------


@pytest.mark.source_tree
@pytest.mark.parametrize("name", generate.files(ROOT))
def test_files_are_what_the_list_says(name: str) -> None:
    made = (ROOT / name).read_text("utf-8")
    assert made == generate.files(ROOT)[name], "run: python -m tornado4.migrate.security.generate"


@pytest.mark.source_tree
def test_the_cyclonedx_file_is_valid() -> None:
    pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib, of the dependency group test, is not installed")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (ROOT / generate.CYCLONEDX).read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    broken = text.replace('"resolved"', '"all well"', 1)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_both_files_say_the_same_of_each_public_id() -> None:
    public = [entry for entry in ENTRIES if entry.is_public]
    bom = documents.cyclonedx(listing(), VERSION)
    vex = documents.openvex(listing(), VERSION)
    states = {FIXED: ("resolved", "fixed"), NOT_AFFECTED: ("not_affected", "not_affected")}
    said = {
        one["id"]: (one["analysis"]["state"], two["status"])
        for one, two in zip(bom["vulnerabilities"], vex["statements"], strict=True)
    }
    assert said == {entry.id: states[entry.status] for entry in public}
    assert bom["metadata"]["component"]["purl"] == f"pkg:pypi/tornado4@{VERSION}"
    assert {one["products"][0]["@id"] for one in vex["statements"]} == {f"pkg:pypi/tornado4@{VERSION}"}


def test_openvex_has_what_its_specification_asks_for() -> None:
    """OpenVEX 0.2.0, under "The VEX document data structures"; its schema is in no package."""
    vex = json.loads((ROOT / ".vex/tornado4.openvex.json").read_text("utf-8"))
    assert vex.keys() >= {"@context", "@id", "author", "timestamp", "version", "statements"}
    for statement in vex["statements"]:
        assert statement["vulnerability"]["name"] and statement["products"][0]["@id"]
        assert statement["status"] in ("not_affected", "affected", "fixed", "under_investigation")
        if statement["status"] == "not_affected":
            assert statement["justification"] == "vulnerable_code_not_present"
        if statement["status"] == "affected":
            assert statement["action_statement"]


def test_what_is_kept_in_spite_of_an_advisory_would_be_told_as_such() -> None:
    entry = Entry(
        id="CVE-1-1", what="x.", module="web", fixed_in="7", status=KEPT, why="y", instead="z",
        tests=("t",), switches=("s",),
    )  # fmt: skip
    of_one = type(listing())("2026-01-01T00:00:00Z", {entry.id: entry})
    (told,) = documents.cyclonedx(of_one, "1")["vulnerabilities"]
    assert told["analysis"]["state"] == "exploitable" and "will_not_fix" in told["analysis"]["response"]
    (stated,) = documents.openvex(of_one, "1")["statements"]
    assert stated["status"] == "affected" and "Instead: z." in stated["action_statement"]


@pytest.mark.source_tree
def test_the_build_puts_it_where_scanners_look(tmp_path: Path) -> None:
    """PEP 770. The metadata of wheels and of editable installations are made alike."""
    # Asked without an import, which fails where an older distutils came first.
    found = [d.version for d in metadata.distributions(name="setuptools")] or ["0"]
    if int(found[0].partition(".")[0]) < 77:
        pytest.skip("the build wants setuptools 77")
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "tornado4", tree / "tornado4", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    code = f"from setuptools import build_meta; build_meta.prepare_metadata_for_build_wheel({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment(), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    (made,) = tmp_path.glob("*.dist-info/sboms/*")
    assert made.name == "tornado4.cdx.json"
    assert made.read_text("utf-8") == (ROOT / generate.CYCLONEDX).read_text("utf-8")


# -- the command ----------------------------------------------------------------------------------------------


def security(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tornado4", "security", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment() | env, capture_output=True, text=True, timeout=300)


def test_the_table_has_a_line_for_each(tmp_path: Path) -> None:
    done = security(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-2]] == [entry.id for entry in ENTRIES]
    counts = ", ".join(f"{sum(entry.status == status for entry in ENTRIES)} {status}" for status in STATUSES)
    assert lines[-1].startswith(counts)


def test_all_of_one_by_any_of_its_ids(tmp_path: Path) -> None:
    done = security("ghsa-hj3f-6gcp-jg8j", cwd=tmp_path)
    assert done.returncode == 0 and "CVE-2023-28370" in done.stdout and "test_sec_no_redirect" in done.stdout
    unknown = security("CVE-1", cwd=tmp_path)
    assert unknown.returncode == 2 and "there is no entry CVE-1" in unknown.stderr


@pytest.mark.parametrize("place", ["TORNADO4_ALLOW", "[tool.tornado4]"])
def test_a_switch_that_weakens_is_exit_code_1(tmp_path: Path, place: str) -> None:
    env = {}
    if place == "TORNADO4_ALLOW":
        env[place] = "silent-refusals,redirect-groups"
    else:
        (tmp_path / "pyproject.toml").write_text('[tool.tornado4]\nallow = ["silent-refusals", "redirect-groups"]\n')
    inside = tmp_path / "inside"
    inside.mkdir()
    done = security(cwd=inside, **env)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert place in line and "redirect-groups" in line and "CVE-2026-116578" in line
    told: dict[str, Any] = json.loads(security("--json", cwd=inside, **env).stdout)
    assert [switch["name"] for switch in told["switches"]] == ["redirect-groups", "silent-refusals"]
    assert told["switches"][0]["brings_back"] == ["CVE-2026-116578", "GHSA-5cjw-f85j-cv6r"]
    assert told["switches"][1]["brings_back"] == [] and len(told["entries"]) == len(ENTRIES)


def test_a_switch_that_weakens_nothing_is_exit_code_0(tmp_path: Path) -> None:
    assert security(cwd=tmp_path, TORNADO4_ALLOW="silent-refusals").returncode == 0


def test_what_is_no_switch_is_exit_code_2(tmp_path: Path) -> None:
    by_variable = security(cwd=tmp_path, TORNADO4_ALLOW="nosuch")
    assert by_variable.returncode == 2 and "no switch 'nosuch'" in by_variable.stderr
    (tmp_path / "pyproject.toml").write_text('[tool.tornado4]\nallow = ["nosuch"]\n')
    by_file = security(cwd=tmp_path)
    assert by_file.returncode == 2 and "no switch 'nosuch'" in by_file.stderr and "[tool.tornado4]" in by_file.stderr


def test_it_is_a_command() -> None:
    assert "security" in [command.name for command in commands.COMMANDS]
