"""The figures that are taken in process: they count what they say. How good they are is not asserted."""

import pytest

from sealed_relay.calls.message import Message, read
from sealed_relay.ports import KEY, Change, Item
from tests.bench.in_process.batch_cpu import batch_cpu
from tests.bench.in_process.dynamodb_cost import MeteredTable, item_bytes, table_use
from tests.bench.in_process.messages import one_call_bodies
from tests.bench.in_process.rate_use import backlog_for
from tests.bench.in_process.request_fill import backlog_delivered, calls_that_fit, largest_call_bytes
from tests.bench.in_process.sealing_cost import sealing_many, sealing_one
from tests.bench.in_process.urgent_calls import URGENT_RESERVE, UrgentCalls, urgent_beside_backlog
from tests.support.messages import SENT_AT


def test_body_has_one_call_and_the_given_size() -> None:
    bodies = list(one_call_bodies(50, 250, 25))
    calls = [call for body in bodies for call in read(Message("message-1", "receipt", body, SENT_AT, 1))]

    assert len({call.call_id for call in calls}) == 50
    assert min(map(len, bodies)) >= 225
    assert max(map(len, bodies)) <= 275
    assert len(set(map(len, bodies))) > 1


def test_backlog_is_accepted_and_every_request_counted() -> None:
    requests = backlog_delivered(messages=45, batch_size=20)

    assert (requests.calls, requests.requests, requests.calls_per_request) == (45, 3, 15.0)


def test_large_calls_fill_a_request_by_bytes_and_not_by_count() -> None:
    largest = largest_call_bytes()

    assert calls_that_fit(largest) == 500
    assert calls_that_fit(largest + 1) < 500


def test_backlog_is_sent_within_the_limit_and_counted_by_minute() -> None:
    minutes = backlog_for(2, messages=3_000, batch_size=5, concurrency=4)

    assert minutes.calls[0] == 5 * minutes.requests[0]
    assert minutes.requests[1] > 0
    assert minutes.max_requests <= 500
    assert minutes.refused_requests == 0
    assert minutes.calls_a_minute == sum(minutes.calls) / 2


def test_urgent_calls_overtake_a_backlog_only_with_a_queue_of_their_own() -> None:
    ours, without = (
        urgent_beside_backlog(has_lane=has_lane, messages=6_000, batch_size=10) for has_lane in (True, False)
    )

    assert ours.percentile(99) < 2.2
    assert without.percentile(99) > 30
    # Ordinary requests left all but the reserve to nobody; urgent ones took some of the reserve.
    assert 500 - URGENT_RESERVE < ours.first_minute <= 500
    assert without.first_minute == 500
    assert max(ours.max_requests, without.max_requests) <= 500


def test_percentile_is_the_nearest_rank() -> None:
    calls = UrgentCalls([float(number) for number in range(1, 201)], 0.0, 0, 0)

    assert (calls.percentile(50), calls.percentile(99), calls.percentile(100)) == (100.0, 198.0, 200.0)
    assert UrgentCalls([7.0], 0.0, 0, 0).percentile(99) == 7.0


def test_item_size_is_counted_as_by_dynamodb() -> None:
    # Names and texts by their bytes; a number by its digits, two to a byte, and one byte more; a boolean one byte.
    item: Item = {KEY: "Zoë", "n": 1234, "m": -5, "b": True, "d": b"123"}

    assert item_bytes(item) == (7 + 4) + (1 + 3) + (1 + 3) + (1 + 1) + (1 + 3)


def test_write_costs_the_larger_item_also_if_refused() -> None:
    table = MeteredTable()

    assert table.insert([{KEY: "a", "body": b"x" * 2_000}, {KEY: "b"}]) == [True, True]
    assert (table.write_units, table.round_trips) == (3, 1)

    assert table.update([Change("a", {}, {"body": None}), Change("b", {"body": b""}, {})]) == [True, False]
    assert (table.write_units, table.round_trips) == (6, 2)

    table.read(["a", "nothing"])
    assert (table.read_units, table.round_trips) == (2, 3)


@pytest.mark.parametrize("batch_size", [1, 30])
def test_call_costs_a_claim_an_outcome_and_its_share_of_the_request(batch_size: int) -> None:
    use = table_use(batch_size)

    assert 2.0 < use.write_units <= 7.0
    assert use.round_trips <= 7.0


def test_sealing_is_measured_beside_its_minimum() -> None:
    for sealing in (sealing_one(repeats=3), sealing_many(calls=5, repeats=3)):
        assert sealing.seconds > 0
        assert sealing.floor_seconds > 0


def test_every_batch_size_has_a_figure() -> None:
    assert [figure.batch_size for figure in batch_cpu((1, 3), repeats=1)] == [1, 3]
