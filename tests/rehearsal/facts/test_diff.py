"""Does Diff replace what the provider replaces, change in place what it changes, and stay silent otherwise?"""

import json
from typing import Any

import pytest

from rehearsal.answers import Differences
from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.library import Library
from rehearsal.values import UNKNOWN

CONTEXT = Context("us-east-1")
QUEUE = "aws:sqs/queue:Queue"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["a:B", "a:C"]}],
}


def compare(library: Library, token: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> Differences:
    """Check both as the engine would, then compare."""
    given = {"name": "jobs", "random_seed": b"seed", "context": CONTEXT}
    olds = check(library, token, old, olds={}, **given)
    news = check(library, token, new, olds=olds.inputs, **given)
    assert not olds.failures and not news.failures
    return diff(
        library,
        token,
        old_inputs=olds.inputs,
        old_outputs=olds.inputs,
        news=news.inputs,
        context=CONTEXT,
        name="jobs",
        **more,
    )


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (QUEUE, {}, {}),
        (QUEUE, {}, {"delaySeconds": 0}),
        (QUEUE, {"delaySeconds": 5}, {"delaySeconds": "5"}),
        (QUEUE, {"policy": json.dumps(POLICY)}, {}),
        (
            QUEUE,
            {"policy": json.dumps(POLICY)},
            {
                "policy": json.dumps(
                    {
                        "Statement": {
                            "Action": ["a:C", "a:B"],
                            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
                            "Effect": "Allow",
                        },
                        "Version": "2012-10-17",
                    },
                    indent=2,
                )
            },
        ),
        (BALANCER, {"subnets": ["subnet-1", "subnet-2"]}, {"subnets": ["subnet-2", "subnet-1"]}),
        (QUEUE, {"region": "us-east-1"}, {}),
    ],
)
def test_no_change(library: Library, token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert compare(library, token, old, new) == Differences()


def test_replacement_names_the_property(library: Library) -> None:
    answer = compare(library, "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1"}, {"vpcId": "vpc-2"})
    assert answer.replaces == ("vpcId",)
    assert [(change.path, change.kind, change.replaces) for change in answer.changes] == [("vpcId", "update", True)]


def test_in_place_names_the_path(library: Library) -> None:
    old = {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]}]}
    new = {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.1.0.0/16"]}]}
    answer = compare(library, "aws:ec2/securityGroup:SecurityGroup", old, new)
    assert answer.diffs == ("ingress",) and not answer.replaces
    assert [change.path for change in answer.changes] == ["ingress[0].cidrBlocks[0]"]


def test_another_region_replaces(library: Library) -> None:
    assert compare(library, QUEUE, {}, {"region": "eu-west-1"}).replaces == ("region",)


def test_a_value_that_is_not_known_yet_is_a_change(library: Library) -> None:
    answer = compare(library, "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1"}, {"vpcId": UNKNOWN})
    assert answer.replaces == ("vpcId",)


def test_a_fixed_name_is_deleted_first(library: Library) -> None:
    token = "aws:ec2/securityGroup:SecurityGroup"
    assert compare(
        library, token, {"name": "api", "description": "a"}, {"name": "api", "description": "b"}
    ).delete_before_replace
    assert not compare(library, token, {"description": "a"}, {"description": "b"}).delete_before_replace
    assert not compare(library, token, {"name": "api"}, {"name": "web"}).delete_before_replace


def test_ignored_changes(library: Library) -> None:
    old, new = {"tags": {"a": "1"}, "delaySeconds": 1}, {"tags": {"a": "2"}, "delaySeconds": 2}
    assert compare(library, QUEUE, old, new, ignore_changes=["tags"]).diffs == ("delaySeconds",)
