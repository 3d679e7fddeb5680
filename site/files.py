"""What lies between files and pages: links to folders, pages beneath a page, and the way in at ``/index.html``."""

from __future__ import annotations

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

#: Pages that are written by a tool, or for people who read them on disk, and stand above others here.
ABOVE = {"docs/rules/README": "*"}

CHILDREN = """

```{{toctree}}
:hidden:
:glob:

{}
```
"""

GLOB = re.compile(r"[\w/-]*\*")

RAN = re.compile(r"<!-- ran: (CI|nox|by hand), ([^;]+?)(?:; .+)? -->")
RUN_BY = {"CI": "run for each change by", "nox": "run now and then by nox -s", "by hand": "run by hand on"}

REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>tornado4</title>
<meta http-equiv="refresh" content="0; url=docs/index.html">
<a href="docs/index.html">tornado4</a>
</html>
"""


def shape_toctrees(app: Sphinx, page: str, source: list[str]) -> None:
    """Children for pages that name none themselves; and of globs, those that there is something for."""
    if page in ABOVE:
        source[0] += CHILDREN.format(ABOVE[page])
    if page == app.config.root_doc:
        folder = (Path(app.srcdir) / page).parent
        lines = source[0].split("\n")
        source[0] = "\n".join(line for line in lines if not GLOB.fullmatch(line) or any(folder.glob(f"{line}.md")))


def name_folders(app: Sphinx, doctree: nodes.document) -> None:
    """A link to a folder of the repository: there is no page to go to, and its text says which folder it is."""
    page = Path(app.srcdir) / app.env.docname
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link.get("reftype") == "myst" and (page.parent / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def show_where_it_ran(app: Sphinx, doctree: nodes.document) -> None:
    """``<!-- ran: CI, tests/test_run.py -->`` above a block becomes a word beside it."""
    for comment in list(doctree.findall(nodes.raw)):
        ran = RAN.fullmatch(comment.astext().strip())
        if ran is not None:
            how, where = RUN_BY[ran[1]], html.escape(ran[2])
            text = f'<p class="ran" title="{how} {where}">{ran[1]}</p>'
            comment.replace_self(nodes.raw("", text, format="html"))


def write_the_way_in(app: Sphinx, failure: Exception | None) -> None:
    """The first page lies in ``docs/``, as its source does."""
    if failure is None and app.builder.format == "html":
        (Path(app.outdir) / "index.html").write_text(REDIRECT, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", shape_toctrees)
    app.connect("doctree-read", name_folders)
    app.connect("doctree-read", show_where_it_ran)
    app.connect("build-finished", write_the_way_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
