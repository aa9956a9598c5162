"""Which changes replace only sometimes, and which are none at all? A predicate where the answer depends on the values.

Read from terraform-provider-aws v5.43 (CustomizeDiff and DiffSuppressFunc of each type) and its recorded verdicts.
"""

import re
from collections.abc import Callable, Mapping

from rehearsal.values import UNKNOWN, Path, Value, Values, at

Predicate = Callable[[Values, Values], bool]
"""Asked with the old and the new inputs of the resource."""


def replacing(token: str) -> Mapping[str, Predicate]:
    """By path: does a change there replace the resource?"""
    return REPLACING.get(token, {})


def silent(token: str) -> Mapping[str, Predicate]:
    """By path: does the provider see no change there?"""
    return SILENT.get(token, {})


def _both(path: str) -> Callable[[Values, Values], tuple[Value, Value]]:
    steps: Path = tuple(path.split("."))
    return lambda olds, news: (at(olds, steps), at(news, steps))


def _unless(path: str, old: str, new: str) -> Predicate:
    """Replaces, except on the way from `old` to `new`."""
    return lambda olds, news: _both(path)(olds, news) != (old, new)


def _when_removed(path: str) -> Predicate:
    return lambda olds, news: not _both(path)(olds, news)[1]


def _when_there_was_one(path: str) -> Predicate:
    return lambda olds, news: bool(_both(path)(olds, news)[0])


def version(text: Value) -> tuple[int, ...]:
    """The numbers of an engine version; none for what is not known."""
    return tuple(int(number) for number in re.findall(r"\d{1,9}", text)) if isinstance(text, str) else ()


def _downgrade(path: str) -> Predicate:
    def replaces(olds: Values, news: Values) -> bool:
        old, new = _both(path)(olds, news)
        older, newer = version(old), version(new)
        size = min(len(older), len(newer))
        return size > 0 and newer[:size] < older[:size]

    return replaces


def _engine(olds: Values, news: Values) -> bool:
    """Redis becomes Valkey in place; nothing else does."""
    old, new = (str(values.get("engine", "redis")).lower() for values in (olds, news))
    return old != new and (old, new) != ("redis", "valkey")


def _serverless_engine(olds: Values, news: Values) -> bool:
    """Redis and Valkey become each other in place."""
    return not {olds.get("engine"), news.get("engine")} <= {"redis", "valkey"}


def _serverless_version(olds: Values, news: Values) -> bool:
    """Only Valkey goes up in place."""
    upwards = version(news.get("majorEngineVersion")) > version(olds.get("majorEngineVersion"))
    return not (news.get("engine") == "valkey" and upwards)


def _transit_encryption(olds: Values, news: Values) -> bool:
    """Encryption in transit is switched in place from 7.0.5 on."""
    running = version(news.get("engineVersion")) or version(olds.get("engineVersion"))
    return bool(running) and running < (7, 0, 5)[: len(running)]


def _network(values: Values) -> bool:
    return values.get("loadBalancerType") == "network"


def _network_groups(olds: Values, news: Values) -> bool:
    """A network load balancer has security groups from its creation on, or never."""
    return _network(news) and bool(olds.get("securityGroups")) != bool(news.get("securityGroups"))


def _network_subnets(olds: Values, news: Values) -> bool:
    """A network load balancer can be given subnets, not deprived of them."""
    old, new = olds.get("subnets"), news.get("subnets")
    if not _network(news) or not isinstance(old, list) or not isinstance(new, list):
        return False
    return len(new) <= len(old)


def _fewer(path: str) -> Predicate:
    def replaces(olds: Values, news: Values) -> bool:
        old, new = _both(path)(olds, news)
        return isinstance(old, int) and (new is None or (isinstance(new, int) and new < old))

    return replaces


def _not_interface(olds: Values, news: Values) -> bool:
    return news.get("vpcEndpointType") != "Interface"


def _destination_service(olds: Values, news: Values) -> bool:
    """Replaces when the destination's ARN names another service."""
    arns = _both("deliveryDestinationConfiguration.destinationResourceArn")(olds, news)
    services = [arn.split(":")[2] if isinstance(arn, str) and arn.count(":") >= 2 else UNKNOWN for arn in arns]
    return UNKNOWN in services or services[0] != services[1]


def _comes_or_goes(path: str) -> Predicate:
    """Another value is changed in place; another kind of source is not."""

    def replaces(olds: Values, news: Values) -> bool:
        old, new = _both(path)(olds, news)
        return (old is None) != (new is None)

    return replaces


_SOURCES = {
    name: _comes_or_goes(name) for name in ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
}

REPLACING: dict[str, dict[str, Predicate]] = {
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": {
        "deliveryDestinationConfiguration.destinationResourceArn": _destination_service
    },
    "aws:ec2/vpc:Vpc": {"instanceTenancy": _unless("instanceTenancy", "dedicated", "default")},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"privateDnsEnabled": _not_interface},
    "aws:eks/cluster:Cluster": {
        "encryptionConfig": _when_removed("encryptionConfig"),
        "computeConfig.nodeRoleArn": _when_there_was_one("computeConfig.nodeRoleArn"),
        "vpcConfig.controlPlaneEgressMode": lambda olds, news: (
            _both("vpcConfig.controlPlaneEgressMode")(olds, news)[0] == "CUSTOMER_ROUTED"
        ),
    },
    "aws:elasticache/cluster:Cluster": {"engineVersion": _downgrade("engineVersion")},
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "engine": _engine,
        "engineVersion": _downgrade("engineVersion"),
        "transitEncryptionEnabled": _transit_encryption,
    },
    "aws:elasticache/serverlessCache:ServerlessCache": {
        "engine": _serverless_engine,
        "majorEngineVersion": _serverless_version,
    },
    # In place with AWS today; the newest provider whose source was seen replaces.
    "aws:elasticache/user:User": {"engine": lambda olds, news: True},
    "aws:elasticache/userGroup:UserGroup": {"engine": lambda olds, news: True},
    "aws:lb/loadBalancer:LoadBalancer": {
        "secondaryIpsAutoAssignedPerSubnet": _fewer("secondaryIpsAutoAssignedPerSubnet"),
        "securityGroups": _network_groups,
        "subnets": _network_subnets,
    },
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _SOURCES,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _SOURCES,
}
REPLACING["aws:alb/loadBalancer:LoadBalancer"] = REPLACING["aws:lb/loadBalancer:LoadBalancer"]


def _lesser_storage(olds: Values, news: Values) -> bool:
    """With storage autoscaling AWS has raised the size: the program's smaller one is no change."""
    old, new = olds.get("allocatedStorage"), news.get("allocatedStorage")
    return bool(news.get("maxAllocatedStorage")) and isinstance(old, int) and isinstance(new, int) and new < old


def _same_names(olds: Values, news: Values) -> bool:
    """A certificate's alternative names, its own name left out: AWS adds that one itself."""
    names = [set(values.get("subjectAlternativeNames") or ()) - {values.get("domainName")} for values in (olds, news)]
    return names[0] == names[1]


def _type_is_not(*types: str) -> Predicate:
    return lambda olds, news: news.get("loadBalancerType", "application") not in types


def _serves_lambda(olds: Values, news: Values) -> bool:
    """A function has no port, protocol or network."""
    return news.get("targetType") == "lambda"


SILENT: dict[str, dict[str, Predicate]] = {
    "aws:acm/certificate:Certificate": {"subjectAlternativeNames": _same_names},
    "aws:lb/loadBalancer:LoadBalancer": {
        **dict.fromkeys(
            (
                "clientKeepAlive", "connectionLogs", "desyncMitigationMode", "dropInvalidHeaderFields", "enableHttp2",
                "enableTlsVersionAndCipherSuiteHeaders", "enableWafFailOpen", "enableXffClientPort", "idleTimeout",
                "preserveHostHeader", "xffHeaderProcessingMode",
            ),
            _type_is_not("application"),
        ),
        "dnsRecordClientRoutingPolicy": _type_is_not("network"),
        "enableCrossZoneLoadBalancing": _type_is_not("network", "gateway"),
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": _type_is_not("network"),
    },
    "aws:lb/targetGroup:TargetGroup": dict.fromkeys(
        ("healthCheck.port", "healthCheck.protocol", "port", "protocol", "vpcId"), _serves_lambda
    ),
    "aws:rds/instance:Instance": {"allocatedStorage": _lesser_storage},
}  # fmt: skip
SILENT["aws:alb/targetGroup:TargetGroup"] = SILENT["aws:lb/targetGroup:TargetGroup"]
SILENT["aws:alb/loadBalancer:LoadBalancer"] = SILENT["aws:lb/loadBalancer:LoadBalancer"]
