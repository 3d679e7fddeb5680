"""What a project says of its dependencies: requirement files, setup.py, setup.cfg, pyproject.toml, lock files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tornado4.migrate.check.files import SKIPPED, is_vendored
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import rules

#: Packages that stand on Tornado 4, and where people go from them.
BLOCKERS = {
    "sockjs-tornado": "needs Tornado 4 (1.0.x); a WebSocketHandler of your own",
    "tornado-redis": "stopped at Tornado 4; redis (redis.asyncio)",
    "tornadis": "stopped at Tornado 4; redis (redis.asyncio)",
    "toro": "is in Tornado itself since 4.2: tornado.locks, tornado.queues",
    "momoko": "stopped at Tornado 4; psycopg (AsyncConnection)",
    "tchannel": "stopped at Tornado 4; gRPC",
    "raven": "stopped at Tornado 4; sentry-sdk",
    "tornado-json": "from 1.3.3 on it runs on later releases; look at its metadata",
    "asyncmongo": "stopped at Tornado 2; pymongo (AsyncMongoClient)",
    "brukva": "stopped at Tornado 2; redis (redis.asyncio)",
}

_NAMES = re.compile(r"^(?:(?:.*[-_])?requirements(?:[-_].*)?\.(?:txt|in)|constraints.*\.txt)$", re.IGNORECASE)
_OTHERS = frozenset(
    "setup.py setup.cfg pyproject.toml tox.ini Pipfile Pipfile.lock poetry.lock environment.yml".split()
)

#: ``tornado`` with a version, as requirement files, TOML, Python lists, Pipfiles and lock files write it.
_TORNADO = re.compile(
    r"""(?<![\w.-])tornado4?\b(?P<extras>\[[^\]]*\])?["']?\s*(?::|=(?!=)|\()?\s*["'{\s]*(?:version["']?\s*[:=]\s*["'])?
    (?P<spec>(?:[<>=!~^]=?=?\s*[\d.*]+\s*,?\s*)+)""",
    re.VERBOSE,
)
_CLAUSE = re.compile(r"(?P<operator>===|==|~=|!=|<=|>=|<|>|\^|=)\s*(?P<version>\d+(?:\.\d+)*)")
_NAMED4 = re.compile(r"(?<![\w.-])tornado4(?![\w-])")


def requirement_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files at or below the paths, and those beside and above a package that is named alone."""
    seen: set[Path] = set()
    for top in paths:
        folders = [top] if top.is_dir() else [top.parent]
        for folder in _walk(folders[0]) if top.is_dir() else folders:
            for each in sorted(folder.iterdir()):
                if each.is_file() and (each.name in _OTHERS or _NAMES.match(each.name)) and each not in seen:
                    seen.add(each)
                    yield each


def _walk(top: Path) -> Iterator[Path]:
    entries = sorted(top.iterdir())
    if is_vendored(each.name for each in entries):
        return
    yield top
    for each in entries:
        if each.is_dir() and not each.is_symlink() and each.name not in SKIPPED:
            yield from _walk(each)


def check_requirements(path: Path, shown: str) -> list[Finding]:
    """What a file says that keeps Tornado 6 out: a pin, or a package that needs Tornado 4."""
    findings = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        code = line.split(" #")[0]
        if code.lstrip().startswith("#"):
            continue
        for match in _TORNADO.finditer(code):
            if not allows_6(match["spec"]):
                message = f"{match[0].strip()}: {rules()['TND951'].advice}"
                findings.append(_finding(shown, number, match.start(), "TND951", message, line))
        named = _NAMED4.search(code)
        if named is not None and not _TORNADO.search(code) and path.name != "pyproject.toml":
            message = f"tornado4: {rules()['TND951'].advice}, when the program is there"
            findings.append(_finding(shown, number, named.start(), "TND951", message, line))
        for name, what in BLOCKERS.items():
            blocker = re.search(rf"(?<![\w.-]){name.replace('-', '[-_.]')}(?![\w-])", code, re.IGNORECASE)
            if blocker is not None and (path.name != "setup.py" or f'name="{name}"' not in code.replace("'", '"')):
                findings.append(_finding(shown, number, blocker.start(), "TND952", f"{name} {what}", line))
    return findings


def allows_6(specification: str) -> bool:
    """Whether a version specification lets some Tornado 6 in."""
    for clause in _CLAUSE.finditer(specification):
        operator = clause["operator"]
        version = tuple(int(part) for part in clause["version"].split("."))
        major = version[0]
        if operator in ("==", "===", "~=", "^", "=") and major < 6:
            return operator == "~=" and len(version) == 2 and major >= 6
        if operator == "<" and version <= (6,) + (0,) * (len(version) - 1):
            return False
        if operator == "<=" and major < 6:
            return False
    return True


def _finding(path: str, line: int, column: int, rule_id: str, message: str, text: str) -> Finding:
    return Finding(path, line, column + 1, rule_id, "certain", message, text.strip())
