"""The stored requests: what one invocation wrote is not undone by another one whose lease is over."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.kairos.verdict import ConclusiveAnswer
from sealed_relay.ledger.call_records import CallRecords
from sealed_relay.ledger.claim_rules import Lease
from sealed_relay.ledger.items import answer_of
from sealed_relay.ledger.request_log import LeaseLostError, RequestLog, Takeover
from sealed_relay.ports import Item, Table
from tests.support.messages import SENT_AT, make_call
from tests.support.scripted_table import ScriptedTable, before
from tests.support.table import InMemoryTable

LEASE_SECONDS = 60.0
KEEP_OUTCOMES, KEEP_ENVELOPES = timedelta(days=90), timedelta(hours=48)
SEALED = SealedRequest("r-1", "FLOWAAAA", "outbound", "v1", "2026-11-23T10:00:00+05:30", b"body", ("call-1",), 2**60)
REFUSED = ConclusiveAnswer(Finding.REFUSED, 500)


@dataclass
class Log:
    """The request log over a table in memory. `now` is in seconds since 1970, and moved by hand."""

    table: InMemoryTable = field(default_factory=InMemoryTable)
    now: float = SENT_AT.timestamp()

    def __post_init__(self) -> None:
        self.requests = self.requests_over(self.table)

    def requests_over(self, table: Table) -> RequestLog:
        return RequestLog(table, lambda: self.now, keep_outcomes=KEEP_OUTCOMES, keep_envelopes=KEEP_ENVELOPES)

    def lease(self, lease_id: str) -> Lease:
        return Lease(lease_id, int((self.now + LEASE_SECONDS) * 1000))

    def store(self, lease_id: str = "one") -> Lease:
        lease = self.lease(lease_id)
        self.requests.store(SEALED, lease)
        return lease

    def let_the_lease_end(self) -> None:
        self.now += LEASE_SECONDS

    def take_over(self, lease_id: str) -> Takeover | None:
        return self.requests.take_over("r-1", self.lease(lease_id))

    @property
    def request(self) -> Item:
        return self.table.items["#request/r-1"]


def test_stored_request_is_taken_over_with_the_bytes_that_were_stored() -> None:
    log = Log()
    log.store()
    log.let_the_lease_end()

    assert log.take_over("two") == Takeover(SEALED, was_refused=False, unclear_answers=0)


def test_request_under_a_running_lease_is_not_taken_over() -> None:
    log = Log()
    log.store()
    log.now += LEASE_SECONDS - 0.001

    assert log.take_over("two") is None


def test_request_that_is_not_stored_is_not_taken_over() -> None:
    assert Log().take_over("two") is None


def test_of_two_takeovers_at_once_one_succeeds() -> None:
    log = Log()
    log.store()
    log.let_the_lease_end()
    raced = ScriptedTable(log.table)
    raced.at_write(before(lambda: log.take_over("three")), times=1)

    assert log.requests_over(raced).take_over("r-1", log.lease("two")) is None
    assert log.request["lease_id"] == "three"


def test_answer_is_not_written_after_another_invocation_took_the_request_over() -> None:
    log = Log()
    first = log.store()
    log.let_the_lease_end()
    log.take_over("two")

    with pytest.raises(LeaseLostError, match=r"^Request r-1 was taken over"):
        log.requests.record_answer("r-1", first, REFUSED)

    assert "answer" not in log.request


def test_request_is_not_released_after_another_invocation_took_it_over() -> None:
    log = Log()
    first = log.store()
    log.let_the_lease_end()
    log.take_over("two")

    with pytest.raises(LeaseLostError, match=r"^Request r-1 was taken over"):
        log.requests.release("r-1", first, may_have_been_sent=False, after_seconds=0)

    assert (log.request["may_have_been_sent"], log.request["lease_id"]) == (True, "two")


def test_answered_request_is_not_taken_over() -> None:
    log = Log()
    log.requests.record_answer("r-1", log.store(), REFUSED)
    log.let_the_lease_end()

    assert log.take_over("two") is None
    assert answer_of(log.request) == REFUSED


def test_storing_that_was_delayed_on_the_way_does_not_undo_an_answer() -> None:
    log = Log()
    log.requests.record_answer("r-1", log.store(), REFUSED)
    log.store()
    log.let_the_lease_end()

    assert log.take_over("two") is None
    assert answer_of(log.request) == REFUSED


def test_released_request_is_taken_over_only_after_the_given_time() -> None:
    log = Log()
    log.requests.release("r-1", log.store(), may_have_been_sent=True, after_seconds=5)

    assert log.take_over("two") is None
    log.now += 5
    assert log.take_over("two") is not None


def test_release_notes_that_no_byte_was_sent() -> None:
    log = Log()
    log.requests.release("r-1", log.store(), may_have_been_sent=False, after_seconds=0)

    assert log.request["may_have_been_sent"] is False


def test_refusal_of_a_resend_stays_noted() -> None:
    log = Log()
    log.requests.release("r-1", log.store(), may_have_been_sent=True, after_seconds=0, was_refused=True)
    log.take_over("two")
    log.requests.release("r-1", log.lease("two"), may_have_been_sent=True, after_seconds=0)
    takeover = log.take_over("three")

    assert takeover is not None
    assert takeover.was_refused


def test_count_of_unclear_answers_stays_through_a_release_that_adds_none() -> None:
    log = Log()
    log.requests.release("r-1", log.store(), may_have_been_sent=True, after_seconds=0, unclear_answers=3)
    log.take_over("two")
    log.requests.release("r-1", log.lease("two"), may_have_been_sent=True, after_seconds=0)
    takeover = log.take_over("three")

    assert takeover is not None
    assert takeover.unclear_answers == 3


def test_request_without_its_envelope_was_never_sent() -> None:
    log = Log()
    log.store()
    del log.table.items["#envelope/r-1"]  # the storing was cut short
    log.let_the_lease_end()

    assert log.take_over("two") is None
    assert log.request["may_have_been_sent"] is False


def test_request_that_was_stored_in_part_is_never_sent_if_its_envelope_arrives_late() -> None:
    log = Log()
    log.store()
    late = log.table.items.pop("#envelope/r-1")
    log.let_the_lease_end()
    log.take_over("two")

    log.table.items["#envelope/r-1"] = late
    log.let_the_lease_end()

    assert log.take_over("three") is None
    assert log.request["may_have_been_sent"] is False


def test_request_that_was_released_unsent_is_never_sent_later() -> None:
    log = Log()
    log.requests.release("r-1", log.store(), may_have_been_sent=False, after_seconds=0)

    # Another invocation may have read it before, and found it unanswered. Its calls may be in a new request by now.
    assert log.take_over("two") is None
    assert log.request["may_have_been_sent"] is False


def test_request_whose_envelope_ttl_took_is_taken_over_without_it() -> None:
    log = Log()
    log.store()
    del log.table.items["#envelope/r-1"]
    log.now += KEEP_ENVELOPES.total_seconds()

    assert log.take_over("two") == Takeover(None, was_refused=False, unclear_answers=0)
    assert log.request["may_have_been_sent"] is True


def test_request_outlives_each_record_that_names_it() -> None:
    log = Log()
    records = CallRecords(log.table, lambda: log.now, b"key", KEEP_OUTCOMES)
    log.store()
    log.let_the_lease_end()
    records.claim([(make_call(), "r-1")], log.lease("one"))

    assert int(log.request["expires_at"]) > int(log.table.items["FLOWAAAA/call-1"]["expires_at"])
