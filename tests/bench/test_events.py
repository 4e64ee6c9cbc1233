import json
from collections import Counter

from sealed_relay.calls.message import Message, read, sent_at_of
from tests.bench.events import event_of


def test_message_has_300_bytes_and_one_new_readable_call() -> None:
    records = [record for _ in range(2) for record in json.loads(event_of(50, ["FLOWAAAA"]))["Records"]]
    assert {len(record["body"].encode()) for record in records} == {300}
    calls = [
        read(Message(record["messageId"], "", record["body"], sent_at_of(record["attributes"]["SentTimestamp"]), 1))
        for record in records
    ]
    assert {len(of_message) for of_message in calls} == {1}
    assert len({of_message[0].call_id for of_message in calls}) == 100


def test_event_uses_the_flows_in_turn() -> None:
    bodies = [json.loads(record["body"]) for record in json.loads(event_of(5, ["FLOWAAAA", "FLOWBBBB"]))["Records"]]
    assert Counter(body["flow-id"] for body in bodies) == {"FLOWAAAA": 3, "FLOWBBBB": 2}
