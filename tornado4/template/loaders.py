"""Where templates come from: a directory, a dictionary, or what a subclass makes of it."""

from __future__ import annotations

import os.path
import posixpath
import threading
from typing import Any

from tornado4.template.compiled import _DEFAULT_AUTOESCAPE, Template

_Name = str | None


class BaseLoader:
    """Compiles templates by name, once each; needed for ``extends`` and ``include``.

    A subclass defines ``_create_template(name)`` and `resolve_path`. Loading is safe from threads.

    :param autoescape: name of the escaping function, in the templates' namespace, or ``None``.
    :param namespace: variables that all templates see.
    :param whitespace: a mode of `filter_whitespace`; by default each template's suffix decides.
    """

    def __init__(
        self,
        autoescape: _Name = _DEFAULT_AUTOESCAPE,
        namespace: dict[str, Any] | None = None,
        whitespace: _Name = None,
    ) -> None:
        # Compiling a template loads those it includes, in the same thread.
        self.lock = threading.RLock()
        self.templates: dict[str, Template] = {}
        self.namespace = namespace or {}
        self.autoescape, self.whitespace = autoescape, whitespace

    def load(self, name: str, parent_path: str | None = None) -> Template:
        """Return a compiled template; a relative name is resolved against ``parent_path``."""
        full_name = self.resolve_path(name, parent_path=parent_path)
        with self.lock:
            if full_name not in self.templates:
                self.templates[full_name] = self._create_template(full_name)
            return self.templates[full_name]

    def _create_template(self, name: str) -> Template:
        raise NotImplementedError()

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the full name of a template that ``parent_path`` calls ``name``."""
        raise NotImplementedError()

    def reset(self) -> None:
        """Forget all compiled templates, so that changes on disk are seen."""
        with self.lock:
            self.templates = {}


def _is_relative(name: str, parent_path: str | None) -> bool:
    # "<string>" and the like have no directory.
    return bool(parent_path) and not parent_path.startswith(("<", "/")) and not name.startswith("/")  # type: ignore[union-attr]


class Loader(BaseLoader):
    """Loads templates from files below one directory.

    The names in templates are trusted as the templates themselves are: an absolute name, or one
    that leads out of the directory, is read as well (as in 4.5.3).

    :arg root_directory: the directory.
    """

    def __init__(self, root_directory: str, **kwargs: Any) -> None:
        self.root = os.path.abspath(root_directory)
        super().__init__(**kwargs)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The name below the root directory; one that leads out of it, or is absolute, is left as it is.

        :arg parent_path: the template that names it.
        """
        if parent_path is not None and _is_relative(name, parent_path):
            directory = os.path.dirname(os.path.join(self.root, parent_path))
            path = os.path.abspath(os.path.join(directory, name))
            inside = os.path.join(self.root, "")
            if path.startswith(inside):
                return path[len(inside) :]
        return name

    def _create_template(self, name: str) -> Template:
        with open(os.path.join(self.root, name), "rb") as file:
            return Template(file.read(), name=name, loader=self)


class DictLoader(BaseLoader):
    """Loads templates from a dictionary of texts by name; for tests, mostly.

    :arg dict: texts by name.
    """

    def __init__(self, dict: dict[str, str | bytes], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dict = dict

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The key; a relative name counts from the directory part of ``parent_path``."""
        if parent_path is not None and _is_relative(name, parent_path):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent_path), name))
        return name

    def _create_template(self, name: str) -> Template:
        return Template(self.dict[name], name=name, loader=self)
