"""Servers in processes of their own, for the tests and scripts beside this file."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
CACHE = TOP / ".cache" / "peers"


def environment(*folders: Path) -> dict[str, str]:
    """Ours, with this checkout and some folders importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, (TOP, *folders))), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and that the system gives to nobody else until we end.

    It stays bound: a server may listen there all the same, as servers set ``SO_REUSEADDR``.
    """
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = sock.getsockname()[1]
    sock.detach()
    return port


@contextlib.contextmanager
def running(command: Sequence[str], port: int, cwd: Path, *folders: Path) -> Iterator[Path]:
    """Run a server until the block is left; entered once it listens. Gives the file with its output."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "output"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment(*folders), stdout=output, stderr=output, start_new_session=True
            )
        try:
            _wait_for(process, port, log)
            yield log
        finally:
            process.terminate()
            try:
                process.wait(120)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # its workers
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nobody listens on port {port}: {log.read_text(errors='replace')}")


def sockjs_folder() -> Path | None:
    """sockjs-tornado 1.0.7 without the Tornado that it asks for; None where PyPI is out of reach."""
    folder = CACHE / "sockjs-tornado-1.0.7"
    if not (folder / "ready").exists():
        wanted = ["--no-deps", "--target", str(folder), "--upgrade", "sockjs-tornado==1.0.7"]
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        done = subprocess.run(install, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return None
        (folder / "ready").touch()
    return folder
