"""Who can reach what? Proofs over the whole graph of each environment, not over single fields."""

import json
from typing import Any

import pytest

from tests.infra.graph import Graph, Row

GROUP_RULES = ("vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule")
PEERS = ("referencedSecurityGroupId", "cidrIpv4", "prefixListId")


def entering(graph: Graph, group: str) -> list[tuple[str, int]]:
    """Who may enter a security group, on which port."""
    found = []
    for rule in graph.of_type(GROUP_RULES[0]):
        if graph.names_behind(rule, "securityGroupId") != {group}:
            continue
        (peer,) = [name for name in PEERS if name in rule["inputs"]]
        peers = graph.names_behind(rule, peer) or {rule["inputs"][peer]}
        assert rule["inputs"]["fromPort"] == rule["inputs"]["toPort"]
        found += [(name, int(rule["inputs"]["fromPort"])) for name in peers]
    return sorted(found)


def group_of(graph: Graph, name: str, kind: str, prop: str) -> str:
    (group,) = graph.names_behind(graph.named(name, kind), prop)
    return group


def routes(graph: Graph, table: str) -> set[str]:
    """What a route table leads to beside the VPC itself."""
    return {
        target["type"].rsplit(":", 1)[-1]
        for route in graph.of_type("Route")
        if table in graph.names_behind(route, "routeTableId")
        for prop in ("gatewayId", "natGatewayId")
        for target in graph.behind(route, prop)
    }


def tables(graph: Graph, tier: str) -> set[str]:
    """The route tables of the subnets of a tier."""
    return {
        table
        for link in graph.of_type("RouteTableAssociation")
        for subnet in graph.behind(link, "subnetId")
        if subnet["inputs"]["tags"]["tier"] == tier
        for table in graph.names_behind(link, "routeTableId")
    }


@pytest.mark.parametrize(
    ("tier", "ways"),
    [
        ("public", {"InternetGateway"}),
        ("private", {"NatGateway"}),
        ("data", set()),
    ],
)
def test_each_tier_has_its_way_out_and_no_other(graph: Graph, tier: str, ways: set[str]) -> None:
    found = tables(graph, tier)
    assert found, "the tier has subnets with route tables"
    for table in found:
        assert routes(graph, table) == ways


def test_every_subnet_has_a_route_table_and_no_address_of_its_own(graph: Graph) -> None:
    subnets = {row["name"] for row in graph.of_type("Subnet")}
    linked = {name for link in graph.of_type("RouteTableAssociation") for name in graph.names_behind(link, "subnetId")}
    assert linked == subnets
    assert not any(row["inputs"]["mapPublicIpOnLaunch"] for row in graph.of_type("Subnet"))


@pytest.mark.parametrize(
    ("name", "kind", "prop", "tier"),
    [
        ("database", "rds/subnetGroup", "subnetIds", "data"),
        ("database-proxy", "rds/proxy", "vpcSubnetIds", "data"),
        ("cache", "elasticache/subnetGroup", "subnetIds", "data"),
        ("balancer", "lb/loadBalancer", "subnets", "private"),
        ("cluster", "eks/cluster", "vpcConfig", "private"),
    ],
)
def test_what_holds_data_is_in_its_tier(graph: Graph, name: str, kind: str, prop: str, tier: str) -> None:
    subnets = [row for row in graph.behind(graph.named(name, kind), prop) if row["type"].endswith(":Subnet")]
    assert {row["inputs"]["tags"]["tier"] for row in subnets} == {tier}
    zones = {row["inputs"]["availabilityZoneId"] for row in graph.of_type("Subnet")}
    assert {row["inputs"]["availabilityZoneId"] for row in subnets} == zones, "all zones of the network"


def test_the_database_hears_its_proxy_and_the_proxy_hears_the_cluster(graph: Graph) -> None:
    database = group_of(graph, "database", "rds/instance", "vpcSecurityGroupIds")
    proxy = group_of(graph, "database-proxy", "rds/proxy", "vpcSecurityGroupIds")
    assert entering(graph, database) == [(proxy, 3306)]
    assert entering(graph, proxy) == [("cluster", 3306)]


def test_the_cache_hears_the_cluster(graph: Graph) -> None:
    cache = group_of(graph, "cache", "elasticache/replicationGroup", "securityGroupIds")
    assert entering(graph, cache) == [("cluster", 6379)]


def test_the_balancer_hears_cloudfront_and_only_it_enters_the_cluster(graph: Graph) -> None:
    balancer = group_of(graph, "balancer", "lb/loadBalancer", "securityGroups")
    assert entering(graph, balancer) == [("pl-3b927c52", 443)]
    deployments = [("10.30.0.0/19", 443)] if graph.environment == "production" else []
    assert sorted(entering(graph, "cluster")) == sorted([(balancer, 8000), *deployments])
    assert graph.named("balancer", "lb/loadBalancer")["inputs"]["internal"] is True


def test_nothing_lets_the_world_in(graph: Graph) -> None:
    assert not [
        rule["name"]
        for rule in graph.of_type(GROUP_RULES[0])
        if rule["inputs"].get("cidrIpv4", "").endswith("/0") or "cidrIpv6" in rule["inputs"]
    ]


def test_every_rule_says_why(graph: Graph) -> None:
    rules = [rule for kind in GROUP_RULES for rule in graph.of_type(kind)]
    assert rules
    assert all(len(rule["inputs"]["description"]) > 10 for rule in rules)


def test_the_data_tier_is_closed_to_all_but_the_tiers_that_use_it(graph: Graph) -> None:
    (network,) = graph.of_type("Vpc")
    high = network["inputs"]["cidrBlock"].rsplit(".", 2)[0]
    for rule in graph.of_type("NetworkAclRule"):
        assert rule["inputs"]["cidrBlock"] in {f"{high}.0.0/17", f"{high}.128.0/21"}, rule["name"]
    (acl,) = graph.of_type("NetworkAcl")
    assert {row["inputs"]["tags"]["tier"] for row in graph.behind(acl, "subnetIds")} == {"data"}


def test_no_subnet_is_left_to_an_acl_that_lets_nothing_through(graph: Graph) -> None:
    guarded = {name for acl in graph.of_type("NetworkAcl") for name in graph.names_behind(acl, "subnetIds")}
    others = {row["name"] for row in graph.of_type("Subnet")} - guarded
    assert others, "the tiers that reach AWS and the internet use the VPC's default ACL"
    assert not graph.of_type("DefaultNetworkAcl"), "so the default must stay as AWS made it"


# What each workload's policy is made from: nothing else of the estate can be named in it.
SETTINGS = {"encryption-secrets", "secrets"}
RENDERING = {*SETTINGS, "database-proxy", "encryption-transient", "encryption-media", "media", "queue"}
OWN = {
    "api": {*RENDERING, "cache", "cache-service"},
    "worker": RENDERING,
    "sweeper": {*SETTINGS, "database-proxy", "media"},
    "migrator": {*SETTINGS, "database-proxy"},
    "bootstrap": {*SETTINGS, "database"},
}
USER = {"api": "service", "worker": "service", "sweeper": "service", "migrator": "migrator"}


def permissions(graph: Graph, workload: str) -> list[dict[str, Any]]:
    policy: Row = graph.named(f"identity-{workload}", "iam/rolePolicy")
    statements: list[dict[str, Any]] = json.loads(policy["inputs"]["policy"])["Statement"]
    return statements


@pytest.mark.parametrize("workload", OWN)
def test_each_workload_reaches_only_its_own(graph: Graph, workload: str) -> None:
    policy = graph.named(f"identity-{workload}", "iam/rolePolicy")
    assert graph.names_behind(policy, "policy") == OWN[workload]
    for statement in permissions(graph, workload):
        assert not any("*" in action for action in statement["Action"])
        for resource in statement["Resource"]:
            assert resource.startswith("arn:aws:")
            assert "*" not in resource.removesuffix("/*")


@pytest.mark.parametrize("workload", OWN)
def test_each_workload_logs_in_to_the_database_as_its_own_user(graph: Graph, workload: str) -> None:
    users = [
        resource.rsplit("/", 1)[-1]
        for statement in permissions(graph, workload)
        if "rds-db:connect" in statement["Action"]
        for resource in statement["Resource"]
    ]
    assert users == ([USER[workload]] if workload in USER else [])


@pytest.mark.parametrize("workload", OWN)
def test_a_key_is_used_through_one_service_only(graph: Graph, workload: str) -> None:
    for statement in permissions(graph, workload):
        if any(action.startswith("kms:") for action in statement["Action"]):
            assert set(statement["Condition"]["StringEquals"]) == {"kms:ViaService"}


def test_only_the_bootstrap_job_and_the_proxy_read_the_master_secret(graph: Graph) -> None:
    readers = {
        row["name"]
        for row in graph.of_type("iam/rolePolicy")
        for statement in json.loads(row["inputs"]["policy"])["Statement"]
        if "secretsmanager:GetSecretValue" in statement["Action"]
        and any(":secret:rds!" in resource for resource in statement["Resource"])
    }
    assert readers == {"identity-bootstrap", "database-proxy"}


def test_each_role_is_taken_by_one_service_account(graph: Graph) -> None:
    links = {row["inputs"]["serviceAccount"]: row for row in graph.of_type("eks/podIdentityAssociation")}
    assert set(links) == {*OWN, "grafana"}
    for workload, link in links.items():
        role = f"identity-{workload}" if workload in OWN else workload
        assert graph.names_behind(link, "roleArn") == {role}
        trust = json.loads(graph.named(role, "iam/role")["inputs"]["assumeRolePolicy"])
        tested = trust["Statement"][0]["Condition"]["StringEquals"]
        assert tested["aws:RequestTag/kubernetes-service-account"] == workload


def test_no_policy_of_ours_allows_everything(graph: Graph) -> None:
    """But to read metrics, for which CloudWatch knows no narrower resource."""
    for kind in ("iam/rolePolicy", "iam/policy"):
        for row in graph.of_type(kind):
            for statement in json.loads(row["inputs"]["policy"])["Statement"]:
                if statement["Effect"] == "Allow" and statement["Sid"] != "ReadCloudWatch":
                    assert "*" not in statement["Resource"], row["name"]
