"""TCP clients: which address is tried when, and what comes of it."""

# ruff: noqa: F811  (fixtures are arguments)
from __future__ import annotations

import socket
import ssl

import pytest
from stream_pairs import certificate, closing_all, loop, run_until, turn, wait  # noqa: F401

from tornado4 import gen
from tornado4.concurrent import Future
from tornado4.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado4.netutil import Resolver, bind_sockets
from tornado4.tcpclient import TCPClient, _Connector
from tornado4.tcpserver import TCPServer

FIRST, OTHER = 1, 2


class FakeStream:
    closed = False

    def close(self):
        self.closed = True


class Attempts:
    """The connector's way to connect, in the test's hands."""

    def __init__(self, loop, *addresses):
        self.pending = {}
        self.connector = _Connector(list(addresses), loop, self.connect)
        self.future = self.connector.start(3600)

    def connect(self, af, addr):
        self.pending[addr] = Future()
        return self.pending[addr]

    def succeed(self, addr):
        stream = FakeStream()
        self.pending.pop(addr).set_result(stream)
        return stream

    def fail(self, addr, error=None):
        self.pending.pop(addr).set_exception(error or OSError(addr))

    @property
    def tried(self):
        return set(self.pending)


TWO_FAMILIES = [(FIRST, "a"), (OTHER, "c"), (FIRST, "b"), (OTHER, "d")]


def test_addresses_are_parted_by_the_first_ones_family():
    assert _Connector.split(TWO_FAMILIES) == ([(1, "a"), (1, "b")], [(2, "c"), (2, "d")])


def test_the_first_address_has_a_head_start_and_wins(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    assert attempts.tried == {"a"}
    stream = attempts.succeed("a")
    assert attempts.future.result() == (FIRST, "a", stream)
    assert attempts.connector.timeout is None


def test_after_the_head_start_the_other_family_is_tried_beside(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    attempts.connector.on_timeout()
    assert attempts.tried == {"a", "c"}
    stream = attempts.succeed("c")
    assert attempts.future.result() == (OTHER, "c", stream)


def test_a_failure_starts_both_families_at_once(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    attempts.fail("a")
    assert attempts.tried == {"b", "c"}
    attempts.fail("c")
    assert attempts.tried == {"b", "d"}
    attempts.succeed("d")
    assert attempts.future.done()


def test_a_connection_that_comes_second_is_closed(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    attempts.connector.on_timeout()
    attempts.succeed("a")
    assert attempts.succeed("c").closed


def test_a_failure_after_the_success_tries_nothing_more(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    attempts.connector.on_timeout()
    attempts.succeed("c")
    attempts.fail("a")
    assert attempts.tried == set()


def test_when_all_have_failed_the_last_error_is_the_result(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    for addr in "acdb":
        assert not attempts.future.done()
        attempts.fail(addr)
    assert attempts.future.exception().args == ("b",)


def test_one_that_cannot_even_be_tried_ends_it_instead_of_hanging(loop):
    def connect(af, addr):
        if addr == "b":
            raise OSError("cannot bind")
        return first

    first = Future()
    connector = _Connector([(FIRST, "a"), (FIRST, "b")], loop, connect)
    future = connector.start(3600)
    first.set_exception(OSError("refused"))
    assert str(future.exception()) == "cannot bind"


def test_the_head_start_is_real_time(loop):
    attempts = Attempts(loop, *TWO_FAMILIES)
    attempts.connector.clear_timeout()
    attempts.connector.set_timout(0.01)
    run_until(loop, lambda: attempts.tried == {"a", "c"})


# -- over real sockets -----------------------------------------------------------------------------------


class Server(TCPServer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.got = []
        sockets = bind_sockets(0, "127.0.0.1")
        self.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]

    def handle_stream(self, stream, address):
        self.got.append((stream, address))
        stream.write(b"hello")


@pytest.fixture
def client(loop):
    client = TCPClient(io_loop=loop)
    yield client
    client.close()


def test_connect_gives_a_stream_with_the_wanted_limit(loop, client):
    server = Server(io_loop=loop)
    stream = wait(loop, client.connect("127.0.0.1", server.port, max_buffer_size=4096))
    assert type(stream) is IOStream and stream.max_buffer_size == 4096
    assert wait(loop, stream.read_bytes(5)) == b"hello"
    with closing_all(stream, *(s for s, _ in server.got)):
        server.stop()


def test_connect_takes_a_callback_as_every_coroutine_does(loop, client):
    server = Server(io_loop=loop)
    given = Future()
    future = client.connect("127.0.0.1", server.port, callback=given.set_result)
    stream = wait(loop, given)
    assert future.result() is stream
    assert wait(loop, stream.read_bytes(5)) == b"hello"
    with closing_all(stream, *(s for s, _ in server.got)):
        server.stop()
    assert gen.is_coroutine_function(TCPClient.connect)


def test_connect_from_a_given_address(loop, client):
    server = Server(io_loop=loop)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stream = wait(loop, client.connect("127.0.0.1", server.port, source_port=port))
    run_until(loop, lambda: server.got)
    assert server.got[0][1] == ("127.0.0.1", port)
    other = wait(loop, client.connect("127.0.0.1", server.port, source_ip="127.0.0.2"))
    run_until(loop, lambda: len(server.got) == 2)
    assert server.got[1][1][0] == "127.0.0.2"
    with closing_all(stream, other, *(s for s, _ in server.got)):
        server.stop()


def test_a_source_that_cannot_be_bound_is_an_oserror(loop, client):
    with pytest.raises(OSError, match="Cannot assign"):
        wait(loop, client.connect("127.0.0.1", 1, source_ip="8.8.8.8"))


def test_a_refused_connection_tells_its_real_error(loop, client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        future = client.connect(*unused.getsockname())
        with pytest.raises(StreamClosedError) as caught:
            wait(loop, future)
    assert isinstance(caught.value.real_error, ConnectionRefusedError)


def test_with_ssl_options_the_hosts_name_is_checked(loop, certificate):
    class Local(Resolver):
        def initialize(self):
            pass

        def resolve(self, host, port, family=0, callback=None):
            future = Future()
            future.set_result([(socket.AF_INET, ("127.0.0.1", port))])
            return future

    server = Server(io_loop=loop, ssl_options=certificate)
    client = TCPClient(resolver=Local(), io_loop=loop)
    context = ssl.create_default_context(cafile=certificate["certfile"])
    stream = wait(loop, client.connect("foo.example.com", server.port, ssl_options=context))
    assert type(stream) is SSLIOStream
    assert wait(loop, stream.read_bytes(5)) == b"hello"
    with pytest.raises(ssl.SSLCertVerificationError):
        wait(loop, client.connect("bar.example.com", server.port, ssl_options=context))
    turn(loop)
    with closing_all(stream, *(s for s, _ in server.got)):
        server.stop()


def test_a_resolver_of_ones_own_is_not_closed_with_the_client(loop):
    class Counting(Resolver):
        closed = 0

        def initialize(self, io_loop=None):
            pass

        def close(self):
            Counting.closed += 1

    TCPClient(resolver=Counting(), io_loop=loop).close()
    assert Counting.closed == 0
    Resolver.configure(Counting)
    try:
        TCPClient(io_loop=loop).close()
    finally:
        Resolver.configure(None)
    assert Counting.closed == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_attempt_that_is_given_up_closes_its_stream(loop, tls):
    """A peer that never answers, the kernel's or a person's, keeps no descriptor of ours."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    filling = []
    if not tls:
        # A full queue, before which the next connection waits.
        for _ in range(8):
            filling.append(socket.socket())
            filling[-1].setblocking(False)
            filling[-1].connect_ex(address)
    made = []

    class Noting(TCPClient):
        def _create_stream(self, *args, **kwargs):
            future = super()._create_stream(*args, **kwargs)
            made.append(future._stream)
            return future

    client = Noting(io_loop=loop)
    future = client.connect("127.0.0.1", address[1], ssl_options={"cert_reqs": ssl.CERT_NONE} if tls else None)
    run_until(loop, lambda: made and (not tls or made[0].socket is None))
    future._give_up()
    run_until(loop, future.done)
    assert isinstance(future.exception(), (StreamClosedError, OSError))
    assert made[0].socket is None
    if tls:
        peer, _ = listener.accept()
        peer.settimeout(5)
        while peer.recv(65536):  # a hello, and then the end
            pass
        peer.close()
    for sock in [*filling, listener]:
        sock.close()
    client.close()


def test_an_attempt_given_up_while_the_name_is_looked_up_connects_to_nobody(loop):
    class Patient(Resolver):
        def initialize(self, io_loop=None):
            self.answer = Future()

        def resolve(self, host, port, family=0):
            return self.answer

    resolver = Patient()
    client = TCPClient(resolver=resolver, io_loop=loop)
    future = client.connect("somewhere", 80)
    future._give_up()
    resolver.answer.set_result([(socket.AF_INET, ("127.0.0.1", 1))])
    run_until(loop, future.done)
    assert type(future.exception()) is StreamClosedError


def test_slower_addresses_are_not_waited_for(loop):
    listener = socket.create_server(("127.0.0.1", 0))
    waiting = IOStream(socket.socket(), io_loop=loop)
    endless = Future()
    endless._stream = waiting

    class Two(Resolver):
        def initialize(self, io_loop=None):
            pass

        def resolve(self, host, port, family=0):
            answer = Future()
            answer.set_result([(socket.AF_INET6, ("::1", 1)), (socket.AF_INET, listener.getsockname())])
            return answer

    class Client(TCPClient):
        def _create_stream(self, max_buffer_size, af, addr, **kwargs):
            if af == socket.AF_INET6:
                return endless
            return super()._create_stream(max_buffer_size, af, addr, **kwargs)

    stream = wait(loop, Client(resolver=Two(), io_loop=loop).connect("both", 1))
    with closing_all(stream):
        assert waiting.closed()
    listener.close()
