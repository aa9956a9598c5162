"""Which names and outputs of an object follow from other objects, or from several of its inputs?

One function a type. It returns shapes (see data/objects.toml) that go over the committed ones. A function asks the
world and copes with not finding anything: what the world does not know is left out or made up.
"""

import base64
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.aws import given
from rehearsal.aws.identity import Dice, Names, canonical
from rehearsal.aws.zones import zone_id, zone_name, zone_names
from rehearsal.values import Value, Values, at
from rehearsal.world import Row

Find = Callable[[Value], Row | None]
"""The object of the world with this id or ARN."""


@dataclass(frozen=True)
class Making:
    """An object being created or changed: its names and inputs, what it was before, and the world around it."""

    names: Names
    olds: Values
    find: Find

    @property
    def inputs(self) -> Values:
        """The object's inputs."""
        return self.names.inputs

    def of(self, id: Value, output: str) -> Value:
        """An output of another object; None where the world does not know it."""
        row = self.find(id)
        return row.outputs.get(output) if row else None

    def first(self, ids: Value, output: str) -> Value:
        """An output of the first of several objects."""
        return self.of(ids[0], output) if isinstance(ids, list) and ids else None


def extra(making: Making) -> Values:
    """Shapes of this object that follow from more than its own type."""
    function = _FUNCTIONS.get(canonical(making.names.token))
    shapes = function(making) if function else {}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _subnet(making: Making) -> Values:
    region, inputs = making.names.context.region, making.inputs
    name, id = inputs.get("availabilityZone"), inputs.get("availabilityZoneId")
    name = name or (zone_name(region, id) if id else None) or zone_names(region)[0]
    return {"availabilityZone": name, "availabilityZoneId": id or zone_id(name), "ipv6CidrBlockAssociationId": ""}


def _default_security_group(making: Making) -> Values:
    return {"id": making.of(making.inputs.get("vpcId"), "defaultSecurityGroupId")}


def _default_network_acl(making: Making) -> Values:
    vpc = making.find(making.inputs.get("defaultNetworkAclId"))
    return {"vpcId": vpc.outputs.get("vpcId", vpc.id) if vpc else None}


def _eip(making: Making) -> Values:
    number = int(making.names.dice.hex(6, "ip"), 16)
    ip = f"52.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    where = "compute-1" if making.names.context.region == "us-east-1" else "{region}.compute"
    return {"publicIp": ip, "publicDns": f"ec2-{ip.replace('.', '-')}.{where}.{{suffix}}"}


def _nat_gateway(making: Making) -> Values:
    block = making.of(making.inputs.get("subnetId"), "cidrBlock")
    address = None
    if isinstance(block, str):
        network = ipaddress.ip_network(block, strict=False)
        address = str(network[4 + int(making.names.dice.hex(4, "ip"), 16) % (network.num_addresses - 5)])
    return {"publicIp": making.of(making.inputs.get("allocationId"), "publicIp"), "privateIp": address}


def _vpc_endpoint(making: Making) -> Values:
    inputs, service = making.inputs, str(making.inputs.get("serviceName", "")).rpartition(".")[2]
    if inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        return {
            "prefixListId": "pl-{hex:8}",
            "cidrBlocks": ["52.216.0.0/15"],
            "networkInterfaceIds": [],
            "dnsEntries": [],
        }
    subnets = inputs.get("subnetIds") or []
    host = f"{{id}}-{{hex:8}}.{service}.{{region}}.vpce.{{suffix}}"
    return {
        "networkInterfaceIds": [f"eni-{{hex:17:{at}}}" for at in range(len(subnets))],
        "dnsEntries": [{"dnsName": host, "hostedZoneId": "Z{upper:20}"}],
        "cidrBlocks": [],
    }


def _launch_template(making: Making) -> Values:
    return {"latestVersion": int(making.olds.get("latestVersion", 0)) + 1}


def _key(making: Making) -> Values:
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = {"Id": "key-default-1", "Version": "2012-10-17", "Statement": [statement]}
    text = json.dumps(making.names.render(policy))
    return {"id": "mrk-{hex:32}" if making.inputs.get("multiRegion") else None, "policy": text}


def _replica_key(making: Making) -> Values:
    key = str(making.inputs.get("primaryKeyArn", "")).rpartition("/")[2]
    return {"id": key or None}


def _alias(making: Making) -> Values:
    target = making.inputs.get("targetKeyId")
    arn = target if str(target).startswith("arn:") else making.of(target, "arn")
    return {"targetKeyArn": arn or "arn:{partition}:kms:{region}:{account}:key/{targetKeyId}"}


def _oidc_provider(making: Making) -> Values:
    host = str(making.inputs.get("url", "")).removeprefix("https://")
    return {
        "id": "{arn}",
        "arn": f"arn:{{partition}}:iam::{{account}}:oidc-provider/{host}",
        "thumbprintLists": ["{hex:40}"],
    }


def _service_linked_role(making: Making) -> Values:
    inputs = making.inputs
    return {"name": given.role_name(str(inputs.get("awsServiceName")), str(inputs.get("customSuffix") or ""))}


def _certificate(making: Making) -> Values:
    """The record that proves a domain is the same for all of an account's certificates; ACM, "DNS validation"."""
    names = [making.inputs.get("domainName"), *(making.inputs.get("subjectAlternativeNames") or [])]
    domains = list(dict.fromkeys(str(name) for name in names if isinstance(name, str)))
    account = making.names.context.account
    proofs = {domain: (domain.removeprefix("*."), Dice(f"{account} {domain.removeprefix('*.')}")) for domain in domains}
    options = [
        {
            "domainName": domain,
            "resourceRecordName": f"_{dice.hex(32, 'name')}.{plain}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{dice.hex(32, 'value')}.acm-validations.aws.",
        }
        for domain, (plain, dice) in proofs.items()
    ]
    dns = making.inputs.get("validationMethod") == "DNS"
    return {"domainValidationOptions": options if dns else [], "subjectAlternativeNames": domains}


def _subnet_group(making: Making) -> Values:
    return {"vpcId": making.first(making.inputs.get("subnetIds"), "vpcId")}


_PORTS = {"mysql": 3306, "mariadb": 3306, "postgres": 5432, "oracle": 1521, "sqlserver": 1433, "db2": 50000}
_RDS_ZONES = {"us-east-1": "Z2R2ITUGPM61AM", "us-west-2": "Z1PVIF0B656C1W", "eu-west-1": "Z29XKXDKYMONMX"}
_S3_ZONES = {"us-east-1": "Z3AQBSTGFJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE"}
_ALB_ZONES = {"us-east-1": "Z35SXDOTRQ7X7K", "us-west-2": "Z1H1FL5HABSF5", "eu-west-1": "Z32O12XQLNTSW2"}
"""Hosted zones of AWS's own endpoints (AWS General Reference); other regions get one of the same shape."""


def _instance(making: Making) -> Values:
    inputs, region = making.inputs, making.names.context.region
    engine = str(inputs.get("engine", "")).split("-")[0]
    port = inputs.get("port") or _PORTS.get(engine, 3306)
    address = "{identifier}.{hex:12}.{region}.rds.{suffix}"
    version = str(inputs.get("engineVersion") or "8.4.7")
    secret = {
        "secretArn": "arn:{partition}:secretsmanager:{region}:{account}:secret:rds!db-{uuid:secret}-{upper:6:secret}",
        "secretStatus": "active",
        "kmsKeyId": inputs.get("masterUserSecretKmsKeyId") or "arn:{partition}:kms:{region}:{account}:key/{uuid:aws}",
    }
    return {
        "address": address,
        "endpoint": f"{address}:{port}",
        "port": port,
        "engineVersionActual": version if version.count(".") > 1 or engine == "postgres" else f"{version}.1",
        "hostedZoneId": _RDS_ZONES.get(region, "Z{upper:13}"),
        "availabilityZone": zone_names(region)[0],
        "masterUserSecrets": [secret] if inputs.get("manageMasterUserPassword") else [],
    }


def _proxy_target(making: Making) -> Values:
    instance = making.find(making.inputs.get("dbInstanceIdentifier"))
    outputs = instance.outputs if instance else {}
    return {"endpoint": outputs.get("address"), "port": outputs.get("port")}


def _replication_group(making: Making) -> Values:
    inputs = making.inputs
    port = inputs.get("port") or 6379
    shards = inputs.get("numNodeGroups") or 1
    clustered = inputs.get("clusterMode") == "enabled" or shards > 1
    per_shard = 1 + (inputs.get("replicasPerNodeGroup") or 0)
    nodes = inputs.get("numCacheClusters") or shards * per_shard
    domain = "{id}.{hex:6}.{zone}.cache.{suffix}"
    prefix = "" if inputs.get("transitEncryptionEnabled") is False else "master."
    version = str(inputs.get("engineVersion") or "8.0")
    members = [f"{{id}}-{at + 1:03}" for at in range(nodes)]
    if clustered:
        members = [f"{{id}}-{1 + at // per_shard:04}-{1 + at % per_shard:03}" for at in range(nodes)]
    return {
        "port": port,
        "clusterEnabled": clustered,
        "configurationEndpointAddress": f"clustercfg.{domain}" if clustered else "",
        "primaryEndpointAddress": "" if clustered else f"{prefix}{domain}",
        "readerEndpointAddress": "" if clustered else f"replica.{domain}",
        "engineVersionActual": version if version.count(".") > 1 else f"{version}.0",
        "memberClusters": members,
        "numCacheClusters": nodes,
        "numNodeGroups": shards,
        "replicasPerNodeGroup": nodes // shards - 1,
    }


def _load_balancer(making: Making) -> Values:
    inputs, region = making.inputs, making.names.context.region
    kind = str(inputs.get("loadBalancerType") or "application")
    suffix = {"application": "app", "network": "net", "gateway": "gwy"}.get(kind, "app") + "/{name}/{hex:16}"
    dns = (
        "{name}-{digits:10}.{region}.elb.{suffix}" if kind == "application" else "{name}-{hex:16}.elb.{region}.{suffix}"
    )
    subnets = inputs.get("subnets") or [one.get("subnetId") for one in inputs.get("subnetMappings") or []]
    return {
        "arn": f"arn:{{partition}}:elasticloadbalancing:{{region}}:{{account}}:loadbalancer/{suffix}",
        "arnSuffix": suffix,
        "dnsName": f"internal-{dns}" if inputs.get("internal") and kind == "application" else dns,
        "vpcId": making.first(subnets, "vpcId"),
        "zoneId": _ALB_ZONES.get(region, "Z{upper:13}"),
        "ipAddressType": "ipv4",
        "loadBalancerType": "application",
    }


def _listener(making: Making) -> Values:
    balancer = str(making.inputs.get("loadBalancerArn", ""))
    return {"arn": balancer.replace(":loadbalancer/", ":listener/") + "/{hex:16}" if balancer else None}


def _listener_rule(making: Making) -> Values:
    listener = str(making.inputs.get("listenerArn", ""))
    return {"arn": listener.replace(":listener/", ":listener-rule/") + "/{hex:16}" if listener else None}


def _web_acl(making: Making) -> Values:
    scope = "global" if making.inputs.get("scope") == "CLOUDFRONT" else "regional"
    rules = making.inputs.get("rules")
    return {
        "arn": f"arn:{{partition}}:wafv2:{{region}}:{{account}}:{scope}/webacl/{{name}}/{{id}}",
        "capacity": 50 * len(rules) if isinstance(rules, list) else 0,
    }


def _record(making: Making) -> Values:
    inputs = making.inputs
    zone = making.of(inputs.get("zoneId"), "name")
    name = str(inputs.get("name", "")).rstrip(".").lower()
    below = isinstance(zone, str) and zone and not name.endswith(zone.rstrip("."))
    parts = (inputs.get("zoneId"), name, inputs.get("type"), inputs.get("setIdentifier"))
    return {
        "id": "_".join(str(part) for part in parts if part),
        "fqdn": f"{name}.{zone.rstrip('.')}" if below else name,
    }


def _zone(making: Making) -> Values:
    """Four name servers of its own, or those of its reusable delegation set."""
    ends = ("com", "net", "org", "co.uk")
    own = [f"ns-{{digits:4:{at}}}.awsdns-{{digits:2:{at}}}.{end}" for at, end in enumerate(ends)]
    shared = making.of(making.inputs.get("delegationSetId"), "nameServers")
    return {"nameServers": shared or own, "primaryNameServer": (shared or own)[0]}


def _delegation_set(making: Making) -> Values:
    return {"nameServers": _zone(making)["nameServers"]}


def _bucket(making: Making) -> Values:
    return {"hostedZoneId": _S3_ZONES.get(making.names.context.region, "Z{upper:13}")}


def _log_delivery_source(making: Making) -> Values:
    parts = str(making.inputs.get("resourceArn", "")).split(":")
    return {"service": parts[2] if len(parts) > 2 else None}


def _cluster(making: Making) -> Values:
    certificate = base64.b64encode(making.names.dice.hex(600, "authority").encode()).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
    subnets = at(making.inputs, ("vpcConfig", "subnetIds"))
    return {
        "certificateAuthority": {"data": base64.b64encode(pem.encode()).decode()},
        "vpcConfig.vpcId": making.first(subnets, "vpcId"),
    }


_FUNCTIONS: dict[str, Callable[[Making], Values]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": _log_delivery_source,
    "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": _default_network_acl,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_security_group,
    "aws:ec2/eip:Eip": _eip,
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": _nat_gateway,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:elasticache/replicationGroup:ReplicationGroup": _replication_group,
    "aws:elasticache/subnetGroup:SubnetGroup": _subnet_group,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _oidc_provider,
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": _service_linked_role,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:kms/replicaKey:ReplicaKey": _replica_key,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:rds/instance:Instance": _instance,
    "aws:rds/proxyTarget:ProxyTarget": _proxy_target,
    "aws:rds/subnetGroup:SubnetGroup": _subnet_group,
    "aws:route53/record:Record": _record,
    "aws:route53/delegationSet:DelegationSet": _delegation_set,
    "aws:route53/zone:Zone": _zone,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:wafv2/webAcl:WebAcl": _web_acl,
}
