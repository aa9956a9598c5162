"""Does a scanner that nobody here wrote flag the same fixtures? Each rule with a checkov id whose types it can read."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import graphs
import pytest
import yaml
from pack import catalogue

CHECKOV = graphs.ROOT / ".venv-checkov/bin/checkov"
MUTATIONS = yaml.safe_load((graphs.HERE / "mutations.yaml").read_text())
DIFFERENCES = yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text())
TERRAFORM = {
    "aws:ec2/subnet:Subnet": "aws_subnet",
    "aws:ec2/launchTemplate:LaunchTemplate": "aws_launch_template",
    "aws:ebs/volume:Volume": "aws_ebs_volume",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "aws_vpc_security_group_ingress_rule",
    "aws:eks/cluster:Cluster": "aws_eks_cluster",
    "aws:rds/instance:Instance": "aws_db_instance",
    "aws:elasticache/replicationGroup:ReplicationGroup": "aws_elasticache_replication_group",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "aws_s3_bucket_public_access_block",
    "aws:cloudfront/distribution:Distribution": "aws_cloudfront_distribution",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:lb/listener:Listener": "aws_lb_listener",
    "aws:kms/key:Key": "aws_kms_key",
    "aws:cloudwatch/logGroup:LogGroup": "aws_cloudwatch_log_group",
    "aws:ecr/repository:Repository": "aws_ecr_repository",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "aws_iam_role_policy_attachment",
}
# Where Pulumi's name is a plural of Terraform's.
SINGULAR = {"encryption_configurations", "ordered_cache_behaviors", "origins", "default_actions"}


def identifiers(rule: str) -> set[str]:
    """The checkov ids of a rule that look at one resource by itself."""
    return {name for name in catalogue.load()[rule].scanners if name.startswith(("CKV_AWS_", "CKV_K8S_"))}


def cases() -> Iterator[tuple[str, graphs.Row, graphs.Row]]:
    """Rule and number, the compliant resource, the broken one."""
    for rule, changes in MUTATIONS.items():
        for number, change in enumerate(changes):
            readable = change.get("type") in TERRAFORM or change.get("type", "").startswith("kubernetes:")
            if not identifiers(rule) or not readable:
                continue
            before = {row["urn"]: row for row in graphs.compliant()}
            rows = graphs.mutated(graphs.compliant(), change)
            for row in rows or []:
                if row["inputs"] != before[row["urn"]]["inputs"]:
                    yield f"{rule}-{number}", before[row["urn"]], row


@cache
def manifests() -> list[graphs.Row]:
    """The Kubernetes objects of production as it is."""
    rows = graphs.golden("production")
    return [row for row in rows if row["type"].startswith("kubernetes:")]


def block(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    """The body of a block: scalars and tags are arguments, objects are blocks."""
    for name, value in fields.items():
        snake = re.sub(r"([A-Z])", lambda upper: "_" + upper[1].lower(), name)
        snake = snake[:-1] if snake in SINGULAR else snake
        items = value if isinstance(value, list) else [value]
        if snake != "tags" and items and all(isinstance(item, dict) for item in items):
            for item in items:
                yield f"{indent}{snake} {{"
                yield from block(item, indent + "  ")
                yield f"{indent}}}"
        else:
            yield f"{indent}{snake} = {json.dumps(value)}"


def written(row: graphs.Row, stem: Path) -> Path:
    if row["type"].startswith("kubernetes:"):
        path = stem.with_suffix(".json")
        path.write_text(json.dumps(row["inputs"]))
    else:
        path = stem.with_suffix(".tf")
        body = "\n".join(block(row["inputs"], "  "))
        path.write_text(f'resource "{TERRAFORM[row["type"]]}" "fixture" {{\n{body}\n}}\n')
    return path


@pytest.fixture(scope="session")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """File stem -> ids of the checks it fails: one run of checkov over all cases."""
    assert CHECKOV.exists(), "checkov is not installed: make .venv-checkov/.ready"
    folder = tmp_path_factory.mktemp("checkov")
    for number, row in enumerate(manifests()):
        written(row, folder / f"golden-{number}")
    for name, good, bad in cases():
        written(good, folder / f"{name}-good")
        written(bad, folder / f"{name}-bad")
    line = [str(CHECKOV), "-d", str(folder), "--framework", "terraform", "kubernetes", "-o", "json", "--quiet"]
    done = subprocess.run(
        [*line, "--soft-fail", "--download-external-modules", "false"], capture_output=True, text=True, check=True
    )
    found: dict[str, set[str]] = {}
    reports = json.loads(done.stdout)
    for report in reports if isinstance(reports, list) else [reports]:
        assert not report["results"].get("parsing_errors")
        for failed in report["results"]["failed_checks"]:
            found.setdefault(Path(failed["file_path"]).stem, set()).add(failed["check_id"])
    return found


@cache
def names() -> list[str]:
    return [name for name, _, _ in cases()]


@pytest.mark.parametrize("name", names())
def test_checkov_flags_the_broken_fixture_and_not_the_good_one(flagged: Mapping[str, set[str]], name: str) -> None:
    rule = name.rpartition("-")[0]
    good, bad = (flagged.get(f"{name}-{kind}", set()) & identifiers(rule) for kind in ("good", "bad"))
    agrees = not good and bool(bad)
    assert agrees != (name in DIFFERENCES), f"good: {sorted(good)}, broken: {sorted(bad)}"


def test_checkov_and_rules_agree_on_the_manifests_of_production(flagged: Mapping[str, set[str]]) -> None:
    broken = {(verdict.rule, verdict.urn) for verdict in graphs.judged(graphs.golden("production"))}
    disagreeing = {
        f"{rule} on {row['type'].rpartition(':')[2]}"
        for number, row in enumerate(manifests())
        for rule, known in ((name, identifiers(name)) for name in catalogue.load())
        if known and ((rule, row["urn"]) in broken) != bool(flagged.get(f"golden-{number}", set()) & known)
    }
    assert disagreeing == {name for name in DIFFERENCES if " on " in name}


def test_every_difference_belongs_to_a_case_and_has_a_reason() -> None:
    assert {name for name in DIFFERENCES if " on " not in name} <= set(names())
    assert all(isinstance(reason, str) and len(reason) >= 8 for reason in DIFFERENCES.values())
    assert len({n.rpartition("-")[0] for n in names()}) >= 40
