"""The adapters of both queues, and the requests that they make."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sealed_relay_operations.aws.sqs import SqsCounts, SqsFailureQueue, SqsSourceQueue
from sealed_relay_operations.ports import Messages
from sealed_relay_operations.reasons import REDRIVEN
from sealed_relay_operations.replay.entry import Calls, Entry, calls_in

URL = "https://sqs.ap-south-1.amazonaws.com/123456789012/queue"


class FakeSqs:
    """Records the `requests` made. `refused` are the ids of entries that it refuses, batch by batch."""

    def __init__(self, messages: list[dict[str, Any]] | None = None, refused: list[set[str]] | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._messages = messages or []
        self._refused = refused or []

    def receive_message(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3
        self.requests.append(request)
        return {"Messages": self._messages} if self._messages else {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._batch(request)

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._batch(request)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        return self._batch(request)

    def _batch(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        refused = self._refused.pop(0) if self._refused else set()
        ids = [entry["Id"] for entry in request["Entries"]]
        assert len(set(ids)) == len(ids) <= 10
        return {
            "Successful": [{"Id": id_} for id_ in ids if id_ not in refused],
            "Failed": [{"Id": id_} for id_ in ids if id_ in refused],
        }


def failure_queue(sqs: FakeSqs) -> SqsFailureQueue:
    client: Any = sqs
    return SqsFailureQueue(client, URL, sleep=lambda _: None)


def send(sqs: FakeSqs, bodies: dict[str, str]) -> set[str]:
    """Send entries with these bodies, by message id."""
    client: Any = sqs
    entries = [Entry(id_, "handle", body, "EXPIRED", None, 0.0, calls_in(body)) for id_, body in bodies.items()]
    return SqsSourceQueue(client, URL).send(entries)


def message(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a received message
    return {
        "MessageId": "message",
        "ReceiptHandle": "handle",
        "Body": '{"flow-id": "FLOWAAAA", "calls": [{"client-identifier": "a"}]}',
        "Attributes": {"SentTimestamp": "1500"},
        **fields,
    }


def attribute(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def test_entry_has_the_reason_and_code_that_the_relay_published() -> None:
    attributes = {"reason": attribute("NO_DATA_AVAILABLE"), "code": attribute("213")}
    [entry] = failure_queue(FakeSqs([message(MessageAttributes=attributes)])).receive(10, 60)
    assert (entry.message_id, entry.receipt_handle, entry.sent_at) == ("message", "handle", 1.5)
    assert (entry.reason, entry.code, entry.calls.call_ids) == ("NO_DATA_AVAILABLE", 213, ("FLOWAAAA/a",))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MessageAttributes": {"code": attribute("1")}},
        {
            "Attributes": {"SentTimestamp": "1500", "DeadLetterQueueSourceArn": "arn"},
            "MessageAttributes": {"reason": attribute("+919900000001"), "code": attribute("no number")},
        },
    ],
    ids=["no attributes", "no reason", "the producer's own attributes"],
)
def test_message_not_published_by_the_relay_has_the_reason_redriven(fields: dict[str, Any]) -> None:
    [entry] = failure_queue(FakeSqs([message(**fields)])).receive(10, 60)
    assert (entry.reason, entry.code) == (REDRIVEN, None)


def test_receive_is_a_long_poll_and_asks_for_no_trace_header() -> None:
    sqs = FakeSqs()
    assert failure_queue(sqs).receive(7, 330) == []
    [request] = sqs.requests
    assert (request["MaxNumberOfMessages"], request["VisibilityTimeout"]) == (7, 330)
    assert request["WaitTimeSeconds"] > 0
    assert request["MessageSystemAttributeNames"] == ["SentTimestamp", "DeadLetterQueueSourceArn"]


def test_message_is_sent_in_the_group_of_its_flow_without_attributes_and_trace_header() -> None:
    sqs = FakeSqs()
    body = str(message()["Body"])
    assert send(sqs, {"a": body, "b": "unreadable"}) == {"a", "b"}
    assert sqs.requests == [
        {
            "QueueUrl": URL,
            "Entries": [
                {"Id": "0", "MessageBody": body, "MessageGroupId": "FLOWAAAA"},
                {"Id": "1", "MessageBody": "unreadable"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("fields", "source_queue"),
    [
        ({"MessageAttributes": {"reason": attribute("EXPIRED"), "source_queue": attribute("urgent")}}, "urgent"),
        ({"MessageAttributes": {"reason": attribute("EXPIRED")}}, "ingress"),
        ({"MessageAttributes": {"source_queue": attribute("a producer's")}}, "ingress"),
    ],
    ids=["named", "not named", "redriven"],
)
def test_entry_has_the_queue_that_the_relay_named(fields: dict[str, Any], source_queue: str) -> None:
    [entry] = failure_queue(FakeSqs([message(**fields)])).receive(10, 60)
    assert entry.source_queue == source_queue


def test_messages_are_counted_by_the_names_of_their_queues() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    counts = {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "4"}
    with Stubber(client) as stubber:
        for url in ("url-1", "url-2"):
            asked = {"QueueUrl": url, "AttributeNames": list(counts)}
            stubber.add_response("get_queue_attributes", {"Attributes": counts}, asked)
        found = SqsCounts(client, {"ingress": "url-1", "failure": "url-2"}).count()
    assert found == dict.fromkeys(("ingress", "failure"), Messages(ready=3, in_flight=4))
    client.close()


def test_refused_message_of_a_batch_does_not_count_as_sent() -> None:
    assert send(FakeSqs(refused=[{"0"}]), {"a": "body a", "b": "body b"}) == {"b"}


def test_refused_deletion_is_tried_again_alone_up_to_four_times() -> None:
    sqs = FakeSqs(refused=[{"1"}])
    failure_queue(sqs).delete(["a", "b", "c"])
    assert [[entry["ReceiptHandle"] for entry in request["Entries"]] for request in sqs.requests] == [
        ["a", "b", "c"],
        ["b"],
    ]

    sqs = FakeSqs(refused=[{"0"}] * 9)
    failure_queue(sqs).delete(["a"])
    assert len(sqs.requests) == 4


def test_entries_are_released_10_at_a_time_with_timeout_zero() -> None:
    sqs = FakeSqs()
    failure_queue(sqs).release([f"handle-{number}" for number in range(21)])
    assert [len(request["Entries"]) for request in sqs.requests] == [10, 10, 1]
    assert {entry["VisibilityTimeout"] for request in sqs.requests for entry in request["Entries"]} == {0}


def test_no_entries_cause_no_request() -> None:
    sqs = FakeSqs()
    failure_queue(sqs).delete([])
    failure_queue(sqs).release([])
    assert sqs.requests == []


def test_requests_are_valid_for_sqs() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("receive_message", {})
        stubber.add_response("send_message_batch", {"Successful": [], "Failed": []})
        stubber.add_response("delete_message_batch", {"Successful": [], "Failed": []})
        stubber.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []})
        queue = SqsFailureQueue(client, URL)
        assert queue.receive(10, 300) == []
        entry = Entry("a", "handle", "body", "EXPIRED", None, 0.0, Calls("FLOWAAAA"))
        assert SqsSourceQueue(client, URL).send([entry]) == set()
        queue.delete(["a"])
        queue.release(["a"])
        stubber.assert_no_pending_responses()
    client.close()
