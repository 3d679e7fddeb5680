"""`Template`: text in, Python code out, bytes on demand."""

from __future__ import annotations

import linecache
from io import StringIO
from types import CodeType
from typing import TYPE_CHECKING, Any

from tornado4 import escape
from tornado4.log import app_log
from tornado4.template import runtime
from tornado4.template.nodes import _ExtendsBlock, _File, _NamedBlock
from tornado4.template.parser import _parse
from tornado4.template.reader import ParseError, _TemplateReader
from tornado4.template.whitespace import filter_whitespace
from tornado4.template.writer import _CodeWriter, _format_code
from tornado4.util import ObjectDict, exec_in

if TYPE_CHECKING:
    from tornado4.template.loaders import BaseLoader

_DEFAULT_AUTOESCAPE = "xhtml_escape"
_UNSET: Any = object()


class Template:
    """A compiled template. `generate` fills it in, as often as needed and from any thread.

    :param template_string: its text; bytes must be UTF-8.
    :param name: shown in errors; its suffix decides on white space where nothing else does.
    :param loader: where other templates come from, and the defaults of the following.
    :param compress_whitespace: older spelling: true for ``whitespace="single"``, false for ``"all"``.
    :param autoescape: name of the function that expressions go through, or ``None``.
    :param whitespace: a mode of `filter_whitespace`. By default ``single`` for ``.html`` and ``.js``,
        ``all`` for others.
    :raises ParseError: directives are wrong; Python's own errors (`SyntaxError`) tell of the code in
        them, which is then logged.
    """

    # Whether a bare ``xhtml_escape`` in this template's code can only mean the namespace's.
    _quick_xhtml = True

    def __init__(
        self,
        template_string: str | bytes,
        name: str = "<string>",
        loader: BaseLoader | None = None,
        compress_whitespace: bool | None = _UNSET,
        autoescape: str | None = _UNSET,
        whitespace: str | None = None,
    ) -> None:
        self.name = escape.native_str(name)
        mode = _whitespace_mode(whitespace, compress_whitespace) or (loader and loader.whitespace)
        mode = mode or ("single" if self.name.endswith((".html", ".js")) else "all")
        filter_whitespace(mode, "")  # raises if there is no such mode

        if autoescape is _UNSET:
            autoescape = loader.autoescape if loader else _DEFAULT_AUTOESCAPE
        self.autoescape = autoescape
        self.namespace: dict[str, Any] = loader.namespace if loader else {}
        self.loader = loader
        reader = _TemplateReader(self.name, escape.native_str(template_string), mode)
        self.file = _File(self, _parse(reader, self))

        self.code: str = self._generate_python(loader)
        self._source = ObjectDict(get_source=lambda name: self.code)
        self.compiled = self._compile()
        if _binds(self.compiled, "xhtml_escape"):
            self._quick_xhtml = False
            self.code = self._generate_python(loader)
            self.compiled = self._compile()

    def _compile(self) -> CodeType:
        try:
            return compile(self.code, self._module_name() + ".generated.py", "exec", dont_inherit=True)
        except Exception:
            app_log.error("%s code:\n%s", self.name, _format_code(self.code).rstrip())
            raise

    def _module_name(self) -> str:
        return self.name.replace(".", "_")

    def generate(self, **kwargs: Any) -> bytes:
        """Run the template with the given variables, and return what it shows."""
        namespace = runtime.namespace()
        # By these, tracebacks find the generated code.
        namespace["__name__"] = self._module_name()
        namespace["__loader__"] = self._source
        namespace.update(self.namespace)
        namespace.update(kwargs)
        escaping = namespace["xhtml_escape"]
        if escaping is not runtime.OUR_XHTML_ESCAPE:
            namespace["_tt_xhtml"] = runtime.with_escaping(escaping)
        exec_in(self.compiled, namespace)
        # Another template of this name may have left its lines there, and linecache would not look
        # again for what comes from a loader.
        linecache.cache.pop(self.compiled.co_filename, None)
        # Taken out of its own globals: as a cycle, all that the page was made of would wait for the collector.
        execute = namespace.pop("_tt_execute")
        shown: bytes = execute()
        return shown

    def _generate_python(self, loader: Any) -> str:
        """Write the code of the outermost template, with the blocks of all that extend it."""
        family = self._get_ancestors(loader)
        blocks: dict[str, _NamedBlock] = {}
        for file in reversed(family):
            file.find_named_blocks(loader, blocks)
        outermost = family[-1]
        out = StringIO()
        writer = _CodeWriter(out, blocks, loader, outermost.template)
        writer.quick_xhtml = self._quick_xhtml
        outermost.generate(writer)
        return out.getvalue()

    def _get_ancestors(self, loader: Any) -> list[_File]:
        """Return this template's file, then that of the one it extends, and so on."""
        family = [self.file]
        for chunk in self.file.body.chunks:
            if isinstance(chunk, _ExtendsBlock):
                if not loader:
                    raise ParseError("{% extends %} block found, but no template loader")
                family += loader.load(chunk.name, self.name)._get_ancestors(loader)
        return family


def _whitespace_mode(whitespace: str | None, compress_whitespace: bool | None) -> str | None:
    """Return the mode that either spelling of the argument asks for, if any."""
    if compress_whitespace is _UNSET:
        return whitespace
    if whitespace is None:
        return "single" if compress_whitespace else "all"
    raise Exception("cannot set both whitespace and compress_whitespace")


def _binds(code: CodeType, name: str) -> bool:
    """Tell whether a function in ``code`` has a local variable of this name."""
    return name in code.co_varnames + code.co_cellvars or any(
        _binds(const, name) for const in code.co_consts if isinstance(const, CodeType)
    )
