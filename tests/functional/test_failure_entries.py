"""What the relay puts on the failure queue keeps the published JSON Schema of a failure entry."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.schemas import failure_entry, queue_message
from local.simulator.faults import CodeAnswer
from sealed_relay.aws.sqs import FailureQueue
from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.codes import CODES, Verdict
from sealed_relay.ports import Failure
from tests.support.scene import Scene

ENTRY = Draft202012Validator(failure_entry())
MESSAGE = Draft202012Validator(queue_message())
FAILING = [code.number for code in CODES.values() if code.verdict in (Verdict.ISOLATE, Verdict.REJECT, Verdict.SPLIT)]


class KeepingSqs:
    """Takes every entry, and keeps it as a consumer receives it."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's names
        for entry in Entries:
            attributes = {name: value["StringValue"] for name, value in entry["MessageAttributes"].items()}
            self.entries.append({"body": entry["MessageBody"], "attributes": attributes})
        return {}


def entries_of(failures: list[Failure]) -> list[dict[str, Any]]:
    sqs: Any = KeepingSqs()
    FailureQueue(sqs, "url").publish(failures)
    entries: list[dict[str, Any]] = sqs.entries
    return entries


def check(scene: Scene, *reasons: str) -> None:
    entries = entries_of(scene.failures.published)
    assert sorted(entry["attributes"]["reason"] for entry in entries) == sorted(reasons)
    for entry in entries:
        ENTRY.validate(entry)
        if entry["attributes"]["reason"] != Reason.INVALID_MESSAGE:
            MESSAGE.validate(json.loads(entry["body"]))


@pytest.mark.parametrize("number", [201, 500, 999, *FAILING])
def test_entry_of_a_call_that_the_api_refused_keeps_the_schema(number: int) -> None:
    scene = Scene()
    scene.send("a")
    scene.plan(CodeAnswer(code=number), requests=None)
    scene.run()

    [failure] = scene.failures.published
    check(scene, failure.reason)


def test_entry_that_the_relay_itself_gave_up_keeps_the_schema() -> None:
    scene = Scene()
    scene.send("expired", not_after="2026-11-23T04:00:00Z")
    scene.send("unknown", flow_id="NOFLOW00")
    scene.send("too-large", keys=[{"name": "$flow.key.n", "value": "v" * 150_000}])
    scene.ingress.send("no JSON")
    scene.send("reused")
    scene.run()
    scene.send("reused", keys=[{"name": "$flow.key.n", "value": "other"}])
    scene.run()

    check(
        scene,
        Reason.EXPIRED,
        Reason.UNKNOWN_FLOW,
        "MAX_DATA_LIST_SIZE_EXCEEDED",
        Reason.INVALID_MESSAGE,
        Reason.CLIENT_IDENTIFIER_REUSED,
    )
