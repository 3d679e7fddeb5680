"""tornado.testing: what stop and wait hand on, what fails a test, and in which words."""
import logging
import os
import re
import unittest

from tornado import gen, testing, web
from tornado.concurrent import Future
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.log import app_log, gen_log
from tornado.testing import AsyncHTTPTestCase, AsyncTestCase, ExpectLog, LogTrapTestCase, gen_test


def running(record, case, *names):
    """Run the tests of ``case`` one by one, and record how each ended: its last line, which has the message."""
    for name in names or sorted(name for name in dir(case) if name.startswith("test")):
        result = unittest.TestResult()
        case(name).run(result)
        for kind in ("failures", "errors"):
            for _, text in getattr(result, kind):
                last = [line for line in text.splitlines() if line and line[0] not in " \t"][-1]
                record(name, kind, re.sub(r"0x[0-9a-f]+", "0x", last))
        record(name, result.wasSuccessful(), len(result.skipped))


def stop_and_wait(record):
    class Case(AsyncTestCase):
        def test_before(self):
            self.stop("value")
            record(self.wait())

        def test_keywords(self):
            self.io_loop.add_callback(lambda: self.stop(a=1, b=2))
            record(self.wait())

        def test_both(self):
            try:
                self.stop("value", a=1)
            except AssertionError as e:
                record(type(e), str(e))

        def test_nothing(self):
            self.io_loop.add_callback(self.stop)
            record(self.wait())

        def test_twice(self):
            self.stop(1)
            self.stop(2)
            record(self.wait())

        def test_again(self):
            for n in range(3):
                self.io_loop.add_callback(self.stop, n)
                record(self.wait())

        def test_within(self):
            self.io_loop.add_callback(lambda: (self.stop("first"), self.stop("second")))
            record(self.wait())

        def test_falsy(self):
            for value in (0, "", [], False, None):
                self.stop(value)
                record(self.wait())

        def test_future_as_argument(self):
            future = Future()
            future.set_result("done")
            self.io_loop.add_future(future, self.stop)
            record(self.wait().result())

    running(record, Case)


def conditions(record):
    class Case(AsyncTestCase):
        def test_condition(self):
            seen = []

            def step():
                seen.append(1)
                self.stop(len(seen))
                if len(seen) < 3:
                    self.io_loop.add_callback(step)

            self.io_loop.add_callback(step)
            record(self.wait(lambda: len(seen) >= 3), len(seen))

        def test_never(self):
            self.io_loop.add_callback(self.stop)
            self.wait(lambda: False, timeout=0.02)

        def test_condition_fails(self):
            def condition():
                raise ValueError("condition")

            self.io_loop.add_callback(self.stop)
            self.wait(condition)

    running(record, Case)


def time_outs(record):
    class Case(AsyncTestCase):
        def test_seconds(self):
            self.wait(timeout=0.01)

        def test_whole(self):
            try:
                self.wait(timeout=0.015)
            except Exception as e:
                record(type(e), isinstance(e, self.failureException), str(e))

        def test_environment(self):
            os.environ["ASYNC_TEST_TIMEOUT"] = "0.01"
            try:
                self.wait()
            finally:
                del os.environ["ASYNC_TEST_TIMEOUT"]

        def test_usable_afterwards(self):
            try:
                self.wait(timeout=0.01)
            except AssertionError:
                pass
            self.stop("after")
            record(self.wait())

        def test_no_limit(self):
            self.io_loop.add_callback(self.stop, "soon")
            record(self.wait(timeout=0))

    running(record, Case)
    record(testing.get_async_test_timeout())
    for value in ("3", "0.5", "x", ""):
        os.environ["ASYNC_TEST_TIMEOUT"] = value
        record(testing.get_async_test_timeout())
    del os.environ["ASYNC_TEST_TIMEOUT"]


def exceptions_of_callbacks(record):
    class Case(AsyncTestCase):
        def test_in_wait(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            self.wait()

        def test_caught(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            try:
                self.wait()
            except ZeroDivisionError as e:
                record(e)

        def test_two(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            self.io_loop.add_callback(lambda: {}["key"])
            self.wait()

        def test_after_stop(self):
            self.io_loop.add_callback(self.stop)
            self.io_loop.add_callback(lambda: 1 / 0)
            self.wait()

        def test_never_waited_for(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            self.io_loop.add_callback(self.io_loop.stop)
            self.io_loop.start()

        def test_in_a_coroutine(self):
            @gen.coroutine
            def fail():
                yield gen.moment
                raise KeyError("coroutine")

            self.io_loop.add_future(fail(), lambda future: future.result())
            self.wait()

    running(record, Case)


def undecorated(record):
    class Case(AsyncTestCase):
        def test_generator(self):
            yield

        @gen.coroutine
        def test_coroutine(self):
            yield gen.moment

        def test_value(self):
            return 5

        @unittest.skip("why")
        def test_skipped(self):
            raise ValueError

        @unittest.expectedFailure
        def test_expected(self):
            self.fail("as expected")

        @gen_test
        def test_expected_coroutine(self):
            yield gen.moment
            raise unittest.SkipTest("late")

    running(record, Case)


def coroutine_tests(record):
    class Case(AsyncTestCase):
        @gen_test
        def test_generator(self):
            value = yield gen.maybe_future(5)
            record(value)

        @gen_test
        def test_plain(self):
            record("plain")

        @gen_test(timeout=0.01)
        def test_too_long(self):
            yield Future()

        @gen_test(timeout=0.01)
        def test_catches(self):
            try:
                yield gen.sleep(30)
            except Exception as e:
                record(type(e), str(e))
            finally:
                record("finally")

        @gen_test
        def test_fails(self):
            yield gen.moment
            self.assertEqual(1, 2)

        @gen_test
        def test_returns(self):
            yield gen.moment
            raise gen.Return(5)

        @gen_test
        def test_background(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            yield gen.moment
            yield gen.moment

        @gen_test
        @gen.coroutine
        def test_decorated_twice(self):
            yield gen.moment
            record("twice")

    running(record, Case)
    record(Case.test_generator.__name__)
    try:
        gen_test(5)
    except Exception as e:
        record(type(e))


def loops_of_cases(record):
    class Case(AsyncTestCase):
        def test_own(self):
            record(self.io_loop is IOLoop.current(), self.io_loop is IOLoop.instance())

    class Shared(Case):
        def get_new_ioloop(self):
            return IOLoop.instance()

    before = IOLoop.current()
    running(record, Case)
    running(record, Shared)
    record(IOLoop.current(instance=False) is before)


def set_up_and_tear_down(record):
    class Case(AsyncTestCase):
        def setUp(self):
            super(Case, self).setUp()
            record("setUp")

        def tearDown(self):
            record("tearDown")
            super(Case, self).tearDown()

        def test(self):
            record("test")

    class Forgetful(AsyncTestCase):
        def tearDown(self):
            record("forgets")

        def test(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            self.io_loop.add_callback(self.io_loop.stop)
            self.io_loop.start()

    class Broken(AsyncTestCase):
        def setUp(self):
            raise ValueError("setUp")

        def test(self):
            record("never")

    for case in (Case, Forgetful, Broken):
        running(record, case)


class Hello(web.RequestHandler):
    def get(self):
        if self.get_argument("fail", ""):
            raise ValueError("handler")
        self.write(self.get_argument("name", "world"))

    def post(self):
        self.write(self.request.body)


def http_cases(record):
    class Case(AsyncHTTPTestCase):
        def get_app(self):
            return web.Application([("/", Hello)], log_function=lambda handler: record("served", handler.get_status()))

        def test_fetch(self):
            response = self.fetch("/?name=me")
            record(response.code, response.body, response.effective_url == self.get_url("/?name=me"))
            record(self.fetch("/nothing").code, self.fetch("/", method="POST", body="b").body)

        def test_error(self):
            with ExpectLog(app_log, "Uncaught exception"):
                record(self.fetch("/?fail=1").code)

        def test_attributes(self):
            record(type(self._app).__name__, isinstance(self.http_server, HTTPServer), isinstance(self.http_client, AsyncHTTPClient),
                   self.get_protocol(), self.get_httpserver_options(), self.get_url("/a").replace(str(self.get_http_port()), "PORT"),
                   self.http_client.io_loop is self.io_loop, self.http_server.io_loop is self.io_loop)

        @gen_test
        def test_coroutine(self):
            response = yield self.http_client.fetch(self.get_url("/"))
            record(response.body)

        def test_stop_as_callback(self):
            self.http_client.fetch(self.get_url("/"), self.stop)
            record(self.wait().body)

        def test_refused_method(self):
            response = self.fetch("/", method="BREW")
            record(response.code, type(response.error), str(response.error))

    running(record, Case)

    class NoApp(AsyncHTTPTestCase):
        def test(self):
            pass

    running(record, NoApp)


def expected_logs(record):
    def logging_to(logger, regex, *messages, **options):
        try:
            with ExpectLog(logger, regex, **options) as expect:
                for log, message in messages:
                    log.warning(message)
            record(regex, options, expect.matched, expect.logged_stack)
        except Exception as e:
            record(regex, options, type(e), str(e))

    logging_to(gen_log, "one", (gen_log, "one"))
    logging_to("tornado.general", "one", (gen_log, "one more"))
    logging_to(gen_log, "one", (gen_log, "more one"))
    logging_to(gen_log, "one")
    logging_to(gen_log, "one", required=False)
    logging_to("", "one", (gen_log, "one"))
    logging_to(app_log, "one", (gen_log, "one"), required=False)
    logging_to("", "root", (logging.getLogger(), "root"))
    try:
        with ExpectLog(gen_log, "never"):
            raise KeyError("own")
    except KeyError as e:
        record(e)
    try:
        with ExpectLog(gen_log, "with") as expect:
            try:
                raise ValueError
            except ValueError:
                gen_log.error("with a stack", exc_info=True)
        record(expect.logged_stack)
    except Exception as e:
        record(e)


def trapped_logs(record):
    class Case(LogTrapTestCase):
        def test_good(self):
            gen_log.warning("good")

        def test_bad(self):
            gen_log.warning("bad")
            self.fail("bad")

    running(record, Case)


def ports(record):
    record(testing.get_unused_port() + 1 == testing.get_unused_port())
    sock, port = testing.bind_unused_port()
    record(sock.getsockname() == ("127.0.0.1", port))
    sock.close()
