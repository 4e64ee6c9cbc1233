"""Publishing failures: batches, refused entries, and bodies that leave no room for attributes."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from sealed_relay.aws.sqs import FailureQueue, FailureQueueError
from sealed_relay.calls.message import Lane
from sealed_relay.observability.emitter import describe
from sealed_relay.ports import Failure

URL = "https://sqs.ap-south-1.amazonaws.com/123456789012/failure"
A_MEBIBYTE = 1024 * 1024

Entries = list[dict[str, Any]]


class FakeSqs:
    """Refuses the entries that `refuses` picks, takes the others, and keeps all requests."""

    def __init__(self, refuses: Callable[[int, dict[str, Any]], bool] = lambda _call, _entry: False) -> None:
        self.calls: list[Entries] = []
        self._refuses = refuses

    def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert QueueUrl == URL
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.calls.append(Entries)
        failed = [entry for entry in Entries if self._refuses(len(self.calls), entry)]
        return {
            "Successful": [{"Id": entry["Id"]} for entry in Entries if entry not in failed],
            **({"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed]} if failed else {}),
        }

    @property
    def bodies(self) -> list[list[str]]:
        return [[entry["MessageBody"] for entry in entries] for entries in self.calls]


def publish(sqs: FakeSqs, *failures: Failure) -> None:
    client: Any = sqs
    FailureQueue(client, URL, sleep=lambda _: None).publish(failures)


def failure(body: str = "body", **fields: Any) -> Failure:  # noqa: ANN401 - any field of a failure
    given = {"reason": "EXPIRED", "detail": "Too late.", "source_message_id": "message-1", "source_queue": Lane.INGRESS}
    return Failure(body, **{**given, **fields})


def attributes_of(sqs: FakeSqs) -> dict[str, tuple[str, str]]:
    [[entry]] = sqs.calls
    return {name: (value["DataType"], value["StringValue"]) for name, value in entry["MessageAttributes"].items()}


def size_bytes(entry: dict[str, Any]) -> int:
    attributes = entry["MessageAttributes"].items()
    return len(entry["MessageBody"].encode()) + sum(
        len((name + value["DataType"] + value["StringValue"]).encode()) for name, value in attributes
    )


def test_failure_is_a_message_with_the_attributes_of_the_contract() -> None:
    sqs = FakeSqs()

    publish(
        sqs,
        failure(
            reason="INVALID_FORMAT",
            code=400,
            request_id="request-1",
            api_request_id="api-1",
            source_queue=Lane.URGENT,
        ),
    )

    assert sqs.bodies == [["body"]]
    assert attributes_of(sqs) == {
        "reason": ("String", "INVALID_FORMAT"),
        "code": ("Number", "400"),
        "detail": ("String", "Too late."),
        "source_message_id": ("String", "message-1"),
        "request_id": ("String", "request-1"),
        "api_request_id": ("String", "api-1"),
        "source_queue": ("String", "urgent"),
    }


def test_attribute_without_a_value_is_left_out() -> None:
    sqs = FakeSqs()

    publish(sqs, failure())

    assert set(attributes_of(sqs)) == {"reason", "detail", "source_message_id", "source_queue"}


def test_request_fits_the_model_of_sqs() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("send_message_batch", {"Successful": [], "Failed": []})
        FailureQueue(client, URL).publish([failure(code=400)])
        stubber.assert_no_pending_responses()


def test_batch_has_at_most_10_entries() -> None:
    sqs = FakeSqs()

    publish(sqs, *(failure(str(index)) for index in range(23)))

    assert [len(entries) for entries in sqs.calls] == [10, 10, 3]
    assert [body for bodies in sqs.bodies for body in bodies] == [str(index) for index in range(23)]


def test_batch_has_at_most_one_mebibyte() -> None:
    sqs = FakeSqs()

    publish(sqs, *(failure("é" * 150_000) for _ in range(7)))

    assert [len(entries) for entries in sqs.calls] == [3, 3, 1]
    assert all(sum(map(size_bytes, entries)) <= A_MEBIBYTE for entries in sqs.calls)


def test_nothing_to_publish_sends_no_request() -> None:
    sqs = FakeSqs()

    publish(sqs)

    assert sqs.calls == []


def test_refused_entries_are_sent_again_alone() -> None:
    sqs = FakeSqs(lambda call, entry: call == 1 and entry["MessageBody"] in "bd")

    publish(sqs, *map(failure, "abcde"))

    assert sqs.bodies == [["a", "b", "c", "d", "e"], ["b", "d"]]


def test_entry_refused_every_time_raises() -> None:
    sqs = FakeSqs(lambda _call, entry: entry["MessageBody"] == "b")

    with pytest.raises(FailureQueueError, match="refused 1 of 3"):
        publish(sqs, *map(failure, "abc"))

    assert sqs.bodies == [["a", "b", "c"], ["b"], ["b"], ["b"]]


def test_refused_entry_is_logged_with_code_and_operation() -> None:
    sqs = FakeSqs(lambda _call, _entry: True)

    with pytest.raises(FailureQueueError) as caught:
        publish(sqs, failure())

    logged = describe(caught.value)
    assert (logged["error_code"], logged["operation"]) == ("InternalError", "SendMessageBatch")


def test_failed_request_raises() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_client_error("send_message_batch", "AWS.SimpleQueueService.BatchRequestTooLong")
        with pytest.raises(ClientError):
            FailureQueue(client, URL).publish([failure()])


def test_body_of_maximum_size_is_kept_without_attributes() -> None:
    sqs = FakeSqs()

    publish(sqs, failure("é" * (A_MEBIBYTE // 2), code=400, request_id="request-1", api_request_id="api-1"))

    assert sqs.bodies == [["é" * (A_MEBIBYTE // 2)]]
    assert attributes_of(sqs) == {}


@pytest.mark.parametrize(
    ("room_bytes", "kept"),
    [
        (20, {"reason"}),
        (45, {"reason", "source_queue"}),
        (60, {"reason", "source_queue", "code"}),
        (95, {"reason", "source_queue", "code", "source_message_id"}),
        (120, {"reason", "source_queue", "code", "source_message_id", "request_id"}),
        (145, {"reason", "source_queue", "code", "source_message_id", "request_id", "api_request_id"}),
        (200, {"reason", "source_queue", "code", "source_message_id", "request_id", "api_request_id", "detail"}),
    ],
)
def test_least_useful_attributes_are_dropped_first(room_bytes: int, kept: set[str]) -> None:
    sqs = FakeSqs()

    body = "x" * (A_MEBIBYTE - room_bytes)
    publish(sqs, failure(body, code=400, request_id="request-1", api_request_id="api-1"))

    assert set(attributes_of(sqs)) == kept
    assert size_bytes(sqs.calls[0][0]) <= A_MEBIBYTE


def test_repr_of_a_failure_has_no_body() -> None:
    assert "919900000001" not in repr(failure("919900000001"))
