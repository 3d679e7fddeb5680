"""The program as a whole: its modules, its classes, and what an expression in it stands for.

Nothing is imported or run. Names are followed through assignments, ``self`` attributes, base classes, re-exports and
star imports, as far as that leads; where it does not, there is no value, and nothing is claimed.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tornado4.migrate.check import tornado
from tornado4.migrate.check.answers import Answers
from tornado4.migrate.check.index import Index
from tornado4.migrate.check.scopes import (
    FUNCTIONS,
    Assigned,
    Binding,
    Caught,
    Defined,
    Function,
    Imported,
    Parameter,
    Scope,
    Unknown,
    bind_walrus,
    module_scope,
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A thing that has a dotted name: a module, class, function, constant.

    ``written`` is the name by which the program came to it: ``tornado.web.gen`` for the module ``tornado.gen``.
    ``sure`` is False where only the name of an object says what it is a member of.
    """

    dotted: str
    written: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class. ``sure`` is False where only its name says so."""

    cls: str
    sure: bool = True


Value = Ref | Instance


@dataclass(slots=True, eq=False)
class Class:
    """A class of the program."""

    dotted: str
    node: ast.ClassDef
    scope: Scope
    outer: Scope


_WORD = re.compile(r"\w+")


@dataclass(slots=True, eq=False)
class Module:
    """A file of the program. ``path`` as findings show it; ``name`` is dotted."""

    path: str
    name: str
    tree: ast.Module
    lines: list[str]
    scope: Scope
    is_package: bool
    text: str
    _index: Index | None = None
    _words: frozenset[str] | None = None

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def index(self) -> Index:
        """Made when first asked for: few modules need one."""
        if self._index is None:
            self._index = Index(self.tree, self.scope)
        return self._index

    @property
    def words(self) -> frozenset[str]:
        """The words of its text: most modules have nothing to do with a name that is asked for."""
        if self._words is None:
            self._words = frozenset(_WORD.findall(self.text))
        return self._words


class Project:
    """All modules of a program, and the resolver over them.

    ``aliases`` are names of the program that stand for names of Tornado's (``[tool.tornado4] aliases``).
    """

    def __init__(self, aliases: dict[str, str] | None = None) -> None:
        self.modules: dict[str, Module] = {}
        self.all_modules: list[Module] = []
        self.aliases = aliases or {}
        self._classes: dict[str, Class] = {}
        self._answers = Answers()
        self._bases: dict[str, list[str]] = {}
        self._bases_open = 0
        self._mros: dict[str, list[str]] = {}
        #: What others have worked out of the program as it is; forgotten when a file is entered.
        self.notes: dict[str, object] = {}

    def add(self, path: str, name: str, source: str, tree: ast.Module, *, is_package: bool) -> Module:
        """Enter a file that was read and parsed."""
        package = name if is_package else name.rpartition(".")[0]
        scope = module_scope(tree, name, package)
        if ":=" in source:
            bind_walrus(tree, scope)
        lines = source.removesuffix("\n").split("\n")  # not splitlines: a form feed ends no line of Python's
        module = Module(path, name, tree, lines, scope, is_package, source)
        self.enter(module)
        return module

    def enter(self, module: Module) -> None:
        """Enter a module, made by another project perhaps."""
        self.modules.setdefault(module.name, module)
        self.all_modules.append(module)
        self._answers = Answers()
        self._bases.clear()
        self._mros.clear()
        self.notes.clear()
        self._enter_classes(module.scope, module.name)

    def modules_saying(self, word: str) -> list[Module]:
        """The modules in whose text a word stands."""
        return [each for each in self.all_modules if word in each.words]

    def _enter_classes(self, scope: Scope, prefix: str) -> None:
        for node, inner in scope.inner.items():
            name = f"{prefix}.{node.name}"  # type: ignore[attr-defined]
            if isinstance(node, ast.ClassDef):
                self._classes.setdefault(name, Class(name, node, inner, scope))
            self._enter_classes(inner, name)

    # -- classes

    def classes(self) -> Iterable[Class]:
        return self._classes.values()

    def class_named(self, dotted: str) -> Class | None:
        return self._classes.get(dotted)

    def class_of_scope(self, scope: Scope) -> str | None:
        """The dotted name of the class whose scope this is."""
        parts: list[str] = []
        at: Scope | None = scope
        while at is not None and at.kind != "module":
            parts.append(at.node.name)  # type: ignore[attr-defined]
            at = at.parent
        return ".".join([scope.module, *reversed(parts)])

    def bases(self, dotted: str) -> list[str]:
        """The dotted names of a class's bases; "?" for one that cannot be followed."""
        known = self._bases.get(dotted)
        if known is not None:
            return known
        found = self._classes.get(dotted)
        if found is None:
            return tornado.mro(dotted)[1:]
        self._bases[dotted] = []  # against circles
        self._bases_open += 1
        names = []
        for base in found.node.bases:
            refs = [value.dotted for value in self.resolve(base, found.outer) if isinstance(value, Ref)]
            if not refs and isinstance(base, ast.Name) and hasattr(builtins, base.id):
                refs = [f"builtins.{base.id}"]
            names += refs or ["?"]
        self._bases_open -= 1
        self._bases[dotted] = names
        return names

    def mro(self, dotted: str) -> list[str]:
        """A class and all it inherits from, each once, nearest first; "?" stands for what is not known."""
        known = self._mros.get(dotted)
        if known is not None:
            return known
        order: list[str] = []
        waiting = [dotted]
        while waiting:
            each = waiting.pop(0)
            if each not in order:
                order.append(each)
                waiting += self.bases(each)
        if not self._bases_open:
            self._mros[dotted] = order
        return order

    def derives_from(self, dotted: str, base: str) -> bool:
        return base in self.mro(dotted)

    def method(self, cls: str, name: str) -> tuple[Class, Function] | None:
        """The method of a class of the program, its own or inherited from another of the program's."""
        for each in self.mro(cls):
            found = self._classes.get(each)
            if found is not None:
                for binding in found.scope.bindings.get(name, ()):
                    if isinstance(binding, Defined) and isinstance(binding.node, FUNCTIONS):
                        return found, binding.node
        return None

    # -- names and expressions

    def resolve(self, node: ast.expr, scope: Scope) -> tuple[Value, ...]:
        """What an expression may stand for; empty where that is not known."""
        return self._answers.once((id(node), id(scope)), lambda: self._resolve(node, scope))

    def _resolve(self, node: ast.expr, scope: Scope) -> tuple[Value, ...]:
        if isinstance(node, ast.Name):
            return self.lookup(node.id, scope)
        if isinstance(node, ast.Attribute):
            found: list[Value] = []
            for value in self.resolve(node.value, scope):
                found += self.attribute(value, node.attr)
            if not found and node.attr in tornado.LIKELY_NAMES:
                return (Instance(tornado.LIKELY_NAMES[node.attr], sure=False),)
            return tuple(dict.fromkeys(found))
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Await | ast.Yield) and node.value is not None:
            return self._awaited(node.value, scope)
        if isinstance(node, ast.IfExp):
            return tuple(dict.fromkeys(self.resolve(node.body, scope) + self.resolve(node.orelse, scope)))
        if isinstance(node, ast.BoolOp):
            values = [value for each in node.values for value in self.resolve(each, scope)]
            return tuple(dict.fromkeys(values))
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value, scope)
        return ()

    def lookup(self, name: str, scope: Scope) -> tuple[Value, ...]:
        """A bare name, looked for as Python does: this scope, then the functions around it, then the module."""
        return self._answers.once((name, id(scope)), lambda: self._lookup(name, scope))

    def _lookup(self, name: str, scope: Scope) -> tuple[Value, ...]:
        at: Scope | None = scope
        while at is not None:
            if at.kind != "class" or at is scope:
                bindings = at.bindings.get(name)
                if bindings is not None:
                    return self._bound(bindings)
                if at.kind == "module":
                    return self._starred(name, at)
            at = at.parent
        return ()

    def written(self, node: ast.expr, scope: Scope) -> ast.expr | None:
        """The one expression that a name or attribute was set to; None where there are several, or none is known."""
        if isinstance(node, ast.Name):
            at: Scope | None = scope
            while at is not None and (node.id not in at.bindings or (at.kind == "class" and at is not scope)):
                at = at.parent
            return self._written(at.bindings[node.id]) if at is not None else None
        if isinstance(node, ast.Attribute):
            for value in self.resolve(node.value, scope):
                module = self.modules.get(value.dotted) if isinstance(value, Ref) else None
                if module is not None and node.attr in module.scope.bindings:
                    return self._written(module.scope.bindings[node.attr])
        return None

    def _written(self, bindings: list[Binding], depth: int = 3) -> ast.expr | None:
        assigned = [each for each in bindings if not _is_none(each)]
        if len(assigned) != 1:
            return None
        (binding,) = assigned
        if isinstance(binding, Assigned):
            return binding.value
        if isinstance(binding, Imported) and depth:
            name, _, attribute = binding.dotted.rpartition(".")
            module = self.modules.get(name)
            if module is not None and attribute in module.scope.bindings:
                return self._written(module.scope.bindings[attribute], depth - 1)
        return None

    def _starred(self, name: str, scope: Scope) -> tuple[Value, ...]:
        if not name.startswith("_"):
            for source in reversed(scope.stars):
                if tornado.is_module(source):
                    if name in tornado.names_of(source):
                        return (Ref(tornado.home(source, name), f"{source}.{name}"),)
                elif source in self.modules and self.modules[source].scope is not scope:
                    found = self.member(source, name)
                    if found:
                        return found
        return ()

    def _bound(self, bindings: list[Binding]) -> tuple[Value, ...]:
        values: list[Value] = []
        sure = True
        for binding in bindings:
            found = self._binding(binding)
            values += found
            replaced = isinstance(binding, Imported | Assigned) and binding.replaced
            sure = sure and bool(found or _is_none(binding) or replaced)
        if not sure:
            values = [dataclasses.replace(value, sure=False) for value in values]
        return tuple(dict.fromkeys(values))

    def _binding(self, binding: Binding) -> tuple[Value, ...]:
        if isinstance(binding, Imported):
            return () if _stood_in_for(binding) else self.dotted(binding.dotted)
        if isinstance(binding, Assigned):
            values = self.resolve(binding.value, binding.scope)
            return tuple(each for each in values if not _is_gone(each)) if binding.replaced else values
        if isinstance(binding, Defined):
            prefix = self.class_of_scope(binding.scope) if binding.scope.kind != "module" else binding.scope.module
            return (Ref(f"{prefix}.{binding.node.name}"),)
        if isinstance(binding, Parameter):
            return self._parameter(binding)
        if isinstance(binding, Caught):
            kinds = binding.kinds.elts if isinstance(binding.kinds, ast.Tuple) else [binding.kinds]
            refs = [value for kind in kinds for value in self.resolve(kind, binding.scope) if isinstance(value, Ref)]
            return tuple(Instance(ref.dotted) for ref in refs if self.is_class(ref.dotted))
        assert isinstance(binding, Unknown)
        return ()

    def _parameter(self, parameter: Parameter) -> tuple[Value, ...]:
        function = parameter.function
        owner = self._owner.get(function)
        if owner is not None and isinstance(function, FUNCTIONS):
            kinds = {each.id for each in function.decorator_list if isinstance(each, ast.Name)}
            if parameter.position == 0 and "staticmethod" not in kinds:
                return (Ref(owner),) if "classmethod" in kinds else (Instance(owner),)
            for base in self.mro(owner):
                cls = tornado.PARAMETERS.get((base, function.name, parameter.position - 1))
                if cls is not None:
                    return (Instance(cls),)
        annotated = self._annotated(parameter)
        if annotated:
            return annotated
        likely = tornado.LIKELY_NAMES.get(parameter.name)
        return (Instance(likely, sure=False),) if likely else ()

    def _annotated(self, parameter: Parameter) -> tuple[Value, ...]:
        function = parameter.function
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        for each in arguments:
            if each.arg == parameter.name and each.annotation is not None:
                outer = self._outer.get(function)
                refs = self._type(each.annotation, outer) if outer is not None else ()
                return tuple(Instance(ref.dotted) for ref in refs if isinstance(ref, Ref) and self.is_class(ref.dotted))
        return ()

    def _type(self, annotation: ast.expr, scope: Scope) -> tuple[Value, ...]:
        """``IOLoop``, ``ioloop.IOLoop``, ``"IOLoop"``."""
        if isinstance(annotation, ast.Name | ast.Attribute):
            return self.resolve(annotation, scope)
        if not (isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)):
            return ()
        first, *rest = annotation.value.strip().split(".")
        values = self.lookup(first, scope)
        for name in rest:
            values = tuple(found for value in values for found in self.attribute(value, name))
        return values

    _owner_of: dict[ast.AST, str] | None = None
    _outer_of: dict[ast.AST, Scope] | None = None

    @property
    def _owner(self) -> dict[ast.AST, str]:
        """The class of each method."""
        if self._owner_of is None:
            self._owner_of = {
                node: cls.dotted
                for cls in self._classes.values()
                for node in cls.scope.inner
                if isinstance(node, FUNCTIONS)
            }
        return self._owner_of

    @property
    def _outer(self) -> dict[ast.AST, Scope]:
        """The scope in which each function is defined."""
        if self._outer_of is None:
            self._outer_of = {}
            waiting = [module.scope for module in self.all_modules]
            while waiting:
                scope = waiting.pop()
                for node, inner in scope.inner.items():
                    self._outer_of[node] = scope
                    waiting.append(inner)
        return self._outer_of

    def functions(self) -> Iterable[tuple[Function, Scope]]:
        """All functions and methods of the program, nested ones too, each with the scope in which it is defined."""
        return [(node, outer) for node, outer in self._outer.items() if isinstance(node, FUNCTIONS)]

    def is_function(self, dotted: str) -> bool:
        """Whether a dotted name is a function or method of the program."""
        return dotted in self._functions

    _function_names: frozenset[str] | None = None

    @property
    def _functions(self) -> frozenset[str]:
        if self._function_names is None:
            self._function_names = frozenset(
                f"{self.class_of_scope(outer)}.{node.name}"
                for node, outer in self._outer.items()
                if isinstance(node, FUNCTIONS)
            )
        return self._function_names

    def is_class(self, dotted: str) -> bool:
        return dotted in self._classes or tornado.is_class(dotted)

    # -- dotted names

    def dotted(self, name: str) -> tuple[Value, ...]:
        """A dotted name as an import gives it, followed to its home through re-exports."""
        name = self.aliases.get(name, name)
        if name in self.modules or tornado.is_module(name):
            return (Ref(name, name),)
        module, _, attribute = name.rpartition(".")
        if not module:
            return (Ref(name, name),)
        return self.member(module, attribute)

    def member(self, module: str, name: str) -> tuple[Value, ...]:
        """``module.name``, with ``module`` dotted."""
        written = f"{module}.{name}"
        alias = self.aliases.get(written)
        if alias is not None:
            return self.dotted(alias)
        if tornado.is_module(module):
            return (Ref(tornado.home(module, name), written),)
        if module in self.modules:
            if written in self.modules:
                return (Ref(written, written),)
            scope = self.modules[module].scope
            return self._answers.once(written, lambda: self.lookup(name, scope)) or (Ref(written, written),)
        return (Ref(written, written),)

    def attribute(self, value: Value, name: str) -> tuple[Value, ...]:
        """An attribute of a module, class or object."""
        if isinstance(value, Ref):
            dotted = value.dotted
            if tornado.is_module(dotted) or dotted in self.modules:
                return self.member(dotted, name)
            if self.is_class(dotted):
                return self._class_attribute(dotted, name, sure=True)
            return (Ref(f"{dotted}.{name}", f"{value.written or dotted}.{name}"),)
        return self._class_attribute(value.cls, name, sure=value.sure)

    def _class_attribute(self, cls: str, name: str, *, sure: bool) -> tuple[Value, ...]:
        for each in self.mro(cls):
            found = self._classes.get(each)
            if found is not None:
                own = found.scope.bindings.get(name, [])
                if any(isinstance(binding, Defined) for binding in own):
                    return (Ref(f"{each}.{name}"),)
                assigned = [*own, *found.scope.bindings.get(f"self.{name}", [])]
                values = self._bound(assigned)
                if values:
                    return values
            kind = tornado.ATTRIBUTES.get((each, name))
            if kind is not None:
                return (Instance(kind, sure=sure),)
            if each in tornado.STANDARD:
                return (Ref(f"{each}.{name}", sure=sure),)
            at = tornado.member_home(each, name) if tornado.is_class(each) else None
            if at is not None:  # what a class has inherited is known by its name, too: IOLoop.configure
                return (Ref(at, f"{each}.{name}" if at != f"{each}.{name}" else "", sure),)
        return ()

    def _call(self, node: ast.Call, scope: Scope) -> tuple[Value, ...]:
        values: list[Value] = []
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not self.lookup("super", scope):
            return self._super(node, scope)
        for value in self.resolve(node.func, scope):
            if not isinstance(value, Ref):
                continue
            if self.is_class(value.dotted):
                values.append(Instance(value.dotted, value.sure))
            elif value.dotted in tornado.RESULTS:
                values.append(Instance(tornado.RESULTS[value.dotted], value.sure))
        return tuple(dict.fromkeys(values))

    def _super(self, node: ast.Call, scope: Scope) -> tuple[Value, ...]:
        """``super()`` and ``super(Own, self)``: an object of what the class is derived from."""
        if node.args:
            owners = [value.dotted for value in self.resolve(node.args[0], scope) if isinstance(value, Ref)]
        else:
            cls = scope.enclosing_class()
            owners = [self.class_of_scope(cls) or ""] if cls is not None else []
        bases = [base for owner in owners for base in self.bases(owner) if self.is_class(base)]
        return tuple(Instance(base) for base in dict.fromkeys(bases))

    def _awaited(self, node: ast.expr, scope: Scope) -> tuple[Value, ...]:
        if not isinstance(node, ast.Call):
            return ()
        values = []
        for value in self.resolve(node.func, scope):
            if isinstance(value, Ref) and value.dotted in tornado.AWAITED:
                values.append(Instance(tornado.AWAITED[value.dotted], value.sure))
        return tuple(dict.fromkeys(values))


def _stood_in_for(binding: Binding) -> bool:
    """``try: from tornado import stack_context`` with something else in its place where that fails, as it does."""
    return isinstance(binding, Imported) and binding.replaced and tornado.is_gone(binding.dotted)


def _is_gone(value: Value) -> bool:
    """``try: Future = concurrent.TracebackFuture`` with something else in its place where that fails, as it does."""
    return isinstance(value, Ref) and (tornado.is_gone(value.dotted) or tornado.is_gone(value.written))


def _is_none(binding: Binding) -> bool:
    """``name = None``: a place held for the value that comes."""
    return isinstance(binding, Assigned) and isinstance(binding.value, ast.Constant) and binding.value.value is None
