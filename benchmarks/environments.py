"""The peers: which programs serve and fetch, in which environment. Environments are made once, in ``.cache/bench``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "peers"
CACHE = TOP / ".cache" / "bench"


@dataclass(frozen=True)
class Peer:
    name: str
    server: str
    requires: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    client: str = ""  # the program that fetches, if there is one
    micro: bool = False  # whether peers/micro.py runs there
    points: tuple[str, ...] = ()  # names of points that it serves; empty: all of them
    args: tuple[str, ...] = ()

    def serves(self, point: str) -> bool:
        return not self.points or point in self.points


SMALL = ("hello", "browser", "async def", "pipelined", "idle connection", "start")
BULK = ("static 1 MiB", "upload 1 MiB", "streamed, 1 MiB")
SOCKETS = ("WebSocket 64 KiB", "WebSocket 16 B, 16 in flight", "idle WebSocket")
TCP = ("TCP read_bytes, 1 MiB", "TCP line")
FETCHES = ("fetch 1 MiB", "fetch 12 B", "fetch 12 B, kept")
RAW = ("hello", "pipelined", "idle connection", "start", "TLS static 1 MiB", *BULK, *SOCKETS, *TCP, *FETCHES)

OURS = "tornado4"
ALIAS = {"BENCH_ALIAS": "1"}
PEERS = [
    Peer(OURS, "tornado_app.py", environ={**ALIAS, "PYTHONPATH": str(TOP)}, client="tornado_client.py", micro=True),
    Peer("Tornado 4.5.3", "tornado_app.py", ("setuptools", "tornado==4.5.3"), {"BENCH_BACKFILL": "1"},
         "tornado_client.py", micro=True),
    Peer("Tornado 6", "tornado_app.py", ("tornado>=6,<7",), client="tornado_client.py", micro=True),
    Peer("aiohttp", "aiohttp_app.py", ("aiohttp",), client="aiohttp_client.py",
         points=("static 1 KiB", *SMALL, *BULK, *SOCKETS, *FETCHES)),
    Peer("uvicorn", "asgi_app.py", ("uvicorn", "httptools", "uvloop", "websockets"),
         points=(*SMALL, "upload 1 MiB", "streamed, 1 MiB", *SOCKETS)),
    Peer("streams on uvloop", "streams_app.py", ("uvloop",), points=TCP),
    Peer("raw asyncio", "raw_app.py", client="raw_client.py", points=RAW),
    Peer("raw uvloop", "raw_app.py", ("uvloop",), client="raw_client.py", points=RAW, args=("--uvloop",)),
]  # fmt: skip
RAW_ASYNCIO = "raw asyncio"


class PeerUnavailable(Exception):
    """The peer's environment could not be made."""


def python_of(peer: Peer) -> Path:
    """The interpreter that runs this peer, always of this program's own version.

    tornado4 too has an environment of its own: to have it installed for development, as here, costs each start six
    milliseconds, which none of its users pay.
    """
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = "-".join(word.partition("=")[0].partition(">")[0] for word in peer.requires)
    folder = CACHE / (f"{peer.name.replace(' ', '-').lower()}-{name}-{version}" if name else f"empty-{version}")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=bool(peer.requires))
        if peer.requires:
            run([str(python), "-m", "pip", "install", "--quiet", *peer.requires], peer.name)
        (folder / "ready").touch()
    return python


def run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PeerUnavailable(f"{what}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def commit(revision: str) -> Peer:
    """tornado4 as it was at another commit of this repository, installed as a user would."""
    git = ["git", "-C", str(TOP)]
    asked = subprocess.run([*git, "rev-parse", "--short", f"{revision}^{{commit}}"], capture_output=True, text=True)
    if asked.returncode:
        raise SystemExit(f"{revision!r} is no commit here; git says: {asked.stderr.strip()}")
    short = asked.stdout.strip()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = CACHE / f"commit-{short}-{version}"
    if not (folder / "ready").exists():
        tree = folder / "tree"
        tar = subprocess.run([*git, "archive", short], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            archive.extractall(tree, filter="data")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        run([*pip, "--target", str(folder / "site"), str(tree)], short)
        (folder / "ready").touch()
    environ = {**ALIAS, "PYTHONPATH": str(folder / "site")}
    return Peer(f"{OURS} {short}", "tornado_app.py", environ=environ, client="tornado_client.py", micro=True)


def has_speedups(peer: Peer) -> bool:
    """Whether this peer masks in C. For tornado4 and Tornado, which can do without."""
    code = "import os; os.environ['TORNADO_EXTENSION'] = '1'; import _tornado, tornado.util"
    return start(peer, "-c", code, program="").wait() == 0


def start(peer: Peer, *args: str, program: str | None = None, **variables: str) -> subprocess.Popen[str]:
    """Run one of the peer's programs; an empty name runs ``args`` alone."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TORNADO"))}
    env.update(peer.environ, **variables)
    program = peer.server if program is None else program
    command = [str(python_of(peer)), *([program] if program else []), *args]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env, cwd=PROGRAMS
    )
