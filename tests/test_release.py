"""tools/release.py: a release from beginning to end, in a repository that is a copy of this tree."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from programs import ROOT, environment

sys.path.insert(0, str(ROOT / "tools"))
import release

pytestmark = pytest.mark.skipif(os.name != "posix", reason="umasks")


def git(tree: Path, *args: str) -> str:
    named = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.invalid")
    return subprocess.run(["git", *named, *args], cwd=tree, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What belongs to this tree, as it is now, committed on main of a repository of its own."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone: what belongs to the tree is not known")
    copy = tmp_path / "tornado4"
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    git(copy, "init", "-q", "-b", "main")
    git(copy, "add", "--all")
    git(copy, "commit", "-q", "-m", "all of it")
    return copy


def run(tree: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/release.py", "--date", "2026-12-01", *args]
    env = {key: value for key, value in environment().items() if key != "PYTHONPATH"}
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)


def test_a_dry_run_does_everything_and_changes_nothing(tree: Path) -> None:
    before = git(tree, "rev-parse", "HEAD")
    done = run(tree, "--dry-run")
    assert done.returncode == 0, done.stderr
    version = release.Release(tree, "").version
    said = done.stdout.splitlines()
    assert said[0].startswith(f"v{version}: committed and tagged, with the changelog's section of 2026-12-01")
    assert said[1] == "built twice, in different places and under different umasks: the same bytes"
    assert said[2].startswith("twine check --strict: 2 passed" if importlib.util.find_spec("twine") else "twine is not")
    assert [line.split()[1] for line in said[3:5]] == [
        f"tornado4-{version}.tar.gz",
        f"tornado4-{version}-py3-none-any.whl",
    ]
    assert said[5] == f"{release.successor(version)}: its section is open"
    assert (
        f"git push origin main v{version}" in done.stdout and said[-1] == "Nothing has changed here: it was a dry run."
    )
    assert git(tree, "rev-parse", "HEAD") == before
    assert git(tree, "tag") == git(tree, "status", "--porcelain") == "" and not (tree / "dist").exists()


def test_a_tree_with_changes_is_not_released(tree: Path) -> None:
    (tree / "new").write_text("")
    done = run(tree, "--dry-run")
    assert done.returncode == 1 and done.stderr == "release: not everything is committed:\n?? new\n"


def test_a_version_is_released_once_and_from_main(tree: Path) -> None:
    git(tree, "checkout", "-q", "-b", "other")
    assert run(tree).stderr == "release: this is the branch 'other'; releases are made on main\n"
    tag = release.Release(tree, "").tag
    git(tree, "tag", tag)
    assert f"the tag {tag} is there already" in run(tree, "--dry-run").stderr


CHANGELOG = "# Changelog\n\n## 4.5.3.1 (unreleased)\n\nThe first.\n"


def test_the_section_of_the_changelog_gets_its_date_and_the_next_one_is_opened() -> None:
    after = release.dated(CHANGELOG, "4.5.3.1", "2026-12-01")
    assert after == "# Changelog\n\n## 4.5.3.1 (2026-12-01)\n\nThe first.\n"
    following = release.opened(after, "4.5.3.2")
    assert release.newest(following) == ("4.5.3.2", "unreleased", "")
    assert following.endswith("## 4.5.3.2 (unreleased)\n\n## 4.5.3.1 (2026-12-01)\n\nThe first.\n")


@pytest.mark.parametrize(
    ("changelog", "message"),
    [
        ("# Changelog\n", "no section"),
        (CHANGELOG.replace("unreleased", "2026-11-01"), r'begins with "## 4.5.3.1 \(2026-11-01\)"'),
        (CHANGELOG.replace("4.5.3.1", "4.5.3.2"), r'is to be "## 4.5.3.1 \(unreleased\)"'),
        (CHANGELOG.replace("The first.", ""), "the section of 4.5.3.1 is empty"),
    ],
)
def test_a_changelog_that_does_not_fit_is_refused(changelog: str, message: str) -> None:
    with pytest.raises(release.ReleaseError, match=message):
        release.dated(changelog, "4.5.3.1", "2026-12-01")


def test_the_number_behind_the_version_of_the_api_counts() -> None:
    assert release.successor("4.5.3.9") == "4.5.3.10"
    text = 'name = "tornado4"\nversion = "4.5.3.9"\n'
    assert 'version = "4.5.3.10"\n' in release.with_version(text, "4.5.3.9", "4.5.3.10")
    with pytest.raises(release.ReleaseError, match="is not there once"):
        release.with_version(text, "4.5.3.8", "4.5.3.9")
