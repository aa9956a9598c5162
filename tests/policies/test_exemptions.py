"""Are exemptions as narrow as they say, seen by everybody, and gone when they are over?"""

import datetime
from collections.abc import Callable
from pathlib import Path

import graphs
import yaml
from pack import catalogue, exemptions, graph
from pack.evaluate import Verdict
from pack.exemptions import Exemption
from pack.resource import Stack
from pack.run import EXEMPTIONS, Run
from pulumi.runtime.proto import analyzer_pb2
from wire import UNKNOWN_TEXT, Pack, urn

LISTENER = "aws:lb/listener:Listener"
HARMLESS = urn(LISTENER, "plain")
WEAK = {"protocol": "HTTP", "port": 80, "defaultActions": [{"type": "forward"}]}
TODAY = datetime.date(2027, 3, 31)


def exemption(**changes: object) -> Exemption:
    given = {
        "rule": "alb-https-redirect",
        "urn": "urn:pulumi:dev::tecnocursos::*::plain",
        "reason": "An experiment.",
        "owner": "platform-team",
        "decision": "docs/decisions/experiment.md",
        "expires": TODAY,
    }
    return Exemption(**given | changes)  # type: ignore[arg-type]


def run(accepted: Exemption, inputs: dict, *, preview: bool = False, seen: bool = True) -> list[Verdict]:
    """One listener judged with one exemption; `seen` tells whether the engine showed it on its own."""
    account = Run(catalogue.load(), graphs.profile("production"), [accepted], preview=preview, today=TODAY)
    resources = graph.resources([{"urn": HARMLESS, "type": LISTENER, "inputs": inputs}])
    said = [v for resource in resources for v in account.resource(resource)] if seen else []
    return said + account.stack(Stack(resources))


def kinds(verdicts: list[Verdict]) -> list[tuple[str, str, str]]:
    return sorted((v.kind, v.rule, v.path) for v in verdicts)


def test_an_exemption_covers_its_finding_until_its_last_day() -> None:
    said = run(exemption(), WEAK)
    assert {v.kind for v in said} == {"exempt"}
    assert all(v.exemption and v.exemption.decision == "docs/decisions/experiment.md" for v in said)


def test_an_exemption_can_be_as_narrow_as_one_finding() -> None:
    assert kinds(run(exemption(path="defaultActions[[]0].type"), WEAK)) == [
        ("exempt", "alb-https-redirect", "defaultActions[0].type"),
        ("violation", "alb-https-redirect", "defaultActions[0].redirect.protocol"),
    ]


def test_an_expired_exemption_covers_nothing_and_is_a_violation_itself() -> None:
    said = run(exemption(expires=TODAY - datetime.timedelta(days=1)), WEAK)
    assert [v.rule for v in said] == ["alb-https-redirect", "alb-https-redirect", EXEMPTIONS]
    assert "expired on 2027-03-30" in said[-1].message


def test_an_exemption_that_nothing_needs_is_a_violation() -> None:
    said = run(exemption(), WEAK | {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"})
    assert kinds(said) == [("violation", EXEMPTIONS, "alb-https-redirect")]


def test_an_exemption_for_another_environment_or_project_is_none_of_ours() -> None:
    good = WEAK | {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}
    assert run(exemption(urn="urn:pulumi:production::tecnocursos::*::plain"), good) == []
    assert run(exemption(urn="urn:pulumi:*::tecnocursos-account::*::plain"), good) == []


def test_an_exemption_is_not_called_unneeded_while_its_rule_waits_for_a_value() -> None:
    waiting = WEAK | {"defaultActions": UNKNOWN_TEXT}
    assert {v.kind for v in run(exemption(), waiting, preview=True)} == {"undecided"}
    assert {v.kind for v in run(exemption(), waiting, preview=False)} == {"exempt"}


def test_an_exemption_is_not_called_unneeded_when_a_targeted_run_left_its_resource_out() -> None:
    assert run(exemption(), WEAK, seen=False) == []


def test_the_engine_sees_applied_exemptions_as_advice_with_reason_and_record(
    copied_pack: Path, start_pack: Callable[..., Pack]
) -> None:
    row = {**exemption().__dict__, "expires": datetime.date(2999, 1, 1)}
    (copied_pack / "exemptions.yaml").write_text(yaml.safe_dump([row]))
    running = start_pack(copied_pack)
    running.configure_stack(preview=True)
    listener = {"urn": HARMLESS, "type": LISTENER, "inputs": WEAK}
    said = [d for d in running.analyze(listener) if d.policyName == "alb-https-redirect"]
    assert {d.enforcementLevel for d in said} == {analyzer_pb2.ADVISORY}
    assert all(
        d.message.startswith("EXEMPT until 2999-01-01 (docs/decisions/experiment.md, platform-team): ") for d in said
    )
    assert all(d.message.endswith(": An experiment.") for d in said)
    assert running.analyze_stack([listener]) == []
    (stale,) = running.analyze_stack([])[:0] or running.analyze_stack([{**listener, "urn": urn(LISTENER, "other")}])
    assert (stale.policyName, stale.enforcementLevel) == (EXEMPTIONS, analyzer_pb2.MANDATORY)


def test_every_committed_exemption_is_in_force_and_its_record_exists() -> None:
    accepted = exemptions.read(graphs.ROOT / "policies/exemptions.yaml", catalogue.load())
    assert accepted
    for given in accepted:
        assert (graphs.ROOT / given.decision).is_file(), given.decision
        assert given.expires - datetime.datetime.now(datetime.UTC).date() <= datetime.timedelta(days=550)
