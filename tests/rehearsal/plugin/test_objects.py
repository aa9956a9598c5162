"""Do objects have the names and outputs that AWS gives them, whatever their type?"""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.aws.identity import Dice, generalise, generalise_arn
from rehearsal.aws.schema import Schemas, Type, open_schemas
from rehearsal.aws.zones import short_region, zone_id, zone_name, zone_names
from rehearsal.values import UNKNOWN, has_unknown

HEX = r"[0-9a-f]{17}"


@pytest.mark.parametrize(
    ("token", "inputs", "id"),
    [
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, f"vpc-{HEX}"),
        ("aws:kms/key:Key", {}, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"),
        ("aws:kms/key:Key", {"multiRegion": True}, r"mrk-[0-9a-f]{32}"),
        ("aws:cloudfront/originAccessControl:OriginAccessControl", {"name": "a"}, r"E[A-Z0-9]{13}"),
        ("aws:sqs/queue:Queue", {"name": "jobs"}, r"https://sqs\.us-east-1\.amazonaws\.com/000000000000/jobs"),
        ("aws:iam/policy:Policy", {"name": "p", "path": "/team/"}, r"arn:aws:iam::000000000000:policy/team/p"),
        ("aws:cloudwatch/eventRule:EventRule", {"name": "r"}, "r"),
        ("aws:cloudwatch/eventRule:EventRule", {"name": "r", "eventBusName": "b"}, "b/r"),
        ("aws:route53/record:Record", {"zoneId": "Z1", "name": "WWW.a.de.", "type": "A"}, r"Z1_www\.a\.de_A"),
        ("aws:budgets/budget:Budget", {"name": "month"}, r"000000000000:month"),
        ("aws:athena/workgroup:Workgroup", {"name": "analysts"}, "analysts"),
        ("aws:efs/fileSystem:FileSystem", {}, f"fs-{HEX}"),
        (
            "aws:alb/targetGroup:TargetGroup",
            {"name": "t"},
            r"arn:aws:elasticloadbalancing:us-east-1:0{12}:targetgroup/t/.{16}",
        ),
    ],
)
def test_ids_have_the_shape_of_aws(plugin: Any, token: str, inputs: dict[str, Any], id: str) -> None:
    made, outputs = plugin.create(token, inputs)
    assert re.fullmatch(id, made)
    assert not has_unknown(outputs.values)


def test_the_account_the_region_and_the_partition_are_those_of_the_provider(start: Callable[..., Any]) -> None:
    plugin = start(region="cn-north-1", allowedAccountIds='["123456789012"]')
    arn = plugin.create("aws:sqs/queue:Queue", {"name": "a"})[1].values["arn"]
    assert arn == "arn:aws-cn:sqs:cn-north-1:123456789012:a"
    plugin = start(assumeRoles='[{"roleArn": "arn:aws:iam::210987654321:role/deploy"}]')
    outputs = plugin.create("aws:sqs/queue:Queue", {"name": "a", "region": "eu-west-1"})[1].values
    assert outputs["url"] == "https://sqs.eu-west-1.amazonaws.com/210987654321/a"


def test_default_tags_go_into_tags_all(start: Callable[..., Any]) -> None:
    plugin = start(defaultTags='{"tags": {"owner": "platform", "stage": "dev"}}')
    tagged = {"cidrBlock": "10.0.0.0/16", "tags": {"stage": "test"}}
    _, outputs = plugin.create("aws:ec2/vpc:Vpc", tagged, preview=True)
    assert outputs.values["tagsAll"] == {"owner": "platform", "stage": "test"}


def test_a_cluster_has_what_a_kubeconfig_needs(plugin: Any) -> None:
    subnets = [
        plugin.create(
            "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1", "cidrBlock": f"10.0.{at}.0/24", "availabilityZone": zone}
        )[0]
        for at, zone in enumerate(["us-east-1a", "us-east-1b"])
    ]
    inputs = {"name": "main", "roleArn": "arn:aws:iam::1:role/a", "vpcConfig": {"subnetIds": subnets}}
    planned = plugin.create("aws:eks/cluster:Cluster", inputs, preview=True)[1].values
    assert planned["endpoint"] is UNKNOWN and planned["vpcConfig"]["clusterSecurityGroupId"] is UNKNOWN
    cluster = plugin.create("aws:eks/cluster:Cluster", inputs)[1].values
    assert re.fullmatch(r"https://[0-9A-F]{32}\.gr7\.us-east-1\.eks\.amazonaws\.com", cluster["endpoint"])
    assert base64.b64decode(cluster["certificateAuthority"]["data"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert cluster["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.us-east-1.amazonaws.com/id/")
    assert cluster["vpcConfig"]["vpcId"] == "vpc-1" and cluster["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")


def test_a_database_and_a_cache_have_endpoints(plugin: Any) -> None:
    inputs = {"identifier": "main", "engine": "mysql", "engineVersion": "8.4", "instanceClass": "db.t4g.micro"}
    database = plugin.create("aws:rds/instance:Instance", {**inputs, "manageMasterUserPassword": True})[1].values
    assert re.fullmatch(r"main\.[0-9a-f]{12}\.us-east-1\.rds\.amazonaws\.com", database["address"])
    assert database["endpoint"] == f"{database['address']}:3306"
    assert database["masterUserSecrets"][0]["secretArn"].startswith("arn:aws:secretsmanager:us-east-1:")
    group = {"replicationGroupId": "main", "description": "a", "numCacheClusters": 2, "transitEncryptionEnabled": True}
    cache = plugin.create("aws:elasticache/replicationGroup:ReplicationGroup", group)[1].values
    assert re.fullmatch(r"master\.main\.[0-9a-f]{6}\.use1\.cache\.amazonaws\.com", cache["primaryEndpointAddress"])
    assert cache["memberClusters"] == ["main-001", "main-002"] and cache["port"] == 6379


def test_outputs_follow_from_other_objects(plugin: Any) -> None:
    vpc, network = plugin.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    adopted = plugin.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc})[0]
    assert adopted == network.values["defaultSecurityGroupId"]
    subnet, placed = plugin.create(
        "aws:ec2/subnet:Subnet", {"vpcId": vpc, "cidrBlock": "10.0.1.0/24", "availabilityZoneId": "use1-az2"}
    )
    assert placed.values["availabilityZone"] == "us-east-1b"
    group = plugin.create("aws:elasticache/subnetGroup:SubnetGroup", {"name": "a", "subnetIds": [subnet]})[1]
    assert group.values["vpcId"] == vpc
    plugin.create("aws:ec2/internetGateway:InternetGateway", {"vpcId": vpc})
    balancer, outputs = plugin.create(
        "aws:lb/loadBalancer:LoadBalancer", {"name": "a", "internal": True, "subnets": [subnet, "subnet-elsewhere"]}
    )
    assert outputs.values["dnsName"].startswith("internal-a-") and outputs.values["vpcId"] == vpc
    listener = plugin.create("aws:lb/listener:Listener", {"loadBalancerArn": balancer, "port": 80})[0]
    assert listener.startswith(balancer.replace(":loadbalancer/", ":listener/"))
    address, eip = plugin.create("aws:ec2/eip:Eip", {"domain": "vpc"})
    nat = plugin.create("aws:ec2/natGateway:NatGateway", {"allocationId": address, "subnetId": subnet})[1].values
    assert nat["publicIp"] == eip.values["publicIp"] and nat["privateIp"].startswith("10.0.1.")


def test_an_update_keeps_what_aws_gave_and_follows_the_inputs(plugin: Any) -> None:
    token, inputs = (
        "aws:rds/instance:Instance",
        {"identifier": "main", "engine": "mysql", "instanceClass": "db.t4g.micro"},
    )
    id, outputs = plugin.create(token, inputs)
    changed = plugin.update(token, id, outputs, {**inputs, "port": 3307}).values
    assert changed["address"] == outputs.values["address"] and changed["endpoint"].endswith(":3307")
    template = "aws:ec2/launchTemplate:LaunchTemplate"
    id, outputs = plugin.create(template, {"name": "a"})
    assert outputs.values["latestVersion"] == 1
    assert plugin.update(template, id, outputs, {"name": "a"}, preview=True).values["latestVersion"] is UNKNOWN
    assert plugin.update(template, id, outputs, {"name": "a"}).values["latestVersion"] == 2


def test_an_update_of_a_block_keeps_what_aws_gave_into_it(plugin: Any) -> None:
    subnets = [
        plugin.create(
            "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1", "cidrBlock": f"10.0.{at}.0/24", "availabilityZone": zone}
        )[0]
        for at, zone in enumerate(["us-east-1a", "us-east-1b"])
    ]
    inputs = {"name": "main", "roleArn": "arn:aws:iam::1:role/a", "vpcConfig": {"subnetIds": subnets}}
    token = "aws:eks/cluster:Cluster"
    id, outputs = plugin.create(token, inputs)
    group = outputs.values["vpcConfig"]["clusterSecurityGroupId"]
    for preview in (True, False):
        changed = plugin.update(token, id, outputs, {**inputs, "deletionProtection": True}, preview=preview).values
        assert changed["vpcConfig"]["clusterSecurityGroupId"] == group


def sample(kind: Type, schemas: Schemas) -> Any:
    if kind.kind == "object":
        assert kind.cls is not None
        fields = schemas.fields(kind.cls)
        return {name: sample(one.type, schemas) for name, one in fields.items() if one.required}
    plain = {"json": "{}", "bool": True, "int": 1, "float": 1.5, "list": [], "map": {}}
    return plain.get(kind.kind, "sample")


def test_every_type_of_the_sdk_lives_and_fills_its_outputs(plugin: Any) -> None:
    schemas = open_schemas()
    lived = 0
    for token in schemas.tokens():
        if not token.startswith("aws:"):
            continue
        resource = schemas.get(token)
        assert resource is not None
        inputs = {name: sample(one.type, schemas) for name, one in resource.inputs.items() if one.required}
        try:
            id, outputs = plugin.create(token, inputs)
        except plugin.Error as error:
            assert "the rehearsal's plugin failed" not in error.details(), token
            continue  # AWS itself would not take the sample
        given = [name for name in resource.outputs if name not in resource.inputs or resource.inputs[name].computed]
        assert id and not has_unknown(outputs.values) and not [one for one in given if one not in outputs.values], token
        assert plugin.read(token, id, outputs)[2] == outputs, token
        plugin.delete(token, id, outputs)
        assert plugin.read(token, id, outputs)[0] == "", token
        lived += 1
    assert lived > 1500


def test_objects_of_a_type_whose_ids_are_a_guess_never_share_one(plugin: Any) -> None:
    token, inputs = "aws:autoscaling/attachment:Attachment", {"autoscalingGroupName": "a", "lbTargetGroupArn": "b"}
    ids = {plugin.create(token, inputs, name=name)[0] for name in "abc"}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("example", "required", "name", "shape"),
    [
        ("vpce-3ecf2a57", [], None, "vpce-{hex:17}"),
        ("9ac32814-3e67-0932-6048-8d779cc6f511,office", ["cidrCollectionId", "name"], "name", "{uuid},{hex:10:office}"),
        ("my-cluster:my-group", ["clusterName"], "groupName", "{clusterName}:{groupName}"),
        ("123456789012", [], None, "{account}"),
        ("us-west-2", [], None, "{region}"),
        ("arn:aws:kafka:us-west-2:123456789012:cluster/a/b", [], "clusterName", "{arn}"),
        ("", ["bucket"], None, "{hex:17}"),
    ],
)
def test_shapes_are_read_off_import_examples(example: str, required: list[str], name: str | None, shape: str) -> None:
    assert generalise(example, required, name) == shape


def test_the_shape_of_an_arn_keeps_the_kind_of_object() -> None:
    example = "arn:aws:kafka:us-west-2:123456789012:cluster/example/279c0212-d057-4dba-9aa9-1c4e5a25bfc7-3"
    shape = generalise_arn(example, "clusterName")
    assert shape.startswith("arn:{partition}:kafka:{region}:{account}:cluster/{clusterName}/")
    assert (
        generalise_arn("arn:aws:iam::123456789012:policy/a", "name") == "arn:{partition}:iam::{account}:policy/{name}"
    )


@given(st.text(), st.integers(1, 60))
def test_what_looks_random_is_the_same_again_and_has_its_length(seed: str, length: int) -> None:
    dice = Dice(seed)
    for made in (dice.hex, dice.upper, dice.digits):
        assert len(made(length)) == length and made(length) == made(length)
    assert dice.hex(20) != dice.hex(20, "other")


@pytest.mark.parametrize(
    ("region", "short"), [("us-east-1", "use1"), ("ap-southeast-2", "apse2"), ("us-gov-west-1", "usgovw1")]
)
def test_zones_are_named_and_numbered(region: str, short: str) -> None:
    assert short_region(region) == short
    assert [zone_name(region, zone_id(name)) for name in zone_names(region)] == zone_names(region)
    assert zone_name(region, "nowhere-az1") is None
