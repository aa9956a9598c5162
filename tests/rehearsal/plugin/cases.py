"""What the account refuses: what is there, what is asked for, the code, and what differs when it is accepted.

In texts, `@name` is the id of an object of `given`, `@name.output` one of its outputs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VPC = ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
OTHER = ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"})
SUBNET, GROUP = "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
A = (SUBNET, {"vpcId": "@vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"})
A2 = (SUBNET, {"vpcId": "@vpc", "cidrBlock": "10.0.3.0/24", "availabilityZone": "us-east-1a"})
B = (SUBNET, {"vpcId": "@vpc", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-east-1b"})
FAR = (SUBNET, {"vpcId": "@other", "cidrBlock": "10.1.2.0/24", "availabilityZone": "us-east-1b"})
GATE = ("aws:ec2/internetGateway:InternetGateway", {"vpcId": "@vpc"})
HERE = (GROUP, {"vpcId": "@vpc", "name": "here", "description": "a"})
THERE = (GROUP, {"vpcId": "@other", "name": "there", "description": "a"})
NETWORK = {"vpc": VPC, "other": OTHER, "a": A, "a2": A2, "b": B, "far": FAR, "gate": GATE, "here": HERE, "there": THERE}
KMS = "arn:aws:kms:{}:000000000000:key/1"
CERTIFICATE = "arn:aws:acm:{}:000000000000:certificate/1"


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", **parts}


def trust(service: str) -> str:
    return policy(allow(Action="sts:AssumeRole", Principal={"Service": service}))


KEY_FOR = {
    service: policy(
        allow(Action="kms:*", Resource="*", Principal={"AWS": "arn:aws:iam::000000000000:root"}),
        allow(Resource="*", Principal={"Service": service}),
    )
    for service in ("logs.us-east-1.amazonaws.com", "sns.amazonaws.com")
}


@dataclass(frozen=True)
class Case:
    code: str
    token: str
    wrong: dict[str, Any]
    right: dict[str, Any] = field(default_factory=dict)
    given: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    by_itself: bool = False
    """Wrong whatever else exists."""


def twice(code: str, token: str, inputs: dict[str, Any], **right: Any) -> Case:
    """A name that exists already."""
    return Case(code, token, inputs, right, {"first": (token, inputs)})


ROLE = {"assumeRolePolicy": trust("eks.amazonaws.com")}
DATABASE = {"engine": "mysql", "instanceClass": "db.t4g.micro", "skipFinalSnapshot": True}
CACHE = {"description": "a", "transitEncryptionEnabled": True}
TARGETS = ("aws:lb/targetGroup:TargetGroup", {"name": "t", "vpcId": "@vpc", "port": 80, "protocol": "HTTP"})
BALANCER = ("aws:lb/loadBalancer:LoadBalancer", {"name": "one", "subnets": ["@a", "@b"]})
SECOND = ("aws:lb/loadBalancer:LoadBalancer", {"name": "two", "subnets": ["@a", "@b"]})
FORWARD = [{"type": "forward", "targetGroupArn": "@targets"}]
ELSEWHERE = [
    {"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/e/1"}
]
SERVED = (
    "aws:lb/listener:Listener",
    {"loadBalancerArn": "@second", "port": 80, "protocol": "HTTP", "defaultActions": FORWARD},
)
ORIGIN = [{"originId": "media", "domainName": "a.s3.amazonaws.com"}]
EDGE = {
    "enabled": True,
    "origins": ORIGIN,
    "defaultCacheBehavior": {
        "targetOriginId": "media",
        "viewerProtocolPolicy": "https-only",
        "allowedMethods": ["GET", "HEAD"],
        "cachedMethods": ["GET", "HEAD"],
    },
    "restrictions": {"geoRestriction": {"restrictionType": "none"}},
    "viewerCertificate": {"cloudfrontDefaultCertificate": True},
}
BUCKET = ("aws:s3/bucket:Bucket", {"bucket": "data"})
COPY = ("aws:s3/bucket:Bucket", {"bucket": "copy"})
VERSIONS = {"bucket": "data", "versioningConfiguration": {"status": "Enabled"}}
COPY_VERSIONS = {"bucket": "copy", "versioningConfiguration": {"status": "Enabled"}}
REPLICATION = {
    "role": "arn:aws:iam::000000000000:role/r",
    "rules": [{"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::copy"}}],
}
AUTO = {
    "name": "c",
    "roleArn": "@role.arn",
    "vpcConfig": {"subnetIds": ["@a", "@b"]},
    "computeConfig": {"enabled": True},
    "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
    "storageConfig": {"blockStorage": {"enabled": True}},
}
ZONE = ("aws:route53/zone:Zone", {"name": "example.com"})
RECORD = {"zoneId": "@zone", "name": "www.example.com", "type": "A", "ttl": 60, "records": ["192.0.2.1"]}
FIFO = ("aws:sqs/queue:Queue", {"name": "dead.fifo", "fifoQueue": True})
DEAD = ("aws:sqs/queue:Queue", {"name": "dead"})
ANY_INGRESS = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}

CASES: dict[str, Case] = {
    "subnet outside its VPC": Case(
        "InvalidSubnet.Range",
        SUBNET,
        {"vpcId": "@vpc", "cidrBlock": "10.1.0.0/24"},
        {"cidrBlock": "10.0.9.0/24"},
        NETWORK,
    ),
    "overlapping subnet": Case(
        "InvalidSubnet.Conflict",
        SUBNET,
        {"vpcId": "@vpc", "cidrBlock": "10.0.1.128/25"},
        {"cidrBlock": "10.0.9.0/25"},
        NETWORK,
    ),
    "zone of another region": Case(
        "InvalidParameterValue",
        SUBNET,
        {"vpcId": "@vpc", "cidrBlock": "10.0.9.0/24", "availabilityZone": "us-west-2a"},
        {"availabilityZone": "us-east-1c"},
        NETWORK,
        by_itself=True,
    ),
    "zone id of another region": Case(
        "InvalidParameterValue",
        SUBNET,
        {"vpcId": "@vpc", "cidrBlock": "10.0.9.0/24", "availabilityZoneId": "usw2-az1"},
        {"availabilityZoneId": "use1-az1"},
        NETWORK,
        by_itself=True,
    ),
    "second internet gateway": Case("InvalidParameterValue", GATE[0], {"vpcId": "@vpc"}, {"vpcId": "@other"}, NETWORK),
    "NAT gateway without a way out": Case(
        "Gateway.NotAttached",
        "aws:ec2/natGateway:NatGateway",
        {"subnetId": "@far", "allocationId": "eipalloc-1"},
        {"subnetId": "@a"},
        NETWORK,
    ),
    "address of another NAT gateway": twice(
        "Resource.AlreadyAssociated",
        "aws:ec2/natGateway:NatGateway",
        {"subnetId": "s", "allocationId": "e"},
        allocationId="f",
    ),
    "route to a gateway of another VPC": Case(
        "InvalidParameterValue",
        "aws:ec2/route:Route",
        {"routeTableId": "@table", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "@gate"},
        {"routeTableId": "@own"},
        NETWORK
        | {
            "table": ("aws:ec2/routeTable:RouteTable", {"vpcId": "@other"}),
            "own": ("aws:ec2/routeTable:RouteTable", {"vpcId": "@vpc"}),
        },
    ),
    "route that exists": twice(
        "RouteAlreadyExists",
        "aws:ec2/route:Route",
        {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"},
        routeTableId="rtb-2",
    ),
    "route table of another VPC": Case(
        "InvalidParameterValue",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"routeTableId": "@table", "subnetId": "@a"},
        {"subnetId": "@far"},
        NETWORK | {"table": ("aws:ec2/routeTable:RouteTable", {"vpcId": "@other"})},
    ),
    "security group name": Case(
        "InvalidGroup.Duplicate",
        GROUP,
        {"vpcId": "@vpc", "name": "here", "description": "a"},
        {"vpcId": "@other"},
        NETWORK,
    ),
    "security group of another VPC": Case(
        "InvalidGroup.NotFound",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {**ANY_INGRESS, "securityGroupId": "@here", "referencedSecurityGroupId": "@there"},
        {"referencedSecurityGroupId": "@here"},
        NETWORK,
    ),
    "security group rule that exists": twice(
        "InvalidPermission.Duplicate",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {**ANY_INGRESS, "securityGroupId": "sg-1", "cidrIpv4": "10.0.0.0/8"},
        fromPort=80,
    ),
    "network ACL rule number": twice(
        "NetworkAclEntryAlreadyExists",
        "aws:ec2/networkAclRule:NetworkAclRule",
        {"networkAclId": "acl-1", "ruleNumber": 100, "egress": False, "protocol": "6", "ruleAction": "allow"},
        egress=True,
    ),
    "endpoint subnets in one zone": Case(
        "DuplicateSubnetsInSameZone",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "@vpc", "serviceName": "s", "vpcEndpointType": "Interface", "subnetIds": ["@a", "@a2"]},
        {"subnetIds": ["@a", "@b"]},
        NETWORK,
    ),
    "endpoint name that is taken": Case(
        "InvalidParameter",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "@vpc", "serviceName": "s", "vpcEndpointType": "Interface", "privateDnsEnabled": True},
        {"serviceName": "t"},
        NETWORK
        | {
            "first": (
                "aws:ec2/vpcEndpoint:VpcEndpoint",
                {"vpcId": "@vpc", "serviceName": "s", "vpcEndpointType": "Interface", "privateDnsEnabled": True},
            )
        },
    ),
    "endpoint in a foreign subnet": Case(
        "InvalidParameter",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "@vpc", "serviceName": "s", "vpcEndpointType": "Interface", "subnetIds": ["@far"]},
        {"subnetIds": ["@a"]},
        NETWORK,
    ),
    "route of a gateway endpoint": Case(
        "RouteAlreadyExists",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "@vpc", "serviceName": "s3", "routeTableIds": ["rtb-1"]},
        {"routeTableIds": ["rtb-2"]},
        NETWORK
        | {
            "first": (
                "aws:ec2/vpcEndpoint:VpcEndpoint",
                {"vpcId": "@vpc", "serviceName": "s3", "routeTableIds": ["rtb-1"]},
            )
        },
    ),
    "database subnet group in one zone": Case(
        "DBSubnetGroupDoesNotCoverEnoughAZs",
        "aws:rds/subnetGroup:SubnetGroup",
        {"name": "g", "subnetIds": ["@a", "@a2"]},
        {"subnetIds": ["@a", "@b"]},
        NETWORK,
    ),
    "database subnet group over two VPCs": Case(
        "InvalidSubnet",
        "aws:rds/subnetGroup:SubnetGroup",
        {"name": "g", "subnetIds": ["@a", "@far"]},
        {"subnetIds": ["@a", "@b"]},
        NETWORK,
    ),
    "database with a foreign security group": Case(
        "InvalidVPCNetworkStateFault",
        "aws:rds/instance:Instance",
        {**DATABASE, "identifier": "d", "dbSubnetGroupName": "g", "vpcSecurityGroupIds": ["@there"]},
        {"vpcSecurityGroupIds": ["@here"]},
        NETWORK | {"group": ("aws:rds/subnetGroup:SubnetGroup", {"name": "g", "subnetIds": ["@a", "@b"]})},
    ),
    "database with parameters of another version": Case(
        "InvalidParameterCombination",
        "aws:rds/instance:Instance",
        {**DATABASE, "identifier": "d", "engineVersion": "8.4", "parameterGroupName": "p"},
        {"engineVersion": "8.0.40"},
        {"group": ("aws:rds/parameterGroup:ParameterGroup", {"name": "p", "family": "mysql8.0"})},
    ),
    "database windows that overlap": Case(
        "InvalidParameterValue",
        "aws:rds/instance:Instance",
        {**DATABASE, "identifier": "d", "backupWindow": "23:50-00:20", "maintenanceWindow": "sun:23:00-mon:00:00"},
        {"backupWindow": "02:00-02:30"},
    ),
    "replica of a database without backups": Case(
        "InvalidDBInstanceState",
        "aws:rds/instance:Instance",
        {"identifier": "r", "instanceClass": "db.t4g.micro", "replicateSourceDb": "source", "skipFinalSnapshot": True},
        {"replicateSourceDb": "kept"},
        {
            "source": ("aws:rds/instance:Instance", {**DATABASE, "identifier": "source"}),
            "kept": ("aws:rds/instance:Instance", {**DATABASE, "identifier": "kept", "backupRetentionPeriod": 7}),
        },
    ),
    "replica of a database with a managed password": Case(
        "InvalidDBInstanceState",
        "aws:rds/instance:Instance",
        {"identifier": "r", "instanceClass": "db.t4g.micro", "replicateSourceDb": "source", "skipFinalSnapshot": True},
        {"replicateSourceDb": "elsewhere"},
        {
            "source": (
                "aws:rds/instance:Instance",
                {**DATABASE, "identifier": "source", "backupRetentionPeriod": 7, "manageMasterUserPassword": True},
            )
        },
    ),
    "database name": twice(
        "DBInstanceAlreadyExists", "aws:rds/instance:Instance", {**DATABASE, "identifier": "d"}, identifier="e"
    ),
    "key of another region": Case(
        "KMSKeyNotAccessibleFault",
        "aws:rds/instance:Instance",
        {**DATABASE, "identifier": "d", "storageEncrypted": True, "kmsKeyId": KMS.format("us-west-2")},
        {"kmsKeyId": KMS.format("us-east-1")},
    ),
    "cache with a foreign security group": Case(
        "InvalidParameterCombination",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "replicationGroupId": "c", "subnetGroupName": "g", "securityGroupIds": ["@there"]},
        {"securityGroupIds": ["@here"]},
        NETWORK | {"group": ("aws:elasticache/subnetGroup:SubnetGroup", {"name": "g", "subnetIds": ["@a"]})},
    ),
    "cache with parameters of another version": Case(
        "InvalidParameterCombination",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "replicationGroupId": "c", "engine": "valkey", "engineVersion": "8.1", "parameterGroupName": "p"},
        {"engineVersion": "7.2"},
        {"group": ("aws:elasticache/parameterGroup:ParameterGroup", {"name": "p", "family": "valkey7"})},
    ),
    "cache users without encryption": Case(
        "InvalidParameterCombination",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "replicationGroupId": "c", "userGroupIds": ["u"], "transitEncryptionEnabled": False},
        {"transitEncryptionEnabled": True},
    ),
    "cache users without a default": Case(
        "DefaultUserRequired",
        "aws:elasticache/userGroup:UserGroup",
        {"userGroupId": "g", "engine": "redis", "userIds": ["app"]},
        {"userIds": ["app", "nobody"]},
        {
            "app": (
                "aws:elasticache/user:User",
                {"userId": "app", "userName": "app", "engine": "redis", "accessString": "on"},
            ),
            "all": (
                "aws:elasticache/user:User",
                {"userId": "nobody", "userName": "default", "engine": "redis", "accessString": "off"},
            ),
        },
    ),
    "cache users of one name": Case(
        "DuplicateUserName",
        "aws:elasticache/userGroup:UserGroup",
        {"userGroupId": "g", "engine": "valkey", "userIds": ["a", "b"]},
        {"userIds": ["a"]},
        {
            "a": (
                "aws:elasticache/user:User",
                {"userId": "a", "userName": "n", "engine": "valkey", "accessString": "on"},
            ),
            "b": (
                "aws:elasticache/user:User",
                {"userId": "b", "userName": "n", "engine": "valkey", "accessString": "on"},
            ),
        },
    ),
    "bucket name": twice("BucketAlreadyOwnedByYou", "aws:s3/bucket:Bucket", {"bucket": "data"}, bucket="other"),
    "replication without versions": Case(
        "InvalidRequest",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        {**REPLICATION, "bucket": "plain"},
        {"bucket": "data"},
        {
            "data": BUCKET,
            "copy": COPY,
            "plain": ("aws:s3/bucket:Bucket", {"bucket": "plain"}),
            "v": ("aws:s3/bucketVersioning:BucketVersioning", VERSIONS),
            "w": ("aws:s3/bucketVersioning:BucketVersioning", COPY_VERSIONS),
        },
    ),
    "replication into a bucket without versions": Case(
        "InvalidRequest",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        {**REPLICATION, "bucket": "data"},
        {"rules": [{"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::elsewhere"}}]},
        {"data": BUCKET, "copy": COPY, "v": ("aws:s3/bucketVersioning:BucketVersioning", VERSIONS)},
    ),
    "versions suspended under replication": Case(
        "InvalidBucketState",
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "data", "versioningConfiguration": {"status": "Suspended"}},
        {"bucket": "other"},
        {
            "data": BUCKET,
            "v": ("aws:s3/bucketVersioning:BucketVersioning", VERSIONS),
            "r": ("aws:s3/bucketReplicationConfig:BucketReplicationConfig", {**REPLICATION, "bucket": "data"}),
        },
    ),
    "lock without versions": Case(
        "InvalidBucketState",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {"bucket": "data"},
        {"bucket": "elsewhere"},
        {"data": BUCKET},
    ),
    "access control lists that are off": Case(
        "AccessControlListNotSupported",
        "aws:s3/bucketAcl:BucketAcl",
        {"bucket": "data", "acl": "private"},
        {"bucket": "copy"},
        {
            "data": BUCKET,
            "copy": COPY,
            "o": (
                "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
                {"bucket": "data", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
            ),
        },
    ),
    "bucket policy for another bucket": Case(
        "MalformedPolicy",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "data", "policy": policy(allow(Principal={"AWS": "1"}, Resource="arn:aws:s3:::other/*"))},
        {"policy": policy(allow(Principal={"AWS": "1"}, Resource="arn:aws:s3:::data/*"))},
    ),
    "public policy that is blocked": Case(
        "AccessDenied",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "data", "policy": policy(allow(Principal="*", Resource="arn:aws:s3:::data/*"))},
        {"policy": policy(allow(Principal={"AWS": "000000000000"}, Resource="arn:aws:s3:::data/*"))},
        {
            "block": (
                "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
                {"bucket": "data", "blockPublicPolicy": True},
            )
        },
    ),
    "access logs into another region": Case(
        "CrossLocationLoggingProhibitted",
        "aws:s3/bucketLogging:BucketLogging",
        {"bucket": "data", "targetBucket": "far", "targetPrefix": "a"},
        {"targetBucket": "copy"},
        {"data": BUCKET, "copy": COPY, "far": ("aws:s3/bucket:Bucket", {"bucket": "far", "region": "us-west-2"})},
    ),
    "policy that does not parse": Case(
        "MalformedPolicyDocument",
        "aws:iam/policy:Policy",
        {"name": "p", "policy": "{"},
        {"policy": policy(allow(Resource="*"))},
    ),
    "policy without a resource": Case(
        "MalformedPolicyDocument",
        "aws:iam/policy:Policy",
        {"name": "p", "policy": policy(allow())},
        {"policy": policy(allow(Resource="*"))},
    ),
    "policy with a principal": Case(
        "MalformedPolicyDocument",
        "aws:iam/rolePolicy:RolePolicy",
        {"name": "p", "role": "r", "policy": policy(allow(Resource="*", Principal="*"))},
        {"policy": policy(allow(Resource="*"))},
    ),
    "policy with an unknown element": Case(
        "MalformedPolicyDocument",
        "aws:iam/policy:Policy",
        {"name": "p", "policy": policy(allow(Resource="*", Resources="*"))},
        {"policy": policy(allow(Resource="*", Sid="a"))},
    ),
    "statement ids that repeat": Case(
        "MalformedPolicyDocument",
        "aws:iam/policy:Policy",
        {"name": "p", "policy": policy(allow(Resource="*", Sid="a"), allow(Resource="*", Sid="a"))},
        {"policy": policy(allow(Resource="*", Sid="a"), allow(Resource="*", Sid="b"))},
    ),
    "trust policy with a resource": Case(
        "MalformedPolicyDocument",
        "aws:iam/role:Role",
        {"name": "r", "assumeRolePolicy": policy(allow(Principal="*", Resource="*"))},
        ROLE,
    ),
    "policy that is too long": Case(
        "LimitExceeded",
        "aws:iam/policy:Policy",
        {"name": "p", "policy": policy(allow(Resource=["arn:aws:s3:::" + "a" * 63] * 100))},
        {"policy": policy(allow(Resource=["arn:aws:s3:::" + "a" * 63] * 50))},
    ),
    "inline policies that are too long together": Case(
        "LimitExceeded",
        "aws:iam/rolePolicy:RolePolicy",
        {"name": "p", "role": "r", "policy": policy(allow(Resource=["arn:aws:s3:::" + "a" * 63] * 80))},
        {"role": "s"},
        {
            "first": (
                "aws:iam/rolePolicy:RolePolicy",
                {"name": "q", "role": "r", "policy": policy(allow(Resource=["arn:aws:s3:::" + "a" * 63] * 80))},
            )
        },
    ),
    "too many policies for one role": Case(
        "LimitExceeded",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "r", "policyArn": "arn:aws:iam::aws:policy/p"},
        {"role": "s"},
        {
            str(at): (
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                {"role": "r", "policyArn": f"arn:aws:iam::aws:policy/{at}"},
            )
            for at in range(10)
        },
    ),
    "role name": twice("EntityAlreadyExists", "aws:iam/role:Role", {"name": "r", **ROLE}, name="s"),
    "alias of AWS": Case(
        "NotAuthorizedException",
        "aws:kms/alias:Alias",
        {"name": "alias/aws/s3", "targetKeyId": "k"},
        {"name": "alias/s3"},
    ),
    "key policy that locks out": Case(
        "MalformedPolicyDocumentException",
        "aws:kms/key:Key",
        {
            "policy": policy(
                allow(Action="kms:Decrypt", Resource="*", Principal={"AWS": "arn:aws:iam::000000000000:role/a"})
            )
        },
        {"policy": policy(allow(Action="kms:*", Resource="*", Principal={"AWS": "arn:aws:iam::000000000000:root"}))},
    ),
    "replica of a key of one region": Case(
        "UnsupportedOperationException",
        "aws:kms/replicaKey:ReplicaKey",
        {"primaryKeyArn": "@key.arn", "region": "us-west-2"},
        {"primaryKeyArn": "@many.arn"},
        {"key": ("aws:kms/key:Key", {}), "many": ("aws:kms/key:Key", {"multiRegion": True})},
    ),
    "log group under a key that logs may not use": Case(
        "AccessDeniedException",
        "aws:cloudwatch/logGroup:LogGroup",
        {"name": "l", "kmsKeyId": "@closed.arn"},
        {"kmsKeyId": "@open.arn"},
        {
            "closed": ("aws:kms/key:Key", {"policy": KEY_FOR["sns.amazonaws.com"]}),
            "open": ("aws:kms/key:Key", {"policy": KEY_FOR["logs.us-east-1.amazonaws.com"]}),
        },
    ),
    "cluster in one zone": Case(
        "InvalidParameterException",
        "aws:eks/cluster:Cluster",
        {"name": "c", "roleArn": "arn:aws:iam::1:role/r", "vpcConfig": {"subnetIds": ["@a", "@a2"]}},
        {"vpcConfig": {"subnetIds": ["@a", "@b"]}},
        NETWORK,
    ),
    "cluster with a foreign security group": Case(
        "InvalidParameterException",
        "aws:eks/cluster:Cluster",
        {
            "name": "c",
            "roleArn": "arn:aws:iam::1:role/r",
            "vpcConfig": {"subnetIds": ["@a", "@b"], "securityGroupIds": ["@there"]},
        },
        {"vpcConfig": {"subnetIds": ["@a", "@b"], "securityGroupIds": ["@here"]}},
        NETWORK,
    ),
    "cluster role that trusts somebody else": Case(
        "InvalidParameterException",
        "aws:eks/cluster:Cluster",
        {"name": "c", "roleArn": "@wrong.arn", "vpcConfig": {"subnetIds": ["@a", "@b"]}},
        {"roleArn": "@role.arn"},
        NETWORK
        | {
            "role": ("aws:iam/role:Role", {"name": "r", **ROLE}),
            "wrong": ("aws:iam/role:Role", {"name": "w", "assumeRolePolicy": trust("ec2.amazonaws.com")}),
        },
    ),
    "Auto Mode that is half on": Case(
        "InvalidParameterException",
        "aws:eks/cluster:Cluster",
        {**AUTO, "storageConfig": {"blockStorage": {"enabled": False}}},
        {"storageConfig": {"blockStorage": {"enabled": True}}},
        NETWORK | {"role": ("aws:iam/role:Role", {"name": "r", **ROLE})},
        by_itself=True,
    ),
    "load balancer in one zone": Case(
        "ValidationError",
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "l", "subnets": ["@a"]},
        {"subnets": ["@a", "@b"]},
        NETWORK,
    ),
    "load balancer with two subnets of a zone": Case(
        "InvalidConfigurationRequest",
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "l", "subnets": ["@a", "@a2", "@b"]},
        {"subnets": ["@a", "@b"]},
        NETWORK,
    ),
    "listener with a certificate of another region": Case(
        "CertificateNotFound",
        "aws:lb/listener:Listener",
        {
            "loadBalancerArn": "arn:x",
            "port": 443,
            "defaultActions": ELSEWHERE,
            "certificateArn": CERTIFICATE.format("eu-west-1"),
        },
        {"certificateArn": CERTIFICATE.format("us-east-1")},
    ),
    "listener that exists": twice(
        "DuplicateListener",
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "arn:x", "port": 80, "defaultActions": ELSEWHERE},
        port=81,
    ),
    "protocol of the other load balancer": Case(
        "UnsupportedProtocol",
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "@balancer", "port": 80, "protocol": "TCP", "defaultActions": ELSEWHERE},
        {"protocol": "HTTP"},
        NETWORK | {"balancer": BALANCER},
    ),
    "target group of another load balancer": Case(
        "TargetGroupAssociationLimit",
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "@balancer", "port": 80, "protocol": "HTTP", "defaultActions": FORWARD},
        {"loadBalancerArn": "@second", "port": 81},
        NETWORK | {"targets": TARGETS, "balancer": BALANCER, "second": SECOND, "served": SERVED},
    ),
    "target group of another VPC": Case(
        "InvalidConfigurationRequest",
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "@balancer", "port": 80, "protocol": "HTTP", "defaultActions": FORWARD},
        {"defaultActions": [{"type": "forward", "targetGroupArn": ELSEWHERE[0]["targetGroupArn"]}]},
        NETWORK | {"targets": (TARGETS[0], {**TARGETS[1], "vpcId": "@other"}), "balancer": BALANCER},
    ),
    "edge certificate of another region": Case(
        "InvalidViewerCertificate",
        "aws:cloudfront/distribution:Distribution",
        {
            **EDGE,
            "viewerCertificate": {"acmCertificateArn": CERTIFICATE.format("eu-west-1"), "sslSupportMethod": "sni-only"},
        },
        {"viewerCertificate": {"acmCertificateArn": CERTIFICATE.format("us-east-1"), "sslSupportMethod": "sni-only"}},
    ),
    "alias that the certificate does not cover": Case(
        "InvalidViewerCertificate",
        "aws:cloudfront/distribution:Distribution",
        {**EDGE, "aliases": ["media.example.org"], "viewerCertificate": {"acmCertificateArn": "@cert"}},
        {"aliases": ["media.example.com"]},
        {"cert": ("aws:acm/certificate:Certificate", {"domainName": "*.example.com", "validationMethod": "DNS"})},
    ),
    "alias of another distribution": twice(
        "CNAMEAlreadyExists",
        "aws:cloudfront/distribution:Distribution",
        {**EDGE, "aliases": ["a.de"]},
        aliases=["b.de"],
    ),
    "behaviour without its origin": Case(
        "NoSuchOrigin",
        "aws:cloudfront/distribution:Distribution",
        {**EDGE, "origins": [{"originId": "other", "domainName": "a"}]},
        {"origins": ORIGIN},
    ),
    "regional firewall at the edge": Case(
        "InvalidWebACLId",
        "aws:cloudfront/distribution:Distribution",
        {**EDGE, "webAclId": "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/a/1"},
        {"webAclId": "arn:aws:wafv2:us-east-1:000000000000:global/webacl/a/1"},
    ),
    "edge firewall outside us-east-1": Case(
        "WAFInvalidParameterException",
        "aws:wafv2/webAcl:WebAcl",
        {"name": "w", "scope": "CLOUDFRONT", "region": "eu-west-1"},
        {"region": "us-east-1"},
    ),
    "firewall rules of one priority": Case(
        "WAFInvalidParameterException",
        "aws:wafv2/webAcl:WebAcl",
        {"name": "w", "scope": "REGIONAL", "rules": [{"name": "a", "priority": 1}, {"name": "b", "priority": 1}]},
        {"rules": [{"name": "a", "priority": 1}, {"name": "b", "priority": 2}]},
    ),
    "edge firewall on a load balancer": Case(
        "WAFInvalidParameterException",
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        {"resourceArn": "arn:x", "webAclArn": "arn:aws:wafv2:us-east-1:000000000000:global/webacl/a/1"},
        {"webAclArn": "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/a/1"},
    ),
    "firewall log of another name": Case(
        "WAFInvalidParameterException",
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        {"resourceArn": "arn:x", "logDestinationConfigs": ["arn:aws:logs:us-east-1:000000000000:log-group:waf"]},
        {"logDestinationConfigs": ["arn:aws:logs:us-east-1:000000000000:log-group:aws-waf-logs-a"]},
    ),
    "record that exists": Case(
        "InvalidChangeBatch",
        "aws:route53/record:Record",
        RECORD,
        {"allowOverwrite": True},
        {"zone": ZONE, "first": ("aws:route53/record:Record", RECORD)},
    ),
    "canonical name at the top": Case(
        "InvalidChangeBatch",
        "aws:route53/record:Record",
        {**RECORD, "name": "example.com", "type": "CNAME", "records": ["a.de"]},
        {"name": "docs.example.com"},
        {"zone": ZONE},
    ),
    "canonical name beside others": Case(
        "InvalidChangeBatch",
        "aws:route53/record:Record",
        {**RECORD, "type": "CNAME", "records": ["a.de"]},
        {"name": "docs.example.com"},
        {"zone": ZONE, "first": ("aws:route53/record:Record", RECORD)},
    ),
    "queue name with other settings": Case(
        "QueueAlreadyExists",
        "aws:sqs/queue:Queue",
        {"name": "q", "delaySeconds": 5},
        {"delaySeconds": 1},
        {"first": ("aws:sqs/queue:Queue", {"name": "q", "delaySeconds": 1})},
    ),
    "dead letters of a FIFO queue": Case(
        "InvalidParameterValue",
        "aws:sqs/queue:Queue",
        {
            "name": "q.fifo",
            "fifoQueue": True,
            "redrivePolicy": '{"deadLetterTargetArn": "@dead.arn", "maxReceiveCount": 3}',
        },
        {"redrivePolicy": '{"deadLetterTargetArn": "@fifo.arn", "maxReceiveCount": 3}'},
        {"dead": DEAD, "fifo": FIFO},
    ),
    "FIFO queue under a standard topic": Case(
        "InvalidParameter",
        "aws:sns/topicSubscription:TopicSubscription",
        {"topic": "arn:aws:sns:us-east-1:000000000000:t", "protocol": "sqs", "endpoint": "@fifo.arn"},
        {"endpoint": "@dead.arn"},
        {"dead": DEAD, "fifo": FIFO},
    ),
    "second detector": twice("BadRequestException", "aws:guardduty/detector:Detector", {}, region="eu-west-1"),
    "log group name": twice(
        "ResourceAlreadyExistsException", "aws:cloudwatch/logGroup:LogGroup", {"name": "l"}, region="eu-west-1"
    ),
    "secret name": twice("ResourceExistsException", "aws:secretsmanager/secret:Secret", {"name": "s"}, name="t"),
    "repository name": twice(
        "RepositoryAlreadyExistsException", "aws:ecr/repository:Repository", {"name": "repo"}, name="other"
    ),
}

DELETIONS: dict[str, tuple[str, dict[str, tuple[str, dict[str, Any]]], str]] = {
    "VPC with subnets": ("DependencyViolation", {"vpc": VPC, "a": A}, "vpc"),
    "subnet of a load balancer": ("DependencyViolation", {"vpc": VPC, "a": A, "b": B, "balancer": BALANCER}, "a"),
    "security group in a rule": (
        "DependencyViolation",
        NETWORK
        | {
            "rule": (
                "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                {**ANY_INGRESS, "securityGroupId": "sg-1", "referencedSecurityGroupId": "@here"},
            )
        },
        "here",
    ),
    "internet gateway under a NAT gateway": (
        "DependencyViolation",
        NETWORK | {"nat": ("aws:ec2/natGateway:NatGateway", {"subnetId": "@a", "allocationId": "e"})},
        "gate",
    ),
    "role with a policy": (
        "DeleteConflict",
        {
            "role": ("aws:iam/role:Role", {"name": "r", **ROLE}),
            "p": (
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                {"role": "r", "policyArn": "arn:aws:iam::aws:policy/p"},
            ),
        },
        "role",
    ),
    "subnet group of a database": (
        "InvalidDBSubnetGroupStateFault",
        NETWORK
        | {
            "group": ("aws:rds/subnetGroup:SubnetGroup", {"name": "g", "subnetIds": ["@a", "@b"]}),
            "database": ("aws:rds/instance:Instance", {**DATABASE, "identifier": "d", "dbSubnetGroupName": "g"}),
        },
        "group",
    ),
    "protected database": (
        "InvalidParameterCombination",
        {"database": ("aws:rds/instance:Instance", {**DATABASE, "identifier": "d", "deletionProtection": True})},
        "database",
    ),
    "database without a last snapshot": (
        "InvalidParameterCombination",
        {"database": ("aws:rds/instance:Instance", {**DATABASE, "identifier": "d", "skipFinalSnapshot": False})},
        "database",
    ),
    "protected cluster": (
        "InvalidRequestException",
        {
            "cluster": (
                "aws:eks/cluster:Cluster",
                {"name": "c", "roleArn": "arn:aws:iam::1:role/r", "vpcConfig": {}, "deletionProtection": True},
            )
        },
        "cluster",
    ),
    "target group of a listener": (
        "ResourceInUse",
        NETWORK | {"targets": TARGETS, "second": SECOND, "served": SERVED},
        "targets",
    ),
    "zone with records": ("HostedZoneNotEmpty", {"zone": ZONE, "www": ("aws:route53/record:Record", RECORD)}, "zone"),
    "bucket with objects": (
        "BucketNotEmpty",
        {"data": BUCKET, "o": ("aws:s3/bucketObject:BucketObject", {"bucket": "data", "key": "a"})},
        "data",
    ),
}
