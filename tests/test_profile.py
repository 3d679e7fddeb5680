"""``--migrate=record`` and ``tornado4 profile``: facts of a run, several runs as one, files that have changed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tornado4.migrate import profile

APP = textwrap.dedent(
    """\
    import sys
    from tornado import gen
    from tornado.ioloop import IOLoop

    @gen.coroutine
    def double(n):
        yield gen.moment
        raise gen.Return(n * 2)

    @gen.coroutine
    def rare():
        yield gen.moment

    @gen.coroutine
    def main(secret="a value that nobody is to read"):
        print((yield double(1)), (yield [double(2), double(3)]))
        double(4)
        double(5, callback=print)
        if "--rare" in sys.argv:
            yield rare()

    IOLoop.current().add_callback(double, 6)
    IOLoop.current().run_sync(main)
    """
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tornado4", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def recorded(folder: Path, *arguments: str) -> dict[str, Any]:
    done = run(folder, "run", "--migrate=record", "app.py", *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((folder / "tornado4-profile.json").read_text())
    return result


def test_the_facts_of_a_run(folder: Path) -> None:
    file = recorded(folder)["files"]["app.py"]
    assert file["functions"] == {
        "5": {
            "name": "double", "kind": "coroutine", "calls": 6, "yields": {"7:4": {"moment": 6}}, "yields_not_run": [],
            "called_from": {
                "": {"callback": 1},
                "app.py:16:26": {"yielded": 1},
                "app.py:16:46": {"yielded": 1},
                "app.py:16:57": {"yielded": 1},
                "app.py:17:13": {"dropped": 1},
                "app.py:18:29": {"callback": 1},
            },
            "handed": {"app.py:22:40": {"IOLoop.add_callback": 1}}, "outside": [],
        },
        "14": {
            "name": "main", "kind": "coroutine", "calls": 1, "called_from": {"": {"callback": 1}},
            "yields": {"16:11": {"Future": 1}, "16:30": {"list[Future]": 1}}, "yields_not_run": ["20:8"],
            "handed": {"app.py:23:31": {"IOLoop.run_sync": 1}}, "outside": [],
        },
    }  # fmt: skip
    assert file["not_run"] == ["rare"]
    # Calls by the name of a coroutine that ran. What Python 3.11 does not tell.
    ran = ["16:26", "16:46", "16:57", "17:13", "18:29"]
    assert file["ran"] == (ran if sys.version_info >= (3, 12) else [])
    assert file["rules"] == {"TND210": {"18": 1}}


def test_no_value_is_written(folder: Path) -> None:
    recorded(folder)
    text = (folder / "tornado4-profile.json").read_text()
    assert "nobody is to read" not in text
    assert str(folder) not in text


def test_runs_are_added_up_and_a_rare_branch_counts_as_soon_as_one_takes_it(folder: Path) -> None:
    recorded(folder)
    both = recorded(folder, "--rare")
    assert both["runs"] == 2
    functions = both["files"]["app.py"]["functions"]
    assert functions["14"]["yields_not_run"] == []
    assert functions["14"]["yields"]["16:11"] == {"Future": 2}
    assert functions["5"]["calls"] == 12
    assert both["files"]["app.py"]["not_run"] == []


def test_a_file_that_changed_is_stale_and_its_last_run_counts(folder: Path) -> None:
    recorded(folder)
    done = run(folder, "profile", "tornado4-profile.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "app.py: 2 coroutines ran, 1 of them with each yield; 1 did not",
        "1 runs, 1 files, 0 of them changed since",
    ]
    (folder / "app.py").write_text(APP + "\n# changed\n")
    done = run(folder, "profile", "tornado4-profile.json")
    assert done.returncode == 1
    assert "1 did not; changed since" in done.stdout
    assert profile.stale(profile.load(folder / "tornado4-profile.json"), folder) == ["app.py"]
    assert recorded(folder)["files"]["app.py"]["functions"]["5"]["calls"] == 6


def test_several_files_become_one(folder: Path) -> None:
    one = recorded(folder)
    (folder / "tornado4-profile.json").rename(folder / "one.json")
    recorded(folder, "--rare")
    done = run(folder, "profile", "one.json", "tornado4-profile.json", "--output", "both.json")
    assert done.returncode == 0, done.stderr
    both = profile.load(folder / "both.json")
    assert both["runs"] == 2
    assert profile.merge([one])["files"] == one["files"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "Expecting"), ("[]", "is no profile"), ('{"schema": 99, "files": {}}', "schema 99; this tornado4 reads 2")],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "p.json").write_text(text)
    done = run(tmp_path, "profile", "p.json")
    assert done.returncode == 2
    assert complaint in done.stderr
