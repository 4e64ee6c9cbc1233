"""The way out: what each setting of the network makes, and that it makes nothing else."""

import json
import re
from typing import Any

import pytest

from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with, expand

ONE_ADDRESS = "eipalloc-0a"
TWO_ADDRESSES = "eipalloc-0a,eipalloc-0b"
NETWORK_TYPES = "AWS::EC2::"
FLOW_LOGS = {"FlowLogsLogGroup", "FlowLogsRole"}


def of_type(resources: dict[str, Any], resource_type: str) -> dict[str, Any]:
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == f"AWS::EC2::{resource_type}"}


def allocation_ids(**parameters: str) -> list[Any]:
    gateways = of_type(deployed_with(**parameters)["Resources"], "NatGateway")
    return [gateways[name]["AllocationId"] for name in sorted(gateways)]


def test_nat_and_none_differ_in_nothing_but_the_network() -> None:
    nat, none = deployed_with(Egress="nat"), deployed_with(Egress="none")
    added = nat["Resources"].keys() - none["Resources"].keys()
    assert {name for name in added if not nat["Resources"][name]["Type"].startswith(NETWORK_TYPES)} == FLOW_LOGS
    assert nat["Outputs"].keys() - none["Outputs"].keys() == {"EgressIpAddresses"}

    del nat["Resources"]["RelayFunction"]["Properties"]["VpcConfig"]
    policies = nat["Resources"]["RelayRole"]["Properties"]["Policies"]
    assert [policy["PolicyName"] for policy in policies] == ["relay", "network"]
    del policies[1]
    for section in ("Resources", "Outputs"):
        assert {name: nat[section][name] for name in none[section]} == none[section]


def test_without_the_network_nothing_refers_to_it() -> None:
    none = deployed_with(Egress="none")
    network = deployed_with(Egress="nat", InterfaceEndpoints="all")["Resources"].keys() - none["Resources"].keys()
    referred = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(none)))
    assert referred
    assert not referred & network
    assert not any(r["Type"].startswith(NETWORK_TYPES) for r in none["Resources"].values())


def test_the_network_is_the_default() -> None:
    assert deployed_with() == deployed_with(Egress="nat", NatGateways="per-zone", InterfaceEndpoints="none")


def test_every_zone_has_its_gateway_with_an_address_of_its_own() -> None:
    resources = deployed_with(Egress="nat")["Resources"]
    gateways = of_type(resources, "NatGateway")
    zones = {
        of_type(resources, "Subnet")[g["SubnetId"]["Ref"]]["AvailabilityZone"]["Fn::Select"][0]
        for g in gateways.values()
    }
    assert zones == {0, 1}
    assert allocation_ids() == [
        {"Fn::GetAtt": ["AddressA", "AllocationId"]},
        {"Fn::GetAtt": ["AddressB", "AllocationId"]},
    ]
    assert resources["PrivateRouteB"]["Properties"]["NatGatewayId"] == {"Ref": "NatGatewayB"}


@pytest.mark.parametrize("parameters", [{"NatGateways": "single"}, {"EipAllocationIds": ONE_ADDRESS}])
def test_a_single_gateway_serves_both_zones(parameters: dict[str, str]) -> None:
    resources = deployed_with(**parameters)["Resources"]
    assert of_type(resources, "NatGateway").keys() == {"NatGatewayA"}
    for route in ("PrivateRouteA", "PrivateRouteB"):
        assert resources[route]["Properties"]["NatGatewayId"] == {"Ref": "NatGatewayA"}


@pytest.mark.parametrize("gateways", ["per-zone", "single"])
@pytest.mark.parametrize("ids", [ONE_ADDRESS, TWO_ADDRESSES])
def test_addresses_that_are_brought_are_used_all_and_alone(gateways: str, ids: str) -> None:
    assert allocation_ids(NatGateways=gateways, EipAllocationIds=ids) == ids.split(",")
    assert not of_type(deployed_with(NatGateways=gateways, EipAllocationIds=ids)["Resources"], "EIP")


def test_the_output_names_every_address_there_is() -> None:
    def output(**parameters: str) -> Any:  # noqa: ANN401 - a string or an intrinsic function
        return deployed_with(**parameters)["Outputs"]["EgressIpAddresses"]["Value"]

    assert output() == {"Fn::Sub": "${AddressA.PublicIp},${AddressB.PublicIp}"}
    assert output(NatGateways="single") == {"Fn::GetAtt": ["AddressA", "PublicIp"]}
    assert output(EipAllocationIds=TWO_ADDRESSES) == TWO_ADDRESSES


@pytest.mark.parametrize("address", ["AddressA", "AddressB"])
def test_whitelisted_addresses_outlive_the_stack(address: str) -> None:
    resource = expand()["Resources"][address]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize(
    "ids", ["eipalloc-0a,eipalloc-0b,eipalloc-0c", "203.0.113.7", "eipalloc-0a,", "eipalloc-0a, eipalloc-0b"]
)
def test_no_more_than_two_allocation_ids_are_taken_and_nothing_else(ids: str) -> None:
    pattern = read_template()["Parameters"]["EipAllocationIds"]["AllowedPattern"]
    assert all(re.fullmatch(pattern, right) for right in ("", ONE_ADDRESS, TWO_ADDRESSES))
    assert not re.fullmatch(pattern, ids)


def test_addresses_without_a_network_are_refused() -> None:
    rule = read_template()["Rules"]["AddressesNeedTheNetwork"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Egress"}, "none"]}
    assert [a["Assert"] for a in rule["Assertions"]] == [{"Fn::Equals": [{"Ref": "EipAllocationIds"}, ""]}]


def test_the_function_may_go_out_on_443_and_nothing_comes_in() -> None:
    resources = deployed_with()["Resources"]
    config = resources["RelayFunction"]["Properties"]["VpcConfig"]
    assert config["SecurityGroupIds"] == [{"Ref": "RelaySecurityGroup"}]
    assert config["SubnetIds"] == [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]
    group = resources["RelaySecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert [(r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupEgress"]] == [("tcp", 443, 443)]
    assert not {"SecurityGroupIngress", "SecurityGroupEgress"} & {r["Type"].split("::")[-1] for r in resources.values()}


@pytest.mark.parametrize(
    ("setting", "services"),
    [
        ("none", {"dynamodb"}),
        ("used", {"dynamodb", "sqs", "secretsmanager"}),
        ("all", {"dynamodb", "sqs", "secretsmanager", "kms"}),
    ],
)
def test_endpoints_lead_to_the_stacks_own_resources_only(setting: str, services: set[str]) -> None:
    endpoints = of_type(deployed_with(InterfaceEndpoints=setting)["Resources"], "VPCEndpoint")
    assert {endpoint["ServiceName"]["Fn::Sub"].split(".")[-1] for endpoint in endpoints.values()} == services
    for endpoint in endpoints.values():
        assert all(statement["Resource"] != "*" for statement in endpoint["PolicyDocument"]["Statement"])


def test_flow_logs_see_all_of_the_network() -> None:
    (flow_logs,) = of_type(deployed_with()["Resources"], "FlowLog").values()
    assert (flow_logs["ResourceType"], flow_logs["ResourceId"], flow_logs["TrafficType"]) == (
        "VPC",
        {"Ref": "Vpc"},
        "ALL",
    )
    assert flow_logs["LogGroupName"] == {"Ref": "FlowLogsLogGroup"}
