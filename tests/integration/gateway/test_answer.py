"""How the client interprets a complete answer."""

import gzip
import json
import logging
from email.utils import formatdate
from time import time

import pytest

from sealed_relay.kairos.answer import Ambiguous, Answered, NotSent, WrongAddress
from sealed_relay.kairos.client import MAX_RETRY_AFTER_SECONDS, Gateway
from tests.integration.gateway.conftest import BODY, Serve, send, verdict
from tests.integration.gateway.hostile_server import answers, http_answer, says
from tests.support.gateway import post

HTML = b"<html>Not the API</html>"
CANARY = b"919812345678"


def api_json(code: object = 200, **fields: object) -> bytes:
    return json.dumps({"api-response-code": code, **fields}).encode()


@pytest.mark.parametrize("endpoint", ["outbound", "outbounddialer"])
@pytest.mark.parametrize("base_path", ["", "/", "/kairos-apis", "/kairos-apis/"])
def test_exact_bytes_are_posted_once_to_the_endpoint_under_the_base_url(
    serve: Serve, endpoint: str, base_path: str
) -> None:
    server = serve(answers(http_answer(200, api_json())))

    post(Gateway(server.url + base_path, time), endpoint, BODY, 30)

    [request] = server.requests
    assert request.line == f"POST {base_path.rstrip('/')}/enc/{endpoint}/create HTTP/1.1"
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", [200, 202, 302, 400, 401, 404, 408, 413, 429, 500, 503])
def test_verdict_is_the_code_in_the_json_for_any_http_status(serve: Serve, status: int) -> None:
    server = serve(answers(http_answer(status, api_json(206), "Location: /elsewhere", "Retry-After: 1")))

    assert send(server.url) == verdict(206)
    assert len(server.requests) == 1


def listed(name: object = "a", uuid: object = "u-1", **fields: object) -> dict[str, object]:
    """An entry of `call-details`."""
    return {"client-identifier": name, "phonon-uuid": uuid, **fields}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (api_json(200), verdict(200)),
        (api_json("209"), verdict(209)),
        (api_json(200, **{"api-response-message": CANARY.decode()}), verdict(200)),
        (api_json(200, **{"call-details": [listed()]}), Answered(200, {"a": "u-1"})),
        (api_json(209, **{"call-details": [listed(), listed("b", "u-2")]}), Answered(209, {"a": "u-1", "b": "u-2"})),
        (api_json(209, **{"call-details": [listed(new_field={"deep": [1]})]}), Answered(209, {"a": "u-1"})),
    ],
    ids=repr,
)
def test_documented_json_and_small_deviations_are_read(serve: Serve, content: bytes, expected: Answered) -> None:
    assert send(serve(says(http_answer(200, content))).url) == expected


@pytest.mark.parametrize(
    "text", ['u"1', "u\\1", "u\x001", "u\n1", "u\ufffe1", "u\u20281", "u\x7f1", "u\U0001f6001"], ids=ascii
)
def test_identifier_of_the_api_holds_nothing_that_breaks_an_event_or_a_failure_entry(serve: Serve, text: str) -> None:
    content = api_json(209, **{"request-id": text, "call-details": [listed(uuid=text)]})

    assert send(serve(says(http_answer(200, content))).url) == Answered(209, {"a": "u?1"}, "u?1")


@pytest.mark.parametrize("code", [200, 209])
@pytest.mark.parametrize(
    ("details", "uuids"),
    [
        (None, {}),
        ([], {}),
        ({}, {}),
        ("none", {}),
        ([listed(), None], {"a": "u-1"}),
        ([listed(), "b"], {"a": "u-1"}),
        ([listed(), listed("b", None)], {"a": "u-1"}),
        ([listed(), listed("b", "")], {"a": "u-1"}),
        ([listed(), listed("b", 7)], {"a": "u-1"}),
        ([listed(), {"client-identifier": "b"}], {"a": "u-1"}),
        ([listed(), {"phonon-uuid": "u-2"}], {"a": "u-1"}),
        ([listed(), listed(7, "u-2")], {"a": "u-1"}),
        ([listed(), listed("a", "u-2")], {"a": "u-2"}),
        ([{"Client-Identifier": "a", "phonon-uuid": "u-1"}], {}),
    ],
    ids=repr,
)
def test_list_with_an_entry_that_cannot_be_read_is_not_trusted(
    serve: Serve, details: object, uuids: dict[str, str], code: int
) -> None:
    content = api_json(code, **{"call-details": details})

    assert send(serve(says(http_answer(200, content))).url) == Answered(code, uuids, is_list_trusted=False)


@pytest.mark.parametrize(
    ("request_id", "expected"),
    [("e0a3", "e0a3"), ("x" * 65, "x" * 64), ("", ""), (None, ""), (7, ""), (["e0a3"], "")],
    ids=repr,
)
def test_request_id_of_the_api_is_kept_if_it_is_a_text(serve: Serve, request_id: object, expected: str) -> None:
    answer = send(serve(says(http_answer(200, api_json(205, **{"request-id": request_id})))).url)

    assert isinstance(answer, Answered)
    assert answer.api_request_id == expected


@pytest.mark.parametrize("code", [201, 202, 205, 206, 211, 400, 500, 999])
@pytest.mark.parametrize("message", ["Success", "SUCCESS", "accepted", " Accepted "])
def test_code_beside_a_message_of_success_is_contradicted(serve: Serve, message: str, code: int) -> None:
    answer = send(serve(says(http_answer(200, api_json(code, **{"api-response-message": message})))).url)

    assert answer == Answered(code, is_contradicted=True, is_list_trusted=False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        *((code, message) for code in (200, 209) for message in ("Success", "Accepted", "FAILURE")),
        *((202, message) for message in ("Invalid security id", "Not accepted", "", None, 7, ["Success"])),
    ],
)
def test_code_beside_any_other_message_is_not_contradicted(serve: Serve, code: int, message: object) -> None:
    answer = send(serve(says(http_answer(200, api_json(code, **{"api-response-message": message})))).url)

    assert answer == verdict(code)


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
        b'{"api-response-code": 200, "call-details": [{"client-identifier": "\xff"}]}',
        b'{"deep": ' + b"[" * 500_000,
        gzip.compress(api_json(200)),
        gzip.compress(bytes(64 * 1024 * 1024)),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_http_200_without_the_apis_json_means_wrong_address(serve: Serve, content: bytes) -> None:
    fields = ["Content-Encoding: gzip"] if content.startswith(b"\x1f\x8b") else []

    assert isinstance(send(serve(says(http_answer(200, content, *fields))).url), WrongAddress)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, WrongAddress) for status in (201, 204, 300, 301, 302, 303, 304, 307, 308, 400, 402, 404, 405, 418)),
        *((status, Ambiguous) for status in (408, 500, 502, 503, 504, 599)),
    ],
)
def test_http_status_decides_without_the_apis_json(serve: Serve, status: int, expected: type) -> None:
    content = b"" if status in {204, 304} else HTML

    assert isinstance(send(serve(says(http_answer(status, content, "Location: /"))).url), expected)


@pytest.mark.parametrize(("status", "code"), [(401, 401), (403, 401), (413, 303)])
def test_refusal_by_the_edge_is_read_as_the_apis_code(serve: Serve, status: int, code: int) -> None:
    assert send(serve(says(http_answer(status, HTML))).url) == Answered(code)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("0", 0, 0),
        ("7", 7, 7),
        ("86400", MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS),
    ],
)
def test_http_429_is_not_sent_with_the_time_to_retry(serve: Serve, retry_after: str, least: float, most: float) -> None:
    answer = send(serve(says(http_answer(429, HTML, f"Retry-After: {retry_after}"))).url)

    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds is not None
    assert least <= answer.retry_after_seconds <= most


@pytest.mark.parametrize(
    ("seconds_from_now", "least", "most"),
    [(600, 500, 600), (-600, 0, 0), (86400, MAX_RETRY_AFTER_SECONDS, MAX_RETRY_AFTER_SECONDS)],
)
def test_http_429_with_a_date_gives_the_time_to_retry(
    serve: Serve, seconds_from_now: float, least: float, most: float
) -> None:
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
def test_http_429_without_a_time_to_retry_is_not_sent(serve: Serve, fields: list[str]) -> None:
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
def test_answer_bytes_are_neither_kept_nor_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    caplog.set_level(logging.DEBUG, logger="urllib3")  # by name: Powertools raises its level wherever it is imported

    result = send(serve(says(answer)).url)
    logging.getLogger("urllib3").debug("The logs of urllib3 are read.")

    assert CANARY.decode() not in repr(result)
    assert CANARY.decode() not in caplog.text
    assert "The logs of urllib3 are read." in caplog.text
