"""Does the auditor's report say what the rules said, no more and no less?"""

import datetime
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import compliance
import graphs
import pytest
from pack import catalogue, files, graph
from pack.exemptions import Exemption
from pack.resource import Stack
from pack.run import Run

FRAMEWORKS = {path.stem: files.read(path) for path in (graphs.ROOT / "policies/compliance").glob("*.yaml")}
RULES = catalogue.load()
SECRET = "hunter2-planted-secret"


def report(rows: list[graphs.Row], environment: str = "production", *accepted: Exemption) -> dict[str, Any]:
    chosen = graphs.profile(environment)
    run = Run(RULES, chosen, accepted, preview=False, today=datetime.date(2027, 1, 1))
    stack = Stack(graph.resources(rows))
    said = [v for resource in stack.resources for v in run.resource(resource)] + run.stack(stack)
    return compliance.assess(stack, RULES, chosen, said)


def state(given: dict[str, Any], framework: str, requirement: str) -> str:
    (found,) = [f for f in given["frameworks"] if f["label"] == FRAMEWORKS[framework]["label"]]
    return next(row["state"] for row in found["requirements"] if row["id"] == requirement)


def test_eight_frameworks_map_existing_rules_and_every_rule_serves_one() -> None:
    assert FRAMEWORKS.keys() == {
        "cis_aws", "cis_eks", "iso27001", "soc2", "gdpr", "pci", "nist_800_53", "owasp_k8s",
    }  # fmt: skip
    mapped = set()
    for name, framework in FRAMEWORKS.items():
        assert framework.keys() == {"label", "name", "version", "link", "requirements"}, name
        for identity, requirement in framework["requirements"].items():
            rules = [*requirement.get("rules", []), *requirement.get("own_reading", [])]
            assert rules and len(rules) == len(set(rules)), (name, identity)
            assert isinstance(identity, str) and requirement["title"], (name, identity)
            mapped |= set(rules)
    assert mapped == RULES.keys()


def test_a_compliant_stack_meets_everything_that_applies() -> None:
    states = {row["state"] for f in report(graphs.compliant())["frameworks"] for row in f["requirements"]}
    assert states == {"met"}


def test_a_requirement_is_as_good_as_the_worst_of_its_rules() -> None:
    change = {"type": "aws:ec2/flowLog:FlowLog", "drop": True}
    broken = graphs.mutated(graphs.compliant(), change)
    assert broken
    given = report(broken)
    assert state(given, "cis_aws", "3.7") == "violated"
    assert state(given, "cis_aws", "5.2") == "met"
    assert [f["urn"].rpartition("::")[2] for f in given["rules"]["vpc-flow-logs"]["findings"]] == ["vpc"]


def test_an_exemption_stands_in_the_report_with_reason_owner_record_and_date() -> None:
    accepted = Exemption(
        "vpc-flow-logs", "urn:pulumi:*::*::*::vpc", "Moving.", "platform-team", "docs/d.md", datetime.date(2027, 1, 1)
    )
    broken = graphs.mutated(graphs.compliant(), {"type": "aws:ec2/flowLog:FlowLog", "drop": True})
    assert broken
    given = report(broken, "production", accepted)
    assert state(given, "cis_aws", "3.7") == "exempt"
    (shown,) = given["rules"]["vpc-flow-logs"]["exemptions"]
    assert (shown["reason"], shown["owner"], shown["decision"], shown["expires"]) == (
        "Moving.", "platform-team", "docs/d.md", "2027-01-01",
    )  # fmt: skip
    (result,) = compliance.sarif(given, "production")["runs"][0]["results"]
    assert result["suppressions"][0]["justification"].startswith("Moving. (docs/d.md, platform-team, until 2027-01-01)")


def test_what_a_profile_switches_off_is_not_called_met() -> None:
    given = report(graphs.compliant(), "dev")
    assert state(given, "cis_aws", "2.2.4") == "not enforced"
    assert state(report([]), "cis_aws", "2.2.4") == "not applicable"
    assert state(report([]), "cis_aws", "1.14") == "met"  # there is no user, which is all it asks


class Links(HTMLParser):
    """Collects anchors and what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.jumps: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [tag] if tag in {"script", "link", "img", "iframe"} else []
        self.names |= {given["id"] or ""} if "id" in given else set()
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.jumps.add((given["href"] or "")[1:])


def test_the_page_stands_alone_keeps_secrets_and_escapes(tmp_path: Path) -> None:
    rows = graphs.mutated(graphs.compliant(), {"type": "aws:rds/instance:Instance", "set": {"password": SECRET}})
    assert rows
    rows.append({"urn": "urn:pulumi:a::b::aws:ec2/vpc:Vpc::<script>x", "type": "aws:ec2/vpc:Vpc", "inputs": {}})
    compliance.write(report(rows), "production", tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written.keys() == {"compliance.html", "compliance.sarif", "compliance.json"}
    assert not any(SECRET in text for text in written.values())
    page = Links()
    page.feed(written["compliance.html"])
    assert page.loads == []
    assert page.jumps <= page.names
    assert "&lt;script&gt;x" in written["compliance.html"]


def test_sarif_holds_every_finding_once_where_code_scanning_looks(tmp_path: Path) -> None:
    rows = graphs.mutated(graphs.compliant(), {"type": "aws:s3/bucket:Bucket", "unset": ["tags"], "protect": False})
    assert rows
    given = report(rows)
    (run,) = compliance.sarif(given, "production")["runs"]
    known = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert known == list(RULES)
    assert sorted(r["ruleId"] for r in run["results"]) == ["protect-stateful", "required-tags"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert (graphs.ROOT / place["artifactLocation"]["uri"]).is_file()
        assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].endswith("::bucket")
    prints = [r["partialFingerprints"]["finding/v1"] for r in run["results"]]
    assert len(prints) == len(set(prints))


@pytest.mark.parametrize("environment", graphs.ENVIRONMENTS)
def test_the_command_writes_the_reports(environment: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    graph_file = tmp_path / "graph.json"
    graph_file.write_text(json.dumps(graphs.compliant()))
    line = ["compliance.py", "--env", environment, "--graph", str(graph_file), "--output", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", line)
    assert compliance.main() == 0
    assert re.search(r"^CIS AWS +.*met", capsys.readouterr().out, re.MULTILINE)
    monkeypatch.setattr("sys.argv", [*line[:4], str(tmp_path / "none.json")])
    assert compliance.main() == 2
    assert "make golden" in capsys.readouterr().err
