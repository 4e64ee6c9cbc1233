"""What `ports.Failures` promises."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from sealed_relay.aws.sqs import FailureQueue
from sealed_relay.ports import Failure
from tests.support.aws_clients import AwsClients
from tests.support.queues import InMemoryFailures

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

EVERY_ATTRIBUTE = Failure(
    body='{"flow-id":"FLOW0001","calls":[]}',
    reason="INVALID_CONTACT_NUMBER",
    detail="The API refused the call: 205 INVALID_CONTACT_NUMBER.",
    source_message_id="00000000-0000-4000-8000-000000000001",
    code=205,
    request_id="0123456789abcdef0123456789abcdef",
)
NO_CODE_AND_NO_REQUEST = Failure(
    body="unreadable", reason="INVALID_MESSAGE", detail="The body is not JSON.", source_message_id="message-1"
)


class Bench(Protocol):
    """A failure queue, and a look at what it holds."""

    def publish(self, failures: Sequence[Failure]) -> None: ...

    def held(self) -> list[Failure]: ...


class FakeBench:
    def __init__(self) -> None:
        self._failures = InMemoryFailures()

    def publish(self, failures: Sequence[Failure]) -> None:
        self._failures.publish(failures)

    def held(self) -> list[Failure]:
        return self._failures.published


class SqsBench:
    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._failures = FailureQueue(sqs, queue_url)
        self._sqs = sqs
        self._queue_url = queue_url

    def publish(self, failures: Sequence[Failure]) -> None:
        self._failures.publish(failures)

    def held(self) -> list[Failure]:
        return [failure_in(message) for message in self.messages()]

    def messages(self) -> "list[MessageTypeDef]":
        messages: list[MessageTypeDef] = []
        while received := self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=60
        ).get("Messages"):
            messages += received
        return messages


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
    )


@pytest.fixture
def sqs_bench(clients: AwsClients, queue_url: str) -> SqsBench:
    return SqsBench(clients.sqs, queue_url)


@pytest.fixture(params=["fake", pytest.param("sqs", marks=pytest.mark.stack)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return FakeBench()
    sqs: SqsBench = request.getfixturevalue("sqs_bench")
    return sqs


def failure(body: str, number: int = 0) -> Failure:
    return Failure(body, "EXPIRED", "Its deadline passed.", f"message-{number}")


def test_a_failure_arrives_with_all_that_is_known_of_it(bench: Bench) -> None:
    bench.publish([EVERY_ATTRIBUTE, NO_CODE_AND_NO_REQUEST])
    assert Counter(bench.held()) == Counter([EVERY_ATTRIBUTE, NO_CODE_AND_NO_REQUEST])


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_every_one_of_any_number_arrives_once(bench: Bench, count: int) -> None:
    failures = [failure(f"body {number}", number) for number in range(count)]
    bench.publish(failures)
    assert Counter(bench.held()) == Counter(failures)


def test_large_bodies_arrive_though_no_two_of_them_fit_one_round_trip(bench: Bench) -> None:
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
def test_text_of_every_kind_arrives_unchanged(bench: Bench, text: str) -> None:
    written = Failure(text, reason="INVALID_MESSAGE", detail=f"{text}.", source_message_id="message-1")
    bench.publish([written])
    assert bench.held() == [written]


@pytest.mark.stack
def test_attributes_have_the_names_and_types_of_the_contract(sqs_bench: SqsBench) -> None:
    sqs_bench.publish([EVERY_ATTRIBUTE])
    [message] = sqs_bench.messages()
    attributes = message["MessageAttributes"]
    assert {name: (each["DataType"], each["StringValue"]) for name, each in attributes.items()} == {
        "reason": ("String", "INVALID_CONTACT_NUMBER"),
        "code": ("Number", "205"),
        "detail": ("String", "The API refused the call: 205 INVALID_CONTACT_NUMBER."),
        "source_message_id": ("String", "00000000-0000-4000-8000-000000000001"),
        "request_id": ("String", "0123456789abcdef0123456789abcdef"),
    }


@pytest.mark.stack
def test_attributes_that_do_not_apply_are_left_out(sqs_bench: SqsBench) -> None:
    sqs_bench.publish([NO_CODE_AND_NO_REQUEST])
    [message] = sqs_bench.messages()
    assert set(message["MessageAttributes"]) == {"reason", "detail", "source_message_id"}


@pytest.mark.stack
def test_a_body_that_fills_a_message_to_the_brim_arrives_whole_without_attributes(sqs_bench: SqsBench) -> None:
    sqs_bench.publish([failure("x" * 1_048_576)])
    [message] = sqs_bench.messages()
    assert message["Body"] == "x" * 1_048_576
    assert "MessageAttributes" not in message
