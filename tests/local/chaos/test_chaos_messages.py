import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from local.chaos.chaos_messages import REFUSED_NUMBERS, chaos_messages
from local.run.messages import OutgoingMessage
from sealed_relay.calls.message import Lane, Message, read

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FLOWS = ("ALERTS01", "NOTICE02")


def sent_by(seed: int, calls: int = 2_000) -> list[OutgoingMessage]:
    return list(chaos_messages(Random(seed), calls, FLOWS, "-run1", NOW, 100))


def test_same_seed_gives_same_messages() -> None:
    assert sent_by(1) == sent_by(1)
    assert sent_by(1) != sent_by(2)


@pytest.mark.parametrize("calls", [1, 7, 2_000])
def test_messages_hold_exactly_the_calls_asked_for(calls: int) -> None:
    call_ids = {call_id for message in sent_by(1, calls) for call_id in message.call_ids}
    assert len(call_ids) == calls
    assert all(call_id.endswith("-run1") for call_id in call_ids)


def test_every_message_is_readable_by_the_relay() -> None:
    for message in sent_by(1):
        calls = read(Message("id", "receipt", message.body, NOW, 1))
        assert tuple(call.call_id for call in calls) == message.call_ids


def test_some_messages_come_twice_but_none_with_calls_that_may_fail() -> None:
    times = Counter(message.body for message in sent_by(1))
    twice = [body for body, count in times.items() if count > 1]
    assert twice
    assert not any("not-after" in body or number in body for body in twice for number in REFUSED_NUMBERS)


def test_both_queues_get_messages_and_some_calls_are_in_both() -> None:
    messages = sent_by(1, 20_000)
    bodies = {lane: {message.body for message in messages if message.queue is lane} for lane in Lane}
    assert 0.05 < len(bodies[Lane.URGENT]) / len(messages) < 0.15
    assert bodies[Lane.URGENT] & bodies[Lane.INGRESS]


def test_some_calls_have_a_refused_number_and_some_a_near_deadline() -> None:
    calls = [call for message in sent_by(1) for call in json.loads(message.body)["calls"]]
    assert any(call["contact-numbers"][0] in REFUSED_NUMBERS for call in calls)
    deadlines = [datetime.fromisoformat(call["not-after"]) for call in calls if "not-after" in call]
    assert deadlines
    assert all(NOW < deadline <= NOW + timedelta(seconds=100 + 420) for deadline in deadlines)
    assert any(deadline <= NOW + timedelta(seconds=120) for deadline in deadlines)


def test_every_message_with_a_malformed_call_has_a_deadline() -> None:
    messages = [json.loads(message.body)["calls"] for message in sent_by(1, 20_000)]
    malformed = [calls for calls in messages if any(call["contact-numbers"] == ["910000000400"] for call in calls)]
    assert malformed
    assert all("not-after" in call for calls in malformed for call in calls)
