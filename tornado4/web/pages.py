"""Assembling an HTML page: links and inline code that UI modules ask for, put where they belong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tornado4.escape import utf8, xhtml_escape


def is_absolute(path: str) -> bool:
    """Whether a URL stands by itself: it begins with a slash, or with http: or https:.

    :arg path: a URL.
    """
    return path.startswith(("/", "http:", "https:"))


def linked(template: str, paths: Iterable[str], static_url: Callable[[str], str]) -> str:
    """One tag a distinct path, in order of first appearance; ``template`` has one ``%s`` for the address."""
    urls = dict.fromkeys(path if is_absolute(path) else static_url(path) for path in paths)
    return "".join(template % xhtml_escape(url) for url in urls)


class Resources:
    """What the modules on a page ask for, each kind in the order of the modules."""

    def __init__(self, modules: Iterable[Any]) -> None:
        self.js_embed: list[bytes] = []
        self.js_files: list[Any] = []
        self.css_embed: list[bytes] = []
        self.css_files: list[Any] = []
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        for module in modules:
            self._ask(module)

    def _ask(self, module: Any) -> None:
        for target, answer in (
            (self.js_embed, module.embedded_javascript()),
            (self.js_files, module.javascript_files()),
            (self.css_embed, module.embedded_css()),
            (self.css_files, module.css_files()),
            (self.heads, module.html_head()),
            (self.bodies, module.html_body()),
        ):
            if not answer:
                continue
            if target is not self.js_files and target is not self.css_files:
                target.append(utf8(answer))
            elif isinstance(answer, str | bytes):
                target.append(answer)  # type: ignore[arg-type]  # a list of either
            else:
                target.extend(answer)


def insert(page: bytes, piece: bytes, before: bytes, *, last: bool) -> bytes:
    """Put ``piece`` and a line end before the first or last ``before``; `ValueError` if there is none."""
    at = page.rindex(before) if last else page.index(before)
    return page[:at] + piece + b"\n" + page[at:]
