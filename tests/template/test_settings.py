"""The function's environment variables in the template against what reads them."""

import msgspec

from sealed_relay.settings import Settings, read_settings
from tests.template.expansion import deployed_with

FOR_POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def variables() -> dict[str, object]:
    function = deployed_with()["Resources"]["RelayFunction"]["Properties"]
    return dict(function["Environment"]["Variables"])


def test_the_template_sets_each_setting_and_no_other() -> None:
    settings = {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert variables().keys() - FOR_POWERTOOLS == settings
    assert variables().keys() >= FOR_POWERTOOLS


def test_the_defaults_of_the_template_are_settings_that_the_function_takes() -> None:
    texts = {name: value if isinstance(value, str) else "made by AWS" for name, value in variables().items()}
    assert read_settings(texts).requests_per_minute == 500
