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
from tests.local.simulator.served import served
from tests.support.flows import rsa_key
from tests.support.gateway import SimulatedGateway

AMBIGUOUS, NOT_SENT, WRONG_ADDRESS = Ambiguous(""), NotSent(""), WrongAddress("")
PATIENT_SECONDS = 30.0


@dataclass
class Bench:
    """The simulated API, the gateway to it, and a flow's owner."""

    state: SimulatorState
    gateway: Gateway
    owner: FlowOwner

    def plan(self, fault: Fault, latency_milliseconds: int = 0) -> None:
        with self.state.lock:
            self.state.faults.plan(PlannedFault(fault=fault, latency_milliseconds=latency_milliseconds))

    def send(self, body: bytes, timeout_seconds: float = PATIENT_SECONDS) -> Answer:
        """The answer, without its words."""
        answer = self.gateway.send(self.owner.endpoint, body, timeout_seconds)
        return answer if isinstance(answer, Answered) else replace(answer, detail="")

    def request(self) -> bytes:
        return self.owner.request(call("a"), call("b"), call("c"))

    @property
    def accepted(self) -> dict[str, int]:
        with self.state.lock:
            return {call_id.partition("/")[2]: len(times) for call_id, times in self.state.audit.accepted.items()}


@pytest.fixture(params=["fake", "http"])
def unreachable(request: pytest.FixtureRequest) -> Gateway:
    """A gateway to an address where nobody listens."""
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


def test_a_request_that_the_api_takes_is_answered_with_every_calls_uuid(bench: Bench) -> None:
    answer = bench.send(bench.request())
    assert isinstance(answer, Answered)
    assert answer.code == 200
    assert set(answer.phonon_uuids) == {"a", "b", "c"}
    assert all(answer.phonon_uuids.values())
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


def test_the_bytes_arrive_as_they_were_given_and_the_same_ones_are_known_again(bench: Bench) -> None:
    body = bench.request()
    assert [bench.send(body), bench.send(body)][1] == Answered(201)
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("code", sorted(CODES.keys() - {200, 209}))
def test_every_refusal_is_told_by_its_code_whatever_the_http_status(bench: Bench, code: int) -> None:
    for http_status in (200, 500):
        bench.plan(CodeAnswer(code=code, http_status=http_status))
        assert bench.send(bench.request()) == Answered(code)
    assert bench.accepted == {}


def test_of_a_partial_success_the_calls_that_were_taken_are_listed(bench: Bench) -> None:
    bench.plan(PartialSuccess(accept_every=2))
    answer = bench.send(bench.request())
    assert isinstance(answer, Answered)
    assert (answer.code, set(answer.phonon_uuids)) == (209, {"a", "c"})
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
def test_a_page_that_is_not_the_apis_is_told_by_its_http_status(
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
def test_an_answer_that_is_lost_leaves_open_whether_the_request_arrived(
    bench: Bench,
    fault: Fault,
    is_accepted: bool,  # noqa: FBT001 - a parameter
) -> None:
    body = bench.request()
    bench.plan(fault)
    assert bench.send(body) == AMBIGUOUS
    assert bool(bench.accepted) == is_accepted
    assert bench.send(body).__class__ is Answered


def test_an_answer_that_comes_too_late_is_as_good_as_lost(bench: Bench) -> None:
    bench.plan(NoFault(), latency_milliseconds=5_000)
    assert bench.send(bench.request(), timeout_seconds=0.5) == AMBIGUOUS
    assert bench.accepted == {"a": 1, "b": 1, "c": 1}


def test_an_answer_that_takes_its_time_is_waited_for(bench: Bench) -> None:
    bench.plan(CodeAnswer(code=500), latency_milliseconds=50)
    assert bench.send(bench.request()) == Answered(500)


def test_an_answer_that_is_too_big_is_not_taken_for_the_apis(bench: Bench) -> None:
    bench.plan(PaddedAnswer(size_bytes=MAX_ANSWER_BYTES + 1))
    assert bench.send(bench.request()) == WRONG_ADDRESS


def test_a_refused_connection_was_certainly_not_sent(unreachable: Gateway) -> None:
    assert isinstance(unreachable.send("outbound", b"{}", PATIENT_SECONDS), NotSent)


def test_requests_over_the_rate_were_not_sent(bench: Bench) -> None:
    bench.state.settings = msgspec.structs.replace(bench.state.settings, requests_per_minute=1)
    bench.send(bench.request())
    answer = bench.send(bench.request())
    assert isinstance(answer, NotSent)
    assert answer.retry_after_seconds
    assert 0 < answer.retry_after_seconds <= 60
