"""Which calls go out together, held against what the sealed bodies really measure."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealed_relay.batch.plan import Request, plan
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.encryption import KeyWrap
from sealed_relay.kairos.flow import Flow
from sealed_relay.kairos.seal import seal
from tests.support.flows import make_flow, rsa_key
from tests.support.making import SENT_AT, make_call

FLOWS: dict[str, Flow | Outcome] = {flow_id: make_flow(flow_id) for flow_id in ("FLOWAAAA", "FLOWBBBB")}
API_BYTES = 262_144


def planned(
    calls: Sequence[Call],
    flows: dict[str, Flow | Outcome] = FLOWS,
    max_calls: int = 500,
    max_body_bytes: int = API_BYTES,
) -> list[Request]:
    ids = map(str, itertools.count())
    return plan(
        calls,
        flows,
        lambda: next(ids),
        max_calls=max_calls,
        max_body_bytes=max_body_bytes,
        give_up_after=timedelta(hours=24),
        now=SENT_AT,
    )


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
def test_what_was_planned_keeps_both_limits_once_it_is_sealed(
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
        assert (body_bytes(request.calls, flow) <= max_body_bytes) == (request.outcome is None)


def test_a_full_request_of_small_calls_holds_500_of_them() -> None:
    requests = planned([make_call(f"call-{index}") for index in range(1001)])

    assert [len(request.calls) for request in requests] == [500, 500, 1]
    assert len({request.request_id for request in requests}) == 3


def test_a_request_that_bytes_limit_is_filled_to_the_brim() -> None:
    flow = make_flow("FLOWAAAA")
    requests = planned([call_of(1000, f"call-{index}") for index in range(400)])

    assert len(requests) == 4
    full = max(requests, key=lambda request: len(request.calls))
    one_more = [*full.calls, call_of(1000, "call-x")]
    assert body_bytes(full.calls, flow) <= API_BYTES < body_bytes(one_more, flow)


def test_the_largest_call_that_fits_is_sent_and_one_byte_more_is_refused() -> None:
    flow = make_flow("FLOWAAAA")
    largest = next(size for size in range(3000, 0, -1) if body_bytes([call_of(size)], flow) <= 5000)

    [fits] = planned([call_of(largest)], max_body_bytes=5000)
    [too_large] = planned([call_of(largest + 1)], max_body_bytes=5000)

    assert fits.outcome is None
    assert too_large.outcome is not None
    assert too_large.outcome.status is Status.REJECTED
    assert (too_large.outcome.code, too_large.outcome.reason) == (303, "MAX_DATA_LIST_SIZE_EXCEEDED")


def test_calls_that_are_too_large_are_refused_each_alone_and_the_others_go_out() -> None:
    calls = [call_of(0, "small-1"), call_of(200_000, "large-1"), call_of(0, "small-2"), call_of(200_000, "large-2")]

    requests = planned(calls)

    assert {
        tuple(call.client_identifier for call in request.calls): request.outcome is None for request in requests
    } == {
        ("small-1", "small-2"): True,
        ("large-1",): False,
        ("large-2",): False,
    }


def test_calls_of_different_flows_never_share_a_request() -> None:
    calls = [make_call(f"call-{index}", flow_id) for index in range(5) for flow_id in ("FLOWAAAA", "FLOWBBBB")]

    requests = planned(calls)

    assert [request.flow_id for request in requests] == ["FLOWAAAA", "FLOWBBBB"]
    assert all({call.flow_id for call in request.calls} == {request.flow_id} for request in requests)


def test_calls_of_a_flow_that_is_of_no_use_get_its_outcome_together() -> None:
    unknown = Outcome(Status.REJECTED, Reason.UNKNOWN_FLOW)
    calls = [make_call("a", "FLOWXXXX"), make_call("b"), make_call("c", "FLOWXXXX")]

    refused, sent = planned(calls, {**FLOWS, "FLOWXXXX": unknown})

    assert (refused.calls, refused.outcome) == ((calls[0], calls[2]), unknown)
    assert (sent.calls, sent.outcome) == ((calls[1],), None)


@pytest.mark.parametrize("calls", [0, 1])
def test_there_is_a_request_only_where_there_are_calls(calls: int) -> None:
    assert len(planned([make_call()] * calls)) == calls


def test_a_call_that_is_due_within_the_hour_does_not_share_a_request_with_patient_ones() -> None:
    def due_after(minutes: int, name: str) -> Call:
        return make_call(name, not_after=(SENT_AT + timedelta(minutes=minutes)).isoformat())

    requests = planned([due_after(1, "a"), due_after(59, "b"), due_after(61, "c"), make_call("d")])

    assert [[call.client_identifier for call in request.calls] for request in requests] == [["a", "b"], ["c", "d"]]
