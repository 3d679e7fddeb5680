"""`HandlerPages`: templates, UI modules, and the URLs that stand in pages."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from tornado4.escape import utf8
from tornado4.util import ObjectDict
from tornado4.web import pages
from tornado4.web.handler_input import HandlerInput
from tornado4.web.uimodules import _UIModuleNamespace

if TYPE_CHECKING:
    from tornado4 import template

_WEB_PACKAGE = __name__.rpartition(".")[0]


class HandlerPages(HandlerInput):
    """The floor of `RequestHandler` that renders."""

    #: Loaders by template directory, shared by all handlers, and the lock that guards them.
    _template_loaders: dict[str | None, template.BaseLoader] = {}
    _template_loader_lock = threading.Lock()

    _finished = False

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> None:
        """What `RequestHandler.finish` does."""
        raise NotImplementedError

    @functools.cached_property
    def ui(self) -> Any:
        """UI methods and modules for templates, made when first looked at."""
        application, handler = self.application, cast(Any, self)
        ui = ObjectDict((name, self._ui_method(method)) for name, method in application.ui_methods.items())
        # "modules" could be a UI method's name too; templates compile {% module %} to the other one
        ui["_tt_modules"] = ui["modules"] = _UIModuleNamespace(handler, application.ui_modules)
        return ui

    # -- pages

    def render(self, template_name: str, **kwargs: Any) -> None:
        """Render a template as the response and finish, with what its UI modules need put in place.

        :arg template_name: the file, as `get_template_path` or ``template_path`` finds it; ``kwargs`` are names
            for it.
        :raises RuntimeError: the request is finished.
        """
        if self._finished:
            raise RuntimeError("Cannot render() after finish()")
        page = self.render_string(template_name, **kwargs)
        wanted = pages.Resources(getattr(self, "_active_modules", {}).values())
        if wanted.js_files:
            page = pages.insert(page, utf8(self.render_linked_js(wanted.js_files)), b"</body>", last=True)
        if wanted.js_embed:
            page = pages.insert(page, utf8(self.render_embed_js(wanted.js_embed)), b"</body>", last=True)
        if wanted.css_files:
            page = pages.insert(page, utf8(self.render_linked_css(wanted.css_files)), b"</head>", last=False)
        if wanted.css_embed:
            page = pages.insert(page, utf8(self.render_embed_css(wanted.css_embed)), b"</head>", last=False)
        if wanted.heads:
            page = pages.insert(page, b"".join(wanted.heads), b"</head>", last=False)
        if wanted.bodies:
            page = pages.insert(page, b"".join(wanted.bodies), b"</body>", last=False)
        self.finish(page)

    def render_linked_js(self, js_files: Any) -> str:
        """Script tags for the files that UI modules ask for. Override it to serve a bundle.

        :arg js_files: URLs, or paths below ``static_path``.
        """
        return pages.linked('<script src="%s" type="text/javascript"></script>', js_files, self.static_url)

    def render_embed_js(self, js_embed: Any) -> bytes:
        """The script tag for inline JavaScript of UI modules.

        :arg js_embed: pieces of JavaScript, as bytes.
        """
        code = b"\n".join(js_embed)
        return b'<script type="text/javascript">\n//<![CDATA[\n' + code + b"\n//]]>\n</script>"

    def render_linked_css(self, css_files: Any) -> str:
        """Link tags for the style sheets that UI modules ask for.

        :arg css_files: URLs, or paths below ``static_path``.
        """
        tag = '<link href="%s" type="text/css" rel="stylesheet"/>'
        return pages.linked(tag, css_files, self.static_url)

    def render_embed_css(self, css_embed: Any) -> bytes:
        """The style tag for inline CSS of UI modules.

        :arg css_embed: pieces of CSS, as bytes.
        """
        return b'<style type="text/css">\n' + b"\n".join(css_embed) + b"\n</style>"

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Render a template to bytes; without the setting ``template_path`` it lies beside the caller's
        file.

        :arg template_name: of the template; ``kwargs`` are names for it.
        """
        path = self.get_template_path()
        if not path:
            frame: Any = sys._getframe(0)
            while frame.f_globals.get("__name__", "").startswith(_WEB_PACKAGE):
                frame = frame.f_back
            path = os.path.dirname(frame.f_code.co_filename)
        with self._template_loader_lock:
            loader = self._template_loaders.get(path)
            if loader is None:
                loader = self._template_loaders[path] = self.create_template_loader(path)
        namespace = self.get_template_namespace()
        namespace.update(kwargs)
        return loader.load(template_name).generate(**namespace)

    def get_template_namespace(self) -> dict[str, Any]:
        """The names that every template knows. Override it to add some."""
        language = self.locale
        namespace: dict[str, Any] = {
            "_": language.translate,
            "current_user": self.current_user,
            "handler": self,
            "locale": language,
            "pgettext": language.pgettext,
            "request": self.request,
        }
        for name in ("reverse_url", "static_url", "xsrf_form_html"):
            namespace[name] = getattr(self, name)
        namespace |= self.ui
        return namespace

    def create_template_loader(self, template_path: str) -> template.BaseLoader:
        """A loader for a directory: the setting ``template_loader``, or a `template.Loader` of it.

        :arg template_path: the folder.
        """
        settings = self.application.settings
        options = {}
        if "template_loader" in settings:
            ready: template.BaseLoader = settings["template_loader"]
            return ready
        if "autoescape" in settings:
            # None turns escaping off: it must reach the loader
            options["autoescape"] = settings["autoescape"]
        if "template_whitespace" in settings:
            options["whitespace"] = settings["template_whitespace"]
        from tornado4.template import Loader  # late: a server of JSON has none

        return Loader(template_path, **options)

    def get_template_path(self) -> str | None:
        """The directory of templates: the setting ``template_path``. None for the caller's directory."""
        return self.application.settings.get("template_path")

    def _ui_module(self, name: str, module: Any) -> Callable[..., Any]:
        def render(*args: Any, **kwargs: Any) -> Any:
            if not hasattr(self, "_active_modules"):
                self._active_modules: dict[str, Any] = {}
            if name not in self._active_modules:
                self._active_modules[name] = module(self)
            return self._active_modules[name].render(*args, **kwargs)

        return render

    def _ui_method(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    # -- URLs

    def reverse_url(self, name: str, *args: Any) -> str:
        """The path of a named rule: `Application.reverse_url`.

        :arg name: of the rule; ``args`` take the places of its groups.
        """
        return self.application.reverse_url(name, *args)

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """The URL of a file below the setting ``static_path``, versioned by its content so that it can be
        cached for ever.

        ``include_host`` makes it absolute; the default is the handler's attribute of that name, else false.
        Further keyword arguments go to the static handler's ``make_static_url``
        (``include_version=False``).

        :arg path: below ``static_path``.
        :raises Exception: the setting ``static_path`` is absent.
        """
        self.require_setting("static_path", "static_url")
        # late: static.py subclasses RequestHandler
        from tornado4.web.static import StaticFileHandler

        make = self.settings.get("static_handler_class", StaticFileHandler).make_static_url
        if include_host is None:
            include_host = getattr(self, "include_host", False)
        base = f"{self.request.protocol}://{self.request.host}" if include_host else ""
        return base + make(self.settings, path, **kwargs)  # type: ignore[no-any-return]
