"""The test cases, tested: most classes here are run by hand and their results looked at."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import traceback
import unittest

import pytest

from tornado4 import gen, testing
from tornado4.ioloop import IOLoop, TimeoutError
from tornado4.testing import AsyncTestCase, ExpectLog, LogTrapTestCase, bind_unused_port, gen_test


def run(case_class, name):
    result = unittest.TestResult()
    case_class(name).run(result)
    return result


def only_error(result):
    assert len(result.errors) == 1, result
    return result.errors[0][1]


def test_a_test_that_yields_must_be_decorated_as_in_453():
    class Case(AsyncTestCase):
        def test_generator(self):
            yield

        async def test_native(self):
            pass

        def test_value(self):
            return 42

        @unittest.skip("not now")
        def test_skipped(self):
            yield

    for name in ("test_generator", "test_native"):
        assert (
            "TypeError: Generator and coroutine test methods "
            "should be decorated with tornado.testing.gen_test" in only_error(run(Case, name))
        )
    assert "ValueError: Return value from test method ignored: 42" in only_error(run(Case, "test_value"))
    assert len(run(Case, "test_skipped").skipped) == 1


def test_a_case_can_be_made_without_a_method_as_pytest_does():
    class Case(AsyncTestCase):
        pass

    assert Case()._testMethodName == Case("runTest")._testMethodName == "runTest"


def test_stop_hands_values_to_wait():
    class Case(AsyncTestCase):
        def test(self):
            self.stop(5)
            assert self.wait() == 5
            self.io_loop.add_callback(self.stop, a=1, b=2)
            assert self.wait() == {"a": 1, "b": 2}
            self.io_loop.add_callback(self.stop)
            assert self.wait() is None
            with self.assertRaises(AssertionError):
                self.stop(1, a=2)
            answers = [False, True]

            def condition():
                self.io_loop.add_callback(self.stop)
                return answers.pop(0)

            self.io_loop.add_callback(self.stop)
            self.wait(condition=condition)
            assert answers == []

    assert run(Case, "test").wasSuccessful()


def test_waiting_too_long_fails_the_test_with_the_words_of_453(monkeypatch):
    class Case(AsyncTestCase):
        def test(self):
            self.wait(timeout=0.01)

        def test_environment(self):
            self.wait()

    assert "Async operation timed out after 0.01 seconds" in run(Case, "test").failures[0][1]
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.02")
    assert "timed out after 0.02 seconds" in run(Case, "test_environment").failures[0][1]


def test_exceptions_of_callbacks_are_the_tests(caplog):
    class Case(AsyncTestCase):
        def test_in_wait(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            with self.assertRaises(ZeroDivisionError):
                self.wait()

        def test_without_wait(self):
            self.io_loop.add_callback(lambda: 1 / 0)
            self.io_loop.add_callback(self.io_loop.stop)
            self.io_loop.start()

        def test_two(self):
            def fail(name):
                raise KeyError(name)

            self.io_loop.add_callback(fail, "one")
            self.io_loop.add_callback(fail, "two")
            with self.assertRaisesRegex(KeyError, "one"):
                self.wait()

    assert run(Case, "test_in_wait").wasSuccessful()
    assert "ZeroDivisionError" in only_error(run(Case, "test_without_wait"))
    assert caplog.records == []
    assert run(Case, "test_two").wasSuccessful()
    assert caplog.messages == ["multiple unhandled exceptions in test"]


def test_each_test_has_a_loop_that_is_current_and_closed_afterwards():
    loops = []

    class Case(AsyncTestCase):
        def test(self):
            assert IOLoop.current() is self.io_loop
            loops.append(self.io_loop)

    assert run(Case, "test").wasSuccessful()
    assert loops[0].asyncio_loop.is_closed()
    assert IOLoop.current(instance=False) is None


def test_the_singleton_is_not_closed():
    class Case(AsyncTestCase):
        def get_new_ioloop(self):
            return IOLoop.instance()

        def test(self):
            pass

    try:
        assert run(Case, "test").wasSuccessful()
        assert not IOLoop.instance().asyncio_loop.is_closed()
        IOLoop.instance().close()
    finally:
        IOLoop.clear_instance()
        IOLoop.clear_current()


class GenTestCase(AsyncTestCase):
    @gen_test
    def test_generator(self):
        yield gen.moment
        self.done = True

    @gen_test
    async def test_native(self):
        assert asyncio.current_task() is not None
        await asyncio.sleep(0)
        self.done = True

    @gen_test
    def test_plain(self):
        self.done = True

    def tearDown(self):
        assert self.done
        super().tearDown()


@pytest.mark.parametrize("name", ["test_generator", "test_native", "test_plain"])
def test_gen_test_runs_every_kind_of_test(name):
    assert run(GenTestCase, name).wasSuccessful()


def test_gen_test_passes_arguments_and_keeps_the_name():
    class Case(AsyncTestCase):
        def test(self):
            assert self.helper(1, b=2) == (1, 2)
            assert self.helper.__name__ == "helper"

        @gen_test
        def helper(self, a, b):
            """Documented."""
            yield gen.moment
            return (a, b)

    result = run(Case, "test")
    assert result.wasSuccessful(), result.errors


def test_a_timeout_blames_the_line_that_waited_as_in_453():
    seen = []

    class Case(AsyncTestCase):
        def test(self):
            for method in (self.generator, self.native):
                with self.assertRaises(TimeoutError):
                    try:
                        method()
                    except TimeoutError:
                        seen.append(traceback.format_exc())
                        raise

        @gen_test(timeout=0.01)
        def generator(self):
            yield gen.sleep(10)  # the generator waits here

        @gen_test(timeout=0.01)
        async def native(self):
            try:
                await gen.sleep(10)  # the coroutine waits here
            except asyncio.CancelledError:  # TimeoutError in 4.5.3, whose coroutines were no tasks
                seen.append("cleaned up")
                raise

    result = run(Case, "test")
    assert result.wasSuccessful(), result.errors + result.failures
    assert "the generator waits here" in seen[0]
    assert seen[1] == "cleaned up"
    assert "the coroutine waits here" in seen[2]
    assert "Operation timed out after 0.01 seconds" in seen[2]


def test_timeouts_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("ASYNC_TEST_TIMEOUT", raising=False)
    assert testing.get_async_test_timeout() == 5
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "7")
    assert testing.get_async_test_timeout() == 7.0
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "soon")
    assert testing.get_async_test_timeout() == 5


def test_ports():
    first, second = testing.get_unused_port(), testing.get_unused_port()
    assert second == first + 1
    sock, port = bind_unused_port()
    with sock, socket.create_connection(("127.0.0.1", port)):
        assert sock.getsockname() == ("127.0.0.1", port)


def test_expect_log_hides_what_it_expects_and_insists_on_it(caplog):
    logger = logging.getLogger("expect.log")
    with ExpectLog(logger, "exp") as expected:
        logger.error("expected")
        logger.error("other")
    assert expected.matched
    assert not expected.logged_stack
    assert caplog.messages == ["other"]
    with pytest.raises(Exception, match="did not get expected log message"), ExpectLog("expect.log", "x"):
        pass
    with ExpectLog("expect.log", "x", required=False):
        pass
    with pytest.raises(KeyError), ExpectLog("expect.log", "x"):
        raise KeyError  # what went wrong is more interesting than what was not logged
    assert logger.filters == []
    with ExpectLog(logger, ".*") as expected:
        logger.error("with stack", exc_info=(KeyError, KeyError(), None))
    assert expected.logged_stack


def test_log_trap_shows_the_log_of_failing_tests_only():
    code = textwrap.dedent("""
        import logging, sys, unittest
        logging.basicConfig(stream=sys.stdout, level=logging.INFO)
        from tornado4.testing import LogTrapTestCase
        class Case(LogTrapTestCase):
            def test_good(self):
                logging.error("hidden")
            def test_bad(self):
                logging.error("shown")
                self.fail()
        unittest.TextTestRunner(stream=open("/dev/null", "w")).run(
            unittest.defaultTestLoader.loadTestsFromTestCase(Case))
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert "ERROR:root:shown" in done.stdout
    assert "RUNNING TEST: test_bad" in done.stdout
    assert "hidden" not in done.stdout


def test_log_trap_stands_aside_when_the_log_goes_elsewhere(caplog):
    class Case(LogTrapTestCase):
        def test(self):
            logging.getLogger("trap").error("through")

    assert run(Case, "test").wasSuccessful()
    assert "through" in caplog.messages


def test_the_test_certificate_is_one_that_openssl_takes():
    options = testing.AsyncHTTPSTestCase().get_ssl_options()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certfile"], options["keyfile"])
    assert os.path.isfile(options["certfile"])
    client = ssl.create_default_context(cafile=options["certfile"])
    assert client.cert_store_stats()["x509"] >= 1


def test_pytest_runs_the_cases(tmp_path):
    (tmp_path / "test_sample.py").write_text(
        textwrap.dedent("""
        import asyncio
        from tornado4 import gen
        from tornado4.testing import AsyncTestCase, gen_test

        class SampleTest(AsyncTestCase):
            def test_plain(self):
                self.io_loop.call_later(0, self.stop, 1)
                self.assertEqual(self.wait(), 1)
            @gen_test
            def test_generator(self):
                yield gen.moment
            @gen_test
            async def test_native(self):
                await asyncio.sleep(0)
            def test_forgotten(self):
                yield
        """)
    )
    root = os.path.dirname(os.path.dirname(os.path.abspath(testing.__file__)))
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::ResourceWarning",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert "1 failed, 3 passed" in done.stdout, done.stdout
    assert "should be decorated with tornado.testing.gen_test" in done.stdout


def run_main(tmp_path, *arguments):
    (tmp_path / "suite.py").write_text(
        textwrap.dedent("""
        import unittest
        from tornado4 import testing
        class Case(unittest.TestCase):
            def test_good(self): pass
            def test_bad(self): self.fail("bad")
        def all():
            return unittest.defaultTestLoader.loadTestsFromName("__main__.Case.test_good")
        if __name__ == "__main__":
            testing.main()
        """)
    )
    root = os.path.dirname(os.path.dirname(os.path.abspath(testing.__file__)))
    return subprocess.run(
        [sys.executable, "suite.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": root},
    )


def test_main_runs_all_or_what_is_named(tmp_path):
    done = run_main(tmp_path)
    assert done.returncode == 0
    assert "PASS" in done.stderr
    done = run_main(tmp_path, "--verbose", "suite.Case.test_bad", "suite.Case.test_good")
    assert done.returncode == 1
    assert "FAIL" in done.stderr
    assert "test_good (suite.Case" in done.stderr


class HttpCases:
    def get_app(self):
        from tornado4.web import Application, RequestHandler

        class Echo(RequestHandler):
            def get(self, path):
                self.write("hello " + path)

        return Application([("/(.*)", Echo)])

    def test_fetch(self):
        assert self.get_url("/x") == f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}/x"
        response = self.fetch("/path")
        assert (response.code, response.body) == (200, b"hello path")

    @gen_test
    def test_coroutine(self):
        response = yield self.http_client.fetch(self.get_url("/coroutine"))
        assert response.body == b"hello coroutine"


class TestPlainHttp(HttpCases, testing.AsyncHTTPTestCase):
    """A server and a client on the test's loop."""


class TestHttps(HttpCases, testing.AsyncHTTPSTestCase):
    """The same with the test certificate."""
