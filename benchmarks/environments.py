"""The peers: which program serves, in which environment. Environments are made once, in ``.cache/bench``."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "peers"
CACHE = TOP / ".cache" / "bench"


@dataclass(frozen=True)
class Peer:
    name: str
    program: str
    requires: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    micro: bool = False
    cases: tuple[str, ...] = ()  # empty: all of them

    def serves(self, case: str) -> bool:
        return not self.cases or case in self.cases


HTTP_ONLY = ("hello", "browser", "async def", "pipelined", "idle memory")
PEERS = [
    Peer("tornado4", "tornado_app.py", environ={"BENCH_ALIAS": "1", "PYTHONPATH": str(TOP)}, micro=True),
    Peer("tornado 4.5.3", "tornado_app.py", ("setuptools", "tornado==4.5.3"), {"BENCH_BACKFILL": "1"}, micro=True),
    Peer("tornado 6", "tornado_app.py", ("tornado>=6,<7",), micro=True),
    Peer("aiohttp", "aiohttp_app.py", ("aiohttp",), cases=HTTP_ONLY),
    Peer("uvicorn", "asgi_app.py", ("uvicorn", "httptools", "uvloop"), cases=HTTP_ONLY),
    Peer("raw asyncio", "raw_app.py", cases=("hello", "pipelined", "idle memory")),
]


class PeerUnavailable(Exception):
    """The peer's environment could not be made."""


def python_of(peer: Peer) -> Path:
    """The interpreter that runs this peer, always of this program's own version."""
    if not peer.requires:
        return Path(sys.executable)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = CACHE / f"{peer.name.replace(' ', '-')}-{version}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *peer.requires]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise PeerUnavailable(f"{peer.name}: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "ready").touch()
    return python


def start(peer: Peer, *args: str, program: str | None = None) -> subprocess.Popen[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(peer.environ)
    command = [str(python_of(peer)), str(PROGRAMS / (program or peer.program)), *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
