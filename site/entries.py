"""The reference: ``{api} tornado4.web`` in a page of docs/api becomes an entry for each public name of that module.

What stands there is the docstrings', by autodoc. References in them are as short as they are read in the source
(```set_cookie```, ```.IOLoop```), and are looked up here where Sphinx finds none.
"""

from __future__ import annotations

import builtins
import functools
import pkgutil
import re
from collections.abc import Iterator

import names
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

PLACE = re.compile(r"^```\{api\} tornado4\.([\w.]+)\n```$", re.MULTILINE)


def write_entries(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = PLACE.sub(lambda place: "\n".join(_reference(place[1])), source[0])


def _reference(module: str) -> Iterator[str]:
    full = f"tornado4.{module}"
    twice = module.startswith("forward.")  # a name's home is the module that it is given to
    yield from ("```{eval-rst}", f".. automodule:: {full}", "")
    for entry in names.entries(module):
        if entry.kind == "value":
            yield from (f".. py:data:: {full}.{entry.name}", "")
            yield from (f"   {line}" for line in names.comment(module, entry.name).splitlines())
        else:
            yield f".. auto{entry.kind}:: {full}.{entry.name}"
            if entry.members:
                yield from (f"   :members: {', '.join(entry.members)}", "   :undoc-members:")
            if twice:
                yield "   :no-index:"
        yield ""
    yield "```"


def look_up_all(app: Sphinx, doctree: nodes.document) -> None:
    """Leave names that several modules have to `look_up`, which knows whom a docstring means."""
    for link in doctree.findall(addnodes.pending_xref):
        link.attributes.pop("refspecific", None)


def look_up(
    app: Sphinx, env: BuildEnvironment, link: addnodes.pending_xref, text: nodes.TextElement
) -> nodes.Node | None:
    """Of the entries whose name ends so, the nearest; a name of Python's, or of nobody's public, stays plain text."""
    if link.get("refdomain") != "py":
        return None
    wanted = link["reftarget"].lstrip(".")
    if link["reftype"] == "class" and hasattr(builtins, wanted):
        return text  # in a signature; an entry that ends so is another thing
    objects = env.domains.python_domain.objects
    of_class = f"{link.get('py:module')}.{link.get('py:class')}"
    if of_class in objects:
        for base in pkgutil.resolve_name(of_class).__mro__:
            if (name := f"{base.__module__}.{base.__qualname__}.{wanted}") in objects:
                return make_refnode(
                    app.builder, link["refdoc"], objects[name].docname, objects[name].node_id, text, name
                )
    elif link.get("py:class"):
        return text  # a forward name, which has its home elsewhere
    here = link.get("py:module") or ""
    first = "tornado4.httpclient." if "client" in here else "tornado4.web."

    def distance(name: str) -> tuple[bool, bool, int, str]:
        return (not name.startswith(here + "."), not name.startswith(first), name.count("."), name)

    found = min((name for name in objects if name.endswith("." + wanted)), key=distance, default=None)
    if found is not None:
        return make_refnode(app.builder, link["refdoc"], objects[found].docname, objects[found].node_id, text, found)
    return text if link["reftype"] != "obj" or is_no_entry(wanted) else None


@functools.cache
def is_no_entry(name: str) -> bool:
    """Whether a name that has no entry is right all the same: a private one, or another library's."""
    if any(part.startswith("_") for part in name.split(".")):
        return True
    for path in (name, f"builtins.{name}"):
        try:
            pkgutil.resolve_name(path)
        except (ImportError, AttributeError, ValueError):
            continue
        return True
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", write_entries)
    app.connect("doctree-read", look_up_all)
    app.connect("missing-reference", look_up)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
