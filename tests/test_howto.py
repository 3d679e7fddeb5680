"""docs/guide.md and the pages of docs/howto are walked: files are written, commands run, what they print is compared.

Above each block stands ``<!-- ran: CI, tests/test_howto.py -->``, with one thing more where it asks for that:

    file: app.py      the block is this file
    stays: 8000       the command goes on; the walk does when somebody listens on that port

In a console block the lines that begin with "$ " are commands. What follows one is in its output, line by line and in
order; "..." stands for anything. Ports are replaced by free ones, ``curl``, ``pip`` and ``venv`` by stand-ins, and
``$PID`` is the process that was started last.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from programs import ROOT, environment, free_port, server

WALKED = "ran: CI, tests/test_howto.py"
PAGES = [
    page
    for page in [ROOT / "docs/guide.md", *sorted((ROOT / "docs/howto").glob("*.md"))]
    if WALKED in page.read_text("utf-8")
]

#: Of pages that another package is needed for.
NEEDS = {"gunicorn": "gunicorn", "uvloop": "uvloop", "beside": "fastapi", "health": "prometheus_client"}

PORTS = re.compile(r"\b(8000|8001|8443|8888|9000)\b")

CURL = """\
import ssl, sys, urllib.error, urllib.request
arguments = sys.argv[1:]
context = None
if "--cacert" in arguments:
    at = arguments.index("--cacert")
    context = ssl.create_default_context(cafile=arguments[at + 1])
    del arguments[at : at + 2]
shows_head = "-i" in arguments
headers = dict(h.split(": ") for o, h in zip(arguments, arguments[1:]) if o == "-H")
(url,) = [argument for argument in arguments if argument.startswith(("http:", "https:"))]
try:
    answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=context, timeout=120)
except urllib.error.HTTPError as error:
    answer = error
if shows_head:
    print("HTTP/1.1", answer.status, answer.reason)
    print(answer.headers)
sys.stdout.write(answer.read().decode())
"""


class Block(NamedTuple):
    """One block of a page: its language, its text, and what its tag asks for."""

    language: str
    text: str
    file: str
    port: str


def blocks(page: Path, text: str) -> list[Block]:
    found = []
    for tag, language, body in re.findall(
        r"^<!-- ran: CI, tests/test_howto\.py(.*?) -->\n```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
    ):
        said = dict(re.findall(r"; (\w+): (\S+)", tag))
        found.append(Block(language, body, said.get("file", ""), said.get("stays", "")))
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block, with what shall be printed."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), parts[0]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts[1:])]


def stand_ins(folder: Path) -> None:
    folder.mkdir()
    (folder / "curl.py").write_text(CURL)
    for name, line in {
        "curl": f'exec "{sys.executable}" "{folder / "curl.py"}" "$@"',
        "pip": "exit 0  # what is installed is installed",
        "python": f'[ "$2" = venv ] && mkdir -p env/bin && exec touch env/bin/activate; exec "{sys.executable}" "$@"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the commands of the pages are those of a Unix shell")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_is_true(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    stand_ins(tmp_path / "bin")
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    text = page.read_text("utf-8")
    ports = {port: str(free_port()) for port in sorted(set(PORTS.findall(text)))}
    text = PORTS.sub(lambda port: ports[port[1]], text)
    running: dict[str, contextlib.ExitStack] = {}
    with contextlib.ExitStack() as stack:
        for block in blocks(page, text):
            if block.file:
                (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / block.file).write_text(block.text)
            elif block.port:
                if block.port in running:
                    running.pop(block.port).close()
                one = running[block.port] = stack.enter_context(contextlib.ExitStack())
                (command,) = [command for command, shown in commands(block.text)]
                program = ["sh", "-c", f"exec env {command}"]
                process = one.enter_context(server(port=int(block.port), cwd=tmp_path, command=program))
                monkeypatch.setenv("PID", str(process.pid))
            else:
                assert block.language == "console", block
                for command, shown in commands(block.text):
                    run(command, shown, tmp_path)


def run(command: str, shown: str, folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    pattern = ".*".join(re.escape(line).replace(re.escape("..."), ".*") for line in shown.splitlines())
    assert re.search(pattern, done.stdout, re.DOTALL), f"$ {command}\n{done.stdout}"
    if not shown:
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
