"""Which calls go out together, held against what the sealed bodies really measure."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealed_relay.batch.plan import PlannedRequest, plan
from sealed_relay.calls.call import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.dependencies import Limits
from sealed_relay.kairos.flow import Flow, KeyWrap
from sealed_relay.kairos.seal import seal
from tests.support.flows import make_flow, rsa_key
from tests.support.messages import SENT_AT, make_call

FLOWS: dict[str, Flow | Outcome] = {flow_id: make_flow(flow_id) for flow_id in ("FLOWAAAA", "FLOWBBBB")}
API_BYTES = 262_144


def planned(
    calls: Sequence[Call],
    flows: dict[str, Flow | Outcome] = FLOWS,
    max_calls: int = 500,
    max_body_bytes: int = API_BYTES,
) -> list[PlannedRequest]:
    ids = map(str, itertools.count())
    limits = Limits(max_calls=max_calls, max_body_bytes=max_body_bytes, give_up_after=timedelta(hours=24))
    return plan(calls, flows, lambda: next(ids), limits, SENT_AT)


def body_bytes(calls: Sequence[Call], flow: Flow) -> int:
    sealed = seal("r", flow, calls, os.urandom, now=SENT_AT + timedelta(days=30), give_up_after=timedelta(hours=1))
    return len(sealed.body)


def call_of(size: int, name: str = "call-1", flow_id: str = "FLOWAAAA") -> Call:
    return make_call(name, flow_id, keys=[{"name": "$flow.key.n", "value": "x" * size}])


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=30),
    st.integers(1, 10),
    st.integers(4096, 20_000),
    st.sampled_from(KeyWrap),
    st.sampled_from([2048, 2050]),
)
def test_planned_requests_keep_both_limits_after_the_sealing(
    sizes: list[int], max_calls: int, max_body_bytes: int, key_wrap: KeyWrap, bits: int
) -> None:
    flow = replace(make_flow("FLOWAAAA", key_wrap), public_key=rsa_key(bits).public_key())
    calls = [call_of(size, f"call-{index}") for index, size in enumerate(sizes)]

    requests = planned(calls, {"FLOWAAAA": flow}, max_calls, max_body_bytes)

    assert sorted(call.client_identifier for request in requests for call in request.calls) == sorted(
        call.client_identifier for call in calls
    )
    for request in requests:
        assert len(request.calls) <= max_calls
        assert (body_bytes(request.calls, flow) <= max_body_bytes) == (request.unsent is None)


def test_full_request_of_small_calls_holds_500() -> None:
    requests = planned([make_call(f"call-{index}") for index in range(1001)])

    assert [len(request.calls) for request in requests] == [500, 500, 1]
    assert len({request.request_id for request in requests}) == 3


def test_request_of_large_calls_takes_no_further_call() -> None:
    flow = make_flow("FLOWAAAA")
    requests = planned([call_of(1000, f"call-{index}") for index in range(400)])

    assert len(requests) == 4
    full = max(requests, key=lambda request: len(request.calls))
    one_more = [*full.calls, call_of(1000, "call-x")]
    assert body_bytes(full.calls, flow) <= API_BYTES < body_bytes(one_more, flow)


def test_largest_call_that_fits_is_sent_and_one_more_byte_is_rejected() -> None:
    flow = make_flow("FLOWAAAA")
    largest = next(size for size in range(3000, 0, -1) if body_bytes([call_of(size)], flow) <= 5000)

    [fits] = planned([call_of(largest)], max_body_bytes=5000)
    [too_large] = planned([call_of(largest + 1)], max_body_bytes=5000)

    assert fits.unsent is None
    assert isinstance(too_large.unsent, Outcome)
    assert too_large.unsent.status is Status.REJECTED
    assert (too_large.unsent.code, too_large.unsent.reason) == (303, "MAX_DATA_LIST_SIZE_EXCEEDED")


def test_calls_that_are_too_large_are_rejected_alone() -> None:
    calls = [call_of(0, "small-1"), call_of(200_000, "large-1"), call_of(0, "small-2"), call_of(200_000, "large-2")]

    requests = planned(calls)

    assert {
        tuple(call.client_identifier for call in request.calls): request.unsent is None for request in requests
    } == {
        ("small-1", "small-2"): True,
        ("large-1",): False,
        ("large-2",): False,
    }


def test_calls_of_different_flows_do_not_share_a_request() -> None:
    calls = [make_call(f"call-{index}", flow_id) for index in range(5) for flow_id in ("FLOWAAAA", "FLOWBBBB")]

    requests = planned(calls)

    assert [request.flow_id for request in requests] == ["FLOWAAAA", "FLOWBBBB"]
    assert all({call.flow_id for call in request.calls} == {request.flow_id} for request in requests)


def test_calls_of_an_unusable_flow_get_its_outcome_in_one_request() -> None:
    unknown = Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW)
    calls = [make_call("a", "FLOWXXXX"), make_call("b"), make_call("c", "FLOWXXXX")]

    refused, sent = planned(calls, {**FLOWS, "FLOWXXXX": unknown})

    assert (refused.calls, refused.unsent) == ((calls[0], calls[2]), unknown)
    assert (sent.calls, sent.unsent) == ((calls[1],), None)


@pytest.mark.parametrize("calls", [0, 1])
def test_no_calls_make_no_request(calls: int) -> None:
    assert len(planned([make_call()] * calls)) == calls


def test_call_due_within_an_hour_does_not_share_a_request_with_later_ones() -> None:
    def due_after(minutes: int, name: str) -> Call:
        return make_call(name, not_after=(SENT_AT + timedelta(minutes=minutes)).isoformat())

    requests = planned([due_after(1, "a"), due_after(59, "b"), due_after(61, "c"), make_call("d")])

    assert [[call.client_identifier for call in request.calls] for request in requests] == [["a", "b"], ["c", "d"]]
