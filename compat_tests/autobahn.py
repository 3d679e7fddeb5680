"""The Autobahn|Testsuite against our WebSockets: 517 cases, once with us as the server and once as the client.

    python -m compat_tests.autobahn                    # both sides, all cases: some ten minutes
    python -m compat_tests.autobahn client '6.*' 9.1.1    # one side, some cases

The suite runs on Python 2.7, found on the PATH (``python2.7``), with pyenv, or named by ``TORNADO4_PYTHON27``; it is
installed from the package registry once, into ``.cache/autobahn``, where its reports are as well. The subject, an echo
with compression, is a process of its own on the interpreter that runs this. Each verdict is printed that is neither OK
nor, for the three cases where the suite itself accepts anything, informational. Exit code 1 if there is one, if a case
is missing, or if the subject logged an error; 2 if the suite cannot be had.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import glob
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / ".cache" / "autobahn"
SIDES = ("server", "client")
CASES = 517
#: What the suite calls informational whatever one does: each may fail or go on after a close, or with a code of no use.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
#: Bytes; the suite's largest messages have 16 MiB.
MAX_MESSAGE_SIZE = 64 * 1024 * 1024
START_SECONDS = 30
RUN_SECONDS = 3600

# As a site folder: the namespace of zope.interface is a line of a .pth file.
START_SUITE = """
import os, site
site.addsitedir(os.environ["PYTHONPATH"])
from autobahntestsuite.wstest import run
run()
"""


class SuiteUnavailable(Exception):
    """There is no Python 2.7, or the suite cannot be installed: the text says which, and what to do."""


# -- the subject: what is tested ------------------------------------------------------------------------------


async def serve(port: int) -> None:
    """Echo each message, for ever."""
    from tornado4 import web, websocket

    class Echo(websocket.WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message, binary=isinstance(message, bytes))

        def get_compression_options(self) -> dict[str, Any]:
            return {}

    settings: dict[str, Any] = {"websocket_max_message_size": MAX_MESSAGE_SIZE, "log_function": lambda handler: None}
    web.Application([("/", Echo)], **settings).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


async def ask(port: int) -> None:
    """Run each case that the suite's server offers, then have it write its report."""
    from tornado4 import websocket

    async def connect(path: str) -> Any:
        url = f"ws://127.0.0.1:{port}{path}"
        return await websocket.websocket_connect(url, compression_options={}, max_message_size=MAX_MESSAGE_SIZE)

    count = int(await (await connect("/getCaseCount")).read_message())
    for case in range(1, count + 1):
        connection = await connect(f"/runCase?case={case}&agent=tornado4")
        while True:
            message = await connection.read_message()
            if message is None:
                break
            if connection.protocol is not None and not connection.protocol.client_terminated:
                connection.write_message(message, binary=isinstance(message, bytes))
    last = await connect("/updateReports?agent=tornado4")
    while await last.read_message() is not None:
        pass


# -- the suite ------------------------------------------------------------------------------------------------


def suite_python() -> Path:
    """A Python 2.7. SuiteUnavailable if there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions/2.7.*/bin/python2.7"
    for candidate in (os.environ.get("TORNADO4_PYTHON27"), shutil.which("python2.7"), *glob.glob(str(pyenv))):
        # A pyenv shim exists for versions that are not selected, too, and then only prints an error.
        if candidate and subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return Path(candidate)
    raise SuiteUnavailable("the suite needs Python 2.7 with pip: name one by TORNADO4_PYTHON27")


def suite_environment(python: Path) -> dict[str, str]:
    """The environment variables with which that Python finds the suite; it is installed the first time."""
    package = FOLDER / "package"
    if not (FOLDER / "ready").exists():
        shutil.rmtree(package, ignore_errors=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", package]
        done = subprocess.run([*command, "autobahntestsuite"], capture_output=True, text=True)
        if done.returncode:
            raise SuiteUnavailable(f"pip could not install autobahntestsuite for {python}:\n{done.stderr}")
        (FOLDER / "ready").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": str(package)}


def start_suite(mode: str, specification: dict[str, Any], output: Path) -> subprocess.Popen[bytes]:
    """The suite in a process of its own, as "fuzzingserver" or "fuzzingclient"; what it prints goes to a file."""
    python = suite_python()
    environment = suite_environment(python)
    output.mkdir(parents=True, exist_ok=True)
    path = output / "specification.json"
    path.write_text(json.dumps(specification))
    with open(output / "suite.log", "wb") as log:
        return subprocess.Popen(
            [python, "-c", START_SUITE, "--mode", mode, "--spec", path],
            cwd=output, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip


def start_subject(side: str, port: int, output: Path) -> subprocess.Popen[bytes]:
    output.mkdir(parents=True, exist_ok=True)
    with open(output / "subject.log", "wb") as log:
        command = [sys.executable, "-W", "error", "-m", "compat_tests.autobahn", "subject", side, str(port)]
        return subprocess.Popen(command, cwd=TOP, stdout=log, stderr=subprocess.STDOUT)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    """Until somebody listens at the port."""
    for _ in range(START_SECONDS * 10):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SuiteUnavailable(f"nobody listens at port {port}: see the logs in {output}")


def test(side: str, cases: Sequence[str]) -> Path:
    """Run the suite against us as ``side``; the folder that its report is in."""
    output = FOLDER / side
    shutil.rmtree(output, ignore_errors=True)
    port = free_port()
    url = f"ws://127.0.0.1:{port}"
    choice = {"outdir": str(output), "cases": list(cases), "exclude-cases": [], "exclude-agent-cases": {}}
    if side == "server":
        waiting, running = start_subject(side, port, output), None
        target = {"agent": "tornado4", "url": url, "options": {"version": 18}}
        choice["servers"] = [target]
    else:
        choice |= {"url": url, "options": {"failByDrop": False}, "webport": 0}
        waiting, running = start_suite("fuzzingserver", choice, output), None
    try:
        wait_for(port, waiting, output)
        if side == "server":
            running = start_suite("fuzzingclient", choice, output)
        else:
            running = start_subject(side, port, output)
        running.wait(timeout=RUN_SECONDS)
    finally:
        for process in (running, waiting):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait()
    return output


# -- verdicts -------------------------------------------------------------------------------------------------


def wrong(verdicts: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each case that is not as it should be."""
    lines = []
    for case, verdict in sorted(verdicts.items(), key=lambda item: [int(part) for part in item[0].split(".")]):
        kinds = {verdict["behavior"], verdict["behaviorClose"]}
        if not kinds <= ({"OK", "INFORMATIONAL"} if case in INFORMATIONAL else {"OK"}):
            kind, closing = verdict["behavior"], verdict["behaviorClose"]
            lines.append(f"{case}: {kind}, close: {closing} (code {verdict['remoteCloseCode']})")
    return lines


def judge(side: str, output: Path, whole: bool) -> bool:
    """Print how a side did; whether all is well."""
    index = output / "index.json"
    if not index.exists():
        print(f"{side}: no report; see {output}")
        return False
    verdicts = json.loads(index.read_text())["tornado4"]
    counted = collections.Counter(verdict["behavior"] for verdict in verdicts.values())
    print(f"{side}: {len(verdicts)} cases: " + ", ".join(f"{counted[kind]} {kind}" for kind in sorted(counted)))
    bad = wrong(verdicts)
    if whole and len(verdicts) != CASES:
        bad.append(f"{CASES} cases were expected")
    log = (output / "subject.log").read_text("utf-8", "replace").strip()
    if log:
        bad.append(f"the subject logged:\n{log[-4000:]}")
    for line in bad:
        print(f"  {line}")
    return not bad


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["subject"]:
        logging.basicConfig(level=logging.WARNING)
        asyncio.run((serve if arguments[1] == "server" else ask)(int(arguments[2])))
        return 0
    parser = argparse.ArgumentParser(prog="python -m compat_tests.autobahn", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("side", nargs="?", choices=SIDES, help="what we are; both by default")
    parser.add_argument("cases", nargs="*", default=["*"], help="as the suite spells them: 6.*, 9.1.1")
    options = parser.parse_args(arguments)
    cases = options.cases or ["*"]
    try:
        outputs = {side: test(side, cases) for side in ([options.side] if options.side else SIDES)}
    except SuiteUnavailable as error:
        print(error, file=sys.stderr)
        return 2
    well = [judge(side, output, cases == ["*"]) for side, output in outputs.items()]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
