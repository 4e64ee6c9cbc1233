"""What an answer that arrived whole means."""

import gzip
import json
import logging
from email.utils import formatdate
from time import time

import pytest

from sealed_relay.kairos.answer import Ambiguous, Answered, NotSent, WrongAddress
from sealed_relay.kairos.client import MAX_RETRY_AFTER_SECONDS, Gateway
from tests.integration.gateway.conftest import BODY, Serve, send
from tests.integration.gateway.hostile_server import answers, http_answer, says

HTML = b"<html>Not the API</html>"
CANARY = b"919812345678"


def api_json(code: object = 200, **fields: object) -> bytes:
    return json.dumps({"api-response-code": code, **fields}).encode()


@pytest.mark.parametrize("endpoint", ["outbound", "outbounddialer"])
@pytest.mark.parametrize("base_path", ["", "/", "/kairos-apis", "/kairos-apis/"])
def test_the_exact_bytes_are_posted_once_to_the_endpoint_under_the_base_url(
    serve: Serve, endpoint: str, base_path: str
) -> None:
    server = serve(answers(http_answer(200, api_json())))

    Gateway(server.url + base_path, time).send(endpoint, BODY, 30)

    [request] = server.requests
    assert request.line == f"POST {base_path.rstrip('/')}/enc/{endpoint}/create HTTP/1.1"
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", [200, 202, 302, 400, 401, 404, 408, 413, 429, 500, 503])
def test_the_verdict_is_the_code_in_the_json_whatever_the_http_status(serve: Serve, status: int) -> None:
    server = serve(answers(http_answer(status, api_json(206), "Location: /elsewhere", "Retry-After: 1")))

    assert send(server.url) == Answered(206)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (api_json(200), Answered(200)),
        (api_json("209"), Answered(209)),
        (api_json(200, **{"call-details": None, "api-response-message": CANARY.decode()}), Answered(200)),
        (api_json(200, **{"call-details": []}), Answered(200)),
        (api_json(200, **{"call-details": "of another shape"}), Answered(200)),
        (api_json(212, **{"call-details": {}}), Answered(212)),
        (api_json(200, **{"call-details": [{"client-identifier": 7}]}), Answered(200, {"7": ""})),
        (
            api_json(
                209,
                **{
                    "request-id": "e0a3",
                    "call-details": [
                        {"client-identifier": "a", "phonon-uuid": "u-1", "new-field": {"deep": [1]}},
                        {"client-identifier": "b", "phonon-uuid": None},
                        {"client-identifier": "c"},
                    ],
                },
            ),
            Answered(209, {"a": "u-1", "b": "", "c": ""}),
        ),
    ],
)
def test_the_apis_json_is_read_as_it_is_documented_and_a_little_more(
    serve: Serve, content: bytes, expected: Answered
) -> None:
    assert send(serve(says(http_answer(200, content))).url) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"OK",
        HTML,
        b"null",
        b"[200]",
        b'{"status": 200}',
        api_json(None),
        api_json(code=True),
        api_json(200.5),
        api_json("SUCCESS"),
        api_json(10**400),
        api_json(209, **{"call-details": "none"}),
        api_json(209, **{"call-details": [{"phonon-uuid": "u-1"}]}),
        b'{"api-response-code": 200, "call-details": [{"client-identifier": "\xff"}]}',
        b'{"deep": ' + b"[" * 500_000,
        gzip.compress(api_json(200)),
        gzip.compress(bytes(64 * 1024 * 1024)),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_200_that_is_not_the_apis_json_comes_from_a_wrong_address(serve: Serve, content: bytes) -> None:
    fields = ["Content-Encoding: gzip"] if content.startswith(b"\x1f\x8b") else []

    assert isinstance(send(serve(says(http_answer(200, content, *fields))).url), WrongAddress)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, WrongAddress) for status in (201, 204, 300, 301, 302, 303, 304, 307, 308, 400, 402, 404, 405, 418)),
        *((status, Ambiguous) for status in (408, 500, 502, 503, 504, 599)),
    ],
)
def test_an_http_status_tells_where_the_apis_json_is_missing(serve: Serve, status: int, expected: type) -> None:
    content = b"" if status in {204, 304} else HTML

    assert isinstance(send(serve(says(http_answer(status, content, "Location: /"))).url), expected)


@pytest.mark.parametrize(("status", "code"), [(401, 401), (403, 401), (413, 303)])
def test_an_edge_that_refuses_is_read_as_the_apis_own_code(serve: Serve, status: int, code: int) -> None:
    assert send(serve(says(http_answer(status, HTML))).url) == Answered(code)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("0", 0, 0),
        ("7", 7, 7),
        ("86400", MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS),
    ],
)
def test_429_was_not_sent_and_says_when_to_come_back(serve: Serve, retry_after: str, least: float, most: float) -> None:
    answer = send(serve(says(http_answer(429, HTML, f"Retry-After: {retry_after}"))).url)

    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds is not None
    assert least <= answer.retry_after_seconds <= most


@pytest.mark.parametrize(
    ("seconds_from_now", "least", "most"),
    [(600, 500, 600), (-600, 0, 0), (86400, MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS)],
)
def test_429_may_say_so_with_a_date(serve: Serve, seconds_from_now: float, least: float, most: float) -> None:
    date = formatdate(time() + seconds_from_now, usegmt=True)

    answer = send(serve(says(http_answer(429, HTML, f"Retry-After: {date}"))).url)

    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds is not None
    assert least <= answer.retry_after_seconds <= most


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Retry-After: soon"],
        ["Retry-After: -1"],
        ["Retry-After: " + "9" * 5000],
        ["Retry-After: 1 Jan 99999 0:0:0"],
    ],
    ids=["none", "a word", "negative", "too many digits", "a year too far"],
)
def test_429_without_a_time_to_come_back_was_not_sent_either(serve: Serve, fields: list[str]) -> None:
    answer = send(serve(says(http_answer(429, HTML, *fields))).url)

    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds is None


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(200, api_json(205, **{"api-response-message": f"{CANARY.decode()} is invalid"})),
        http_answer(200, CANARY),
        http_answer(302, CANARY, f"Location: /{CANARY.decode()}"),
        http_answer(429, CANARY, f"Retry-After: {CANARY.decode()} x"),
        http_answer(502, CANARY, "no header " + CANARY.decode(), "X: y"),
        b"HTTP/1.1 2" + CANARY + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, " + CANARY + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CANARY + b"z\r\n",
        CANARY,
    ],
    ids=lambda answer: repr(answer[:60]),
)
def test_no_byte_of_an_answer_is_kept_or_logged(serve: Serve, caplog: pytest.LogCaptureFixture, answer: bytes) -> None:
    caplog.set_level(logging.DEBUG, logger="urllib3")  # by name: Powertools raises its level wherever it is imported

    result = send(serve(says(answer)).url)

    assert CANARY.decode() not in repr(result)
    assert CANARY.decode() not in caplog.text
    assert "enc/outbound/create" in caplog.text or "Starting new HTTP connection" in caplog.text
