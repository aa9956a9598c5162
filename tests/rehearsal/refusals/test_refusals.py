"""Does a faulty program end with a message that names the resource, and the property or AWS's code?

The programs share one stack: what is right is deployed once, and each fault is one more resource, or one less.
"""

import re
from dataclasses import dataclass

import pytest

from tests.rehearsal.engine.conftest import Project, Rehearsal, rehearsal

__all__ = ["rehearsal"]  # the set-up is a fixture

BASE = """
import json
import pulumi, pulumi_aws as aws

def trust(service):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
other = aws.ec2.Vpc("other", cidr_block="10.1.0.0/16")
a = aws.ec2.Subnet("a", vpc_id=vpc.id, cidr_block="10.0.1.0/24", availability_zone="us-east-1a")
a2 = aws.ec2.Subnet("a2", vpc_id=vpc.id, cidr_block="10.0.2.0/24", availability_zone="us-east-1a")
b = aws.ec2.Subnet("b", vpc_id=vpc.id, cidr_block="10.0.3.0/24", availability_zone="us-east-1b")
far = aws.ec2.Subnet("far", vpc_id=other.id, cidr_block="10.1.3.0/24", availability_zone="us-east-1b")
here = aws.ec2.SecurityGroup("here", vpc_id=vpc.id, name="here", description="here")
there = aws.ec2.SecurityGroup("there", vpc_id=other.id, name="there", description="there")
table = aws.ec2.RouteTable("table", vpc_id=other.id)
role = aws.iam.Role("role", name="deployer", assume_role_policy=trust("ec2.amazonaws.com"))
dead = aws.sqs.Queue("dead", name="dead")
data = aws.s3.Bucket("data", bucket="tecno-data")
key = aws.kms.Key("key", multi_region=False)
old = aws.rds.ParameterGroup("old", name="old", family="mysql8.0")
logs = aws.cloudwatch.LogGroup("logs", name="/app")
balancer = aws.lb.LoadBalancer("balancer", name="front", subnets=[a.id, b.id], internal=True)
"""

NEEDED = """
group = aws.rds.SubnetGroup("group", name="data", subnet_ids=[a.id, b.id])
user = aws.iam.Role("user", name="user", assume_role_policy=trust("ec2.amazonaws.com"))
"""

USERS = """
database = aws.rds.Instance("database", identifier="main", engine="mysql", engine_version="8.4", username="admin",
    instance_class="db.t4g.micro", allocated_storage=20, manage_master_user_password=True, db_subnet_group_name="data",
    skip_final_snapshot=True, opts=pulumi.ResourceOptions(depends_on=DEPENDS))
attachment = aws.iam.RolePolicyAttachment("attachment", role="user", policy_arn="arn:aws:iam::aws:policy/ReadOnly",
    opts=pulumi.ResourceOptions(depends_on=DEPENDS))
"""

PROTECTED = """
kept = aws.rds.Instance("kept", identifier="kept", engine="mysql", instance_class="db.t4g.micro", allocated_storage=20,
    username="admin", manage_master_user_password=True, deletion_protection=True, skip_final_snapshot=True)
cluster = aws.eks.Cluster("cluster", name="kept", role_arn="arn:aws:iam::000000000000:role/x",
    vpc_config={"subnet_ids": [a.id, b.id]}, deletion_protection=True)
"""


@dataclass(frozen=True)
class Fault:
    """A resource that AWS refuses, as the program writes it; the first argument of every class is its name."""

    code: str
    text: str


AT_UP = {
    "overlap": Fault("InvalidSubnet.Conflict", 'aws.ec2.Subnet("{}", vpc_id=vpc.id, cidr_block="10.0.1.128/25")'),
    "outside": Fault("InvalidSubnet.Range", 'aws.ec2.Subnet("{}", vpc_id=vpc.id, cidr_block="10.9.0.0/24")'),
    "zone": Fault(
        "InvalidParameterValue",
        'aws.ec2.Subnet("{}", vpc_id=vpc.id, cidr_block="10.0.9.0/24", availability_zone="eu-west-1a")',
    ),
    "one-zone": Fault(
        "DBSubnetGroupDoesNotCoverEnoughAZs", 'aws.rds.SubnetGroup("{}", name="narrow", subnet_ids=[a.id, a2.id])'
    ),
    "two-networks": Fault("InvalidSubnet", 'aws.rds.SubnetGroup("{}", name="torn", subnet_ids=[a.id, far.id])'),
    "group-name": Fault(
        "InvalidGroup.Duplicate", 'aws.ec2.SecurityGroup("{}", vpc_id=vpc.id, name="here", description="again")'
    ),
    "foreign-group": Fault(
        "InvalidGroup.NotFound",
        'aws.vpc.SecurityGroupIngressRule("{}", security_group_id=here.id, ip_protocol="tcp", from_port=1, to_port=1,'
        " referenced_security_group_id=there.id)",
    ),
    "foreign-table": Fault(
        "InvalidParameterValue", 'aws.ec2.RouteTableAssociation("{}", subnet_id=a.id, route_table_id=table.id)'
    ),
    "no-way-out": Fault("Gateway.NotAttached", 'aws.ec2.NatGateway("{}", subnet_id=a.id, allocation_id="eipalloc-1")'),
    "role-name": Fault(
        "EntityAlreadyExists", 'aws.iam.Role("{}", name="deployer", assume_role_policy=trust("ec2.amazonaws.com"))'
    ),
    "bucket-name": Fault("BucketAlreadyOwnedByYou", 'aws.s3.Bucket("{}", bucket="tecno-data")'),
    "log-name": Fault("ResourceAlreadyExistsException", 'aws.cloudwatch.LogGroup("{}", name="/app")'),
    "balancer-name": Fault(
        "DuplicateLoadBalancerName", 'aws.lb.LoadBalancer("{}", name="front", subnets=[a.id, b.id], internal=True)'
    ),
    "balancer-zones": Fault("ValidationError", 'aws.lb.LoadBalancer("{}", name="thin", subnets=[a.id], internal=True)'),
    "cluster-zones": Fault(
        "InvalidParameterException",
        'aws.eks.Cluster("{}", name="thin", role_arn="arn:aws:iam::000000000000:role/x",'
        " vpc_config=dict(subnet_ids=[a.id]))",
    ),
    "cluster-role": Fault(
        "InvalidParameterException",
        'aws.eks.Cluster("{}", name="lost", role_arn=role.arn, vpc_config=dict(subnet_ids=[a.id, b.id]))',
    ),
    "edge-certificate": Fault(
        "InvalidViewerCertificate",
        'aws.cloudfront.Distribution("{}", enabled=True, origins=[dict(origin_id="o", domain_name="o.example.com",'
        ' custom_origin_config=dict(http_port=80, https_port=443, origin_protocol_policy="https-only",'
        ' origin_ssl_protocols=["TLSv1.2"]))], restrictions=dict(geo_restriction=dict(restriction_type="none")),'
        ' default_cache_behavior=dict(target_origin_id="o", viewer_protocol_policy="https-only",'
        ' allowed_methods=["GET", "HEAD"], cached_methods=["GET", "HEAD"],'
        ' cache_policy_id="658327ea-f89d-4fab-a63d-7e88639e58f6"),'
        ' viewer_certificate=dict(ssl_support_method="sni-only",'
        ' acm_certificate_arn="arn:aws:acm:eu-west-1:000000000000:certificate/1"))',
    ),
    "edge-firewall": Fault(
        "WAFInvalidParameterException",
        'aws.wafv2.WebAcl("{}", name="w", scope="CLOUDFRONT", region="eu-west-1", default_action=dict(allow=dict()),'
        ' visibility_config=dict(cloudwatch_metrics_enabled=False, metric_name="w", sampled_requests_enabled=False))',
    ),
    "dead-letters": Fault(
        "InvalidParameterValue",
        'aws.sqs.Queue("{}", name="jobs.fifo", fifo_queue=True,'
        " redrive_policy=pulumi.Output.json_dumps(dict(deadLetterTargetArn=dead.arn, maxReceiveCount=3)))",
    ),
    "replica-key": Fault(
        "UnsupportedOperationException", 'aws.kms.ReplicaKey("{}", primary_key_arn=key.arn, region="us-west-2")'
    ),
    "far-key": Fault(
        "KMSKeyNotAccessibleFault",
        'aws.rds.Instance("{}", identifier="far", engine="mysql", instance_class="db.t4g.micro", allocated_storage=20,'
        ' username="admin", manage_master_user_password=True, skip_final_snapshot=True, storage_encrypted=True,'
        ' kms_key_id="arn:aws:kms:us-west-2:000000000000:key/1")',
    ),
    "parameters": Fault(
        "InvalidParameterCombination",
        'aws.rds.Instance("{}", identifier="new", engine="mysql", engine_version="8.4", instance_class="db.t4g.micro",'
        ' allocated_storage=20, username="admin", manage_master_user_password=True, skip_final_snapshot=True,'
        " parameter_group_name=old.name)",
    ),
    "replication": Fault(
        "InvalidRequest",
        'aws.s3.BucketReplicationConfig("{}", bucket=data.id, role="arn:aws:iam::000000000000:role/x",'
        ' rules=[dict(status="Enabled", destination=dict(bucket="arn:aws:s3:::elsewhere"))])',
    ),
    "statement": Fault(
        "MalformedPolicyDocument",
        'aws.iam.Policy("{}", policy=json.dumps('
        'dict(Version="2012-10-17", Statement=[dict(Effect="Allow", Action="s3:*")])))',
    ),
}

AT_PREVIEW = {
    "fifo": Fault("name", 'aws.sqs.Queue("{}", name="jobs", fifo_queue=True)'),
    "block": Fault("cidrBlock", 'aws.ec2.Vpc("{}", cidr_block="10.0.0.0/8")'),
    "document": Fault("policy", 'aws.iam.Policy("{}", policy="{{not a policy")'),
    "retention": Fault("retentionInDays", 'aws.cloudwatch.LogGroup("{}", retention_in_days=2)'),
}

AT_DELETION = {
    "group": "InvalidDBSubnetGroupStateFault",
    "user": "DeleteConflict",
    "kept": "InvalidParameterCombination",
    "cluster": "InvalidRequestException",
}


@pytest.fixture(scope="module")
def estate(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack with everything that the faults touch."""
    made = Project(rehearsal, tmp_path_factory.mktemp("faults") / "project", "faults")
    made.pulumi("stack", "init")
    made.program(BASE + NEEDED + USERS.replace("DEPENDS", "[group, user]") + PROTECTED)
    made.up()
    return made


def whole(estate: Project) -> None:
    """What is right is what is there: a refusal changes nothing."""
    estate.program(BASE + NEEDED + USERS.replace("DEPENDS", "[group, user]") + PROTECTED)
    estate.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


@pytest.fixture(scope="module")
def refusals(estate: Project) -> str:
    faults = "\n".join(fault.text.format(name) for name, fault in AT_UP.items())
    estate.program(BASE + NEEDED + USERS.replace("DEPENDS", "[group, user]") + PROTECTED + faults)
    output = estate.pulumi("up", "--yes", "--skip-preview", "--continue-on-error", code=1)
    whole(estate)
    return output


@pytest.fixture(scope="module")
def deletions(estate: Project) -> str:
    estate.program(BASE + USERS.replace("DEPENDS", "[]"))
    output = estate.pulumi("up", "--yes", "--skip-preview", "--continue-on-error", code=1)
    whole(estate)
    return output


@pytest.mark.parametrize(("name", "fault"), AT_UP.items(), ids=AT_UP.keys())
def test_aws_refuses_at_up(refusals: str, name: str, fault: Fault) -> None:
    assert re.search(rf"creating aws:\S+ {name}: {re.escape(fault.code)}: ", refusals), refusals


@pytest.mark.parametrize(("name", "code"), AT_DELETION.items(), ids=AT_DELETION.keys())
def test_aws_refuses_to_delete(deletions: str, name: str, code: str) -> None:
    assert re.search(rf"deleting aws:\S+ {name}: {code}: ", deletions), deletions


@pytest.mark.parametrize(("name", "fault"), AT_PREVIEW.items(), ids=AT_PREVIEW.keys())
def test_the_provider_refuses_at_preview(estate: Project, name: str, fault: Fault) -> None:
    estate.program("import pulumi_aws as aws\n" + fault.text.format(name))
    output = estate.pulumi("preview", code=1)
    assert re.search(rf"\({name}\):.*{fault.code}", output, re.DOTALL), output
