"""`SSLIOStream`: a stream over a socket, with TLS in between.

Until the handshake is done (``_ssl_accepting``) every event goes to it, whichever direction OpenSSL asks for
(``_handshake_reading``, ``_handshake_writing``); writes are queued, and reads find nothing.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from tornado4 import netutil, stack_context, switches
from tornado4._core.deadlines import Deadlines, deadlines_of
from tornado4.concurrent import Future
from tornado4.iostream.lifecycle import _WRITE
from tornado4.iostream.plain import IOStream
from tornado4.log import gen_log
from tornado4.netutil import SSLCertificateError, ssl_match_hostname, ssl_wrap_socket, verifies_by_default


class SSLIOStream(IOStream):
    """A stream over TLS. ``socket`` is a connected `ssl.SSLSocket` (of either side), or a plain one to
    `connect`.

    ``ssl_options`` (only by keyword) matters to clients: an `ssl.SSLContext`, or a dictionary as for
    `tornado4.netutil.ssl_options_to_context`; the default checks the server's certificate and name.
    """

    #: OpenSSL reports a write only when all of it has left: in pieces of this many bytes, progress is seen.
    _write_limit = 256 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options: ssl.SSLContext | Mapping[str, Any]
        options = kwargs.pop("ssl_options") if "ssl_options" in kwargs else netutil._client_ssl_defaults
        self._ssl_options = options
        super().__init__(*args, **kwargs)
        self._ssl_accepting = True
        self._handshake_reading = False
        self._handshake_writing = False
        self._ssl_connect_callback: Callable[[], Any] | None = None
        self._server_hostname: str | None = None
        self._short_read_drains = False  # one recv is one record at most, and more of them may wait unseen
        self._direct_write = False
        self._slow_handshake: Deadlines | None = None
        if self._is_connected():
            # Whoever has to speak first finds the socket writable; the other side finds out that it has to
            # wait.
            self._add_io_state(_WRITE)

    def _is_connected(self) -> bool:
        try:
            self.socket.getpeername()
        except OSError:
            return False
        return True

    def writing(self) -> bool:
        """True while something is to be sent, by the handshake too."""
        return self._handshake_writing or super().writing()

    def reading(self) -> bool:
        """True while somebody reads, or the handshake waits for the peer."""
        return self._handshake_reading or super().reading()

    # -- the handshake -------------------------------------------------------------------------------------

    def _do_ssl_handshake(self) -> None:
        """Take the handshake one step further."""
        self._handshake_reading = self._handshake_writing = False
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake_reading = True
        except ssl.SSLWantWriteError:
            self._handshake_writing = True
        except ssl.SSLError as e:
            self._handshake_failed(e)
        except OSError as e:
            # Port scanners are known to leave sockets behind that give EBADF or ENOTCONN here.
            if not self._is_connreset(e) and e.errno not in (errno.EBADF, errno.ENOTCONN, 0):
                raise
            self.close(exc_info=True)
        except AttributeError:
            # A socket that was reset before it was wrapped has no TLS object to shake hands with.
            self.close(exc_info=True)
        else:
            self._ssl_accepting = False
            self._end_slow_handshake()
            self._direct_write = type(self).write_to_fd is SSLIOStream.write_to_fd
            if self._verify_cert(self.socket.getpeercert()):
                self._run_ssl_connect_callback()
            else:
                self.close()

    def _limit_handshake(self, seconds: float) -> None:
        """Close if the handshake is not done by then: for servers, whose clients may mean to never end it."""
        if self._ssl_accepting and not self._closed:
            self._slow_handshake = deadlines_of(self.io_loop, seconds)
            self._slow_handshake.begin(self, self._on_slow_handshake)

    def _end_slow_handshake(self) -> None:
        if self._slow_handshake is not None:
            self._slow_handshake.end(self)
            self._slow_handshake = None

    def _on_slow_handshake(self) -> None:
        self._slow_handshake = None
        try:
            peer = self.socket.getpeername()
        except OSError:
            peer = "(not connected)"
        gen_log.info("Timeout in TLS handshake with %s %s", peer, switches.hint("slow-handshakes"))
        self.close()

    def _give_up_fd(self) -> None:
        self._end_slow_handshake()
        super()._give_up_fd()

    def _handshake_failed(self, error: ssl.SSLError) -> None:
        """Close. A peer that merely left is not worth a line; anything else is."""
        if error.args[0] in (ssl.SSL_ERROR_EOF, ssl.SSL_ERROR_ZERO_RETURN):
            self.close(exc_info=True)
        elif error.args[0] == ssl.SSL_ERROR_SSL:
            try:
                peer = self.socket.getpeername()
            except OSError:
                peer = "(not connected)"
            hint = self._hint() if isinstance(error, ssl.SSLCertVerificationError) else ""
            gen_log.warning("SSL Error on %s %s: %s%s", self.socket.fileno(), peer, error, hint)
            self.close(exc_info=True)
        else:
            raise error

    def _run_ssl_connect_callback(self) -> None:
        if self._ssl_connect_callback is not None:
            callback, self._ssl_connect_callback = self._ssl_connect_callback, None
            self._run_callback(callback)
        if self._ssl_connect_future is not None:
            future, self._ssl_connect_future = self._ssl_connect_future, None
            future.set_result(self)

    def _verify_cert(self, peercert: Mapping[str, Any] | None) -> bool:
        """Whether the peer's certificate names the host that was asked for, where that is to be checked.

        An `ssl.SSLContext` with ``check_hostname`` has had OpenSSL look during the handshake. This is for the
        others: dictionaries, and contexts that ask for a certificate but not for the name.
        """
        options = self._ssl_options
        if isinstance(options, ssl.SSLContext):
            if options.check_hostname:
                return True
            mode = options.verify_mode
        else:
            mode = options.get("cert_reqs") or ssl.CERT_NONE
            if not self.socket.server_side and verifies_by_default(options):
                mode = ssl.CERT_REQUIRED
        if mode not in (ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL) or self._server_hostname is None:
            return True
        if not peercert:
            if mode == ssl.CERT_REQUIRED:
                gen_log.warning("No SSL certificate given")
                return False
            return True
        try:
            ssl_match_hostname(peercert, self._server_hostname)
        except SSLCertificateError as e:
            gen_log.warning("Invalid SSL certificate: %s%s", e, self._hint())
            return False
        return True

    def _hint(self) -> str:
        """What to add to a complaint about a certificate that 4.5.3 would not have looked at."""
        options = self._ssl_options
        ours = not isinstance(options, ssl.SSLContext) and verifies_by_default(options)
        return f" {switches.hint('unverified-tls')}" if ours else ""

    def wait_for_handshake(self, callback: Callable[[], Any] | None = None) -> Any:
        """Wait until the handshake is done: a Future of the stream, or a call of ``callback()``.

        A server gets its stream before that; afterwards it may ask ``stream.socket.getpeercert()`` and the
        like. At once when it is done already; `RuntimeError` when someone waits for it already.
        """
        if self._ssl_connect_callback is not None or self._ssl_connect_future is not None:
            raise RuntimeError("Already waiting")
        future: Future | None = None
        if callback is not None:
            self._ssl_connect_callback = stack_context.wrap(callback)
        else:
            future = self._ssl_connect_future = Future()
        if not self._ssl_accepting:
            self._run_ssl_connect_callback()
        return future

    # -- connecting ------------------------------------------------------------------------------------------

    def connect(
        self, address: Any, callback: Callable[[], Any] | None = None, server_hostname: str | None = None
    ) -> Any:
        """Connect as `IOStream.connect` does, and shake hands: only then the Future resolves or
        ``callback()`` is called.

        ``server_hostname`` is the name that the server is to show (SNI) and that its certificate has to bear.
        """
        self._server_hostname = server_hostname
        # The plain connection reports to nobody: whoever waits, waits for the handshake.
        super().connect(address, callback=_nothing)
        return self.wait_for_handshake(callback)

    def _handle_connect(self) -> None:
        super()._handle_connect()
        if self._closed:
            return
        # The TLS socket takes over the descriptor, so that what the loop watches remains what it was.
        options, name = self._ssl_options, self._server_hostname
        self.socket = ssl_wrap_socket(
            self.socket, options, server_hostname=name, do_handshake_on_connect=False
        )

    # -- reading and writing
    # -----------------------------------------------------------------------------------

    # With TLS 1.3 a client is done before the server is, and application data may be on its way by then: what
    # completes the handshake goes straight on to it. (4.5.3 waited for another event, which lost what a
    # server wrote before it closed at once.)

    def _handle_read(self) -> None:
        if self._ssl_accepting:
            self._do_ssl_handshake()
            # Who waits for the handshake is to find the stream open: an end behind it is read in its turn.
            if self._pending_callbacks or not super().reading():
                return
        if not self._ssl_accepting and not self._closed:
            super()._handle_read()

    def _handle_write(self) -> None:
        if self._ssl_accepting:
            self._do_ssl_handshake()
        if not self._ssl_accepting and not self._closed:
            super()._handle_write()

    def read_from_fd(self) -> bytes | None:
        """Up to ``read_chunk_size`` decrypted bytes; None when there are none now, or when the peer has closed."""
        if self._ssl_accepting:
            return None
        try:
            chunk: bytes = self.socket.recv(self.read_chunk_size)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        if not chunk:
            self.close()
            return None
        return chunk

    def write_to_fd(self, data: memoryview) -> int:
        """Encrypt and send as much of ``data`` as the socket takes; returns how many of its bytes that was."""
        try:
            sent: int = self.socket.send(data)
        except ssl.SSLWantWriteError:
            return 0
        return sent

    def _hidden(self) -> bool:
        return not self._ssl_accepting and not self._closed and self.socket.pending() > 0

    def _direct_push(self) -> bool:
        return False

    def _is_connreset(self, e: BaseException) -> bool:  # the base class says `exc`; both as in 4.5.3
        if isinstance(e, ssl.SSLError) and e.args[0] == ssl.SSL_ERROR_EOF:
            return True
        return super()._is_connreset(e)


def _nothing() -> None:
    """No callback, where one is asked for."""
