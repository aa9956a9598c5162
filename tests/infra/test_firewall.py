"""Does the firewall let through what the service takes? The deployed rules, evaluated over every operation."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from service.app import create
from service.http.routing import LARGEST_BODY
from service.settings import Settings
from tests.infra.graph import Graph

# What AWS's groups do with a body, by rule: the label, and when it matches. AWS WAF developer guide.
LARGE = 8 * 1024
PROSE = b"<script>get('http://169.254.169.254/')</script> ' OR 1=1 UNION SELECT name FROM users; ../../etc/passwd"
BODY_RULES = {
    "AWSManagedRulesCommonRuleSet": {
        "SizeRestrictions_BODY": ("core-rule-set:SizeRestrictions_Body", lambda body: len(body) > LARGE),
        "CrossSiteScripting_BODY": ("core-rule-set:CrossSiteScripting_Body", lambda body: b"<script" in body),
        "GenericLFI_BODY": ("core-rule-set:GenericLFI_Body", lambda body: b"../" in body),
        "GenericRFI_BODY": ("core-rule-set:GenericRFI_Body", lambda body: bool(re.search(rb"://[\d.]+/", body))),
        "EC2MetaDataSSRF_BODY": ("core-rule-set:EC2MetaDataSSRF_Body", lambda body: b"169.254.169.254" in body),
    },
    "AWSManagedRulesSQLiRuleSet": {
        "SQLi_BODY": ("sql-database:SQLi_Body", lambda body: b"' OR 1=1" in body),
        "SQLiExtendedPatterns_BODY": ("sql-database:SQLiExtendedPatterns_Body", lambda body: b"UNION SELECT" in body),
    },
}


class Firewall:
    """The web ACL as AWS evaluates it: rules by priority, a managed rule that counts leaves its label."""

    def __init__(self, graph: Graph) -> None:
        (acl,) = graph.of_type("wafv2/webAcl")
        self.rules = sorted(acl["inputs"]["rules"], key=lambda rule: rule["priority"])

    def action(self, path: str, body: bytes) -> str:
        labels: set[str] = set()
        for rule in self.rules:
            managed = rule["statement"].get("managedRuleGroupStatement")
            found = self._managed(managed, body, labels) if managed else self._holds(rule["statement"], path, labels)
            stopping = "none" in rule.get("overrideAction", {}) or "block" in rule.get("action", {})
            if found and stopping:
                return f"block ({rule['name']})"
        return "allow"

    def _managed(self, group: Mapping[str, Any], body: bytes, labels: set[str]) -> bool:
        counted = {one["name"] for one in group.get("ruleActionOverrides", []) if "count" in one["actionToUse"]}
        assert counted <= BODY_RULES.get(group["name"], {}).keys(), "a rule that does not exist is overridden in vain"
        for name, (label, matches) in BODY_RULES.get(group["name"], {}).items():
            if matches(body):
                labels.add(f"awswaf:managed:aws:{label}")
                if name not in counted:
                    return True
        return False

    def _holds(self, statement: Mapping[str, Any], path: str, labels: set[str]) -> bool:
        ((kind, content),) = statement.items()
        match kind:
            case "andStatement":
                return all(self._holds(one, path, labels) for one in content["statements"])
            case "orStatement":
                return any(self._holds(one, path, labels) for one in content["statements"])
            case "notStatement":
                return not self._holds(content["statement"], path, labels)
            case "labelMatchStatement":
                return content["key"] in labels
            case "byteMatchStatement":
                assert content["positionalConstraint"] == "STARTS_WITH"
                return path.startswith(content["searchString"])
            case "rateBasedStatement":
                return False
        raise AssertionError(f"the model does not know {kind}")


@cache
def operations() -> list[tuple[str, str]]:
    """Every operation that takes a body, under a path as people call it."""

    def found() -> Iterator[tuple[str, str]]:
        for template, methods in create(Settings()).openapi()["paths"].items():
            path = re.sub(r"\{\w+\}", "0" * 32, template)
            yield from ((method, path) for method, operation in methods.items() if "requestBody" in operation)

    return list(found())


def test_every_body_that_the_service_takes_comes_through(graph: Graph) -> None:
    firewall = Firewall(graph)
    assert len(operations()) > 10
    for method, path in operations():
        assert firewall.action(path, b"x" * LARGEST_BODY) == "allow", f"{method} {path}"


@pytest.mark.parametrize("path", ["/api/v1/projects", f"/api/v1/projects/{'0' * 32}/scenes"])
def test_a_course_may_speak_of_attacks(graph: Graph, path: str) -> None:
    assert Firewall(graph).action(path, PROSE) == "allow"


@pytest.mark.parametrize(
    ("path", "body", "by"), [("/", b"x" * (LARGE + 1), "large-bodies"), ("/api/v1/sessions", PROSE, "prose")]
)
def test_elsewhere_it_is_blocked(graphs: dict[str, Graph], path: str, body: bytes, by: str) -> None:
    assert Firewall(graphs["production"]).action(path, body) == f"block ({by})"
    assert Firewall(graphs["dev"]).action(path, body) == "allow", "dev counts"
