"""The pipe that sends outcomes as events: when it is there, what it lets through, and what its role may do."""

import json
import re
from typing import Any

import pytest

from local.schemas import outcome_event
from sealed_relay.calls.outcome import Status
from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with

RESOURCES = deployed_with(OutcomeEvents="yes")["Resources"]
PIPE = RESOURCES["OutcomePipe"]["Properties"]
BUS = "arn:aws:events:ap-south-1:111122223333:event-bus/orders"
STREAM = "arn:aws:dynamodb:ap-south-1:111122223333:table/outcomes/stream/2026-11-23T10:30:00.000"
STREAM_OF_THE_STACK = {"Fn::GetAtt": ["OutcomesTable", "StreamArn"]}


def role_statements(**parameters: str) -> dict[str, dict[str, Any]]:
    role = deployed_with(OutcomeEvents="yes", **parameters)["Resources"]["OutcomePipeRole"]["Properties"]
    return {s["Sid"]: s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]}


@pytest.mark.parametrize("parameters", [{}, {"OutcomeEvents": "yes", "OnLocalAws": "yes"}])
def test_without_outcome_events_there_is_no_pipe_and_no_stream(parameters: dict[str, str]) -> None:
    resources = deployed_with(**parameters)["Resources"]
    assert {name for name in resources if name.startswith("Outcome")} == {"OutcomesTable"}
    assert "StreamSpecification" not in resources["OutcomesTable"]["Properties"]


def test_pipe_leads_from_the_tables_stream_to_the_bus_of_the_stack() -> None:
    stream = RESOURCES["OutcomesTable"]["Properties"]["StreamSpecification"]
    assert stream == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert (PIPE["Source"], PIPE["Target"]) == (STREAM_OF_THE_STACK, {"Fn::GetAtt": ["OutcomeBus", "Arn"]})
    assert "Enrichment" not in PIPE


def test_table_is_the_same_with_and_without_outcome_events() -> None:
    without = deployed_with()["Resources"]["OutcomesTable"]["Properties"]
    assert RESOURCES["OutcomesTable"]["Properties"].items() >= without.items()


def test_given_bus_and_stream_take_the_place_of_the_stacks_own() -> None:
    parameters = {"OutcomeBusArn": BUS, "ExistingTableName": "outcomes", "ExistingTableStreamArn": STREAM}
    resources = deployed_with(OutcomeEvents="yes", **parameters)["Resources"]
    assert "OutcomeBus" not in resources
    assert (resources["OutcomePipe"]["Properties"]["Source"], resources["OutcomePipe"]["Properties"]["Target"]) == (
        STREAM,
        BUS,
    )
    statements = role_statements(**parameters)
    assert (statements["ReadTheStream"]["Resource"], statements["SendEvents"]["Resource"]) == (STREAM, BUS)


def test_filter_names_each_status_of_the_code_once() -> None:
    [written] = PIPE["SourceParameters"]["FilterCriteria"]["Filters"]
    images = json.loads(written["Pattern"])["dynamodb"]
    assert images["OldImage"]["status"]["S"] == [status for status in Status if not status.is_final]
    assert images["NewImage"]["status"]["S"] == [status for status in Status if status.is_final]


def test_event_has_the_source_the_type_and_the_fields_of_the_contract() -> None:
    target = PIPE["TargetParameters"]
    assert target["EventBridgeEventBusParameters"] == {"Source": "sealed-relay", "DetailType": "Call outcome"}
    assert list(json.loads(target["InputTemplate"])) == list(outcome_event()["properties"])


def test_pipe_gives_up_before_the_stream_does_and_tells_it() -> None:
    source = PIPE["SourceParameters"]["DynamoDBStreamParameters"]
    assert source["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert source["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["OutcomeEventsDeadLetterQueue", "Arn"]}}
    [dimension] = RESOURCES["OutcomeEventsAlarm"]["Properties"]["Dimensions"]
    assert dimension["Value"] == {"Fn::GetAtt": ["OutcomeEventsDeadLetterQueue", "QueueName"]}


def test_pipes_role_reads_the_stream_and_sends_and_does_nothing_else() -> None:
    allowed = {sid: (s["Action"], s["Resource"]) for sid, s in role_statements().items()}
    assert allowed == {
        "ReadTheStream": (
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
            STREAM_OF_THE_STACK,
        ),
        "SendEvents": ("events:PutEvents", {"Fn::GetAtt": ["OutcomeBus", "Arn"]}),
        "TellWhatWasNotSent": ("sqs:SendMessage", {"Fn::GetAtt": ["OutcomeEventsDeadLetterQueue", "Arn"]}),
        "UseKey": (["kms:Decrypt", "kms:GenerateDataKey"], {"Fn::GetAtt": ["Key", "Arn"]}),
    }


def test_pipes_role_uses_the_key_only_for_the_stream_and_the_queue() -> None:
    services = role_statements()["UseKey"]["Condition"]["StringEquals"]["kms:ViaService"]
    assert [service["Fn::Sub"].split(".")[0] for service in services] == ["dynamodb", "sqs"]


def test_only_the_pipe_of_the_stack_takes_the_role() -> None:
    [trust] = RESOURCES["OutcomePipeRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "pipes.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    name = trust["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].rpartition("/")[2]
    assert {"Fn::Sub": name} == PIPE["Name"]


def test_dead_letter_queue_refuses_requests_without_tls() -> None:
    policy = RESOURCES["OutcomeEventsDeadLetterQueuePolicy"]["Properties"]
    assert policy["Queues"] == [{"Ref": "OutcomeEventsDeadLetterQueue"}]
    [denial] = policy["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Action"]) == ("Deny", "sqs:*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_outcome_events_of_an_existing_table_without_its_stream_are_refused() -> None:
    rule = read_template()["Rules"]["OutcomeEventsOfAnExistingTableNeedItsStream"]
    assert rule["RuleCondition"] == {
        "Fn::And": [
            {"Fn::Equals": [{"Ref": "OutcomeEvents"}, "yes"]},
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExistingTableName"}, ""]}]},
        ]
    }
    [assertion] = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExistingTableStreamArn"}, ""]}]}


def test_bus_without_outcome_events_is_refused() -> None:
    rule = read_template()["Rules"]["OnlyOutcomeEventsHaveABus"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "OutcomeEvents"}, "no"]}
    assert [a["Assert"] for a in rule["Assertions"]] == [{"Fn::Equals": [{"Ref": "OutcomeBusArn"}, ""]}]


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        ("OutcomeBusArn", BUS, "arn:aws:events:ap-south-1:111122223333:event-bus/*"),
        ("OutcomeBusArn", BUS, "orders"),
        ("ExistingTableStreamArn", STREAM, STREAM.partition("/stream")[0]),
    ],
)
def test_bus_and_stream_are_named_by_their_arns(parameter: str, right: str, wrong: str) -> None:
    pattern = read_template()["Parameters"][parameter]["AllowedPattern"]
    assert re.fullmatch(pattern, right)
    assert not re.fullmatch(pattern, wrong)
