"""The examples in the docstrings of the real ``tornado.httputil``, ``iostream`` and ``util``, run on tornado4.

Upstream's runner has them as ``tornado.httputil.doctests`` and so on. tornado4's docstrings are its own, so the
examples are taken from the source distribution, by machine, and each runs with the names of tornado4's module.
"""

from __future__ import annotations

import ast
import collections
import doctest
import importlib
import unittest

from compat_tests.oracle import sdist

MODULES = ("httputil", "iostream", "util")


def load(version: str) -> unittest.TestSuite:
    """One test a docstring, named "httputil.parse_cookie"."""
    return unittest.TestSuite(
        _Example(test) for name in MODULES for test in _examples(version, name)
    )


def _examples(version: str, name: str) -> list[doctest.DocTest]:
    source = sdist(version) / "tornado" / f"{name}.py"
    # Examples of 4.0 to 4.4 use what their modules had imported.
    globs = {"collections": collections, **vars(importlib.import_module(f"tornado.{name}"))}
    parser = doctest.DocTestParser()
    found = []
    for node, path in _walk(ast.parse(source.read_text("utf-8")), name):
        text = ast.get_docstring(node, clean=False) or ""
        test = parser.get_doctest(text, globs, path, str(source), 0)
        if test.examples:
            found.append(test)
    return found


def _walk(node: ast.Module | ast.ClassDef | ast.FunctionDef, path: str) -> list[tuple[ast.AST, str]]:
    found: list[tuple[ast.AST, str]] = [(node, path)]
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            found += _walk(child, f"{path}.{child.name}")
    return found


class _Example(doctest.DocTestCase):
    def __init__(self, test: doctest.DocTest) -> None:
        super().__init__(test)
        self.name = test.name

    def id(self) -> str:
        return self.name
