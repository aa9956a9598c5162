"""What must hold for CloudFront, load balancers and the WAF in front of them?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import FALSE, GIVEN, TRUE, Predicate, at_least, matching, must, one_of

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
VPC_ORIGIN = "aws:cloudfront/vpcOrigin:VpcOrigin"
HEADERS = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
LOG_SOURCE = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
WEB_ACL_ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
BEHAVIOURS = ("defaultCacheBehavior", "orderedCacheBehaviors[*]")
MODERN_TLS = matching(r"TLSv1\.2_202[15]|TLSv1\.3_20\d\d", "TLSv1.2_2021 or newer")
MODERN_LISTENER = matching(
    r"ELBSecurityPolicy-TLS13-1-[23]-.*", "an ELBSecurityPolicy-TLS13 policy without TLS 1.0 and 1.1"
)
ONLY_TLS12 = Predicate(
    "a list of TLSv1.2 and newer",
    lambda value: isinstance(value, list) and bool(value) and all(item in ("TLSv1.2", "TLSv1.3") for item in value),
)
HSTS_SECONDS = 365 * 24 * 3600  # what browsers' preload lists ask for


@rule(DISTRIBUTION)
def cf_https_only(distribution: Resource) -> Findings:
    """Viewers speak HTTPS, or are sent there."""
    for behaviour in BEHAVIOURS:
        yield from must(distribution, f"{behaviour}.viewerProtocolPolicy", one_of("redirect-to-https", "https-only"))


@rule(DISTRIBUTION)
def cf_tls12(distribution: Resource) -> Findings:
    """Viewers get TLS 1.2 or newer, under a certificate of our own."""
    yield from must(distribution, "viewerCertificate.cloudfrontDefaultCertificate", FALSE, default=False)
    yield from must(distribution, "viewerCertificate.minimumProtocolVersion", MODERN_TLS)


@rule(DISTRIBUTION, VPC_ORIGIN)
def cf_origin_tls_oac(resource: Resource) -> Findings:
    """The way from CloudFront to an origin is encrypted, and buckets answer nobody but the distribution."""
    if resource.type == VPC_ORIGIN:
        yield from must(resource, "vpcOriginEndpointConfig.originProtocolPolicy", one_of("https-only"))
        yield from must(resource, "vpcOriginEndpointConfig.originSslProtocols.items", ONLY_TLS12)
        return
    for place, origin in resource.known("origins[*]"):
        custom = resource.get(f"{place}.customOriginConfig")
        if custom:
            yield from must(resource, f"{place}.customOriginConfig.originProtocolPolicy", one_of("https-only"))
            yield from must(resource, f"{place}.customOriginConfig.originSslProtocols", ONLY_TLS12)
        elif isinstance(origin, dict) and not origin.get("vpcOriginConfig"):
            yield from must(resource, f"{place}.originAccessControlId", GIVEN)


@rule(DISTRIBUTION)
def cf_waf(distribution: Resource) -> Findings:
    """Every distribution is behind a web application firewall."""
    yield from must(distribution, "webAclId", GIVEN)


@rule(DISTRIBUTION, reads=[LOG_SOURCE, HEADERS])
def cf_logging_root_headers(distribution: Resource, stack: Stack) -> Findings:
    """A distribution writes access logs, answers its root with a chosen object and sends security headers."""
    if not distribution.get("loggingConfig") and not any(stack.linked(LOG_SOURCE, "resourceArn", distribution)):
        yield Finding("loggingConfig", "the distribution has no access log")
    yield from must(distribution, "defaultRootObject", GIVEN)
    for behaviour in BEHAVIOURS:
        yield from must(distribution, f"{behaviour}.responseHeadersPolicyId", GIVEN)
    age = "securityHeadersConfig.strictTransportSecurity.accessControlMaxAgeSec"
    for policy in stack.of(HEADERS):
        if any(distribution.refers(behaviour, policy) for behaviour in BEHAVIOURS):
            yield from must(policy, age, at_least(HSTS_SECONDS))


@rule(HEADERS)
def cf_hsts_own_host(policy: Resource) -> Findings:
    """Strict transport is promised for the service's own host, not for every other one of its domain."""
    transport = "securityHeadersConfig.strictTransportSecurity"
    yield from must(policy, f"{transport}.includeSubdomains", FALSE, default=False)
    yield from must(policy, f"{transport}.preload", FALSE, default=False)


@rule(LISTENER)
def alb_https_redirect(listener: Resource) -> Findings:
    """HTTP listeners only redirect, HTTPS listeners accept TLS 1.2 and newer."""
    protocol = str(listener.get("protocol")).upper()
    if protocol == "HTTP":
        yield from must(listener, "defaultActions[*].type", one_of("redirect"))
        yield from must(listener, "defaultActions[*].redirect.protocol", one_of("HTTPS"))
    elif protocol in ("HTTPS", "TLS"):
        yield from must(listener, "sslPolicy", MODERN_LISTENER)


@rule(BALANCER)
def alb_hardening(balancer: Resource, *, deletion_protection: bool = True) -> Findings:
    """Load balancers drop malformed headers, defend against request smuggling and are not deleted by mistake."""
    if balancer.get("loadBalancerType") in (None, "application"):
        yield from must(balancer, "dropInvalidHeaderFields", TRUE)
        yield from must(balancer, "desyncMitigationMode", one_of("defensive", "strictest"), default="defensive")
    if deletion_protection:
        yield from must(balancer, "enableDeletionProtection", TRUE)


@rule(BALANCER, reads=[WEB_ACL_ASSOCIATION])
def alb_access_logs_waf(balancer: Resource, stack: Stack) -> Findings:
    """Load balancers write access logs; those that face the internet have a web application firewall."""
    yield from must(balancer, "accessLogs.enabled", TRUE)
    if balancer.get("internal") is not True and not any(stack.linked(WEB_ACL_ASSOCIATION, "resourceArn", balancer)):
        yield Finding("internal", "a load balancer that faces the internet must have a web ACL")
