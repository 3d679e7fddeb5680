"""How often ``tornado4 fix`` makes of a function what people made of it, in repositories that moved by hand.

    python -m compat_tests.fixes.people PAIRS.tsv GIT_DIRECTORY ...
    python -m compat_tests.fixes.people --releases

PAIRS.tsv has a line a move: ``repo``, ``before``, ``after`` (commits) and ``paths``, with tabs between. A git directory
is found by the repository's name in its path. With ``--releases`` the pairs are releases of packages. No code of
theirs is kept.

**Which functions count.** Those of one name in one file, before and after, that are not the same, and whose *core* is:
what is left when the spelling of waiting is taken out on both sides (see `Core`). In such a function nothing but the
conversion changed. A function whose core differs was changed in what it does as well; it is listed, not counted.

**What is equal.** Text with comments and layout gone, and with the spellings that mean the same on Tornado 6 made one
(see `Form`). Held against the function are the ladders ``--unsafe`` and ``--unsafe --native``, the latter with and
without helpers: people choose.
"""

from __future__ import annotations

import argparse
import ast
import csv
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compat_tests.old_packages.fetch import fetched, packages

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

#: What is held against what people made.
LADDERS = (
    ("--unsafe",),
    ("--unsafe", "--native"),
    ("--unsafe", "--native", "--helpers", "compatibility_with_tornado4.py"),
)

#: Decorators that are a part of how one waits.
WAITING = frozenset("coroutine engine asynchronous return_future".split())


def last_name(node: ast.AST) -> str:
    """``coroutine`` for ``tornado.gen.coroutine`` and for ``coroutine``."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


class Form(ast.NodeTransformer):
    """Spellings that mean the same on Tornado 6, as one."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "instance" and last_name(node.value) == "IOLoop":
            node.attr = "current"
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if last_name(node.func) == "sleep" and isinstance(node.func, ast.Attribute):
            if last_name(node.func.value) in ("gen", "asyncio"):
                node.func = ast.Name("sleep", ast.Load())
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        node.kind = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Annotations came later, and say nothing of how one waits."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Assign([node.target], node.value, lineno=0) if node.value is not None else ast.Pass()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)  # type: ignore[arg-type]

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """``raise gen.Return(x)`` in a coroutine is a return."""
        self.generic_visit(node)
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if called is not None and last_name(called) == "Return":
            args = node.exc.args if isinstance(node.exc, ast.Call) else []
            return self.visit_Return(ast.Return(args[0] if args else None))
        return node


class Core(Form):
    """What a function does, whatever the way in which it waits."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        decorators = [each for each in node.decorator_list if last_name(each) not in WAITING]
        node.args.args = [each for each in node.args.args if each.arg != "callback"]
        if not node.args.args or len(node.args.defaults) > len(node.args.args):
            node.args.defaults = node.args.defaults[: len(node.args.args)]
        return ast.FunctionDef(
            node.name, node.args, _without_unused(_ended(node.body)), decorators, None, None, type_params=[]
        )

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)  # type: ignore[arg-type]

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """That it waits is a part of what it does: one that no longer waits was changed in that."""
        return ast.Call(ast.Name("wait", ast.Load()), [self.visit(node.value)], [])

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        value = node.value if node.value is not None else ast.Constant(None)
        return self.visit_Await(ast.Await(value))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        super().visit_Call(node)
        node.keywords = [each for each in node.keywords if each.arg not in ("io_loop", "raise_error")]
        name = last_name(node.func)
        if name == "Task" and node.args:
            if last_name(node.args[0]) in ("add_timeout", "call_later"):
                return ast.Name("a_while", ast.Load())
            return ast.Call(node.args[0], node.args[1:], node.keywords)
        if name == "sleep" and isinstance(node.func, ast.Name):
            return ast.Name("a_while", ast.Load())
        if name in ("multi", "maybe_future") and len(node.args) == 1:
            return node.args[0]
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """``if callback: callback(x)`` is where a result goes."""
        self.generic_visit(node)
        if last_name(node.test) == "callback" and len(node.body) == 1 and isinstance(node.body[0], ast.Return):
            return node.body[0]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """``callback(x)`` is where a result goes."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and last_name(node.value.func) == "callback":
            return self.visit_Return(ast.Return(node.value.args[0] if node.value.args else None))
        if isinstance(node.value, ast.Call):
            given = next((each for each in node.value.keywords if each.arg == "callback"), None)
            if given is not None:
                node.value.keywords.remove(given)
                waited = ast.Call(ast.Name("wait", ast.Load()), [node.value], [])
                return ast.Expr(ast.Call(given.value, [waited], []))
        return node


def _ended(body: list[ast.stmt]) -> list[ast.stmt]:
    """A block without what stands behind a return, and without its docstring."""
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    for position, each in enumerate(body):
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(each, field, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                setattr(each, field, _ended(inner))
        if isinstance(each, ast.Return):
            return body[: position + 1]
    return body or [ast.Pass()]


def _without_unused(body: list[ast.stmt]) -> list[ast.stmt]:
    """Without ``loop = IOLoop.current()`` that nothing reads."""
    read = {
        each.id
        for node in body
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
    kept = [
        each
        for each in body
        if not (
            isinstance(each, ast.Assign)
            and isinstance(each.targets[0], ast.Name)
            and each.targets[0].id not in read
            and "IOLoop" in ast.unparse(each.value)
        )
    ]
    return kept or [ast.Pass()]


def functions(source: str) -> dict[str, ast.AST]:
    """All functions of a file by dotted name; of several with one name the first."""
    found: dict[str, ast.AST] = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                if isinstance(child, FUNCTIONS):
                    found.setdefault(name, child)
                walk(child, f"{name}.")
            else:
                walk(child, prefix)

    walk(ast.parse(source), "")
    return found


def form(node: ast.AST) -> str:
    """A function's text with layout and comments gone."""
    return ast.unparse(Form().visit(ast.parse(ast.unparse(node))))


def core(node: ast.AST) -> str:
    """What is left of a function without the way in which it waits."""
    tree = Core().visit(ast.parse(ast.unparse(node)))
    return ast.unparse(ast.fix_missing_locations(tree))


#: Names that are about waiting, or about the loop.
_TELLING = WAITING | {"IOLoop", "Task", "Return", "Callback", "Wait", "WaitAll", "moment", "gen_test", "stack_context"}


def _waits(node: ast.AST) -> bool:
    return any(
        (isinstance(each, ast.Name | ast.Attribute) and last_name(each) in _TELLING)
        or (isinstance(each, ast.keyword) and each.arg == "io_loop")
        or (isinstance(each, ast.arg) and each.arg == "callback")
        for each in ast.walk(node)
    )


def judged(before: str, after: str, *made: str) -> Iterator[tuple[str, str]]:
    """For each function that people changed: its name, and ``equal``, ``unlike``, or ``more changed``."""
    old, new = functions(before), functions(after)
    ours = [functions(text) for text in made]
    for name, node in old.items():
        if name not in new or ast.unparse(node) == ast.unparse(new[name]) or form(node) == form(new[name]):
            continue
        if not _waits(node):
            continue  # what changed in it has nothing to do with how Tornado waits
        if any(name.startswith(f"{outer}.") and outer in old for outer in old if outer != name):
            continue  # within another function, which counts as a whole
        if core(node) != core(new[name]):
            yield name, "more changed"
        elif any(name in each and form(each[name]) == form(new[name]) for each in ours):
            yield name, "equal"
        else:
            yield name, "unlike"


@dataclass
class Move:
    """One program before and after: its Python files, by path. ``looked_at`` are the paths that are compared."""

    name: str
    before: dict[str, str]
    after: dict[str, str]
    looked_at: list[str]


def moves_in_git(pairs: Path, gits: list[str]) -> Iterator[Move]:
    """The moves that a table of commits names."""
    with pairs.open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            git = next((each for each in gits if row["repo"].replace("/", "+") in each and _is_git(each)), None)
            if git is None:
                print(f"{row['repo']}: no git directory was given")
                continue
            before = {name: _shown(git, row["before"], name) for name in _files(git, row["before"])}
            paths = [path for path in row["paths"].split() if path.endswith(".py")]
            after = {path: _shown(git, row["after"], path) for path in paths}
            yield Move(row["repo"], _there(before), _there(after), paths)


def _there(texts: dict[str, str | None]) -> dict[str, str]:
    return {path: text for path, text in texts.items() if text is not None}


def _is_git(folder: str) -> bool:
    return Path(folder, "HEAD").exists()


def _shown(git: str, commit: str, path: str) -> str | None:
    done = subprocess.run(["git", f"--git-dir={git}", "show", f"{commit}:{path}"], capture_output=True)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _files(git: str, commit: str) -> list[str]:
    done = subprocess.run(
        ["git", f"--git-dir={git}", "ls-tree", "-r", "--name-only", commit], capture_output=True, text=True, check=True
    )
    return [line for line in done.stdout.splitlines() if line.endswith(".py")]


def moves_of_releases() -> Iterator[Move]:
    """A release of a package for Tornado 4, and one that runs on Tornado 6: see ``compat_tests.old_packages``."""
    later = {package.name: package for package in packages("later")}
    for package in packages("labels"):
        if package.name in later:
            before, after = _read(fetched(package)), _read(fetched(later[package.name]))
            yield Move(package.folder.name, before, after, sorted(before.keys() & after.keys()))


def _read(folder: Path) -> dict[str, str]:
    """The Python files of a distribution; a ``src`` folder, which came or went, is looked through."""
    return {
        path.relative_to(folder).as_posix().removeprefix("src/"): path.read_text("utf-8", "replace")
        for path in sorted(folder.rglob("*.py"))
    }


def fixed(texts: dict[str, str], *options: str) -> dict[str, str]:
    """All files of a program, after a fix."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        command = [sys.executable, "-m", "tornado4", "fix", "--force", "--no-markers", *options, "."]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return {name: Path(folder, name).read_text("utf-8") for name in texts}


def main() -> None:
    """Print each function with its verdict, and the share."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("pairs", type=Path, nargs="?", help="a table of commits")
    parser.add_argument("git", nargs="*", help="git directories of the repositories in it")
    parser.add_argument("--releases", action="store_true", help="releases of packages, from the package registry")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    moves = moves_of_releases() if options.releases else moves_in_git(options.pairs, options.git)
    for move in moves:
        ladders = [fixed(move.before, *ladder) for ladder in LADDERS]
        for path in move.looked_at:
            if path not in move.before or path not in move.after:
                continue
            try:
                verdicts = list(judged(move.before[path], move.after[path], *(ladder[path] for ladder in ladders)))
            except SyntaxError as error:
                print(f"{move.name} {path}: no Python: {error}")
                continue
            for name, verdict in verdicts:
                counts[verdict] += 1
                if verdict != "more changed" or not options.releases:
                    print(f"{verdict:13} {move.name} {path} {name}", flush=True)
    counted = counts["equal"] + counts["unlike"]
    print(f"{counts['equal']} of {counted} equal; {counts['more changed']} changed in what they do, too")


if __name__ == "__main__":
    main()
