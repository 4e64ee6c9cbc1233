"""Provokes every outcome with canaries in the data, at the lowest log level: no canary leaves the function.

`tests/functional/test_canary.py`, in memory, shows the part at fault. This test searches everything that AWS keeps.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from local.simulator.client import SimulatorClient
from local.simulator.faults import CodeAnswer, DroppedConnection, Fault, ForeignPage, TruncatedAnswer
from local.simulator.open_request import SealedRequest, decrypt_payload
from local.stack.deploy import STACK_NAME
from local.stack.paths import StackFolder
from local.stack.stack_files import Stack
from tests.integration.local_stack.deployed_relay import DeployedRelay, FailureMessage
from tests.integration.local_stack.eventually import eventually
from tests.integration.local_stack.invocations import DeployedFunction, event_of
from tests.integration.local_stack.own_flow import register_with
from tests.support import canaries
from tests.support.aws_clients import AwsClients
from tests.support.flows import rsa_key

pytestmark = pytest.mark.stack

FLOW_ID = "CANARY01"
ANSWERS: Mapping[str, Fault] = {
    "GARBAGE1": ForeignPage(http_status=502, body=canaries.message_of(FLOW_ID, "x")),
    "GARBAGE2": ForeignPage(http_status=200, body=canaries.message_of(FLOW_ID, "x")),
    "GARBAGE3": ForeignPage(http_status=302, location=f"http://127.0.0.1:9/{canaries.NUMBER}"),
    "GARBAGE4": DroppedConnection(after_accepting=True),
    "GARBAGE5": TruncatedAnswer(),
    "REFUSED1": CodeAnswer(code=500),
}
NO_EVENTS: tuple[dict[str, object], ...] = (
    # What Python says to this quotes the value.
    {
        "Records": [
            {"messageId": "1", "receiptHandle": "1", "body": "{}", "attributes": {"SentTimestamp": canaries.NAME}}
        ]
    },
    {"Records": [{"body": canaries.message_of(FLOW_ID, "x")}]},
    {"Records": canaries.message_of(FLOW_ID, "x")},
    {canaries.NUMBER: canaries.VARIABLE_VALUE},
)
LOWEST = {"POWERTOOLS_LOG_LEVEL": "DEBUG", "POWERTOOLS_DEBUG": "true", "POWERTOOLS_LOGGER_LOG_EVENT": "true"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the run left behind, as text to search; `plaintexts` and `secret_texts` are of the stored requests."""

    log: str
    local_aws_log: str
    own_process: str
    invocations: str
    items: list[dict[str, Any]]
    failures: list[FailureMessage]
    plaintexts: list[str]
    secret_texts: list[str]


@pytest.fixture(scope="module")
def evidence(stack: Stack, stack_folder: StackFolder, clients: AwsClients, session: boto3.Session) -> Evidence:
    DeployedRelay(stack, clients).failures()  # takes away what other tests left
    relay = DeployedRelay(stack, clients)
    function = DeployedFunction(stack, clients, session)
    assert stack.simulator_url
    with SimulatorClient(stack.simulator_url) as simulator, function.environment_with(**LOWEST):
        simulator.reset()
        send_everything(relay, simulator)
        assert eventually(lambda: is_delivered(relay), seconds=120)
        said = provoke_errors(function)  # not sooner: a message that met a fault waits for longer than a test
        own_process = function.run_in_own_process(
            [
                event_of(canaries.message_of(FLOW_ID, "own-process"), canaries.UNREADABLE["no JSON"]),
                event_of(canaries.message_of(FLOW_ID, "own-process-2", number=canaries.REFUSED_NUMBER)),
                *NO_EVENTS,
            ],
            **LOWEST,
        )
    pages = clients.logs.get_paginator("filter_log_events").paginate(logGroupName=f"/sealed-relay/{STACK_NAME}")
    items = relay.everything_on_record()
    envelopes = [item["body"] for item in items if item.get("flow_id") in (FLOW_ID, *ANSWERS) and "body" in item]
    opened = [opened_envelope(zlib.decompress(body)) for body in envelopes]
    return Evidence(
        log="\n".join(event["message"] for page in pages for event in page["events"]),
        local_aws_log=(stack_folder.logs / "ministack.log").read_text(),
        own_process=own_process,
        invocations=said,
        items=items,
        failures=relay.failures(),
        plaintexts=[plaintext for plaintext, _ in opened],
        secret_texts=[secret_text for _, secret_text in opened],
    )


def is_delivered(relay: DeployedRelay) -> bool:
    """Return whether every message is done. Resume the account first: each planned answer pauses it again."""
    relay.resume_account()
    return relay.ingress_queue_is_empty()


def opened_envelope(body: bytes) -> tuple[str, str]:
    """Return the payload and the secret text of a stored request of this test's flows."""
    sealed = msgspec.json.decode(body, type=SealedRequest)
    secret_text = rsa_key().decrypt(base64.b64decode(sealed.wrapped_secret_text), PKCS1v15())
    return decrypt_payload(sealed.sealed_payload, secret_text).decode(), secret_text.decode()


def send_everything(relay: DeployedRelay, simulator: SimulatorClient) -> None:
    for flow_id in (FLOW_ID, *ANSWERS, *canaries.UNUSABLE_SECRETS):
        register_with(simulator, flow_id, security_id=canaries.SECURITY_ID)
    for flow_id in (FLOW_ID, *ANSWERS):
        relay.put_secret(flow_id, canaries.flow_secret())
    for flow_id, fault in ANSWERS.items():
        simulator.plan(fault, flow_id=flow_id)
    for flow_id, secret in canaries.UNUSABLE_SECRETS.items():
        relay.put_secret(flow_id, secret)
    with relay.polling_stopped():
        relay.send_all([canaries.message_of(flow_id, "one", "two") for flow_id in (FLOW_ID, *ANSWERS)])
        relay.send_all([canaries.message_of(FLOW_ID, "refused", number=canaries.REFUSED_NUMBER)])
        relay.send_all([canaries.message_of(FLOW_ID, "one", "two", number=canaries.REFUSED_NUMBER)])
        relay.send_all([canaries.message_of("NOSECRET", "unknown")])
        relay.send_all([canaries.message_of(FLOW_ID, "late", not_after="2026-01-01T00:00:00Z")])
        relay.send_all([canaries.message_of(flow_id, "waits") for flow_id in canaries.UNUSABLE_SECRETS])
        relay.send_all(list(canaries.UNREADABLE.values()))
    relay.wait_until_all([f"{flow_id}/waits" for flow_id in canaries.UNUSABLE_SECRETS], "WAITING")
    for flow_id in canaries.UNUSABLE_SECRETS:
        relay.correct_secret(flow_id, canaries.flow_secret())


def provoke_errors(function: DeployedFunction) -> str:
    """Return what the function answers and logs if AWS fails, and for an invalid event."""
    said = []
    for denied in ("sqs:SendMessageBatch", "dynamodb:BatchExecuteStatement"):
        with function.denied(denied):
            said += [function.invoke(canaries.message_of(FLOW_ID, denied), *canaries.UNREADABLE.values()).said]
    said += [function.invoke_with(NO_EVENTS[0]).said]
    return "\n".join(said)


def test_canary_calls_were_sent_complete(evidence: Evidence) -> None:
    sent = {canaries.NUMBER, canaries.REFUSED_NUMBER, canaries.VARIABLE_VALUE, canaries.SECURITY_ID}
    assert sent <= set(canaries.found_in(*evidence.plaintexts))
    assert canaries.found_in(evidence.secret_texts[0], beside=evidence.secret_texts) == [evidence.secret_texts[0]]


def test_log_lines_and_metrics_hold_no_canary(evidence: Evidence) -> None:
    for line in ("request sent", "message failed", "calls waiting", "work failed", '"Namespace":"SealedRelay"'):
        assert line in evidence.log
    assert "BatchFailedError" in evidence.log
    assert canaries.found_in(evidence.log, beside=evidence.secret_texts) == []


def test_output_and_errors_of_the_function_hold_no_canary(evidence: Evidence) -> None:
    assert "BatchFailedError" in evidence.invocations
    assert "AccessDeniedException" in evidence.log  # an invocation tells the last 4 KB only
    assert canaries.found_in(evidence.invocations, evidence.local_aws_log, beside=evidence.secret_texts) == []


def test_library_loggers_at_debug_level_log_no_canary(evidence: Evidence) -> None:
    assert evidence.own_process.count("request sent") >= 2
    assert evidence.own_process.count("the handler raised") == len(NO_EVENTS)
    assert "DEBUG" in evidence.own_process
    assert canaries.found_in(evidence.own_process, beside=evidence.secret_texts) == []


def test_records_hold_no_canary(evidence: Evidence) -> None:
    assert {item.get("status") for item in evidence.items} >= {"ACCEPTED", "PRESUMED_ACCEPTED", "REJECTED", "EXPIRED"}
    assert canaries.found_in(*map(canaries.text_of, evidence.items), beside=evidence.secret_texts) == []


def test_failure_queue_holds_canaries_only_in_bodies(evidence: Evidence) -> None:
    assert {failure.body for failure in evidence.failures} >= set(canaries.UNREADABLE.values())
    assert canaries.REFUSED_NUMBER in canaries.found_in(*(failure.body for failure in evidence.failures))
    reasons = {failure.attributes["reason"] for failure in evidence.failures}
    assert reasons >= {
        "INVALID_MESSAGE",
        "UNKNOWN_FLOW",
        "EXPIRED",
        "INVALID_CONTACT_NUMBER",
        "CLIENT_IDENTIFIER_REUSED",
    }
    attributes = [canaries.text_of(failure.attributes) for failure in evidence.failures]
    assert canaries.found_in(*attributes, beside=evidence.secret_texts) == []
