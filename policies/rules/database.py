"""What must hold for RDS?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import ABSENT, FALSE, GIVEN, TRUE, at_least, containing, must

INSTANCE = "aws:rds/instance:Instance"
CLUSTER = "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
PROXY = "aws:rds/proxy:Proxy"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
CLUSTER_PARAMETERS = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
TLS_PARAMETERS = ("require_secure_transport", "rds.force_ssl")
LOGS = {
    "mysql": ("error", "slowquery"),
    "mariadb": ("error", "slowquery"),
    "aurora-mysql": ("error", "slowquery"),
    "postgres": ("postgresql",),
    "aurora-postgresql": ("postgresql",),
}


@rule(INSTANCE, CLUSTER)
def rds_encrypted_cmk(database: Resource) -> Findings:
    """Databases are encrypted with a KMS key of ours."""
    yield from must(database, "storageEncrypted", TRUE)
    yield from must(database, "kmsKeyId", GIVEN)


@rule(INSTANCE, CLUSTER_INSTANCE)
def rds_not_public(database: Resource) -> Findings:
    """No database has a public address."""
    yield from must(database, "publiclyAccessible", FALSE, default=False)


@rule(INSTANCE, CLUSTER, reads=[CLUSTER_INSTANCE])
def rds_multi_az(database: Resource, stack: Stack) -> Findings:
    """The database survives the loss of a zone."""
    if database.type == INSTANCE:
        yield from must(database, "multiAz", TRUE)
    elif not database.get("dbClusterInstanceClass"):
        members = list(stack.linked(CLUSTER_INSTANCE, "clusterIdentifier", database))
        if len(members) < 2:
            yield Finding("", "the cluster must have at least two instances")


@rule(INSTANCE, CLUSTER)
def rds_backups(database: Resource, *, retention_days: int = 7, final_snapshot: bool = True) -> Findings:
    """Backups are kept long enough, carry their tags, and one more is taken before the end."""
    yield from must(database, "backupRetentionPeriod", at_least(retention_days))
    yield from must(database, "copyTagsToSnapshot", TRUE)
    if final_snapshot:
        yield from must(database, "skipFinalSnapshot", FALSE, default=False)


@rule(INSTANCE, CLUSTER)
def rds_deletion_protection(database: Resource) -> Findings:
    """Neither AWS nor Pulumi deletes the database before somebody decided so."""
    yield from must(database, "deletionProtection", TRUE)
    if not database.protect:
        yield Finding("", "the resource must have the option protect=True")


@rule(INSTANCE, CLUSTER, PROXY, reads=[PARAMETERS, CLUSTER_PARAMETERS])
def rds_force_tls(database: Resource, stack: Stack) -> Findings:
    """The database, and the proxy before it, refuse connections without TLS."""
    if database.type == PROXY:
        yield from must(database, "requireTls", TRUE)
        return
    kind, path = PARAMETERS, "parameterGroupName"
    if database.type == CLUSTER:
        kind, path = CLUSTER_PARAMETERS, "dbClusterParameterGroupName"
    groups = [group for group in stack.of(kind) if database.refers(path, group)]
    if not any(_forces_tls(group) for group in groups):
        blamed = groups[0].urn if groups else database.urn
        yield Finding("parameters", f"the parameter group must set {' or '.join(TLS_PARAMETERS)}", blamed)


def _forces_tls(group: Resource) -> bool:
    return any(
        group.get(f"{place}.name") in TLS_PARAMETERS and str(group.get(f"{place}.value")).lower() in ("1", "on", "true")
        for place, _ in group.each("parameters[*]")
    )


@rule(INSTANCE, CLUSTER)
def rds_managed_or_wo_password(database: Resource) -> Findings:
    """The master password is made and kept by AWS, or written only; it never is an input that state remembers."""
    plain, written = ("password", "passwordWo") if database.type == INSTANCE else ("masterPassword", "masterPasswordWo")
    yield from must(database, plain, ABSENT)
    if not database.get("replicateSourceDb") and database.get("manageMasterUserPassword") is not True:
        for place, value in database.each(written):
            if not GIVEN.holds(value):
                yield Finding("manageMasterUserPassword", f"manageMasterUserPassword must be true, or {place} set")


@rule(INSTANCE, CLUSTER)
def rds_iam_auth(database: Resource) -> Findings:
    """Database users can authenticate with IAM tokens."""
    yield from must(database, "iamDatabaseAuthenticationEnabled", TRUE)


@rule(INSTANCE, CLUSTER)
def rds_logs_exported(database: Resource) -> Findings:
    """The engine's error and slow query logs reach CloudWatch."""
    wanted = LOGS.get(str(database.get("engine")))
    if wanted:
        yield from must(database, "enabledCloudwatchLogsExports", containing(*wanted))


@rule(INSTANCE, CLUSTER_INSTANCE)
def rds_auto_minor_upgrade(database: Resource) -> Findings:
    """Minor versions, which carry security fixes, are installed by AWS."""
    yield from must(database, "autoMinorVersionUpgrade", TRUE, default=True)


@rule(INSTANCE, CLUSTER_INSTANCE)
def rds_pi_enhanced_monitoring(database: Resource) -> Findings:
    """The operating system and the queries are measured."""
    yield from must(database, "monitoringInterval", at_least(1))
    yield from must(database, "performanceInsightsEnabled", TRUE)
    yield from must(database, "performanceInsightsKmsKeyId", GIVEN)
