"""The records' conditional writes: of two invocations that want a call one gets it, and a final outcome stays."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import read
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.kairos.verdict import ConclusiveAnswer
from sealed_relay.ledger.call_records import CallRecords, Claimed, Met, Settlement
from sealed_relay.ledger.claim_rules import RETRY_MARGIN_SECONDS, Decision, Lease, Tries
from sealed_relay.ledger.request_log import RequestLog
from sealed_relay.ports import Item, Table
from tests.support.messages import SENT_AT, body_of_calls, make_call, make_message, written_call
from tests.support.scripted_table import ScriptedTable, before, refuse, repeat
from tests.support.table import InMemoryTable

LEASE_SECONDS = 60.0
KEEP_OUTCOMES = timedelta(days=90)
CALL_ID = "FLOWAAAA/call-1"


@dataclass
class Ledger:
    """Records and requests over one table in memory. `now` is in seconds since 1970, and moved by hand."""

    table: InMemoryTable = field(default_factory=InMemoryTable)
    now: float = SENT_AT.timestamp()

    def __post_init__(self) -> None:
        self.records = self.records_over(self.table)
        self.requests = RequestLog(
            self.table, lambda: self.now, keep_outcomes=KEEP_OUTCOMES, keep_envelopes=timedelta(hours=48)
        )

    def records_over(self, table: Table) -> CallRecords:
        return CallRecords(table, lambda: self.now, b"key", KEEP_OUTCOMES)

    def lease(self) -> Lease:
        return Lease("lease", int((self.now + LEASE_SECONDS) * 1000))

    def let_the_lease_end(self) -> None:
        self.now += LEASE_SECONDS

    def claim(self, call: Call, request_id: str, records: CallRecords | None = None) -> Claimed | Met:
        [answer] = (records or self.records).claim([(call, request_id)], self.lease())
        return answer

    def settle(self, request_id: str, outcome: Outcome, message_id: str = "message-1", retry_at_ms: int = 0) -> bool:
        settlement = Settlement(CALL_ID, request_id, message_id, outcome, Tries(), retry_at_ms)
        [is_written] = self.records.settle([settlement])
        return is_written

    def store(self, request_id: str) -> None:
        sealed = SealedRequest(
            request_id, "FLOWAAAA", "outbound", "v1", "2026-11-23T10:00:00+05:30", b"body", ("call-1",), 2**60
        )
        self.requests.store(sealed, self.lease())

    def later_call(self) -> Call:
        """The call in a message that is sent now."""
        sent_at = SENT_AT + timedelta(seconds=self.now - SENT_AT.timestamp())
        [call] = read(make_message(body_of_calls(written_call()), "message-2", sent_at))
        return call

    @property
    def record(self) -> Item:
        return self.table.items[CALL_ID]


def twice_writing(table: Table) -> ScriptedTable:
    """A table whose first answer to a write is lost, so that the SDK writes again: the second condition fails."""
    scripted = ScriptedTable(table)
    scripted.at_write(repeat)
    return scripted


def decision(answer: Claimed | Met) -> Decision:
    assert isinstance(answer, Met)
    return answer.decision


def test_first_claim_of_a_call_writes_its_record() -> None:
    ledger = Ledger()

    assert ledger.claim(make_call(), "r-1") == Claimed(Tries())
    assert ledger.record == {
        "call_id": CALL_ID,
        "flow_id": "FLOWAAAA",
        "client_identifier": "call-1",
        "client_identifier_in_event": "call-1",
        "status": "SENDING",
        "is_open": True,
        "request_id": "r-1",
        "message_id": "message-1",
        "content_hash": ledger.records.content_hash(make_call()),
        "attempts": 0,
        "refusals": 0,
        "lease_expires_at_ms": ledger.lease().expires_at_ms,
        "created_at": "2026-11-23T04:30:00.000+00:00",
        "updated_at": "2026-11-23T04:30:00.000+00:00",
        "expires_at": int(ledger.now + KEEP_OUTCOMES.total_seconds()),
    }


def test_claims_of_a_batch_are_answered_in_order() -> None:
    ledger = Ledger()
    ledger.claim(make_call("b"), "r-1")

    answers = ledger.records.claim([(make_call(name), "r-2") for name in "abc"], ledger.lease())

    assert [type(answer) for answer in answers] == [Claimed, Met, Claimed]


def test_claim_whose_answer_was_lost_is_still_a_claim() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")

    assert isinstance(ledger.claim(make_call(), "r-1"), Claimed)


def test_claim_of_a_leased_call_is_busy_until_the_lease_is_over() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    met = ledger.claim(make_call(message_id="message-2"), "r-2")

    assert isinstance(met, Met)
    assert (met.decision, met.busy_until_ms, met.is_own) == (Decision.BUSY, ledger.lease().expires_at_ms, False)
    ledger.let_the_lease_end()
    assert isinstance(ledger.claim(make_call(message_id="message-2"), "r-2"), Claimed)
    assert (ledger.record["request_id"], ledger.record["message_id"]) == ("r-2", "message-2")


def test_of_two_claims_of_an_abandoned_call_at_once_one_succeeds() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.let_the_lease_end()
    raced = ScriptedTable(ledger.table)
    raced.at_write(lambda insert: insert(), times=1)
    raced.at_write(before(lambda: ledger.claim(make_call(), "r-3")), times=1)

    assert decision(ledger.claim(make_call(), "r-2", ledger.records_over(raced))) is Decision.BUSY
    assert ledger.record["request_id"] == "r-3"


def test_claim_over_an_abandoned_call_stands_if_its_write_was_done_twice() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.let_the_lease_end()

    answer = ledger.claim(make_call(), "r-2", ledger.records_over(twice_writing(ledger.table)))

    assert isinstance(answer, Claimed)


def test_claim_whose_record_expires_between_its_two_round_trips_is_busy() -> None:
    ledger = Ledger()
    table = ScriptedTable(ledger.table)
    table.at_write(refuse)  # a record was there; TTL removes it before the read

    assert decision(ledger.claim(make_call(), "r-1", ledger.records_over(table))) is Decision.BUSY


@pytest.mark.parametrize(
    ("answer", "decided"),
    [
        (ConclusiveAnswer(Finding.ACCEPTED, 200), Decision.CONCLUDED),
        (ConclusiveAnswer(Finding.PARTLY_ACCEPTED, 209, {"call-1": "uuid"}), Decision.CONCLUDED),
        (ConclusiveAnswer(Finding.UNRESOLVED, 201), Decision.CONCLUDED),
    ],
)
def test_claim_meets_the_stored_answer_that_ends_its_call(answer: ConclusiveAnswer, decided: Decision) -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.store("r-1")
    ledger.requests.record_answer("r-1", ledger.lease(), answer)
    ledger.let_the_lease_end()

    met = ledger.claim(make_call(), "r-2")

    assert isinstance(met, Met)
    assert (met.decision, met.request_id, met.outcome.code) == (decided, "r-1", answer.code)
    assert met.outcome.status.is_final


@pytest.mark.parametrize(
    "answer",
    [ConclusiveAnswer(Finding.REFUSED, 500), ConclusiveAnswer(Finding.PARTLY_ACCEPTED, 209, {"call-2": "uuid"})],
)
def test_call_that_a_stored_answer_refuses_is_claimed_for_a_new_request(answer: ConclusiveAnswer) -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.store("r-1")
    ledger.requests.record_answer("r-1", ledger.lease(), answer)
    ledger.let_the_lease_end()

    assert isinstance(ledger.claim(make_call(), "r-2"), Claimed)


def test_claim_of_a_call_in_an_unanswered_request_names_that_request() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.store("r-1")
    ledger.let_the_lease_end()

    met = ledger.claim(make_call(message_id="message-2"), "r-2")

    assert isinstance(met, Met)
    assert (met.decision, met.request_id) == (Decision.UNANSWERED, "r-1")
    assert (ledger.record["request_id"], ledger.record["message_id"]) == ("r-1", "message-1")


def test_retry_of_a_failed_call_starts_its_count_of_refusals_anew() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    rejected = Settlement(CALL_ID, "r-1", "message-1", Outcome(Status.REJECTED, "FAILURE", 500), Tries(16, 16), 0)
    ledger.records.settle([rejected])
    ledger.now += RETRY_MARGIN_SECONDS

    assert ledger.claim(ledger.later_call(), "r-2") == Claimed(Tries(attempts=16, refusals=0))
    assert (ledger.record["status"], ledger.record["refusals"]) == ("SENDING", 0)
    assert not {"code", "reason"} & ledger.record.keys()


def test_call_that_ended_unresolved_is_remembered_as_perhaps_delivered() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.settle("r-1", Outcome(Status.UNRESOLVED, Reason.UNRESOLVED))
    ledger.now += RETRY_MARGIN_SECONDS

    answer = ledger.claim(ledger.later_call(), "r-2")

    assert answer == Claimed(Tries(may_have_been_delivered=True))


def test_outcome_does_not_overwrite_a_call_that_another_request_has_claimed() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.let_the_lease_end()
    ledger.claim(make_call(), "r-2")

    assert not ledger.settle("r-1", Outcome(Status.REJECTED))
    assert (ledger.record["status"], ledger.record["request_id"]) == ("SENDING", "r-2")


def test_final_outcome_is_not_overwritten_by_a_later_one_of_its_request() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")

    assert ledger.settle("r-1", Outcome(Status.ACCEPTED))
    assert not ledger.settle("r-1", Outcome(Status.REJECTED))
    assert ledger.record["status"] == "ACCEPTED"


def test_outcome_names_the_message_that_it_was_settled_for() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")

    ledger.settle("r-1", Outcome(Status.REJECTED), message_id="message-2")

    assert ledger.record["message_id"] == "message-2"
    assert decision(ledger.claim(make_call(message_id="message-2"), "r-2")) is Decision.DONE
    assert decision(ledger.claim(make_call(message_id="message-1"), "r-2")) is Decision.SHARE_FAILURE


def test_outcome_that_waits_is_leased_until_its_next_try() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    due_ms = int(ledger.now * 1000) + 5_000
    ledger.settle("r-1", Outcome(Status.WAITING, "FAILURE", 500), retry_at_ms=due_ms)

    assert decision(ledger.claim(make_call(), "r-2")) is Decision.BUSY
    ledger.now += 5
    assert isinstance(ledger.claim(make_call(), "r-2"), Claimed)


def test_outcome_that_was_written_twice_reads_as_not_written() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    records = ledger.records_over(twice_writing(ledger.table))

    # The message then stays, and its next receive finds the outcome on record.
    assert records.settle([Settlement(CALL_ID, "r-1", "message-1", Outcome(Status.ACCEPTED), Tries(1), 0)]) == [False]
    assert decision(ledger.claim(make_call(), "r-2")) is Decision.DELIVERED


def test_call_is_moved_only_from_the_request_that_its_record_names() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")

    assert ledger.records.move([make_call()], "r-1", "r-2", ledger.lease()) == [True]
    assert ledger.records.move([make_call()], "r-1", "r-3", ledger.lease()) == [False]
    assert (ledger.record["request_id"], ledger.record["message_id"]) == ("r-2", "message-1")


def test_call_with_a_final_outcome_is_not_moved() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    ledger.settle("r-1", Outcome(Status.ACCEPTED))

    assert ledger.records.move([make_call()], "r-1", "r-2", ledger.lease()) == [False]


def test_move_stands_if_its_write_was_done_twice() -> None:
    ledger = Ledger()
    ledger.claim(make_call(), "r-1")
    records = ledger.records_over(twice_writing(ledger.table))

    assert records.move([make_call()], "r-1", "r-2", ledger.lease()) == [True]


def test_content_hash_changes_with_the_key_the_content_and_the_identity() -> None:
    records = Ledger().records
    other_key = CallRecords(InMemoryTable(), lambda: 0.0, b"other key", KEEP_OUTCOMES)
    call = make_call()

    assert records.content_hash(call) == records.content_hash(make_call(message_id="message-2"))
    assert records.content_hash(call) != other_key.content_hash(call)
    assert records.content_hash(call) != records.content_hash(make_call("call-2"))
    assert records.content_hash(call) != records.content_hash(make_call(flow_id="FLOWBBBB"))
    assert records.content_hash(call) != records.content_hash(make_call(contact_numbers=["919900000002"]))
