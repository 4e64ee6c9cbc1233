"""The function's environment variables in the template, compared with the settings that the code reads."""

import boto3
import msgspec
import pytest

from sealed_relay.settings import Settings, read_settings
from tests.infrastructure.expansion import deployed_with

FOR_LIBRARIES = {
    "AWS_ENDPOINT_URL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}


def variables() -> dict[str, object]:
    function = deployed_with()["Resources"]["RelayFunction"]["Properties"]
    return dict(function["Environment"]["Variables"])


def test_template_sets_exactly_the_settings() -> None:
    settings = {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert variables().keys() - FOR_LIBRARIES == settings
    assert variables().keys() >= FOR_LIBRARIES


def test_template_defaults_are_valid_settings() -> None:
    texts = {name: value if isinstance(value, str) else "made by AWS" for name, value in variables().items()}
    assert read_settings(texts).requests_per_minute == 500


def test_endpoint_variable_on_aws_means_aws_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(variables()["AWS_ENDPOINT_URL"]))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody")
    client = boto3.client("sqs", region_name="ap-south-1")
    assert client.meta.endpoint_url == "https://sqs.ap-south-1.amazonaws.com"
    client.close()


def test_endpoint_variable_is_left_out_on_the_local_aws() -> None:
    function = deployed_with(Egress="none", OnLocalAws="yes")["Resources"]["RelayFunction"]["Properties"]
    assert "AWS_ENDPOINT_URL" not in function["Environment"]["Variables"]
