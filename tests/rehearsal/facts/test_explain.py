"""Does `explain` tell a person, and the report, what is known of a type?"""

import json

import pytest

from rehearsal import explain
from rehearsal.aws.library import Library
from rehearsal.errors import RehearsalError


def test_a_type_whose_source_was_read(library: Library) -> None:
    one = explain.explain(library, "aws:ec2/subnet:Subnet")
    text = "\n".join(explain.lines(one))
    assert one.level == "facts"
    assert {"vpcId", "cidrBlock", "region"} <= set(one.replace_on)
    assert any(check.property == "vpcId" and "must be set" in check.expects for check in one.checks)
    assert any(check.property == "cidrBlock" and "CIDR" in check.expects for check in one.checks)
    assert "replaced when these change" in text and "terraform-provider-aws" in text


def test_a_type_of_which_only_the_schema_is_known(library: Library) -> None:
    tokens = [token for token in library.schemas.tokens() if library.facts.get(token).level == "schema"]
    assert 0 < len(tokens) < 450
    one = next(
        one for one in (explain.explain(library, token) for token in tokens) if one.replace_on in ([], ["region"])
    )
    assert one.level == "schema" and one.checks
    assert "nothing is known of replacement" in "\n".join(explain.lines(one))


def test_json_for_the_report(schemas: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.main(["aws:lb/loadBalancer:LoadBalancer", "kubernetes:core/v1:Namespace", "--json"]) == 0
    balancer, namespace = json.loads(capsys.readouterr().out)
    assert {"token", "level", "replace_on", "checks", "sources", "unverified"} <= balancer.keys()
    assert balancer["replace_sometimes"]["subnets"].startswith("network")
    assert any(check["at"] == "up" and check["property"] == "idleTimeout" for check in balancer["checks"])
    assert namespace["level"] == "schema" and namespace["unverified"]


def test_a_quota_is_told_with_what_else_aws_refuses(schemas: object) -> None:
    one = explain.explain(Library.open(), "aws:ec2/eip:Eip")
    assert any("at most 5 for each region" in line for line in explain.lines(one))


def test_a_misspelt_type(schemas: object) -> None:
    with pytest.raises(RehearsalError, match="did you mean aws:sqs/queue:Queue"):
        explain.main(["aws:sqs/queue:Quee"])
