"""Faults as a client sees them on a real connection."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator

import pytest
import urllib3

from local.simulator.client import SimulatorClient
from local.simulator.faults import (
    CodeAnswer,
    DroppedConnection,
    ForeignPage,
    NoFault,
    PaddedAnswer,
    TruncatedAnswer,
)
from tests.local.simulator.flow_owner import FlowOwner, call


class Gateway:
    """A client of the API's endpoint that neither retries nor follows redirects."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/enc/outbound/create"
        self.http = urllib3.PoolManager(retries=False)

    def post(self, body: bytes, *, timeout_seconds: float = 10, redirect: bool = False) -> urllib3.BaseHTTPResponse:
        retries = urllib3.Retry(1) if redirect else False
        return self.http.request("POST", self._url, body=body, timeout=timeout_seconds, retries=retries)


@pytest.fixture
def gateway(simulator: SimulatorClient) -> Iterator[Gateway]:
    gateway = Gateway(simulator.gateway_base_url)
    yield gateway
    gateway.http.clear()


@pytest.mark.parametrize(("after_accepting", "code"), [(False, 200), (True, 201)])
def test_resend_after_dropped_connection_shows_whether_it_was_accepted(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner, *, after_accepting: bool, code: int
) -> None:
    simulator.plan(DroppedConnection(after_accepting=after_accepting))
    body = owner.request(call())
    with pytest.raises(urllib3.exceptions.ProtocolError):
        gateway.post(body)
    assert len(simulator.accepted_calls()) == after_accepting
    assert gateway.post(body).json()["api-response-code"] == code
    assert [len(times) for times in simulator.accepted_calls().values()] == [1]


def test_truncated_answer_belongs_to_an_accepted_request(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    simulator.plan(TruncatedAnswer())
    with pytest.raises(urllib3.exceptions.ProtocolError) as error:
        gateway.post(owner.request(call()))
    half_read = error.value.__context__
    assert isinstance(half_read, http.client.IncompleteRead)
    assert half_read.partial
    assert list(simulator.accepted_calls()) == ["ABCD1234/c-1"]


@pytest.mark.parametrize("http_status", [200, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("after_accepting", [False, True])
def test_foreign_page_hides_whether_the_request_was_accepted(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner, http_status: int, *, after_accepting: bool
) -> None:
    simulator.plan(ForeignPage(http_status=http_status, after_accepting=after_accepting, retry_after_seconds=7))
    response = gateway.post(owner.request(call()))
    assert (response.status, response.headers["Retry-After"]) == (http_status, "7")
    assert response.data.startswith(b"<html>")
    assert len(simulator.accepted_calls()) == after_accepting


def test_foreign_page_can_be_any_text(simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner) -> None:
    simulator.plan(ForeignPage(http_status=200, body='{"status": "ok"}'))
    assert gateway.post(owner.request(call())).data == b'{"status": "ok"}'


def test_client_that_follows_a_redirect_is_counted(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    simulator.plan(ForeignPage(http_status=307), requests=2)
    assert gateway.post(owner.request(call())).headers["Location"] == "/redirected"
    assert simulator.audit().redirects_followed == 0
    gateway.post(owner.request(call()), redirect=True)
    assert simulator.audit().redirects_followed == 1


def test_padded_answer_is_huge_and_still_valid(simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner) -> None:
    simulator.plan(PaddedAnswer())
    response = gateway.post(owner.request(call()))
    assert len(response.data) == 10_000_000
    assert response.json()["api-response-code"] == 200


def test_client_that_times_out_has_sent_an_accepted_request(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    simulator.plan(NoFault(), latency_milliseconds=60_000)
    body = owner.request(call())
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        gateway.post(body, timeout_seconds=0.5)
    assert gateway.post(body).json()["api-response-code"] == 201


def test_slow_answer_delays_no_other(simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner) -> None:
    simulator.plan(NoFault(), latency_milliseconds=60_000)
    answered: list[str] = []

    def send(name: str) -> None:
        with contextlib.suppress(urllib3.exceptions.ReadTimeoutError):
            gateway.post(owner.request(call(name)), timeout_seconds=2)
            answered.append(name)

    slow = threading.Thread(target=send, args=["slow"])
    slow.start()
    give_up_at = time.monotonic() + 5
    while simulator.planned_faults():  # until the slow request has taken it
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    send("quick")
    slow.join()
    assert answered == ["quick"]
    assert sorted(simulator.accepted_calls()) == ["ABCD1234/quick", "ABCD1234/slow"]


def test_fault_for_one_flow_does_not_affect_others(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    other = FlowOwner(owner.private_key, "WXYZ9876")
    simulator.register_flow(other.registration())
    simulator.plan(CodeAnswer(code=304), requests=None, flow_id=other.flow_id)
    codes = [gateway.post(one.request(call())).json()["api-response-code"] for one in (owner, other, owner, other)]
    assert codes == [200, 304, 200, 304]


def test_faults_are_used_up_in_the_order_they_were_planned(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    simulator.plan(CodeAnswer(code=206), requests=2)
    simulator.plan(CodeAnswer(code=500))
    codes = [gateway.post(owner.request(call())).json()["api-response-code"] for _ in range(4)]
    assert codes == [206, 206, 500, 200]
    assert simulator.planned_faults() == []


def test_fault_until_cleared_lasts_until_it_is_cleared(
    simulator: SimulatorClient, gateway: Gateway, owner: FlowOwner
) -> None:
    simulator.plan(CodeAnswer(code=211), requests=None)
    assert [gateway.post(owner.request(call())).json()["api-response-code"] for _ in range(3)] == [211] * 3
    simulator.clear_faults()
    assert gateway.post(owner.request(call())).json()["api-response-code"] == 200
