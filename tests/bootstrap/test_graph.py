"""Does each account have what an estate needs before it, protected and apart from the other accounts?"""

import json
from pathlib import Path

from tests.infra.graph import Graph

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENVIRONMENTS = ("dev", "staging", "production")
STATEFUL = ("kms/key", "kms/replicaKey", "s3/bucket", "ecr/repository", "route53/zone")


def test_what_holds_data_is_protected_in_production_and_disposable_elsewhere(graph: Graph) -> None:
    production = graph.environment == "production"
    for kind in STATEFUL:
        rows = graph.of_type(kind)
        assert rows, kind
        assert all(row["protect"] is production for row in rows), kind
        for flag in ("forceDestroy", "forceDelete"):
            assert all(row["inputs"].get(flag, not production) is not production for row in rows)


def test_the_state_is_versioned_locked_encrypted_by_its_own_key_and_copied(graph: Graph) -> None:
    replication = graph.named("state-replication", "s3/bucketReplicationConfig")
    assert graph.names_behind(replication, "bucket") == {"state"}
    for name, key in (("state", "account-state"), ("state-copy", "account-state-replica")):
        versioning = graph.named(f"{name}-versioning", "s3/bucketVersioning")["inputs"]
        assert versioning["versioningConfiguration"]["status"] == "Enabled"
        retention = graph.named(f"{name}-lock", "s3/bucketObjectLockConfiguration")["inputs"]["rule"]
        assert retention["defaultRetention"] == {"mode": "GOVERNANCE", "days": 30}
        encryption = graph.named(f"{name}-encryption", "s3/bucketServerSideEncryptionConfiguration")
        assert graph.names_behind(encryption, "rules") == {key}
        lifecycle = graph.named(f"{name}-lifecycle", "s3/bucketLifecycleConfiguration")["inputs"]["rules"][0]
        assert lifecycle["noncurrentVersionExpiration"]["noncurrentDays"] > 30  # the lock ends first
    assert graph.named("state-copy", "s3/bucket")["inputs"]["region"] == "us-west-2"


def test_the_backend_and_the_secrets_provider_lead_to_what_is_made(graph: Graph) -> None:
    bucket = graph.named("state", "s3/bucket")["inputs"]["bucket"]
    (stack,) = graph.of_type("Stack")
    assert stack["name"] == f"tecnocursos-account-{graph.environment}"
    text = (GOLDEN.parents[1] / f"stacks/Pulumi.{graph.environment}.yaml").read_text()
    alias = graph.named("account-secrets-alias", "kms/alias")["inputs"]["name"]
    assert f"backend: s3://{bucket}?region=us-east-1\n" in text
    assert f"\nsecretsprovider: awskms://{alias}?region=us-east-1\n" in f"\n{text}"


def test_no_account_names_what_is_in_another_but_to_copy_images(graph: Graph) -> None:
    others = {
        account
        for name in ENVIRONMENTS
        if (account := Graph(name, json.loads((GOLDEN / f"bootstrap-{name}.json").read_text())).account)
        != graph.account
    }
    naming = {row["name"] for row in graph.rows if any(account in json.dumps(row["inputs"]) for account in others)}
    copying = {"deploy", "recovery", "pipeline-boundary"}  # from the account that builds
    assert naming == ({"service", "grafana"} if graph.environment == "dev" else copying)


def test_an_image_is_pushed_out_by_newer_ones_only_tagged_or_not(graph: Graph) -> None:
    for image in ("service", "grafana"):
        (rule,) = json.loads(graph.named(image, "ecr/lifecyclePolicy")["inputs"]["policy"])["rules"]
        assert rule["selection"]["tagStatus"] == "any" and rule["selection"]["countType"] == "imageCountMoreThan"


def test_replicas_of_images_are_no_weaker_than_their_sources(graph: Graph) -> None:
    if not graph.of_type("ecr/replicationConfiguration"):
        assert graph.environment == "dev"
        return
    (template,) = graph.of_type("ecr/repositoryCreationTemplate")
    assert template["inputs"]["imageTagMutability"] == "IMMUTABLE"
    assert graph.names_behind(template, "encryptionConfigurations") == {"account-operations-replica"}
    (replication,) = graph.of_type("ecr/replicationConfiguration")
    assert template["urn"] in replication["dependencies"]
