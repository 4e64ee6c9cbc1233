"""The alarms: what they watch, what they say, and whom they notify. The runbook and the saved queries too."""

import re
from typing import Any

import pytest

from local.dashboard.body import TextWidget
from local.dashboard.store import MetricId
from local.stack.paths import REPOSITORY
from sealed_relay.calls.message import Lane
from sealed_relay.calls.outcome import Status
from sealed_relay.delivery.backoff import retry_in_seconds
from sealed_relay.kairos.codes import CODES, Scope
from sealed_relay.observability.events import CallsSettled
from sealed_relay.observability.metrics import ANSWERS, FAILED_MESSAGES, NAMESPACE, is_failed_request
from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.dashboards import widgets
from tests.infrastructure.emitted_telemetry import STAGE, deferred, emitted, emitted_metrics, log_lines
from tests.infrastructure.expansion import deployed_with

RESOURCES = deployed_with(Stage=STAGE, OutcomeEvents="yes")["Resources"]
ALARMS: dict[str, dict[str, Any]] = {
    name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"
}
RUNBOOK = (REPOSITORY / "docs/runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n(.+?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
QUERIES = {
    name: resource["Properties"]["QueryString"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Logs::QueryDefinition"
}


def reasons_in(section: str) -> set[str]:
    """The first cells of the section's table, each split at its commas."""
    cells = re.findall(r"^\| (.+?) \|", SECTIONS[section], re.MULTILINE)
    return {reason for cell in cells for reason in cell.split(", ")}


def dimensions(alarm: dict[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((dimension["Name"], dimension["Value"]) for dimension in alarm["Dimensions"])


def test_alarms_watch_metrics_that_the_relay_emits() -> None:
    watched = {
        MetricId(NAMESPACE, alarm["MetricName"], dimensions(alarm))
        for alarm in ALARMS.values()
        if alarm.get("Namespace") == NAMESPACE
    }
    assert len(watched) == 8
    assert watched <= emitted_metrics()


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_has_two_sentences_and_names_its_section_of_the_runbook(name: str) -> None:
    alarm = ALARMS[name]
    sentences = re.split(r"(?<=[.?!]) (?=[A-Z])", alarm["AlarmDescription"])
    assert len(sentences) == 3
    section = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
    assert sentences[2] == f"See docs/runbook.md, section {section}."
    assert section in SECTIONS


def test_widgets_named_in_the_runbook_and_in_alarms_are_on_the_dashboard() -> None:
    titles = [widget.title for widget in widgets() if not isinstance(widget, TextWidget)]
    headings = re.findall(r"## (.+)", "\n".join(w.markdown for w in widgets() if isinstance(w, TextWidget)))
    texts = [RUNBOOK, *(alarm["AlarmDescription"] for alarm in ALARMS.values())]
    sentences = [sentence for text in texts for sentence in re.findall(r"[^.]*on the dashboard", text)]
    named = {name for sentence in sentences for name in re.findall(r'"([^"]+)"', sentence)}
    assert len(named) > 8
    assert [name for name in named if not any(each.startswith(name) for each in (*titles, *headings))] == []


def test_runbook_has_no_section_without_an_alarm() -> None:
    assert len(SECTIONS) == len(ALARMS)


@pytest.mark.parametrize(("section", "scope"), [("account", Scope.ACCOUNT), ("flow", Scope.FLOW)])
def test_runbook_says_what_to_do_for_each_code_that_makes_calls_wait(section: str, scope: Scope) -> None:
    waiting = {f"{code.number} {code.name}" for code in CODES.values() if code.scope is scope}
    assert waiting
    assert waiting <= reasons_in(section)


def test_runbook_says_what_to_do_for_each_reason_of_a_failed_message() -> None:
    assert {re.sub(r" \(\d+\)", "", reason) for reason in reasons_in("failure-queue")} >= set(FAILED_MESSAGES.values)


def test_runbook_says_what_to_do_for_each_result_of_a_failed_request() -> None:
    failures = {value for value in ANSWERS.values if is_failed_request(value.split(" ")[-1])}
    assert failures
    assert failures <= reasons_in("api")


@pytest.mark.parametrize("name", ALARMS)
def test_missing_data_never_raises_an_alarm_and_never_keeps_one_red(name: str) -> None:
    assert ALARMS[name]["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("name", "scope"), [("AccountAlarm", Scope.ACCOUNT), ("FlowAlarm", Scope.FLOW)])
def test_deferred_messages_raise_the_alarm_of_what_is_paused(name: str, scope: Scope) -> None:
    alarm = ALARMS[name]
    metric = MetricId(NAMESPACE, alarm["MetricName"], dimensions(alarm))
    assert emitted(deferred(scope))[metric][0] >= alarm["Threshold"]


@pytest.mark.parametrize("name", ["AccountAlarm", "FlowAlarm", "DeliveryOverdueAlarm", "IpNotWhitelistedAlarm"])
def test_alarm_period_is_longer_than_a_waiting_message_stays_away(name: str) -> None:
    longest = retry_in_seconds(1000, lambda: 1.0, at_least_seconds=300.0)
    assert ALARMS[name]["Period"] > longest


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_notifies_the_topic_at_its_beginning_and_its_end(name: str) -> None:
    topic = [{"Ref": "AlarmTopic"}]
    assert (ALARMS[name]["AlarmActions"], ALARMS[name]["OKActions"]) == (topic, topic)


def test_alarm_names_begin_with_the_stack_name_as_the_topic_policy_demands() -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in ALARMS.values()]
    [statement] = [s for s in _topic_policy() if s["Effect"] == "Allow"]
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:${AWS::StackName}-*")
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    assert len(set(names)) == len(names)


def test_topic_policy_allows_only_alarms_and_only_over_tls() -> None:
    assert [(s["Effect"], s["Principal"]) for s in _topic_policy()] == [
        ("Allow", {"Service": "cloudwatch.amazonaws.com"}),
        ("Deny", "*"),
    ]
    assert RESOURCES["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


def test_key_policy_lets_alarms_use_the_key_of_their_topic() -> None:
    statements = RESOURCES["Key"]["Properties"]["KeyPolicy"]["Statement"]
    [alarms] = [s for s in statements if "cloudwatch.amazonaws.com" in str(s["Principal"])]
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_alarms_are_mailed_only_if_an_address_is_given() -> None:
    assert "AlarmEmailSubscription" not in RESOURCES
    mailed = deployed_with(AlarmEmail="operator@example.com")["Resources"]["AlarmEmailSubscription"]["Properties"]
    assert (mailed["Protocol"], mailed["Endpoint"]) == ("email", "operator@example.com")


def test_thresholds_that_operators_change_are_parameters() -> None:
    thresholds = {name: alarm["Properties"]["Threshold"] for name, alarm in _written().items()}
    assert {name: t["Ref"] for name, t in thresholds.items() if isinstance(t, dict)} == {
        "FailureQueueAlarm": "FailureQueueAlarmMessages",
        "OldestMessageAlarm": "OldestMessageAlarmSeconds",
        "DeliveryOverdueAlarm": "OldestMessageAlarmSeconds",
        "ApiAlarm": "ApiAlarmRequests",
        "UrgentCallsAlarm": "UrgentAlarmSeconds",
        "UrgentOldestMessageAlarm": "UrgentAlarmSeconds",
    }


def test_duration_alarm_goes_off_at_four_fifths_of_the_timeout() -> None:
    timeout_ms = RESOURCES["RelayFunction"]["Properties"]["Timeout"] * 1000
    assert ALARMS["FunctionDurationAlarm"]["Threshold"] == timeout_ms * 4 / 5


def test_message_that_always_crashes_the_function_raises_the_errors_alarm() -> None:
    alarm = ALARMS["FunctionErrorsAlarm"]
    seconds_between = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    assert alarm["Threshold"] * seconds_between <= alarm["Period"]


def test_local_aws_leaves_out_only_what_it_cannot_make() -> None:
    local = deployed_with(Stage=STAGE, OnLocalAws="yes", OutcomeEvents="yes")["Resources"]
    left_out = {name for name in RESOURCES if name not in local}
    outcome_events = {name for name in RESOURCES if name.startswith("Outcome")} - {"OutcomesTable"}
    # The policy is left out too, but is no alarm.
    assert left_out - {"ContentHashKeyPolicy"} == {"RedrivenAlarm", *outcome_events, *QUERIES}
    assert "Metrics" in ALARMS["RedrivenAlarm"]
    without = {name for name in local if local[name] != RESOURCES[name]}
    # The local AWS itself sets the function's endpoint. It speaks plain http, so the queues' policies exempt it.
    # The table has no stream there, as no pipe reads it.
    assert without == {
        "RelayFunction",
        "IngressQueuePolicy",
        "UrgentQueuePolicy",
        "FailureQueuePolicy",
        "OutcomesTable",
    }


@pytest.mark.parametrize("name", QUERIES)
def test_saved_query_uses_only_fields_that_log_lines_have(name: str) -> None:
    asked = set(re.findall(r"\b(?:fields|filter|stats|sort|by) (.+)", re.sub(r"(?m)^#.*", "", QUERIES[name])))
    texts = re.sub(r'"[^"]*"|toMillis|now\(\)', "", ", ".join(asked))
    language = {"and", "asc", "desc", "like", "count", "sum", "max", "latest", "ispresent"}
    words = set(re.findall(r"[a-z_]{3,}", texts)) - language
    counted = set(re.findall(r" as (\w+)", QUERIES[name]))
    assert words - counted <= {key for line in log_lines() for key in line} | {"timestamp"}
    messages = "".join(re.findall(r'message (?:= "[^"]+"|in \[[^]]+])', QUERIES[name]))
    assert set(re.findall(r'"(.+?)"', messages)) <= {line["message"] for line in log_lines()}


def test_query_of_presumed_calls_finds_resends_by_flow_identifier_and_request() -> None:
    query = QUERIES["PresumedQuery"]
    assert {"flow_id", "client_identifiers", "api_request_id", "request_id"} <= set(re.findall(r"\w+", query))
    [result] = re.findall(r'result = "(\w+)"', query)
    [line] = [line for line in log_lines() if line.get("result") == result]
    assert line["message"] == "request sent"
    assert (line["flow_id"], line["client_identifiers"]) == ("FLOWAAAA", "[call-1][call-2]")


def test_one_call_presumed_accepted_raises_the_alarm_about_it() -> None:
    alarm = ALARMS["PresumedAcceptedAlarm"]
    metric = MetricId(NAMESPACE, alarm["MetricName"], dimensions(alarm))
    assert emitted(CallsSettled(Status.PRESUMED_ACCEPTED, 1, Lane.INGRESS, [0.5]))[metric][0] >= alarm["Threshold"]


def test_call_query_finds_a_whole_client_identifier() -> None:
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
