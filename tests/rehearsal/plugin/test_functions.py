"""Do functions answer as the provider does: where it is, what AWS has everywhere, what the account holds?"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.aws.policy_document import render

DOCUMENT = "aws:iam/getPolicyDocument:getPolicyDocument"


def test_where_the_provider_is(start: Callable[..., Any]) -> None:
    plugin = start(region="us-gov-west-1", allowedAccountIds='["123456789012"]', defaultTags='{"tags": {"a": "b"}}')
    identity = plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity")
    assert identity["accountId"] == "123456789012" and identity["arn"].startswith("arn:aws-us-gov:sts::123456789012:")
    assert plugin.invoke("aws:index/getRegion:getRegion")["region"] == "us-gov-west-1"
    assert plugin.invoke("aws:index/getPartition:getPartition") == {
        "id": "aws-us-gov",
        "partition": "aws-us-gov",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }
    assert plugin.invoke("aws:index/getDefaultTags:getDefaultTags")["tags"] == {"a": "b"}
    assert "us-gov-east-1" in plugin.invoke("aws:index/getRegions:getRegions")["names"]


def test_the_zones_of_a_region(plugin: Any) -> None:
    zones = plugin.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"})
    assert zones["names"][:2] == ["us-east-1a", "us-east-1b"] and zones["zoneIds"][1] == "use1-az2"
    far = plugin.invoke(
        "aws:index/getAvailabilityZones:getAvailabilityZones", {"region": "eu-west-1", "excludeNames": ["eu-west-1a"]}
    )
    assert far["names"] == ["eu-west-1b", "eu-west-1c"]
    chosen = {"filters": [{"name": "zone-id", "values": ["use1-az3"]}]}
    assert plugin.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", chosen)["names"] == ["us-east-1c"]
    one = plugin.invoke("aws:index/getAvailabilityZone:getAvailabilityZone", {"zoneId": "use1-az2"})
    assert one["name"] == "us-east-1b" and one["nameSuffix"] == "b"


def test_what_aws_has_everywhere(plugin: Any) -> None:
    policy = plugin.invoke("aws:cloudfront/getCachePolicy:getCachePolicy", {"name": "Managed-CachingDisabled"})
    assert policy["id"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert plugin.invoke("aws:elb/getServiceAccount:getServiceAccount")["id"] == "127311923021"
    name = "com.amazonaws.global.cloudfront.origin-facing"
    assert plugin.invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", {"name": name})["id"].startswith("pl-")
    public = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert plugin.invoke("aws:ssm/getParameter:getParameter", {"name": public})["value"].startswith("ami-")


def test_an_object_of_the_stack_is_found_by_what_is_said_of_it(plugin: Any) -> None:
    id, outputs = plugin.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    plugin.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}, name="other")
    assert plugin.invoke("aws:ec2/getVpc:getVpc", {"id": id})["arn"] == outputs.values["arn"]
    assert plugin.invoke("aws:ec2/getVpc:getVpc", {"cidrBlock": "10.0.0.0/16"})["id"] == id
    plugin.create("aws:ssm/parameter:Parameter", {"name": "/app/key", "type": "String", "value": "v"})
    assert plugin.invoke("aws:ssm/getParameter:getParameter", {"name": "/app/key"})["value"] == "v"


@pytest.mark.parametrize(
    ("token", "arguments", "message"),
    [
        ("aws:ec2/getVpc:getVpc", {"id": "vpc-1"}, "no such object in the rehearsal's world"),
        ("aws:ec2/getVpc:getVpc", {}, "no plain argument"),
        ("aws:ssm/getParameter:getParameter", {"name": "/app/missing"}, "ParameterNotFound"),
        ("aws:index/getBillingServiceAccount:getBillingServiceAccount", {}, "getBillingServiceAccount"),
        ("aws:cloudfront/getCachePolicy:getCachePolicy", {"name": "Managed-Nothing"}, "no managed policy of this name"),
        (DOCUMENT, {"statements": [{"sid": "a"}, {"sid": "a"}]}, "duplicate Sid"),
        (DOCUMENT, {"sourcePolicyDocuments": ["{"]}, "sourcePolicyDocuments holds a document that is no JSON object"),
    ],
)
def test_a_question_without_an_answer_is_refused(plugin: Any, token: str, arguments: Any, message: str) -> None:
    with pytest.raises(plugin.Error) as refused:
        plugin.invoke(token, arguments)
    assert message in refused.value.details() and token in refused.value.details()


def test_a_policy_document_is_rendered_as_the_provider_does(plugin: Any) -> None:
    statements = [
        {
            "sid": "Read",
            "actions": ["s3:GetObject", "s3:ListBucket", "s3:GetObject"],
            "resources": ["arn:aws:s3:::data/&{aws:username}"],
            "principals": [
                {"type": "AWS", "identifiers": ["arn:aws:iam::1:root", "arn:aws:iam::2:root"]},
                {"type": "Service", "identifiers": ["s3.amazonaws.com"]},
            ],
            "conditions": [{"test": "StringLike", "variable": "s3:prefix", "values": ["b/", "a/"]}],
        },
        {
            "effect": "Deny",
            "notActions": ["*"],
            "notResources": ["*"],
            "principals": [{"type": "*", "identifiers": ["*"]}],
        },
    ]
    rendered = plugin.invoke(DOCUMENT, {"statements": statements})
    assert rendered["json"] == (
        "{\n"
        '  "Version": "2012-10-17",\n'
        '  "Statement": [\n'
        "    {\n"
        '      "Sid": "Read",\n'
        '      "Effect": "Allow",\n'
        '      "Action": [\n'
        '        "s3:ListBucket",\n'
        '        "s3:GetObject"\n'
        "      ],\n"
        '      "Resource": "arn:aws:s3:::data/${aws:username}",\n'
        '      "Principal": {\n'
        '        "AWS": [\n'
        '          "arn:aws:iam::2:root",\n'
        '          "arn:aws:iam::1:root"\n'
        "        ],\n"
        '        "Service": "s3.amazonaws.com"\n'
        "      },\n"
        '      "Condition": {\n'
        '        "StringLike": {\n'
        '          "s3:prefix": [\n'
        '            "b/",\n'
        '            "a/"\n'
        "          ]\n"
        "        }\n"
        "      }\n"
        "    },\n"
        "    {\n"
        '      "Effect": "Deny",\n'
        '      "NotAction": "*",\n'
        '      "NotResource": "*",\n'
        '      "Principal": "*"\n'
        "    }\n"
        "  ]\n"
        "}"
    )
    assert json.loads(rendered["minifiedJson"]) == json.loads(rendered["json"])


def test_sources_come_first_and_overrides_replace_by_id() -> None:
    source = json.dumps(
        {"Version": "2008-10-17", "Id": "s", "Statement": {"Sid": "a", "Effect": "Allow", "Action": "x:*"}}
    )
    override = json.dumps({"Statement": [{"Sid": "b", "Effect": "Deny", "Action": "y:*"}, {"Effect": "Deny"}]})
    own = [{"sid": "b", "actions": ["z:*"]}]
    rendered = render({"sourcePolicyDocuments": [source, ""], "statements": own, "overridePolicyDocuments": [override]})
    document = json.loads(rendered["json"])
    assert document["Id"] == "s" and document["Version"] == "2012-10-17"
    assert [(one.get("Sid"), one["Effect"], one.get("Action")) for one in document["Statement"]] == [
        ("a", "Allow", "x:*"),
        ("b", "Deny", "y:*"),
        (None, "Deny", None),
    ]


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)


@given(st.lists(texts, min_size=1), st.lists(texts, min_size=1, max_size=4, unique=True))
def test_any_text_survives_and_the_order_of_a_set_does_not_matter(actions: list[str], values: list[str]) -> None:
    condition = [{"test": "StringEquals", "variable": "v", "values": values}]
    one = render({"statements": [{"actions": actions, "conditions": condition}]})
    other = render({"statements": [{"actions": actions[::-1], "conditions": condition}]})
    assert one["json"] == other["json"]
    (statement,) = json.loads(one["json"])["Statement"]
    found = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert set(found) == set(actions)
    assert not set("<>&") & set(one["json"])


def test_an_object_of_another_project_is_found_in_the_same_account_only(start: Callable[..., Any]) -> None:
    first, same, other = (start(allowedAccountIds=f'["{digit * 12}"]') for digit in "112")
    first.create("aws:ecr/repository:Repository", {"name": "app/service"})
    found = same.invoke("aws:ecr/getRepository:getRepository", {"name": "app/service"})
    assert found["repositoryUrl"] == "111111111111.dkr.ecr.us-east-1.amazonaws.com/app/service"
    for plugin, elsewhere in ((other, {}), (same, {"region": "us-west-2"})):
        with pytest.raises(plugin.Error, match="no such object"):
            plugin.invoke("aws:ecr/getRepository:getRepository", {"name": "app/service"} | elsewhere)
    first.create("aws:route53/zone:Zone", {"name": "app.example"})
    zone, far = "aws:route53/getZone:getZone", start(region="us-west-2", allowedAccountIds='["111111111111"]')
    for asked in ({"name": "app.example."}, {"name": "app.example", "privateZone": False}):
        assert len(far.invoke(zone, asked)["nameServers"]) == 4
    for asked in ({"name": "app.example", "privateZone": True}, {"name": "example"}):
        with pytest.raises(far.Error, match="no matching Route 53 Hosted Zone found"):
            far.invoke(zone, asked)
