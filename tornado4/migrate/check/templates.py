"""Tornado templates: names in them that Tornado 6 has no more. A template is read, never run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tornado4.migrate.check.files import SKIPPED
from tornado4.migrate.check.findings import Finding
from tornado4.migrate.check.tornado import is_gone
from tornado4.migrate.rules import rules

SUFFIXES = (".html", ".htm", ".txt", ".xml", ".tpl", ".tmpl")

_TAG = re.compile(r"\{\{(?P<expression>[^}]*)\}\}|\{%(?P<block>[^%]*)%\}", re.DOTALL)
_DOTTED = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)+")

#: Names of Tornado 4 that a template may use through ``handler`` or an import of its own, with their rules.
_HANDLER = {
    "handler.get_secure_cookie": "TND147",
    "handler.clear_all_cookies": "TND148",
    "request.supports_http_1_1": "TND132",
    "handler.request.supports_http_1_1": "TND132",
}


def template_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files below the paths that look like templates of Tornado."""
    for top in paths:
        if not top.is_dir():
            continue
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(each for each in folders if each not in SKIPPED)
            yield from (Path(folder, each) for each in sorted(files) if each.endswith(SUFFIXES))


def check_template(path: Path, shown: str) -> list[Finding]:
    """What a template says that Tornado 6 has no more. Those of other engines have no such names."""
    try:
        text = path.read_text("utf-8")
    except (UnicodeDecodeError, OSError):
        return []
    findings = []
    for tag in _TAG.finditer(text):
        code = tag["expression"] if tag["expression"] is not None else tag["block"]
        start = tag.start("expression") if tag["expression"] is not None else tag.start("block")
        imported = code.split()[:1] in (["import"], ["from"])
        for match in _DOTTED.finditer(code):
            rule_id = _HANDLER.get(match[0])
            if rule_id is None and match[0].startswith("tornado.") and is_gone(match[0]):
                rule_id = "TND118"
            if rule_id is None and imported and is_gone(match[0]):
                rule_id = "TND118"
            if rule_id is not None:
                at = start + match.start()
                line = text.count("\n", 0, at) + 1
                column = at - (text.rfind("\n", 0, at) + 1) + 1
                message = f"{match[0]}: {rules()[rule_id].advice or rules()[rule_id].title}"
                source = text.splitlines()[line - 1].strip()
                findings.append(Finding(shown, line, column, rule_id, "certain", message, source))
    return findings
