"""Each check of the API, tested with the bytes of a request."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.simulator.flow_owner import NUMBER, FlowOwner, call
from tests.local.simulator.in_memory_simulator import InMemorySimulator


def test_valid_request_is_accepted_call_by_call(api: InMemorySimulator) -> None:
    response = api.send(call("c-1"), call("c-2"))
    assert (response.api_response_code, response.api_response_message) == (200, "SUCCESS")
    assert response.call_details is not None
    assert [detail.client_identifier for detail in response.call_details] == ["c-1", "c-2"]
    assert len({response.request_id, *(detail.phonon_uuid for detail in response.call_details)}) == 3


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"flow-id": "ABCD1234"}', b"[" * 100_000, b"\xff", b"null"]
)
def test_body_with_a_wrong_outer_form_is_400(api: InMemorySimulator, body: bytes) -> None:
    assert api.post(body).api_response_code == 400


def test_unknown_outer_field_is_400(api: InMemorySimulator) -> None:
    outer = json.loads(api.owner.request(call())) | {"extra": ""}
    assert api.post(json.dumps(outer).encode()).api_response_code == 400


def test_unregistered_flow_is_301(api: InMemorySimulator, private_key: rsa.RSAPrivateKey) -> None:
    assert api.post(FlowOwner(private_key, "ZZZZ9999").request(call())).api_response_code == 301


def test_flow_at_the_other_endpoint_is_301(api: InMemorySimulator) -> None:
    assert api.post(api.owner.request(call()), endpoint="outbounddialer").api_response_code == 301


def test_source_ip_that_is_not_whitelisted_is_401(api: InMemorySimulator) -> None:
    assert api.post(api.owner.request(call()), source_ip="127.0.0.2").api_response_code == 401


def test_request_sealed_for_another_key_is_400(api: InMemorySimulator, another_private_key: rsa.RSAPrivateKey) -> None:
    assert api.post(FlowOwner(another_private_key).request(call())).api_response_code == 400


@pytest.mark.parametrize("payload", [b"not json", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_payload_that_is_not_a_json_object_is_400(api: InMemorySimulator, payload: bytes) -> None:
    assert api.post(api.owner.sealed(payload)).api_response_code == 400


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
def test_wrong_payload_field_is_answered_with_its_code(
    api: InMemorySimulator, changes: dict[str, object], code: int
) -> None:
    assert api.send(call(), **changes).api_response_code == code


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
def test_wrong_call_field_is_answered_with_its_code(api: InMemorySimulator, faulty: object, code: int) -> None:
    assert api.send(call("sound"), faulty).api_response_code == code


def test_day_begins_at_midnight_in_the_services_time_zone(api: InMemorySimulator) -> None:
    api.clock.pass_seconds(4.5 * 3600)  # 18:30 UTC: the 24th has begun there
    assert api.send(call(start_time="2026-11-23T23:59:59+05:30")).api_response_code == 210
    assert api.send(call(start_time="2026-11-24T00:00:00+05:30")).api_response_code == 200


def test_one_wrong_call_refuses_its_whole_request(api: InMemorySimulator) -> None:
    response = api.send(call("c-1"), call("c-2", number="12345"))
    assert response.call_details is None
    assert not api.state.audit.accepted


def test_refusal_quotes_the_contact_number_at_fault(api: InMemorySimulator) -> None:
    assert "910000000402" in api.send(call("c-1"), call("c-2", number="910000000402")).api_response_message


def test_body_over_256_kib_is_http_413(api: InMemorySimulator) -> None:
    assert api.reply(b" " * 262_144).http_status == 200
    assert api.reply(b" " * 262_145).http_status == 413


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faulty=st.fixed_dictionaries({}, optional=dict.fromkeys(call(), _JSON)) | _JSON)
def test_every_call_of_any_form_gets_a_verdict(api: InMemorySimulator, faulty: object) -> None:
    api.change_settings(requests_per_minute=1_000_000)
    assert api.send(faulty).api_response_code in {205, 210, 400}
