"""What does the provider refuse once it plans a creation: properties that are right alone but not together?

Read from the CustomizeDiff functions of terraform-provider-aws v5.43 (EKS Auto Mode: v5.79) and its recorded verdicts.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from rehearsal.answers import Failure
from rehearsal.values import UNKNOWN, Value, Values, at

Rule = Callable[[Values], Iterator[Failure]]


def check_plan(token: str, inputs: Values) -> Iterator[Failure]:
    """Failures of the rules for `token`; what is not known yet is not judged."""
    for rule in RULES.get(token, ()):
        yield from rule(inputs)


def _objects(value: Value) -> Iterable[tuple[int, Values]]:
    items = value if isinstance(value, list) else []
    return [(index, one) for index, one in enumerate(items) if isinstance(one, dict)]


def _fifo(flag: str, longest: int) -> Rule:
    """FIFO queues and topics end in `.fifo`; only they remove duplicates by content."""

    def rule(inputs: Values) -> Iterator[Failure]:
        fifo, name = inputs.get(flag, False), inputs.get("name")
        if fifo is UNKNOWN:
            return
        pattern = rf"[0-9A-Za-z_-]{{1,{longest - 5}}}\.fifo" if fifo else rf"[0-9A-Za-z_-]{{1,{longest}}}"
        if isinstance(name, str) and not re.fullmatch(pattern, name):
            yield Failure("name", f"must match ^{pattern}$ {'with' if fifo else 'without'} {flag}")
        if not fifo and inputs.get("contentBasedDeduplication") is True:
            yield Failure("contentBasedDeduplication", f"needs {flag}")

    return rule


def _alarm(inputs: Values) -> Iterator[Failure]:
    if inputs.get("metricName") and not inputs.keys() & {"statistic", "extendedStatistic"}:
        yield Failure("statistic", "one of statistic, extendedStatistic must be set with metricName")


_ACTION_BLOCKS = {
    "authenticate-cognito": "authenticateCognito",
    "authenticate-oidc": "authenticateOidc",
    "fixed-response": "fixedResponse",
    "jwt-validation": "jwtValidation",
    "redirect": "redirect",
}


def _actions(path: str) -> Rule:
    """Each action of a listener brings the block of its type; a forward has one target, in one of two ways."""

    def rule(inputs: Values) -> Iterator[Failure]:
        for index, action in _objects(inputs.get(path)):
            kind = str(action.get("type")).lower()
            block = _ACTION_BLOCKS.get(kind)
            if block and block not in action:
                yield Failure(f"{path}[{index}].{block}", f"must be set for an action of type {kind}")
            targets = [name for name in ("targetGroupArn", "forward") if name in action]
            if kind == "forward" and len(targets) != 1:
                yield Failure(f"{path}[{index}].targetGroupArn", "exactly one of targetGroupArn, forward must be set")

    return rule


def _target_group(inputs: Values) -> Iterator[Failure]:
    kind = inputs.get("targetType", "instance")
    if kind not in ("lambda", UNKNOWN):
        for name in ("port", "protocol", "vpcId"):
            if name not in inputs:
                yield Failure(name, f"must be set for targets of type {kind}")
    health = inputs.get("healthCheck")
    if isinstance(health, dict) and str(health.get("protocol")).upper() == "TCP":
        for name in ("path", "matcher"):
            if health.get(name):
                yield Failure(f"healthCheck.{name}", "cannot be set for a health check over TCP")


def _replication_group(inputs: Values) -> Iterator[Failure]:
    failover = inputs.get("automaticFailoverEnabled", False)
    if inputs.get("multiAzEnabled") is True and failover is False:
        yield Failure("multiAzEnabled", "needs automaticFailoverEnabled")
    nodes = inputs.get("numCacheClusters")
    if failover is True and isinstance(nodes, int) and nodes < 2:
        yield Failure("numCacheClusters", "must be at least 2 with automaticFailoverEnabled")


def _nat_gateway(inputs: Values) -> Iterator[Failure]:
    private = inputs.get("connectivityType") == "private"
    wrong = ("allocationId", "secondaryAllocationIds") if private else ("secondaryPrivateIpAddressCount",)
    for name in wrong:
        if inputs.get(name) and inputs.get("connectivityType") is not UNKNOWN:
            yield Failure(name, f"cannot be set on a {'private' if private else 'public'} NAT gateway")


def _auto_mode(inputs: Values) -> Iterator[Failure]:
    paths = (
        "computeConfig.enabled",
        "kubernetesNetworkConfig.elasticLoadBalancing.enabled",
        "storageConfig.blockStorage.enabled",
    )
    switches = [at(inputs, tuple(path.split("."))) for path in paths]
    if UNKNOWN not in switches and len({bool(switch) for switch in switches}) > 1:
        yield Failure(paths[0], f"{', '.join(paths)} must be all true or all false")


def _table(inputs: Values) -> Iterator[Failure]:
    """Every attribute of a DynamoDB table is a key of it or of an index, and the other way round."""
    attributes = [attribute.get("name") for _, attribute in _objects(inputs.get("attributes"))]
    keys = [inputs.get("hashKey"), inputs.get("rangeKey")]
    for indexes in (inputs.get("globalSecondaryIndexes", []), inputs.get("localSecondaryIndexes", [])):
        if indexes is UNKNOWN:
            return
        for _, index in _objects(indexes):
            keys += [index.get("hashKey"), index.get("rangeKey")]
            keys += [key.get("attributeName") for _, key in _objects(index.get("keySchemas"))]
    if UNKNOWN in attributes or UNKNOWN in keys or not attributes or "restoreSourceName" in inputs:
        return
    unused, missing = set(attributes) - set(keys), {key for key in keys if key} - set(attributes)
    if unused:
        yield Failure("attributes", f"all attributes must be keys; {len(unused)} of them are none")
    if missing:
        yield Failure("attributes", f"all keys must be attributes; {len(missing)} of them are none")


RULES: dict[str, tuple[Rule, ...]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": (_alarm,),
    "aws:dynamodb/table:Table": (_table,),
    "aws:ec2/natGateway:NatGateway": (_nat_gateway,),
    "aws:eks/cluster:Cluster": (_auto_mode,),
    "aws:elasticache/replicationGroup:ReplicationGroup": (_replication_group,),
    "aws:sns/topic:Topic": (_fifo("fifoTopic", 256),),
    "aws:sqs/queue:Queue": (_fifo("fifoQueue", 80),),
    **{
        f"aws:{module}/{name}": (rule,)
        for module in ("alb", "lb")
        for name, rule in {
            "listener:Listener": _actions("defaultActions"),
            "listenerRule:ListenerRule": _actions("actions"),
            "targetGroup:TargetGroup": _target_group,
        }.items()
    },
}
"""Rules by type."""
