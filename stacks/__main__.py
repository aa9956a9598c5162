"""What does an environment consist of? Its settings, handed to the estate and to the service, and what they export."""

import pulumi
import pulumi_aws as aws

from infra import estate
from infra.foundation import boundary, tags
from infra.workload.grafana import Grafana
from infra.workload.service import Service
from infra.workload.wiring import grafana_args, service_args
from stacks import settings

configured = settings.load()
environment = configured.environment
data = estate.read()
provider = aws.Provider(
    "aws",
    region=environment.region,
    allowed_account_ids=[environment.account_id],
    default_tags={"tags": tags.default_tags(environment)},
)
boundary.bind(environment)
built = estate.build(environment, configured, data, pulumi.ResourceOptions(providers=[provider]))
service = Service("service", service_args(built, configured, data))
Grafana("grafana", grafana_args(built, configured, data), pulumi.ResourceOptions(providers=[provider]))

pulumi.export("region", environment.region)
pulumi.export("url", built.edge.url)
pulumi.export("vpcId", built.network.vpc_id)
pulumi.export("clusterName", built.cluster.name)
pulumi.export("namespace", service.namespace)
pulumi.export("databaseHost", built.database.host)
pulumi.export("cacheHost", built.cache.host)
pulumi.export("queueUrl", built.queue.url)
pulumi.export("mediaBucket", built.media.bucket.id)
pulumi.export("configurationBucket", built.configuration.id)
pulumi.export("prometheusEndpoint", built.metrics.endpoint)
