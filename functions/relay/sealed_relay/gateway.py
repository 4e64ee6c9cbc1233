"""One POST to the gateway, and what came of it: the adapter between urllib3 and the four answers of `answer`.

Whether a request can have left is told by where a failure struck, never by its text: only `_Connection.connect`
raises `NotConnectedError`, and nothing of a request is written before it returns. Time and size are bounded
in the socket, where every byte passes, because urllib3 and http.client bound neither as a whole.
"""

import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from urllib3 import HTTPConnectionPool, Retry, Timeout, connection_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse, HTTPResponse
from urllib3.util import parse_url

from sealed_relay.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAX_CONNECTIONS = 16
MAX_CONNECT_SECONDS = 5.0
MAX_IDLE_SECONDS = (
    55.0  # NAT gateways drop connections idle for 350 s without a word; a frozen function keeps none alive
)
MAX_ANSWER_BYTES = 1024 * 1024
MAX_RETRY_AFTER_SECONDS = 3600

_READ_BYTES = 64 * 1024
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # and what comes compressed all the same is not expanded: it could be a bomb
    "Content-Type": "application/json",
    "User-Agent": "sealed-relay",
}
_PARTIAL_SUCCESS = 209
_IP_NOT_WHITELISTED = 401
_MAX_DATA_LIST_SIZE_EXCEEDED = 303


class Gateway:
    """The API at one address, over up to 16 kept connections. Threads may share it.

    Nothing else is ever called: redirects are not followed, proxies named by the environment are not used, and a
    request is written once, also when a kept connection turns out to be dead.
    """

    def __init__(self, base_url: str, clock: Callable[[], float], ca_file: str | None = None) -> None:
        """Connect to nothing yet.

        `base_url` is https, or http where `settings` allows it. `clock` tells seconds and goes on while the function
        is frozen; it measures how long a connection has been idle. `ca_file` (PEM) takes the place of the system's
        trust store; raises OSError if it cannot be read.
        """
        # It warns of an answer's malformed header lines by quoting them, and they may be a message that quotes numbers.
        logging.getLogger("urllib3.connection").addFilter(_log_nothing)
        url = parse_url(base_url)
        self._path = (url.path or "").rstrip("/")
        self._pool: HTTPConnectionPool
        if url.scheme == "https":
            context = _tls_context(ca_file)
            self._pool = connection_from_url(base_url, maxsize=MAX_CONNECTIONS, clock=clock, ssl_context=context)
            self._pool.ConnectionCls = _TLSConnection
        else:
            self._pool = connection_from_url(base_url, maxsize=MAX_CONNECTIONS, clock=clock)
            self._pool.ConnectionCls = _Connection

    def send(self, endpoint: str, body: bytes, timeout_seconds: float) -> Answer:
        """POST `body`, UTF-8 JSON, byte for byte to `endpoint` (`outbound` or `outbounddialer`).

        `timeout_seconds` bounds the whole attempt, from connecting to the answer's last byte; only a name lookup
        cannot be cut short and keeps the resolver's own limits. Failures of the wire are answers, not exceptions.
        """
        if timeout_seconds <= 0:
            return NotSent("There was no time left to send it.")
        try:
            response = self._pool.urlopen(
                "POST",
                f"{self._path}/enc/{endpoint}/create",
                body,
                _HEADERS,
                retries=False,
                redirect=False,
                timeout=Timeout(total=timeout_seconds),
                preload_content=False,
                decode_content=False,
            )
            with response:
                if response.status < 200:  # noqa: PLR2004 - 1xx: the answer proper is still to come, and nobody reads it
                    return Ambiguous("Only an interim HTTP answer came.")
                content = _content_of(response)
        except NotConnectedError as error:
            return NotSent(f"No connection to the gateway could be made ({type(error.__cause__).__name__}).")
        except HTTPError as error:
            return Ambiguous(f"The connection failed before the whole answer had come ({type(error).__name__}).")
        return interpret(response.status, response.headers, content)


class NotConnectedError(HTTPError):
    """The connection could not be made, so no byte of a request left. Its cause says why."""


class AnswerTooBigError(HTTPError):
    """The answer, headers included, is bigger than `MAX_ANSWER_BYTES`."""


class AnswerTruncatedError(HTTPError):
    """The answer ended among its headers."""


class _CallDetail(msgspec.Struct, rename="kebab"):
    client_identifier: str | int
    phonon_uuid: str | None = None


class _ApiAnswer(msgspec.Struct, rename="kebab"):
    """The API's JSON, without the fields that the relay has no use for. Its message may quote contact numbers."""

    api_response_code: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    call_details: Any = None


def interpret(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Tell what a whole HTTP answer means. The verdict is the code in the API's JSON, whatever the HTTP status."""
    return _verdict_in(content) or _verdict_of_status(status, headers)


def _content_of(response: BaseHTTPResponse) -> bytes:
    """Read the answer's body; nothing of one that is too big, for then it is not the API's."""
    try:
        # To the very end: urllib3 tells a truncated body only by the read that finds nothing more.
        return b"".join(iter(lambda: response.read(_READ_BYTES), b""))
    except AnswerTooBigError:
        return b""


def _verdict_in(content: bytes) -> Answered | None:
    """Read the API's verdict, None if this is not the API's JSON."""
    try:
        answer = msgspec.json.decode(content, type=_ApiAnswer, strict=False)
    except (ValueError, RecursionError):  # malformed or another shape, not UTF-8; nested too deeply
        return None
    try:
        details = msgspec.convert(answer.call_details or [], list[_CallDetail])
    except msgspec.ValidationError:
        if answer.api_response_code == _PARTIAL_SUCCESS:
            return None  # which calls it means is the verdict
        details = []  # of another shape: no reason to doubt a code that speaks of all calls
    return Answered(
        answer.api_response_code, {str(detail.client_identifier): detail.phonon_uuid or "" for detail in details}
    )


def _verdict_of_status(status: int, headers: Mapping[str, str]) -> Answer:
    """Tell what an HTTP answer without the API's JSON means: something before the API gave it."""
    match status:
        case 401 | 403:
            return Answered(_IP_NOT_WHITELISTED)
        case 413:
            return Answered(_MAX_DATA_LIST_SIZE_EXCEEDED)
        case 429:
            return NotSent("The gateway turned it away (HTTP 429).", _retry_after_seconds(headers.get("Retry-After")))
        case _ if status == 408 or status >= 500:  # noqa: PLR2004 - HTTP statuses
            return Ambiguous(f"HTTP {status} came without the API's verdict.")
    return WrongAddress(f"HTTP {status} came, and it is not the API's answer.")


def _retry_after_seconds(value: str | None) -> float | None:
    """Read a Retry-After header, seconds or a date; None if there is none or nobody can read it."""
    if value is None:
        return None
    try:
        return float(Retry(retry_after_max=MAX_RETRY_AFTER_SECONDS).parse_retry_after(value))
    except (HTTPError, ValueError, OverflowError):
        return None


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Verify chain and host name; TLS 1.2 or newer. Made once: reading the trust store takes tens of milliseconds."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundedTLSSocket
    return context


def _log_nothing(_record: logging.LogRecord) -> bool:
    return False


def _seconds_until(deadline: float) -> float:
    """How long until `deadline` (of time.monotonic); raises TimeoutError once it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _BoundedSocket(socket.socket):
    """A socket whose timeout is one deadline for all that follows, and whose answers are bounded.

    A plain timeout starts anew at each read, so a server that dribbles would hold the caller for ever. And http.client
    reads to the end of the stream, whatever it was asked for, when a chunk claims a negative size.
    """

    ended = False
    _deadline: float | None = None
    _answer_bytes = 0

    def settimeout(self, value: float | None) -> None:
        self._deadline = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        self._hold_deadline()
        count = super().recv_into(buffer, nbytes or 0, flags)
        self.ended = count == 0
        self._answer_bytes += count
        if self._answer_bytes > MAX_ANSWER_BYTES:
            raise AnswerTooBigError
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        self._answer_bytes = 0  # a request goes out: what comes in from now on is its answer
        self._hold_deadline()
        super().sendall(data, flags)

    def _hold_deadline(self) -> None:
        if self._deadline is not None:
            super().settimeout(_seconds_until(self._deadline))


class _BoundedTLSSocket(_BoundedSocket, ssl.SSLSocket):
    pass


class _Connection(HTTPConnection):
    """A connection that says when it could not be made, and that is not used again after a long rest."""

    def __init__(self, *, clock: Callable[[], float], **keywords: Any) -> None:  # noqa: ANN401 - urllib3's own keywords
        super().__init__(**keywords)
        self._clock = clock
        self._last_used_at = clock()
        self._deadline = 0.0

    def connect(self) -> None:
        # The pool has put the attempt's total there; afterwards urllib3 finds what is left of it.
        self._deadline = time.monotonic() + cast("float", self.timeout)
        try:
            super().connect()
            self.timeout = _seconds_until(self._deadline)
            self.sock.settimeout(self.timeout)
        except Exception as error:
            raise NotConnectedError from error

    def _new_conn(self) -> socket.socket:
        """Open the socket: urllib3's hook for it. Its own would give each of the host's addresses the whole timeout."""
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
        sock = cast("_BoundedSocket", self.sock)
        response = super().getresponse()
        if sock.ended:  # http.client takes the end of the stream for the end of the headers, and says nothing
            response.close()
            raise AnswerTruncatedError
        self._last_used_at = self._clock()
        return response

    @property
    def is_connected(self) -> bool:
        """False makes the pool close a kept connection and open another. It asks before it hands one out."""
        return super().is_connected and 0 <= self._clock() - self._last_used_at < MAX_IDLE_SECONDS


class _TLSConnection(_Connection, HTTPSConnection):
    pass
