"""The network: what each setting makes, and that it makes nothing else."""

import json
import re
from typing import Any

import pytest

from tests.infrastructure.cloudformation import read_template
from tests.infrastructure.expansion import deployed_with, expand

ONE_ADDRESS = "eipalloc-0a"
TWO_ADDRESSES = "eipalloc-0a,eipalloc-0b"
EXISTING = {"Egress": "existing", "SubnetIds": "subnet-0a,subnet-0b", "SecurityGroupIds": "sg-0a"}
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
    # A first deployment that fails leaves none behind: a region allows five.
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize(
    "ids", ["eipalloc-0a,eipalloc-0b,eipalloc-0c", "203.0.113.7", "eipalloc-0a,", "eipalloc-0a, eipalloc-0b"]
)
def test_allocation_ids_other_than_one_or_two_are_refused(ids: str) -> None:
    pattern = read_template()["Parameters"]["EipAllocationIds"]["AllowedPattern"]
    assert all(re.fullmatch(pattern, right) for right in ("", ONE_ADDRESS, TWO_ADDRESSES))
    assert not re.fullmatch(pattern, ids)


def test_existing_network_is_used_and_none_is_made() -> None:
    existing, none = deployed_with(**EXISTING), deployed_with(Egress="none")
    function = existing["Resources"]["RelayFunction"]["Properties"]
    assert function.pop("VpcConfig") == {"SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}
    address = existing["Outputs"].pop("EgressIpAddresses")["Value"]
    assert address.startswith("The addresses of the NAT gateway, proxy or firewall behind subnet-0a,subnet-0b.")
    assert existing == none


def test_existing_network_without_subnets_or_groups_is_refused() -> None:
    rule = read_template()["Rules"]["ExistingNetworkIsNamed"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Egress"}, "existing"]}
    assert asserted(rule) == [{"Fn::Not": [is_empty("SubnetIds")]}, {"Fn::Not": [is_empty("SecurityGroupIds")]}]


@pytest.mark.parametrize(
    ("rule", "egress", "parameters"),
    [
        ("OnlyTheStacksOwnNetworkHasAddressesAndZones", "nat", ["EipAllocationIds", "AvailabilityZones"]),
        ("OnlyAnExistingNetworkIsNamed", "existing", ["SubnetIds", "SecurityGroupIds"]),
    ],
)
def test_parameters_of_another_egress_are_refused(rule: str, egress: str, parameters: list[str]) -> None:
    written = read_template()["Rules"][rule]
    assert written["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Egress"}, egress]}]}
    assert asserted(written) == [is_empty(name) for name in parameters]


def is_empty(parameter: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": parameter}, ""]}


def asserted(rule: dict[str, Any]) -> list[Any]:
    return [assertion["Assert"] for assertion in rule["Assertions"]]


def test_named_zones_are_used_in_their_order() -> None:
    resources = deployed_with(AvailabilityZones="ap-south-1b,ap-south-1c")["Resources"]
    zones = {name: subnet["AvailabilityZone"] for name, subnet in of_type(resources, "Subnet").items()}
    assert zones == {
        "PublicSubnetA": "ap-south-1b",
        "PrivateSubnetA": "ap-south-1b",
        "PublicSubnetB": "ap-south-1c",
        "PrivateSubnetB": "ap-south-1c",
    }


@pytest.mark.parametrize("resource", ["PrivateSubnetA", "PrivateSubnetB", "RelaySecurityGroup"])
def test_role_outlives_what_lambdas_network_interfaces_use(resource: str) -> None:
    # Lambda deletes its network interfaces with the role. Until then they keep the subnets and the group.
    depends_on = expand()["Resources"][resource]["DependsOn"]
    assert "RelayRole" in ([depends_on] if isinstance(depends_on, str) else depends_on)


@pytest.mark.parametrize("zone", ["A", "B"])
def test_nat_gateway_has_its_whole_way_out_as_long_as_it_exists(zone: str) -> None:
    gateway = expand()["Resources"][f"NatGateway{zone}"]
    assert gateway["DependsOn"] == ["InternetRoute", f"PublicRoutes{zone}"]


def test_each_part_of_the_network_that_can_have_a_name_has_one() -> None:
    without_tags = {"VPCGatewayAttachment", "Route", "SubnetRouteTableAssociation"}
    for name, resource in deployed_with(InterfaceEndpoints="all")["Resources"].items():
        kind = resource["Type"].removeprefix(NETWORK_TYPES)
        if resource["Type"].startswith(NETWORK_TYPES) and kind not in without_tags:
            assert [tag["Key"] for tag in resource["Properties"]["Tags"]] == ["Name"], name


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
