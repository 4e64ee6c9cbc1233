"""The network: what each setting makes, and that it makes nothing else."""

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


def test_egress_nat_and_none_differ_only_in_the_network() -> None:
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


def test_egress_none_leaves_no_reference_to_the_network() -> None:
    none = deployed_with(Egress="none")
    network = deployed_with(Egress="nat", InterfaceEndpoints="all")["Resources"].keys() - none["Resources"].keys()
    referred = set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(none)))
    assert referred
    assert not referred & network
    assert not any(r["Type"].startswith(NETWORK_TYPES) for r in none["Resources"].values())


def test_default_egress_is_nat_with_a_gateway_per_zone() -> None:
    assert deployed_with() == deployed_with(Egress="nat", NatGateways="per-zone", InterfaceEndpoints="none")


def test_each_zone_has_a_gateway_with_its_own_address() -> None:
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
def test_single_gateway_serves_both_zones(parameters: dict[str, str]) -> None:
    resources = deployed_with(**parameters)["Resources"]
    assert of_type(resources, "NatGateway").keys() == {"NatGatewayA"}
    for route in ("PrivateRouteA", "PrivateRouteB"):
        assert resources[route]["Properties"]["NatGatewayId"] == {"Ref": "NatGatewayA"}


@pytest.mark.parametrize("gateways", ["per-zone", "single"])
@pytest.mark.parametrize("ids", [ONE_ADDRESS, TWO_ADDRESSES])
def test_given_addresses_are_all_used_and_no_others(gateways: str, ids: str) -> None:
    assert allocation_ids(NatGateways=gateways, EipAllocationIds=ids) == ids.split(",")
    assert not of_type(deployed_with(NatGateways=gateways, EipAllocationIds=ids)["Resources"], "EIP")


def test_output_names_every_egress_address() -> None:
    def output(**parameters: str) -> Any:  # noqa: ANN401 - a string or an intrinsic function
        return deployed_with(**parameters)["Outputs"]["EgressIpAddresses"]["Value"]

    assert output() == {"Fn::Sub": "${AddressA.PublicIp},${AddressB.PublicIp}"}
    assert output(NatGateways="single") == {"Fn::GetAtt": ["AddressA", "PublicIp"]}
    assert output(EipAllocationIds=TWO_ADDRESSES) == TWO_ADDRESSES


@pytest.mark.parametrize("address", ["AddressA", "AddressB"])
def test_whitelisted_addresses_stay_when_the_stack_is_deleted(address: str) -> None:
    resource = expand()["Resources"][address]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize(
    "ids", ["eipalloc-0a,eipalloc-0b,eipalloc-0c", "203.0.113.7", "eipalloc-0a,", "eipalloc-0a, eipalloc-0b"]
)
def test_allocation_ids_other_than_one_or_two_are_refused(ids: str) -> None:
    pattern = read_template()["Parameters"]["EipAllocationIds"]["AllowedPattern"]
    assert all(re.fullmatch(pattern, right) for right in ("", ONE_ADDRESS, TWO_ADDRESSES))
    assert not re.fullmatch(pattern, ids)


def test_allocation_ids_without_a_network_are_refused() -> None:
    rule = read_template()["Rules"]["AddressesNeedTheNetwork"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Egress"}, "none"]}
    assert [a["Assert"] for a in rule["Assertions"]] == [{"Fn::Equals": [{"Ref": "EipAllocationIds"}, ""]}]


def test_security_group_lets_443_out_and_nothing_in() -> None:
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
def test_endpoints_lead_only_to_the_stacks_own_resources(setting: str, services: set[str]) -> None:
    endpoints = of_type(deployed_with(InterfaceEndpoints=setting)["Resources"], "VPCEndpoint")
    assert {endpoint["ServiceName"]["Fn::Sub"].split(".")[-1] for endpoint in endpoints.values()} == services
    for endpoint in endpoints.values():
        assert all(statement["Resource"] != "*" for statement in endpoint["PolicyDocument"]["Statement"])


def test_flow_logs_cover_the_whole_network() -> None:
    (flow_logs,) = of_type(deployed_with()["Resources"], "FlowLog").values()
    assert (flow_logs["ResourceType"], flow_logs["ResourceId"], flow_logs["TrafficType"]) == (
        "VPC",
        {"Ref": "Vpc"},
        "ALL",
    )
    assert flow_logs["LogGroupName"] == {"Ref": "FlowLogsLogGroup"}
