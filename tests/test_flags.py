"""Future flags, and the forward names: in processes of their own, since a flag cannot be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tornado4 import flags
from tornado4.migrate.rules import rules


def run(code: str, future: str = "names") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env=os.environ | {"TORNADO4_FUTURE": future}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


PROBES = """
    from tornado4 import concurrent, httpclient, ioloop, web
    print(hasattr(concurrent, "future_set_result_unless_cancelled"), hasattr(httpclient, "HTTPClientError"),
          hasattr(ioloop.IOLoop, "run_in_executor"), hasattr(web.RequestHandler, "get_signed_cookie"))
"""


def test_names_are_off_by_default_and_on_by_the_variable() -> None:
    assert run(PROBES, "").split() == ["False"] * 4
    assert run(PROBES).split() == ["True"] * 4


def test_off_nothing_of_it_is_imported() -> None:
    code = """
        import sys, tornado4.web, tornado4.testing
        print([name for name in sys.modules if "forward" in name or "flags" in name])
    """
    assert run(code, "") == "[]\n"


def test_single_names_can_be_left_out() -> None:
    future = "names,-httpclient.HTTPClientError,-ioloop.IOLoop.run_in_executor"
    assert run(PROBES, future).split() == ["True", "False", "False", "True"]


def test_turned_on_by_code_they_are_given_to_modules_that_are_there_and_to_later_ones() -> None:
    code = """
        from tornado4 import flags, ioloop
        before = hasattr(ioloop.IOLoop, "run_in_executor")
        flags.turn_on("names")
        flags.turn_on("names")
        from tornado4 import web
        print(before, hasattr(ioloop.IOLoop, "run_in_executor"), hasattr(web.RequestHandler, "detach"))
        print(flags.turned_on())
    """
    assert run(code, "") == "False True True\n['names']\n"


def test_a_wrong_flag_is_named() -> None:
    assert run("import tornado4", "nmaes") == (
        "ValueError: environment variable TORNADO4_FUTURE: no flag 'nmaes'; there are: "
        + ", ".join(["5.0", "6.0", "6.6", *sorted(flags.FLAGS)])
    )


def test_the_page_lists_each_flag() -> None:
    page = (Path(__file__).parent.parent / "docs" / "migrate.md").read_text("utf-8")
    for flag in flags._ALL:
        assert f"| `{flag.name}` | {flag.since or '5.0 to 6.6'} | {flag.brings} |" in page


#: The rules on behaviour, rather than on names and arguments: what Tornado 6 does otherwise can be turned on.
BEHAVIOURS = """
    TND120 TND150 TND210 TND401 TND402 TND403 TND404 TND405 TND406 TND407 TND408 TND410 TND411 TND412 TND417
    TND418 TND424 TND425 TND452 TND504 TND506 TND508 TND512 TND514 TND517 TND601 TND602 TND604 TND606 TND702
    TND753 TND754 TND802 TND803
""".split()


def test_each_behaviour_has_a_flag_or_the_reason_why_there_is_none() -> None:
    assert [rule_id for rule_id in BEHAVIOURS if not (rules()[rule_id].flag or rules()[rule_id].no_flag)] == []
    assert {rule.id for rule in rules().values() if rule.flag or rule.no_flag} == {*BEHAVIOURS}
    assert [rule.id for rule in rules().values() if rule.flag and rule.no_flag] == []
    listed = (Path(__file__).parent.parent / "docs" / "deviations.md").read_text("utf-8")
    for rule in rules().values():
        if rule.no_flag:
            row = rule.no_flag.rpartition(" ")[2]
            assert f"| {row} |" in listed, f"{rule.id}: {row} is no row of docs/deviations.md"


def test_under_the_alias_too() -> None:
    code = """
        from tornado4.migrate import alias
        alias.install()
        from tornado.concurrent import future_set_result_unless_cancelled
        import tornado.web
        print(future_set_result_unless_cancelled.__module__, hasattr(tornado.web.RequestHandler, "detach"))
    """
    assert run(code) == "tornado4.concurrent True\n"


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        (
            """
            from concurrent.futures import Future as Threads
            from tornado4 import concurrent
            done, cancelled = concurrent.Future(), Threads()
            cancelled.cancel()
            for future in (done, cancelled):
                concurrent.future_set_result_unless_cancelled(future, 1)
            print(done.result(), cancelled.cancelled())
            concurrent.future_add_done_callback(done, lambda f: print("at once"))
            """,
            "1 True\nat once\n",
        ),
        (
            """
            from concurrent.futures import ThreadPoolExecutor
            from tornado4.ioloop import IOLoop
            loop = IOLoop.current()
            async def main():
                print(await loop.run_in_executor(None, divmod, 7, 2))
                loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="mine"))
                import threading
                print((await loop.run_in_executor(None, lambda: threading.current_thread().name))[:4])
            loop.run_sync(main)
            """,
            "(3, 1)\nmine\n",
        ),
        (
            """
            import datetime
            from tornado4.ioloop import IOLoop, PeriodicCallback
            loop = IOLoop.current()
            seen = []
            def tick():
                seen.append(1)
                if len(seen) == 3:
                    loop.stop()
            periodic = PeriodicCallback(tick, datetime.timedelta(milliseconds=2), jitter=0.5)
            print(periodic.callback_time, periodic.jitter)
            periodic.start()
            loop.start()
            print(periodic.callback_time, len(seen))
            """,
            "2.0 0.5\n2.0 3\n",
        ),
        (
            """
            import socket
            from tornado4 import gen
            from tornado4.ioloop import IOLoop
            from tornado4.tcpclient import TCPClient
            from tornado4.testing import bind_unused_port
            async def main():
                sock, port = bind_unused_port(address="127.0.0.1")
                stream = await TCPClient().connect("127.0.0.1", port, timeout=120)
                print(stream.closed())
                buffer = bytearray(4)
                reading = stream.read_into(buffer)
                peer, _ = sock.accept()
                peer.sendall(b"abcdef")
                print(await reading, bytes(buffer))
            IOLoop.current().run_sync(main)
            """,
            "False\n4 b'abcd'\n",
        ),
        (
            """
            from tornado4 import gen
            from tornado4.concurrent import Future
            from tornado4.ioloop import IOLoop
            from tornado4.netutil import Resolver
            from tornado4.tcpclient import TCPClient
            class Never(Resolver):
                def initialize(self, io_loop=None): pass
                def resolve(self, host, port, family=0, callback=None): return Future()
            async def main():
                try:
                    await TCPClient(resolver=Never()).connect("x", 1, timeout=0.01)
                except gen.TimeoutError:
                    print("TimeoutError")
            IOLoop.current().run_sync(main)
            """,
            "TimeoutError\n",
        ),
        (
            """
            from tornado4 import httpclient, simple_httpclient
            from tornado4.ioloop import IOLoop
            from tornado4.testing import bind_unused_port
            sock, port = bind_unused_port()
            async def main():
                try:
                    await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:%d/" % port, request_timeout=0.02)
                except simple_httpclient.HTTPTimeoutError as error:
                    print(isinstance(error, httpclient.HTTPClientError), error.code)
            IOLoop.current().run_sync(main)
            """,
            "True 599\n",
        ),
        (
            """
            from tornado4 import web
            print(web.HTTPError(400, "no %s", "luck").get_message(), web.HTTPError(400).get_message())
            """,
            "no luck None\n",
        ),
    ],
)  # fmt: skip
def test_what_the_names_do(code: str, printed: str) -> None:
    assert run(code) == printed


HTTP = """
    import unittest
    from tornado4 import httpclient, testing, web, websocket
    from tornado4.httpclient import HTTPClientError
    class Cookies(web.RequestHandler):
        def get(self):
            self.set_signed_cookie("s", "value", samesite="Lax")
            self.clear_cookie("old", secure=True)
            self.write(repr(self.get_signed_cookie("s", self.create_signed_value("s", "v"))))
    class Detached(web.RequestHandler):
        def get(self):
            stream = self.detach()
            stream.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nmine")
            stream.close()
    class Chat(websocket.WebSocketHandler):
        def select_subprotocol(self, offered):
            return offered[-1] or None
        def open(self):
            self.write_message(str(self.selected_subprotocol))
    class Case(testing.AsyncHTTPTestCase):
        def get_app(self):
            return web.Application(
                [("/", Cookies), ("/detached", Detached), ("/chat", Chat)], cookie_secret="secret"
            )
        def runTest(self):
            response = self.fetch("/")
            print(response.body, sorted(header.split("=")[0] for header in response.headers.get_list("Set-Cookie")))
            print(self.fetch(self.get_url("/nowhere")).code)
            try:
                self.fetch("/nowhere", raise_error=True)
            except HTTPClientError as error:
                print(error.code)
            print(self.fetch("/detached").body)
            self.chat()
        @testing.gen_test
        async def chat(self):
            url = self.get_url("/chat").replace("http", "ws")
            connection = await websocket.websocket_connect(url, subprotocols=["v1", "v2"])
            print(connection.selected_subprotocol, await connection.read_message())
            connection.ping("x")
            connection.close()
    result = unittest.TextTestRunner(verbosity=0).run(Case())
    assert result.wasSuccessful()
"""


def test_handlers_tests_and_websockets() -> None:
    assert run(HTTP).splitlines() == ["b\"b'v'\" ['old', 's']", "404", "404", "b'mine'", "v2 v2"]
