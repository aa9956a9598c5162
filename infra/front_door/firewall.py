"""Which requests never reach the service? A web firewall in front of CloudFront: AWS's rule groups and a rate limit.

Two kinds of AWS's rules would turn away what people do here: bodies over 8 KB, and prose in a body that reads like an
attack (a course on SQL). These only label; rules of ours block what is labelled where the service takes no such thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.front_door.domain import CLOUDFRONT_REGION
from infra.front_door.shape import EdgeShape

LABELS = "awswaf:managed:aws:"
API, AUTHORS = "/api/", "/api/v1/projects"
# AWS's rule groups, and of each the rules that only label: name -> its label, and under which path the service itself
# judges what it labels. AWS WAF developer guide, "Baseline rule groups" and "Use-case specific rule groups".
MANAGED_RULES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "AWSManagedRulesAmazonIpReputationList": {},
    "AWSManagedRulesCommonRuleSet": {
        "SizeRestrictions_BODY": ("core-rule-set:SizeRestrictions_Body", API),
        "CrossSiteScripting_BODY": ("core-rule-set:CrossSiteScripting_Body", AUTHORS),
        "GenericLFI_BODY": ("core-rule-set:GenericLFI_Body", AUTHORS),
        "GenericRFI_BODY": ("core-rule-set:GenericRFI_Body", AUTHORS),
        "EC2MetaDataSSRF_BODY": ("core-rule-set:EC2MetaDataSSRF_Body", AUTHORS),
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {},
    "AWSManagedRulesSQLiRuleSet": {
        "SQLi_BODY": ("sql-database:SQLi_Body", AUTHORS),
        "SQLiExtendedPatterns_BODY": ("sql-database:SQLiExtendedPatterns_Body", AUTHORS),
    },
}
# The most that a firewall before CloudFront reads of a body; what is behind that is judged by the service alone.
INSPECTED = "KB_64"
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
            association_config={"request_bodies": [{"cloudfront": {"default_size_inspection_limit": INSPECTED}}]},
            rules=[rate_limit(args.shape), *managed(args.shape), *elsewhere(args.shape)],
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
            "statement": {
                "managed_rule_group_statement": {
                    "name": group,
                    "vendor_name": "AWS",
                    "rule_action_overrides": [{"name": rule, "action_to_use": {"count": {}}} for rule in labelling],
                }
            },
            "visibility_config": _visible(group),
        }
        for priority, (group, labelling) in enumerate(MANAGED_RULES.items(), start=1)
    ]


def elsewhere(shape: EdgeShape) -> list[aws.wafv2.WebAclRuleArgsDict]:
    """What the managed groups only label is blocked outside the paths where the service takes it."""
    labels = [row for labelling in MANAGED_RULES.values() for row in labelling.values()]
    rules: list[aws.wafv2.WebAclRuleArgsDict] = []
    for priority, (name, path) in enumerate({"large-bodies": API, "prose": AUTHORS}.items(), start=10):
        found = [
            aws.wafv2.WebAclRuleStatementArgsDict(label_match_statement={"scope": "LABEL", "key": f"{LABELS}{label}"})
            for label, taken in labels
            if taken == path
        ]
        one = found[0] if len(found) == 1 else aws.wafv2.WebAclRuleStatementArgsDict(or_statement={"statements": found})
        there = aws.wafv2.WebAclRuleStatementArgsDict(
            byte_match_statement={
                "field_to_match": {"uri_path": {}},
                "positional_constraint": "STARTS_WITH",
                "search_string": path,
                "text_transformations": [{"priority": 0, "type": "NORMALIZE_PATH"}],
            }
        )
        rules.append(
            {
                "name": name,
                "priority": priority,
                "action": {"block": {}} if shape.firewall == "block" else {"count": {}},
                "statement": {"and_statement": {"statements": [one, {"not_statement": {"statement": there}}]}},
                "visibility_config": _visible(name),
            }
        )
    return rules


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgsDict:
    # Sampled requests would show people's headers in the console.
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}
