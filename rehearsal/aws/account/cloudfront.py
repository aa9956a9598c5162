"""What do CloudFront and its firewall refuse? Certificates and firewalls of the wrong place, missing origins."""

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule, every
from rehearsal.values import Value

_DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
_ACL = "aws:wafv2/webAcl:WebAcl"
_HOME = "us-east-1"


def certificate_is_not_in_the_home_region(request: Request) -> Refused | None:
    """A certificate outside us-east-1."""
    for arn in request.every("viewerCertificate.acmCertificateArn"):
        if _region(arn) not in (_HOME, None):
            says = f"The specified SSL certificate doesn't exist, isn't in {_HOME} region, or isn't valid: {arn}"
            return Refused("InvalidViewerCertificate", says, "viewerCertificate.acmCertificateArn")
    return None


def certificate_does_not_cover_an_alias(request: Request) -> Refused | None:
    """An alias that the certificate, known to this world, is not for."""
    arns = request.every("viewerCertificate.acmCertificateArn")
    certificate = request.find(arns[0]) if arns else None
    if certificate is None or not certificate.outputs.get("domainName"):
        return None
    names = [certificate.outputs["domainName"], *(certificate.outputs.get("subjectAlternativeNames") or ())]
    for alias in request.every("aliases"):
        if not any(_covers(str(name).lower(), str(alias).lower()) for name in names):
            says = f"The certificate doesn't cover the alternate domain name (CNAME) {alias}: {arns[0]}"
            return Refused("InvalidViewerCertificate", says, "aliases")
    return None


def alias_is_taken(request: Request) -> Refused | None:
    """An alias of another distribution."""
    aliases = set(request.every("aliases"))
    for other in request.others(_DISTRIBUTION, everywhere=True):
        if shared := aliases.intersection(every(other.outputs, "aliases")):
            says = f"One or more of the CNAMEs are already associated with a different resource: {min(shared)}"
            return Refused("CNAMEAlreadyExists", says, "aliases")
    return None


def origin_is_missing(request: Request) -> Refused | None:
    """A behaviour whose target is neither an origin nor an origin group of the distribution."""
    known = {*request.every("origins.originId"), *request.every("originGroups.originId")}
    for path in (
        "defaultCacheBehavior.targetOriginId",
        "orderedCacheBehaviors.targetOriginId",
        "originGroups.members.originId",
    ):
        for target in request.every(path):
            if target not in known:
                says = f"One or more of your origins or origin groups do not exist: {target}"
                return Refused("NoSuchOrigin", says, path)
    return None


def firewall_is_regional(request: Request) -> Refused | None:
    """A web ACL that was made for regional resources."""
    arn = request.inputs.get("webAclId")
    if isinstance(arn, str) and ":wafv2:" in arn and (":regional/" in arn or _region(arn) != _HOME):
        says = f"Web ACL is not accessible by the requester: it must have scope CLOUDFRONT and lie in {_HOME}: {arn}"
        return Refused("InvalidWebACLId", says, "webAclId")
    return None


def firewall_for_the_edge_is_elsewhere(request: Request) -> Refused | None:
    """A web ACL of scope CLOUDFRONT outside us-east-1."""
    if request.inputs.get("scope") != "CLOUDFRONT" or request.context.region == _HOME:
        return None
    says = f"The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT (only in {_HOME})"
    return Refused("WAFInvalidParameterException", says, "scope")


def rules_share_a_priority(request: Request) -> Refused | None:
    """Two rules of a web ACL with one priority."""
    priorities = request.every("rules.priority")
    doubled = next((one for one in priorities if priorities.count(one) > 1), None)
    if doubled is None:
        return None
    says = f"You have used duplicate priorities for your rules., field: RULE, parameter: {doubled}"
    return Refused("WAFInvalidParameterException", says, "rules")


def firewall_is_for_the_edge(request: Request) -> Refused | None:
    """A web ACL of scope CLOUDFRONT for a regional resource."""
    if ":global/" not in str(request.inputs.get("webAclArn")):
        return None
    says = f"The ARN isn't valid: a web ACL of scope CLOUDFRONT, parameter: {request.inputs['webAclArn']}"
    return Refused("WAFInvalidParameterException", says, "webAclArn")


def log_has_another_name(request: Request) -> Refused | None:
    """A destination of firewall logs whose name does not begin with aws-waf-logs-."""
    for arn in request.every("logDestinationConfigs"):
        name = str(arn).split(":")[6 if ":log-group:" in str(arn) else 5 :]
        if name and not name[0].rpartition("/")[2].startswith("aws-waf-logs-"):
            says = (
                f"The ARN isn't valid: the name must begin with aws-waf-logs-, field: LOG_DESTINATION, parameter: {arn}"
            )
            return Refused("WAFInvalidParameterException", says, "logDestinationConfigs")
    return None


def _region(arn: Value) -> str | None:
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[3] if len(parts) > 5 else None


def _covers(name: str, alias: str) -> bool:
    return name == alias or (name.startswith("*.") and alias.partition(".")[2] == name[2:])


CHANGE: dict[str, tuple[Rule, ...]] = {
    _DISTRIBUTION: (
        certificate_is_not_in_the_home_region,
        certificate_does_not_cover_an_alias,
        alias_is_taken,
        origin_is_missing,
        firewall_is_regional,
    ),
    _ACL: (firewall_for_the_edge_is_elsewhere, rules_share_a_priority),
    "aws:wafv2/webAclAssociation:WebAclAssociation": (firewall_is_for_the_edge,),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (log_has_another_name,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
