"""What was built and deployed, run under AWS's runtime emulator with the events of `events/`."""

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from local.emulator.emulator import Emulator, Invocation
from local.run.failure_queue import FailureQueue
from local.simulator.client import SimulatorClient
from local.stack.stack_files import Stack
from sealed_relay.observability.metrics import METRICS
from tests.integration.artifact.events import EVENT_FILES, fresh_events
from tests.support.aws_clients import AwsClients

pytestmark = pytest.mark.stack

PROVOKED = {
    205: "INVALID_CONTACT_NUMBER",
    209: "PARTIAL_SUCCESS",
    210: "INVALID_MANDATORY_PARAMETERS",
    213: "NO_DATA_AVAILABLE",
    400: "INVALID_FORMAT",
    402: "PHONE_NOT_WHITELISTED",
}
STAYS_ONCE = {"duplicate.json", "reused-identifier.json"}
"""Events with the same call in two messages. The second message stays, and the record decides at its next receive."""


def provoked_status(code: int) -> str:
    """What a provoked code makes of its call; 209 for a call alone in its request lists nothing that can be trusted."""
    return "UNRESOLVED" if code == 209 else f"REJECTED {code} {PROVOKED[code]}"


RECORDS = {
    "duplicate.json": {"ALERTS01/duplicate": "ACCEPTED"},
    "eventbridge-wrapped.json": {"NOTICE02/eventbridge-wrapped": "ACCEPTED"},
    "many-calls.json": {f"NOTICE02/many-calls-{number:02}": "ACCEPTED" for number in range(1, 41)},
    "provoked-codes.json": {
        f"{flow}/{kind}-{code}": status
        for code, flow in zip(PROVOKED, ["NOTICE02", "ALERTS01"] * 3, strict=True)
        for kind, status in (("beside", "ACCEPTED"), ("provoked", provoked_status(code)))
    },
    "reused-identifier.json": {"ALERTS01/reused-identifier": "ACCEPTED"},
    "several-flows.json": {
        f"{flow}/several-flows-{number}": "ACCEPTED"
        for number, flow in enumerate(["ALERTS01", "NOTICE02", "ALERTS01", "NOTICE02"], start=1)
    },
    "single-call.json": {"ALERTS01/single-call": "ACCEPTED"},
    "sns-wrapped.json": {"ALERTS01/sns-wrapped": "ACCEPTED"},
    "too-late.json": {"NOTICE02/too-late": "EXPIRED"},
    "unreadable.json": {},
}
LAMBDAS_OWN = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
FAILURES = {
    "provoked-codes.json": sorted("UNRESOLVED" if code == 209 else name for code, name in PROVOKED.items()),
    "reused-identifier.json": ["CLIENT_IDENTIFIER_REUSED"],
    "too-late.json": ["EXPIRED"],
    "unreadable.json": ["INVALID_MESSAGE", "INVALID_MESSAGE"],
}


@pytest.fixture(scope="module")
def suffix() -> str:
    return f"-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def invocations(emulator: Emulator, suffix: str) -> dict[str, Invocation]:
    """Each event handed to the function once, one after the other; then once more those of which a message stays."""
    events = fresh_events(suffix)
    invoked = {name: emulator.invoke(event) for name, event in events.items()}
    again = {f"{name} again": emulator.invoke(what_stayed(events[name], invoked[name])) for name in sorted(STAYS_ONCE)}
    return invoked | again


def what_stayed(event: bytes, invocation: Invocation) -> bytes:
    """The event with just the messages that the function kept in the queue."""
    kept = {failure["itemIdentifier"] for failure in json.loads(invocation.answer)["batchItemFailures"]}
    return json.dumps(
        {"Records": [each for each in json.loads(event)["Records"] if each["messageId"] in kept]}
    ).encode()


@pytest.fixture(scope="module")
def records(stack: Stack, clients: AwsClients, invocations: dict[str, Invocation], suffix: str) -> dict[str, str]:
    """Status, code and reason of every expected record, by call id without the suffix."""
    assert invocations
    table = stack.outputs["OutcomesTableName"]
    call_ids = [call_id for of_event in RECORDS.values() for call_id in of_event]
    keys = [{"call_id": {"S": call_id + suffix}} for call_id in call_ids]
    items = clients.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})["Responses"][table]
    return {str(item["call_id"]["S"]).removesuffix(suffix): summary(item) for item in items}


@pytest.fixture(scope="module")
def failures(stack: Stack, clients: AwsClients, invocations: dict[str, Invocation]) -> dict[str, list[str]]:
    """The reasons in the failure queue by the id of the message that failed; taken off the queue."""
    assert invocations
    queue = FailureQueue(clients.sqs, stack.outputs["FailureQueueUrl"])
    reasons: dict[str, list[str]] = {}
    for failure in queue.take({message_id for event in fresh_events("").values() for message_id in ids_of(event)}):
        reasons.setdefault(failure.source_message_id, []).append(failure.reason)
    queue.release()
    return reasons


def ids_of(event: bytes) -> list[str]:
    return [record["messageId"] for record in json.loads(event)["Records"]]


def summary(item: Mapping[str, Any]) -> str:
    parts = [item["status"]["S"]]
    if parts == ["REJECTED"]:
        parts += [item["code"]["N"], item["reason"]["S"]]
    return " ".join(parts)


def test_every_event_has_its_expectation() -> None:
    assert tuple(RECORDS) == EVENT_FILES


@pytest.mark.parametrize("name", EVENT_FILES)
def test_every_message_of_an_event_is_finished(invocations: dict[str, Invocation], name: str) -> None:
    answers = [json.loads(invocations[each].answer) for each in (name, f"{name} again") if each in invocations]
    assert [len(answer["batchItemFailures"]) for answer in answers] == ([1, 0] if name in STAYS_ONCE else [0])


@pytest.mark.parametrize("name", EVENT_FILES)
def test_every_call_of_an_event_has_its_outcome_on_record(records: dict[str, str], name: str) -> None:
    assert {call_id: records.get(call_id) for call_id in RECORDS[name]} == RECORDS[name]


@pytest.mark.parametrize("name", EVENT_FILES)
def test_the_failure_queue_holds_what_failed_and_nothing_else(failures: dict[str, list[str]], name: str) -> None:
    reasons = [reason for message_id in ids_of(fresh_events("")[name]) for reason in failures.get(message_id, [])]
    assert sorted(reasons) == FAILURES.get(name, [])


def test_the_api_took_every_accepted_call_once(stack: Stack, records: dict[str, str], suffix: str) -> None:
    assert stack.simulator_url
    with SimulatorClient(stack.simulator_url) as simulator:
        taken = simulator.accepted_calls()
    accepted = {call_id: 1 for call_id, record in records.items() if record == "ACCEPTED"}
    assert {
        call_id.removesuffix(suffix): len(times) for call_id, times in taken.items() if call_id.endswith(suffix)
    } == accepted


def test_every_line_that_the_function_writes_is_json(invocations: dict[str, Invocation]) -> None:
    messages = Counter(line["message"] for line in written(invocations) if "_aws" not in line)
    assert set(messages) == {"pause seen", "request sent", "message failed"}
    assert messages["message failed"] == sum(map(len, FAILURES.values()))


def test_every_metric_is_in_the_relays_namespace(invocations: dict[str, Invocation]) -> None:
    directives = [each for line in written(invocations) for each in line.get("_aws", {}).get("CloudWatchMetrics", [])]
    assert {directive["Namespace"] for directive in directives} == {"SealedRelay"}
    emitted = {metric["Name"] for directive in directives for metric in directive["Metrics"]}
    assert emitted >= {"Calls", "Duplicates", "FailedMessages", "RequestsSent", "CallsPerRequest", "Answers"}
    assert emitted <= {metric.name for metric in METRICS}


def test_age_of_an_event_from_the_future_is_zero(invocations: dict[str, Invocation]) -> None:
    ages = [age for line in written(invocations) for age in line.get("OldestMessageSeconds", [])]
    assert set(ages) == {0}


def written(invocations: dict[str, Invocation]) -> list[dict[str, Any]]:
    """The lines of the function itself; the emulator's say so, or start with one of Lambda's three words."""
    lines = [line for invocation in invocations.values() for line in invocation.log if line and "(rapid)" not in line]
    return [json.loads(line) for line in lines if not line.startswith(LAMBDAS_OWN)]
