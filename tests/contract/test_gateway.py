"""What `ports.Gateway` promises: the same answer to the same reply, with a network between or without."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from local.free_ports import free_ports
from local.simulator.faults import (
    CodeAnswer,
    DroppedConnection,
    Fault,
    ForeignPage,
    NoFault,
    PaddedAnswer,
    PartialSuccess,
    PlannedFault,
    TruncatedAnswer,
)
from local.simulator.flows import flow_from
from local.simulator.server import BASE_PATH
from local.simulator.state import SimulatorState
from sealed_relay.kairos.answer import Ambiguous, Answer, Answered, NotSent, WrongAddress
from sealed_relay.kairos.client import Gateway as HttpGateway
from sealed_relay.kairos.codes import CODES
from sealed_relay.kairos.connection import MAX_ANSWER_BYTES
from sealed_relay.ports import Gateway
from tests.local.simulator.flow_owner import Clock, FlowOwner, call
from tests.local.simulator.serve_simulator import served
from tests.support.flows import rsa_key
from tests.support.gateway import SimulatedGateway, post

AMBIGUOUS, NOT_SENT, WRONG_ADDRESS = Ambiguous(""), NotSent(""), WrongAddress("")
MAX_WAIT_SECONDS = 30.0


def refusal(code: int) -> Answered:
    """The API's answer with this code, which lists no call."""
    return Answered(code, is_list_trusted=False)


@dataclass
class Bench:
    """The simulated API, the gateway to it, and a flow's owner."""

    state: SimulatorState
    gateway: Gateway
    owner: FlowOwner

    def plan(self, fault: Fault, latency_milliseconds: int = 0) -> None:
        with self.state.lock:
            self.state.faults.plan(PlannedFault(fault=fault, latency_milliseconds=latency_milliseconds))

    def send(self, body: bytes, timeout_seconds: float = MAX_WAIT_SECONDS) -> Answer:
        """The answer, without its `detail`, and without the API's random name for the request."""
        answer = post(self.gateway, self.owner.endpoint, body, timeout_seconds)
        return replace(answer, api_request_id="") if isinstance(answer, Answered) else replace(answer, detail="")

    def request(self) -> bytes:
        return self.owner.request(call("a"), call("b"), call("c"))

    @property
    def accepted(self) -> dict[str, int]:
        with self.state.lock:
            return {call_id.partition("/")[2]: len(times) for call_id, times in self.state.audit.accepted.items()}


@pytest.fixture(params=["fake", "http"])
def unreachable(request: pytest.FixtureRequest) -> Gateway:
    """A gateway to an address where no server listens."""
    if request.param == "http":
        return HttpGateway(f"http://127.0.0.1:{free_ports(1)[0]}", time.monotonic)
    fake = SimulatedGateway(SimulatorState(Clock(), random.Random(7)))
    fake.refused_connections = 1
    return fake


@pytest.fixture(params=["fake", "http"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    owner = FlowOwner(rsa_key())
    state = SimulatorState(Clock(), random.Random(7))
    state.flows[owner.flow_id] = flow_from(owner.registration())
    if request.param == "fake":
        yield Bench(state, SimulatedGateway(state), owner)
        return
    with served(state) as base_url:
        gateway = HttpGateway(base_url + BASE_PATH, time.monotonic)
        yield Bench(state, gateway, owner)


def test_accepted_request_is_answered_with_a_uuid_for_each_call(bench: Bench) -> None:
    answer = bench.send(bench.request())
    assert isinstance(answer, Answered)
    assert answer.code == 200
    assert set(answer.phonon_uuids) == {"a", "b", "c"}
    assert all(answer.phonon_uuids.values())
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("code", [200, 205])
def test_answer_has_the_name_that_the_api_gave_the_request(bench: Bench, code: int) -> None:
    bench.plan(CodeAnswer(code=code))
    first, second = (post(bench.gateway, bench.owner.endpoint, bench.request(), MAX_WAIT_SECONDS) for _ in range(2))
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert len({first.api_request_id, second.api_request_id, ""}) == 3


def test_refusal_whose_message_says_accepted_is_contradicted(bench: Bench) -> None:
    bench.plan(ForeignPage(http_status=200, body='{"api-response-code": 202, "api-response-message": "Accepted"}'))
    assert bench.send(bench.request()) == Answered(202, is_contradicted=True, is_list_trusted=False)


def test_same_bytes_sent_again_are_recognised_by_the_api(bench: Bench) -> None:
    body = bench.request()
    assert [bench.send(body), bench.send(body)][1] == refusal(201)
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("code", sorted(CODES.keys() - {200, 209}))
def test_refusal_is_answered_by_its_code_at_any_http_status(bench: Bench, code: int) -> None:
    for http_status in (200, 500):
        bench.plan(CodeAnswer(code=code, http_status=http_status))
        assert bench.send(bench.request()) == refusal(code)
    assert bench.accepted == {}


def test_partial_success_lists_the_accepted_calls(bench: Bench) -> None:
    bench.plan(PartialSuccess(accept_every=2))
    answer = bench.send(bench.request())
    assert isinstance(answer, Answered)
    assert (answer.code, set(answer.phonon_uuids)) == (209, {"a", "c"})
    assert answer.is_list_trusted
    assert bench.accepted == {"a": 1, "c": 1}


@pytest.mark.parametrize("after_accepting", [False, True])
@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"http_status": 401}, Answered(401)),
        ({"http_status": 403}, Answered(401)),
        ({"http_status": 413}, Answered(303)),
        ({"http_status": 429}, NOT_SENT),
        ({"http_status": 429, "retry_after_seconds": 7}, NotSent("", 7.0)),
        ({"http_status": 408}, AMBIGUOUS),
        ({"http_status": 500}, AMBIGUOUS),
        ({"http_status": 502}, AMBIGUOUS),
        ({"http_status": 503, "retry_after_seconds": 7}, AMBIGUOUS),
        ({"http_status": 504, "body": ""}, AMBIGUOUS),
        ({"http_status": 200}, WRONG_ADDRESS),
        ({"http_status": 200, "body": ""}, WRONG_ADDRESS),
        ({"http_status": 200, "body": '{"api-response-code": "x"}'}, WRONG_ADDRESS),
        ({"http_status": 301}, WRONG_ADDRESS),
        ({"http_status": 302}, WRONG_ADDRESS),
        ({"http_status": 307}, WRONG_ADDRESS),
        ({"http_status": 404}, WRONG_ADDRESS),
        ({"http_status": 405}, WRONG_ADDRESS),
    ],
    ids=str,
)
def test_foreign_page_is_judged_by_its_http_status(
    bench: Bench,
    page: dict[str, Any],
    expected: Answer,
    after_accepting: bool,  # noqa: FBT001 - a parameter
) -> None:
    bench.plan(ForeignPage(**page, after_accepting=after_accepting))
    assert bench.send(bench.request()) == expected
    assert bool(bench.accepted) == after_accepting
    assert bench.state.audit.report().redirects_followed == 0


@pytest.mark.parametrize(
    ("fault", "is_accepted"),
    [
        (DroppedConnection(), False),
        (DroppedConnection(after_accepting=True), True),
        (TruncatedAnswer(), True),
    ],
    ids=str,
)
def test_lost_answer_is_ambiguous(
    bench: Bench,
    fault: Fault,
    is_accepted: bool,  # noqa: FBT001 - a parameter
) -> None:
    body = bench.request()
    bench.plan(fault)
    assert bench.send(body) == AMBIGUOUS
    assert bool(bench.accepted) == is_accepted
    assert bench.send(body).__class__ is Answered


def test_answer_after_the_timeout_is_ambiguous(bench: Bench) -> None:
    bench.plan(NoFault(), latency_milliseconds=5_000)
    assert bench.send(bench.request(), timeout_seconds=0.5) == AMBIGUOUS
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


def test_slow_answer_within_the_timeout_is_returned(bench: Bench) -> None:
    bench.plan(CodeAnswer(code=500), latency_milliseconds=50)
    assert bench.send(bench.request()) == refusal(500)


def test_answer_above_the_maximum_size_means_a_wrong_address(bench: Bench) -> None:
    bench.plan(PaddedAnswer(size_bytes=MAX_ANSWER_BYTES + 1))
    assert bench.send(bench.request()) == WRONG_ADDRESS


def test_request_on_a_refused_connection_is_not_sent(unreachable: Gateway) -> None:
    assert isinstance(post(unreachable, "outbound", b"{}", MAX_WAIT_SECONDS), NotSent)


def test_request_above_the_rate_limit_is_not_sent(bench: Bench) -> None:
    bench.state.settings = msgspec.structs.replace(bench.state.settings, requests_per_minute=1)
    bench.send(bench.request())
    answer = bench.send(bench.request())
    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds
    assert 0 < answer.retry_after_seconds <= 60
