"""typing_tests/ under the type checkers: user code of the Tornado 4 kind checks, and its mistakes are found."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from programs import ROOT, environment

from tornado4.migrate import stubs

FOLDER = ROOT / "typing_tests"


def check(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a checker that is a module, away from the project's own settings."""
    argv = [sys.executable, "-m", *command]
    env = environment() | {"MYPYPATH": str(ROOT)}
    return subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("file", ["everyday.py", "overrides.py", "legacy_app.py", "mistakes.py"])
def test_mypy_strict_accepts(file: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    # One cache for both: most of the time goes into reading tornado4.
    options = ("--strict", "--python-version", "3.11", "--follow-imports", "silent")
    cache = ROOT / ".mypy_cache" / "typing_tests"
    done = check(tmp_path, "mypy", *options, "--cache-dir", str(cache), str(FOLDER / file))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.source_tree
@pytest.mark.parametrize("file", ["everyday.py", "overrides.py", "legacy_app.py", "mistakes.py"])
def test_pyright_strict_accepts(file: str, tmp_path: Path) -> None:
    # basedpyright brings its node along; pyright downloads one, and may be unable to.
    checker = next((name for name in ("basedpyright", "pyright") if importlib.util.find_spec(name)), None)
    if checker is None:
        pytest.skip("neither basedpyright nor pyright is installed")
    settings = {
        "include": [str(FOLDER / file)],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        # mypy's comments serve pyright, too; it has no word on whether one is needed.
        "enableTypeIgnoreComments": True,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = check(tmp_path, checker, "-p", str(tmp_path), "--outputjson")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        if checker == "pyright":
            pytest.skip(f"pyright did not start: {done.stderr[-500:]}")
        raise AssertionError(done.stdout + done.stderr) from None
    found = [f"{m['file']}:{m['range']['start']['line'] + 1}: {m['message']}" for m in report["generalDiagnostics"]]
    assert report["summary"]["filesAnalyzed"] == 1 and not found, "\n".join(found)


def test_stubs_give_tornado_its_types(tmp_path: Path) -> None:
    """``import tornado`` in a project that has the stubs: what a name is, and that a mistake is found."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    assert stubs.write(tmp_path / "typings") > 40
    (tmp_path / "app.py").write_text(
        "import tornado.platform.asyncio, tornado.web\n"
        "from tornado import gen\n"
        "from tornado.httpclient import AsyncHTTPClient\n"
        "async def main() -> None:\n"
        "    response = await AsyncHTTPClient().fetch('http://127.0.0.1/')\n"
        "    reveal_type(response.code)\n"
        "    reveal_type(response)\n"
        "    response.cod\n"
        "    gen.slep(1)\n"
        "    tornado.web.RequestHandler.set_cookie\n"
    )
    env = environment() | {"MYPYPATH": f"{tmp_path / 'typings'}:{ROOT}"}
    options = ["--strict", "--python-version", "3.11", "--follow-imports", "silent", "--no-error-summary"]
    cache = ROOT / ".mypy_cache" / "typing_tests"
    argv = [sys.executable, "-m", "mypy", *options, "--cache-dir", str(cache), "app.py"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600, check=False)
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert lines == [
        'note: Revealed type is "int"',
        'note: Revealed type is "tornado4.httpclient.HTTPResponse"',
        'error: "HTTPResponse" has no attribute "cod"; maybe "code"?  [attr-defined]',
        'error: Module has no attribute "slep"; maybe "sleep"?  [attr-defined]',
    ], done.stdout + done.stderr
