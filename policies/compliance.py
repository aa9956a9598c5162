"""Does an environment meet the frameworks we are held to? Writes an auditor's report as HTML, SARIF and JSON."""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from check import inputs, verdicts
from pack import catalogue, files, settings
from pack.catalogue import Rule
from pack.evaluate import ERROR, EXEMPT, Setting, Verdict
from pack.resource import Stack
from pack.run import EXEMPTIONS

# From best to worst: a requirement is as good as the worst of its rules.
STATES = ("not applicable", "met", "exempt", "not enforced", "violated")
_SARIF_LEVELS = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}


def assess(
    stack: Stack, rules: Mapping[str, Rule], chosen: Mapping[str, Setting], said: Sequence[Verdict]
) -> dict[str, Any]:
    """The report as plain data: frameworks with their requirements, and rules with what was checked and found."""
    judged = {name: _judged(rule, stack, chosen[name], said) for name, rule in rules.items()}
    frameworks = []
    for path in sorted((catalogue.ROOT / "compliance").glob("*.yaml")):
        framework = files.read(path)
        rows = [
            {
                "id": identity,
                "title": requirement["title"],
                "rules": requirement.get("rules", []),
                "own_reading": requirement.get("own_reading", []),
                "state": max(
                    (judged[name]["state"] for key in ("rules", "own_reading") for name in requirement.get(key, [])),
                    key=STATES.index,
                ),
            }
            for identity, requirement in framework["requirements"].items()
        ]
        counts = {state: sum(row["state"] == state for row in rows) for state in STATES}
        frameworks.append({**framework, "requirements": rows, "states": counts})
    stale = [verdict.message for verdict in said if verdict.rule == EXEMPTIONS]
    return {"resources": len(stack.resources), "frameworks": frameworks, "rules": judged, "stale_exemptions": stale}


def _judged(rule: Rule, stack: Stack, setting: Setting, said: Sequence[Verdict]) -> dict[str, Any]:
    mine = [verdict for verdict in said if verdict.rule == rule.name]
    checked = sum(rule.applies(resource.type) for resource in stack.resources)
    violations = [verdict for verdict in mine if verdict.kind != EXEMPT]
    if not checked and not rule.forbids:
        state = "not applicable"
    elif setting.level == "disabled":
        state = "not enforced"
    else:
        state = "violated" if violations else "exempt" if mine else "met"
    return {
        "what": rule.what,
        "why": rule.why,
        "remedy": rule.remedy,
        "link": rule.link,
        "severity": rule.severity,
        "controls": list(rule.controls),
        "level": setting.level,
        "options": dict(setting.options),
        "resources_checked": checked,
        "state": state,
        "findings": [_finding(verdict) for verdict in violations],
        "exemptions": [_finding(verdict) for verdict in mine if verdict.kind == EXEMPT],
    }


def _finding(verdict: Verdict) -> dict[str, str]:
    row = {"urn": verdict.urn, "path": verdict.path, "message": verdict.message}
    if verdict.exemption:
        accepted = verdict.exemption
        row |= {"reason": accepted.reason, "owner": accepted.owner, "decision": accepted.decision}
        row["expires"] = accepted.expires.isoformat()
    return row


def sarif(report: Mapping[str, Any], environment: str) -> dict[str, Any]:
    """The findings in SARIF 2.1.0, located at the environment's configuration; exempt ones are suppressed results."""
    rules = report["rules"]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tecnocursos-policies",
                        "rules": [
                            {
                                "id": name,
                                "shortDescription": {"text": rule["what"]},
                                "fullDescription": {"text": rule["why"]},
                                "help": {"text": rule["remedy"]},
                                "helpUri": rule["link"],
                                "defaultConfiguration": {"level": _SARIF_LEVELS[rule["severity"]]},
                                "properties": {"tags": rule["controls"]},
                            }
                            for name, rule in rules.items()
                        ],
                    }
                },
                "results": [result for name, rule in rules.items() for result in _results(name, rule, environment)],
            }
        ],
    }


def _results(name: str, rule: Mapping[str, Any], environment: str) -> Iterator[dict[str, Any]]:
    for finding in (*rule["findings"], *rule["exemptions"]):
        result = {
            "ruleId": name,
            "level": _SARIF_LEVELS[rule["severity"]],
            "message": {"text": finding["message"]},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": f"stacks/Pulumi.{environment}.yaml"},
                        "region": {"startLine": 1},
                    },
                    "logicalLocations": [{"fullyQualifiedName": finding["urn"], "kind": "resource"}],
                }
            ],
            "partialFingerprints": {"finding/v1": f"{name}:{finding['urn']}:{finding['path']}"},
        }
        if "reason" in finding:
            why = f"{finding['reason']} ({finding['decision']}, {finding['owner']}, until {finding['expires']})"
            result["suppressions"] = [{"kind": "external", "justification": why}]
        yield result


def write(report: Mapping[str, Any], environment: str, folder: Path) -> None:
    """The three files. HTML is self-contained; everything in it is escaped."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compliance.json").write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    (folder / "compliance.sarif").write_text(json.dumps(sarif(report, environment), indent=1) + "\n")
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    page = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    today = datetime.datetime.now(datetime.UTC).date()
    text = page.get_template("compliance.html.j2").render(
        report, environment=environment, states=STATES, today=today.isoformat()
    )
    (folder / "compliance.html").write_text(text)


def main() -> int:
    """Write the report; exit code 1 when a rule could not be run, 2 on bad input. Findings are the report's matter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, choices=settings.environments(catalogue.ROOT / "profiles"))
    parser.add_argument("--graph", type=Path, help="a golden graph or a stack export (default: tests/golden/ENV.json)")
    parser.add_argument("--output", type=Path, help="folder (default: build/ENV)")
    options = parser.parse_args()
    try:
        rules, accepted, chosen, stack = inputs(options.env, options.graph)
    except ValueError as wrong:
        sys.stderr.write(f"policies: {wrong}\n")
        return 2
    said = verdicts(stack, rules, chosen, accepted)
    folder = options.output or Path("build") / options.env
    report = assess(stack, rules, chosen, said)
    write(report, options.env, folder)
    for framework in report["frameworks"]:
        counts = ", ".join(f"{count} {state}" for state, count in framework["states"].items() if count)
        print(f"{framework['label']:14} {counts}")
    print(folder / "compliance.html")
    return 1 if any(verdict.kind == ERROR for verdict in said) else 0


if __name__ == "__main__":
    sys.exit(main())
