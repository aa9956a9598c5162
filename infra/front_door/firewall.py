"""Which requests never reach the service? A web firewall in front of CloudFront: AWS's rule groups and a rate limit."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.front_door.domain import CLOUDFRONT_REGION
from infra.front_door.shape import EdgeShape

MANAGED_RULES = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
)
RATE_WINDOW_SECONDS = 300
SECRET_HEADERS = ("authorization", "cookie", "x-csrf-token")


@dataclass(frozen=True)
class FirewallArgs:
    """What the firewall needs to know."""

    environment: Environment
    shape: EdgeShape
    keys: Keys


class Firewall(pulumi.ComponentResource):
    """The web ACL; it lives where CloudFront looks for it."""

    arn: pulumi.Output[str]
    metric_name: str

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Firewall", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.metric_name = names.resource(args.environment, "firewall")
        acl = aws.wafv2.WebAcl(
            name,
            name=self.metric_name,
            description="In front of the service's distribution",
            scope="CLOUDFRONT",
            region=CLOUDFRONT_REGION,
            default_action={"allow": {}},
            rules=[rate_limit(args.shape), *managed(args.shape)],
            visibility_config=_visible(self.metric_name),
            opts=self._child,
        )
        self.arn = acl.arn
        if args.shape.firewall_logs:
            self._log(name, args)
        self.register_outputs({"arn": self.arn})

    def _log(self, name: str, args: FirewallArgs) -> None:
        group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # The firewall writes only to groups of this prefix.
            name=f"aws-waf-logs-{args.environment.prefix}",
            retention_in_days=args.environment.log_days,
            kms_key_id=args.keys[KeyClass.OPERATIONS].arn,
            region=CLOUDFRONT_REGION,
            opts=self._child,
        )
        aws.wafv2.WebAclLoggingConfiguration(
            f"{name}-logs",
            resource_arn=self.arn,
            log_destination_configs=[group.arn],
            redacted_fields=[{"single_header": {"name": header}} for header in SECRET_HEADERS],
            region=CLOUDFRONT_REGION,
            opts=self._child,
        )


def rate_limit(shape: EdgeShape) -> aws.wafv2.WebAclRuleArgsDict:
    """One address may send so many requests in five minutes; the service's own limits are finer."""
    action: aws.wafv2.WebAclRuleActionArgsDict = {"block": {}} if shape.firewall == "block" else {"count": {}}
    return {
        "name": "rate",
        "priority": 0,
        "action": action,
        "statement": {
            "rate_based_statement": {
                "limit": shape.requests_per_5_minutes,
                "aggregate_key_type": "IP",
                "evaluation_window_sec": RATE_WINDOW_SECONDS,
            }
        },
        "visibility_config": _visible("rate"),
    }


def managed(shape: EdgeShape) -> list[aws.wafv2.WebAclRuleArgsDict]:
    """AWS's rule groups, counting or blocking as a whole."""
    override: aws.wafv2.WebAclRuleOverrideActionArgsDict = {"none": {}} if shape.firewall == "block" else {"count": {}}
    return [
        {
            "name": group,
            "priority": priority,
            "override_action": override,
            "statement": {"managed_rule_group_statement": {"name": group, "vendor_name": "AWS"}},
            "visibility_config": _visible(group),
        }
        for priority, group in enumerate(MANAGED_RULES, start=1)
    ]


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgsDict:
    # Sampled requests would show people's headers in the console.
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}
