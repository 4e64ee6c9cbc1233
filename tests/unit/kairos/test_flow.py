"""A flow's secret, read and refused."""

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.calls.start_time import parse_calling_hours
from sealed_relay.kairos.flow import Flow, InvalidFlowSecretError, KeyWrap, UnusableFlowError, parse_flow
from tests.support.flows import private_pem, public_pem, rsa_key

SECURITY_ID = "5ecr3t" * 10 + "abcd"
BAD_HOURS = [
    "",
    "9:00-21:00",
    "09:00-24:00",
    "09:60-21:00",
    "09:00 - 21:00",
    "09:00-21:00\n",
    "09:00",
    "\N{DEVANAGARI DIGIT ZERO}9:00-21:00",
]
ELLIPTIC_PEM = ec.generate_private_key(ec.SECP256R1()).public_key()
EDWARDS_PEM = ed25519.Ed25519PrivateKey.generate().public_key()


def secret(**fields: object) -> str:
    written = {"security_id": SECURITY_ID, "public_key": public_pem(rsa_key()), **fields}
    return json.dumps({name.replace("_", "-"): value for name, value in written.items() if value is not ...})


def why_not(text: str) -> str:
    with pytest.raises(InvalidFlowSecretError) as caught:
        parse_flow("FLOWAAAA", text)
    assert "FLOWAAAA" in str(caught.value)
    return str(caught.value)


def pem_of(key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_secret_with_only_the_required_fields_has_the_defaults() -> None:
    flow = parse_flow("FLOWAAAA", secret())

    assert flow == Flow("FLOWAAAA", SECURITY_ID, rsa_key().public_key(), KeyWrap.RSA1_5, "1.0", "outbound")


@pytest.mark.parametrize("key_wrap", KeyWrap)
@pytest.mark.parametrize("api_version", ["1.0", "TEST"])
@pytest.mark.parametrize("endpoint", ["outbound", "outbounddialer"])
def test_secret_with_optional_fields_is_read(key_wrap: KeyWrap, api_version: str, endpoint: str) -> None:
    flow = parse_flow("FLOWAAAA", secret(key_wrap=key_wrap, api_version=api_version, endpoint=endpoint))

    assert (flow.key_wrap, flow.api_version, flow.endpoint) == (key_wrap, api_version, endpoint)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("security-id", value) for value in (..., None, "", "a" * 63, "a" * 65, "a" * 63 + "-", "a" * 64 + "\n", 1)),
        *(("public-key", value) for value in (..., None, 1)),
        *(("key-wrap", value) for value in (None, "", "RSA", "rsa1_5", "RSA1_5\n", "RSA-OAEP-512")),
        *(("api-version", value) for value in (None, "", "2.0", "1.0\n", "1x0", 1.0)),
        *(("endpoint", value) for value in (None, "", "outbound/../x", "outbound\n", "OUTBOUND")),
    ],
)
def test_field_that_breaks_its_rule_is_named(field: str, value: object) -> None:
    reason = why_not(secret(**{field.replace("-", "_"): value}))

    assert f"`$.{field}`" in reason or f"missing required field `{field}`" in reason


@pytest.mark.parametrize("text", ["09:00-21:00", "00:00-23:59", "21:00-09:00", "23:59-00:01", "09:00-00:00"])
def test_calling_hours_are_read(text: str) -> None:
    assert parse_flow("FLOWAAAA", secret(calling_hours=text)).calling_hours == parse_calling_hours(text)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        *((value, "is not written HH:MM-HH:MM, from 00:00 to 23:59, as in 09:00-21:00") for value in BAD_HOURS),
        ("09:00-09:00", "has less than two minutes between its beginning and its end"),
        ("23:59-00:00", "has less than two minutes between its beginning and its end"),
    ],
)
def test_calling_hours_that_break_their_rule_are_refused_with_a_sentence(value: str, problem: str) -> None:
    assert why_not(secret(calling_hours=value)) == f"`calling-hours` in the secret of flow FLOWAAAA {problem}."


@pytest.mark.parametrize("value", [None, 9, ["09:00-21:00"], True])
def test_calling_hours_that_are_no_text_are_refused(value: object) -> None:
    assert "`$.calling-hours`" in why_not(secret(calling_hours=value))


def test_unknown_field_is_refused_without_its_name_which_may_be_a_secret() -> None:
    why = why_not(secret(key_wrapp="RSA1_5"))
    assert "unknown field; `api-version`, `calling-hours`, `endpoint`, `key-wrap`" in why
    assert "key-wrapp" not in why


@pytest.mark.parametrize(
    ("field", "allowed"), [("key_wrap", list(KeyWrap)), ("endpoint", ["outbound", "outbounddialer"])]
)
def test_unknown_choice_is_refused_with_the_allowed_ones(field: str, allowed: list[str]) -> None:
    reason = why_not(secret(**{field: "canary"})).replace("\\", "")

    assert all(choice in reason for choice in allowed)
    assert "canary" not in reason


@pytest.mark.parametrize(
    ("public_key", "problem"),
    [
        ("", "not PEM"),
        ("garbage", "not PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not PEM"),
        (lambda: private_pem(rsa_key()), "not PEM"),
        (lambda: public_pem(rsa_key())[27:-26], "not PEM"),
        (lambda: pem_of(ELLIPTIC_PEM), "not an RSA key"),
        (lambda: pem_of(EDWARDS_PEM), "not an RSA key"),
        (lambda: public_pem(rsa_key(1024)), "has 1024 bits; at least 2048"),
    ],
    ids=["empty", "garbage", "empty PEM", "private key", "no armour", "EC", "Ed25519", "1024 bits"],
)
def test_bad_key_is_refused_with_its_own_problem(public_key: str | Callable[[], str], problem: str) -> None:
    pem = public_key if isinstance(public_key, str) else public_key()

    assert f"`public-key` in the secret of flow FLOWAAAA {problem}" in why_not(secret(public_key=pem)).replace(
        " is", ""
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", SECURITY_ID, "[" * 100_000, '{"key-wrap":' * 100_000])
def test_text_that_is_no_json_object_is_refused(text: str) -> None:
    assert SECURITY_ID not in why_not(text)


def test_invalid_secret_is_caught_as_an_unusable_flow() -> None:
    assert issubclass(InvalidFlowSecretError, UnusableFlowError)


@given(
    st.dictionaries(
        st.sampled_from(["security-id", "public-key", "key-wrap", "api-version", "endpoint", "calling-hours"]),
        st.just(SECURITY_ID) | st.just(SECURITY_ID[1:]) | st.just([SECURITY_ID]),
    )
)
def test_error_does_not_quote_what_the_secret_holds(written: dict[str, str]) -> None:
    assert SECURITY_ID[1:] not in why_not(json.dumps(written))


def test_flow_shows_neither_its_security_id_nor_its_key() -> None:
    shown = repr(parse_flow("FLOWAAAA", secret()))

    assert "FLOWAAAA" in shown
    assert SECURITY_ID not in shown
    assert "RSAPublicKey" not in shown
