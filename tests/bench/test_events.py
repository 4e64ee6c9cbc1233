import json
from collections import Counter

from sealed_relay.calls.message import Message, read, sent_at_of
from tests.bench.events import event_of


def test_each_message_is_300_bytes_with_one_new_call_that_the_relay_can_read() -> None:
    records = [record for _ in range(2) for record in json.loads(event_of(50, ["FLOWAAAA"]))["Records"]]
    assert {len(record["body"].encode()) for record in records} == {300}
    calls = [
        read(Message(record["messageId"], "", record["body"], sent_at_of(record["attributes"]["SentTimestamp"]), 1))
        for record in records
    ]
    assert {len(of_message) for of_message in calls} == {1}
    assert len({of_message[0].call_id for of_message in calls}) == 100


def test_flows_take_turns() -> None:
    bodies = [json.loads(record["body"]) for record in json.loads(event_of(5, ["FLOWAAAA", "FLOWBBBB"]))["Records"]]
    assert Counter(body["flow-id"] for body in bodies) == {"FLOWAAAA": 3, "FLOWBBBB": 2}
