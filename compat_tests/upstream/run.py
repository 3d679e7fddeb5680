"""Run one of Tornado's own test modules, unchanged, on tornado4; print one JSON object.

    python -m compat_tests.upstream.run web_test [--version 4.5.3] [--loop asyncio|uvloop]
                                                 [--switch NAME=VALUE ...]
                                                 [--only Class.test ...] [--skip Class.test ...] [--own-time]

The object maps each test's name to its outcome: passed, failed, error, skipped: <reason>. On standard error:
unittest's own report. Meant to be started by ``test_upstream.py``, one process a module, and by hand.

``--switch`` sets an attribute of ``HTTP1ConnectionParameters``: the ways back to 4.5.3 that
docs/deviations.md names, with which tests that deviate by default have to pass.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.abc
import json
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

from compat_tests.upstream import doc_examples, own_time
from compat_tests.upstream.running import run, run_suite
from compat_tests.upstream.suite import prepare
from tornado4.migrate import alias, backfill

CHILDREN = Path(__file__).parent / "children"


class UpstreamTests(importlib.abc.MetaPathFinder):
    """Finds ``tornado.test`` and what is below it in the prepared folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name == "tornado.test":
            init = self.folder / "__init__.py"
            return spec_from_file_location(name, init, submodule_search_locations=[str(self.folder)])
        if name.startswith("tornado.test."):
            file = self.folder.joinpath(*name.split(".")[2:]).with_suffix(".py")
            return spec_from_file_location(name, file) if file.exists() else None
        return None


def install(version: str) -> None:
    """``tornado`` is tornado4 and ``tornado.test`` the suite of that version, in this process and below it."""
    alias.install()
    backfill.install()
    sys.meta_path.insert(0, UpstreamTests(prepare(version)))
    sys.path.append(str(CHILDREN))  # behind everything: for the stand-ins
    # Tests start children with `python -c "import tornado..."`: see children/sitecustomize.py.
    os.environ["TORNADO4_UPSTREAM_VERSION"] = version
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    top = str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(CHILDREN), top, *filter(None, before)]))


def configure_loop(loop: str) -> None:
    if loop == "uvloop":
        import uvloop

        from tornado4.ioloop import IOLoop

        IOLoop.configure("tornado.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)


def set_switches(switches: list[str]) -> None:
    from tornado4.http1connection import HTTP1ConnectionParameters

    for switch in switches:
        name, _, value = switch.partition("=")
        assert hasattr(HTTP1ConnectionParameters, name), name
        setattr(HTTP1ConnectionParameters, name, {"True": True, "False": False}[value])


def drop_low_ports() -> None:
    """Give up binding to ports below 1024: a test of theirs relies on not being root."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice, for 64 bits
    if libc.capget(header, sets) == 0:
        sets[0] &= ~(1 << 10)  # CAP_NET_BIND_SERVICE
        libc.capset(header, sets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--version", default="4.5.3")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--switch", nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--skip", nargs="*", default=[])
    parser.add_argument("--own-time", action="store_true", help="a clock that stands still while this process does")
    options = parser.parse_args()
    if options.own_time:
        own_time.install()
    install(options.version)
    configure_loop(options.loop)
    set_switches(options.switch)
    drop_low_ports()
    # Suites of 4.x look at sys.argv by way of tornado.testing and Twisted's trial.
    del sys.argv[1:]
    if options.module == "doctests":
        outcomes = run_suite(doc_examples.load(options.version), options.only, options.skip)
    else:
        outcomes = run(options.module, options.only, options.skip)
    json.dump(outcomes, sys.__stdout__, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
