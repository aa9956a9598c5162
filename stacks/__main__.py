"""What does an environment consist of? Its settings, handed to the components, and what they export."""

import pulumi
import pulumi_aws as aws

from infra import tags
from infra.cluster import Cluster, ClusterArgs
from infra.encryption import Encryption, EncryptionArgs, KeyClass
from infra.endpoints import Endpoints, EndpointsArgs
from infra.log_store import LogStore, LogStoreArgs
from infra.media import Media, MediaArgs
from infra.network import Network, NetworkArgs
from infra.workload.service import NAMESPACE, Service, ServiceArgs
from stacks import settings

configured = settings.load()
environment = configured.environment
provider = aws.Provider(
    "aws",
    region=environment.region,
    allowed_account_ids=[environment.account_id],
    default_tags={"tags": tags.default_tags(environment)},
)
opts = pulumi.ResourceOptions(providers=[provider])

keys = Encryption("encryption", EncryptionArgs(environment, configured.encryption), opts).keys
logs = LogStore("logs", LogStoreArgs(environment, configured.logs), opts)
network = Network("network", NetworkArgs(environment, configured.network, logs), opts)
Endpoints("endpoints", EndpointsArgs(environment, network, configured.network.interface_endpoints), opts)
media = Media("media", MediaArgs(environment, configured.media, configured.logs, keys[KeyClass.MEDIA], logs), opts)
cluster = Cluster(
    "cluster",
    ClusterArgs(
        environment,
        configured.cluster,
        configured.logs,
        network,
        keys[KeyClass.SECRETS],
        keys[KeyClass.LOGS],
        NAMESPACE,
    ),
    opts,
)
service = Service("service", ServiceArgs(environment, cluster), opts)

pulumi.export("region", environment.region)
pulumi.export("vpcId", network.vpc_id)
pulumi.export("clusterName", cluster.name)
pulumi.export("mediaBucket", media.bucket.id)
pulumi.export("namespace", service.namespace)
