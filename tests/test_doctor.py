"""`tornado4 doctor`: what it finds, as text and as JSON, and that it shares what it knows with `tornado4 security`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from programs import environment

from tornado4.migrate.doctor import command, findings
from tornado4.migrate.doctor.findings import Finding


def doctor(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tornado4", "doctor", *args]
    return subprocess.run(argv, cwd=cwd, env=environment() | env, capture_output=True, text=True, timeout=300)


def found(*args: str, cwd: Path, **env: str) -> dict[str, list[dict[str, Any]]]:
    done = doctor("--json", *args, cwd=cwd, **env)
    assert done.returncode in (0, 1), done.stderr
    by_name: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(done.stdout)["findings"]:
        by_name.setdefault(finding["name"], []).append(finding)
    return by_name


def test_it_names_what_there_is(tmp_path: Path) -> None:
    done = doctor(cwd=tmp_path)
    names = [line[2:17].strip() for line in done.stdout.splitlines()]
    wanted = ["python", "system", "tornado4", "loop", "uvloop", "alias", "startup file", "tornado beside", "backfill"]
    assert [name for name in dict.fromkeys(names) if name in wanted] == wanted
    assert {"flags", "switches", "security"} <= set(names)
    assert done.returncode == int(any(line.startswith("!") for line in done.stdout.splitlines()))


def test_a_switch_that_weakens_is_a_warning_here_and_in_tornado4_security(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.tornado4]\nallow = ["missing-host"]\n')
    from tornado4.migrate.security.table import listing

    weakening = next(name for entry in listing().entries.values() for name in entry.switches)
    done = doctor(cwd=tmp_path, TORNADO4_ALLOW=weakening)
    assert done.returncode == 1
    (said,) = [line for line in done.stdout.splitlines() if line.startswith(f"! security        {weakening} is set in")]
    argv = [sys.executable, "-m", "tornado4", "security"]
    env = environment() | {"TORNADO4_ALLOW": weakening}
    other = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert other.returncode == 1
    assert said[18:].split(" (")[0] in other.stderr
    here = json.loads(doctor("--json", cwd=tmp_path, TORNADO4_ALLOW=weakening).stdout)["security"]
    done = subprocess.run([*argv, "--json"], cwd=tmp_path, env=env, capture_output=True, timeout=300)
    there = json.loads(done.stdout)
    assert here == there


def test_an_alias_that_nobody_obeys_is_a_warning(tmp_path: Path) -> None:
    finding = found(cwd=tmp_path, TORNADO4_ALIAS="1")
    if finding["startup file"][0]["value"] == "none":
        assert finding["startup file"][0]["level"] == "warning"
    assert "asked for, for all" in finding["alias"][0]["value"]


def test_a_tornado_beside_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "tornado-6.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tornado\nVersion: 6.5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = findings._real_tornado()
    assert finding.value == f"6.5 in {tmp_path}" and finding.level == "note"


def test_agents_and_whether_they_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("newrelic", "ddtrace", "sentry-sdk"):
        info = tmp_path / f"{name.replace('-', '_')}-99.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 99\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(findings, "_SDKS", {"sentry-sdk": "tornado4.hooks.nosuch"})
    by_value = {finding.value.partition(":")[0]: finding for finding in findings.agents()}
    assert by_value["newrelic 99"].level == "warning" and "records nothing" in by_value["newrelic 99"].value
    assert by_value["ddtrace 99"].level == "ok"
    broken = by_value["tornado4.hooks.nosuch"]
    assert broken.level == "warning" and "ModuleNotFoundError" in broken.value


def test_few_descriptors_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    (finding,) = findings.limits()
    assert (finding.level, finding.value) == ("note", "1024, up to no limit")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65536, 65536))
    assert [each.level for each in findings.limits()] == ["ok"]


def test_what_an_application_has_used(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tornado4]\nalias = true\nbackfill = true\n")
    (tmp_path / "app.py").write_text(
        "import collections\nimport tornado.web\ncollections.Mapping\napplication = tornado.web.Application()\n"
    )
    finding = found("app:application", cwd=tmp_path)
    assert finding["application"][0]["value"] == "app:application: tornado4.web.Application"
    assert finding["backfill used"][0]["value"] == f"collections.Mapping ({tmp_path / 'app.py'}:3)"


@pytest.mark.parametrize("source, says", [("1 / 0", "does not start: ZeroDivisionError"), ("", "has no 'application'")])
def test_an_application_that_does_not_start_is_a_warning(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "app.py").write_text(source)
    done = doctor("app:application", cwd=tmp_path)
    assert done.returncode == 1 and says in done.stdout


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tornado4]\nnosuch = 1\n")
    done = doctor(cwd=tmp_path)
    assert done.returncode == 2 and "no key 'nosuch'" in done.stderr and "Traceback" not in done.stderr


def test_a_line() -> None:
    assert command.line(Finding("a", "b", "note", "c")) == "* a               b (c)"
