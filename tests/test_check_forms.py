"""``tornado4 check``: each rule sees its names and arguments in all the ways in which programs write them."""

from __future__ import annotations

import pytest

from tornado4.migrate.check import tornado
from tornado4.migrate.check.checker import check
from tornado4.migrate.check.detect.calls import ALSO
from tornado4.migrate.rules import rules


def parted(dotted):
    """The module of a dotted name, and the rest."""
    parts = dotted.split(".")
    length = len(parts)
    while not tornado.is_module(".".join(parts[:length])):
        length -= 1
    return ".".join(parts[:length]), parts[length:]


def spellings(module, first, rest):
    """Import and use of a name of a module, and of a part of it."""
    package, _, last = module.rpartition(".")
    end = f".{rest}" if rest else ""
    yield f"import {module}\n", f"{module}.{first}{end}"
    yield f"import {module} as m\n", f"m.{first}{end}"
    if package:
        yield f"from {package} import {last}\n", f"{last}.{first}{end}"
    yield f"from {module} import {first}\n", f"{first}{end}"
    yield f"from {module} import {first} as Name\n", f"Name{end}"
    yield f"import {module} as m\nName = m.{first}\n", f"Name{end}"
    if not first.startswith("_") and first in tornado.names_of(module):
        yield f"from {module} import *\n", f"{first}{end}"


def objects(module, cls):
    """Ways to an object of a class: the head of a program, and what stands for the object within a method."""
    yield f"from {module} import {cls}\nclass Own({cls}):\n    def method(self):\n        ", "self"
    yield f"from {module} import {cls}\nclass Own({cls}):\n    def method(self):\n        ", "super()"
    yield f"from {module} import {cls}\nclass Own({cls}):\n    def method(self):\n        ", "super(Own, self)"
    yield f"from {module} import {cls}\nclass Own({cls}):\n    pass\ndef f():\n    ", "Own()"
    yield f"from {module} import {cls}\ndef f():\n    x = {cls}()\n    ", "x"
    yield f"from {module} import {cls}\ndef f():\n    if x := {cls}():\n        pass\n    ", "x"
    yield f"from {module} import {cls}\ndef f(x: {cls}):\n    ", "x"
    yield f"from {module} import {cls}\ndef f(x: '{cls}'):\n    ", "x"
    made = f"class A:\n    def __init__(self):\n        self.x = {cls}()\n    def method(self):\n        "
    yield f"from {module} import {cls}\n{made}", "self.x"


def names():
    for rule in rules().values():
        for dotted in rule.names:
            module, rest = parted(dotted)
            if rest:
                yield pytest.param(rule.id, module, rest[0], ".".join(rest[1:]), id=f"{rule.id}-{dotted}")


#: Attributes that objects have and their classes do not.
OF_OBJECTS = {"stream", "log_message", "args"}


def found(tmp_path, sources):
    """The rules found in each of several files, which know nothing of one another."""
    for number, source in enumerate(sources):
        (tmp_path / f"app{number}.py").write_text(source)
    seen = [set() for _ in sources]
    for finding in check([tmp_path]).findings:
        seen[int(finding.path.rpartition("app")[2].removesuffix(".py"))].add(finding.rule_id)
    return seen


@pytest.mark.parametrize(("rule_id", "module", "name", "member"), list(names()))
def test_a_name_however_it_is_written(tmp_path, rule_id, module, name, member):
    sources = []
    if member not in OF_OBJECTS:
        sources += [f"{head}x = {use}\n" for head, use in spellings(module, name, member)]
    if member and tornado.is_class(f"{module}.{name}"):
        sources += [f"{head}return {thing}.{member}\n" for head, thing in objects(module, name)]
    for source, seen in zip(sources, found(tmp_path, sources), strict=True):
        if rule_id == "TND805" and "super" not in source and "self." not in source:
            continue
        assert rule_id in seen, source


def arguments():
    """The rules about arguments: function, and arguments that it gets."""
    lost = tornado._data()["lost"]
    for rule in rules().values():
        for call in rule.calls:
            if call.keyword:
                to = call.to if "*" not in call.to else [each for each in lost if call.keyword in lost[each]]
                to = [*to, *(ALSO.get(call.keyword, ()) if "*" in call.to else ())]
                given = f"{call.keyword}=value"
            else:
                to = call.to
                value = {"callback": "self.on_it", "io_loop": "IOLoop.current()"}.get(call.parameter, "value")
                given = ", ".join(["a"] * call.position + [value])
            for dotted in to:
                module, rest = parted(dotted)
                if rest[-1] in ("initialize", "__init__", "__new__"):
                    rest = rest[:-1]
                if rest and not rest[0].startswith("_"):
                    yield pytest.param(rule.id, module, rest, given, id=f"{rule.id}-{dotted}-{given}")


METHOD = """\
import functools
from tornado.ioloop import IOLoop
{}class Own{}:
    def method(self, a, value):
        {}
"""


@pytest.mark.parametrize(("rule_id", "module", "name", "given"), list(arguments()))
def test_an_argument_however_the_function_is_called(tmp_path, rule_id, module, name, given):
    first, *rest = name
    head = f"from {module} import {first}\n"
    if not rest:
        sources = [METHOD.format(top, "", f"{use}({given})") for top, use in spellings(module, first, "")]
        sources.append(METHOD.format(head, "", f"functools.partial({first}, {given})"))
        dotted = f"{module}.{first}"
        if tornado.is_class(dotted):
            sources.append(METHOD.format(f"{head}class Derived({first}):\n    pass\n", "", f"Derived({given})"))
            if "tornado.util.Configurable" not in tornado.mro(dotted):
                for use, extra in [("super()", ""), ("super(Own, self)", ""), (first, "self, ")]:
                    call = f"{use}.__init__({extra}{given})"
                    sources.append(METHOD.format(head, f"({first})", call))
    else:
        (method,) = rest
        loop = "from tornado.ioloop import IOLoop\n"
        sources = [f"{loop}{top}{thing}.{method}({given})\n" for top, thing in objects(module, first)]
        sources.append(METHOD.format(head, "", f"functools.partial({first}().{method}, {given})"))
    for source, seen in zip(sources, found(tmp_path, sources), strict=True):
        assert rule_id in seen, source
