"""Does moto, an emulation by others, refuse the same requests with the same codes where it knows the rule?"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.rehearsal.plugin.cases import CASES, DELETIONS

Request = Callable[[Any], Any]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
    }
)


def document(**statement: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", **statement}]})


def network(aws: Any) -> tuple[Any, str]:
    ec2 = aws("ec2")
    return ec2, ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def subnet(block: str) -> Request:
    def request(aws: Any) -> None:
        ec2, vpc = network(aws)
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
        ec2.create_subnet(VpcId=vpc, CidrBlock=block)

    return request


def twice(service: str, operation: str, **arguments: Any) -> Request:
    def request(aws: Any) -> None:
        for _ in range(2):
            getattr(aws(service), operation)(**arguments)

    return request


def group_name(aws: Any) -> None:
    ec2, vpc = network(aws)
    for _ in range(2):
        ec2.create_security_group(GroupName="here", Description="a", VpcId=vpc)


def group_rule(aws: Any) -> None:
    ec2, vpc = network(aws)
    group = ec2.create_security_group(GroupName="here", Description="a", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    for _ in range(2):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def acl_rule(aws: Any) -> None:
    ec2, vpc = network(aws)
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for _ in range(2):
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=100, Protocol="6", RuleAction="allow", Egress=False, CidrBlock="0.0.0.0/0"
        )


def vpc_with_subnets(aws: Any) -> None:
    ec2, vpc = network(aws)
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    ec2.delete_vpc(VpcId=vpc)


def role_with_policy(aws: Any) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    policy = iam.create_policy(PolicyName="p", PolicyDocument=document(Resource="*"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    iam.delete_role(RoleName="r")


def database(aws: Any, **more: Any) -> Any:
    rds = aws("rds")
    rds.create_db_instance(DBInstanceIdentifier="d", DBInstanceClass="db.t4g.micro", Engine="mysql", **more)
    return rds


def protected_database(aws: Any) -> None:
    database(aws, DeletionProtection=True).delete_db_instance(DBInstanceIdentifier="d", SkipFinalSnapshot=True)


def database_name(aws: Any) -> None:
    database(aws)
    database(aws)


def replication(aws: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="plain")
    rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::copy"}}
    configuration = {"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
    s3.put_bucket_replication(Bucket="plain", ReplicationConfiguration=configuration)


def full_bucket(aws: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="a", Body=b"a")
    s3.delete_bucket(Bucket="data")


REFUSED: dict[str, Request] = {
    "subnet outside its VPC": subnet("10.1.0.0/24"),
    "overlapping subnet": subnet("10.0.1.128/25"),
    "security group name": group_name,
    "security group rule that exists": group_rule,
    "network ACL rule number": acl_rule,
    "role name": twice("iam", "create_role", RoleName="r", AssumeRolePolicyDocument=TRUST),
    "policy that does not parse": lambda aws: aws("iam").create_policy(PolicyName="p", PolicyDocument="{"),
    "policy without a resource": lambda aws: aws("iam").create_policy(PolicyName="p", PolicyDocument=document()),
    "log group name": twice("logs", "create_log_group", logGroupName="l"),
    "secret name": twice("secretsmanager", "create_secret", Name="s", SecretString="x"),
    "repository name": twice("ecr", "create_repository", repositoryName="repo"),
    "database name": database_name,
    "replication without versions": replication,
}
DELETED: dict[str, Request] = {
    "VPC with subnets": vpc_with_subnets,
    "role with a policy": role_with_policy,
    "protected database": protected_database,
    "bucket with objects": full_bucket,
}


@pytest.fixture
def aws() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield lambda service: boto3.client(service, region_name="us-east-1")


@pytest.mark.parametrize(("name", "request_"), REFUSED.items(), ids=REFUSED.keys())
def test_both_refuse_the_request(aws: Any, name: str, request_: Request) -> None:
    with pytest.raises(ClientError) as refused:
        request_(aws)
    assert refused.value.response["Error"]["Code"] == CASES[name].code


@pytest.mark.parametrize(("name", "request_"), DELETED.items(), ids=DELETED.keys())
def test_both_refuse_the_deletion(aws: Any, name: str, request_: Request) -> None:
    with pytest.raises(ClientError) as refused:
        request_(aws)
    assert refused.value.response["Error"]["Code"] == DELETIONS[name][0]
