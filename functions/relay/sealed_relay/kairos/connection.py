"""Connections to the gateway, bounded in time and size. Their error tells if a connection could not be made.

Only `Connection.make_ready` raises `NotConnectedError`, and it writes nothing of a request. The socket bounds time and
size, because every byte passes through it. urllib3 and http.client bound neither for the whole exchange.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAX_CONNECT_SECONDS = 5.0
MAX_IDLE_SECONDS = 55.0
"""NAT gateways drop connections idle for 350 s without a word, and a frozen function keeps none alive."""
MAX_ANSWER_BYTES = 1024 * 1024


class NotConnectedError(HTTPError):
    """The connection could not be made, so no byte of a request left. Its cause says why."""


class AnswerTooBigError(HTTPError):
    """The answer, headers included, is bigger than `MAX_ANSWER_BYTES`."""


class AnswerTruncatedError(HTTPError):
    """The answer ended among its headers."""


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Verify chain and host name; TLS 1.2 or newer. Made once: reading the trust store takes tens of milliseconds."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundedTLSSocket
    return context


def _seconds_until(deadline: float) -> float:
    """How long until `deadline` (of time.monotonic); raises TimeoutError once it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _BoundedSocket(socket.socket):
    """A socket with one `deadline` (of time.monotonic) for all that follows, and whose answers are bounded.

    A plain timeout starts again at each read, so a server that sends one byte at a time could hold the caller for ever.
    And if a chunk claims a negative size, http.client reads to the end of the stream.
    """

    ended = False
    deadline = 0.0
    _answer_bytes = 0

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(_seconds_until(self.deadline))
        count = super().recv_into(buffer, nbytes or 0, flags)
        self.ended = count == 0
        self._answer_bytes += count
        if self._answer_bytes > MAX_ANSWER_BYTES:
            raise AnswerTooBigError
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        self._answer_bytes = 0  # a request goes out: what comes in from now on is its answer
        self.settimeout(_seconds_until(self.deadline))
        super().sendall(data, flags)


class _BoundedTLSSocket(_BoundedSocket, ssl.SSLSocket):
    pass


class Connection(HTTPConnection):
    """A connection that says when it could not be made, and that is not used again after a long rest."""

    def __init__(self, *arguments: Any, clock: Callable[[], float], **keywords: Any) -> None:  # noqa: ANN401 - urllib3's
        super().__init__(*arguments, **keywords)
        self._clock = clock
        self._last_used_at = clock()
        self._deadline = 0.0

    def make_ready(self, timeout_seconds: float) -> None:
        """Connect, unless the connection still stands. All that follows on it must end within so many seconds.

        Raises NotConnectedError for any reason.
        """
        self._deadline = time.monotonic() + timeout_seconds
        try:
            _seconds_until(self._deadline)
            if not self.is_connected:
                self.close()
                self.connect()
                self._last_used_at = self._clock()
            cast("_BoundedSocket", self.sock).deadline = self._deadline
        except Exception as error:
            self.close()
            raise NotConnectedError from error

    def _new_conn(self) -> socket.socket:
        """Open the socket, for urllib3. urllib3's own method would give each address of the host the whole timeout."""
        failure: Exception = OSError("The host has no address.")
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            sock = _BoundedSocket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(min(MAX_CONNECT_SECONDS, _seconds_until(self._deadline)))
                sock.connect(address)
                sock.settimeout(min(MAX_CONNECT_SECONDS, _seconds_until(self._deadline)))  # for the TLS handshake
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3's own, which is not http.client's
        """Read the answer up to its body. Raises AnswerTruncatedError."""
        sock = cast("_BoundedSocket", self.sock)
        response = super().getresponse()
        if sock.ended:  # http.client takes the end of the stream for the end of the headers
            response.close()
            raise AnswerTruncatedError
        self._last_used_at = self._clock()
        return response

    @property
    def is_connected(self) -> bool:
        """False if the other end closed it or said something, and after a long rest."""
        if self.sock is None or not 0 <= self._clock() - self._last_used_at < MAX_IDLE_SECONDS:
            return False
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)  # not `select`: TLS 1.3 sends tickets after the handshake, and they are no answer
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False


class TLSConnection(Connection, HTTPSConnection):
    """A `Connection` over TLS."""
