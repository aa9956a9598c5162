"""Does Check refuse what is wrong, say where, and complete what is right?"""

from typing import Any

import pytest

from rehearsal.answers import Checked
from rehearsal.aws.check import check, refused_at_up
from rehearsal.aws.context import Context
from rehearsal.aws.library import Library
from rehearsal.aws.naming import Autonaming
from rehearsal.values import UNKNOWN

QUEUE = "aws:sqs/queue:Queue"
SUBNET = "aws:ec2/subnet:Subnet"
ROLE = "aws:iam/role:Role"


def ask(library: Library, token: str, news: dict[str, Any], **more: Any) -> Checked:
    context = more.pop("context", Context("us-east-1"))
    return check(library, token, news, **{"olds": {}, "name": "jobs", "random_seed": b"seed", **more}, context=context)


def refused(library: Library, token: str, news: dict[str, Any]) -> dict[str, str]:
    return {failure.property: failure.reason for failure in ask(library, token, news).failures}


@pytest.mark.parametrize(
    ("token", "inputs", "path", "words"),
    [
        (SUBNET, {"cidrBlock": "10.0.0.0/24"}, "vpcId", "required"),
        (SUBNET, {"vpcId": "vpc-1", "cidrBlok": "10.0.0.0/24"}, "cidrBlok", "did you mean 'cidrBlock'"),
        (SUBNET, {"vpcId": "vpc-1", "cidrBlock": "10.0.0.1/24"}, "cidrBlock", "host bits"),
        (SUBNET, {"vpcId": ["vpc-1"]}, "vpcId", "expected text, got a list"),
        (QUEUE, {"delaySeconds": "ten"}, "delaySeconds", "expected a whole number"),
        (QUEUE, {"delaySeconds": 901}, "delaySeconds", "from 0 to 900"),
        (QUEUE, {"policy": '{"Version": }'}, "policy", "JSON"),
        (QUEUE, {"tags": "text"}, "tags", "expected a map, got text"),
        (ROLE, {"assumeRolePolicy": "{}", "permissionsBoundary": "role/x"}, "permissionsBoundary", "ARN"),
        (
            "aws:lb/listener:Listener",
            {"loadBalancerArn": UNKNOWN, "defaultActions": [{"type": "FORWARDS"}]},
            "defaultActions[0].type",
            "did you mean 'forward'",
        ),
        ("aws:nothing/thing:Thing", {}, "", "no resource type"),
    ],
)
def test_refusals_name_the_property(library: Library, token: str, inputs: Any, path: str, words: str) -> None:
    failures = refused(library, token, inputs)
    assert list(failures) == [path]
    assert words in failures[path]


def test_a_refusal_never_repeats_the_value(library: Library) -> None:
    secret = "hunter2-hunter2"
    failures = refused(library, QUEUE, {"delaySeconds": secret, "policy": secret, "deduplicationScope": secret})
    assert set(failures) == {"delaySeconds", "policy", "deduplicationScope"}
    assert secret not in str(failures)


def test_each_property_fails_once(library: Library) -> None:
    answer = ask(library, QUEUE, {"name": "x", "namePrefix": "y", "delaySeconds": -1})
    paths = [failure.property for failure in answer.failures]
    assert len(paths) == len(set(paths))


def test_unknown_values_pass(library: Library) -> None:
    answer = ask(library, SUBNET, {"vpcId": UNKNOWN, "cidrBlock": UNKNOWN, "tags": {"Name": UNKNOWN}})
    assert not answer.failures
    assert answer.inputs["vpcId"] is UNKNOWN


def test_conversions(library: Library) -> None:
    inputs = ask(library, QUEUE, {"name": "x", "delaySeconds": "5", "fifoQueue": "false", "tags": {"a": 1}}).inputs
    assert inputs["delaySeconds"] == 5
    assert inputs["fifoQueue"] is False
    assert inputs["tags"] == {"a": "1"}


def test_a_policy_may_be_an_object(library: Library) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    policy = ask(library, ROLE, {"assumeRolePolicy": document}).inputs["assumeRolePolicy"]
    assert policy == '{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow"}],"Version":"2012-10-17"}'


def test_automatic_names(library: Library) -> None:
    first = ask(library, QUEUE, {}).inputs["name"]
    assert first.startswith("jobs-") and len(first) == len("jobs-") + 7
    assert ask(library, QUEUE, {}, random_seed=b"other").inputs["name"] != first
    assert ask(library, QUEUE, {}, random_seed=b"other", olds={"name": first}).inputs["name"] == first
    assert ask(library, QUEUE, {"fifoQueue": True}).inputs["name"].endswith(".fifo")
    assert ask(library, "aws:s3/bucket:Bucket", {}, name="Media").inputs["bucket"].startswith("media-")
    assert "name" not in ask(library, QUEUE, {"namePrefix": "x"}).inputs
    assert ask(library, QUEUE, {}, olds={"name": "fixed"}).inputs["name"] != "fixed"
    assert "exceed 80" in refused_name(library)


def test_the_projects_own_rule_for_names(library: Library) -> None:
    fifo = {"fifoQueue": True}
    assert ask(library, QUEUE, fifo, autonaming=Autonaming("propose", "a")).inputs["name"] == "a.fifo"
    assert ask(library, QUEUE, {}, autonaming=Autonaming("enforce", "a")).inputs["name"] == "a"
    assert "name" not in ask(library, QUEUE, {}, autonaming=Autonaming("disable")).inputs
    assert ask(library, QUEUE, {"name": "b"}, autonaming=Autonaming("enforce", "a")).inputs["name"] == "b"


def refused_name(library: Library) -> str:
    return ask(library, QUEUE, {}, name="x" * 80).failures[0].reason


def test_region_and_defaults(library: Library) -> None:
    context = Context("eu-west-1", default_tags={"team": "a", "env": "dev"})
    inputs = ask(library, QUEUE, {"tags": {"env": "prod"}}, context=context).inputs
    assert inputs["region"] == "eu-west-1"
    assert inputs["tags"] == {"env": "prod"}
    assert inputs["visibilityTimeoutSeconds"] == 30


def test_what_aws_refuses_only_at_up(library: Library) -> None:
    inputs = ask(library, "aws:lb/loadBalancer:LoadBalancer", {"idleTimeout": 5000}).inputs
    (refusal,) = refused_at_up(library, "aws:lb/loadBalancer:LoadBalancer", inputs)
    assert refusal.property == "idleTimeout"
    assert refusal.code == "ValidationError"
    (refusal,) = refused_at_up(library, "aws:s3/bucket:Bucket", {"bucket": "192.168.1.1"})
    assert refusal.code == "InvalidBucketName"
    assert not refused_at_up(library, QUEUE, ask(library, QUEUE, {}).inputs)
    assert not refused_at_up(library, QUEUE, {"delaySeconds": "ten", "gone": 1})  # Check's business


def test_groups(library: Library) -> None:
    route = "aws:ec2/route:Route"
    both = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1", "natGatewayId": "nat-1"}
    assert set(refused(library, route, both)) & {"gatewayId", "natGatewayId"}
    assert not refused(library, route, {**both, "natGatewayId": UNKNOWN})
    vpc = {"cidrBlock": "10.0.0.0/16", "ipv6NetmaskLength": 56}
    assert "ipv6IpamPoolId" in refused(library, "aws:ec2/vpc:Vpc", vpc)["ipv6NetmaskLength"]


@pytest.mark.parametrize("text", ["9" * 5000, "0" * 5000 + "!", "a." * 3000, "-" * 5000, " " * 5000])
def test_no_text_takes_long_to_judge(library: Library, text: str) -> None:
    """A backtracking matcher would not come back from these."""
    for token in library.facts.tokens():
        for constraints in library.constraints(token, at_up=False).values():
            for constraint in constraints:
                constraint(text)
