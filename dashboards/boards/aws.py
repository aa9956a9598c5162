"""What is seen of AWS's own services? Panels over CloudWatch, with the thresholds of `infra/operations/alarms.yaml`."""

from functools import cache
from typing import Any

import yaml

from dashboards.boards.model import CloudWatch, Panel, Row, Steps, Variable
from dashboards.metrics import ROOT

ALARMS = ROOT / "infra/operations/alarms.yaml"
NAMED = "tecnocursos-${environment}"
# A kind of target of the alarms -> its dimension's value here; resources with numbers in their names are looked up.
TARGETS = {
    "database": f"{NAMED}-database",
    "database-proxy": f"{NAMED}-database-proxy",
    "cache-node": "${cache_node}",
    "cache-replica": "${cache_node}",
    "queue": f"{NAMED}-jobs",
    "queue-dead": f"{NAMED}-jobs-dead",
    "balancer": "${balancer}",
    "target-group": "${target_group}",
    "distribution": "${distribution}",
    "firewall": f"{NAMED}-firewall",
    "probe": "*",
    "certificate": "*",
    "nat": "*",
    "workspace": "*",
    "cluster": NAMED,
    "vault": f"{NAMED}-backup",
    "media": "*",
    "media-copy": "*",
}
FOUND = "/tecnocursos-${environment}-/"
VARIABLES = (
    Variable(
        "environment",
        "Environment",
        "dimension_values(default,AWS/RDS,CPUUtilization,DBInstanceIdentifier)",
        "cloudwatch",
        "/^tecnocursos-(\\w+)-database$/",
        all=False,
    ),
    Variable(
        "cache_node",
        "Cache node",
        "dimension_values(default,AWS/ElastiCache,EngineCPUUtilization,CacheClusterId)",
        "cloudwatch",
        FOUND,
    ),
    Variable(
        "balancer",
        "Load balancer",
        "dimension_values(default,AWS/ApplicationELB,RequestCount,LoadBalancer)",
        "cloudwatch",
        FOUND,
    ),
    Variable(
        "target_group",
        "Target group",
        "dimension_values(default,AWS/ApplicationELB,UnHealthyHostCount,TargetGroup)",
        "cloudwatch",
        FOUND,
    ),
    Variable(
        "distribution",
        "Distribution",
        "dimension_values(us-east-1,AWS/CloudFront,Requests,DistributionId)",
        "cloudwatch",
    ),
)


@cache
def alarms() -> dict[str, Any]:
    """The alarms by their name."""
    found: dict[str, Any] = yaml.safe_load(ALARMS.read_text())["alarms"]
    return found


def _steps(row: dict[str, Any]) -> Steps:
    if "above" in row:
        return (None, "green"), (row["above"] or 1, "red")  # a step holds from its value on: "above 0" begins at 1
    if "of" in row:
        return ((None, "green"),)  # a percentage of what differs between environments
    return (None, "red"), (row["below"], "green")


def _dimensions(row: dict[str, Any]) -> dict[str, str]:
    """The alarm's dimensions, with a board's value for each target."""
    named = row["dimensions"].items()
    return {name: key.removeprefix("=") if key.startswith("=") else TARGETS[key] for name, key in named}


def watched(alarm: str, title: str, unit: str) -> Panel:
    """The metric of an alarm, with its threshold; the alarm's meaning describes the panel."""
    row = alarms()[alarm]
    dimensions = _dimensions(row)
    legend = "${PROP('Dim." + next(iter(dimensions)) + "')}"
    query = CloudWatch(row["namespace"], row["metric"], dimensions, row["statistic"], legend, row["period_seconds"])
    meaning = f"Beyond the threshold: {row['meaning']}. CloudWatch's alarm {alarm}."
    return Panel(alarm, title, meaning, unit, (query,), steps=_steps(row))


def plain(name: str, title: str, description: str, unit: str, *queries: CloudWatch) -> Panel:
    """Metrics without an alarm, which explain the others."""
    return Panel(name, title, description, unit, queries)


def _rds(metric: str, legend: str, statistic: str = "Average") -> CloudWatch:
    return CloudWatch("AWS/RDS", metric, {"DBInstanceIdentifier": TARGETS["database"]}, statistic, legend)


def _alb(metric: str, legend: str) -> CloudWatch:
    return CloudWatch("AWS/ApplicationELB", metric, {"LoadBalancer": TARGETS["balancer"]}, "Sum", legend)


def _valkey(metric: str, statistic: str) -> CloudWatch:
    legend = "${PROP('Dim.CacheClusterId')}"
    return CloudWatch("AWS/ElastiCache", metric, {"CacheClusterId": TARGETS["cache-node"]}, statistic, legend)


DATABASE = Row(
    "Database (RDS and its proxy)",
    (
        watched("database-cpu", "CPU", "percent"),
        watched("database-storage", "Free storage", "bytes"),
        watched("database-memory", "Free memory", "bytes"),
        watched("database-latency", "Read latency, P95", "s"),
        watched("database-queue", "Operations waiting for the volume", "short"),
        plain(
            "database-connections",
            "Connections",
            "To the server itself; the proxy shares them among the pods.",
            "short",
            _rds("DatabaseConnections", "connections", "Maximum"),
        ),
        watched("proxy-waiting", "Wait for a connection of the proxy", "µs"),
        watched("proxy-logins", "Logins of the proxy that failed", "short"),
        watched("proxy-denied", "Pods refused by the proxy", "short"),
    ),
)
CACHE = Row(
    "Cache (Valkey)",
    (
        watched("cache-cpu", "Engine CPU", "percent"),
        watched("cache-memory", "Memory in use", "percent"),
        plain(
            "cache-evicted", "Evictions", "Keys thrown out for lack of memory.", "short", _valkey("Evictions", "Sum")
        ),
        watched("cache-lag", "Lag of replicas", "s"),
        watched("cache-logins", "Failed logins", "short"),
        plain(
            "cache-connections",
            "Connections",
            "Clients connected to each node.",
            "short",
            _valkey("CurrConnections", "Maximum"),
        ),
    ),
)
QUEUE = Row(
    "Queue (SQS)",
    (
        watched("queue-age", "Age of the oldest message", "s"),
        watched("queue-depth", "Messages waiting", "short"),
        watched("queue-dead", "Dead letters", "short"),
    ),
)
BALANCER = Row(
    "Load balancer",
    (
        plain(
            "balancer-requests",
            "Requests per minute",
            "What reaches the load balancer, and the server errors that pods answered.",
            "short",
            _alb("RequestCount", "requests"),
            _alb("HTTPCode_Target_5XX_Count", "answered with 5xx by pods"),
        ),
        watched("balancer-errors", "Errors of the load balancer itself", "short"),
        watched("balancer-latency", "Response time, P95", "s"),
    ),
)
EDGE = Row(
    "Edge",
    (
        watched("balancer-targets", "Unhealthy targets", "short"),
        watched("edge-errors", "Server errors at CloudFront", "percent"),
        watched("firewall-blocked", "Requests blocked by the firewall", "short"),
        watched("edge-probe", "Reached from the internet", "short"),
        watched("certificate-expiry", "Days until certificates end", "short"),
        watched("nat-ports", "Ports that NAT gateways lacked", "short"),
    ),
)
CLUSTER = Row(
    "Cluster and backups",
    (
        watched("cluster-errors", "Server errors of the Kubernetes API", "short"),
        watched("cluster-pending", "Pods that find no node", "short"),
        watched("watch-silent", "Alerts that managed Prometheus handed on", "short"),
        watched("watch-undelivered", "Alerts that it could not hand on", "short"),
        plain(
            "watch-failed",
            "Rules that failed",
            "Evaluations that managed Prometheus gave up; a rule that always fails watches nothing.",
            "short",
            CloudWatch(
                "AWS/Prometheus", "RuleEvaluationFailures", {"Workspace": TARGETS["workspace"]}, "Sum", "rules", 300
            ),
        ),
        watched("media-replication", "Media behind in the recovery region", "s"),
        watched("backup-age", "Backups completed per day", "short"),
        watched("backup-failed", "Backups that failed", "short"),
        plain(
            "backup-running",
            "Backups at work",
            "Jobs that were started in the vault; each ends as completed or failed.",
            "short",
            CloudWatch(
                "AWS/Backup", "NumberOfBackupJobsCreated", {"BackupVaultName": TARGETS["vault"]}, "Sum", "jobs", 3600
            ),
        ),
    ),
)
