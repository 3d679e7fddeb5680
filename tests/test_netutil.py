"""Listening sockets, resolvers, and what ``ssl_options`` mean."""

# ruff: noqa: F811  (fixtures are arguments)
from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from stream_pairs import certificate, loop, run_until, turn, wait  # noqa: F401  (some are fixtures)

from tornado4 import netutil
from tornado4.netutil import (
    BlockingResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    SSLCertificateError,
    ThreadedResolver,
    add_accept_handler,
    bind_sockets,
    bind_unix_socket,
    is_valid_ip,
    ssl_match_hostname,
    ssl_options_to_context,
)


@pytest.fixture
def opened():
    sockets = []
    yield sockets.extend
    for sock in sockets:
        sock.close()


# -- listening -----------------------------------------------------------------------------------------


def test_sockets_listen_without_blocking_and_are_not_inherited(opened):
    sockets = bind_sockets(0, "127.0.0.1")
    opened(sockets)
    [sock] = sockets
    assert sock.getsockname()[0] == "127.0.0.1"
    assert sock.getblocking() is False
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    assert not os.get_inheritable(sock.fileno())


@pytest.mark.parametrize("address", [None, ""])
def test_every_interface_shares_one_port(opened, address):
    sockets = bind_sockets(0, address)
    opened(sockets)
    assert len({sock.getsockname()[1] for sock in sockets}) == 1
    assert "0.0.0.0" in {sock.getsockname()[0] for sock in sockets}


def test_reuse_port_lets_two_servers_share_a_port(opened):
    first = bind_sockets(0, "127.0.0.1", reuse_port=True)
    opened(first)
    opened(bind_sockets(first[0].getsockname()[1], "127.0.0.1", reuse_port=True))


def test_reuse_port_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(ValueError, match="the platform doesn't support SO_REUSEPORT"):
        bind_sockets(0, "127.0.0.1", reuse_port=True)


def test_a_port_in_use_leaves_nothing_open(opened):
    first = bind_sockets(0, "127.0.0.1")
    opened(first)
    with pytest.raises(OSError) as caught:  # -W error: a socket left open would be a ResourceWarning
        bind_sockets(first[0].getsockname()[1], "127.0.0.1")
    assert caught.value.errno == errno.EADDRINUSE


def test_an_address_that_is_named_twice_is_bound_once(opened, monkeypatch):
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: [entry, entry])
    sockets = bind_sockets(0, "localhost")
    opened(sockets)
    assert len(sockets) == 1


def test_a_unix_socket_is_its_owners_and_replaces_a_left_over_one(opened, tmp_path):
    path = str(tmp_path / "sock")
    opened([bind_unix_socket(path)])
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    opened([bind_unix_socket(path, mode=0o666)])
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666


def test_a_unix_socket_does_not_replace_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(ValueError) as caught:
        bind_unix_socket(str(path))
    assert caught.value.args == ("File %s exists and is not a socket", str(path))
    assert path.read_text() == "precious"


# -- accepting -----------------------------------------------------------------------------------------


class FakeListener:
    """A listening socket whose ``accept`` does as it is told."""

    def __init__(self, *answers):
        self.real, self.other = socket.socketpair()
        self.answers = list(answers)
        self.other.send(b"x")  # readable from now on
        self.accepted = 0

    def fileno(self):
        return self.real.fileno()

    def accept(self):
        self.accepted += 1
        answer = self.answers.pop(0) if self.answers else BlockingIOError()
        if isinstance(answer, Exception):
            raise answer
        return answer, "address"

    def close(self):
        self.real.close()
        self.other.close()


def test_all_waiting_connections_are_accepted_in_one_go(loop):
    listener = FakeListener("one", ConnectionAbortedError(), "two")
    got = []
    add_accept_handler(listener, lambda c, a: got.append((c, a)), io_loop=loop)
    run_until(loop, lambda: got)
    assert got == [("one", "address"), ("two", "address")]
    loop.remove_handler(listener)
    listener.close()


def test_a_flood_is_accepted_a_backlog_at_a_time(loop):
    listener = FakeListener(*range(300))
    per_event = []

    def accepted(connection, address):
        if connection % 128 == 0:
            loop.add_callback(lambda: per_event.append(listener.accepted))

    add_accept_handler(listener, accepted, io_loop=loop)
    run_until(loop, lambda: not listener.answers)
    turn(loop)
    assert per_event[:2] == [128, 256]
    loop.remove_handler(listener)
    listener.close()


def test_without_descriptors_the_acceptor_rests_instead_of_spinning(loop, caplog, monkeypatch):
    monkeypatch.setattr(netutil, "_ACCEPT_RETRY_DELAY", 0.05)
    listener = FakeListener(OSError(errno.EMFILE, "Too many open files"), "later")
    got = []
    add_accept_handler(listener, lambda c, a: got.append(c), io_loop=loop)
    turn(loop, 0.02)
    assert listener.accepted == 1
    run_until(loop, lambda: got)
    assert got == ["later"]
    [line] = caplog.records
    assert line.name == "tornado.general" and "Too many open files" in line.getMessage()
    loop.remove_handler(listener)
    listener.close()


def test_a_server_may_stop_while_its_acceptor_rests(loop, caplog, monkeypatch):
    monkeypatch.setattr(netutil, "_ACCEPT_RETRY_DELAY", 0.01)
    listener = FakeListener(OSError(errno.ENFILE, "system"))
    add_accept_handler(listener, lambda c, a: None, io_loop=loop)
    run_until(loop, lambda: listener.accepted)
    loop.remove_handler(listener)
    turn(loop, 0.03)
    listener.close()
    assert len(caplog.records) == 1


def test_other_errors_reach_the_loop(loop, caplog):
    listener = FakeListener(OSError(errno.EPERM, "firewalled"))
    add_accept_handler(listener, lambda c, a: None, io_loop=loop)
    run_until(loop, lambda: listener.accepted > 1)
    assert "firewalled" in caplog.text
    loop.remove_handler(listener)
    listener.close()


# -- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ip", ["127.0.0.1", "4.4.4.4", "::1", "2620:0:1cfe:face:b00c::3"])
def test_addresses_are_valid_ips(ip):
    assert is_valid_ip(ip) is True


@pytest.mark.parametrize(
    "text", ["www.google.com", "localhost", "4.4.4.4<", " 127.0.0.1", "", " ", "\n", "\x00", "127.0.0.1\x00"]
)
def test_names_and_rubbish_are_not(text):
    assert is_valid_ip(text) is False


def test_the_default_resolver_blocks_and_can_be_configured(loop):
    assert type(Resolver(io_loop=loop)) is BlockingResolver
    Resolver.configure("tornado4.netutil.ThreadedResolver", num_threads=3)
    try:
        assert type(Resolver(io_loop=loop)) is ThreadedResolver
    finally:
        Resolver.configure(None)


@pytest.mark.parametrize("make", [BlockingResolver, ThreadedResolver])
def test_an_address_resolves_to_itself_by_future_and_by_callback(loop, make):
    resolver = make(io_loop=loop)
    expected = [(socket.AF_INET, ("127.0.0.1", 80))]
    assert wait(loop, resolver.resolve("127.0.0.1", 80)) == expected
    got = []
    resolver.resolve("127.0.0.1", 80, socket.AF_INET, callback=got.append)
    run_until(loop, lambda: got)
    assert got == [expected]
    resolver.close()


def test_a_failed_look_up_is_an_oserror(loop, monkeypatch):
    def fail(*args):
        raise socket.gaierror(errno.EIO, "lookup failed")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(OSError, match="lookup failed"):
        wait(loop, BlockingResolver(io_loop=loop).resolve("name.invalid", 80))


def test_an_executor_is_closed_with_its_resolver_unless_told_otherwise(loop):
    kept, closed = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    ExecutorResolver(io_loop=loop, executor=kept, close_executor=False).close()
    assert kept.submit(int).result() == 0
    kept.shutdown()
    ExecutorResolver(io_loop=loop, executor=closed).close()
    with pytest.raises(RuntimeError):
        closed.submit(int)


def test_threaded_resolvers_share_a_pool_which_a_child_process_makes_anew(loop, monkeypatch):
    one, two = ThreadedResolver(io_loop=loop), ThreadedResolver(io_loop=loop)
    assert one.executor is two.executor
    monkeypatch.setattr(os, "getpid", lambda: -1)
    child = ThreadedResolver(io_loop=loop)
    assert child.executor is not one.executor
    child.executor.shutdown()
    monkeypatch.undo()
    assert ThreadedResolver(io_loop=loop).executor is not child.executor


def test_an_override_replaces_hosts_and_pairs_and_asks_for_the_rest(loop):
    class Echo(Resolver):
        closed = False

        def initialize(self):
            pass

        def resolve(self, host, port, *args, **kwargs):
            return host, port, args

        def close(self):
            Echo.closed = True

    resolver = OverrideResolver(resolver=Echo(), mapping={"a": "1.1.1.1", ("b", 443): ("c", 1443)})
    assert resolver.resolve("a", 80) == ("1.1.1.1", 80, ())
    assert resolver.resolve("b", 443, socket.AF_INET) == ("c", 1443, (socket.AF_INET,))
    assert resolver.resolve("b", 80) == ("b", 80, ())
    resolver.close()
    assert Echo.closed


# -- ssl_options ----------------------------------------------------------------------------------------


def test_a_context_is_handed_back_and_a_dictionary_becomes_one_that_checks_what_it_says(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert ssl_options_to_context(context) is context
    made = ssl_options_to_context(certificate)
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_NONE, False)
    assert made.options & ssl.OP_NO_COMPRESSION
    strict = ssl_options_to_context({"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": certificate["certfile"]})
    assert strict.verify_mode == ssl.CERT_REQUIRED and len(strict.get_ca_certs()) == 1


def test_a_client_by_name_checks_as_in_4_5_3():
    made = ssl_options_to_context({"ssl_version": ssl.PROTOCOL_TLS_CLIENT})
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_context_from_a_dictionary_serves_both_sides(certificate):
    context = ssl_options_to_context(certificate)
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    server = context.wrap_socket(left, server_side=True, do_handshake_on_connect=False)
    client = context.wrap_socket(right, do_handshake_on_connect=False)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == server.version() == "TLSv1.3"
    server.close()
    client.close()


def test_unknown_keys_and_missing_files_are_refused():
    with pytest.raises(AssertionError, match="foo"):
        ssl_options_to_context({"foo": 1})
    with pytest.raises(FileNotFoundError):
        ssl_options_to_context({"certfile": "/does/not/exist"})


def test_an_old_protocol_constant_fixes_the_version():
    context = ssl_options_to_context({"ssl_version": ssl.PROTOCOL_TLSv1_2})
    assert context.minimum_version == context.maximum_version == ssl.TLSVersion.TLSv1_2
    assert ssl_options_to_context({"ssl_version": ssl.PROTOCOL_TLS}).maximum_version != ssl.TLSVersion.TLSv1_2


def test_the_client_defaults_check_and_the_server_defaults_do_not():
    """As in 4.5.3."""
    assert netutil._client_ssl_defaults.verify_mode == ssl.CERT_REQUIRED
    assert netutil._client_ssl_defaults.check_hostname
    assert netutil._server_ssl_defaults.verify_mode == ssl.CERT_NONE


def cert(*alternatives, common=None):
    subject = ((("commonName", common),),) if common else ()
    return {"subject": subject, "subjectAltName": alternatives}


@pytest.mark.parametrize(
    ("certificate_", "host"),
    [
        (cert(("DNS", "example.com")), "EXAMPLE.com"),
        (cert(("DNS", "a.example"), ("DNS", "*.b.example")), "x.b.example"),
        (cert(common="example.com"), "example.com"),
        (cert(("IP Address", "127.0.0.1")), "127.0.0.1"),
        (cert(("IP Address", "0:0:0:0:0:0:0:1\n")), "::1"),
    ],
)
def test_a_certificate_matches_the_names_it_bears(certificate_, host):
    assert ssl_match_hostname(certificate_, host) is None


@pytest.mark.parametrize(
    ("certificate_", "host"),
    [
        (cert(("DNS", "example.com")), "www.example.com"),
        (cert(("DNS", "*.example.com")), "example.com"),
        (cert(("DNS", "*.example.com")), "a.b.example.com"),
        (cert(("DNS", "*.example.com")), ".example.com"),
        (cert(("DNS", "w*.example.com")), "www.example.com"),
        (cert(("DNS", "www.*.com")), "www.example.com"),
        (cert(("DNS", "*.com")), "example.com"),
        (cert(("DNS", "*")), "com"),
        # RFC 6125, section 6.4.4: the common name is no way around the alternative names.
        (cert(("DNS", "other.com"), common="example.com"), "example.com"),
        (cert(("IP Address", "127.0.0.1"), common="localhost"), "localhost"),
        (cert(("DNS", "127.0.0.1")), "127.0.0.1"),
        (cert(common="127.0.0.1"), "127.0.0.1"),
        (cert(("DNS", "*.0.0.1")), "127.0.0.1"),
        (cert(), "example.com"),
    ],
)
def test_and_no_others(certificate_, host):
    with pytest.raises(SSLCertificateError):
        ssl_match_hostname(certificate_, host)


def test_no_certificate_is_a_valueerror():
    with pytest.raises(ValueError):
        ssl_match_hostname({}, "example.com")
