"""Test cases for asynchronous code: a loop for each test, and ways to wait for what happens on it.

* `AsyncTestCase` gives each test an `.IOLoop` of its own, and reports exceptions of its callbacks as the
  test's.
* `AsyncHTTPTestCase` and `AsyncHTTPSTestCase` start a server around an application besides.
* `gen_test` lets a test be a coroutine; without it, a test waits with `AsyncTestCase.stop` and
  `AsyncTestCase.wait`.
* `ExpectLog` expects, and hides, a message of the log. `LogTrapTestCase` hides the log of tests that pass.

The cases are `unittest.TestCase` classes; any runner that knows those will do, pytest included::

    class HelloTest(AsyncHTTPTestCase):
        def get_app(self):
            return make_application()

        def test_hello(self):
            self.assertEqual(self.fetch("/").body, b"Hello")

        @gen_test
        def test_hello_with_a_coroutine(self):
            response = yield self.http_client.fetch(self.get_url("/"))
            self.assertEqual(response.body, b"Hello")
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
import logging
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import unittest
from collections.abc import Callable
from io import StringIO
from types import GeneratorType, TracebackType
from typing import Any, Self, TypeVar, overload

from tornado4 import _handed_on, gen, netutil
from tornado4.httpclient import AsyncHTTPClient, HTTPResponse
from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop, TimeoutError
from tornado4.log import app_log, gen_log
from tornado4.options import define, options
from tornado4.process import Subprocess
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.stack_context import ExceptionStackContext
from tornado4.util import PY3, basestring_type, raise_exc_info

__all__ = [
    "PY3",
    "AsyncHTTPClient",
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "ExceptionStackContext",
    "ExpectLog",
    "HTTPServer",
    "IOLoop",
    "LogTrapTestCase",
    "SimpleAsyncHTTPClient",
    "Subprocess",
    "TimeoutError",
    "app_log",
    "basestring_type",
    "bind_unused_port",
    "gen_log",
    "gen_test",
    "get_async_test_timeout",
    "get_unused_port",
    "main",
    "raise_exc_info",
]

_next_port = 10000

#: How long, in seconds, a cancelled coroutine test may take to clean up.
_CLEANUP_TIME = 5.0


def get_unused_port() -> int:
    """Return a port number that nothing in this process was given before; it may be taken all the same.

    Use `bind_unused_port`, which cannot fail that way.
    """
    global _next_port
    _next_port += 1
    return _next_port - 1


def bind_unused_port(reuse_port: bool = False) -> tuple[socket.socket, int]:
    """Bind a listening socket to a free port of 127.0.0.1; return the socket and the port.

    :arg reuse_port: set ``SO_REUSEPORT``.
    """
    bound = netutil.bind_sockets(0, "127.0.0.1", family=socket.AF_INET, reuse_port=reuse_port)[0]
    return bound, bound.getsockname()[1]


def get_async_test_timeout() -> float:
    """Return how long a test may wait, in seconds: ``ASYNC_TEST_TIMEOUT`` of the environment, or else 5."""
    try:
        return float(os.environ["ASYNC_TEST_TIMEOUT"])
    except (KeyError, ValueError):
        return 5


class _TestMethodWrapper:
    """A test method that must return None: with a forgotten `gen_test` it would pass without being run."""

    def __init__(self, orig_method: Callable[..., Any]) -> None:
        self.orig_method = orig_method

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        result = self.orig_method(*args, **kwargs)
        if isinstance(result, GeneratorType) or inspect.iscoroutine(result):
            if inspect.iscoroutine(result):
                result.close()  # it is reported here, once; no warning about it later
            raise TypeError(
                "Generator and coroutine test methods should be decorated with tornado.testing.gen_test"
            )
        if result is not None:
            raise ValueError(f"Return value from test method ignored: {result!r}")

    def __getattr__(self, name: str) -> Any:
        # Marks like unittest.skip's are attributes of the method.
        if name == "orig_method":
            raise AttributeError(name)  # half made, as copy() makes it
        return getattr(self.orig_method, name)


class AsyncTestCase(unittest.TestCase):
    """A test case with a loop of its own, ``self.io_loop``, which is current while the test runs.

    A test starts something with `stop` as its callback, calls `wait`, which returns what `stop` was given,
    and goes on. `gen_test` is often simpler. An exception in a callback makes the test fail, through `wait`
    or at its end.
    """

    io_loop: IOLoop

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.__stopped = False
        self.__running = False
        self.__failure: Any = None
        self.__stop_args: Any = None
        self.__timeout: Any = None
        # unittest takes "runTest" for an instance that only looks like a test; pytest 8 makes such ones.
        method = getattr(self, methodName, None)
        if method is not None:
            setattr(self, methodName, _TestMethodWrapper(method))

    def setUp(self) -> None:
        """Make ``self.io_loop``, the current loop during the test. Call it first when overriding."""
        super().setUp()
        self.io_loop = self.get_new_ioloop()
        self.io_loop.make_current()

    def tearDown(self) -> None:
        """Close the loop with all it watches, and raise what failed in a callback after the last `wait`.

        Call it last when overriding.
        """
        Subprocess.uninitialize()
        self.io_loop.clear_current()
        # A test may run on the singleton; that outlives it.
        if not IOLoop.initialized() or self.io_loop is not IOLoop.instance():
            self.io_loop.close(all_fds=True)
        super().tearDown()
        # The failure of a callback that no wait() was there to raise.
        self.__rethrow()

    def get_new_ioloop(self) -> IOLoop:
        """Make the loop of a test. Override it to test on another kind, or on ``IOLoop.instance()``."""
        return IOLoop()

    def _handle_exception(self, typ: Any, value: Any, tb: Any) -> bool:
        """An exception in a callback: end the wait; the first one is the test's, others are logged."""
        if self.__failure is None:
            self.__failure = (typ, value, tb)
        else:
            app_log.error("multiple unhandled exceptions in test", exc_info=(typ, value, tb))
        self.stop()
        return True

    def __rethrow(self) -> None:
        if self.__failure is not None:
            failure, self.__failure = self.__failure, None
            try:
                raise_exc_info(failure)
            finally:
                del failure  # its traceback holds this frame

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test in a stack context that catches the exceptions of its callbacks."""
        with ExceptionStackContext(self._handle_exception):
            outcome = super().run(result)
        # Whoever overrides tearDown() without calling ours hears of a failure here.
        self.__rethrow()
        return outcome

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """End the `wait` in progress, or the next one, which returns ``_arg``, or the keywords as a dict."""
        assert not (kwargs and _arg is not None)
        self.__stopped, self.__stop_args = True, kwargs or _arg
        running, self.__running = self.__running, False
        if running:
            self.io_loop.stop()

    def wait(self, condition: Callable[[], Any] | None = None, timeout: float | None = None) -> Any:
        """Run the loop until `stop`; return what that was given.

        ``timeout`` is in seconds, by default `get_async_test_timeout`; ``0`` waits without end. When it is
        over the test fails. With a ``condition`` the loop is started again until that is true.
        """
        limit = get_async_test_timeout() if timeout is None else timeout
        if not self.__stopped:
            if limit:
                deadline = self.io_loop.time() + limit
                self.__timeout = self.io_loop.add_timeout(deadline, self.__out_of_time, limit)
            self.__run_until(condition)
            guard, self.__timeout = self.__timeout, None
            if guard is not None:
                self.io_loop.remove_timeout(guard)
        assert self.__stopped
        self.__stopped = False
        self.__rethrow()
        result, self.__stop_args = self.__stop_args, None
        return result

    def __run_until(self, condition: Callable[[], Any] | None) -> None:
        """Start the loop again and again until something failed or the condition is true."""
        satisfied = False
        while not satisfied:
            self.__running = True
            self.io_loop.start()
            satisfied = self.__failure is not None or condition is None or bool(condition())

    def __out_of_time(self, limit: float) -> None:
        try:
            raise self.failureException(f"Async operation timed out after {limit} seconds")
        except self.failureException:
            self.__failure = sys.exc_info()
        self.stop()


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case with a server around the application of `get_app`, on a free port of 127.0.0.1.

    Tests talk to it with `fetch`, or with ``self.http_client`` and `get_url`.
    """

    def setUp(self) -> None:
        """Make client, application and server, and serve on a port of the loopback interface."""
        super().setUp()
        listener, self.__port = bind_unused_port()
        try:
            self.http_client = self.get_http_client()
            self._app = self.get_app()
            self.http_server = self.get_http_server()
        except BaseException:
            listener.close()
            raise
        self.http_server.add_sockets([listener])

    # -- to override --

    def get_app(self) -> Any:
        """Return what is tested: an `.Application`, or any other callback of an `.HTTPServer`."""
        raise NotImplementedError()

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return further keyword arguments for the server."""
        return {}

    def get_protocol(self) -> str:
        """Return the scheme of the server's URLs."""
        return "http"

    def get_http_server(self) -> Any:
        """Make ``self.http_server``.

        It does not insist on a ``Host`` in HTTP/1.1 requests, as other servers do (WIRE-HOST in
        ``docs/deviations.md``): old suites are full of raw requests without one.
        """
        server = HTTPServer(self._app, io_loop=self.io_loop, **self.get_httpserver_options())
        server.conn_params.require_host = False
        return server

    def get_http_client(self) -> Any:
        """Make ``self.http_client``."""
        return AsyncHTTPClient(io_loop=self.io_loop)

    # -- to call --

    def get_url(self, path: str) -> str:
        """Return the absolute URL of ``path`` on the server."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"

    def get_http_port(self) -> int:
        """Return the server's port, a new one for each test."""
        return self.__port

    def fetch(self, path: str, **kwargs: Any) -> HTTPResponse:
        """Fetch ``path`` of the server and wait for the response, whatever its status.

        The keyword arguments are those of `.AsyncHTTPClient.fetch`.
        """
        self.http_client.fetch(self.get_url(path), self.stop, **kwargs)
        response: HTTPResponse = self.wait()
        return response

    def tearDown(self) -> None:
        """Stop the server, close its connections, and the client."""
        self.http_server.stop()
        self.io_loop.run_sync(self.http_server.close_all_connections, timeout=get_async_test_timeout())
        if not IOLoop.initialized() or self.http_client.io_loop is not IOLoop.instance():
            self.http_client.close()
        super().tearDown()


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """An `AsyncHTTPTestCase` over TLS, with a self-signed certificate that the client accepts."""

    def get_http_client(self) -> Any:
        """Make ``self.http_client``, which takes any certificate."""
        return AsyncHTTPClient(io_loop=self.io_loop, force_instance=True, defaults={"validate_cert": False})

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return the arguments of the server: `get_ssl_options` as ``ssl_options``."""
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> Any:
        """Return the server's TLS options: a certificate made for tests, for localhost and 127.0.0.1."""
        directory = _certificate_directory()
        return {
            "certfile": os.path.join(directory, "test.crt"),
            "keyfile": os.path.join(directory, "test.key"),
        }

    def get_protocol(self) -> str:
        """Return ``"https"``."""
        return "https"


# Anybody can read this key: it protects nothing. It stands here, not in a file, so that no installer can
# lose it.
_TEST_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCu3dVcNWJZfqFs62
tPUcYheZi6BDVsWkZqMVJMQB1OuhRANCAARXQeyQXif1Fx+zd3fiOCzLglGweD4r
LGwa8XBj/pgpe9or6vn/F3xBdn1GTJcTphauyJkriFaay2/D+rAJkoVc
-----END PRIVATE KEY-----
"""

_TEST_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBvjCCAWOgAwIBAgIUMN7otOB6awY7TDDMe2oSR+4TpuUwCgYIKoZIzj0EAwIw
JDEiMCAGA1UEAwwZdG9ybmFkbzQgdGVzdCBjZXJ0aWZpY2F0ZTAgFw0yMDAxMDEw
MDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowJDEiMCAGA1UEAwwZdG9ybmFkbzQgdGVz
dCBjZXJ0aWZpY2F0ZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFdB7JBeJ/UX
H7N3d+I4LMuCUbB4PissbBrxcGP+mCl72ivq+f8XfEF2fUZMlxOmFq7ImSuIVprL
b8P6sAmShVyjcTBvMD0GA1UdEQQ2MDSCCWxvY2FsaG9zdIIPZm9vLmV4YW1wbGUu
Y29thwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMA8GA1UdEwEB/wQFMAMBAf8wHQYD
VR0OBBYEFCEQ4HYWnhuCUzEQGBTrI2H5jYvTMAoGCCqGSM49BAMCA0kAMEYCIQDB
WdJBW+0p0NSVV243dqq7LOnnc8NPnTFo5GYVdHQyfgIhAPa9KU9YfdDIgQ6pArn7
qTmI5S8TIABVituwoQRP7erK
-----END CERTIFICATE-----
"""


@functools.cache
def _certificate_directory() -> str:
    """Write the test certificate to a directory that lasts as long as the process; `ssl` takes only files."""
    directory = tempfile.mkdtemp(prefix="tornado4-testing-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for name, content in (("test.crt", _TEST_CERTIFICATE), ("test.key", _TEST_KEY)):
        with open(os.path.join(directory, name), "w", encoding="ascii") as f:
            f.write(content)
    return directory


_Test = TypeVar("_Test", bound=Callable[..., Any])


@overload
def gen_test(func: Callable[..., Any], timeout: float | None = None) -> Callable[..., Any]: ...


@overload
def gen_test(func: None = None, timeout: float | None = None) -> Callable[[_Test], Callable[..., Any]]: ...


def gen_test(func: Any = None, timeout: float | None = None) -> Any:
    """Decorate a test that is a coroutine: run it to its end on ``self.io_loop``.

    A generator or an ``async def``; any arguments after ``self`` are passed on. ``@gen_test(timeout=10)``
    sets a limit in seconds, by default `get_async_test_timeout` at the time of decoration. When it is over
    `.TimeoutError` is raised, with a traceback to the line at which the test waited. What the test returns
    is returned.

    :arg func: the test's method; with ``timeout`` (seconds) it is a decorator.
    """
    limit = get_async_test_timeout() if timeout is None else timeout

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        # unittest should see a plain method, without the mark of a coroutine function.
        runner = _run_native_test if inspect.iscoroutinefunction(test) else _run_generator_test

        @functools.wraps(test)
        def run_test(self: Any, *args: Any, **kwargs: Any) -> Any:
            return runner(self, functools.partial(test, self, *args, **kwargs), limit)

        return run_test

    return decorate if func is None else decorate(func)


def _run_generator_test(case: Any, test: Callable[[], Any], limit: float) -> Any:
    """Run a generator (or a plain function) as a coroutine."""
    generators: list[Any] = []

    def start() -> Any:
        result = test()
        if isinstance(result, GeneratorType):
            generators.append(result)
        return result

    try:
        return case.io_loop.run_sync(gen.coroutine(start), timeout=limit)
    except TimeoutError as e:
        if generators and generators[0].gi_frame is not None and not generators[0].gi_running:
            # Raised where the test waits, the error says what for.
            generators[0].throw(e)
        raise


def _run_native_test(case: Any, test: Callable[[], Any], limit: float) -> Any:
    """Run an ``async def`` as an asyncio task."""
    tasks: list[asyncio.Task[Any]] = []
    waited_at: list[TracebackType | None] = []

    async def start() -> Any:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            return await test()
        except asyncio.CancelledError as e:
            if not out_of_time:
                raise
            waited_at.append(e.__traceback__)
            return None  # the time-out is what will be raised

    out_of_time = False
    try:
        return case.io_loop.run_sync(start, timeout=limit)
    except TimeoutError as e:
        if not tasks or tasks[0].done():
            raise
        # Cancelling runs the test's clean-up, and its traceback names the line that waited.
        out_of_time = True
        tasks[0].cancel()
        guard = case.io_loop.add_timeout(case.io_loop.time() + _CLEANUP_TIME, case.io_loop.stop)
        case.io_loop.start()  # run_sync() has seen to it that the end of the test stops the loop
        case.io_loop.remove_timeout(guard)
        if not waited_at:
            raise
        raise e.with_traceback(waited_at[0]) from None


class LogTrapTestCase(unittest.TestCase):
    """A test case that shows what was logged only if the test fails.

    It works when the root logger has exactly one handler, and that is a `logging.StreamHandler`, as after
    ``logging.basicConfig()``; otherwise the test simply runs. `ExpectLog` suits most tests better.
    """

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test with the log's stream replaced."""
        root = logging.getLogger()
        if not root.handlers:
            logging.basicConfig()
        handler = root.handlers[0]
        if len(root.handlers) > 1 or not isinstance(handler, logging.StreamHandler):
            return super().run(result)
        if result is None:
            result = self.defaultTestResult()
        stream = handler.stream
        handler.stream = trap = StringIO()
        try:
            gen_log.info("RUNNING TEST: " + str(self))
            before = len(result.failures) + len(result.errors)
            outcome = super().run(result)
            if len(result.failures) + len(result.errors) > before:
                stream.write(trap.getvalue())
            return outcome
        finally:
            handler.stream = stream


class ExpectLog(logging.Filter):
    """A context manager that hides log messages and fails if there were none of them::

        with ExpectLog("tornado.application", "Exception in callback"):
            ...

    ``logger`` is a logger or its name; only what is logged to that very logger counts (``''`` is the root's).
    ``regex`` must match from the start of the message. Other messages pass. With ``required=False`` none
    need appear. Afterwards ``logged_stack`` says whether anything was logged with a traceback.
    """

    def __init__(self, logger: logging.Logger | str, regex: str, required: bool = True) -> None:
        super().__init__()
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self.regex = re.compile(regex)
        self.required = required
        self.matched = False
        self.logged_stack = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide a matching record, and remember it."""
        if record.exc_info:
            self.logged_stack = True
        if self.regex.match(record.getMessage()) is None:
            return True
        self.matched = True
        return False

    def __enter__(self) -> Self:
        self.logger.addFilter(self)
        return self

    def __exit__(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.logger.removeFilter(self)
        if typ is None and self.required and not self.matched:
            raise Exception("did not get expected log message")


def main(**kwargs: Any) -> None:
    """Run tests from the command line, with the options of `tornado4.options` and a log line for the outcome.

    Arguments that are no options name the tests; without any, ``all()`` of the main module makes the suite.
    The keyword arguments are passed to `unittest.main`. Most projects want a test runner instead.
    """
    _define_options()
    argv = [sys.argv[0], *options.parse_command_line(sys.argv)]
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, keyword, value in _UNITTEST_OPTIONS:
        # Given at all counts, as in 4.5.3.
        if getattr(options, name) is not None:
            kwargs[keyword] = value
    if len(argv) > 1:
        kwargs["module"] = None
    elif __name__ == "__main__":
        print("No tests specified", file=sys.stderr)
        sys.exit(1)
    else:
        kwargs["defaultTest"] = "all"
    try:
        unittest.main(argv=argv, **kwargs)
    except SystemExit as e:
        log, verdict = (gen_log.error, "FAIL") if e.code else (gen_log.info, "PASS")
        log(verdict)
        raise


#: Options of `main` that are unittest's keyword arguments: our name, unittest's, and what to say.
_UNITTEST_OPTIONS = (
    ("verbose", "verbosity", 2),
    ("quiet", "verbosity", 0),
    ("failfast", "failfast", True),
    ("catch", "catchbreak", True),
    ("buffer", "buffer", True),
)


def _define_options() -> None:
    """Add the options of `main` to the program's."""
    define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="Whether ctrl-c raises KeyboardInterrupt (the default), which tells where the tests were "
        "but may be held up, or simply kills the process.",
    )
    for name, _, _ in _UNITTEST_OPTIONS:
        define(name, type=bool)


_handed_on.complete(globals())

if __name__ == "__main__":
    main()
