"""The ledger's conditions: what an invocation wrote is not undone by one whose hold is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sealed_relay.calls.message import Call, Message, read
from sealed_relay.calls.outcome import Outcome, Reason, Status
from sealed_relay.kairos.answer import Answered
from sealed_relay.ledger.call_records import Ledger, Settlement
from sealed_relay.ledger.claim_rules import Busy, Claimed, Lease, Tries, Unanswered
from sealed_relay.ledger.items import SealedRequest
from sealed_relay.ledger.request_log import LeaseLostError, RequestLog
from sealed_relay.ports import Change
from tests.functional.scene import Clock, message_body
from tests.support.table import InMemoryTable

MINUTE_MS = 60_000


class Book:
    """A ledger over a table in memory, with one call in it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.table = InMemoryTable()
        self.ledger = self.ledger_over(self.table)
        self.requests = self.requests_over(self.table)

    def ledger_over(self, table: InMemoryTable) -> Ledger:
        return Ledger(table, self.clock, b"key", timedelta(days=90))

    def requests_over(self, table: InMemoryTable) -> RequestLog:
        return RequestLog(table, self.clock, keep_outcomes=timedelta(days=90), keep_envelopes=timedelta(hours=48))

    def lease(self, lease_id: str) -> Lease:
        return Lease(lease_id, int(self.clock() * 1000) + MINUTE_MS)

    def call(self, message_id: str = "m-1") -> Call:
        sent_at = datetime.fromtimestamp(self.clock(), UTC)
        return read(Message(message_id, "handle", message_body("a"), sent_at, 1))[0]

    def store(self, request_id: str, lease: Lease) -> None:
        deadline_ms = int(self.clock() * 1000) + 60 * MINUTE_MS
        self.requests.store(
            SealedRequest(request_id, "FLOWAAAA", "outbound", "version 1", "2026-11-23", b"body", ("a",), deadline_ms),
            lease,
        )

    @property
    def record(self) -> dict[str, object]:
        return dict(self.table.items["FLOWAAAA/a"])


def test_an_outcome_does_not_overwrite_a_call_that_another_request_has_claimed_since() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.clock.now += 61
    assert isinstance(book.ledger.claim([(book.call(), "r-2")], book.lease("two"))[0], Claimed)
    book.ledger.settle([Settlement("FLOWAAAA/a", "r-1", Outcome(Status.REJECTED))])
    assert (book.record["status"], book.record["request_id"]) == ("SENDING", "r-2")


def test_a_call_is_not_moved_from_a_request_that_does_not_hold_it_any_more() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.clock.now += 61
    book.ledger.claim([(book.call(), "r-2")], book.lease("two"))
    assert book.ledger.move([book.call()], "r-1", "r-3", book.lease("one")) == [False]
    assert book.record["request_id"] == "r-2"


def test_a_final_outcome_is_not_overwritten_by_a_later_one_of_the_same_request() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.ledger.settle([Settlement("FLOWAAAA/a", "r-1", Outcome(Status.ACCEPTED))])
    book.ledger.settle([Settlement("FLOWAAAA/a", "r-1", Outcome(Status.REJECTED))])
    assert book.record["status"] == "ACCEPTED"


def test_a_request_under_a_living_lease_is_not_taken_over() -> None:
    book = Book()
    book.store("r-1", book.lease("one"))
    assert book.requests.take_over("r-1", book.lease("two")) is None
    book.clock.now += 60
    assert book.requests.take_over("r-1", book.lease("two")) is not None


def test_of_two_that_take_a_request_over_at_once_one_succeeds() -> None:
    book = Book()
    book.store("r-1", book.lease("one"))
    book.clock.now += 61

    class RacedTable(InMemoryTable):
        """Lets another take the request over just before the first one writes."""

        is_raced = False

        def update(self, changes: Sequence[Change]) -> list[bool]:
            if not self.is_raced:
                self.is_raced = True
                assert book.requests.take_over("r-1", book.lease("three"))
            return super().update(changes)

    raced = RacedTable()
    raced.items = book.table.items
    assert book.requests_over(raced).take_over("r-1", book.lease("two")) is None


def test_an_answer_is_not_recorded_by_one_whose_request_was_taken_over() -> None:
    book = Book()
    first = book.lease("one")
    book.store("r-1", first)
    book.clock.now += 61
    book.requests.take_over("r-1", book.lease("two"))
    with pytest.raises(LeaseLostError):
        book.requests.record_answer("r-1", first, Answered(400), is_resend=False)
    with pytest.raises(LeaseLostError):
        book.requests.release("r-1", first, may_have_been_sent=False)


def test_an_answered_request_is_not_taken_over() -> None:
    book = Book()
    lease = book.lease("one")
    book.store("r-1", lease)
    book.requests.record_answer("r-1", lease, Answered(500), is_resend=False)
    book.clock.now += 61
    assert book.requests.take_over("r-1", book.lease("two")) is None


def test_a_write_that_was_delayed_on_the_way_does_not_undo_an_answer() -> None:
    book = Book()
    lease = book.lease("one")
    book.store("r-1", lease)
    book.requests.record_answer("r-1", lease, Answered(500), is_resend=False)
    book.store("r-1", lease)
    book.clock.now += 61
    assert book.requests.take_over("r-1", book.lease("two")) is None


def test_a_claim_whose_own_answer_was_lost_on_the_way_is_still_a_claim() -> None:
    book = Book()
    claims = [(book.call(), "r-1")]
    book.ledger.claim(claims, book.lease("one"))
    assert isinstance(book.ledger.claim(claims, book.lease("one"))[0], Claimed)


def test_of_two_that_claim_an_abandoned_call_at_once_one_succeeds() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.clock.now += 61

    class RacedTable(InMemoryTable):
        def update(self, changes: Sequence[Change]) -> list[bool]:
            book.ledger.claim([(book.call(), "r-3")], book.lease("three"))
            return super().update(changes)

    raced = RacedTable()
    raced.items = book.table.items
    ledger = book.ledger_over(raced)
    assert isinstance(ledger.claim([(book.call(), "r-2")], book.lease("two"))[0], Busy)
    assert book.record["request_id"] == "r-3"


def test_a_request_outlives_every_record_that_names_it() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.store("r-1", book.lease("one"))
    assert int(str(book.table.items["#request/r-1"]["expires_at"])) > int(str(book.record["expires_at"]))


def test_the_content_hash_changes_with_the_key_and_with_the_call() -> None:
    book = Book()
    other = Ledger(book.table, book.clock, b"other", timedelta(days=90))
    assert book.ledger.content_hash(book.call()) == book.ledger.content_hash(book.call("m-2"))
    assert book.ledger.content_hash(book.call()) != other.content_hash(book.call())


class RetriedTable(InMemoryTable):
    """Does every update, loses the answer, and does it again, as the SDK does: the second time the condition fails."""

    def update(self, changes: Sequence[Change]) -> list[bool]:
        super().update(changes)
        return super().update(changes)


def test_a_claim_over_an_abandoned_call_stands_when_its_write_was_retried() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    book.clock.now += 61
    retried = RetriedTable()
    retried.items = book.table.items
    ledger = book.ledger_over(retried)
    assert isinstance(ledger.claim([(book.call(), "r-2")], book.lease("two"))[0], Claimed)


def test_a_move_stands_when_its_write_was_retried() -> None:
    book = Book()
    book.ledger.claim([(book.call(), "r-1")], book.lease("one"))
    retried = RetriedTable()
    retried.items = book.table.items
    ledger = book.ledger_over(retried)
    assert ledger.move([book.call()], "r-1", "r-2", book.lease("one")) == [True]


def test_a_message_that_came_to_hold_its_call_in_between_is_not_acknowledged() -> None:
    book = Book()
    book.ledger.claim([(book.call("m-1"), "r-1")], book.lease("one"))
    repeat = book.call("m-2")

    class RacedTable(InMemoryTable):
        """Lets the repeat's other copy take the call up just before the mark is written."""

        def update(self, changes: Sequence[Change]) -> list[bool]:
            book.clock.now += 61
            assert isinstance(book.ledger.claim([(repeat, "r-2")], book.lease("two"))[0], Claimed)
            return super().update(changes)

    raced = RacedTable()
    raced.items = book.table.items
    ledger = book.ledger_over(raced)

    assert ledger.acknowledge([repeat]) == [False]
    assert (book.record["message_id"], book.record["acknowledged"]) == ("m-2", "")


def test_of_two_messages_acknowledged_at_once_neither_mark_is_lost() -> None:
    book = Book()
    book.ledger.claim([(book.call("m-1"), "r-1")], book.lease("one"))

    first = book.ledger.acknowledge([book.call("m-2"), book.call("m-3")])
    again = book.ledger.acknowledge([book.call("m-2"), book.call("m-3")])

    assert sorted(first) == [False, True]
    assert True in again
    assert set(str(book.record["acknowledged"]).split()) == {"m-2", "m-3"}


def test_the_message_that_holds_a_call_is_never_acknowledged_as_a_repeat() -> None:
    book = Book()
    book.ledger.claim([(book.call("m-1"), "r-1")], book.lease("one"))

    assert book.ledger.acknowledge([book.call("m-1")]) == [False]


def test_a_message_that_was_acknowledged_since_its_record_was_read_does_not_claim_its_call() -> None:
    book = Book()
    book.ledger.claim([(book.call("m-1"), "r-1")], book.lease("one"))
    book.ledger.settle([Settlement("FLOWAAAA/a", "r-1", Outcome(Status.WAITING), retry_at_ms=0)])
    repeat = book.call("m-2")

    class RacedTable(InMemoryTable):
        """Lets the repeat's other copy be acknowledged between the claim's read and its write."""

        def update(self, changes: Sequence[Change]) -> list[bool]:
            assert book.ledger.acknowledge([repeat]) == [True]
            return super().update(changes)

    raced = RacedTable()
    raced.items = book.table.items

    assert isinstance(book.ledger_over(raced).claim([(repeat, "r-2")], book.lease("two"))[0], Busy)
    assert book.record["message_id"] == "m-1"


@pytest.mark.parametrize("how", ["settled", "moved"])
def test_a_message_that_recovers_a_call_does_not_come_to_hold_it_for_it_may_be_acknowledged_meanwhile(how: str) -> None:
    book = Book()
    book.ledger.claim([(book.call("m-1"), "r-1")], book.lease("one"))
    book.store("r-1", book.lease("one"))
    book.clock.now += 61
    second = book.call("m-2")
    assert isinstance(book.ledger.claim([(second, "r-2")], book.lease("two"))[0], Unanswered)
    assert book.ledger.acknowledge([second]) == [True]  # by another invocation, as a repeat of what the first one holds

    if how == "settled":
        waits = Outcome(Status.WAITING, Reason.NO_ANSWER)
        book.ledger.settle([Settlement("FLOWAAAA/a", "r-1", waits, "m-2", retry_at_ms=1, tries=Tries())])
    else:
        assert book.ledger.move([second], "r-1", "r-2", book.lease("two")) == [True]

    assert book.record["message_id"] == "m-1"


def test_a_request_that_was_stored_in_part_stays_unsent_also_if_its_envelope_arrives_after_it_was_taken_over() -> None:
    book = Book()
    book.store("r-1", book.lease("one"))
    late = book.table.items.pop("#envelope/r-1")
    book.clock.now += 61
    book.requests.take_over("r-1", book.lease("two"))  # and whoever did is gone before it is released
    book.table.items["#envelope/r-1"] = late
    book.clock.now += 61

    takeover = book.requests.take_over("r-1", book.lease("three"))

    assert takeover
    assert not takeover.may_have_been_sent
