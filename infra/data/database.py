"""Where are users, projects and jobs kept? RDS for MySQL, reached through a proxy and by IAM only."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.data.shape import DatabaseShape
from infra.foundation import names, protection, roles, security_groups, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, of_account, trust
from infra.foundation.security_groups import Rule
from infra.network.network import DATABASE_PORT, Network

ENGINE_VERSION = "8.4"  # the minor version is AWS's: a pinned one drifts with the next maintenance window
DATABASE_NAME = "tecnocursos"
MASTER = "master"
USERS = ("service", "migrator")  # what the pods log in as; the bootstrap job creates them
EXPORTED_LOGS = ("error", "slowquery")
PARAMETERS = {
    "require_secure_transport": "1",
    "slow_query_log": "1",
    "long_query_time": "0.5",
    "log_output": "FILE",
    "innodb_print_all_deadlocks": "1",
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_0900_ai_ci",
    "time_zone": "UTC",
}
INSIGHTS_DAYS = {"standard": 7, "advanced": 465}


@dataclass(frozen=True)
class DatabaseArgs:
    """clients: the security group of the pods. alerts: the topic for events such as a failover."""

    environment: Environment
    shape: DatabaseShape
    network: Network
    keys: Keys
    clients: pulumi.Input[str]
    alerts: pulumi.Input[str]


class Database(pulumi.ComponentResource):
    """The instance and its proxy. `host` is the proxy: nothing else may talk to the instance."""

    identifier: str
    arn: pulumi.Output[str]
    host: pulumi.Output[str]
    proxy_name: str
    proxy_id: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    subnet_group: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Database", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.identifier = names.resource(args.environment, name)
        self.proxy_name = f"{self.identifier}-proxy"
        instance_group, proxy_group = self._groups()
        instance = self._instance(instance_group)
        self.arn = instance.arn
        self.master_secret_arn = instance.master_user_secrets[0].secret_arn
        proxy = self._proxy(instance, proxy_group)
        self.host = proxy.endpoint
        # arn:aws:rds:REGION:ACCOUNT:db-proxy:prx-...; IAM knows the proxy by the last part
        self.proxy_id = proxy.arn.apply(lambda arn: arn.rsplit(":", 1)[1])
        aws.rds.EventSubscription(
            f"{name}-events",
            sns_topic=args.alerts,
            source_type="db-instance",
            source_ids=[instance.identifier],
            event_categories=["availability", "failover", "failure", "low storage", "maintenance", "recovery"],
            opts=self._child,
        )
        if args.shape.recovery_days:
            aws.rds.InstanceAutomatedBackupsReplication(
                f"{name}-recovery",
                source_db_instance_arn=instance.arn,
                kms_key_id=args.keys[KeyClass.DATABASE].replica_arn,
                retention_period=args.shape.recovery_days,
                region=args.environment.recovery_region,
                opts=self._child,
            )
        self.register_outputs({"host": self.host})

    def _groups(self) -> tuple[aws.ec2.SecurityGroup, aws.ec2.SecurityGroup]:
        """Pods to proxy, proxy to instance, nothing else."""
        name, vpc_id = self._name, self._args.network.vpc_id
        instance = security_groups.create(name, vpc_id, "The database instance", self._child)
        proxy = security_groups.create(f"{name}-proxy", vpc_id, "The database proxy", self._child)
        security_groups.seal(
            name,
            instance,
            self._child,
            ingress=[Rule("proxy", "MySQL from the proxy only", DATABASE_PORT, group=proxy.id)],
        )
        security_groups.seal(
            f"{name}-proxy",
            proxy,
            self._child,
            ingress=[Rule("pods", "MySQL from the cluster's pods", DATABASE_PORT, group=self._args.clients)],
            egress=[Rule("instance", "MySQL to the instance", DATABASE_PORT, group=instance.id)],
        )
        return instance, proxy

    def _log_group(self, label: str, path: str) -> aws.cloudwatch.LogGroup:
        """RDS writes to a group of a fixed name, and makes one without end or key when there is none."""
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs-{label}",
            name=path,
            retention_in_days=self._args.environment.log_days,
            kms_key_id=self._args.keys[KeyClass.OPERATIONS].arn,
            opts=self._child,
        )

    def _instance(self, group: aws.ec2.SecurityGroup) -> aws.rds.Instance:
        name, args = self._name, self._args
        environment, shape = args.environment, args.shape
        subnets = aws.rds.SubnetGroup(
            name, description="The data tier", subnet_ids=args.network.data.subnet_ids, opts=self._child
        )
        self.subnet_group = subnets.name
        parameters = aws.rds.ParameterGroup(
            name,
            family=f"mysql{ENGINE_VERSION}",
            name_prefix=f"{self.identifier}-",
            description="TLS only, slow queries logged, UTF-8, UTC",
            parameters=[{"name": key, "value": value} for key, value in PARAMETERS.items()],
            opts=self._child,
        )
        monitoring = roles.create(
            f"{name}-monitoring",
            "RDS reports operating system metrics",
            trust("monitoring.rds.amazonaws.com", of_account(environment.account_id)),
            self,
            managed=["service-role/AmazonRDSEnhancedMonitoringRole"],
        )
        logs = [self._log_group(kind, f"/aws/rds/instance/{self.identifier}/{kind}") for kind in EXPORTED_LOGS]
        final = protection.final_snapshot(environment, self.identifier)
        return aws.rds.Instance(
            name,
            identifier=self.identifier,
            engine="mysql",
            engine_version=ENGINE_VERSION,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            instance_class=shape.instance_class,
            allocated_storage=shape.storage_gib,
            max_allocated_storage=shape.max_storage_gib,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args.keys[KeyClass.DATABASE].arn,
            multi_az=shape.multi_az,
            db_name=DATABASE_NAME,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.id],
            publicly_accessible=False,
            parameter_group_name=parameters.name,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            username=MASTER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args.keys[KeyClass.SECRETS].arn,
            iam_database_authentication_enabled=True,
            # RDS owns recovery to a point in time; AWS Backup takes snapshots beside it (see backup_plan.yaml).
            backup_retention_period=shape.backup_days,
            backup_window="03:00-04:00",
            maintenance_window="sun:05:00-sun:06:00",
            copy_tags_to_snapshot=True,
            delete_automated_backups=protection.discard_contents(environment),
            deletion_protection=protection.deletion_protection(environment),
            skip_final_snapshot=final is None,
            final_snapshot_identifier=final,
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            apply_immediately=not environment.protected,
            monitoring_interval=60,
            monitoring_role_arn=monitoring.arn,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.keys[KeyClass.DATABASE].arn,
            performance_insights_retention_period=INSIGHTS_DAYS[shape.insights],
            database_insights_mode=shape.insights,
            enabled_cloudwatch_logs_exports=list(EXPORTED_LOGS),
            tags=tags.data(tags.DataClass.PERSONAL, backup="database"),
            opts=protection.stateful(environment, self, [*monitoring.ready, *logs]),
        )

    def _proxy(self, instance: aws.rds.Instance, group: aws.ec2.SecurityGroup) -> aws.rds.Proxy:
        name, args = self._name, self._args
        logs = self._log_group("proxy", f"/aws/rds/proxy/{self.proxy_name}")
        role = roles.create(
            f"{name}-proxy",
            "The database proxy logs in to the instance",
            trust("rds.amazonaws.com"),
            self,
            statements=self._login(instance),
        )
        proxy = aws.rds.Proxy(
            f"{name}-proxy",
            name=self.proxy_name,
            engine_family="MYSQL",
            role_arn=role.arn,
            vpc_subnet_ids=args.network.data.subnet_ids,
            vpc_security_group_ids=[group.id],
            require_tls=True,
            idle_client_timeout=1800,
            # IAM from end to end; the master user is the one exception, for the job that creates the others.
            default_auth_scheme="IAM_AUTH",
            auths=[
                {
                    "auth_scheme": "SECRETS",
                    "iam_auth": "DISABLED",
                    "client_password_auth_type": "MYSQL_CACHING_SHA2_PASSWORD",
                    "secret_arn": self.master_secret_arn,
                    "description": "The bootstrap job creates the IAM users",
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*role.ready, logs]),
        )
        aws.rds.ProxyDefaultTargetGroup(
            f"{name}-proxy",
            db_proxy_name=proxy.name,
            connection_pool_config={
                "max_connections_percent": 80,
                "max_idle_connections_percent": 20,
                "connection_borrow_timeout": 5,
            },
            opts=self._child,
        )
        aws.rds.ProxyTarget(
            f"{name}-proxy",
            db_proxy_name=proxy.name,
            target_group_name="default",
            db_instance_identifier=instance.identifier,
            opts=self._child,
        )
        return proxy

    def _login(self, instance: aws.rds.Instance) -> list[Statement]:
        """What the proxy may do: log in as the pods' users, and read the master user's secret."""
        environment = self._args.environment
        region, account = environment.region, environment.account_id
        return [
            Statement(
                "LogInToInstance",
                ["rds-db:connect"],
                [
                    pulumi.Output.concat(f"arn:aws:rds-db:{region}:{account}:dbuser:", instance.resource_id, f"/{user}")
                    for user in USERS
                ],
            ),
            Statement("ReadMasterSecret", ["secretsmanager:GetSecretValue"], [self.master_secret_arn]),
            Statement(
                "DecryptMasterSecret",
                ["kms:Decrypt"],
                [self._args.keys[KeyClass.SECRETS].arn],
                conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
            ),
        ]
