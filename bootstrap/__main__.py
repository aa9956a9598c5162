"""What does an account consist of before its estate? Its settings, handed to the components, and what they export."""

import pulumi
import pulumi_aws as aws

from bootstrap import grants, settings
from bootstrap.boundary import Boundaries, BoundaryArgs
from bootstrap.brake import Brake, BrakeArgs
from bootstrap.break_glass import BreakGlass, BreakGlassArgs
from bootstrap.federation import Federation, FederationArgs
from bootstrap.grants import StateAccess
from bootstrap.keys import AccountKey, AccountKeys, AccountKeysArgs
from bootstrap.pipeline import Pipeline, PipelineArgs
from bootstrap.registry import Registry, RegistryArgs
from bootstrap.state import State, StateArgs
from bootstrap.zone import Zone, ZoneArgs
from infra.foundation import names, tags
from infra.foundation.log_store import LogStore, LogStoreArgs

configured = settings.load()
environment = configured.environment
provider = aws.Provider(
    "aws",
    region=environment.region,
    allowed_account_ids=[environment.account_id],
    default_tags={"tags": tags.default_tags(environment)},
)
opts = pulumi.ResourceOptions(providers=[provider])
keys = AccountKeys("keys", AccountKeysArgs(environment, configured.encryption.deletion_window_days), opts).keys
logs = LogStore("account-logs", LogStoreArgs(environment), opts)
recovery_logs = LogStore("account-logs-recovery", LogStoreArgs(environment, region=environment.recovery_region), opts)
state = State(names.STATE, StateArgs(environment, keys[AccountKey.STATE], logs, recovery_logs), opts)
zone = Zone("zone", ZoneArgs(environment, configured.zone, configured.edge.domain), opts)
registry = Registry("registry", RegistryArgs(environment, configured.registry, keys[AccountKey.OPERATIONS]), opts)
permissions = grants.load(environment)
boundaries = Boundaries(
    "boundaries", BoundaryArgs(environment, permissions.services, configured.registry.built_in), opts
)
federation = Federation("github", FederationArgs(configured.github), opts)
access = StateAccess(state.bucket.arn, keys[AccountKey.STATE], keys[AccountKey.SECRETS])
pipeline = Pipeline(
    "pipeline",
    PipelineArgs(environment, permissions, access, boundaries, federation, configured.registry.built_in),
    opts,
)
if configured.budget.deny_when_spent:
    braked = (configured.cluster.deployer_role, *configured.cluster.developer_roles)
    Brake("brake", BrakeArgs(environment, braked), opts)
break_glass = BreakGlass("break-glass", BreakGlassArgs(environment, configured.people), opts)

pulumi.export("backend", configured.place.backend)
pulumi.export("stateBucket", state.bucket.id)
pulumi.export("domain", configured.edge.domain)
pulumi.export("nameServers", zone.name_servers)
pulumi.export("repositories", registry.urls)
pulumi.export("roles", {**pipeline.roles, "break-glass": break_glass.arn})
