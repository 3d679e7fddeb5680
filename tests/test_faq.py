"""docs/faq.md: each message comes from the program above it."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from programs import ROOT, environment

TEXT = (ROOT / "docs/faq.md").read_text("utf-8")
CASES = re.findall(
    r"^### ([^\n]+)\n\n<!-- ran: CI, tests/test_faq\.py(?:; in: (\w+))? -->\n"
    r"```python\n(.*?)^```\n\n```text\n(.*?)^```$",
    TEXT, re.DOTALL | re.MULTILINE,
)  # fmt: skip

#: Around the methods of a handler.
APPLICATION = """
import unittest
from tornado import gen, testing, web

class Main(web.RequestHandler):
{body}

settings = vars(Main).get("settings", {{}})
if settings:
    del Main.settings  # for the application, not for the class

class Test(testing.AsyncHTTPTestCase):
    def get_app(self):
        return web.Application([("/", Main)], **settings)

    def test(self):
        self.fetch("/", **({{"method": "POST", "body": "a=b"}} if "post" in vars(Main) else {{}}))

unittest.main()
"""


def program(code: str, where: str) -> str:
    if where != "handler":
        return code
    return APPLICATION.format(body=textwrap.indent(code, "    "))


def test_there_are_twenty_at_least() -> None:
    assert len(CASES) == len(re.findall(r"^### ", TEXT, re.MULTILINE)) >= 20


@pytest.mark.parametrize("title, where, code, message", CASES, ids=[case[0] for case in CASES])
def test_message_is_what_the_program_says(title: str, where: str, code: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(program(code, where))
    start = [] if where == "python" else ["-m", "tornado4", "run"]
    done = subprocess.run(
        [sys.executable, *start, "app.py"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    pattern = ".*".join(re.escape(line).replace(re.escape("..."), ".*") for line in message.splitlines())
    assert re.search(pattern, done.stdout, re.DOTALL), done.stdout
