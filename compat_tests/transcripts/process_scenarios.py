"""tornado.process."""
import os
import signal
import subprocess
import sys

from tornado import gen, process
from tornado.ioloop import IOLoop
from tornado.process import CalledProcessError, Subprocess


def run(function):
    return IOLoop.current().run_sync(function)


def python(code, **kwargs):
    return Subprocess([sys.executable, "-c", code], **kwargs)


def cpu_count(record):
    record(process.cpu_count() >= 1, process.task_id())


def exit_callback(record):
    Subprocess.initialize()
    child = python("import sys; sys.exit(3)")
    child.set_exit_callback(lambda code: (record("exit", code, child.returncode), IOLoop.current().stop()))
    IOLoop.current().start()
    Subprocess.uninitialize()


def wait_for_exit(record):
    @gen.coroutine
    def main():
        record((yield python("pass").wait_for_exit()))
        try:
            yield python("raise SystemExit(4)").wait_for_exit()
        except CalledProcessError as e:
            record(e.returncode, e.cmd)
        record((yield python("raise SystemExit(5)").wait_for_exit(raise_error=False)))

    run(main)
    Subprocess.uninitialize()


def killed_by_signal(record):
    @gen.coroutine
    def main():
        child = python("import time; time.sleep(60)")
        os.kill(child.pid, signal.SIGTERM)
        record((yield child.wait_for_exit(raise_error=False)))

    run(main)
    Subprocess.uninitialize()


def streams(record):
    @gen.coroutine
    def main():
        child = python("print(input()[::-1])", stdin=Subprocess.STREAM, stdout=Subprocess.STREAM)
        yield child.stdin.write(b"abc\n")
        child.stdin.close()
        record((yield child.stdout.read_until_close()))
        record((yield child.wait_for_exit()))
        child.stdout.close()

    run(main)
    Subprocess.uninitialize()


def stderr_stream(record):
    @gen.coroutine
    def main():
        child = python("import sys; sys.stderr.write('oops')", stderr=Subprocess.STREAM)
        record((yield child.stderr.read_until_close()))
        yield child.wait_for_exit()

    run(main)
    Subprocess.uninitialize()


def attributes(record):
    child = python("pass", stdout=subprocess.DEVNULL)
    record(child.pid == child.proc.pid, child.returncode, child.stdin, child.stdout, child.stderr)
    child.proc.wait()
    record(child.proc.returncode)


def constants(record):
    record(Subprocess.STREAM is not None, CalledProcessError is subprocess.CalledProcessError)


def fork_in_a_process_of_its_own(record):
    code = (
        "import os, sys\n"
        "%s\n"
        "from tornado import process\n"
        "n = process.fork_processes(2, max_restarts=1)\n"
        "if n == 1 and not os.path.exists(sys.argv[1]):\n"
        "    open(sys.argv[1], 'w').close(); os._exit(2)\n"
        "os._exit(0)\n"
    )
    import shutil
    import tempfile
    alias = "from tornado4.migrate import alias; alias.install()" if process.__name__.startswith("tornado4") else ""
    folder = tempfile.mkdtemp()
    done = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code % alias, os.path.join(folder, "once")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    out = done.communicate()[0]
    shutil.rmtree(folder)
    lines = [line.split("pid")[0] for line in out.decode().splitlines()]
    record(done.returncode, sorted(lines))
