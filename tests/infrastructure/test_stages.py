"""The stages of samconfig.toml, compared with the template that they deploy."""

import re
import tomllib
from typing import Any

import pytest

from local.stack.paths import REPOSITORY
from tests.infrastructure.cloudformation import read_template

CONFIGURATION = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
PARAMETERS = read_template()["Parameters"]
STAGES = ["dev", "staging", "prod"]
API_REQUESTS_PER_MINUTE = 500


def overrides(stage: str) -> dict[str, str]:
    deploy: dict[str, Any] = CONFIGURATION[stage]["deploy"]["parameters"]
    return dict(override.split("=", 1) for override in deploy["parameter_overrides"])


@pytest.mark.parametrize("stage", STAGES)
def test_stage_sets_parameters_to_allowed_values(stage: str) -> None:
    for name, value in overrides(stage).items():
        parameter = PARAMETERS[name]
        assert value in parameter.get("AllowedValues", [value])
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)
        if parameter["Type"] == "Number":
            assert parameter["MinValue"] <= int(value) <= parameter.get("MaxValue", int(value))


@pytest.mark.parametrize("stage", STAGES)
def test_stage_has_its_name_in_stack_tags_and_parameters(stage: str) -> None:
    deploy = CONFIGURATION[stage]["deploy"]["parameters"]
    assert overrides(stage)["Stage"] == stage
    assert deploy["stack_name"] == f"sealed-relay-{stage}"
    assert f"stage={stage}" in deploy["tags"]


def test_stages_together_use_exactly_the_apis_rate() -> None:
    assert sum(int(overrides(stage)["RequestsPerMinute"]) for stage in STAGES) == API_REQUESTS_PER_MINUTE


def test_production_keeps_the_safe_defaults() -> None:
    for name in ("Egress", "NatGateways", "OutcomeRetentionDays"):
        assert name not in overrides("prod")


def test_production_is_protected_and_keeps_traffic_to_aws_private() -> None:
    assert overrides("prod")["DeletionProtection"] == "yes"
    assert overrides("prod")["InterfaceEndpoints"] == "used"
