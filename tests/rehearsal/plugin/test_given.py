"""Is a used account what AWS's accounts are: what AWS makes by itself is there, and quotas hold?"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.answers import Refused, Urn
from rehearsal.aws import given
from rehearsal.aws.account import quotas
from rehearsal.aws.account.request import Request
from rehearsal.aws.context import Context
from rehearsal.aws.inventory import Inventory
from rehearsal.aws.library import Library
from rehearsal.aws.lifecycle import Lifecycle
from rehearsal.aws.schema import open_schemas
from rehearsal.errors import RehearsalError
from rehearsal.values import Properties
from rehearsal.world import Row, World

MONITOR, LINKED = "aws:costexplorer/anomalyMonitor:AnomalyMonitor", "aws:iam/serviceLinkedRole:ServiceLinkedRole"
QUOTAS = given.facts()["quota"]
HERE = Context("us-east-1")


def vpc_filter(id: str) -> Mapping[str, Any]:
    return {"filters": [{"name": "vpc-id", "values": [id]}]}


def test_the_default_network_of_every_region_is_found(start: Any) -> None:
    plugin = start(region="eu-west-1")
    vpc = plugin.invoke("aws:ec2/getVpc:getVpc", {"default": True})
    assert vpc["cidrBlock"] == "172.31.0.0/16"
    subnets = plugin.invoke("aws:ec2/getSubnets:getSubnets", vpc_filter(vpc["id"]))["ids"]
    zones = [plugin.invoke("aws:ec2/getSubnet:getSubnet", {"id": one})["availabilityZone"] for one in subnets]
    assert zones == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    of_a = [{"name": "default-for-az", "values": ["true"]}, {"name": "availability-zone", "values": ["eu-west-1a"]}]
    assert plugin.invoke("aws:ec2/getSubnets:getSubnets", {"filters": of_a})["ids"] == subnets[:1]
    group = plugin.invoke("aws:ec2/getSecurityGroup:getSecurityGroup", {"name": "default", "vpcId": vpc["id"]})
    assert group["id"] == vpc["defaultSecurityGroupId"]
    attached = {"filters": [{"name": "attachment.vpc-id", "values": [vpc["id"]]}]}
    assert plugin.invoke("aws:ec2/getInternetGateway:getInternetGateway", attached)["id"].startswith("igw-")
    (far,) = plugin.invoke("aws:ec2/getVpcs:getVpcs", {"region": "us-west-2"})["ids"]
    assert far != vpc["id"]
    role = plugin.invoke("aws:iam/getRole:getRole", {"name": "AWSServiceRoleForRDS"})
    assert role["arn"].endswith(":role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS")


def test_a_look_up_by_tag_finds_only_what_has_it(plugin: Any) -> None:
    id, _ = plugin.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "own"}})
    assert plugin.invoke("aws:ec2/getVpc:getVpc", {"tags": {"Name": "own"}})["id"] == id
    with pytest.raises(plugin.Error, match="no such object"):
        plugin.invoke("aws:ec2/getVpc:getVpc", {"tags": {"Name": "other"}})


def test_a_service_linked_role_exists_once(plugin: Any) -> None:
    with pytest.raises(
        plugin.Error, match="InvalidInput: Service role name AWSServiceRoleForRDS has been taken in this"
    ):
        plugin.create(LINKED, {"awsServiceName": "rds.amazonaws.com"})
    _, made = plugin.create(LINKED, {"awsServiceName": "es.amazonaws.com"})
    assert made.values["name"] == "AWSServiceRoleForAmazonElasticsearchService"
    with pytest.raises(plugin.Error, match="ElasticsearchService has been taken"):
        plugin.create(LINKED, {"awsServiceName": "es.amazonaws.com"}, name="again")
    plugin.create(LINKED, {"awsServiceName": "autoscaling.amazonaws.com", "customSuffix": "own"}, name="own")


def test_the_account_has_its_monitor_of_services_already(plugin: Any) -> None:
    monitor = {"name": "services", "monitorType": "DIMENSIONAL", "monitorDimension": "SERVICE"}
    with pytest.raises(plugin.Error, match="ValidationException: Limit exceeded on dimensional spend monitor creation"):
        plugin.create(MONITOR, monitor)
    for number in range(3):
        own = {"name": f"own-{number}", "monitorType": "CUSTOM", "monitorSpecification": "{}"}
        plugin.create(MONITOR, own, name=f"own-{number}")


@pytest.mark.parametrize("quota", QUOTAS, ids=[one["of"] for one in QUOTAS])
def test_each_quota_admits_its_number_and_refuses_one_more(quota: Mapping[str, Any], tmp_path: Path) -> None:
    inputs = dict.fromkeys(quota.get("per", ()), "one") | quota.get("where", {})
    if quota["of"] == MONITOR:
        inputs["monitorDimension"] = "LINKED_ACCOUNT"
    world = World(tmp_path, "demo/dev")
    account = Inventory(world, HERE)
    before = len([row for row in account.rows(quota["of"]) if inputs.items() <= row.inputs.items()])
    for number in range(quota["limit"] - before):
        assert quotas.is_exhausted(Request(quota["of"], inputs, HERE, account)) is None
        world.put(Row(quota["of"], HERE.region, f"id-{number}", f"urn-{number}", inputs, inputs))
    refused = quotas.is_exhausted(Request(quota["of"], inputs, HERE, account))
    assert refused is not None and refused.code == quota["code"] and str(quota["limit"]) in str(refused)
    own = account.rows(quota["of"])[0]
    assert quotas.is_exhausted(Request(quota["of"], inputs, HERE, account, own)) is None  # an update adds nothing
    for name in quota.get("per", ()):
        assert quotas.is_exhausted(Request(quota["of"], {**inputs, name: "other"}, HERE, account)) is None


def test_a_prefix_list_counts_what_it_may_hold(tmp_path: Path) -> None:
    rule = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "securityGroupId": "sg-1"}
    lifecycle = Lifecycle(Library.open(), HERE, World(tmp_path, "demo/dev"))
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

    def add(name: str, **more: Any) -> None:
        lifecycle.create(Urn.parse(f"urn:pulumi:dev::demo::{token}::{name}"), Properties({**rule, **more}))

    add("viewers", prefixListId="pl-3b927c52")
    with pytest.raises(Refused, match="RulesPerSecurityGroupLimitExceeded"):
        add("again", prefixListId="pl-3b927c52", fromPort=80)
    for number in range(5):
        add(f"r{number}", cidrIpv4=f"10.0.{number}.0/24")
    with pytest.raises(Refused, match="RulesPerSecurityGroupLimitExceeded"):
        add("last", cidrIpv4="10.0.9.0/24")


def test_an_empty_account_has_nothing_and_no_quota(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_ACCOUNT", "empty")
    plugin = start()
    with pytest.raises(plugin.Error, match="no such object"):
        plugin.invoke("aws:ec2/getVpc:getVpc", {"default": True})
    plugin.create(LINKED, {"awsServiceName": "rds.amazonaws.com"})
    for number in range(7):
        plugin.create("aws:ec2/eip:Eip", {"domain": "vpc"}, name=f"e{number}")


def test_another_word_for_the_account_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_ACCOUNT", "fresh")
    with pytest.raises(RehearsalError, match="REHEARSAL_ACCOUNT is 'fresh': it must be used or empty"):
        given.account()
    words = [sys.executable, "-m", "rehearsal", "setup"]
    asked = subprocess.run(words, capture_output=True, text=True, check=False)
    assert asked.returncode == 1 and "REHEARSAL_ACCOUNT is 'fresh'" in asked.stderr


def test_what_the_table_names_exists_in_the_sdk(schemas: None) -> None:
    known = open_schemas()
    for quota in QUOTAS:
        resource = known.get(quota["of"])
        assert resource is not None, quota["of"]
        named = {*quota.get("per", ()), *quota.get("where", {}), *([quota["weights"]] if "weights" in quota else ())}
        assert named <= resource.inputs.keys(), quota["of"]
    for one in given.rows(HERE):
        resource = known.get(one.token)
        assert resource is not None and one.inputs.keys() <= resource.inputs.keys(), one.token
