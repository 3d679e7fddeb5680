"""Programs under ``--migrate``, each in a fork of one process: what was told, and what was printed.

A list of programs comes in as JSON on standard input, with the options for `live.start` as the arguments, ``mode
key=value ...``; a list of ``{"told": [[rule, line], ...], "printed": text, "report": {...}}`` goes out.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
import warnings
from typing import Any

from tornado4.migrate import alias

SECONDS = 60


def main() -> None:
    alias.install()
    options = dict(option.partition("=")[::2] for option in sys.argv[2:])
    import tornado.curl_httpclient
    import tornado.locks
    import tornado.queues
    import tornado.testing
    import tornado.websocket  # noqa: F401

    results = [run(program, sys.argv[1], options) for program in json.load(sys.stdin)]
    json.dump(results, sys.stdout)


def run(program: str, mode: str, options: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as out, tempfile.NamedTemporaryFile("r") as told:
        pid = os.fork()
        if pid == 0:
            try:
                child(program, mode, options, out, told.name)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        out.seek(0)
        return json.loads(told.read() or "{}") | {"printed": out.read()}


def child(program: str, mode: str, options: dict[str, Any], out: Any, told: str) -> None:
    signal.alarm(SECONDS)
    from tornado4.migrate import live

    ledger = live.start(mode, **{name: value or True for name, value in options.items()})
    os.dup2(out.fileno(), 1)
    errors = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    seen: list[Any] = []
    raised: list[str] = []

    def show(message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        if hasattr(message, "rule"):
            seen.append([message.rule, os.path.basename(filename), lineno])

    warnings.showwarning = show
    warnings.simplefilter("always")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        file = os.path.join(folder, "program.py")
        with open(file, "w") as handle:
            handle.write(program)
        sys.path.insert(0, folder)
        try:
            exec(compile(program, file, "exec"), {"__name__": "__main__"})
        except SystemExit:
            pass
        except BaseException as error:
            print(type(error).__name__)
            raised = [type(error).__module__, type(error).__name__, str(error)]
        sys.stdout.flush()
        live.stop(quietly=True)
    os.dup2(errors, 2)
    with open(told, "w") as handle:
        json.dump({"told": seen, "raised": raised, "report": ledger.report()}, handle)
    os._exit(0)


if __name__ == "__main__":
    main()
