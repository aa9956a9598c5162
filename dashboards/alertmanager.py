"""How is the routing table written for an alert manager: a plain one, and the managed one, which knows topics only?"""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.documents import dump
from dashboards.routing import DEFAULT, GROUPED, INHIBITIONS, ROUTES, Channel, Route, Topic

SECRETS = "/etc/alertmanager/secrets"  # a mounted folder with one file for each secret: none is in the configuration
TOPICS: Mapping[Topic, str] = {"page": "@TOPIC_PAGE@", "ticket": "@TOPIC_TICKET@"}  # put in by the deployment
REGION = "@REGION@"
DISCARD = "discard"  # a receiver without a channel
SUBJECT_CHARACTERS = 100  # SNS refuses longer ones

NAME = "or .CommonLabels.alertname .GroupLabels.area"  # the alert's, or where several fire together
TITLE = f"[{{{{ .Status | toUpper }}}}] {{{{ {NAME} }}}}: {{{{ (index .Alerts 0).Annotations.summary }}}}"
SUBJECT = f'{{{{ printf "%.{SUBJECT_CHARACTERS}s" (printf "[%s] %s" (.Status | toUpper) ({NAME})) }}}}'
TEXT = (
    "{{ range .Alerts }}{{ .Status | toUpper }} {{ .Labels.alertname }}: {{ .Annotations.summary }}\n"
    "{{ .Annotations.description }}\nrunbook: {{ .Annotations.runbook }}  dashboard: {{ .Annotations.dashboard }}\n\n"
    "{{ end }}"
)


def _slack(channel: str) -> dict[str, Any]:
    return {
        "slack_configs": [
            {
                "api_url_file": f"{SECRETS}/slack-url",
                "channel": channel,
                "send_resolved": True,
                "title": TITLE,
                "text": TEXT,
                "color": '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}',
            }
        ]
    }


RECEIVERS: Mapping[Channel, dict[str, Any]] = {
    "pagerduty": {
        "pagerduty_configs": [
            {
                "routing_key_file": f"{SECRETS}/pagerduty-key",
                "description": TITLE,
                "severity": "critical",
                "class": "{{ .CommonLabels.alertname }}",
                "component": "{{ .CommonLabels.area }}",
                "send_resolved": True,
            }
        ]
    },
    "slack-urgent": _slack("#tecnocursos-urgent"),
    "slack": _slack("#tecnocursos-alerts"),
    "email": {
        "email_configs": [
            {
                "to": "platform@tecnocursos.example",
                "from": "alerts@tecnocursos.example",
                "smarthost": "smtp.tecnocursos.example:587",
                "auth_username": "alerts@tecnocursos.example",
                "auth_password_file": f"{SECRETS}/smtp-password",
                "require_tls": True,
                "headers": {"Subject": TITLE},
                "text": TEXT,
                "html": "",
                "send_resolved": True,
            }
        ]
    },
    "heartbeat": {
        "webhook_configs": [
            {
                "url": "https://heartbeat.tecnocursos.example/alerts",
                "http_config": {"authorization": {"credentials_file": f"{SECRETS}/heartbeat-token"}},
                "send_resolved": False,
            }
        ]
    },
}


def plain() -> dict[str, Any]:
    """Alertmanager's own configuration: one receiver for each route, with all channels of the route."""
    routing = _routing({route.name: route.name for route in ROUTES})
    return {**routing, "receivers": [{"name": route.name, **_merged(route)} for route in ROUTES]}


def _merged(route: Route) -> dict[str, Any]:
    merged: dict[str, list[Any]] = {}
    for channel in route.channels:
        for kind, configs in RECEIVERS[channel].items():
            merged.setdefault(kind, []).extend(configs)
    return merged


def managed() -> dict[str, Any]:
    """The same routes with the topics as receivers.

    Limits of Amazon Managed Service for Prometheus (user guide, "Alert manager configuration"): SNS is the only kind of
    receiver, of the workspace's account, with `sigv4.region`, without `api_url` and `http_config`; `repeat_interval` at
    most five days. The whole configuration is a text below `alertmanager_config`.
    """
    receivers: list[dict[str, Any]] = [{"name": DISCARD}]
    for topic, arn in TOPICS.items():
        sns = {
            "topic_arn": arn,
            "sigv4": {"region": REGION},
            "send_resolved": True,
            "subject": SUBJECT,
            "message": TEXT,
            "attributes": {"severity": topic},
        }
        receivers.append({"name": topic, "sns_configs": [sns]})
    names = {route.name: route.topic or DISCARD for route in ROUTES}
    return {**_routing(names), "receivers": receivers}


def _routing(receivers: Mapping[str, str]) -> dict[str, Any]:
    """receivers: the receiver of every route, by the route's name."""
    return {
        "route": {
            "receiver": receivers[DEFAULT],
            "group_by": list(GROUPED),
            "routes": [_route(route, receivers[route.name]) for route in ROUTES],
        },
        "inhibit_rules": [
            {
                "source_matchers": _matchers(inhibition.source),
                "target_matchers": _matchers(inhibition.target),
                **({"equal": list(inhibition.equal)} if inhibition.equal else {}),
            }
            for inhibition in INHIBITIONS
        ],
    }


def _route(route: Route, receiver: str) -> dict[str, Any]:
    areas = {"area": "|".join(route.areas)} if route.areas else {}
    return {
        "receiver": receiver,
        "matchers": _matchers({**route.match, **areas}),
        "group_wait": route.wait,
        "group_interval": route.interval,
        "repeat_interval": route.repeat,
    }


def _matchers(labels: Mapping[str, str]) -> list[str]:
    return [f'{name}=~"{value}"' for name, value in labels.items()]


def files() -> Iterator[tuple[str, str]]:
    """Both configurations with their paths."""
    yield "alertmanager.yaml", dump(plain())
    yield "managed/alertmanager.yaml", dump({"alertmanager_config": dump(managed())})
