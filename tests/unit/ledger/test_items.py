"""How what the relay knows is spelled in the table, there and back."""

import os
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.batch.plan import plan
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.kairos.answer import Answered
from sealed_relay.kairos.encryption import body_of, encrypt, make_secret_text
from sealed_relay.kairos.seal import seal
from sealed_relay.ledger.claim_rules import Record, StoredRequest, Tries
from sealed_relay.ledger.items import (
    SealedRequest,
    answer_attribute,
    answer_of,
    envelope_item,
    envelope_key,
    iso,
    outcome_attributes,
    record_of,
    request_key,
    sealed_request_of,
    stored_request_of,
)
from sealed_relay.ports import Item
from tests.support.flows import make_flow
from tests.support.making import SENT_AT, make_call

MAX_ITEM_BYTES = 400 * 1024
NAMES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=128), unique=True, max_size=20)


def item_bytes(item: Item) -> int:
    """By DynamoDB's rule: names and texts as UTF-8, binary as it is, a number in 21 bytes at most."""
    return sum(
        len(name.encode())
        + (21 if isinstance(value, int) else len(value if isinstance(value, bytes) else value.encode()))
        for name, value in item.items()
    )


def sealed_request(body: bytes, names: tuple[str, ...] = ("call-1",)) -> SealedRequest:
    return SealedRequest(
        "request-1", "FLOWAAAA", "outbounddialer", "version 1", "2026-11-23", body, names, 1_795_408_200_000
    )


@given(st.binary(max_size=2000), NAMES, st.integers(-(2**60), 2**60))
def test_an_envelope_comes_back_byte_for_byte(body: bytes, names: list[str], not_after_ms: int) -> None:
    sealed = SealedRequest(
        "request-1", "FLOWAAAA", "outbounddialer", "version 1", "2026-11-23", body, tuple(names), not_after_ms
    )

    assert sealed_request_of(envelope_item(sealed, expires_at=1)) == sealed


@given(st.integers(), NAMES, st.booleans())
def test_an_answer_comes_back_with_whether_it_answered_a_resend(
    number: int,
    names: list[str],
    is_resend: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    answer = Answered(number % 2**63, {name: f"uuid of {index}" for index, name in enumerate(names)})

    assert answer_of({"answer": answer_attribute(answer, is_resend=is_resend)}) == (answer, is_resend)


def longest_names(calls: int) -> tuple[str, ...]:
    """128 characters of four bytes each, in as little order as there can be."""
    chance = random.Random(0)
    return tuple("".join(map(chr, chance.choices(range(0x20000, 0x2A6DF), k=128))) for _ in range(calls))


def test_the_worst_request_fits_an_item() -> None:
    flow = make_flow("FLOWAAAA")
    calls = [make_call(name) for name in longest_names(500)]
    requests = plan(
        calls,
        {"FLOWAAAA": flow},
        str,
        max_calls=500,
        max_body_bytes=262_144,
        give_up_after=timedelta(hours=24),
        now=SENT_AT,
    )
    worst = max(requests, key=lambda request: len(request.calls))
    sealed = seal("r" * 32, flow, worst.calls, os.urandom, now=SENT_AT, give_up_after=timedelta(hours=24))

    assert 261_000 < len(sealed.body) <= 262_144
    assert item_bytes(envelope_item(sealed, expires_at=2**40)) <= MAX_ITEM_BYTES


def test_the_answer_to_the_worst_request_fits_an_item() -> None:
    answer = Answered(209, dict.fromkeys(longest_names(250), "8c0d7a5e-1e3f-4b55-9d2e-0a1b2c3d4e5f"))

    item = {"answer": answer_attribute(answer, is_resend=True), **small_item()}

    assert item_bytes(item) <= MAX_ITEM_BYTES


def test_a_body_is_stored_smaller_than_it_is() -> None:
    body = body_of(encrypt(os.urandom(100_000), make_secret_text(os.urandom)), b"", "FLOWAAAA")

    assert item_bytes(envelope_item(sealed_request(body), expires_at=1)) < 0.8 * len(body)


def small_item() -> Item:
    return {
        "call_id": request_key("request-1"),
        "flow_id": "FLOWAAAA",
        "lease_id": "lease-1",
        "lease_expires_at_ms": 17,
        "may_have_been_sent": True,
        "envelope_expires_at": 18,
        "created_at": iso(0),
        "expires_at": 19,
    }


def test_a_stored_request_is_read_from_its_small_item() -> None:
    unanswered = StoredRequest(
        "lease-1", 17, is_answered=False, may_have_been_sent=True, was_refused=False, envelope_expires_at=18
    )
    answered = StoredRequest(
        "lease-1", 17, is_answered=True, may_have_been_sent=False, was_refused=True, envelope_expires_at=18
    )

    assert stored_request_of(small_item()) == unanswered
    assert (
        stored_request_of({**small_item(), "may_have_been_sent": False, "was_refused": True, "answer": b""}) == answered
    )


def test_a_request_that_an_earlier_release_stored_is_read_too() -> None:
    old = {name: value for name, value in small_item().items() if name != "envelope_expires_at"}

    assert stored_request_of(old).envelope_expires_at == 0


RECORD: Item = {
    "status": "WAITING",
    "request_id": "request-1",
    "message_id": "message-1",
    "content_hash": b"hash",
    "lease_expires_at_ms": 17,
    "updated_at": iso(1_795_408_200_123),
    "attempts": 2,
    "refusals": 1,
}


def test_a_record_is_read_from_its_item() -> None:
    assert record_of(RECORD) == Record(
        Status.WAITING, "request-1", "message-1", b"hash", 17, 1_795_408_200_123, Tries(2, 1)
    )


@pytest.mark.parametrize(
    "broken", [{"status": "LOST"}, {"content_hash": "hash"}, {"attempts": "2"}, {"lease_expires_at_ms": b""}], ids=str
)
def test_an_item_that_is_no_record_is_not_taken_for_one(broken: Item) -> None:
    with pytest.raises((TypeError, ValueError)):
        record_of({**RECORD, **broken})


def test_an_outcome_is_written_with_the_contracts_attributes_and_none_that_is_empty() -> None:
    now_ms = 1_795_408_200_123

    accepted = outcome_attributes(Outcome(Status.ACCEPTED, "SUCCESS", 200, "uuid", "a detail"), now_ms)
    waiting = outcome_attributes(Outcome(Status.WAITING), now_ms)

    assert accepted == {
        "status": "ACCEPTED",
        "is_open": False,
        "code": 200,
        "reason": "SUCCESS",
        "phonon_uuid": "uuid",
        "updated_at": "2026-11-23T04:30:00.123+00:00",
    }
    assert waiting == {
        "status": "WAITING",
        "is_open": True,
        "code": None,
        "reason": None,
        "phonon_uuid": None,
        "updated_at": "2026-11-23T04:30:00.123+00:00",
    }


def test_no_call_has_the_key_of_a_request_or_of_an_envelope() -> None:
    assert request_key("request-1") != envelope_key("request-1")
    # A flow id has letters and digits only, so no call's key begins with this.
    assert request_key("x").startswith("#")
    assert envelope_key("x").startswith("#")
