"""Sockets, names and certificates: the small network tools under the streams and servers.

`bind_sockets`, `bind_unix_socket` and `add_accept_handler` make and serve listening sockets; the `Resolver`
family turns host names into addresses; `ssl_options_to_context` and `ssl_wrap_socket` read the
``ssl_options`` that servers, streams and clients take. Nothing here reads or writes application data: that is
`tornado4.iostream`.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado4 import _handed_on, _hints, switches
from tornado4.concurrent import Future, dummy_executor, run_on_executor
from tornado4.ioloop import IOLoop
from tornado4.log import gen_log
from tornado4.platform.auto import set_close_exec
from tornado4.util import PY3, Configurable, bytes_type, errno_from_exception, u

try:
    import certifi  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    certifi = None  # type: ignore[assignment,unused-ignore]

__all__ = [
    "PY3",
    "BlockingResolver",
    "Configurable",
    "ExecutorResolver",
    "IOLoop",
    "OverrideResolver",
    "Resolver",
    "SSLCertificateError",
    "ThreadedResolver",
    "add_accept_handler",
    "bind_sockets",
    "bind_unix_socket",
    "bytes_type",
    "certifi",
    "dummy_executor",
    "errno_from_exception",
    "is_valid_ip",
    "run_on_executor",
    "set_close_exec",
    "ssl_match_hostname",
    "ssl_options_to_context",
    "ssl_wrap_socket",
    "u",
    "xrange",
]

#: As in 4.5.3: the module hands on the name that Python 3 spells ``range``.
xrange = range

#: What a peer's certificate raises when it does not fit (an alias, as ``ssl.CertificateError`` itself is
#: one).
SSLCertificateError = ssl.SSLCertVerificationError

_ERRNO_WOULDBLOCK = (errno.EWOULDBLOCK, errno.EAGAIN)

#: Connections waiting in the kernel, and the most that one readiness event accepts.
_DEFAULT_BACKLOG = 128

#: ``accept`` fails so while the process, the system or its memory has no room for one more connection. The
#: listening socket stays readable, so that trying at once again would spin (CPython: asyncio does likewise).
_ERRNO_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

#: Seconds that an exhausted acceptor waits.
_ACCEPT_RETRY_DELAY = 0.5

Address = Any
"""What the socket module calls an address: a tuple for the internet families, a path for AF_UNIX."""


# -- listening ------------------------------------------------------------------------------------


def bind_sockets(
    port: int | None, address: str | None = None, family: int = socket.AF_UNSPEC,
    backlog: int = _DEFAULT_BACKLOG, flags: int | None = None, reuse_port: bool = False,
) -> list[socket.socket]:
    """Make listening, non-blocking sockets for ``port``, one for each address that ``address`` stands for.

    ``address`` is an IP, a host name, or ``""``/``None`` for every interface; ``family`` narrows to `socket.AF_INET`
    or `socket.AF_INET6`. Port 0 (or ``None``) lets the system choose, and then all sockets share the chosen port.
    ``backlog`` is handed to ``listen``, ``flags`` to ``getaddrinfo`` (default ``AI_PASSIVE``). ``reuse_port``
    sets ``SO_REUSEPORT`` and raises `ValueError` where the system has none. `OSError` tells what could not be
    bound; nothing is left open then.
    """
    if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError("the platform doesn't support SO_REUSEPORT")
    if family == socket.AF_UNSPEC and not socket.has_ipv6:
        family = socket.AF_INET
    found = socket.getaddrinfo(
        address or None, port, family, socket.SOCK_STREAM, 0, socket.AI_PASSIVE if flags is None else flags
    )
    listening: list[socket.socket] = []
    shared_port = 0
    try:
        # Some resolvers name an address twice, which could be bound but once.
        for af, kind, proto, _, where in dict.fromkeys(found):
            if _is_scoped_apple_localhost(af, address, where):
                continue
            host, wanted = where[0], where[1]
            target: Address = (host, wanted or shared_port, *where[2:])
            sock = _listening_socket(af, kind, proto, target, backlog, reuse_port)
            if sock is not None:
                listening.append(sock)
                shared_port = sock.getsockname()[1]
    except BaseException:
        for sock in listening:
            sock.close()
        raise
    return listening


def _is_scoped_apple_localhost(af: int, address: str | None, where: Address) -> bool:
    """macOS also resolves "localhost" to a link-local ``fe80::1%lo0`` that cannot share a dynamic port."""
    return sys.platform == "darwin" and address == "localhost" and af == socket.AF_INET6 and where[3] != 0


def _listening_socket(
    af: int, kind: int, proto: int, target: Address, backlog: int, reuse_port: bool
) -> socket.socket | None:
    """One socket of `bind_sockets`, or None when the kernel does not know the address family after all."""
    try:
        sock = socket.socket(af, kind, proto)
    except OSError as e:
        if e.errno == errno.EAFNOSUPPORT:
            return None
        raise
    try:
        if os.name != "nt":  # where it would let two servers share a port by accident
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port and sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if af == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
            # Linux binds ``::`` for IPv4 as well, and the socket for 0.0.0.0 would then find its port taken.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(target)
        sock.listen(backlog)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            _hints.of_bind(error, target)
        raise
    return sock


def _bind_unix_socket(file: str, mode: int = 0o600, backlog: int = _DEFAULT_BACKLOG) -> socket.socket:
    """Make a listening socket at the path ``file``, readable and writable by its owner unless ``mode`` says
    more.

    A socket that a former process left there is removed; anything else at that path raises `ValueError`.
    """
    try:
        left_over = os.stat(file)
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISSOCK(left_over.st_mode):
            raise ValueError("File %s exists and is not a socket", file)  # as in 4.5.3: two arguments
        os.remove(file)
    if sys.platform == "win32":
        raise NotImplementedError(sys.platform)  # where this function is not handed out
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(file)
        os.chmod(file, mode)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


if hasattr(socket, "AF_UNIX"):  # as in 4.5.3: absent where the system has no such sockets
    bind_unix_socket = _bind_unix_socket
    bind_unix_socket.__name__ = bind_unix_socket.__qualname__ = "bind_unix_socket"


def add_accept_handler(
    sock: socket.socket, callback: Callable[[socket.socket, Address], object], io_loop: IOLoop | None = None
) -> None:
    """Have ``io_loop`` (default: the current one) accept on ``sock`` and call ``callback(connection,
    address)``.

    At most one backlog's worth of connections is accepted an event, so that a flood leaves room for other
    work. When descriptors or memory run out, one line is logged and accepting rests for a moment. End it with
    ``io_loop.remove_handler(sock)``.
    """
    loop = IOLoop.current() if io_loop is None else io_loop

    def accept_ready(fd: Any, events: int) -> None:
        for _ in range(_DEFAULT_BACKLOG):
            try:
                connection, address = sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue  # that client has gone again; the next may be waiting
            except OSError as e:
                if e.errno not in _ERRNO_EXHAUSTED:
                    raise
                _rest_acceptor(loop, sock, e)
                return
            # A copy of its own: context variables that a connection sets are not the next one's.
            copy_context().run(callback, connection, address)

    loop.add_handler(sock, accept_ready, IOLoop.READ)


def _rest_acceptor(loop: IOLoop, sock: socket.socket, error: OSError) -> None:
    """Stop listening for a moment: what ``accept`` lacks comes back when other connections close."""
    gen_log.error(
        "Cannot accept on fd %s: %s; trying again in %s seconds", sock.fileno(), error, _ACCEPT_RETRY_DELAY
    )
    fd = sock.fileno()
    loop.update_handler(fd, IOLoop.NONE)

    def resume() -> None:
        if sock.fileno() != fd:
            return  # closed meanwhile
        try:
            loop.update_handler(fd, IOLoop.READ)
        except (KeyError, ValueError, OSError):
            pass  # the handler was removed meanwhile: the server has stopped

    loop.call_later(_ACCEPT_RETRY_DELAY, resume)


def is_valid_ip(ip: str) -> bool:
    """Whether ``ip`` is an IPv4 or IPv6 address in numbers (and not a name that would have to be looked up).
    """
    if not ip or "\x00" in ip:
        return False  # getaddrinfo takes "" for every interface, and stops reading at NUL
    try:
        return bool(socket.getaddrinfo(ip, 0, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):
        # gaierror, whatever its code; and text that cannot even be a name: overlong labels, two dots in a row
        return False


# -- names to addresses -----------------------------------------------------------------------------


class Resolver(Configurable):
    """Looks up host names. ``Resolver.configure(...)`` chooses which implementation ``Resolver()`` makes.

    `BlockingResolver` is the default; `ThreadedResolver`, ``tornado4.platform.caresresolver.CaresResolver``
    and ``tornado4.platform.twisted.TwistedResolver`` do not block the loop.
    """

    @classmethod
    def configurable_base(cls) -> type[Resolver]:
        """The class whose ``configure`` decides for all."""
        return Resolver

    @classmethod
    def configurable_default(cls) -> type[Resolver]:
        """The implementation when nothing was configured."""
        return BlockingResolver

    def resolve(
        self,
        host: str,
        port: int,
        family: int = socket.AF_UNSPEC,
        callback: Callable[[list[tuple[int, Address]]], object] | None = None,
    ) -> Future:
        """Look up ``host``. The Future's result is a list of ``(family, address)`` in the order of
        preference.

        Each ``address`` can be handed to ``socket.connect`` and starts with ``(ip, port)``; IPv6 ones may be
        longer. With ``callback``, it is called with that list as well. A failed look-up is an `OSError`.
        """
        raise NotImplementedError()

    def close(self) -> None:
        """Give back what the resolver holds (threads, channels). It cannot be used afterwards."""


class ExecutorResolver(Resolver):
    """Looks names up with ``socket.getaddrinfo`` on a `concurrent.futures.Executor`.

    ``executor`` defaults to one that runs the call at once, in the loop's thread. ``close_executor=False``
    leaves the given executor open when the resolver is closed.
    """

    #: Whose Futures the answers are.
    io_loop: IOLoop
    executor: Any
    close_executor: bool

    def initialize(
        self, io_loop: IOLoop | None = None, executor: Any | None = None, close_executor: bool = True
    ) -> None:
        """Set the resolver up; the arguments are those of the class."""
        self.io_loop = io_loop or IOLoop.current()
        given = executor is not None
        self.executor = executor if given else dummy_executor
        self.close_executor = close_executor if given else False  # the stand-in is everybody's

    def close(self) -> None:
        """Shut the executor down, if it is ours to close. Later look-ups fail."""
        executor, self.executor = self.executor, None
        if self.close_executor:
            executor.shutdown()

    @run_on_executor
    def resolve(  # type: ignore[override]  # the future is one of concurrent.futures, as in 4.5.3
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> Any:
        """As `Resolver.resolve`. Only TCP's answers are asked for: else each address would come three times.
        """
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        return [(entry[0], entry[4]) for entry in found]


class BlockingResolver(ExecutorResolver):
    """The default: looks up at once and holds the loop meanwhile. Callbacks still run on a later iteration.
    """

    def initialize(self, io_loop: IOLoop | None = None) -> None:  # type: ignore[override]
        """Set the resolver up for ``io_loop``, by default the current one."""
        super().initialize(io_loop=io_loop)


class ThreadedResolver(ExecutorResolver):
    """Looks up in a pool of threads that all `ThreadedResolver` objects of the process share.

    The first one decides its size (``num_threads``). A child process after a fork makes a pool of its own.
    """

    _threadpool: Any = None
    _threadpool_pid: int | None = None

    def initialize(self, io_loop: IOLoop | None = None, num_threads: int = 10) -> None:  # type: ignore[override]
        """Set the resolver up; ``num_threads`` counts where no pool has been made in this process."""
        pool = ThreadedResolver._create_threadpool(num_threads)
        super().initialize(io_loop=io_loop, executor=pool, close_executor=False)

    @classmethod
    def _create_threadpool(cls, num_threads: int) -> Any:
        """The shared pool; threads do not survive a fork, so a pool of another process is forgotten."""
        if cls._threadpool is None or cls._threadpool_pid != os.getpid():
            from concurrent.futures import ThreadPoolExecutor  # only those who use threads pay for the import

            cls._threadpool = ThreadPoolExecutor(num_threads)
            cls._threadpool_pid = os.getpid()
        return cls._threadpool


class OverrideResolver(Resolver):
    """Asks another resolver, after replacing some hosts: a private ``/etc/hosts``.

    ``mapping`` has host names, or ``(host, port)`` pairs, as keys; and a host, or ``(host, port)``,
    respectively, as values. ``OverrideResolver(resolver=Resolver(), mapping={("a.example", 443):
    ("localhost", 1443)})``.
    """

    resolver: Resolver
    mapping: Mapping[Any, Any]

    def initialize(self, resolver: Resolver, mapping: Mapping[Any, Any]) -> None:  # type: ignore[override]
        """Set the resolver up; the arguments are those of the class."""
        self.resolver = resolver
        self.mapping = mapping

    def close(self) -> None:
        """Close the resolver that was asked for the rest."""
        self.resolver.close()

    def resolve(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        """As `Resolver.resolve`, for the host and port that ``mapping`` puts in place of the given ones."""
        exact = self.mapping.get((host, port))
        if exact is not None:
            host, port = exact
        else:
            host = self.mapping.get(host, host)
        return self.resolver.resolve(host, port, *args, **kwargs)


# -- TLS ----------------------------------------------------------------------------------------------


def _default_context(purpose: ssl.Purpose) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=certifi.where() if _needs_certifi(purpose) else None)
    context.options |= ssl.OP_NO_COMPRESSION  # CRIME (CVE-2012-4929)
    return context


def _needs_certifi(purpose: ssl.Purpose) -> bool:
    """Whether a client must bring certificates of its own: the system has no store where OpenSSL looks for
    it.
    """
    if certifi is None or purpose is not ssl.Purpose.SERVER_AUTH or sys.platform == "win32":
        return False
    places = ssl.get_default_verify_paths()
    return places.cafile is None and places.capath is None


# Made when first asked for, at the end of this module: to read all the system's certificates takes longer than to
# import everything else.
if TYPE_CHECKING:
    #: What ``ssl_options=None`` means to a client: the certificate and the host name are checked.
    _client_ssl_defaults: ssl.SSLContext
    #: What ``ssl_options=None`` means to the server's side of ``start_tls``: no certificate is loaded or asked
    #: for.
    _server_ssl_defaults: ssl.SSLContext

#: The keys that an ``ssl_options`` dictionary may hold: those of the ``ssl.wrap_socket`` of old.
_SSL_CONTEXT_KEYWORDS = frozenset(("ssl_version", "certfile", "keyfile", "cert_reqs", "ca_certs", "ciphers"))

#: One fixed version of TLS, by the protocol constants that old options name. OpenSSL 3 refuses those before
#: 1.2 at its default security level; asking for them is left to whoever lowers that level ("ciphers":
#: "...@SECLEVEL=0").
_FIXED_VERSIONS: dict[int, str] = {
    getattr(ssl, "PROTOCOL_" + name): name
    for name in ("TLSv1", "TLSv1_1", "TLSv1_2")
    if hasattr(ssl, "PROTOCOL_" + name)
}


def ssl_options_to_context(ssl_options: ssl.SSLContext | Mapping[str, Any]) -> ssl.SSLContext:
    """Turn a dictionary of ``ssl_options`` into an `ssl.SSLContext`; a context is handed back as it is.

    Keys: ``certfile``, ``keyfile``, ``ca_certs`` (paths), ``cert_reqs`` (an ``ssl.CERT_*``; default
    ``CERT_NONE``, which is what a server wants), ``ssl_version`` (default: all that OpenSSL allows), ``ciphers``
    (an OpenSSL cipher string). An unknown key is an `AssertionError`. The context serves both sides of a
    connection, as in 4.5.3.
    """
    return _context_for(ssl_options, as_client=False)


def ssl_wrap_socket(
    socket: socket.socket,
    ssl_options: ssl.SSLContext | Mapping[str, Any],
    server_hostname: str | None = None,
    **kwargs: Any,
) -> ssl.SSLSocket:
    """Make an `ssl.SSLSocket` of ``socket`` (which is detached by that), as ``ssl_options`` say.

    ``server_hostname`` is sent for SNI and, where the context asks for it, checked against the certificate. On the
    client's side a dictionary without ``cert_reqs`` has the server's certificate verified, against ``ca_certs`` or
    what the system trusts, and the name where one is given; ``cert_reqs=ssl.CERT_NONE`` does not.
    The keyword arguments (``server_side``, ``do_handshake_on_connect``, ...) go to
    `ssl.SSLContext.wrap_socket`.
    """
    # Only on the client's side does a dictionary mean something else than to the public function.
    server_side = bool(kwargs.get("server_side", False))
    context = ssl_options_to_context(ssl_options) if server_side else _context_for(ssl_options, as_client=True)
    return context.wrap_socket(socket, server_hostname=server_hostname, **kwargs)


def _context_for(ssl_options: ssl.SSLContext | Mapping[str, Any], as_client: bool) -> ssl.SSLContext:
    """`ssl_options_to_context`, which serves both sides; or for a client alone, which verifies by default."""
    if isinstance(ssl_options, ssl.SSLContext):
        return ssl_options
    if not isinstance(ssl_options, Mapping):
        wrong = AssertionError()  # as in 4.5.3
        _hints.add(wrong, "ssl-options", value=ssl_options, type=type(ssl_options).__name__)
        raise wrong
    assert set(ssl_options) <= _SSL_CONTEXT_KEYWORDS, ssl_options
    context = _new_context(ssl_options.get("ssl_version"), as_client)
    # A key whose value is None says nothing, as with the ssl.wrap_socket of old.
    given = {key: value for key, value in ssl_options.items() if value is not None}
    if (ciphers := given.get("ciphers")) is not None:
        context.set_ciphers(ciphers)
    verifies = as_client and verifies_by_default(ssl_options)
    if (authorities := given.get("ca_certs")) is not None:
        try:
            context.load_verify_locations(authorities)
        except OSError as error:
            _hints.add(error, "authorities", path=authorities)
            raise
    elif verifies:
        _load_system_certificates(context)
    if (wanted := given.get("cert_reqs")) is not None:
        context.check_hostname = context.check_hostname and wanted != ssl.CERT_NONE
        context.verify_mode = wanted
    elif verifies:
        context.verify_mode = ssl.CERT_REQUIRED
    if (certificate := given.get("certfile")) is not None:
        try:
            context.load_cert_chain(certificate, given.get("keyfile"))
        except OSError as error:  # ssl.SSLError is one
            _hints.add(error, "certificate", certfile=certificate, keyfile=given.get("keyfile"))
            raise
    context.options |= ssl.OP_NO_COMPRESSION  # CRIME (CVE-2012-4929)
    return context


def verifies_by_default(ssl_options: Mapping[str, Any]) -> bool:
    """Whether a client with these options verifies a certificate though they say nothing about it."""
    return ssl_options.get("cert_reqs") is None and not switches.is_allowed("unverified-tls")


def _load_system_certificates(context: ssl.SSLContext) -> None:
    if _needs_certifi(ssl.Purpose.SERVER_AUTH):
        context.load_verify_locations(certifi.where())
    else:
        context.load_default_certs()


def _new_context(ssl_version: int | None, as_client: bool) -> ssl.SSLContext:
    """A context that checks nothing yet, as ``ssl.SSLContext(PROTOCOL_SSLv23)`` did.

    Only ``PROTOCOL_TLS_CLIENT``, asked for by its name, checks the certificate and the host name.
    """
    if ssl_version in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        return ssl.SSLContext(ssl_version)
    fixed = None if ssl_version is None else _FIXED_VERSIONS.get(ssl_version)
    if as_client and fixed is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        # Python wants to be told the side, and deprecates the versions before 1.2. Who asks for "either side"
        # through the public function, or for one version by its name, does so on purpose: the warning is not
        # for them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS)
            if fixed is not None:
                context.minimum_version = context.maximum_version = ssl.TLSVersion[fixed]
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ssl_match_hostname(cert: Mapping[str, Any] | None, hostname: str) -> None:
    """Raise ``SSLCertificateError`` unless ``cert``, as ``getpeercert()`` gives it, names ``hostname`` (RFC
    6125).

    It stands in for ``ssl.match_hostname``, which Python 3.12 dropped. Subject alternative names decide (DNS
    names for a host, IP addresses for an address); the common name is looked at only where there is none of
    them. A ``*`` stands for exactly one whole label, the leftmost (section 6.4.3). `ValueError` when there is
    no certificate.
    """
    if not cert:
        raise ValueError(f"no certificate to match {hostname!r} with: CERT_REQUIRED asks for one")
    address = _packed_ip(hostname)
    presented: list[str] = []
    for kind, value in cert.get("subjectAltName", ()):
        if kind == "DNS":
            presented.append(value)
            if address is None and _dns_name_matches(value, hostname):
                return
        elif kind == "IP Address":
            presented.append(value)
            if address is not None and _packed_ip(value.rstrip()) == address:
                return
    if not presented:
        for name in _common_names(cert.get("subject", ())):
            presented.append(name)
            if address is None and _dns_name_matches(name, hostname):
                return
    if not presented:
        raise SSLCertificateError("no appropriate commonName or subjectAltName fields were found")
    if len(presented) == 1:
        raise SSLCertificateError(f"hostname {hostname!r} doesn't match {presented[0]!r}")
    listed = ", ".join(map(repr, presented))
    raise SSLCertificateError(f"hostname {hostname!r} doesn't match either of {listed}")


def _common_names(subject: Iterable[Iterable[tuple[str, str]]]) -> list[str]:
    return [value for rdn in subject for key, value in rdn if key == "commonName"]


def _packed_ip(text: str) -> bytes | None:
    """``text`` as an address in network order; None when it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, text)
        except (OSError, ValueError, UnicodeError):
            continue
    return None


def _dns_name_matches(pattern: str, hostname: str) -> bool:
    """RFC 6125, section 6.4: labels are compared without case; only a leftmost label ``*`` is a wildcard."""
    want, have = pattern.lower().split("."), hostname.lower().split(".")
    if "*" not in pattern:
        return want == have
    wildcard = want[0] == "*" and len(want) > 2 and "*" not in ".".join(want[1:])
    return wildcard and bool(have[0]) and want[1:] == have[1:]

_handed_on.complete(
    globals(),
    made={
        "_client_ssl_defaults": partial(_default_context, ssl.Purpose.SERVER_AUTH),
        "_server_ssl_defaults": partial(_default_context, ssl.Purpose.CLIENT_AUTH),
    },
)
