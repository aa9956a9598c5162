"""What do CloudFront and the load balancers do with a request, as HAProxy's configuration? Drawn from the world.

Two layers, as on AWS: the edge (every distribution: TLS, firewall, behaviours, headers, compression) passes on to load
balancers (listeners, rules, weights) over TLS, and they to targets. Each line of AWS's that is not drawn is named in
`NOT_DRAWN`, for the report.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.live.view import Values, View
from rehearsal.world import Row

NOT_DRAWN = (
    "managed rule groups of the firewall other than the limit of the body's size",
    "caching at the edge, brotli, HTTP/3, geographic restrictions",
    "stickiness and slow start of target groups, authentication actions of listeners",
)
_DISTRIBUTION, _POLICY = (
    "aws:cloudfront/distribution:Distribution",
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
)
_VPC_ORIGIN, _ACL = "aws:cloudfront/vpcOrigin:VpcOrigin", "aws:wafv2/webAcl:WebAcl"
_BALANCER, _LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
_RULE, _GROUP = "aws:lb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup"
_LARGEST_BODY = 8192  # bytes; AWSManagedRulesCommonRuleSet's SizeRestrictions_BODY
_PORT = 10443  # that a balancer listens on here for its 443: below 1024 would need root
_DENY = "  http-request deny deny_status 403 if"
_COMPRESSED = (
    *("text/html", "text/css", "text/plain", "text/javascript", "application/javascript"),
    *("application/json", "application/problem+json", "image/svg+xml"),
)


@dataclass(frozen=True)
class Balancer:
    """Where a load balancer stands: its VPC's address and this machine's."""

    address: str
    local: str


@dataclass(frozen=True)
class Places:
    """Addresses and files that the configuration names."""

    edge: str  # where browsers' connections arrive
    edge_port: int
    objects: tuple[str, int]  # the gateway's entrance for CloudFront's own calls to S3
    balancers: Mapping[str, Balancer]  # by ARN
    socket: Path
    state: Path
    authority: Path
    certificates: Mapping[str, Path]  # by ARN of ACM


@dataclass(frozen=True)
class Target:
    """One target of a group: where it answers on this machine."""

    local: str
    source: str  # the balancer's address from which it is called
    draining: bool = False


def drawn(view: View, places: Places, targets: Mapping[str, Sequence[Target]]) -> str:
    """The whole configuration; `targets` by the group's ARN."""
    lines = [*_general(places), *_edge(view, places)]
    for row in view.all(_BALANCER):
        if row.outputs["arn"] in places.balancers:
            lines += _balancer(row, view, places)
    for row in view.all(_GROUP):
        lines += _group(row, targets.get(row.outputs["arn"], ()))
    return "\n".join(lines) + "\n"


def backend(group: str) -> str:
    """The backend's name of a target group (its ARN)."""
    return "group-" + _word(group.partition("targetgroup/")[2])


def _general(places: Places) -> Iterator[str]:
    yield from (
        "global",
        f"  stats socket {places.socket} mode 600 level admin expose-fd listeners",
        f"  server-state-file {places.state}",
        "  maxconn 4000",
        "  hard-stop-after 10m",  # a WebSocket outlives a change of weights, as it does on AWS
        "  ssl-default-bind-options ssl-min-ver TLSv1.2",
        "  tune.bufsize 32768",
        "  log stdout format raw local0",
        "defaults",
        "  mode http",
        "  log global",
        "  option dontlognull",
        "  load-server-state-from-file global",
        "  timeout connect 10s",
        "  timeout client 60s",
        "  timeout server 60s",
        "  timeout http-request 60s",
    )


def _edge(view: View, places: Places) -> Iterator[str]:
    shown = [row for row in view.all(_DISTRIBUTION) if row.outputs.get("enabled")]
    shown = [row for row in shown if _certificate(row) in places.certificates]
    if not shown:
        return
    files = sorted({str(places.certificates[_certificate(row)]) for row in shown})
    yield "frontend edge"
    yield f"  bind {places.edge}:{places.edge_port} ssl {' '.join(f'crt {file}' for file in files)} alpn h2,http/1.1"
    yield "  unique-id-format %[uuid()]"
    yield '  log-format "edge %ci %HM %HU %ST %Ta %b/%s"'
    # Only what CloudFront itself writes: a viewer's own claims do not reach the origin.
    yield "  http-request del-header cloudfront-viewer-address"
    for row in shown:
        name = _word(row.id)
        names = " ".join(row.outputs.get("aliases") or [row.outputs["domainName"]])
        yield f"  acl of-{name} hdr(host),field(1,:) -i {names}"
        yield from _firewall(row, view, f"of-{name}")
        for number, behaviour in enumerate(_behaviours(row)):
            fits = f"of-{name}"
            if pattern := behaviour.get("pathPattern"):
                yield f"  acl path-{name}-{number} path -m reg ^{_expression(pattern)}$"
                fits += f" path-{name}-{number}"
            yield f"  use_backend edge-{name}-{number} if {fits}"
    yield "  default_backend edge-nothing"
    yield from (
        "backend edge-nothing",
        '  http-request return status 403 content-type text/plain string "no distribution"',
    )
    for row in shown:
        yield from _rates(row, view)
        for number, behaviour in enumerate(_behaviours(row)):
            yield from _behaviour(row, behaviour, number, view, places)


def _firewall(row: Row, view: View, fits: str) -> Iterator[str]:
    acl = view.find(_ACL, arn=row.outputs.get("webAclId"))
    if acl is None:
        return
    name = _word(row.id)
    for rule in acl.outputs.get("rules") or []:
        statement = rule.get("statement") or {}
        blocks = "block" in (rule.get("action") or {})
        if blocks and (limit := statement.get("rateBasedStatement")):
            yield f"  http-request track-sc0 src table rate-{name} if {fits}"
            yield f"{_DENY} {fits} {{ sc_http_req_rate(0,rate-{name}) gt {limit['limit']} }}"
        group = statement.get("managedRuleGroupStatement") or {}
        if group.get("name") == "AWSManagedRulesCommonRuleSet" and "count" not in (rule.get("overrideAction") or {}):
            counted = {one["name"] for one in group.get("ruleActionOverrides") or [] if "count" in one["actionToUse"]}
            if "SizeRestrictions_BODY" not in counted:
                yield f"{_DENY} {fits} {{ req.hdr_val(content-length) gt {_LARGEST_BODY} }}"
        size = statement.get("sizeConstraintStatement") or {}
        if blocks and "body" in (size.get("fieldToMatch") or {}) and size.get("comparisonOperator") == "GT":
            yield f"{_DENY} {fits} {{ req.hdr_val(content-length) gt {size['size']} }}"


def _rates(row: Row, view: View) -> Iterator[str]:
    """Where the requests of each address are counted, over the window of the firewall's rate rule."""
    acl = view.find(_ACL, arn=row.outputs.get("webAclId"))
    for rule in (acl.outputs.get("rules") or []) if acl else []:
        if limit := (rule.get("statement") or {}).get("rateBasedStatement"):
            yield f"backend rate-{_word(row.id)}"
            window = limit.get("evaluationWindowSec", 300)
            yield f"  stick-table type ip size 100k expire {window}s store http_req_rate({window}s)"


def _behaviour(row: Row, behaviour: Values, number: int, view: View, places: Places) -> Iterator[str]:
    yield f"backend edge-{_word(row.id)}-{number}"
    methods = " ".join(behaviour.get("allowedMethods") or ["GET", "HEAD"])
    yield f"  http-request deny deny_status 403 unless {{ method {methods} }}"
    if behaviour.get("compress"):
        yield "  compression algo gzip"
        yield f"  compression type {' '.join(_COMPRESSED)}"
    # X-Forwarded-For as CloudFront writes it: what the viewer sent, then the viewer's own address.
    yield "  option forwardfor"
    yield '  http-request set-header cloudfront-viewer-address "%[src]:%[src_port]"'
    yield "  http-request set-header x-amz-cf-id %[unique-id]"
    yield '  http-request set-header via "2.0 cloudfront.rehearsal (CloudFront)"'
    policy = next((one for one in view.all(_POLICY) if one.id == behaviour.get("responseHeadersPolicyId")), None)
    if policy is not None:
        yield from _response_headers(policy)
    yield '  http-response set-header via "1.1 cloudfront.rehearsal (CloudFront)"'
    origin = next(one for one in row.outputs["origins"] if one["originId"] == behaviour["targetOriginId"])
    yield from _origin(origin, row.outputs["arn"], view, places)


def _origin(origin: Values, distribution: str, view: View, places: Places) -> Iterator[str]:
    domain = origin["domainName"]
    config = origin.get("vpcOriginConfig") or origin.get("customOriginConfig")
    if config is None:
        yield f"  http-request set-header host {domain}"
        yield f"  http-request set-header x-rehearsal-distribution {distribution}"
        yield f"  server objects {places.objects[0]}:{places.objects[1]}"
        return
    yield f"  timeout server {config.get('originReadTimeout', 30)}s"
    for header in origin.get("customHeaders") or []:
        yield f'  http-request set-header {header["name"]} "{header["value"]}"'
    vpc = next((one for one in view.all(_VPC_ORIGIN) if one.id == config.get("vpcOriginId")), None)
    arn = vpc.outputs["vpcOriginEndpointConfig"]["arn"] if vpc else None
    balancer = view.find(_BALANCER, arn=arn) if arn else view.find(_BALANCER, dnsName=domain)
    place = places.balancers.get(balancer.outputs["arn"]) if balancer else None
    if place is None:
        yield '  http-request return status 502 content-type text/plain string "the origin does not exist"'
        return
    trusted = f"ssl verify required ca-file {places.authority} sni req.hdr(host),field(1,:)"
    yield f"  server balancer {place.local}:{_PORT} {trusted}"


def _response_headers(policy: Row) -> Iterator[str]:
    security = policy.outputs.get("securityHeadersConfig") or {}
    headers: list[tuple[str, str, bool]] = []
    if one := security.get("strictTransportSecurity"):
        value = f"max-age={one['accessControlMaxAgeSec']}"
        value += "; includeSubDomains" if one.get("includeSubdomains") else ""
        value += "; preload" if one.get("preload") else ""
        headers.append(("strict-transport-security", value, one["override"]))
    if one := security.get("contentSecurityPolicy"):
        headers.append(("content-security-policy", one["contentSecurityPolicy"], one["override"]))
    if one := security.get("contentTypeOptions"):
        headers.append(("x-content-type-options", "nosniff", one["override"]))
    if one := security.get("frameOptions"):
        headers.append(("x-frame-options", one["frameOption"], one["override"]))
    if one := security.get("referrerPolicy"):
        headers.append(("referrer-policy", one["referrerPolicy"], one["override"]))
    for one in (policy.outputs.get("customHeadersConfig") or {}).get("items") or []:
        headers.append((one["header"].lower(), one["value"], one["override"]))
    for name, value, override in headers:
        unless = "" if override else f" unless {{ res.hdr({name}) -m found }}"
        yield f'  http-response set-header {name} "{value}"{unless}'


def _balancer(row: Row, view: View, places: Places) -> Iterator[str]:
    place = places.balancers[row.outputs["arn"]]
    idle = row.outputs.get("idleTimeout", 60)
    for listener in view.where(_LISTENER, loadBalancerArn=row.outputs["arn"]):
        file = places.certificates.get(listener.outputs.get("certificateArn") or "")
        if file is None:
            continue
        name = _word(listener.id.rpartition(":")[2])
        yield f"frontend balancer-{name}"
        yield f"  bind {place.local}:{_PORT} ssl crt {file} alpn h2,http/1.1"
        yield f"  timeout client {idle}s"
        yield f"  timeout http-keep-alive {idle}s"
        yield '  log-format "balancer %ci %HM %HU %ST %Ta %b/%s"'
        yield "  unique-id-format %[uuid()]"
        # The balancer appends who called it: the edge, whose address pods know as one of the VPC.
        yield f'  http-request set-header x-forwarded-for "%[req.fhdr(x-forwarded-for)], {_beside(place.address)}"'
        yield "  http-request set-header x-forwarded-proto https"
        yield "  http-request set-header x-forwarded-port 443"
        known = "{ req.hdr(x-amzn-trace-id) -m found }"
        yield f'  http-request set-header x-amzn-trace-id "Root=%[unique-id]" unless {known}'
        yield "  http-request set-var(txn.pick) rand(10000)"
        rules = sorted(
            view.where(_RULE, listenerArn=listener.outputs["arn"]), key=lambda one: int(one.outputs["priority"])
        )
        for number, rule in enumerate(rules):
            fits = []
            for part, test in enumerate(_conditions(rule.outputs.get("conditions") or [])):
                yield f"  acl rule-{name}-{number}-{part} {test}"
                fits.append(f"rule-{name}-{number}-{part}")
            yield from _actions(rule.outputs["actions"], " ".join(fits))
        yield from _actions(listener.outputs["defaultActions"], "")


def _beside(address: str) -> str:
    """The edge's address in the VPC: the next one after the balancer's."""
    head, _, last = address.rpartition(".")
    return f"{head}.{int(last) + 1}"


def _conditions(rows: Sequence[Values]) -> Iterator[str]:
    for row in rows:
        if one := row.get("hostHeader"):
            yield f"hdr(host),field(1,:) -i -m reg {' '.join('^' + _expression(v) + '$' for v in one['values'])}"
        if one := row.get("pathPattern"):
            yield f"path -m reg {' '.join('^' + _expression(v) + '$' for v in one['values'])}"
        if one := row.get("httpHeader"):
            values = " ".join("^" + _expression(v) + "$" for v in one["values"])
            yield f"req.hdr({one['httpHeaderName']}) -m reg {values}"
        if one := row.get("httpRequestMethod"):
            yield f"method {' '.join(one['values'])}"


def _actions(rows: Sequence[Values], fits: str) -> Iterator[str]:
    condition = f" if {fits}" if fits else ""
    for row in rows:
        if row["type"] == "fixed-response":
            one = row["fixedResponse"]
            body = f' content-type {one["contentType"]} string "{one.get("messageBody") or ""}"'
            yield f"  http-request return status {one['statusCode']}{body}{condition}"
        elif row["type"] == "redirect":
            one = row["redirect"]
            code = 301 if one["statusCode"] == "HTTP_301" else 302
            yield f"  http-request redirect scheme {one.get('protocol', 'https').lower()} code {code}{condition}"
        elif row["type"] == "forward":
            groups = (row.get("forward") or {}).get("targetGroups") or [{"arn": row["targetGroupArn"], "weight": 1}]
            shares = [(one["arn"], int(one.get("weight", 1))) for one in groups if int(one.get("weight", 1)) > 0]
            total, reached = sum(weight for _, weight in shares), 0
            for arn, weight in shares[:-1]:
                reached += weight * 10000 // total
                yield f"  use_backend {backend(arn)} if {fits} {{ var(txn.pick) lt {reached} }}"
            for arn, _ in shares[-1:]:
                yield f"  use_backend {backend(arn)}{condition}"


def _group(row: Row, targets: Sequence[Target]) -> Iterator[str]:
    check = row.outputs.get("healthCheck") or {}
    least = row.outputs.get("loadBalancingAlgorithmType") == "least_outstanding_requests"
    yield f"backend {backend(row.outputs['arn'])}"
    yield f"  balance {'leastconn' if least else 'roundrobin'}"
    yield "  option httpchk"
    yield (
        f"  http-check send meth GET uri {check.get('path', '/')} ver HTTP/1.1 hdr Host target "
        "hdr User-Agent ELB-HealthChecker/2.0"
    )
    yield f"  http-check expect status {check.get('matcher', '200')}"
    yield f"  timeout check {check.get('timeout', 5)}s"
    yield "  http-reuse safe"
    yield "  retries 0"
    every = f"check inter {check.get('interval', 30)}s fall {check.get('unhealthyThreshold', 2)} fastinter 1s"
    every += f" rise {check.get('healthyThreshold', 5)}"
    for one in targets:  # named by address: only what is the same target keeps its health over a reload
        drain = " weight 0" if one.draining else ""
        name = one.local.replace(".", "-")
        yield f"  server {name} {one.local}:{row.outputs['port']} source {one.source} {every}{drain}"


def _behaviours(row: Row) -> list[Values]:
    return [*(row.outputs.get("orderedCacheBehaviors") or []), row.outputs["defaultCacheBehavior"]]


def _certificate(row: Row) -> str:
    return (row.outputs.get("viewerCertificate") or {}).get("acmCertificateArn") or ""


def _expression(pattern: str) -> str:
    """A pattern of CloudFront or a listener: `*` any characters, `?` one."""
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", text)
