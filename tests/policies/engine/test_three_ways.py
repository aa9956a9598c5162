"""Are the verdicts the same over the golden graph, in a real preview and update, and by `pulumi policy analyze`?"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import check
import graphs
import pytest
from pack import catalogue, exemptions, graph

from delivery import base, engine

FLAGS = {
    "PULUMI_DEBUG_COMMANDS": "true",  # brings --event-log
    "PULUMI_EXPERIMENTAL": "true",  # with the next: no checkpoint after every step of a throw-away deployment
    "PULUMI_SKIP_CHECKPOINTS": "true",
}
Said = set[tuple[str, str, str]]  # rule, urn, level


@dataclass
class Deployed:
    """One environment in an empty rehearsal cloud of its own."""

    environment: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        ambient = os.environ | {"REHEARSAL_DIR": str(self.folder / "rehearsal"), "KUBERNETES": "schema"}
        self.rehearsal(ambient, "setup")
        changes = json.loads(self.rehearsal(ambient, "env", "--json"))
        merged = {**ambient, **changes, **FLAGS}
        self.variables = {name: value for name, value in merged.items() if value is not None}
        account = engine.find(self.environment, graphs.ROOT, "rehearsal", base.ACCOUNT)
        base.deploy(account, self.variables, self.folder / "account.log")
        opened = ("open", "--project", "tecnocursos", "--stack", self.environment)
        stack_file = f"stacks/Pulumi.{self.environment}.yaml"
        self.flags = ["--config-file", self.rehearsal(self.variables, *opened, "--config", stack_file).strip()]
        (self.folder / "policy.json").write_text(
            json.dumps(
                {
                    name: {"enforcementLevel": setting.level, **setting.options}
                    for name, setting in graphs.profile(self.environment).items()
                }
            )
        )

    @staticmethod
    def rehearsal(env: dict[str, str], *arguments: str) -> str:
        line = [sys.executable, "-m", "rehearsal", *arguments]
        return subprocess.run(line, cwd=graphs.ROOT, env=env, check=True, capture_output=True, text=True).stdout

    def pulumi(
        self, *arguments: str, pack: Path | None = None, config: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        line = ["pulumi", *arguments, "--non-interactive"]
        if arguments[0] != "stack":
            line += ["--policy-pack", str(pack or "policies")]
            line += ["--policy-pack-config", str(config or self.folder / "policy.json")]
        return subprocess.run(
            line, cwd=graphs.ROOT, env=self.variables, check=check, capture_output=True, text=True, timeout=300
        )

    def run(self, operation: str, *arguments: str, **options: Any) -> tuple[int, list[dict[str, Any]]]:
        """An operation's exit code and the policy events of its log."""
        log = self.folder / "events.jsonl"
        log.unlink(missing_ok=True)
        line = [operation, "--stack", self.environment, "--event-log", str(log), *self.flags, *arguments]
        done = self.pulumi(*line, check=False, **options)
        assert log.exists(), done.stdout + done.stderr
        events = [json.loads(text) for text in log.read_text().splitlines()]
        return done.returncode, [event["policyEvent"] for event in events if "policyEvent" in event]


def said(events: list[dict[str, Any]]) -> Said:
    return {(e["policyName"], e.get("resourceUrn", ""), e["enforcementLevel"]) for e in events if not waits(e)}


def waits(event: dict[str, Any]) -> bool:
    return "UNDECIDED" in event["message"]


def expected(environment: str) -> Said:
    """What the functions say over the golden graph."""
    rules, chosen = catalogue.load(), graphs.profile(environment)
    accepted = exemptions.read(graphs.ROOT / "policies/exemptions.yaml", rules)
    stack = graph.read(graphs.ROOT / f"tests/golden/{environment}.json")
    verdicts = check.verdicts(stack, rules, chosen, accepted)
    return {(v.rule, v.urn, "mandatory" if check.stops(v, chosen) else "advisory") for v in verdicts}


@pytest.fixture(scope="module", params=graphs.ENVIRONMENTS)
def deployed(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployed, dict[str, Any]]]:
    """The environment, and what the pack said in its first preview and in its creation."""
    made = Deployed(request.param, tmp_path_factory.mktemp(request.param))
    made.prepare()
    first = made.run("preview")
    creation = made.run("up", "--yes", "--skip-preview")
    yield made, {"first preview": first, "creation": creation}


def test_the_first_preview_says_it_all_or_says_that_it_waits(deployed: tuple[Deployed, dict[str, Any]]) -> None:
    made, runs = deployed
    code, events = runs["first preview"]
    assert code == 0
    waiting = {event["policyName"] for event in events if waits(event)}
    assert waiting, "on a first preview some values do not exist yet"
    assert said(events) <= expected(made.environment)
    assert {rule for rule, _, _ in expected(made.environment) - said(events)} <= waiting


def test_creation_and_next_preview_and_analysis_say_what_the_golden_graph_says(
    deployed: tuple[Deployed, dict[str, Any]], tmp_path: Path
) -> None:
    made, runs = deployed
    wanted = expected(made.environment)
    code, events = runs["creation"]
    assert (code, said(events)) == (0, wanted)
    assert not any(map(waits, events))
    code, events = made.run("preview", "--expect-no-changes")
    assert (code, said(events)) == (0, wanted)
    export = tmp_path / "export.json"
    export.write_text(made.pulumi("stack", "export", "--stack", made.environment).stdout)
    for source in (["--stack", made.environment], ["--file", str(export)]):
        analysis = made.pulumi("policy", "analyze", "--json", *source).stdout
        events = [event["policyEvent"] for event in map(json.loads, analysis.splitlines()) if "policyEvent" in event]
        assert said(events) == wanted, source


def test_a_mandatory_finding_without_exemption_fails_the_preview(
    deployed: tuple[Deployed, dict[str, Any]], tmp_path: Path
) -> None:
    made, _ = deployed
    pack = shutil.copytree(graphs.ROOT / "policies", tmp_path / "policies")
    (pack / "exemptions.yaml").write_text("[]\n")
    config = tmp_path / "policy.json"
    config.write_text(json.dumps({"s3-sse-kms": "mandatory"}))
    code, events = made.run("preview", pack=pack, config=config)
    assert code != 0
    assert {e["enforcementLevel"] for e in events if e["policyName"] == "s3-sse-kms"} == {"mandatory"}


def test_a_rule_name_that_does_not_exist_fails_before_any_resource(
    deployed: tuple[Deployed, dict[str, Any]], tmp_path: Path
) -> None:
    made, _ = deployed
    config = tmp_path / "policy.json"
    config.write_text(json.dumps({"s3-sse-kmz": "mandatory"}))
    done = made.pulumi("preview", "--stack", made.environment, *made.flags, config=config, check=False)
    assert done.returncode != 0
    assert "s3-sse-kmz: there is no rule of this name" in done.stdout + done.stderr
