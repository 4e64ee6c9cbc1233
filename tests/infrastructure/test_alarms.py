"""Alarms: on what is really emitted, with a next step, to the stack's topic."""

import re
from typing import Any

import pytest

from local.dashboard.store import MetricId
from sealed_relay.delivery.backoff import retry_in_seconds
from sealed_relay.kairos.codes import Scope
from sealed_relay.observability.events import PausesSeen, Resumed
from sealed_relay.observability.metrics import NAMESPACE
from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.emitting import STAGE, emitted, emitted_metrics, held, log_lines
from tests.infrastructure.expansion import deployed_with

RESOURCES = deployed_with(Stage=STAGE)["Resources"]
ALARMS: dict[str, dict[str, Any]] = {
    name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"
}
QUERIES = {
    name: resource["Properties"]["QueryString"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Logs::QueryDefinition"
}
# With nothing to send nothing says that it is over.
KEEP_THEIR_STATE = ["AccountAlarm", "FlowAlarm"]


def dimensions(alarm: dict[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((dimension["Name"], dimension["Value"]) for dimension in alarm["Dimensions"])


def test_alarms_watch_metrics_that_the_relay_emits_with_just_these_dimensions() -> None:
    watched = {
        MetricId(NAMESPACE, alarm["MetricName"], dimensions(alarm))
        for alarm in ALARMS.values()
        if alarm.get("Namespace") == NAMESPACE
    }
    assert len(watched) == 6
    assert watched <= emitted_metrics()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do_next(name: str) -> None:
    description = ALARMS[name]["AlarmDescription"]
    meaning, next_step = description.split(" Next: ")
    assert meaning
    assert next_step.endswith(".")
    assert len(description) <= 1024


@pytest.mark.parametrize("name", ALARMS)
def test_what_an_alarm_makes_of_missing_data_is_decided(name: str) -> None:
    assert ALARMS[name]["TreatMissingData"] == ("ignore" if name in KEEP_THEIR_STATE else "notBreaching")


@pytest.mark.parametrize("name", KEEP_THEIR_STATE)
def test_an_alarm_that_keeps_its_state_looks_at_one_period_only(name: str) -> None:
    # Of several periods with some missing, CloudWatch would ignore those that are there as well.
    assert ALARMS[name]["EvaluationPeriods"] == 1


@pytest.mark.parametrize("name", KEEP_THEIR_STATE)
def test_whoever_finds_nothing_paused_says_zero_to_an_alarm_that_keeps_its_state(name: str) -> None:
    metric = MetricId(NAMESPACE, ALARMS[name]["MetricName"], dimensions(ALARMS[name]))
    assert emitted(PausesSeen(None, None))[metric] == [0]
    assert metric not in emitted(PausesSeen(7.0, 7.0))


@pytest.mark.parametrize(("name", "flow_id"), [("AccountAlarm", ""), ("FlowAlarm", "FLOWAAAA")])
def test_the_last_probe_says_zero_to_an_alarm_though_nothing_comes_after_it(name: str, flow_id: str) -> None:
    metric = MetricId(NAMESPACE, ALARMS[name]["MetricName"], dimensions(ALARMS[name]))
    assert emitted(Resumed(flow_id, "INVALID_GATEWAY_ID", 60))[metric] == [0]


@pytest.mark.parametrize(("name", "scope"), [("AccountAlarm", Scope.ACCOUNT), ("FlowAlarm", Scope.FLOW)])
def test_messages_that_go_back_untouched_keep_an_alarm_red_whatever_the_reason(name: str, scope: Scope) -> None:
    alarm = ALARMS[name]
    metric = MetricId(NAMESPACE, alarm["MetricName"], dimensions(alarm))
    assert emitted(held(scope))[metric][0] >= alarm["Threshold"]


@pytest.mark.parametrize("name", ["FlowAlarm", "DeliveryOverdueAlarm", "IpNotWhitelistedAlarm"])
def test_an_alarm_does_not_end_between_two_receives_of_a_message_that_waits(name: str) -> None:
    longest = retry_in_seconds(1000, lambda: 1.0, at_least_seconds=300.0)
    assert ALARMS[name]["Period"] > longest


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_the_topic_when_it_begins_and_when_it_is_over(name: str) -> None:
    topic = [{"Ref": "AlarmTopic"}]
    assert (ALARMS[name]["AlarmActions"], ALARMS[name]["OKActions"]) == (topic, topic)


def test_alarm_names_begin_with_the_stacks_as_the_topics_policy_demands() -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in ALARMS.values()]
    [statement] = [s for s in _topic_policy() if s["Effect"] == "Allow"]
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:${AWS::StackName}-*")
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names)


def test_only_alarms_may_write_to_the_topic_and_only_over_tls() -> None:
    assert [(s["Effect"], s["Principal"]) for s in _topic_policy()] == [
        ("Allow", {"Service": "cloudwatch.amazonaws.com"}),
        ("Deny", "*"),
    ]
    assert RESOURCES["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


def test_alarms_may_use_the_topics_key() -> None:
    statements = RESOURCES["Key"]["Properties"]["KeyPolicy"]["Statement"]
    [alarms] = [s for s in statements if "cloudwatch.amazonaws.com" in str(s["Principal"])]
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_alarms_are_mailed_only_to_an_address_that_was_given() -> None:
    assert "AlarmEmailSubscription" not in RESOURCES
    mailed = deployed_with(AlarmEmail="operator@example.com")["Resources"]["AlarmEmailSubscription"]["Properties"]
    assert (mailed["Protocol"], mailed["Endpoint"]) == ("email", "operator@example.com")


def test_thresholds_worth_turning_are_parameters() -> None:
    thresholds = {name: alarm["Properties"]["Threshold"] for name, alarm in _written().items()}
    assert {name: t["Ref"] for name, t in thresholds.items() if isinstance(t, dict)} == {
        "FailureQueueAlarm": "FailureQueueAlarmMessages",
        "OldestMessageAlarm": "OldestMessageAlarmSeconds",
        "DeliveryOverdueAlarm": "OldestMessageAlarmSeconds",
        "ApiAlarm": "ApiAlarmRequests",
    }


def test_an_invocation_is_slow_at_four_fifths_of_its_timeout() -> None:
    timeout_ms = RESOURCES["RelayFunction"]["Properties"]["Timeout"] * 1000
    assert ALARMS["FunctionDurationAlarm"]["Threshold"] == timeout_ms * 4 / 5


def test_a_message_that_crashes_the_function_each_time_raises_the_alarm_on_errors() -> None:
    alarm = ALARMS["FunctionErrorsAlarm"]
    seconds_between = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    assert alarm["Threshold"] * seconds_between <= alarm["Period"]


def test_the_local_aws_goes_without_what_it_cannot_make_and_nothing_else() -> None:
    local = deployed_with(Stage=STAGE, OnLocalAws="yes")["Resources"]
    left_out = {name for name in RESOURCES if name not in local}
    # What else it cannot make is not about alarms.
    assert left_out - {"ContentHashKeyPolicy"} == {"RedrivenAlarm", *QUERIES}
    assert "Metrics" in ALARMS["RedrivenAlarm"]
    without = {name for name in local if local[name] != RESOURCES[name]}
    assert without == {"RelayFunction"}  # which is told where the local AWS is by that itself


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_asks_for_fields_that_log_lines_have(name: str) -> None:
    asked = set(re.findall(r"\b(?:fields|filter|stats|sort|by) (.+)", re.sub(r"(?m)^#.*", "", QUERIES[name])))
    texts = re.sub(r'"[^"]*"', "", ", ".join(asked))
    words = set(re.findall(r"[a-z_]{3,}", texts)) - {
        "asc",
        "desc",
        "like",
        "count",
        "sum",
        "max",
        "latest",
        "ispresent",
    }
    counted = set(re.findall(r" as (\w+)", QUERIES[name]))
    assert words - counted <= {key for line in log_lines() for key in line} | {"timestamp"}
    messages = "".join(re.findall(r"message (?:=|in) (.+)", QUERIES[name]))
    assert set(re.findall(r'"(.+?)"', messages)) <= {line["message"] for line in log_lines()}


def test_the_story_of_a_call_is_found_by_its_whole_client_identifier() -> None:
    assert '"[CLIENT-IDENTIFIER]"' in QUERIES["CallQuery"]
    assert {line["client_identifiers"] for line in log_lines() if "client_identifiers" in line} == {
        "[call-1][call-2]",
        "[call-1]",
    }


def _topic_policy() -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = RESOURCES["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return statements


def _written() -> dict[str, dict[str, Any]]:
    resources: dict[str, dict[str, Any]] = read_template()["Resources"]
    return {name: resources[name] for name in ALARMS}
