"""Running programs in processes of their own, for tests of what has to do with whole processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent


def environment() -> dict[str, str]:
    """Ours, with this checkout importable and nothing that changes how a child prints or imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def python(*args: str, cwd: Path | None = None, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run the interpreter with ``-W error`` and check its exit code (None: whatever it is)."""
    command = [sys.executable, "-W", "error", *args]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300)
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def tornado4_run(
    *args: str, cwd: Path | None = None, code: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """``tornado4 run ...``."""
    return python("-m", "tornado4", "run", *args, cwd=cwd, code=code)


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
def server(
    *args: str, port: int, cwd: Path | None = None, command: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process: entered once the port accepts connections, terminated at the end."""
    argv = [*(command or [sys.executable]), *args]
    with tempfile.TemporaryFile() as output:  # a pipe that nobody reads would stop the server when it is full
        process = subprocess.Popen(
            argv, cwd=cwd, env=environment(), stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for_port(process, port, output)
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(timeout=120)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # workers that it forked would go on
                process.wait()


def _wait_for_port(process: subprocess.Popen[bytes], port: int, output: IO[bytes]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    output.seek(0)
    raise AssertionError(f"nobody listens on port {port}: {output.read().decode()}")


def fetch(port: int, path: str, data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body; an HTTP error is an answer, too."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=120) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
