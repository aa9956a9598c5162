"""How does the world reach the service? CloudFront: the API from the VPC, media from the buckets, TLS everywhere."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.cluster.permissions import PUBLISHED
from infra.data.media import Media
from infra.foundation import names, tags
from infra.foundation.environment import Environment
from infra.front_door.domain import Domain
from infra.front_door.firewall import Firewall
from infra.front_door.load_balancer import LoadBalancer
from infra.front_door.shape import EdgeShape

# AWS's managed policies have the same ids in every account.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER_AND_CLOUDFRONT = "33f36d7e-f396-46d9-90e0-52428a34d9dc"
VIEWER_HEADER = "cloudfront-viewer-address"  # that policy adds it; whatever a viewer sends by this name is replaced
TWO_YEARS = 63_072_000
API, MEDIA, MEDIA_COPY, MEDIA_GROUP = "api", "media", "media-copy", "media-with-failover"
ANY_METHOD = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
READ_METHODS = ["GET", "HEAD", "OPTIONS"]
ORIGIN_SECONDS = 60  # the longest that a CloudFront origin may take without a quota increase
PROBE_SECONDS = 30
ROOT = "docs"  # the API's own documentation


@dataclass(frozen=True)
class EdgeArgs:
    """What the distribution needs to know."""

    environment: Environment
    shape: EdgeShape
    domain: Domain
    balancer: LoadBalancer
    firewall: Firewall
    media: Media


class Edge(pulumi.ComponentResource):
    """The distribution, its names, and a probe from outside."""

    distribution: aws.cloudfront.Distribution
    health_check_id: pulumi.Output[str]
    url: str

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Edge", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.url = f"https://{args.domain.name}"
        self.distribution = self._distribute()
        aws.cloudfront.MonitoringSubscription(
            name,
            distribution_id=self.distribution.id,
            monitoring_subscription={
                "realtime_metrics_subscription_config": {"realtime_metrics_subscription_status": "Enabled"}
            },
            opts=self._child,
        )
        for kind in ("A", "AAAA"):
            aws.route53.Record(
                f"{name}-{kind.lower()}",
                zone_id=args.domain.zone_id,
                name=args.domain.name,
                type=kind,
                aliases=[
                    {
                        "name": self.distribution.domain_name,
                        "zone_id": self.distribution.hosted_zone_id,
                        "evaluate_target_health": False,
                    }
                ],
                opts=self._child,
            )
        self.health_check_id = aws.route53.HealthCheck(
            f"{name}-probe",
            type="HTTPS",
            fqdn=args.domain.name,
            port=443,
            resource_path="/readyz",
            request_interval=PROBE_SECONDS,
            failure_threshold=3,
            enable_sni=True,
            measure_latency=True,
            tags=tags.named(f"{args.environment.prefix}-probe"),
            opts=self._child,
        ).id
        self.register_outputs({"url": self.url})

    def _headers(self) -> pulumi.Output[str]:
        """What browsers are told about media and about errors of ours; where the service says more, it wins."""
        return aws.cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers",
            name=names.resource(self._args.environment, "headers"),
            comment="Strict transport, no sniffing, no framing, no script",
            security_headers_config={
                "strict_transport_security": {
                    "access_control_max_age_sec": TWO_YEARS,
                    # The domain may be the company's own: its other hosts are not ours to bind.
                    "include_subdomains": False,
                    "preload": False,
                    "override": True,
                },
                "content_type_options": {"override": True},
                "frame_options": {"frame_option": "DENY", "override": False},
                "referrer_policy": {"referrer_policy": "strict-origin-when-cross-origin", "override": False},
                "content_security_policy": {
                    "content_security_policy": "default-src 'none'; frame-ancestors 'none'",
                    "override": False,
                },
            },
            opts=self._child,
        ).id

    def _origins(self) -> list[aws.cloudfront.DistributionOriginArgsDict]:
        """The balancer through a VPC origin; the buckets through an access control that signs every request."""
        name, args = self._name, self._args
        private = aws.cloudfront.VpcOrigin(
            f"{name}-api",
            vpc_origin_endpoint_config={
                "name": names.resource(args.environment, API),
                "arn": args.balancer.arn,
                "http_port": 80,
                "https_port": 443,
                "origin_protocol_policy": "https-only",
                "origin_ssl_protocols": {"items": ["TLSv1.2"], "quantity": 1},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.balancer.listener]),
        )
        signer = aws.cloudfront.OriginAccessControl(
            f"{name}-media",
            name=names.resource(args.environment, MEDIA),
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._child,
        )
        api: aws.cloudfront.DistributionOriginArgsDict = {
            "origin_id": API,
            "domain_name": args.balancer.dns_name,
            "vpc_origin_config": {
                "vpc_origin_id": private.id,
                "origin_read_timeout": ORIGIN_SECONDS,
                "origin_keepalive_timeout": ORIGIN_SECONDS - 5,
            },
        }
        buckets = {MEDIA: args.media.bucket, MEDIA_COPY: args.media.copy}
        return [
            api,
            *(
                aws.cloudfront.DistributionOriginArgsDict(
                    origin_id=origin, domain_name=bucket.regional_domain_name, origin_access_control_id=signer.id
                )
                for origin, bucket in buckets.items()
                if bucket is not None
            ),
        ]

    def _distribute(self) -> aws.cloudfront.Distribution:
        args = self._args
        replicated = args.media.copy is not None
        headers = self._headers()
        failover: list[aws.cloudfront.DistributionOriginGroupArgsDict] = [
            {
                "origin_id": MEDIA_GROUP,
                "failover_criteria": {"status_codes": [500, 502, 503, 504]},
                "members": [{"origin_id": MEDIA}, {"origin_id": MEDIA_COPY}],
            }
        ]
        return aws.cloudfront.Distribution(
            self._name,
            comment=args.environment.prefix,
            enabled=True,
            aliases=[args.domain.name],
            default_root_object=ROOT,
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class=args.shape.price_class,
            web_acl_id=args.firewall.arn,
            origins=self._origins(),
            origin_groups=failover if replicated else None,
            # The service compresses what it sends, and nothing of it is cached here.
            default_cache_behavior={
                "target_origin_id": API,
                "viewer_protocol_policy": "redirect-to-https",
                "allowed_methods": ANY_METHOD,
                "cached_methods": READ_METHODS,
                "compress": True,
                "cache_policy_id": CACHING_DISABLED,
                "response_headers_policy_id": headers,
                # With the viewer's Host, for which the balancer's certificate is, and with the viewer's address.
                "origin_request_policy_id": ALL_VIEWER_AND_CLOUDFRONT,
            },
            ordered_cache_behaviors=[
                {
                    "path_pattern": f"/{PUBLISHED}/*",
                    "target_origin_id": MEDIA_GROUP if replicated else MEDIA,
                    "viewer_protocol_policy": "redirect-to-https",
                    "allowed_methods": READ_METHODS,
                    "cached_methods": READ_METHODS,
                    "compress": True,
                    "cache_policy_id": CACHING_OPTIMIZED,
                    "response_headers_policy_id": headers,
                }
            ],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": args.domain.viewer_certificate_arn,
                "ssl_support_method": "sni-only",
                "minimum_protocol_version": "TLSv1.2_2021",
            },
            tags=tags.named(args.environment.prefix),
            opts=self._child,
        )
