"""pytest-asyncio's tests, in one session with those of `legacy_suite`: each runs on a loop of its own."""

import asyncio

import pytest
from tornado import gen, httpclient, httpserver, netutil, web
from tornado.ioloop import IOLoop

seen = []


@pytest.mark.asyncio
async def test_current_is_attached_to_the_loop_that_runs():
    assert IOLoop.current().asyncio_loop is asyncio.get_running_loop()
    await gen.sleep(0)
    assert asyncio.get_running_loop() not in seen
    seen.append(asyncio.get_running_loop())


@pytest.mark.asyncio
async def test_a_server_and_a_client_on_this_loop():
    class Hello(web.RequestHandler):
        async def get(self):
            await asyncio.sleep(0)
            self.write("hello")

    server = httpserver.HTTPServer(web.Application([("/", Hello)]))
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    client = httpclient.AsyncHTTPClient(force_instance=True)
    response = await client.fetch("http://127.0.0.1:%d/" % sock.getsockname()[1])
    assert response.body == b"hello"
    client.close()
    server.stop()
    await server.close_all_connections()
    assert asyncio.get_running_loop() not in seen


def test_no_loop_is_left_behind():
    assert IOLoop.current(instance=False) is None
