"""Calls into a sealed request, opened again by the simulated API's own code."""

import os
from datetime import timedelta

import msgspec
import pytest

from local.simulator import opening
from sealed_relay.calls.message import Call, service_time
from sealed_relay.kairos.encryption import KeyWrap
from sealed_relay.kairos.seal import seal
from sealed_relay.ledger.items import SealedRequest
from tests.support.flows import make_flow, rsa_key, security_id_of
from tests.support.making import SENT_AT, make_call

A_DAY = timedelta(days=1)


def seal_calls(*calls: Call, key_wrap: KeyWrap = KeyWrap.RSA1_5) -> SealedRequest:
    return seal("request-1", make_flow("FLOWAAAA", key_wrap), calls, os.urandom, now=SENT_AT, give_up_after=A_DAY)


def opened(sealed: SealedRequest, key_wrap: KeyWrap = KeyWrap.RSA1_5) -> bytes:
    outer = msgspec.json.decode(sealed.body, type=opening.SealedRequest)
    return opening.open_payload(outer, rsa_key(), opening.KeyWrap(key_wrap.value))


@pytest.mark.parametrize("key_wrap", KeyWrap)
def test_a_sealed_request_holds_the_flow_and_its_calls(key_wrap: KeyWrap) -> None:
    calls = [make_call("a"), make_call("b", keys=[{"name": "$flow.key.n", "value": "Zoë"}])]

    payload = msgspec.json.decode(opened(seal_calls(*calls, key_wrap=key_wrap), key_wrap))

    assert payload == {
        "api-version": "1.0",
        "security-id": security_id_of("FLOWAAAA"),
        "flow-id": "FLOWAAAA",
        "calls": [call.payload(service_time(SENT_AT)) for call in calls],
    }


def test_sealing_the_same_calls_again_differs_inside_and_outside() -> None:
    first, second = seal_calls(make_call()), seal_calls(make_call())

    assert opened(first) != opened(second)
    for field in ("requestEncryptedValue", "requestDigitalSignatureValue"):
        assert msgspec.json.decode(first.body)[field] != msgspec.json.decode(second.body)[field]


def test_a_sealed_request_knows_where_to_go_and_whose_calls_it_holds() -> None:
    sealed = seal_calls(make_call("b"), make_call("a"))

    assert (sealed.request_id, sealed.flow_id, sealed.endpoint) == ("request-1", "FLOWAAAA", "outbound")
    assert sealed.client_identifiers == ("b", "a")


def test_a_sealed_request_is_good_until_the_earliest_deadline_of_its_calls() -> None:
    sealed = seal_calls(make_call("a"), make_call("b", not_after="2026-11-23T12:00:00.5+05:30"), make_call("c"))

    assert sealed.not_after_ms == int((SENT_AT + timedelta(hours=2, seconds=0.5)).timestamp() * 1000)


def test_nothing_of_a_call_stands_in_the_body_in_the_clear() -> None:
    body = seal_calls(make_call("order-4711", keys=[{"name": "$flow.key.n", "value": "Zoë"}])).body

    for secret in (b"919900000001", b"order-4711", "Zoë".encode(), security_id_of("FLOWAAAA").encode()):
        assert secret not in body
