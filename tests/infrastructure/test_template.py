"""The queues, the event source, the limits and the outputs of the template."""

import re

import pytest

from sealed_relay.delivery.backoff import min_deferral_seconds
from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with

TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
FUNCTION = RESOURCES["RelayFunction"]["Properties"]
EVENT_SOURCE = FUNCTION["Events"]["Ingress"]["Properties"]
FOURTEEN_DAYS_IN_SECONDS = 14 * 24 * 3600
LONGEST_RETENTION_HOURS = 14 * 24


def test_visibility_timeout_is_six_timeouts_and_the_batching_window() -> None:
    visibility_seconds = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    assert visibility_seconds >= 6 * FUNCTION["Timeout"] + PARAMETERS["BatchingWindowSeconds"]["MaxValue"]


def test_ingress_queue_redrives_to_the_failure_queue_after_1000_receives() -> None:
    redrive = RESOURCES["IngressQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["FailureQueue", "Arn"]}
    assert redrive["maxReceiveCount"] == 1000


def test_1000_receives_last_longer_than_the_longest_give_up_time() -> None:
    visibility_seconds = RESOURCES["IngressQueue"]["Properties"]["VisibilityTimeout"]
    receives, waited_seconds = 0, 0.0
    while waited_seconds < PARAMETERS["GiveUpAfterHours"]["MaxValue"] * 3600:
        receives += 1
        # What the relay asks for, or what SQS does by itself where the relay could not ask.
        waited_seconds += min(min_deferral_seconds(receives), visibility_seconds)

    assert receives < RESOURCES["IngressQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]


def test_give_up_time_ends_well_before_sqs_deletes_a_message() -> None:
    for queue in ("IngressQueue", "FailureQueue"):
        assert RESOURCES[queue]["Properties"]["MessageRetentionPeriod"] == FOURTEEN_DAYS_IN_SECONDS
    assert PARAMETERS["GiveUpAfterHours"]["MaxValue"] <= LONGEST_RETENTION_HOURS / 2


def test_record_outlives_every_message_with_its_call() -> None:
    assert PARAMETERS["OutcomeRetentionDays"]["MinValue"] * 24 > LONGEST_RETENTION_HOURS


def test_event_source_takes_reports_of_failed_messages() -> None:
    assert EVENT_SOURCE["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_urgent_queue_differs_from_the_ingress_queue_in_its_name_alone() -> None:
    ingress, urgent = (dict(RESOURCES[queue]["Properties"]) for queue in ("IngressQueue", "UrgentQueue"))
    assert ingress.pop("QueueName") != urgent.pop("QueueName")
    assert urgent == ingress


def test_urgent_event_source_hands_over_messages_without_a_window() -> None:
    urgent = FUNCTION["Events"]["Urgent"]["Properties"]
    assert urgent["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in urgent
    assert urgent["BatchSize"] == 10  # the most that AWS allows without a window
    assert urgent["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "UrgentMaximumConcurrency"}}
    assert PARAMETERS["UrgentMaximumConcurrency"]["MinValue"] == 2  # the least that AWS allows


def test_limit_that_the_default_reserve_would_use_up_is_refused() -> None:
    rule = TEMPLATE["Rules"]["SmallLimitHasASmallerReserve"]
    reserve = PARAMETERS["UrgentReservedRequestsPerMinute"]["Default"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "UrgentReservedRequestsPerMinute"}, str(reserve)]}
    [assertion] = rule["Assertions"]
    limits = [str(limit) for limit in range(1, reserve + 1)]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Contains": [limits, {"Ref": "RequestsPerMinute"}]}]}


def test_large_batch_has_the_window_that_aws_requires() -> None:
    assert PARAMETERS["BatchSize"]["Default"] > 10
    assert PARAMETERS["BatchingWindowSeconds"]["MinValue"] >= 1


def test_limits_cannot_be_set_above_the_apis() -> None:
    assert PARAMETERS["MaxCallsPerRequest"]["MaxValue"] == 500
    assert PARAMETERS["MaxBodyBytes"]["MaxValue"] == 256 * 1024
    assert PARAMETERS["RequestsPerMinute"]["MaxValue"] == 60_000


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_functions_and_layer_have_the_same_processor(architecture: str) -> None:
    resources = deployed_with(Architecture=architecture)["Resources"]
    functions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Function"]
    assert [function["Architectures"] for function in functions] == [[architecture]] * 2
    [layer] = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::LayerVersion"]
    assert layer["CompatibleArchitectures"] == [architecture]


def test_each_stack_has_a_layer_of_its_own() -> None:
    [layer] = [r["Properties"] for r in deployed_with()["Resources"].values() if r["Type"].endswith("::LayerVersion")]
    assert layer["LayerName"] == {"Fn::Sub": "${AWS::StackName}-dependencies"}


def test_table_is_protected_from_deletion_only_if_asked() -> None:
    for asked, protected in (("yes", True), ("no", False)):
        table = deployed_with(DeletionProtection=asked)["Resources"]["OutcomesTable"]["Properties"]
        assert table["DeletionProtectionEnabled"] is protected


def test_production_without_an_address_for_alarms_is_refused() -> None:
    rule = TEMPLATE["Rules"]["ProductionTellsSomebody"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    assert [a["Assert"] for a in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]},
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://central.phonon.io/kairos-apis",
        "https://gateway.example:8443",
        "http://127.0.0.1:8080/kairos-apis",
        "http://localhost:8080",
        "http://host.docker.internal:8080/kairos-apis",
        "http://[::1]:8080/base",
    ],
)
def test_gateway_may_be_https_or_on_this_machine(address: str) -> None:
    assert re.fullmatch(PARAMETERS["GatewayBaseUrl"]["AllowedPattern"], address)


@pytest.mark.parametrize(
    "address",
    [
        "http://central.phonon.io/kairos-apis",
        "http://127.0.0.1@elsewhere.example/",
        "http://host.docker.internal.elsewhere.example/",
        "https://central-api.phonon.io/kairos-apis",
        "https://Central-API.Phonon.io",
        "http://127.0.0.1.elsewhere.example/",
        "http://localhost:80@elsewhere.example/",
        "https://user:password@elsewhere.example/",
        "https://elsewhere.example/?query",
        "ftp://127.0.0.1/",
        "",
    ],
)
def test_gateway_of_any_other_form_is_refused(address: str) -> None:
    assert not re.fullmatch(PARAMETERS["GatewayBaseUrl"]["AllowedPattern"], address)


@pytest.mark.parametrize("resource", ["OutcomesTable", "ContentHashKey", "Key"])
def test_records_and_keys_stay_when_the_stack_is_deleted(resource: str) -> None:
    # After a first deployment that fails they do not stay: nothing was ever in them.
    assert RESOURCES[resource]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[resource]["UpdateReplacePolicy"] == "Retain"


def test_records_expire_and_can_be_restored() -> None:
    table = RESOURCES["OutcomesTable"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_outputs_are_the_contracts() -> None:
    assert set(TEMPLATE["Outputs"]) == {
        "IngressQueueUrl",
        "UrgentQueueUrl",
        "FailureQueueUrl",
        "OutcomesTableName",
        "RelayFunctionName",
        "OperationsFunctionName",
        "FlowSecretPrefix",
        "EgressIpAddresses",
        "DashboardName",
    }
