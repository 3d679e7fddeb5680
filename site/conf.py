"""The documentation as a site: ``nox -s docs`` builds it into ``build/site``.

The source folder is the whole repository, so that the links between README, docs, examples and benchmarks are the same
ones on disk, on a code host and here. What is a page is said in ``include_patterns``; all else that is linked to is
handed out as a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

project = "tornado4"
author = "The tornado4 authors"
project_copyright = author
release = version = "4.5.3.1"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "files", "entries"]
root_doc = "docs/index"
source_suffix = {".md": "markdown"}
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/**.md",
    "benchmarks/README.md",
    "compat_tests/README.md",
    "examples/**/README.md",
]
exclude_patterns = ["build/**"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # named as code hosts name them: "#what-is-lost"
myst_links_external_new_tab = False

suppress_warnings = ["misc.highlighting_failure"]  # requests as editors write them are not quite http
smartquotes = False  # "--option" is no dash
nitpicky = True
default_role = "py:obj"

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "tornado4"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r"^\$ "
copybutton_prompt_is_regexp = True
