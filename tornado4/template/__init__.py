"""Templates: text with Python in it, compiled to Python.

Basic usage::

    page = template.Template("<p>{{ greeting }}</p>")
    print(page.generate(greeting="Bonjour"))

Templates in files need a loader, which keeps them compiled::

    loader = template.Loader("/srv/site/templates")
    print(loader.load("entry.html").generate(entry=entry))

Expressions and statements are Python, not a language of their own; all of Python can be used in them.

- ``{{ expression }}`` shows a value, escaped (`.xhtml_escape`) unless told otherwise;
  ``{% raw expression %}`` shows it as it is.
- ``{# ... #}`` and ``{% comment ... %}`` show nothing.
- ``{{!``, ``{%!`` and ``{#!`` show two braces, in text that is not meant for us.
- ``{% if %}``, ``{% elif %}``, ``{% else %}``, ``{% for %}``, ``{% while %}``, ``{% break %}``,
  ``{% continue %}``, ``{% try %}``, ``{% except %}``, ``{% finally %}`` are Python's; ``{% end %}`` ends
  each block.
- ``{% set x = y %}``, ``{% import m %}`` and ``{% from m import n %}`` bind local variables.
- ``{% extends file %}`` makes the file the frame of this template, whose ``{% block name %}`` blocks
  replace the file's blocks of the same names.
- ``{% include file %}`` puts a template here; it sees this one's variables.
- ``{% apply function %}`` passes what stands up to its end through a function.
- ``{% module M(...) %}`` shows a `.UIModule`.
- ``{% autoescape function %}`` changes the escaping of a whole file, ``None`` turns it off;
  ``{% whitespace mode %}`` sets the treatment of white space from here on (`filter_whitespace`).

Always known are ``escape`` (`.xhtml_escape`), ``xhtml_escape``, ``url_escape``, ``json_encode``,
``squeeze``, ``linkify`` and ``datetime``; `.RequestHandler` adds more.

Errors in a running template show the template's file and line in the traceback.

The rooms, from the ground up: ``whitespace``, ``reader``, ``writer``, ``nodes``, ``parser``, ``runtime``,
``compiled`` (`Template`), ``loaders``.
"""

from __future__ import annotations

from tornado4 import _handed_on
from tornado4.log import app_log
from tornado4.template.compiled import _DEFAULT_AUTOESCAPE, _UNSET, Template
from tornado4.template.loaders import BaseLoader, DictLoader, Loader
from tornado4.template.nodes import (
    _ApplyBlock,
    _ChunkList,
    _ControlBlock,
    _Expression,
    _ExtendsBlock,
    _File,
    _IncludeBlock,
    _IntermediateControlBlock,
    _Module,
    _NamedBlock,
    _Node,
    _Statement,
    _Text,
)
from tornado4.template.parser import _parse
from tornado4.template.reader import ParseError, _TemplateReader
from tornado4.template.whitespace import filter_whitespace
from tornado4.template.writer import _CodeWriter, _format_code
from tornado4.util import PY3, ObjectDict, bytes_type, exec_in, set_public_module, u, unicode_type

__all__ = [
    "PY3",
    "_DEFAULT_AUTOESCAPE",
    "_UNSET",
    "BaseLoader",
    "DictLoader",
    "Loader",
    "ObjectDict",
    "ParseError",
    "Template",
    "_ApplyBlock",
    "_ChunkList",
    "_CodeWriter",
    "_ControlBlock",
    "_Expression",
    "_ExtendsBlock",
    "_File",
    "_IncludeBlock",
    "_IntermediateControlBlock",
    "_Module",
    "_NamedBlock",
    "_Node",
    "_Statement",
    "_TemplateReader",
    "_Text",
    "_format_code",
    "_parse",
    "app_log",
    "bytes_type",
    "exec_in",
    "filter_whitespace",
    "u",
    "unicode_type",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
