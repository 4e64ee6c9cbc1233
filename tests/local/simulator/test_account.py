"""What the simulator remembers from one request to the next: checksums, rate, balance."""

import json

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from tests.local.simulator.flow_owner import SECURITY_ID, call
from tests.local.simulator.in_memory_simulator import InMemorySimulator


def test_same_bytes_again_are_answered_201(api: InMemorySimulator) -> None:
    body = api.owner.request(call())
    assert [api.post(body).api_response_code for _ in range(3)] == [200, 201, 201]
    assert [len(times) for times in api.state.audit.accepted.values()] == [1]


@pytest.mark.parametrize(("over_payload", "code"), [(True, 201), (False, 200)])
def test_same_payload_in_another_envelope_is_201_only_if_checksum_covers_it(
    api: InMemorySimulator, *, over_payload: bool, code: int
) -> None:
    api.change_settings(checksum_over_payload=over_payload)
    payload = {"api-version": "1.0", "security-id": SECURITY_ID, "flow-id": "ABCD1234", "calls": [call()]}
    first, second = (api.owner.sealed(json.dumps(payload).encode()) for _ in range(2))
    assert [api.post(first).api_response_code, api.post(second).api_response_code] == [200, code]


@pytest.mark.parametrize(("over_body", "over_payload", "code"), [(True, False, 201), (False, False, 200)])
def test_same_body_is_201_only_if_a_checksum_covers_it(
    api: InMemorySimulator, *, over_body: bool, over_payload: bool, code: int
) -> None:
    api.change_settings(checksum_over_body=over_body, checksum_over_payload=over_payload)
    body = api.owner.request(call())
    assert [api.post(body).api_response_code for _ in range(2)] == [200, code]


@pytest.mark.parametrize(("leaves_checksum", "code"), [(True, 201), (False, 200)])
def test_refused_request_leaves_its_checksum_only_if_so_set(
    api: InMemorySimulator, *, leaves_checksum: bool, code: int
) -> None:
    api.change_settings(refusal_leaves_checksum=leaves_checksum)
    api.plan(CodeAnswer(code=500))
    body = api.owner.request(call())
    assert [api.post(body).api_response_code for _ in range(2)] == [500, code]


@pytest.mark.parametrize("fault", [ForeignPage(http_status=502), DroppedConnection()])
def test_request_that_never_arrived_leaves_no_checksum(
    api: InMemorySimulator, fault: ForeignPage | DroppedConnection
) -> None:
    api.plan(fault)
    body = api.owner.request(call())
    assert api.reply(body).code is None
    assert api.post(body).api_response_code == 200


def test_request_above_the_rate_is_http_429_until_the_window_has_moved(api: InMemorySimulator) -> None:
    api.change_settings(requests_per_minute=2)
    assert api.send(call("c-1")).api_response_code == 200
    api.clock.pass_seconds(20.5)
    assert api.send(call("c-2")).api_response_code == 200
    body = api.owner.request(call("c-3"))
    refuse_at_edge = api.reply(body)
    assert (refuse_at_edge.http_status, refuse_at_edge.headers["Retry-After"]) == (429, "40")
    api.clock.pass_seconds(39)
    assert api.reply(body).http_status == 429
    api.clock.pass_seconds(0.5)
    assert api.post(body).api_response_code == 200


def test_empty_account_is_212_until_it_is_refilled(api: InMemorySimulator) -> None:
    api.change_settings(balance_calls=2)
    assert api.send(call("c-1"), call("c-2"), call("c-3")).api_response_code == 212
    assert api.send(call("c-1"), call("c-2")).api_response_code == 200
    assert api.send(call("c-3")).api_response_code == 212
    api.change_settings(balance_calls=None)
    assert api.send(call("c-3")).api_response_code == 200
