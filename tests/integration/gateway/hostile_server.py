"""A server on 127.0.0.1 that runs a script on each connection, to produce the failures that a client must survive.

A script gets the server's end of one connection and ends it by returning. `answers`, `stalls`, `resets` and the
others below make the usual ones. The server keeps the requests that scripts read, and counts connections and bytes.
"""

import itertools
import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

_SEND_BUFFER_BYTES = 64 * 1024  # small, so that what was sent was (nearly) taken


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]  # by lower-case name
    body: bytes


class Peer:
    """The server's end of one connection. If the client disconnects, the script ends with an OSError."""

    def __init__(self, sock: socket.socket, server: "HostileServer") -> None:
        self._sock = sock
        self._server = server

    def read_request(self) -> Request:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._receive(1)
        line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        body = b""
        while missing := int(headers.get("content-length", 0)) - len(body):
            body += self._receive(missing)
        request = Request(line, headers, body)
        self._server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)
        self._server.sent_bytes += len(data)

    def pause(self, seconds: float | None = None) -> None:
        """Do nothing for so many seconds, or until the server stops."""
        if self._server.stopping.wait(seconds):
            raise ConnectionAbortedError

    def wait_for_first_byte(self) -> None:
        select.select([self._sock], [], [])

    def finish(self) -> None:
        """Close with FIN, as at the end of a script."""
        self._sock.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def _receive(self, at_most: int) -> bytes:
        data = self._sock.recv(at_most)
        if not data:
            raise ConnectionAbortedError
        return data


Script = Callable[[Peer], None]


class HostileServer(socketserver.ThreadingTCPServer):
    """Serves while its `with` block runs. `script` and `before_handshake` may be changed between connections."""

    request_queue_size = 128  # a full queue would make a connecting client wait for a second

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.before_handshake: Callable[[], object] = lambda: None
        self.requests: list[Request] = []
        self.connections = 0
        self.sent_bytes = 0
        self.stopping = threading.Event()
        self._open: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stopping.set()
        self.shutdown()
        for sock in self._open:  # wakes the scripts that read
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self.server_close()  # joins the scripts' threads

    def attend(self, sock: socket.socket) -> None:
        self.connections += 1
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._open.append(sock)
        with suppress(OSError), self._secured(sock) as secured:
            self._open.append(secured)
            self.script(Peer(secured, self))

    def _secured(self, sock: socket.socket) -> socket.socket:
        self.before_handshake()
        return self.tls.wrap_socket(sock, server_side=True) if self.tls else sock


class _Handler(socketserver.BaseRequestHandler):
    server: HostileServer

    def handle(self) -> None:
        self.server.attend(self.request)


def http_answer(status: int, body: bytes = b"", *fields: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *fields])
    return f"{head}\r\n\r\n".encode() + body


def answers(answer: bytes) -> Script:
    """Give the same answer to every request of a connection that is kept open."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(answer)

    return script


def says(data: bytes) -> Script:
    """Read one request, send these bytes, and close."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return script


def stalls(*, after_reading: bool) -> Script:
    def script(peer: Peer) -> None:
        if after_reading:
            peer.read_request()
        peer.pause()

    return script


def resets(*, after_reading: bool, after_saying: bytes = b"") -> Script:
    def script(peer: Peer) -> None:
        peer.wait_for_first_byte()  # otherwise the reset could come while the client still connects
        if after_reading:
            peer.read_request()
        peer.send(after_saying)
        peer.reset()

    return script


def dribbles(prompt: bytes, slow: bytes, pause_seconds: float) -> Script:
    """Send `prompt` at once, and `slow` byte by byte."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(prompt)
        for byte in slow:
            peer.pause(pause_seconds)
            peer.send(bytes([byte]))

    return script


def floods(head: bytes, block: bytes, times: int | None = None) -> Script:
    """Send `head`, then `block` so many `times`; without end if None."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head)
        for _ in itertools.repeat(None) if times is None else range(times):
            peer.send(block)

    return script
