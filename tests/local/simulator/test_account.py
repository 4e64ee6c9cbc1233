"""What the API remembers from request to request: checksums, rate, balance."""

import json

import pytest

from local.simulator.faults import CodeAnswer, DroppedConnection, ForeignPage
from tests.local.simulator.bench import Bench
from tests.local.simulator.flow_owner import SECURITY_ID, call


def test_the_same_bytes_again_are_201(bench: Bench) -> None:
    body = bench.owner.request(call())
    assert [bench.post(body).api_response_code for _ in range(3)] == [200, 201, 201]
    assert [len(times) for times in bench.state.audit.accepted.values()] == [1]


@pytest.mark.parametrize(("over_payload", "code"), [(True, 201), (False, 200)])
def test_the_same_payload_in_another_envelope(bench: Bench, *, over_payload: bool, code: int) -> None:
    bench.change_settings(checksum_over_payload=over_payload)
    payload = {"api-version": "1.0", "security-id": SECURITY_ID, "flow-id": "ABCD1234", "calls": [call()]}
    first, second = (bench.owner.sealed(json.dumps(payload).encode()) for _ in range(2))
    assert [bench.post(first).api_response_code, bench.post(second).api_response_code] == [200, code]


@pytest.mark.parametrize(("over_body", "over_payload", "code"), [(True, False, 201), (False, False, 200)])
def test_the_same_body_counts_only_where_the_checksum_is_over_it(
    bench: Bench, *, over_body: bool, over_payload: bool, code: int
) -> None:
    bench.change_settings(checksum_over_body=over_body, checksum_over_payload=over_payload)
    body = bench.owner.request(call())
    assert [bench.post(body).api_response_code for _ in range(2)] == [200, code]


@pytest.mark.parametrize(("leaves_checksum", "code"), [(True, 201), (False, 200)])
def test_a_refused_request_leaves_its_checksum_behind_or_not(bench: Bench, *, leaves_checksum: bool, code: int) -> None:
    bench.change_settings(refusal_leaves_checksum=leaves_checksum)
    bench.plan(CodeAnswer(code=500))
    body = bench.owner.request(call())
    assert [bench.post(body).api_response_code for _ in range(2)] == [500, code]


@pytest.mark.parametrize("fault", [ForeignPage(http_status=502), DroppedConnection()])
def test_a_request_that_never_arrived_leaves_no_checksum(bench: Bench, fault: ForeignPage | DroppedConnection) -> None:
    bench.plan(fault)
    body = bench.owner.request(call())
    assert bench.reply(body).code is None
    assert bench.post(body).api_response_code == 200


def test_above_the_rate_is_http_429_until_the_window_has_moved_on(bench: Bench) -> None:
    bench.change_settings(requests_per_minute=2)
    assert bench.send(call("c-1")).api_response_code == 200
    bench.clock.pass_seconds(20.5)
    assert bench.send(call("c-2")).api_response_code == 200
    body = bench.owner.request(call("c-3"))
    turned_away = bench.reply(body)
    assert (turned_away.http_status, turned_away.headers["Retry-After"]) == (429, "40")
    bench.clock.pass_seconds(39)
    assert bench.reply(body).http_status == 429
    bench.clock.pass_seconds(0.5)
    assert bench.post(body).api_response_code == 200


def test_an_empty_account_is_212_until_it_is_refilled(bench: Bench) -> None:
    bench.change_settings(balance_calls=2)
    assert bench.send(call("c-1"), call("c-2"), call("c-3")).api_response_code == 212
    assert bench.send(call("c-1"), call("c-2")).api_response_code == 200
    assert bench.send(call("c-3")).api_response_code == 212
    bench.change_settings(balance_calls=None)
    assert bench.send(call("c-3")).api_response_code == 200
