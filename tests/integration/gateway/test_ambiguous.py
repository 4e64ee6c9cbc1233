"""Failures after a request may have left, and answers that never end."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealed_relay.kairos.answer import Ambiguous, Answer, NotSent, WrongAddress
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES
from tests.integration.gateway.conftest import IMPATIENT_SECONDS, Authority, Serve, send, verdict
from tests.integration.gateway.hostile_server import (
    HostileServer,
    Script,
    dribbles,
    floods,
    http_answer,
    resets,
    says,
    stalls,
)

VERDICT = b'{"api-response-code": 200}'
API_ANSWER = http_answer(200, VERDICT)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MORE_THAN_SOCKETS_HOLD = bytes(32 * 1024 * 1024)
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    "script",
    [
        resets(after_reading=False),
        resets(after_reading=True),
        resets(after_reading=True, after_saying=API_ANSWER[:20]),
        resets(after_reading=True, after_saying=API_ANSWER[:-1]),
        says(b""),
        says(API_ANSWER[:20]),
        says(API_ANSWER[: len(HEAD) + 5]),
        says(API_ANSWER[:-1]),
        says(HEAD + b"Content-Length: 1000\r\n\r\n" + VERDICT),
        says(CHUNKED + b"1a\r\n" + VERDICT),
        says(CHUNKED + b"1a\r\n" + VERDICT + b"\r\n"),
        says(CHUNKED + b"ff\r\n" + VERDICT),
        says(CHUNKED + b"not a size\r\n"),
        says(HEAD + b"Content-Length: 1, 2\r\n\r\n"),
        says(b"not HTTP at all\r\n\r\n"),
        says(http_answer(503)[:-10]),
    ],
)
def test_connection_that_breaks_after_sending_is_ambiguous(serve: Serve, script: Script) -> None:
    server = serve(script)

    assert isinstance(send(server.url), Ambiguous)
    assert server.connections == 1


@pytest.mark.parametrize("script", [stalls(after_reading=False), stalls(after_reading=True)])
def test_stalled_server_is_ambiguous(serve: Serve, script: Script) -> None:
    server = serve(script)

    assert isinstance(send(server.url, timeout_seconds=IMPATIENT_SECONDS), Ambiguous)
    assert server.connections == 1


@pytest.mark.parametrize("script", [stalls(after_reading=False), resets(after_reading=False)])
def test_partly_written_request_is_ambiguous(serve: Serve, authority: Authority, script: Script) -> None:
    for server in (serve(script), serve(script, authority.server_context("127.0.0.1"))):
        answer = send(server.url, MORE_THAN_SOCKETS_HOLD, IMPATIENT_SECONDS * 2, authority.ca_file)

        assert isinstance(answer, Ambiguous)


@pytest.mark.parametrize(
    ("prompt", "slow"),
    [
        (HEAD + b"Content-Length: 326\r\n\r\n", VERDICT + b" " * 300),
        (CHUNKED, b"146\r\n" + VERDICT + b" " * 300 + b"\r\n0\r\n\r\n"),
        (CHUNKED, b"1a\r\n" + VERDICT + b"\r\n0\r\n" + b"X: y\r\n" * 50 + b"\r\n"),
        (b"", API_ANSWER + b"\r\n" * 100),
        (HEAD, b"X: y\r\n" * 50 + b"Content-Length: 26\r\n\r\n" + VERDICT),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 12 + API_ANSWER),
    ],
    ids=["body", "chunk", "trailers", "status line", "headers", "interim answers"],
)
def test_slow_answer_is_cut_off_at_the_deadline(serve: Serve, prompt: bytes, slow: bytes) -> None:
    server = serve(dribbles(prompt, slow, pause_seconds=0.02))

    # A timeout that starts anew at each byte would let the whole verdict come.
    assert isinstance(send(server.url, timeout_seconds=IMPATIENT_SECONDS), Ambiguous)


def test_slow_answer_over_tls_is_cut_off_at_the_deadline(serve: Serve, authority: Authority) -> None:
    server = serve(dribbles(b"", API_ANSWER + b"\r\n" * 100, 0.02), authority.server_context("127.0.0.1"))

    answer = send(server.url, timeout_seconds=IMPATIENT_SECONDS * 3, ca_file=authority.ca_file)

    assert isinstance(answer, Ambiguous)


@pytest.mark.parametrize("status", [200, 302, 404])
@pytest.mark.parametrize("framing", ["Content-Length: 999999999999", "Transfer-Encoding: chunked", "Connection: close"])
def test_endless_answer_is_cut_off_and_means_wrong_address(serve: Serve, status: int, framing: str) -> None:
    server = serve(
        floods(f"HTTP/1.1 {status} Whatever\r\n{framing}\r\n\r\n".encode(), b"8000\r\n" + bytes(0x8000) + b"\r\n")
    )

    with at_most_allocated(4 * MEBIBYTE):
        assert isinstance(send(server.url), WrongAddress)


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", bytes(0x8000)),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60000 + b"\r\n"),
        (b"HTTP/1.1 ", b"2" * 0x8000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["502", "headers", "status line", "interim answers"],
)
def test_endless_answer_with_unknown_status_or_5xx_is_ambiguous(serve: Serve, head: bytes, block: bytes) -> None:
    with at_most_allocated(4 * MEBIBYTE):
        assert isinstance(send(serve(floods(head, block)).url), Ambiguous)


def test_chunk_of_negative_size_does_not_bypass_the_size_limit(serve: Serve) -> None:
    with at_most_allocated(4 * MEBIBYTE):
        assert isinstance(send(serve(floods(CHUNKED + b"-1\r\n", bytes(0x8000))).url), WrongAddress)


@pytest.mark.parametrize("mebibytes", [10, 100])
def test_huge_answer_is_not_read_to_its_end(serve: Serve, mebibytes: int) -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (mebibytes * MEBIBYTE)
    server = serve(floods(head, bytes(0x10000), times=mebibytes * 16))

    with at_most_allocated(4 * MEBIBYTE):
        assert isinstance(send(server.url), WrongAddress)
    assert server.sent_bytes < mebibytes * MEBIBYTE


def test_answer_just_within_the_size_limit_is_read(serve: Serve) -> None:
    answer = http_answer(200, VERDICT)
    answer = http_answer(200, VERDICT.ljust(MAX_ANSWER_BYTES - len(answer) - 10))

    assert send(serve(says(answer)).url) == verdict(200)


FRAGMENTS = st.sampled_from(
    b"HTTP/1.1 200 OK|HTTP/1.0 500 |HTTP/1.1 429 |\r\n|\r\n\r\n|Content-Length: |26|-1|0|100|1a\r\n|"
    b'Transfer-Encoding: chunked|Retry-After: |Content-Encoding: gzip|\x1f\x8b|{"api-response-code": 200}'.split(b"|")
)


def test_any_bytes_give_one_of_four_answers_and_not_sent_only_for_429() -> None:
    with HostileServer(says(b"")) as server:

        @settings(max_examples=200, deadline=None)
        @given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12).map(b"".join))
        def send_and_be_told(data: bytes) -> None:
            server.script = says(data)

            answer = send(server.url)

            assert isinstance(answer, Answer)
            assert not isinstance(answer, NotSent) or b"429" in data

        send_and_be_told()


@contextmanager
def at_most_allocated(peak_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < peak_bytes
    finally:
        tracemalloc.stop()
