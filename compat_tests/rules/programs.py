"""Runs many small programs in one process: a fork for each, so that none sees what another did to its modules.

Started as a script by the interpreter of a side (Python 3.6 or later, so in that language); a list of programs comes in
as JSON on standard input, a list of what each printed, or of how it ended, goes out.

``--tornado4``: ``import tornado`` is tornado4. ``--backfill``: 4.5.3 on a Python newer than it.
"""

from __future__ import print_function

import json
import os
import runpy
import signal
import sys
import tempfile

SECONDS = 20
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    if "--tornado4" in sys.argv:
        from tornado4.migrate import alias

        alias.install()
    if "--backfill" in sys.argv:
        runpy.run_path(os.path.join(TOP, "tornado4", "migrate", "diff", "old_library", "sitecustomize.py"))
    import tornado.locks
    import tornado.queues
    import tornado.simple_httpclient
    import tornado.testing
    import tornado.websocket  # noqa: F401 (imported once, here: each program is a fork)

    results = [run(program) for program in json.load(sys.stdin)]
    json.dump(results, sys.stdout)


def run(program):
    """What the program printed; its last line names the exception, if one ended it."""
    with tempfile.TemporaryFile("w+") as out:
        pid = os.fork()
        if pid == 0:
            child(program, out)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        printed = out.read()
    if status == signal.SIGALRM:
        printed += "never ended\n"
    elif status and not printed.endswith("\n"):
        printed += "status {}\n".format(status)
    return printed


def child(program, out):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.dup2(out.fileno(), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.alarm(SECONDS)
    code = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            sys.path.insert(0, folder)
            sys.argv = ["program.py"]
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    except SystemExit:
        pass
    except BaseException as error:
        print(type(error).__name__)
        code = 1
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
