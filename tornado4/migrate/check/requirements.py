"""What a project says of its dependencies: requirement files, setup.py, setup.cfg, pyproject.toml, lock files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tornado4.migrate.check import guards
from tornado4.migrate.check.files import SKIPPED, is_vendored, parse
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.rules import rules

#: Packages that stand on Tornado 4, and where people go from them.
BLOCKERS = {
    "sockjs-tornado": "needs Tornado 4 up to 1.0.6; 1.0.7 runs on Tornado 6",
    "tornado-redis": "stopped at Tornado 4; redis (redis.asyncio)",
    "tornadis": "stopped at Tornado 4; redis (redis.asyncio)",
    "toro": "is in Tornado itself since 4.2: tornado.locks, tornado.queues",
    "momoko": "stopped at Tornado 4; psycopg (AsyncConnection)",
    "tchannel": "stopped at Tornado 4; gRPC",
    "raven": "stopped at Tornado 4; sentry-sdk",
    "tornado-json": "needs Tornado 4 up to 1.3.2; look at the metadata of later releases",
    "asyncmongo": "stopped at Tornado 2; pymongo (AsyncMongoClient)",
    "brukva": "stopped at Tornado 2; redis (redis.asyncio)",
}

#: Those that have moved on: the first release that did. A requirement that lets it in blocks nothing.
MOVED = {"sockjs-tornado": (1, 0, 7), "tornado-json": (1, 3, 3)}

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

#: ``name = "raven"`` says what the project itself is called, but in a lock file what it has locked.
_OWN_NAME = re.compile(r"^\s*name\s*=")

#: Arguments of ``setup`` that are about the project itself.
_OF_ITSELF = frozenset({"packages", "py_modules", "entry_points", "scripts", "keywords", "classifiers", "package_data"})

_MARKER = re.compile(r"""python_version\s*(?P<operator><=|>=|==|!=|<|>)\s*["'](?P<version>\d+(?:\.\d+)*)["']""")


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
    lines = path.read_text("utf-8", "replace").splitlines()
    parts = _strings(lines, shown) if path.suffix == ".py" else None
    if parts is None:
        parts = [(number, 0, line.split(" #")[0]) for number, line in enumerate(lines, 1)]
    findings = []
    for number, column, code in parts:
        if not code.lstrip().startswith("#") and _counts(code):
            findings += [
                Finding(shown, number, column + start + 1, rule_id, "certain", message, lines[number - 1].strip())
                for start, rule_id, message in _said(code, path)
            ]
    return findings


def _said(code: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Column, rule and message of what one line, or one string of setup.py, says."""
    for match in _TORNADO.finditer(code):
        if not allows_6(match["spec"]):
            yield match.start(), "TND951", f"{match[0].strip()}: {rules()['TND951'].advice}"
    named = _NAMED4.search(code)
    if named is not None and not _TORNADO.search(code) and path.name != "pyproject.toml":
        yield named.start(), "TND951", f"tornado4: {rules()['TND951'].advice}, when the program is there"
    if _OWN_NAME.match(code) and not path.name.endswith(".lock"):
        return
    for name, what in BLOCKERS.items():
        blocker = re.search(_as_requirement(name, setup=path.suffix == ".py"), code, re.IGNORECASE)
        if blocker is not None and not (name in MOVED and allows(code[blocker.end() :], MOVED[name])):
            yield blocker.start("name"), "TND952", f"{name} {what}"


def _as_requirement(name: str, *, setup: bool) -> str:
    """The name where a requirement may stand: at the start, in quotes, after a dash or a colon; not within a path.

    In a setup.py ``name = module:function`` is a script.
    """
    begins = r"^\s*" if setup else r"""(?:^\s*|["'\s]|-\s+)"""
    ends = r"(?:$|==|[\[<>!~;(])" if setup else r"""(?:$|["'\[<>=!~^;,:(])"""
    return rf"{begins}(?P<name>{name.replace('-', '[-_.]')})(?=\s*{ends})"


def _counts(code: str) -> bool:
    """Whether a requirement holds on a current Python: its environment markers say so, or it has none."""
    said = [
        guards.compared(guards.PYTHON, match["operator"], tuple(map(int, match["version"].split("."))))
        for match in _MARKER.finditer(code)
    ]
    return all(said) if " or " not in code else any(said) or not said


def _strings(lines: list[str], shown: str) -> list[tuple[int, int, str]] | None:
    """The strings of a setup.py that are in a list, or by themselves: where each is, and what it says.

    What a branch for an old Python or Tornado says is left out, and so are arguments such as ``url`` and ``reason``.
    None: it is no Python 3.
    """
    try:
        tree = parse("\n".join(lines) + "\n", shown)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found: list[tuple[int, int, str]] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If):
            said = guards.verdict(node.test)
            children = [*(node.body if said is not False else []), *(node.orelse if said is not True else [])]
        elif isinstance(node, ast.keyword) and (isinstance(node.value, ast.Constant) or node.arg in _OF_ITSELF):
            continue
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [
                (node.lineno + number, node.col_offset if number == 0 else 0, line)
                for number, line in enumerate(node.value.splitlines())
                if node.lineno + number <= len(lines)
            ]
        waiting += children
    return sorted(found)


def allows(specification: str, version: tuple[int, ...]) -> bool:
    """Whether what stands behind a name lets a version in, or a later one."""
    clauses = re.match(r"\s*\(?\s*(?:[<>=!~^]=?=?\s*[\d.*]+\s*,?\s*)*", specification)
    assert clauses is not None
    for clause in _CLAUSE.finditer(clauses[0]):
        operator, wanted = clause["operator"], tuple(int(part) for part in clause["version"].split("."))
        if operator in ("==", "===", "="):
            if wanted < version[: len(wanted)] or (len(wanted) >= len(version) and wanted < version):
                return False
        elif (operator == "<" and wanted <= version) or (operator == "<=" and wanted < version):
            return False
    return True


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
