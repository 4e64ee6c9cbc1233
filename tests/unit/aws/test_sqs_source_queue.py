"""Deferring messages."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from sealed_relay.aws.sqs import SourceQueue
from tests.support.executor import InlineExecutor

URL = "https://sqs.ap-south-1.amazonaws.com/123456789012/ingress"


class FakeSqs:
    def __init__(self) -> None:
        self.entries: list[list[dict[str, Any]]] = []

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        assert QueueUrl == URL
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.entries.append(Entries)


def defer(delays_seconds: dict[str, float]) -> list[list[dict[str, Any]]]:
    sqs = FakeSqs()
    client: Any = sqs
    SourceQueue(client, URL, InlineExecutor()).defer(delays_seconds)
    return sqs.entries


def test_messages_are_deferred_10_at_a_time() -> None:
    entries = defer({f"handle-{index}": 1.0 for index in range(21)})

    assert [len(batch) for batch in entries] == [10, 10, 1]
    assert [entry["ReceiptHandle"] for batch in entries for entry in batch] == [f"handle-{n}" for n in range(21)]


@given(st.floats(0, 42_299))
def test_delay_is_rounded_up_to_whole_seconds(seconds: float) -> None:
    [[entry]] = defer({"handle": seconds})

    assert isinstance(entry["VisibilityTimeout"], int)
    assert seconds <= entry["VisibilityTimeout"] <= seconds + 1


@pytest.mark.parametrize("seconds", [43_200.0, 43_200.5, 1e9])
def test_delay_is_cut_to_what_sqs_still_allows(seconds: float) -> None:
    [[entry]] = defer({"handle": seconds})

    assert entry["VisibilityTimeout"] == 43_200 - 900


def test_nothing_to_defer_sends_no_request() -> None:
    assert defer({}) == []


def test_request_fits_the_model_of_sqs_and_refused_entries_are_ignored() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]},
        )
        SourceQueue(client, URL, InlineExecutor()).defer({"handle": 1.5})
        stubber.assert_no_pending_responses()


def test_failed_request_raises() -> None:
    client = boto3.client("sqs", "ap-south-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_client_error("change_message_visibility_batch", "RequestThrottled")
        with pytest.raises(ClientError):
            SourceQueue(client, URL, InlineExecutor()).defer({"handle": 1.5})
