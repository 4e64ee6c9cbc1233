"""The replay function: what it may do, what starts it, and how long it has."""

from typing import Any

import msgspec
import pytest

from local.stack.sources import REPLAY
from sealed_relay_replay.replay import MARGIN_SECONDS
from sealed_relay_replay.settings import InvalidSettingsError, Settings, read_settings
from tests.infrastructure.expansion import deployed_with
from tests.infrastructure.source_calls import aws_calls
from tests.infrastructure.test_permissions import (
    ACTIONS_FOR_ENCRYPTION,
    ACTIONS_FOR_LOGS,
    allowed,
    several,
    statements_of,
)

RESOURCES = deployed_with()["Resources"]
FUNCTION = RESOURCES["ReplayFunction"]["Properties"]
STATEMENTS = statements_of(RESOURCES, "ReplayRole")
# AWS authorizes a call of many items by the action of a single one.
ACTIONS_OF_CALLS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
LONGEST_SILENCE_OF_A_CONNECTION_SECONDS = 350


def test_it_may_do_what_it_does_and_nothing_else() -> None:
    needed = {ACTIONS_OF_CALLS.get(call, call) for call in aws_calls(REPLAY)}
    assert needed >= {"sqs:ReceiveMessage", "sqs:SendMessage", "dynamodb:BatchGetItem"}
    assert allowed(STATEMENTS) == needed | ACTIONS_FOR_LOGS | ACTIONS_FOR_ENCRYPTION


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sqs:ReceiveMessage", "FailureQueue"),
        ("sqs:DeleteMessage", "FailureQueue"),
        ("sqs:ChangeMessageVisibility", "FailureQueue"),
        ("sqs:SendMessage", "IngressQueue"),
        ("dynamodb:BatchGetItem", "OutcomesTable"),
        ("kms:Decrypt", "Key"),
        ("kms:GenerateDataKey", "Key"),
        ("logs:PutLogEvents", "ReplayLogGroup"),
    ],
)
def test_it_may_do_it_to_one_thing_only(action: str, resource: str) -> None:
    [statement] = [s for s in STATEMENTS if action in several(s["Action"])]
    assert statement["Resource"] == {"Fn::GetAtt": [resource, "Arn"]}


def test_the_key_does_not_open_secrets_to_it() -> None:
    [statement] = [s for s in STATEMENTS if "kms:Decrypt" in several(s["Action"])]
    services = [via["Fn::Sub"].split(".")[0] for via in statement["Condition"]["StringEquals"]["kms:ViaService"]]
    assert services == ["sqs", "dynamodb", "lambda"]
    assert "Tags" not in RESOURCES["ReplayRole"]["Properties"]  # by a tag the key's policy knows the relay


def test_no_queue_and_no_schedule_starts_it() -> None:
    started = [
        resource["Properties"]
        for resource in RESOURCES.values()
        if resource["Type"] in {"AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Events::Rule"}
    ]
    assert [properties["FunctionName"] for properties in started] == [{"Ref": "RelayFunction"}]


def test_a_run_is_over_before_the_operators_connection_is() -> None:
    assert 2 * MARGIN_SECONDS < FUNCTION["Timeout"] < LONGEST_SILENCE_OF_A_CONNECTION_SECONDS


def test_it_counts_as_the_relays_service_and_logs_as_it_does() -> None:
    relay = RESOURCES["RelayFunction"]["Properties"]["Environment"]["Variables"]
    powertools = {name: value for name, value in relay.items() if name.startswith("POWERTOOLS_")}
    assert powertools.items() <= variables().items()


def test_the_template_sets_each_setting_and_no_other() -> None:
    ours = {name for name in variables() if not name.startswith("POWERTOOLS_")}
    assert ours == {field.encode_name for field in msgspec.structs.fields(Settings)}


@pytest.mark.parametrize("name", ["INGRESS_QUEUE_URL", "FAILURE_QUEUE_URL", "OUTCOMES_TABLE_NAME"])
def test_a_setting_that_is_missing_or_empty_is_named(name: str) -> None:
    texts = dict.fromkeys(variables(), "made by AWS")
    assert read_settings(texts) == Settings("made by AWS", "made by AWS", "made by AWS")
    for broken in ({**texts, name: ""}, {other: text for other, text in texts.items() if other != name}):
        with pytest.raises(InvalidSettingsError, match=name):
            read_settings(broken)


def variables() -> dict[str, Any]:
    return dict(FUNCTION["Environment"]["Variables"])
