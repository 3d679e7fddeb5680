"""Runs many small programs from one process: a fork for each, so that none sees what another did to its modules.

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

#: After which a program has not ended, and how many run at once: mostly they wait.
SECONDS, AT_ONCE = 30, 12
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

    programs = json.load(sys.stdin)
    results, running = [""] * len(programs), {}
    for number, program in enumerate(programs):
        if len(running) == AT_ONCE:
            wait_for_one(running, results)
        out = tempfile.TemporaryFile("w+")
        pid = os.fork()
        if pid == 0:
            child(program, out)
        running[pid] = number, out
    while running:
        wait_for_one(running, results)
    json.dump(results, sys.stdout)


def wait_for_one(running, results):
    """Note what a program printed that has ended; its last line names the exception, if one ended it."""
    pid, status = os.wait()
    number, out = running.pop(pid)
    with out:
        out.seek(0)
        printed = out.read()
    if status == signal.SIGALRM:
        printed += "never ended\n"
    elif status and not printed.endswith("\n"):
        printed += "status {}\n".format(status)
    results[number] = printed


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
