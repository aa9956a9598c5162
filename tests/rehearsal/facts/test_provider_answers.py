"""What does the provider answer beyond single facts? Each line was observed on terraform-provider-aws v5.43."""

import json
from typing import Any

import pytest

from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.library import Library

CONTEXT = Context("us-east-1")
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/0123456789abcdef"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/0123456789abcdef"
FORWARD = [{"type": "forward", "targetGroupArn": GROUP}]
RULE = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16"}
ORIGINS = {
    "enabled": True,
    "defaultCacheBehavior": {
        "allowedMethods": ["GET", "HEAD"],
        "cachedMethods": ["GET", "HEAD"],
        "targetOriginId": "a",
        "viewerProtocolPolicy": "https-only",
    },
    "origins": [{"domainName": "a.example.com", "originId": "a"}, {"domainName": "b.example.com", "originId": "b"}],
    "originGroups": [
        {
            "originId": "g",
            "failoverCriteria": {"statusCodes": [500, 502]},
            "members": [{"originId": "a"}, {"originId": "b"}],
        }
    ],
    "restrictions": {"geoRestriction": {"restrictionType": "none"}},
    "viewerCertificate": {"cloudfrontDefaultCertificate": True},
}
CLUSTER = {"roleArn": "arn:aws:iam::123456789012:role/a", "version": "1.36", "vpcConfig": {"subnetIds": ["a", "b"]}}
NODES = {
    "clusterName": "a",
    "nodeRoleArn": "arn:aws:iam::123456789012:role/a",
    "subnetIds": ["a"],
    "scalingConfig": {"desiredSize": 1, "maxSize": 1, "minSize": 1},
    "launchTemplate": {"id": "lt-1", "version": "1"},
}
DATABASE = {
    "identifier": "a",
    "engine": "mysql",
    "engineVersion": "8.4.3",
    "instanceClass": "db.m7g.large",
    "allocatedStorage": 100,
    "port": 3306,
    "dbSubnetGroupName": "a",
    "maintenanceWindow": "sun:05:00-sun:06:00",
}


def statement(**more: Any) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "*"} | more]}
    )


def verdict(library: Library, token: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    given = {"name": "a", "random_seed": b"seed", "context": CONTEXT}
    olds = check(library, token, old, olds={}, **given)
    news = check(library, token, new, olds=olds.inputs, **given)
    assert not olds.failures, olds.failures
    assert not news.failures, news.failures
    answer = diff(
        library, token, old_inputs=olds.inputs, old_outputs=olds.inputs, news=news.inputs, context=CONTEXT, name="a"
    )
    return "replace" if answer.replaces else "in place" if answer.changes else "none"


def changed(base: dict[str, Any], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return base, base | more


QUEUE, RECORD = "aws:sqs/queue:Queue", "aws:route53/record:Record"
INSTANCE, EKS, NODE_GROUP = "aws:rds/instance:Instance", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
LB, TARGETS = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
INGRESS, DISTRIBUTION = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:cloudfront/distribution:Distribution",
)
ROUTE = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}
TARGET = {"port": 80, "protocol": "HTTP", "vpcId": "vpc-1"}
TRAIL = {
    "s3BucketName": "a",
    "advancedEventSelectors": [
        {"name": "a", "fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]},
        {"name": "b", "fieldSelectors": [{"field": "eventCategory", "equals": ["Data"]}]},
    ],
}
CACHE = {"description": "a", "preferredCacheClusterAzs": ["us-east-1a", "us-east-1b"], "numCacheClusters": 2}
ALARM = {
    "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": "a", "namespace": "b",
    "period": 60, "statistic": "Sum", "threshold": 1, "treatMissingData": "missing",
}  # fmt: skip


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (QUEUE, {"redrivePolicy": '{"maxReceiveCount": 3}'}, {}),
        (QUEUE, {"visibilityTimeoutSeconds": 30}, {}),
        (QUEUE, {"policy": statement(Principal={"AWS": "123456789012"})},
         {"policy": statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Sid="")}),
        (QUEUE, {"policy": statement(Principal="*")}, {"policy": statement(Principal={"AWS": ["*"]})}),
        ("aws:s3/bucketPolicy:BucketPolicy", {"bucket": "a", "policy": statement(Condition={"Bool": {"a:S": "true"}})},
         {"bucket": "a", "policy": statement(Condition={"Bool": {"a:S": ["true"]}})}),
        (EKS, *changed(CLUSTER, vpcConfig={"subnetIds": ["b", "a"]})),
        (EKS, CLUSTER | {"enabledClusterLogTypes": ["api", "audit"]},
         CLUSTER | {"enabledClusterLogTypes": ["audit", "api"]}),
        (DISTRIBUTION, *changed(ORIGINS, origins=ORIGINS["origins"][::-1])),  # type: ignore[index]
        (RECORD, {"zoneId": "Z1", "name": "a.example.com", "type": "A", "ttl": 60, "records": ["1.2.3.4", "1.2.3.5"]},
         {"zoneId": "Z1", "name": "A.example.com.", "type": "A", "ttl": "60", "records": ["1.2.3.5", "1.2.3.4"]}),
        (INSTANCE, *changed(DATABASE, maintenanceWindow="Sun:05:00-Sun:06:00")),
        (INSTANCE, DATABASE | {"maxAllocatedStorage": 500},
         DATABASE | {"maxAllocatedStorage": 500, "allocatedStorage": 50}),
        (INGRESS, *changed(RULE, ipProtocol="6")),
        ("aws:ec2/securityGroup:SecurityGroup", {"egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0}]},
         {"egress": [{"protocol": "all", "fromPort": 0, "toPort": 0}]}),
        ("aws:kms/alias:Alias", {"name": "alias/a", "targetKeyId": KEY},
         {"name": "alias/a", "targetKeyId": KEY.rpartition("/")[2]}),
        ("aws:budgets/budget:Budget", {"budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "1200"},
         {"budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "1200.0"}),
        (LB, {"loadBalancerType": "network", "subnets": ["a"]},
         {"loadBalancerType": "network", "subnets": ["a"], "idleTimeout": 120}),
        ("aws:lb/listener:Listener",
         {"loadBalancerArn": BALANCER, "protocol": "HTTP", "defaultActions": FORWARD},
         {"loadBalancerArn": BALANCER, "protocol": "http", "defaultActions": FORWARD}),
        (TARGETS, *changed(TARGET | {"healthCheck": {"protocol": "HTTP"}}, healthCheck={"protocol": "http"})),
        (TARGETS, {"targetType": "lambda"}, {"targetType": "lambda", "port": 80}),
        ("aws:acm/certificate:Certificate", {"domainName": "a.b", "subjectAlternativeNames": ["x.a.b", "y.a.b"]},
         {"domainName": "a.b", "subjectAlternativeNames": ["y.a.b", "x.a.b", "a.b"]}),
    ],
)  # fmt: skip
def test_no_change(library: Library, token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert verdict(library, token, old, new) == "none"


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (DISTRIBUTION, *changed(ORIGINS, originGroups=[
            ORIGINS["originGroups"][0] | {"members": [{"originId": "b"}, {"originId": "a"}]}  # type: ignore[index]
        ])),
        ("aws:cloudtrail/trail:Trail", *changed(TRAIL, advancedEventSelectors=TRAIL["advancedEventSelectors"][::-1])),  # type: ignore[index]
        ("aws:eks/addon:Addon", {"clusterName": "a", "addonName": "b", "configurationValues": '{"a": 1, "b": 2}'},
         {"clusterName": "a", "addonName": "b", "configurationValues": '{"b": 2, "a": 1}'}),
        ("aws:cloudwatch/eventTarget:EventTarget", {"arn": GROUP, "rule": "a", "input": '{"a": 1}'},
         {"arn": GROUP, "rule": "a", "input": '{"a":1}'}),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", *changed(ALARM, treatMissingData="Missing")),
        ("aws:lb/listener:Listener",
         {"loadBalancerArn": BALANCER, "port": 80, "defaultActions": FORWARD},
         {"loadBalancerArn": BALANCER, "port": 80, "defaultActions": [{"type": "Forward", "targetGroupArn": GROUP}]}),
        (INSTANCE, *changed(DATABASE, identifier="b")),
        (INSTANCE, *changed(DATABASE, dbSubnetGroupName="b")),
        (INSTANCE, *changed(DATABASE, engineVersion="8.0.40")),
        (INSTANCE, *changed(DATABASE, port=3307)),
        (INSTANCE, *changed(DATABASE, networkType="DUAL")),
        (EKS, *changed(CLUSTER, version="1.37")),
        (EKS, *changed(CLUSTER, vpcConfig={"subnetIds": ["a", "c"]})),
        (EKS, *changed(CLUSTER, vpcConfig={"subnetIds": ["a", "b"], "publicAccessCidrs": ["10.0.0.0/8"]})),
        (NODE_GROUP, *changed(NODES, launchTemplate={"id": "lt-1", "version": "2"})),
        ("aws:ec2/route:Route", ROUTE, {name: ROUTE[name] for name in list(ROUTE)[:2]} | {"natGatewayId": "n"}),
        (INGRESS, *changed(RULE, cidrIpv4="10.1.0.0/16")),
        (INGRESS, *changed(RULE, ipProtocol="udp", fromPort=53, toPort=53)),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", *changed(RULE, description="")),
    ],
)  # fmt: skip
def test_in_place(library: Library, token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert verdict(library, token, old, new) == "in place"


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (TARGETS, *changed(TARGET, protocol="http")),
        (NODE_GROUP, *changed(NODES, launchTemplate={"id": "lt-2", "version": "1"})),
        ("aws:ec2/route:Route", *changed(ROUTE, destinationCidrBlock="10.0.0.0/8")),
        (INGRESS, RULE, {name: value for name, value in RULE.items() if name != "cidrIpv4"} | {"prefixListId": "pl-1"}),
        ("aws:elasticache/replicationGroup:ReplicationGroup", CACHE | {"engineVersion": "7.1"},
         CACHE | {"engineVersion": "6.2"}),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "instanceTenancy": "dedicated"}),
    ],
)  # fmt: skip
def test_replaced(library: Library, token: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert verdict(library, token, old, new) == "replace"


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (QUEUE, {"name": "jobs", "fifoQueue": True}, "name"),
        (QUEUE, {"name": "jobs.fifo"}, "name"),
        ("aws:sns/topic:Topic", {"name": "a", "contentBasedDeduplication": True}, "contentBasedDeduplication"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", {"description": "a", "multiAzEnabled": True},
         "multiAzEnabled"),
        (TARGETS, {"port": 80, "protocol": "HTTP"}, "vpcId"),
        (TARGETS, TARGET | {"protocol": "TCP", "healthCheck": {"protocol": "TCP", "matcher": "200"}},
         "healthCheck.matcher"),
        ("aws:lb/listener:Listener", {"loadBalancerArn": BALANCER, "defaultActions": [{"type": "redirect"}]},
         "defaultActions[0].redirect"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {k: v for k, v in ALARM.items() if k != "statistic"}, "statistic"),
        ("aws:ec2/natGateway:NatGateway", {"subnetId": "a", "connectivityType": "private", "allocationId": "b"},
         "allocationId"),
        (EKS, CLUSTER | {"computeConfig": {"enabled": True}}, "computeConfig.enabled"),
        ("aws:dynamodb/table:Table",
         {"hashKey": "a", "attributes": [{"name": "a", "type": "S"}, {"name": "b", "type": "S"}]}, "attributes"),
    ],
)  # fmt: skip
def test_refused_when_the_creation_is_planned(library: Library, token: str, inputs: dict[str, Any], path: str) -> None:
    answer = check(library, token, inputs, olds={}, name="a", random_seed=b"seed", context=CONTEXT)
    assert [failure.property for failure in answer.failures] == [path]
