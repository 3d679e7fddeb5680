"""What runs inside a side's process: ``python launcher.py JOB``, JOB being a JSON object. Never imported.

It must run on every Python from 3.6 on, under the real Tornado, and so imports nothing of tornado4 unless
that is its side. The program under test says ``import tornado`` on both sides.

The job: ``side`` ("tornado" or "tornado4"), and one of
- ``serve``: a file or module, ``:name`` behind it where the name is not one of ``make_app``, ``application``, ``app``.
  The first line told is ["listening", port, control port]; each log record follows. The control connection, of
  which there is one: each byte on it is answered by ["sync"] some turns of the loop later, so that what was
  logged before stands above it; its end ends the process.
- ``program``: a script, a module or ``module:callable``, run as it is; see ``program.py``. With ``backfill``,
  tornado4's side has the names back that its Python dropped.
- ``scenarios``: a list of {"name", "kind": "source"|"file"|"module", "where", "function"}, and ``seconds``, the most
  that each may take. Told for each: ["begin", name], what it recorded and logged, ["end", name].

Lines are told as JSON on the process's standard output; what the program prints goes to standard error.
"""
import faulthandler
import gc
import importlib
import json
import logging
import os
import re
import sys

TURNS = 20
ACCESS, APPLICATION, GENERAL = "tornado.access", "tornado.application", "tornado.general"
APP_NAMES = ("make_app", "application", "app")

_told = None


def take_stdout():
    """Keep standard output to ourselves; prints of the program go to standard error."""
    global _told
    sys.stdout.flush()
    _told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)


def tell(*line):
    _told.write(json.dumps(line) + "\n")
    _told.flush()


def prepare(side, backfill=False):
    # The folder of this file came first on the path; it holds no module for the program to find.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    if side == "tornado4":
        from tornado4.migrate import alias

        alias.install()
        if backfill:
            from tornado4.migrate import backfill as names

            names.install()


# -- What is told of a value -------------------------------------------------------------------------------


def clean(text):
    """Without what differs between processes, or between the two packages' own names and files."""
    # Which callable it was is told as the repr of a wrapper around it, and so says nothing.
    text = re.sub(r"^(Exception in callback ).*?( for <.*>)?$", r"\1<callable>\2", text)
    # What a template that does not compile was turned into.
    text = re.sub(r"(?s)^(.* code:\n).*", r"\1...", text)
    text = re.sub(r"\btmp[a-z0-9_]{8}\b", "tmp", text)
    text = text.replace("tornado4", "tornado")
    text = re.sub(r"0x[0-9a-fA-F]+", "0x", text)
    return re.sub(r'(?m)^  File .*\n(    .*\n|  \[.*\]\n)*', "", text)


def qualified(cls):
    module = cls.__module__
    return cls.__name__ if module in ("builtins", "__main__", "scenario") else clean(module) + "." + cls.__name__


def describe(value):
    """A text for a value: equal texts for equal behaviour, whatever the process, interpreter and package."""
    if value is None or isinstance(value, (bool, int, float, str, bytes, bytearray)):
        return clean(repr(value))
    if isinstance(value, BaseException):
        return qualified(type(value)) + ": " + clean(str(value))
    if isinstance(value, type):
        return "<class " + qualified(value) + ">"
    if isinstance(value, dict):
        inside = ", ".join(describe(k) + ": " + describe(v) for k, v in value.items())
        return ("" if type(value) is dict else type(value).__name__) + "{" + inside + "}"
    if isinstance(value, (set, frozenset)):
        return type(value).__name__ + "(" + ", ".join(sorted(describe(v) for v in value)) + ")"
    if hasattr(value, "_fields") and isinstance(value, tuple):
        inside = ", ".join(n + "=" + describe(v) for n, v in zip(value._fields, value))  # noqa: B905  # no strict= before 3.10
        return type(value).__name__ + "(" + inside + ")"
    if isinstance(value, list):
        return "[" + ", ".join(describe(v) for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(describe(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    if callable(value) and hasattr(value, "__name__"):
        return "<function " + value.__name__ + ">"
    if type(value).__repr__ is object.__repr__:
        return "<" + qualified(type(value)) + ">"
    return clean(repr(value))


class Records(logging.Handler):
    """Tells each log record."""

    def emit(self, record):
        # Not the number: Python's logging names its levels, programs match on the names.
        exc = record.exc_info and record.exc_info[1]
        tell("log", record.name, record.levelname, clean(record.getMessage()), describe(exc) if exc else None)


# -- Serving -----------------------------------------------------------------------------------------------


def load(target):
    """(the object, keyword arguments for HTTPServer) of ``file.py[:name]`` or ``module[:name]``."""
    where, colon, name = target.rpartition(":")
    # A drive letter's colon is not ours.
    if not colon or "/" in name or "\\" in name:
        where, name = target, ""
    if where.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(where)))
        namespace = {"__name__": "app", "__file__": where}
        with open(where, encoding="utf-8") as file:
            exec(compile(file.read(), where, "exec"), namespace)
    else:
        sys.path.insert(0, os.getcwd())
        namespace = vars(importlib.import_module(where))
    found = [n for n in ([name] if name else APP_NAMES) if n in namespace]
    if not found:
        raise SystemExit("%s defines no %s" % (where, name or ", ".join(APP_NAMES)))
    return namespace[found[0]], namespace.get("SERVER", {})


def serve(target):
    import tornado.httpserver
    import tornado.ioloop
    import tornado.netutil

    handler = Records()
    for name in (ACCESS, APPLICATION, GENERAL):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    app, server_options = load(target)
    # An Application can itself be called, with a request: a factory is what is no instance of it.
    if not hasattr(app, "add_handlers") and callable(app) and getattr(app, "__name__", ""):
        if getattr(app, "__code__", None) is None or app.__code__.co_argcount == 0:
            app = app()
    server = tornado.httpserver.HTTPServer(app, **server_options)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")[:1]
    server.add_sockets(sockets)
    control = tornado.netutil.bind_sockets(0, "127.0.0.1")[:1]
    loop = tornado.ioloop.IOLoop.current()
    tornado.netutil.add_accept_handler(control[0], lambda connection, address: attend(loop, connection))
    tell("listening", sockets[0].getsockname()[1], control[0].getsockname()[1])
    loop.start()


def attend(loop, connection):
    """Answer the control connection; its end is ours."""
    connection.setblocking(False)

    def readable(fd, events):
        try:
            data = connection.recv(16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            os._exit(0)
        for _ in data:
            after_turns(loop, TURNS)

    loop.add_handler(connection.fileno(), readable, loop.READ)


def after_turns(loop, turns):
    if turns:
        loop.add_callback(after_turns, loop, turns - 1)
    else:
        tell("sync")


# -- Scenarios ---------------------------------------------------------------------------------------------


def run_scenarios(scenarios, seconds):
    logging.getLogger().addHandler(Records())
    logging.getLogger().setLevel(logging.INFO)
    for scenario in scenarios:
        tell("begin", scenario["name"])
        # Ends the process, with every thread's stack on standard error.
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            run_scenario(scenario)
        finally:
            faulthandler.cancel_dump_traceback_later()
        tell("end", scenario["name"])


def run_scenario(scenario):
    import tornado.ioloop

    try:
        import tornado.stack_context as contexts
    except ImportError:  # Tornado 6
        contexts = None
    loop = tornado.ioloop.IOLoop()
    loop.make_current()

    def record(*values):
        tell("record", [describe(value) for value in values])

    try:
        perform(scenario, record)
    except BaseException as e:
        tell("raised", describe(e))
    gc.collect()
    if contexts is not None:
        contexts._state.contexts = ((), None)
    tornado.ioloop.IOLoop.clear_current()
    try:
        loop.close(all_fds=True)
    except Exception as e:
        tell("raised", "closing the loop: " + describe(e))


_namespaces = {}


def perform(scenario, record):
    where, function = scenario["where"], scenario.get("function")
    if scenario["kind"] == "source":
        exec(compile(where, "<scenario>", "exec"), {"__name__": "scenario", "record": record})
        return
    if scenario["kind"] == "module":
        sys.path[:] = [os.getcwd()] + [entry for entry in sys.path if entry != os.getcwd()]
        namespace = vars(importlib.import_module(where))
    elif function is None:
        run_file(where, {"__name__": "scenario", "__file__": where, "record": record})
        return
    else:
        if where not in _namespaces:
            _namespaces[where] = {"__name__": "scenario", "__file__": where}
            run_file(where, _namespaces[where])
        namespace = _namespaces[where]
    namespace[function](record)


def run_file(path, namespace):
    folder = os.path.dirname(os.path.abspath(path))
    sys.path[:] = [folder] + [entry for entry in sys.path if entry != folder]
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), namespace)


def run_sibling(job):
    """``program.py`` beside this file: no module for the program to find, and so run by its path."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program.py")
    namespace = {"__name__": "tornado4_diff_program", "__file__": path}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), namespace)
    namespace["run"](job, sys.modules["__main__"])


def main():
    job = json.loads(sys.argv[1])
    del sys.argv[1:]
    take_stdout()
    prepare(job["side"], job.get("backfill", False))
    if "serve" in job:
        serve(job["serve"])
    elif "program" in job:
        run_sibling(job)
    else:
        run_scenarios(job["scenarios"], job["seconds"])


if __name__ == "__main__":
    main()
