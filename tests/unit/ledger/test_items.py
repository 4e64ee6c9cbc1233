"""Records, requests and envelopes as items of the table, and back."""

import os
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.batch.plan import plan
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.dependencies import Limits
from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.seal import SealedRequest, body_of, encrypt, make_secret_text, seal
from sealed_relay.kairos.verdict import GIVEN_UP, ConclusiveAnswer
from sealed_relay.ledger.claim_rules import Record, StoredRequest, Tries
from sealed_relay.ledger.items import (
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
from tests.support.messages import SENT_AT, make_call

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
        "request-1",
        "FLOWAAAA",
        "outbounddialer",
        "version 1",
        "2026-11-23T10:00:00+05:30",
        body,
        names,
        1_795_408_200_000,
    )


@given(st.binary(max_size=2000), NAMES, st.integers(-(2**60), 2**60))
def test_envelope_is_read_back_byte_for_byte(body: bytes, names: list[str], not_after_ms: int) -> None:
    sealed = SealedRequest(
        "request-1",
        "FLOWAAAA",
        "outbounddialer",
        "version 1",
        "2026-11-23T10:00:00+05:30",
        body,
        tuple(names),
        not_after_ms,
    )

    assert sealed_request_of(envelope_item(sealed, expires_at=1)) == sealed


@given(st.sampled_from(Finding), st.integers(0, 2**31) | st.none(), NAMES, st.text(max_size=64))
def test_answer_is_read_back_as_it_was_stored(
    finding: Finding, code: int | None, names: list[str], api_request_id: str
) -> None:
    uuids = {name: f"uuid of {index}" for index, name in enumerate(names)}
    answer = ConclusiveAnswer(finding, code, uuids, api_request_id)

    assert answer_of({"answer": answer_attribute(answer)}) == answer


def test_answer_of_a_request_that_was_given_up_is_read_back() -> None:
    assert answer_of({"answer": answer_attribute(GIVEN_UP)}) == GIVEN_UP


def test_request_without_an_answer_has_none() -> None:
    assert answer_of(small_item()) is None


def longest_names(calls: int) -> tuple[str, ...]:
    """128 characters of four bytes each, in as little order as there can be."""
    chance = random.Random(0)
    return tuple("".join(map(chr, chance.choices(range(0x20000, 0x2A6DF), k=128))) for _ in range(calls))


def test_largest_request_fits_an_item() -> None:
    flow = make_flow("FLOWAAAA")
    calls = [make_call(name) for name in longest_names(500)]
    limits = Limits(max_calls=500, max_body_bytes=262_144, give_up_after=timedelta(hours=24))
    requests = plan(calls, {"FLOWAAAA": flow}, lambda: "r" * 32, limits, SENT_AT)
    largest = max(requests, key=lambda request: len(request.calls))
    sealed = seal(largest.request_id, flow, largest.calls, os.urandom, now=SENT_AT, give_up_after=timedelta(hours=24))

    assert 261_000 < len(sealed.body) <= 262_144
    assert item_bytes(envelope_item(sealed, expires_at=2**40)) <= MAX_ITEM_BYTES


def test_answer_to_the_largest_request_fits_an_item() -> None:
    uuids = dict.fromkeys(longest_names(250), "8c0d7a5e-1e3f-4b55-9d2e-0a1b2c3d4e5f")
    answer = ConclusiveAnswer(Finding.PARTLY_ACCEPTED, 209, uuids, "r" * 64)

    item = {"answer": answer_attribute(answer), **small_item()}

    assert item_bytes(item) <= MAX_ITEM_BYTES


def test_body_is_stored_smaller_than_it_is() -> None:
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


def test_stored_request_is_read_from_its_small_item() -> None:
    first = StoredRequest(
        "lease-1",
        17,
        is_answered=False,
        may_have_been_sent=True,
        was_refused=False,
        unclear_answers=0,
        envelope_expires_at=18,
    )
    noted: Item = {"may_have_been_sent": False, "was_refused": True, "unclear_answers": 3, "answer": b""}

    assert stored_request_of(small_item()) == first
    assert stored_request_of({**small_item(), **noted}) == replace(
        first, is_answered=True, may_have_been_sent=False, was_refused=True, unclear_answers=3
    )


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


def test_record_is_read_from_its_item() -> None:
    told: Item = {"reason": "FAILURE", "code": 500, "phonon_uuid": "uuid", "api_request_id": "api-1"}
    outcome = Outcome(Status.WAITING, "FAILURE", 500, "uuid", api_request_id="api-1")
    bare = Record(
        Outcome(Status.WAITING), "request-1", "message-1", b"hash", 17, 1_795_408_200_123, Tries(attempts=2, refusals=1)
    )

    assert record_of(RECORD) == bare
    assert record_of({**RECORD, **told}) == replace(bare, outcome=outcome)


def test_record_of_a_call_that_ended_unresolved_before_says_so() -> None:
    attributes = outcome_attributes(Outcome(Status.UNRESOLVED), 1_795_408_200_123)
    later = outcome_attributes(Outcome(Status.SENDING), 1_795_408_200_124)
    item = {**RECORD, **{name: value for name, value in {**attributes, **later}.items() if value is not None}}

    assert record_of(item).outcome.status is Status.SENDING
    assert record_of(item).tries == Tries(attempts=2, refusals=1, may_have_been_delivered=True)


@pytest.mark.parametrize(
    "broken", [{"status": "LOST"}, {"content_hash": "hash"}, {"attempts": "2"}, {"lease_expires_at_ms": b""}], ids=str
)
def test_item_that_is_no_record_is_refused(broken: Item) -> None:
    with pytest.raises((TypeError, ValueError)):
        record_of({**RECORD, **broken})


def test_outcome_is_written_with_the_attributes_of_the_contract() -> None:
    outcome = Outcome(Status.ACCEPTED, "SUCCESS", 200, "uuid", "a detail", "api-1")

    assert outcome_attributes(outcome, 1_795_408_200_123) == {
        "status": "ACCEPTED",
        "is_open": False,
        "code": 200,
        "reason": "SUCCESS",
        "phonon_uuid": "uuid",
        "api_request_id": "api-1",
        "updated_at": "2026-11-23T04:30:00.123+00:00",
    }


def test_attributes_that_do_not_apply_to_an_outcome_are_removed() -> None:
    assert outcome_attributes(Outcome(Status.WAITING), 1_795_408_200_123) == {
        "status": "WAITING",
        "is_open": True,
        "code": None,
        "reason": None,
        "phonon_uuid": None,
        "api_request_id": None,
        "updated_at": "2026-11-23T04:30:00.123+00:00",
    }


@pytest.mark.parametrize("status", Status)
def test_only_an_unresolved_outcome_notes_that_the_call_may_have_been_delivered(status: Status) -> None:
    noted = outcome_attributes(Outcome(status), 0).get("may_have_been_delivered")

    assert noted is (True if status is Status.UNRESOLVED else None)


def test_key_of_a_request_or_envelope_is_never_the_key_of_a_call() -> None:
    assert request_key("request-1") != envelope_key("request-1")
    # A flow id has letters and digits only, so no call's key begins with this.
    assert request_key("x").startswith("#")
    assert envelope_key("x").startswith("#")
