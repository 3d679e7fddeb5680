"""UI modules: reusable pieces of a page that bring their own JavaScript and CSS along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tornado4 import escape

if TYPE_CHECKING:
    from tornado4.web.handler import RequestHandler


class UIModule:
    """A reusable part of a page. Subclasses implement `render`, and say what the page needs besides.

    One instance serves all uses of the module on a page. ``handler``, ``request``, ``ui`` and ``locale``
    are those of the page's handler.
    """

    def __init__(self, handler: RequestHandler) -> None:
        self.handler = handler
        self.locale, self.request, self.ui = handler.locale, handler.request, handler.ui

    def render(self, *args: Any, **kwargs: Any) -> Any:
        """The module's HTML, text or bytes. Abstract."""
        raise NotImplementedError()

    def render_string(self, path: str, **kwargs: Any) -> bytes:
        """Render a template to bytes, as `RequestHandler.render_string` does.

        :arg path: of the template.
        """
        return self.handler.render_string(path, **kwargs)

    @property
    def current_user(self) -> Any:
        """The handler's current user."""
        return self.handler.current_user

    # What the page needs for this module; asked for once a page, however often the module is used.

    def css_files(self) -> Any:
        """A path, or several, of style sheets; relative ones go through `RequestHandler.static_url`."""

    def embedded_css(self) -> Any:
        """CSS to be put inline in the page's head."""

    def javascript_files(self) -> Any:
        """A path, or several, of scripts; relative ones go through `RequestHandler.static_url`."""

    def embedded_javascript(self) -> Any:
        """JavaScript to be put inline at the end of the page's body."""

    def html_head(self) -> Any:
        """HTML to be put in the page's head."""

    def html_body(self) -> Any:
        """HTML to be put at the end of the page's body."""


class _xsrf_form_html(UIModule):
    def render(self) -> str:
        return self.handler.xsrf_form_html()


class _linkify(UIModule):
    def render(self, text: str, **options: Any) -> str:
        return escape.linkify(text, **options)


class TemplateModule(UIModule):
    """Renders a template as a module: ``{% module Template("foo.html", arg=42) %}``.

    The template may call ``set_resources(javascript_files=..., css_files=...)``, with one keyword a method of
    `UIModule`, to say what the page needs. Each template may ask for one set of resources only; `ValueError`
    otherwise.
    """

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__(handler)
        self._resource_dict: dict[str, dict[str, Any]] = {}

    @property
    def _resource_list(self) -> list[dict[str, Any]]:
        return list(self._resource_dict.values())

    def render(self, path: str, **kwargs: Any) -> bytes:
        """Render the template at ``path`` with ``kwargs`` in its namespace.

        :raises ValueError: the same template asks for other files than before.
        """

        def set_resources(**wanted: Any) -> str:
            if self._resource_dict.setdefault(path, wanted) != wanted:
                raise ValueError("set_resources called with different resources for the same template")
            return ""

        return self.render_string(path, set_resources=set_resources, **kwargs)

    def _get_resources(self, key: str) -> Iterator[Any]:
        return (wanted[key] for wanted in self._resource_dict.values() if key in wanted)

    def _files(self, key: str) -> list[Any]:
        paths: list[Any] = []
        for entry in self._get_resources(key):
            paths.extend([entry] if isinstance(entry, str | bytes) else entry)
        return paths

    def css_files(self) -> list[str]:
        """The templates' style sheets."""
        return self._files("css_files")

    def javascript_files(self) -> list[str]:
        """The templates' script files."""
        return self._files("javascript_files")

    def embedded_css(self) -> str:
        """The templates' inline CSS, a line end between them."""
        return "\n".join(self._get_resources("embedded_css"))

    def embedded_javascript(self) -> str:
        """The templates' inline scripts, a line end between them."""
        return "\n".join(self._get_resources("embedded_javascript"))

    def html_body(self) -> str:
        """The templates' HTML for the end of the body."""
        return "".join(self._get_resources("html_body"))

    def html_head(self) -> str:
        """The templates' HTML for the head."""
        return "".join(self._get_resources("html_head"))


class _UIModuleNamespace:
    """What templates know as ``modules``: a module's renderer, by item or by attribute."""

    def __init__(self, handler: RequestHandler, ui_modules: Mapping[str, type[UIModule]]) -> None:
        self.handler = handler
        self.ui_modules = ui_modules

    def __getitem__(self, key: str) -> Any:
        return self.handler._ui_module(key, self.ui_modules[key])

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError as e:
            raise AttributeError(str(e)) from None
