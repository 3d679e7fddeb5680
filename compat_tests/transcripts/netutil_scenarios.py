"""tornado.netutil."""
import os
import socket
import ssl
import tempfile

from tornado import netutil
from tornado.ioloop import IOLoop


def valid_addresses(record):
    for text in ("127.0.0.1", "::1", "4.4.4.4", "www.google.com", "localhost", "4.4.4.4<", " 127.0.0.1", "", " ", "\n", "\x00", "1"):
        record(text, netutil.is_valid_ip(text))


def bound_sockets(record):
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    record(len(sockets), sockets[0].gettimeout(), sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0, sockets[0].get_inheritable())
    port = sockets[0].getsockname()[1]
    try:
        netutil.bind_sockets(port, "127.0.0.1")
    except OSError as e:
        record(e.errno)
    for sock in sockets:
        sock.close()


def bind_wrong(record):
    for host in ("not an address", "256.1.1.1"):
        try:
            netutil.bind_sockets(0, host)
        except Exception as e:
            record(isinstance(e, (OSError, UnicodeError)))


def unix_sockets(record):
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "s")
    sock = netutil.bind_unix_socket(path, mode=0o600)
    record(oct(os.stat(path).st_mode & 0o777), sock.gettimeout())
    sock.close()
    again = netutil.bind_unix_socket(path)
    again.close()
    os.remove(path)
    with open(path, "w"):
        pass
    try:
        netutil.bind_unix_socket(path)
    except ValueError as e:
        record(str(e).replace(folder, "F"))
    os.remove(path)
    os.rmdir(folder)


def accept_handler(record):
    loop = IOLoop.current()
    sock = netutil.bind_sockets(0, "127.0.0.1")[0]

    def accepted(connection, address):
        record(address[0], connection.gettimeout())
        connection.close()
        loop.stop()

    record(netutil.add_accept_handler(sock, accepted))
    client = socket.create_connection(sock.getsockname())
    loop.start()
    loop.remove_handler(sock)
    client.close()
    sock.close()


def resolvers(record):
    loop = IOLoop.current()
    for cls in (netutil.BlockingResolver, netutil.ThreadedResolver, netutil.ExecutorResolver):
        resolver = cls()
        record(cls.__name__, loop.run_sync(lambda: resolver.resolve("127.0.0.1", 80, socket.AF_INET)))
        resolver.close()


def override_resolver(record):
    loop = IOLoop.current()
    resolver = netutil.OverrideResolver(netutil.BlockingResolver(), {"a.com": "127.0.0.2", ("b.com", 443): ("127.0.0.3", 1443)})
    for host, port in (("a.com", 80), ("b.com", 443), ("127.0.0.1", 81)):
        record(loop.run_sync(lambda: resolver.resolve(host, port, socket.AF_INET)))
    resolver.close()


def resolver_failure(record):
    loop = IOLoop.current()
    resolver = netutil.BlockingResolver()
    try:
        loop.run_sync(lambda: resolver.resolve("an invalid domain", 80))
    except Exception as e:
        record(type(e).__name__ in ("gaierror", "UnicodeError"))


def resolver_configured(record):
    record(netutil.Resolver.configurable_default().__name__)
    netutil.Resolver.configure("tornado.netutil.ThreadedResolver", num_threads=2)
    record(type(netutil.Resolver()).__name__)
    netutil.Resolver.configure(None)


def ssl_options(record):
    record(netutil.ssl_options_to_context({}).verify_mode == ssl.CERT_NONE)
    context = ssl.create_default_context()
    record(netutil.ssl_options_to_context(context) is context)
    for options in ({"wrong": 1}, {"certfile": "/nowhere"}):
        try:
            netutil.ssl_options_to_context(options)
        except Exception as e:
            record(type(e))
    record(netutil.ssl_options_to_context({"cert_reqs": ssl.CERT_REQUIRED}).verify_mode == ssl.CERT_REQUIRED)


def ssl_options_that_name_a_side(record):
    for version in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        for rest in ({}, {"cert_reqs": ssl.CERT_REQUIRED}):
            context = netutil.ssl_options_to_context(dict(rest, ssl_version=version))
            record(context.protocol == version, context.check_hostname, context.verify_mode == ssl.CERT_REQUIRED)
