"""One POST to the gateway, and what came of it: the adapter between urllib3 and the four answers of `answer`.

The place of a failure tells whether a request can have left, not the text of the failure: see `connection`.
"""

import logging
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPException
from typing import Annotated, Any

import msgspec
from urllib3 import Retry
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import parse_url

from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.codes import IP_NOT_WHITELISTED, MAX_DATA_LIST_SIZE_EXCEEDED, Verdict, code_of
from sealed_relay.kairos.connection import AnswerTooBigError, Connection, NotConnectedError, TLSConnection, tls_context

MAX_CONNECTIONS = 16
MAX_RETRY_AFTER_SECONDS = 3600

_READ_BYTES = 64 * 1024
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a compressed answer is not expanded: it could be a bomb
    "Content-Type": "application/json",
    "User-Agent": "sealed-relay",
}
_MAX_API_REQUEST_ID_CHARACTERS = 64
_NOT_IN_IDENTIFIER = re.compile(r"[^ -~]|[\"\\]")
_SAYS_ACCEPTED = frozenset({"success", "accepted"})


class Gateway:
    """The API at one address, over up to 16 kept connections. Threads may share it.

    It calls no other address: it follows no redirect, and uses no proxy that the environment names. It writes a request
    once, also if a kept connection turns out to be dead.
    """

    def __init__(self, base_url: str, clock: Callable[[], float], ca_file: str | None = None) -> None:
        """Connect to nothing yet.

        `base_url` is https, or http where `settings` allows it. `clock` tells seconds and goes on while the function
        is frozen; it measures how long a connection has been idle. `ca_file` (PEM) takes the place of the system's
        trust store; raises OSError if it cannot be read.
        """
        # urllib3 quotes malformed header lines in a warning. They may be an answer that quotes contact numbers.
        logging.getLogger("urllib3.connection").addFilter(_log_nothing)
        url = parse_url(base_url)
        self._path = (url.path or "").rstrip("/")
        self._new: Callable[[], Connection] = partial(Connection, url.host or "", url.port, clock=clock)
        if url.scheme == "https":
            context = tls_context(ca_file)
            self._new = partial(TLSConnection, url.host or "", url.port, clock=clock, ssl_context=context)
        self._kept: deque[Connection] = deque(maxlen=MAX_CONNECTIONS)
        weakref.finalize(self, _close_all, self._kept)

    @contextmanager
    def connect(self, timeout_seconds: float) -> Iterator["ReadyConnection | NotSent"]:
        """Connect, or take a kept connection that still stands; see `ports.Gateway`.

        Only a name lookup cannot be cut short, and keeps the resolver's own limits.
        """
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self._new()
        try:
            connection.make_ready(timeout_seconds)
        except NotConnectedError as error:
            yield NotSent(f"No connection to the gateway could be made ({type(error.__cause__).__name__}).")
            return
        try:
            yield ReadyConnection(connection, self._path)
        except BaseException:
            connection.close()
            raise
        if not connection.is_closed:
            self._kept.append(connection)


class ReadyConnection:
    """A connection that stands."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def send(self, endpoint: str, body: bytes) -> Answer:
        """POST `body`, UTF-8 JSON, byte for byte to `endpoint`; see `ports.Connection`.

        It never connects again: that may take longer than the permit lasts. Failures of the wire are answers.
        """
        connection = self._connection
        if not connection.is_connected:
            connection.close()
            return NotSent("The gateway closed the connection before the request left.")
        try:
            # A gateway may answer before it has read all, and close. Then its answer can still be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                url = f"{self._path}/enc/{endpoint}/create"
                connection.request("POST", url, body, _HEADERS, preload_content=False, decode_content=False)
            response = connection.getresponse()
            if response.status < 200:  # noqa: PLR2004 - 1xx: the real answer would come later, and nobody reads it
                connection.close()
                return Ambiguous("Only an interim HTTP answer came.")
            return interpret(response.status, response.headers, self._content_of(response))
        except (OSError, HTTPException, HTTPError) as error:
            connection.close()
            return Ambiguous(f"The connection failed before the whole answer had come ({type(error).__name__}).")

    def _content_of(self, response: BaseHTTPResponse) -> bytes:
        """Read the answer's body. A body that is too big is not the API's, and counts as empty."""
        try:
            # Read until nothing more comes: only that last read shows that a body is truncated.
            return b"".join(iter(lambda: response.read(_READ_BYTES), b""))
        except AnswerTooBigError:
            self._connection.close()
            return b""


class _ApiAnswer(msgspec.Struct, rename="kebab"):
    """The API's JSON. Its message may quote contact numbers: it is compared, and never kept."""

    api_response_code: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    api_response_message: Any = None
    request_id: Any = None
    call_details: Any = None


def interpret(status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """Tell what a whole HTTP answer means. The verdict is the code in the API's JSON, not the HTTP status."""
    return _verdict_in(content) or _verdict_of_status(status, headers)


def _verdict_in(content: bytes) -> Answered | None:
    """Read the API's verdict, None if this is not the API's JSON."""
    try:
        answer = msgspec.json.decode(content, type=_ApiAnswer, strict=False)
    except (ValueError, RecursionError):  # malformed or another shape, not UTF-8; nested too deeply
        return None
    details = answer.call_details if isinstance(answer.call_details, list) else []
    listed = [detail for detail in details if isinstance(detail, dict)]
    named = {
        detail["client-identifier"]: detail["phonon-uuid"]
        for detail in listed
        if isinstance(detail.get("client-identifier"), str) and detail.get("phonon-uuid")
    }
    uuids = {name: _identifier(uuid) for name, uuid in named.items() if isinstance(uuid, str)}
    message = answer.api_response_message
    says_accepted = isinstance(message, str) and message.strip().casefold() in _SAYS_ACCEPTED
    is_acceptance = code_of(answer.api_response_code).verdict in (Verdict.ACCEPT, Verdict.ACCEPT_LISTED)
    return Answered(
        answer.api_response_code,
        uuids,
        _identifier(answer.request_id[:_MAX_API_REQUEST_ID_CHARACTERS]) if isinstance(answer.request_id, str) else "",
        is_contradicted=says_accepted and not is_acceptance,
        is_list_trusted=len(uuids) == len(details) > 0,
    )


def _identifier(text: str) -> str:
    """An identifier of the API, with "?" in place of each character that no UUID needs and that does harm later.

    SQS refuses a failure entry with a control character in an attribute. A quote or a backslash would break the JSON of
    an outcome event: see `OutcomePipe` in template.yaml.
    """
    return _NOT_IN_IDENTIFIER.sub("?", text)


def _verdict_of_status(status: int, headers: Mapping[str, str]) -> Answer:
    """Tell what an HTTP answer without the API's JSON means: something in front of the API gave it."""
    match status:
        case 401 | 403:
            return Answered(IP_NOT_WHITELISTED.number)
        case 413:
            return Answered(MAX_DATA_LIST_SIZE_EXCEEDED.number)
        case 429:
            return NotSent("The gateway turned it away (HTTP 429).", _retry_after_seconds(headers.get("Retry-After")))
        case _ if status == 408 or status >= 500:  # noqa: PLR2004 - HTTP statuses
            return Ambiguous(f"HTTP {status} came without the API's verdict.")
    return WrongAddress(f"HTTP {status} came, and it is not the API's answer.")


def _retry_after_seconds(value: str | None) -> float | None:
    """Read a Retry-After header, seconds or a date; None if there is none or it cannot be read."""
    if value is None:
        return None
    try:
        return float(Retry(retry_after_max=MAX_RETRY_AFTER_SECONDS).parse_retry_after(value))
    except (HTTPError, ValueError, OverflowError):
        return None


def _close_all(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.close()


def _log_nothing(_record: logging.LogRecord) -> bool:
    return False
