import re

import pytest

from sealed_relay.delivery.backoff import shortest_seconds
from tests.infrastructure.cloudformation import read_template

TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
FUNCTION = RESOURCES["RelayFunction"]["Properties"]
EVENT_SOURCE = FUNCTION["Events"]["Ingress"]["Properties"]
FOURTEEN_DAYS_IN_SECONDS = 14 * 24 * 3600
LONGEST_RETENTION_HOURS = 14 * 24


def test_a_batch_stays_invisible_for_six_times_the_timeout_and_the_batching_window() -> None:
    visibility_seconds = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    assert visibility_seconds >= 6 * FUNCTION["Timeout"] + PARAMETERS["BatchingWindowSeconds"]["MaxValue"]


def test_what_crashes_the_function_ends_in_the_failure_queue_but_waiting_costs_no_message_its_life() -> None:
    redrive = RESOURCES["IngressQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["FailureQueue", "Arn"]}
    assert redrive["maxReceiveCount"] == 1000


def test_the_receives_that_sqs_allows_outlast_the_longest_patience_however_short_each_wait_is() -> None:
    visibility_seconds = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    receives, waited_seconds = 0, 0.0
    while waited_seconds < PARAMETERS["GiveUpAfterHours"]["MaxValue"] * 3600:
        receives += 1
        # What the relay asks for, or what SQS does by itself where the relay could not ask.
        waited_seconds += min(shortest_seconds(receives), visibility_seconds)

    assert receives < RESOURCES["IngressQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]


def test_giving_up_comes_well_before_sqs_deletes_a_message() -> None:
    for queue in ("IngressQueue", "FailureQueue"):
        assert RESOURCES[queue]["Properties"]["MessageRetentionPeriod"] == FOURTEEN_DAYS_IN_SECONDS
    assert PARAMETERS["GiveUpAfterHours"]["MaxValue"] <= LONGEST_RETENTION_HOURS / 2


def test_a_record_outlives_every_message_that_could_repeat_its_call() -> None:
    assert PARAMETERS["OutcomeRetentionDays"]["MinValue"] * 24 > LONGEST_RETENTION_HOURS


def test_the_function_reports_which_messages_failed() -> None:
    assert EVENT_SOURCE["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_large_batches_have_the_window_that_aws_requires() -> None:
    assert PARAMETERS["BatchSize"]["Default"] > 10
    assert PARAMETERS["BatchingWindowSeconds"]["MinValue"] >= 1


def test_the_limits_cannot_be_set_above_the_apis() -> None:
    assert PARAMETERS["MaxCallsPerRequest"]["MaxValue"] == 500
    assert PARAMETERS["MaxBodyBytes"]["MaxValue"] == 256 * 1024


@pytest.mark.parametrize(
    "address",
    [
        "https://central.phonon.io/kairos-apis",
        "https://gateway.example:8443",
        "http://127.0.0.1:8080/kairos-apis",
        "http://localhost:8080",
        "http://[::1]:8080/base",
    ],
)
def test_the_gateway_may_be_https_or_on_this_machine(address: str) -> None:
    assert re.fullmatch(PARAMETERS["GatewayBaseUrl"]["AllowedPattern"], address)


@pytest.mark.parametrize(
    "address",
    [
        "http://central.phonon.io/kairos-apis",
        "http://127.0.0.1@elsewhere.example/",
        "http://127.0.0.1.elsewhere.example/",
        "http://localhost:80@elsewhere.example/",
        "https://user:password@elsewhere.example/",
        "https://elsewhere.example/?query",
        "ftp://127.0.0.1/",
        "",
    ],
)
def test_the_gateway_may_be_nothing_else(address: str) -> None:
    assert not re.fullmatch(PARAMETERS["GatewayBaseUrl"]["AllowedPattern"], address)


@pytest.mark.parametrize("resource", ["OutcomesTable", "ContentHashKey", "Key"])
def test_what_keeps_calls_from_going_twice_outlives_the_stack(resource: str) -> None:
    assert RESOURCES[resource]["DeletionPolicy"] == "Retain"
    assert RESOURCES[resource]["UpdateReplacePolicy"] == "Retain"


def test_records_expire_and_can_be_restored() -> None:
    table = RESOURCES["OutcomesTable"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_outputs_are_the_contracts() -> None:
    assert set(TEMPLATE["Outputs"]) == {
        "IngressQueueUrl",
        "FailureQueueUrl",
        "OutcomesTableName",
        "RelayFunctionName",
        "ReplayFunctionName",
        "FlowSecretPrefix",
        "EgressIpAddresses",
        "DashboardName",
    }
