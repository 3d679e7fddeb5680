"""A program under test, inside a side's process: what ``launcher.py`` does for a job with ``program``.

It runs on every Python from 3.6 on, under any Tornado. The program is not touched: a script runs as ``__main__`` with
its arguments, a module as by ``python -m``, and ``module:callable`` gives an Application that is served here.

Around it, four things are arranged before its first line runs:
- the port on which it listens, whatever number it asks for, is one of ours, on the loopback: three sides run at
  once.
  Told: ["listening", port, control port, Python's version, Tornado's] when it first listens.
- each log record of any logger that its own configuration lets through is told: ["log", logger, level, message,
  exception]; no handler is added, so that ``basicConfig`` and ``parse_command_line`` do what they always do.
- the control connection (a thread of its own): each ``.`` on it is answered by ["sync"] when every running IOLoop has
  made some turns (``s``, the first time: when a loop runs at all); ``r`` by ["routes", [...]], the routes of every
  Application; its end ends the process.
- exceptions that end a thread are told as records of the logger "threading".
"""
import gc
import inspect
import logging
import os
import runpy
import socket
import sys
import threading

TURNS = 20
IDLE_SECONDS = 0.05
FIRST_LOOKS = 200
MOST_FILES = 20


def run(job, launcher):
    tell = one_at_a_time(launcher.tell)
    tap_logging(tell)
    ports = Ports(job["port"], tell, start_control(tell))
    ports.install()
    target, args = job["program"], [arg.replace("{port}", str(ports.main)) for arg in job["args"]]
    if job.get("module"):
        sys.path.insert(0, os.getcwd())
        sys.argv = [target] + args
        runpy.run_module(target, run_name="__main__", alter_sys=True)
    elif target.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(target)))
        sys.argv = [target] + args
        runpy.run_path(target, run_name="__main__")
    else:
        sys.argv = [target] + args
        serve(target, ports.main, launcher)


def one_at_a_time(tell):
    """Lines told by two threads must not run into each other; a log record may be told within another's making."""
    lock = threading.RLock()

    def told(*line):
        with lock:
            tell(*line)

    return told


def serve(target, port, launcher):
    import tornado.httpserver
    import tornado.ioloop

    found, options = launcher.load(target)
    server = tornado.httpserver.HTTPServer(served(found, target), **options)
    server.listen(port, "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()


def served(found, target):
    """What HTTPServer takes: the Application (any router) as it is, a WSGI application in a container.

    ``found`` may be either, or a factory, which is called. Ends the process where it is neither.
    """
    is_or_returned = "is"
    if is_factory(found):
        found, is_or_returned = found(), "returned"
    if is_factory(found) or not (callable(found) or hasattr(found, "start_request")):
        raise SystemExit(
            "%s %s %s, which is no Application: it must be or return the one to be served (tornado.web.Application or"
            " WSGI). A function that calls listen() itself is run as a script." % (target, is_or_returned, short(found))
        )
    if is_wsgi(found):
        import tornado.wsgi

        return tornado.wsgi.WSGIContainer(found)
    return found


def is_wsgi(thing):
    """PEP 3333 from outside: called with two arguments. WSGIApplication and WSGIAdapter are so as well."""
    wsgi = sys.modules.get("tornado.wsgi")
    own = tuple(getattr(wsgi, name) for name in ("WSGIApplication", "WSGIAdapter") if hasattr(wsgi, name))
    if isinstance(thing, own):
        return True
    return not is_served_as_it_is(thing) and takes(thing, 2)


def is_factory(thing):
    return not is_served_as_it_is(thing) and not is_wsgi(thing) and callable(thing) and takes(thing, 0)


def is_served_as_it_is(thing):
    """An Application, a router, a delegate; a class that makes one is none."""
    return not isinstance(thing, type) and (hasattr(thing, "add_handlers") or hasattr(thing, "start_request"))


def takes(thing, count):
    """Whether it can be called with so many arguments; False for a class, but with none."""
    if not callable(thing) or (count and isinstance(thing, type)):
        return False
    try:
        inspect.signature(thing).bind(*[None] * count)
    except (TypeError, ValueError):  # ValueError: one that is written in C and tells no signature
        return False
    return count == 0 or not takes(thing, 0)


def short(thing):
    text = repr(thing)
    return text if len(text) <= 80 else text[:77] + "..."


# -- The port ----------------------------------------------------------------------------------------------


class Ports:
    """Gives listening TCP sockets ports of ours: the first number asked for becomes ``main``, others any free one."""

    def __init__(self, port, tell, control):
        self.held = None if port else held_port()
        self.main = port or self.held.getsockname()[1]
        self.tell, self.control = tell, control
        self.given = {}
        self.told = False

    def install(self):
        bind, listen, ports = socket.socket.bind, socket.socket.listen, self

        def bind_elsewhere(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6) and self.type & socket.SOCK_STREAM and address[1]:
                loopback = "127.0.0.1" if self.family == socket.AF_INET else "::1"
                address = (loopback, ports.instead_of(address[1])) + tuple(address[2:])
                ports.release(address)
            return bind(self, address)

        def listen_and_tell(self, *args):
            result = listen(self, *args)
            ports.listening(self)
            return result

        socket.socket.bind = bind_elsewhere
        socket.socket.listen = listen_and_tell

    def instead_of(self, port):
        if port == self.main:
            self.given[port] = port
        if port not in self.given:
            self.given[port] = free_port() if self.main in self.given.values() else self.main
        return self.given[port]

    def release(self, address):
        """The port is about to be bound: let go of it."""
        if self.held is not None and address[:2] == ("127.0.0.1", self.main):
            self.held.close()
            self.held = None

    def listening(self, sock):
        # Not at the IPv6 twin, which may come first: we call 127.0.0.1. One that asks for port 0 serves, too.
        if self.told or sock.family != socket.AF_INET:
            return
        port = sock.getsockname()[1]
        if port == self.main or not self.given:
            self.told = True
            versions = [sys.version.split()[0], getattr(sys.modules.get("tornado"), "version", "")]
            self.tell("listening", port, self.control, *versions)


def held_port():
    """A socket that keeps a port of its own from all others until the program binds it.

    One that was merely free a moment ago is given to the next who asks the kernel for any: a second of imports is long.
    """
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    # Only now, so that the port is not shared with another that is held. A process that was forked meanwhile holds
    # it, too; with this, it is in nobody's way.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def free_port():
    # Called before the patch as well as after it: port 0 passes through.
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# -- Log and exceptions ------------------------------------------------------------------------------------


def tap_logging(tell):
    call_handlers = logging.Logger.callHandlers

    def told(self, record):
        error = record.exc_info and record.exc_info[1]
        try:
            message = record.getMessage()
        except Exception as failure:
            message = "(%s: %s)" % (type(failure).__name__, record.msg)
        tell("log", record.name, record.levelname, message, shown(error) if error else "")
        call_handlers(self, record)

    logging.Logger.callHandlers = told
    # Access lines, which an unconfigured program does not show. One that configures logging has its way.
    for name in ("tornado.access", "tornado.application", "tornado.general"):
        logging.getLogger(name).setLevel(logging.INFO)
    if hasattr(threading, "excepthook"):
        hook = threading.excepthook

        def thread_failed(args):
            tell("log", "threading", "ERROR", "exception in a thread", shown(args.exc_value))
            hook(args)

        threading.excepthook = thread_failed


def shown(error):
    return "%s: %s" % (type(error).__name__, error) if str(error) else type(error).__name__


# -- Control -----------------------------------------------------------------------------------------------


def start_control(tell):
    """A port whose one connection is attended by a thread."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    threading.Thread(target=attend, args=(server, tell), daemon=True).start()
    return server.getsockname()[1]


def attend(server, tell):
    connection = server.accept()[0]
    server.close()
    loops = []
    while True:
        try:
            data = connection.recv(1)
        except OSError:
            data = b""
        if not data:
            os._exit(0)
        if data == b".":
            loops = synchronise(loops)
            tell("sync")
        elif data == b"s":
            loops = synchronise(first_loops())
            tell("sync")
        elif data == b"r":
            tell("routes", routes())


def first_loops():
    """The running loops, once there is one; a program that forks, or runs none, has had its time after that."""
    for _ in range(FIRST_LOOKS):
        loops = find_loops()
        if loops:
            return loops
        threading.Event().wait(IDLE_SECONDS / 5)
    return []


def synchronise(loops):
    """Return when every running loop has made its turns; the loops, for the next time."""
    loops = [loop for loop in loops if is_running(loop)] or find_loops()
    waiting = []
    for loop in loops:
        done = threading.Event()
        loop.add_callback(after_turns, loop, TURNS, done)
        waiting.append((loop, done))
    if not waiting:
        threading.Event().wait(IDLE_SECONDS)
    for loop, done in waiting:
        while not done.wait(1):
            if not is_running(loop):
                break
    return loops


def after_turns(loop, turns, done):
    if turns:
        loop.add_callback(after_turns, loop, turns - 1, done)
    else:
        done.set()


def instances(*names):
    """Live instances of the given classes of Tornado, found without a hook in the program."""
    import tornado.ioloop
    import tornado.web

    classes = tuple(getattr(getattr(tornado, module), name) for module, name in names)
    found = []
    for thing in gc.get_objects():
        try:
            if isinstance(thing, classes):
                found.append(thing)
        except Exception:  # a proxy whose __class__ raises is none of ours
            continue
    return found


def find_loops():
    return [loop for loop in instances(("ioloop", "IOLoop")) if is_running(loop)]


def is_running(loop):
    inner = getattr(loop, "asyncio_loop", None)
    return inner.is_running() if inner is not None else getattr(loop, "_running", False)


def routes():
    found = []
    for app in instances(("web", "Application")):
        for spec in specs(app):
            handler = getattr(spec, "target", None) or getattr(spec, "handler_class", None)
            regex = getattr(spec, "regex", None) or getattr(getattr(spec, "matcher", None), "regex", None)
            kwargs = getattr(spec, "target_kwargs", None) or getattr(spec, "kwargs", None) or {}
            if regex is not None and isinstance(handler, type):
                found.append(route(regex.pattern, handler, kwargs))
    return found


def specs(app):
    """URLSpecs and rules, in order: of the routers of 4.5 and later, or of the plain lists before."""
    if hasattr(app, "default_router"):
        return nested(app.default_router)
    return [spec for _, handlers in app.handlers for spec in handlers]


def nested(router):
    for rule in getattr(router, "rules", ()):
        if hasattr(rule.target, "rules"):
            yield from nested(rule.target)
        else:
            yield rule


def route(pattern, handler, kwargs):
    import tornado.web

    methods = [
        name.upper()
        for name in ("get", "head", "options", "post", "put", "patch", "delete")
        if getattr(handler, name, None) is not getattr(tornado.web.RequestHandler, name)
    ]
    websocket = sys.modules.get("tornado.websocket")
    is_websocket = websocket is not None and issubclass(handler, websocket.WebSocketHandler)
    files = []
    if issubclass(handler, tornado.web.StaticFileHandler) and "path" in kwargs:
        files = static_files(kwargs["path"])
    name = "%s.%s" % (handler.__module__.replace("tornado4", "tornado"), handler.__name__)
    return {"pattern": pattern, "methods": methods, "handler": name, "websocket": is_websocket, "files": files}


def static_files(folder):
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            found.append(os.path.relpath(os.path.join(where, name), folder).replace(os.sep, "/"))
            if len(found) == MOST_FILES:
                return found
    return found
