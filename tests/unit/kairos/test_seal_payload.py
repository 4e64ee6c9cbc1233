"""The inner payload, and how long it may be."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.kairos.seal import body_of, encrypt, largest_payload_bytes, payload_of

SECRET_TEXT = "dGVzdDEyMzQ="
NONCES = st.binary(min_size=8, max_size=8)


def payload(calls: list[dict[str, str]], nonce: bytes = bytes(8)) -> bytes:
    return payload_of(calls, flow_id="FLOWAAAA", security_id="s" * 64, api_version="1.0", nonce=nonce)


def sealed_bytes(payload_bytes: int, rsa_key_bytes: int) -> int:
    return len(body_of(encrypt(bytes(payload_bytes), SECRET_TEXT), bytes(rsa_key_bytes), "FLOWAAAA"))


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_payload_is_json_with_the_four_fields_of_the_api(calls: int) -> None:
    written = [{"client-identifier": f"ë{number}"} for number in range(calls)]

    assert json.loads(payload(written)) == {
        "api-version": "1.0",
        "security-id": "s" * 64,
        "flow-id": "FLOWAAAA",
        "calls": written,
    }


@given(NONCES, NONCES)
def test_two_payloads_of_the_same_calls_differ_in_bytes_and_mean_the_same(one: bytes, other: bytes) -> None:
    first, second = payload([{}], one), payload([{}], other)

    assert (first == second) == (one == other)
    assert len(first) == len(second)
    assert json.loads(first) == json.loads(second)


@pytest.mark.parametrize("nonce_bit", range(64))
def test_payload_changes_with_each_bit_of_the_nonce(nonce_bit: int) -> None:
    assert payload([], (1 << nonce_bit).to_bytes(8)) != payload([])


def test_outer_body_has_three_fields_two_of_them_in_base64() -> None:
    sealed, wrapped = bytes(range(256)), b"\xff" * 512

    assert json.loads(body_of(sealed, wrapped, "FLOWAAAA")) == {
        "requestEncryptedValue": base64.b64encode(sealed).decode(),
        "requestDigitalSignatureValue": base64.b64encode(wrapped).decode(),
        "flow-id": "FLOWAAAA",
    }


@given(st.integers(4096, 20_000), st.sampled_from([256, 257, 384, 385, 512, 1024]))
def test_largest_payload_is_the_last_that_keeps_the_limit(max_body_bytes: int, rsa_key_bytes: int) -> None:
    largest = largest_payload_bytes(max_body_bytes, rsa_key_bytes, "FLOWAAAA")

    assert sealed_bytes(largest, rsa_key_bytes) <= max_body_bytes
    assert sealed_bytes(largest + 1, rsa_key_bytes) > max_body_bytes


def test_largest_payload_keeps_the_limit_of_the_api() -> None:
    largest = largest_payload_bytes(262_144, 512, "FLOWAAAA")

    assert sealed_bytes(largest, 512) <= 262_144 < sealed_bytes(largest + 1, 512)
