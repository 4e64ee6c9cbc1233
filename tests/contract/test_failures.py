"""What `ports.Failures` promises."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sealed_relay.aws.sqs import FailureQueue
from sealed_relay.calls.message import Lane
from sealed_relay.ports import Failure
from tests.contract.conftest import SqsQueue
from tests.support.queues import InMemoryFailures

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

EVERY_ATTRIBUTE = Failure(
    body='{"flow-id":"FLOW0001","calls":[]}',
    reason="INVALID_CONTACT_NUMBER",
    detail="The API refused the call: 205 INVALID_CONTACT_NUMBER.",
    source_message_id="00000000-0000-4000-8000-000000000001",
    code=205,
    request_id="0123456789abcdef0123456789abcdef",
    source_queue=Lane.URGENT,
)
NO_CODE_AND_NO_REQUEST = Failure(
    body="unreadable",
    reason="INVALID_MESSAGE",
    detail="The body is not JSON.",
    source_message_id="message-1",
    source_queue=Lane.INGRESS,
)


@dataclass
class Bench:
    """A failure queue, and a look at what it holds."""

    publish: Callable[[Sequence[Failure]], None]
    held: Callable[[], list[Failure]]


@pytest.fixture
def in_memory() -> Bench:
    failures = InMemoryFailures()
    return Bench(failures.publish, lambda: failures.published)


@pytest.fixture
def on_aws(queue: SqsQueue) -> Bench:
    failures = FailureQueue(queue.sqs, queue.url)
    return Bench(failures.publish, lambda: [failure_in(message) for message in queue.receive_all()])


def failure_in(message: "MessageTypeDef") -> Failure:
    values = {name: attribute["StringValue"] for name, attribute in message.get("MessageAttributes", {}).items()}
    code = values.get("code")
    return Failure(
        body=message["Body"],
        reason=values.get("reason", ""),
        detail=values.get("detail", ""),
        source_message_id=values.get("source_message_id", ""),
        code=int(code) if code else None,
        request_id=values.get("request_id", ""),
        source_queue=Lane(values["source_queue"]) if "source_queue" in values else Lane.INGRESS,
    )


def failure(body: str, number: int = 0) -> Failure:
    return Failure(body, "EXPIRED", "Its deadline passed.", f"message-{number}", Lane.INGRESS)


def test_failure_arrives_with_all_its_fields(bench: Bench) -> None:
    bench.publish([EVERY_ATTRIBUTE, NO_CODE_AND_NO_REQUEST])
    assert Counter(bench.held()) == Counter([EVERY_ATTRIBUTE, NO_CODE_AND_NO_REQUEST])


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_any_number_of_failures_arrives_once_each(bench: Bench, count: int) -> None:
    failures = [failure(f"body {number}", number) for number in range(count)]
    bench.publish(failures)
    assert Counter(bench.held()) == Counter(failures)


def test_bodies_too_large_for_one_round_trip_arrive(bench: Bench) -> None:
    failures = [failure(str(number) * 700_000, number) for number in range(4)]
    bench.publish([*failures[:2], failure("small", 9), *failures[2:]])
    assert Counter(bench.held()) == Counter([*failures, failure("small", 9)])


@pytest.mark.parametrize(
    "text",
    [
        "₹ 450 for Zoë 🔔",
        "नमस्ते",
        "<tag> & \"quotes\" 'single' \\ back",
        "a\tb\nc\rd",
        "  spaces  ",
        "\ufffd\ue000\U0010ffff",
    ],
)
def test_text_of_any_kind_arrives_unchanged(bench: Bench, text: str) -> None:
    written = Failure(
        text, reason="INVALID_MESSAGE", detail=f"{text}.", source_message_id="message-1", source_queue=Lane.INGRESS
    )
    bench.publish([written])
    assert bench.held() == [written]


@pytest.mark.stack
def test_attributes_have_the_names_and_types_of_the_contract(on_aws: Bench, queue: SqsQueue) -> None:
    on_aws.publish([EVERY_ATTRIBUTE])
    [message] = queue.receive_all()
    attributes = message["MessageAttributes"]
    assert {name: (each["DataType"], each["StringValue"]) for name, each in attributes.items()} == {
        "reason": ("String", "INVALID_CONTACT_NUMBER"),
        "code": ("Number", "205"),
        "detail": ("String", "The API refused the call: 205 INVALID_CONTACT_NUMBER."),
        "source_message_id": ("String", "00000000-0000-4000-8000-000000000001"),
        "request_id": ("String", "0123456789abcdef0123456789abcdef"),
        "source_queue": ("String", "urgent"),
    }


@pytest.mark.stack
def test_attributes_without_a_value_are_left_out(on_aws: Bench, queue: SqsQueue) -> None:
    on_aws.publish([NO_CODE_AND_NO_REQUEST])
    [message] = queue.receive_all()
    assert set(message["MessageAttributes"]) == {"reason", "detail", "source_message_id", "source_queue"}


@pytest.mark.stack
def test_body_of_maximum_size_arrives_without_attributes(on_aws: Bench, queue: SqsQueue) -> None:
    on_aws.publish([failure("x" * 1_048_576)])
    [message] = queue.receive_all()
    assert message["Body"] == "x" * 1_048_576
    assert "MessageAttributes" not in message
