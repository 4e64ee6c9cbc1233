"""What there is to do after the claims, rivals in the same batch included."""

from collections.abc import Sequence

import pytest

from sealed_relay.batch.inbox import Inbox
from sealed_relay.batch.plan import Request
from sealed_relay.batch.sort_claims import Triage, triage
from sealed_relay.calls.message import Call
from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.ledger.claim_rules import (
    Busy,
    Claimed,
    Concluded,
    Decision,
    Done,
    Duplicate,
    Reused,
    Tries,
    Unanswered,
)
from tests.support.making import NUMBER, body_of_calls, make_message, written_call

NOW_MS = 1_795_408_200_000
ACCEPTED = Outcome(Status.ACCEPTED, "SUCCESS", 200)
CLAIMED = Claimed(Tries(2, 1))
UNANSWERED = Unanswered("old request", Tries(3, 0))
CONCLUDED = Concluded("old request", ACCEPTED)
BUSY = Busy(NOW_MS + 5_000)
HOLDS = [CLAIMED, UNANSWERED, CONCLUDED]


def inbox_of(*names: str) -> Inbox:
    """A message a name: m0, m1, and so on. A name with a mark is the same identity with other content."""
    return Inbox(
        [
            make_message(
                body_of_calls(
                    written_call(name.rstrip("'"), contact_numbers=[NUMBER if name[-1] != "'" else "9" * 10])
                ),
                f"m{index}",
            )
            for index, name in enumerate(names)
        ]
    )


def sort(inbox: Inbox, **decisions: Decision) -> Triage:
    requests = [Request("new request", "FLOWAAAA", tuple(inbox.calls))]
    by_id = {f"FLOWAAAA/{name}": decision for name, decision in decisions.items()}
    return triage(inbox, requests, by_id, NOW_MS, lambda call: 100.0 + call.receive_count)


def names(calls: Sequence[Call]) -> list[str]:
    return [call.client_identifier for call in calls]


def test_only_claimed_calls_are_delivered() -> None:
    inbox = inbox_of("a", "b", "c", "d", "e", "f", "g")

    found = sort(
        inbox, a=CLAIMED, b=UNANSWERED, c=CONCLUDED, d=BUSY, e=Duplicate(is_delivered=True), f=Reused(), g=Done()
    )

    [request] = found.requests
    assert (request.request_id, names(request.calls)) == ("new request", ["a"])
    assert {request_id: names(calls) for request_id, calls in found.lost.items()} == {"old request": ["b"]}
    assert {
        key: [(call.client_identifier, outcome) for call, outcome in each] for key, each in found.concluded.items()
    } == {"old request": [("c", ACCEPTED)]}
    assert names(found.refused) == ["f"]
    assert found.duplicates == 1
    assert found.tries == {"FLOWAAAA/a": Tries(2, 1), "FLOWAAAA/b": Tries(3, 0)}
    # Done with: the duplicate and the one whose acknowledgement was lost. All others stay open until work is done.
    assert inbox.open_message_ids == ["m0", "m1", "m2", "m3", "m5"]


def test_a_duplicate_of_a_call_under_way_stays_open_until_its_acknowledgement_is_on_record() -> None:
    inbox = inbox_of("a")

    found = sort(inbox, a=Duplicate(is_delivered=False))

    assert (names(found.repeats), found.duplicates, inbox.open_message_ids) == (["a"], 1, ["m0"])


def test_calls_that_were_held_back_are_left_alone_and_so_are_their_rivals() -> None:
    inbox = inbox_of("a", "a")

    found = sort(inbox)

    assert found == Triage()
    assert inbox.open_message_ids == ["m0", "m1"]
    assert inbox.delays_seconds(otherwise=0.0)["handle of m1"] == 101.0


def test_a_request_none_of_whose_calls_was_claimed_is_dropped() -> None:
    assert sort(inbox_of("a", "b"), a=Done(), b=BUSY).requests == []


def test_calls_of_one_lost_request_are_recovered_together() -> None:
    found = sort(inbox_of("a", "b"), a=UNANSWERED, b=UNANSWERED)

    assert {request_id: names(calls) for request_id, calls in found.lost.items()} == {"old request": ["a", "b"]}


@pytest.mark.parametrize(("until_ms", "seconds"), [(NOW_MS + 5_000, 106.0), (NOW_MS, 101.0), (NOW_MS - 9_000, 101.0)])
def test_a_busy_calls_message_comes_back_some_time_after_the_lease_is_over(until_ms: int, seconds: float) -> None:
    inbox = inbox_of("a")

    sort(inbox, a=Busy(until_ms))

    assert inbox.delays_seconds(otherwise=0.0) == {"handle of m0": seconds}


@pytest.mark.parametrize("decision", HOLDS, ids=lambda decision: type(decision).__name__)
def test_a_rival_with_the_same_content_is_a_duplicate(decision: Decision) -> None:
    inbox = inbox_of("a", "a")

    found = sort(inbox, a=decision)

    assert found.duplicates == 1
    assert [call.message_id for call in found.repeats] == ["m1"]
    assert "m1" in inbox.open_message_ids
    assert found.refused == []


@pytest.mark.parametrize("decision", HOLDS, ids=lambda decision: type(decision).__name__)
def test_a_rival_with_other_content_is_refused_and_stays_open_until_it_is_published(decision: Decision) -> None:
    inbox = inbox_of("a", "a'")

    found = sort(inbox, a=decision)

    assert [call.message_id for call in found.refused] == ["m1"]
    assert "m1" in inbox.open_message_ids
    assert all("m1" not in {call.message_id for call in request.calls} for request in found.requests)


@pytest.mark.parametrize("rival", ["a", "a'"])
@pytest.mark.parametrize(
    "decision", [Done(), Reused(), BUSY, Duplicate(is_delivered=True)], ids=lambda decision: type(decision).__name__
)
def test_a_rival_of_a_call_that_is_not_held_here_is_judged_the_next_time(decision: Decision, rival: str) -> None:
    inbox = inbox_of("a", rival)

    found = sort(inbox, a=decision)

    assert found.duplicates == isinstance(decision, Duplicate)
    assert "m1" not in {call.message_id for call in found.refused}
    assert inbox.delays_seconds(otherwise=0.0)["handle of m1"] == 101.0


def test_of_several_rivals_each_is_judged_by_itself() -> None:
    inbox = inbox_of("a", "a'", "a", "a'")

    found = sort(inbox, a=CLAIMED)

    assert [call.message_id for call in found.refused] == ["m1", "m3"]
    assert [call.message_id for call in found.repeats] == ["m2"]
    assert found.duplicates == 1
    assert inbox.open_message_ids == ["m0", "m1", "m2", "m3"]
