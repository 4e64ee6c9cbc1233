"""Calls into a sealed request, opened again by the simulated API's own code."""

import os
from datetime import datetime, timedelta

import msgspec
import pytest

from local.simulator import open_request
from sealed_relay.calls.call import Call
from sealed_relay.kairos.flow import KeyWrap
from sealed_relay.kairos.seal import SealedRequest, max_calls_bytes, seal
from tests.support.flows import make_flow, rsa_key, security_id_of
from tests.support.messages import SENT_AT, make_call

A_DAY = timedelta(days=1)


def seal_calls(*calls: Call, key_wrap: KeyWrap = KeyWrap.RSA1_5) -> SealedRequest:
    return seal("request-1", make_flow("FLOWAAAA", key_wrap), calls, os.urandom, now=SENT_AT, give_up_after=A_DAY)


def opened(sealed: SealedRequest, key_wrap: KeyWrap = KeyWrap.RSA1_5) -> bytes:
    outer = msgspec.json.decode(sealed.body, type=open_request.SealedRequest)
    return open_request.open_payload(outer, rsa_key(), open_request.KeyWrap(key_wrap.value))


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_sealed_request_holds_the_flow_and_its_calls(key_wrap: KeyWrap) -> None:
    calls = [make_call("a"), make_call("b", keys=[{"name": "$flow.key.n", "value": "Zoë"}])]

    payload = msgspec.json.decode(opened(seal_calls(*calls, key_wrap=key_wrap), key_wrap))

    assert payload == {
        "api-version": "1.0",
        "security-id": security_id_of("FLOWAAAA"),
        "flow-id": "FLOWAAAA",
        "calls": [msgspec.to_builtins(call.payload("2026-11-23T10:00:00+05:30")) for call in calls],
    }


def test_same_calls_sealed_again_differ_inside_and_outside() -> None:
    first, second = seal_calls(make_call()), seal_calls(make_call())

    assert opened(first) != opened(second)
    for field in ("requestEncryptedValue", "requestDigitalSignatureValue"):
        assert msgspec.json.decode(first.body)[field] != msgspec.json.decode(second.body)[field]


def test_sealed_request_names_its_endpoint_and_its_calls() -> None:
    sealed = seal_calls(make_call("b"), make_call("a"))

    assert (sealed.request_id, sealed.flow_id, sealed.endpoint) == ("request-1", "FLOWAAAA", "outbound")
    assert sealed.secret_version == make_flow("FLOWAAAA").version
    assert sealed.client_identifiers == ("b", "a")


def test_sealed_request_may_be_sent_until_the_earliest_deadline_of_its_calls() -> None:
    sealed = seal_calls(make_call("a"), make_call("b", not_after="2026-11-23T12:00:00.5+05:30"), make_call("c"))

    assert sealed.not_after_ms == int((SENT_AT + timedelta(hours=2, seconds=0.5)).timestamp() * 1000)


def test_body_shows_nothing_of_a_call_in_the_clear() -> None:
    body = seal_calls(make_call("order-4711", keys=[{"name": "$flow.key.n", "value": "Zoë"}])).body

    for secret in (b"919900000001", b"order-4711", "Zoë".encode(), security_id_of("FLOWAAAA").encode()):
        assert secret not in body


def test_sealed_request_notes_its_earliest_start_time() -> None:
    sealed = seal_calls(make_call("a", start_time="2026-11-23T09:00:00+05:30"), make_call("b"))

    assert sealed.first_start_time == "2026-11-23T09:00:00+05:30"


@pytest.mark.parametrize(
    ("now", "start_time"),
    [
        ("2026-11-23T18:29:54.9+00:00", "2026-11-23T10:00:00+05:30"),
        ("2026-11-23T18:29:55+00:00", "2026-11-24T00:00:00+05:30"),
        ("2026-11-23T18:30:01+00:00", "2026-11-24T00:00:01+05:30"),
    ],
)
def test_sealed_start_time_is_of_the_date_that_the_api_sees(now: str, start_time: str) -> None:
    at = datetime.fromisoformat(now)
    sealed = seal("request-1", make_flow("FLOWAAAA"), [make_call()], os.urandom, now=at, give_up_after=A_DAY)

    assert sealed.first_start_time == start_time
    assert msgspec.json.decode(opened(sealed))["calls"][0]["start-time"] == start_time


def test_call_that_fills_the_room_of_a_request_keeps_its_body_within_the_limit() -> None:
    limit_bytes = 20_000

    def call_of(size_bytes: int) -> Call:
        """A call whose JSON has that many bytes, and a comma beside."""
        empty = make_call(keys=[{"name": "$flow.key.n", "value": ""}]).payload("2026-11-23T10:00:00+05:30")
        value = "x" * (size_bytes - len(msgspec.json.encode(empty)) - 1)
        return make_call(keys=[{"name": "$flow.key.n", "value": value}])

    room = max_calls_bytes(make_flow("FLOWAAAA"), limit_bytes)

    assert len(seal_calls(call_of(room)).body) <= limit_bytes
    assert len(seal_calls(call_of(room + 1)).body) > limit_bytes
