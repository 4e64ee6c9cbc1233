"""The figures that are taken in process: they count what they say. How good they are is not asserted."""

import pytest

from sealed_relay.calls.message import Message, read
from sealed_relay.ports import KEY, Change, Item
from tests.bench.in_process.growth import growth
from tests.bench.in_process.messages import one_call_bodies
from tests.bench.in_process.minutes import backlog_for
from tests.bench.in_process.requests import backlog_delivered, calls_that_fit, largest_call_bytes
from tests.bench.in_process.sealing import sealing_many, sealing_one
from tests.bench.in_process.writes import MeteredTable, item_bytes, table_use
from tests.support.making import SENT_AT


def test_bodies_are_messages_of_one_call_and_of_the_size_asked_for() -> None:
    bodies = list(one_call_bodies(50, 250, 25))
    calls = [call for body in bodies for call in read(Message("message-1", "receipt", body, SENT_AT, 1))]

    assert len({call.call_id for call in calls}) == 50
    assert min(map(len, bodies)) >= 225
    assert max(map(len, bodies)) <= 275
    assert len(set(map(len, bodies))) > 1


def test_every_call_of_a_backlog_is_accepted_and_every_request_counted() -> None:
    requests = backlog_delivered(messages=45, batch_size=20)

    assert (requests.calls, requests.requests, requests.calls_per_request) == (45, 3, 15.0)


def test_from_a_certain_size_on_the_bytes_bind_and_not_the_count() -> None:
    largest = largest_call_bytes()

    assert calls_that_fit(largest) == 500
    assert calls_that_fit(largest + 1) < 500


def test_a_backlog_goes_out_within_the_limit_and_its_minutes_are_told_apart() -> None:
    minutes = backlog_for(2, messages=3_000, batch_size=5, concurrency=4)

    assert minutes.calls[0] == 5 * minutes.requests[0]
    assert minutes.requests[1] > 0
    assert minutes.max_requests <= 500
    assert minutes.refused_requests == 0
    assert minutes.calls_a_minute == sum(minutes.calls) / 2


def test_an_item_has_the_bytes_that_dynamodb_counts() -> None:
    # Names and texts by their bytes; a number by its digits, two to a byte, and one byte more; a boolean one byte.
    item: Item = {KEY: "Zoë", "n": 1234, "m": -5, "b": True, "d": b"123"}

    assert item_bytes(item) == (7 + 4) + (1 + 3) + (1 + 3) + (1 + 1) + (1 + 3)


def test_a_write_costs_what_the_larger_item_has_and_a_refused_one_is_charged_too() -> None:
    table = MeteredTable()

    assert table.insert([{KEY: "a", "body": b"x" * 2_000}, {KEY: "b"}]) == [True, True]
    assert (table.write_units, table.round_trips) == (3, 1)

    assert table.update([Change("a", {}, {"body": None}), Change("b", {"body": b""}, {})]) == [True, False]
    assert (table.write_units, table.round_trips) == (6, 2)

    table.read(["a", "nothing"])
    assert (table.read_units, table.round_trips) == (2, 3)


@pytest.mark.parametrize("batch_size", [1, 30])
def test_each_call_takes_a_claim_and_an_outcome_and_its_share_of_the_request(batch_size: int) -> None:
    use = table_use(batch_size)

    assert 2.0 < use.write_units <= 7.0
    assert use.round_trips <= 7.0


def test_sealing_is_measured_beside_its_floor() -> None:
    for sealing in (sealing_one(repeats=3), sealing_many(calls=5, repeats=3)):
        assert sealing.seconds > 0
        assert sealing.floor_seconds > 0


def test_every_size_of_batch_has_its_figure() -> None:
    assert [figure.batch_size for figure in growth((1, 3), repeats=1)] == [1, 3]
