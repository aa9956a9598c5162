"""Do the environments have what the table of environments promises, and does protection hold together?"""

import json
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from tests.infra.graph import Graph

ROOT = Path(__file__).resolve().parents[2]
STATEFUL = (
    "kms/key",
    "kms/replicaKey",
    "s3/bucket",
    "rds/instance",
    "elasticache/replicationGroup",
    "secretsmanager/secret",
    "backup/vault",
    "eks/cluster",
)


def test_what_holds_data_is_protected_in_production_and_disposable_elsewhere(graph: Graph) -> None:
    for kind in STATEFUL:
        rows = graph.of_type(kind)
        assert rows, kind
        for row in rows:
            assert row["protect"] is (graph.environment == "production"), row["name"]
    assert {row["type"].split(":")[1] for row in graph.rows if row["protect"]} <= {
        kind.split("/", maxsplit=1)[0] + "/" + kind.split("/")[1] for kind in STATEFUL
    }


def test_aws_refuses_deletion_too_in_production(graph: Graph) -> None:
    production = graph.environment == "production"
    database = graph.named("database", "rds/instance")["inputs"]
    assert database["deletionProtection"] is production
    assert database["skipFinalSnapshot"] is not production
    assert database["deleteAutomatedBackups"] is not production
    assert graph.named("cluster", "eks/cluster")["inputs"]["deletionProtection"] is production
    assert graph.named("balancer", "lb/loadBalancer")["inputs"]["enableDeletionProtection"] is production
    for kind in ("s3/bucket", "backup/vault"):
        assert all(row["inputs"]["forceDestroy"] is not production for row in graph.of_type(kind))


def test_protection_is_taken_off_by_one_field(record: Callable[..., Graph]) -> None:
    graph = record("production", "place.protected=false")
    assert not any(row["protect"] for row in graph.rows)
    assert graph.named("database", "rds/instance")["inputs"]["deletionProtection"] is False


@pytest.mark.parametrize(("environment", "zones", "gateways"), [("dev", 2, 1), ("staging", 3, 1), ("production", 3, 3)])
def test_zones_and_ways_out(graphs: dict[str, Graph], environment: str, zones: int, gateways: int) -> None:
    graph = graphs[environment]
    assert len({row["inputs"]["availabilityZoneId"] for row in graph.of_type("Subnet")}) == zones
    assert len(graph.of_type("NatGateway")) == gateways


def test_the_cluster_is_private_in_production(graphs: dict[str, Graph]) -> None:
    for environment, graph in graphs.items():
        access = graph.named("cluster", "eks/cluster")["inputs"]["vpcConfig"]
        assert access["endpointPrivateAccess"] is True
        assert access["endpointPublicAccess"] is (environment != "production")
        assert all(IPv4Network(cidr).prefixlen >= 16 for cidr in access.get("publicAccessCidrs", []))


def test_a_new_zone_slot_changes_no_existing_resource(record: Callable[..., Graph]) -> None:
    zones = '[{"slot":0,"zone_id":"use1-az1"},{"slot":1,"zone_id":"use1-az2"},{"slot":3,"zone_id":"use1-az6"}]'
    before = {row["urn"]: row["inputs"] for row in record("dev").of_type("Subnet")}
    after = {row["urn"]: row["inputs"] for row in record("dev", f"network.zones={zones}").of_type("Subnet")}
    assert {urn: after[urn] for urn in before} == before
    assert len(after) == len(before) + 3


def test_a_colour_of_the_service_comes_and_goes_with_its_weight(record: Callable[..., Graph]) -> None:
    image = '"registry.example/service@sha256:' + "a" * 64 + '"'
    graph = record(
        "dev",
        'release.candidate="green"',
        f'release.images={{"blue":{image},"green":{image}}}',
        'release.weights={"blue":90,"green":10}',
    )
    assert {row["name"] for row in graph.of_type("lb/targetGroup")} == {"balancer-blue", "balancer-green"}
    (action,) = graph.named("balancer-https", "lb/listener")["inputs"]["defaultActions"]
    assert [group["weight"] for group in action["forward"]["targetGroups"]] == [90, 10]


def test_the_cache_user_may_send_what_the_service_sends(graph: Graph) -> None:
    user = graph.named("cache-service", "elasticache/user")["inputs"]
    assert user["accessString"] == (ROOT / "service/cache_access.txt").read_text().strip()
    assert user["authenticationMode"]["type"] == "iam"
    assert user["userId"] == user["userName"], "ElastiCache takes an IAM login only then"


def test_all_pods_together_fit_into_the_databases_connections(graph: Graph) -> None:
    """Else the service refuses to start: service/data/database.py, `check_pool_arithmetic`."""
    gigabytes = {"db.t4g.medium": 4, "db.m7g.large": 8, "db.m7g.xlarge": 16}
    (settings,) = (row["inputs"]["data"] for row in graph.of_type("ConfigMap") if row["name"] == "service-settings")
    # What RDS gives MySQL by default: {DBInstanceClassMemory/12582880}; RDS user guide, "Quotas and constraints".
    given = gigabytes[graph.named("database", "rds/instance")["inputs"]["instanceClass"]] * 2**30 // 12_582_880
    asked = 2 * int(settings["TECNOCURSOS_DATABASE__POOL_SIZE"]) * int(settings["TECNOCURSOS_MOST_PODS"])
    assert asked + 100 <= given, "migrations, operators and AWS itself need connections too"


def test_the_database_is_entered_by_iam_over_tls(graph: Graph) -> None:
    proxy = graph.named("database-proxy", "rds/proxy")["inputs"]
    assert (proxy["defaultAuthScheme"], proxy["requireTls"]) == ("IAM_AUTH", True)
    (master,) = proxy["auths"]
    assert graph.names_behind(graph.named("database-proxy", "rds/proxy"), "auths") == {"database"}
    assert (master["iamAuth"], master["clientPasswordAuthType"]) == ("DISABLED", "MYSQL_CACHING_SHA2_PASSWORD")
    database = graph.named("database", "rds/instance")["inputs"]
    assert database["manageMasterUserPassword"] is True
    assert "password" not in database
    parameters = {
        row["name"]: row["value"] for row in graph.named("database", "rds/parameterGroup")["inputs"]["parameters"]
    }
    assert parameters["require_secure_transport"] == "1"
    assert parameters["slow_query_log"] == "1"


def test_logs_exist_before_what_writes_them_and_end(graph: Graph) -> None:
    groups = {row["urn"]: row for row in graph.of_type("cloudwatch/logGroup")}
    days = {"dev": 14, "staging": 90, "production": 365}[graph.environment]
    assert all(row["inputs"]["retentionInDays"] == days and row["inputs"]["kmsKeyId"] for row in groups.values())
    for name, kind, log in (
        ("cluster", "eks/cluster", "cluster-logs"),
        ("database", "rds/instance", "database-logs-error"),
        ("database-proxy", "rds/proxy", "database-logs-proxy"),
        ("cache", "elasticache/replicationGroup", "cache-slow-log"),
    ):
        assert log in {groups[urn]["name"] for urn in graph.named(name, kind)["dependencies"] if urn in groups}


def test_cluster_objects_go_before_the_access_that_can_delete_them(graph: Graph) -> None:
    (provider,) = graph.of_type("providers:kubernetes")
    assert any(urn.endswith("AccessPolicyAssociation::cluster-deployer") for urn in provider["dependencies"])
    assert provider["inputs"]["clusterIdentifier"] == f"tecnocursos-{graph.environment}-1"
    assert "aws eks get-token" in " ".join(_kubeconfig(provider)["command"])


def test_every_resource_names_its_provider(graph: Graph) -> None:
    for row in graph.rows:
        if row["type"].startswith(("aws:", "kubernetes:")):
            package = row["type"].split(":")[0]
            assert row["provider"] == {"aws": "aws", "kubernetes": "cluster-kubernetes"}[package], row["urn"]


def test_production_has_the_planned_size(graphs: dict[str, Graph]) -> None:
    made = [row for row in graphs["production"].rows if not row["type"].startswith(("tecnocursos:", "pulumi:"))]
    assert 250 <= len(made) <= 400


@pytest.mark.parametrize("path", [*(ROOT / "infra").rglob("*.py"), ROOT / "stacks/settings.py"], ids=lambda p: p.name)
def test_no_file_answers_two_questions(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_the_program_is_short() -> None:
    assert len((ROOT / "stacks/__main__.py").read_text().splitlines()) <= 60


def _kubeconfig(provider: dict[str, Any]) -> dict[str, list[str]]:
    call = json.loads(provider["inputs"]["kubeconfig"])["users"][0]["user"]["exec"]
    return {"command": [call["command"], *call["args"]]}


# Services that do not say on whose behalf they come, by the policies that let them in: a condition would shut them out.
# docs/decisions/0025-untold-by-documentation.md.
SILENT = {
    "iam/role": {"backup", "ec2", "eks", "rds", "s3"},
    "sns/topicPolicy": {"backup", "elasticache"},
    "kms/key": {"backup", "elasticache", "events"},
}


def test_services_that_say_nothing_are_tested_for_nothing(graph: Graph) -> None:
    looked_at = set()
    for kind, silent in SILENT.items():
        for row in graph.of_type(kind):
            document = row["inputs"].get("assumeRolePolicy" if kind == "iam/role" else "policy")
            for statement in json.loads(document)["Statement"] if document else []:
                services = statement["Principal"].get("Service", [])
                told = {service for service in services if service.removesuffix(".amazonaws.com") in silent}
                looked_at |= {(kind, service) for service in told}
                assert not told or "Condition" not in statement, f"{row['name']}: {told}"
    assert {kind for kind, _ in looked_at} == set(SILENT)
    assert ("iam/role", "eks.amazonaws.com") in looked_at
