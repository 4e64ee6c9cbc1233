"""Each check of the API, through the bytes of a request."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.simulator.bench import Bench
from tests.local.simulator.flow_owner import NUMBER, FlowOwner, call


def test_a_sound_request_is_accepted_call_by_call(bench: Bench) -> None:
    response = bench.send(call("c-1"), call("c-2"))
    assert (response.api_response_code, response.api_response_message) == (200, "SUCCESS")
    assert response.call_details is not None
    assert [detail.client_identifier for detail in response.call_details] == ["c-1", "c-2"]
    assert len({response.request_id, *(detail.phonon_uuid for detail in response.call_details)}) == 3


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"flow-id": "ABCD1234"}', b"[" * 100_000, b"\xff", b"null"]
)
def test_a_body_that_is_not_the_outer_shape_is_400(bench: Bench, body: bytes) -> None:
    assert bench.post(body).api_response_code == 400


def test_a_field_too_many_outside_is_400(bench: Bench) -> None:
    outer = json.loads(bench.owner.request(call())) | {"extra": ""}
    assert bench.post(json.dumps(outer).encode()).api_response_code == 400


def test_an_unregistered_flow_is_301(bench: Bench, private_key: rsa.RSAPrivateKey) -> None:
    assert bench.post(FlowOwner(private_key, "ZZZZ9999").request(call())).api_response_code == 301


def test_a_flow_at_the_other_endpoint_is_301(bench: Bench) -> None:
    assert bench.post(bench.owner.request(call()), endpoint="outbounddialer").api_response_code == 301


def test_a_source_ip_that_is_not_whitelisted_is_401(bench: Bench) -> None:
    assert bench.post(bench.owner.request(call()), source_ip="127.0.0.2").api_response_code == 401


def test_a_request_sealed_for_another_key_is_400(bench: Bench, another_private_key: rsa.RSAPrivateKey) -> None:
    assert bench.post(FlowOwner(another_private_key).request(call())).api_response_code == 400


@pytest.mark.parametrize("payload", [b"not json", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_payload_that_is_not_a_json_object_is_400(bench: Bench, payload: bytes) -> None:
    assert bench.post(bench.owner.sealed(payload)).api_response_code == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"security_id": "x" * 64}, 202),
        ({"security_id": None}, 202),
        ({"api_version": "2.0"}, 203),
        ({"api_version": "TEST"}, 203),
        ({"api_version": ["1.0"]}, 203),
        ({"flow_id": "WXYZ9876"}, 301),
        ({"calls": []}, 302),
        ({"calls": None}, 302),
        ({"calls": "c-1"}, 400),
        ({"calls": [call(f"c-{number}") for number in range(501)]}, 303),
        ({"calls": [call(f"c-{number}") for number in range(500)]}, 200),
    ],
)
def test_each_field_of_the_payload_has_its_code(bench: Bench, changes: dict[str, object], code: int) -> None:
    assert bench.send(call(), **changes).api_response_code == code


@pytest.mark.parametrize(
    ("faulty", "code"),
    [
        ("c-1", 400),
        (call(""), 210),
        (call() | {"client-identifier": 7}, 210),
        (call(start_time=None), 210),
        (call(contact_numbers=[]), 210),
        (call(contact_numbers=None), 210),
        (call(contact_numbers=NUMBER), 400),
        (call(number="12345"), 205),
        (call(number="9198000000012345"), 205),
        (call(number="98000 00001"), 205),
        (call(number="٩١٩٨٠٠٠٠٠٠٠١"), 205),
        (call(contact_numbers=[NUMBER, 7]), 205),
        (call(contact_numbers=[NUMBER, "+" + NUMBER]), 200),
        (call(start_time="2026-11-23 09:00:00"), 400),
        (call(start_time="2026-11-23T09:00:00Z"), 400),
        (call(start_time="2026-13-23T09:00:00+05:30"), 400),
        (call(start_time="2026-11-22T23:59:59+05:30"), 210),
        (call(start_time="2026-11-23T00:00:00+05:30"), 200),
        (call(start_time="2027-01-01T00:00:00+05:30"), 200),
        (call(keys=[]), 200),
        (call(keys={"Name": "Zoë"}), 400),
        (call(keys=[{"name": "Name", "value": "Zoë"}]), 400),
        (call(keys=[{"name": "$flow.key.", "value": "Zoë"}]), 400),
        (call(keys=[{"name": "$flow.key.Age", "value": 7}]), 400),
    ],
)
def test_each_field_of_a_call_has_its_code(bench: Bench, faulty: object, code: int) -> None:
    assert bench.send(call("sound"), faulty).api_response_code == code


def test_a_day_begins_at_midnight_in_the_services_time_zone(bench: Bench) -> None:
    bench.clock.pass_seconds(4.5 * 3600)  # 18:30 UTC: the 24th has begun there
    assert bench.send(call(start_time="2026-11-23T23:59:59+05:30")).api_response_code == 210
    assert bench.send(call(start_time="2026-11-24T00:00:00+05:30")).api_response_code == 200


def test_one_faulty_call_refuses_its_whole_request(bench: Bench) -> None:
    response = bench.send(call("c-1"), call("c-2", number="12345"))
    assert response.call_details is None
    assert not bench.state.audit.accepted


def test_a_refusal_quotes_the_contact_number_at_fault(bench: Bench) -> None:
    assert "910000000402" in bench.send(call("c-1"), call("c-2", number="910000000402")).api_response_message


def test_a_body_over_256_kib_is_http_413(bench: Bench) -> None:
    assert bench.reply(b" " * 262_144).http_status == 200
    assert bench.reply(b" " * 262_145).http_status == 413


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faulty=st.fixed_dictionaries({}, optional=dict.fromkeys(call(), _JSON)) | _JSON)
def test_no_call_however_odd_goes_without_a_verdict(bench: Bench, faulty: object) -> None:
    bench.change_settings(requests_per_minute=1_000_000)
    assert bench.send(faulty).api_response_code in {205, 210, 400}
