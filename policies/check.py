"""Which rules does a stored stack break? Runs the pack over a golden graph or a stack export, without the engine."""

import argparse
import datetime
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pack import catalogue, exemptions, graph, settings
from pack.catalogue import Rule
from pack.evaluate import ERROR, EXEMPT, VIOLATION, Setting, Verdict
from pack.exemptions import Exemption
from pack.resource import Stack
from pack.run import EXEMPTIONS, Run


def inputs(
    environment: str, stored: Path | None
) -> tuple[Mapping[str, Rule], Sequence[Exemption], Mapping[str, Setting], Stack]:
    """Rules, exemptions, the environment's profile, and its stored stack (its golden graph when None is given).

    Raises ValueError when one of them is missing or not sound.
    """
    rules = catalogue.load()
    accepted = exemptions.read(catalogue.ROOT / "exemptions.yaml", rules)
    chosen = settings.profile(catalogue.ROOT / "profiles" / f"{environment}.yaml", rules)
    return rules, accepted, chosen, graph.read(stored or Path("tests/golden") / f"{environment}.json")


def verdicts(
    stack: Stack, rules: Mapping[str, Rule], chosen: Mapping[str, Setting], accepted: Sequence[Exemption]
) -> list[Verdict]:
    """Everything that the rules say about a stack whose values are all known."""
    run = Run(rules, chosen, accepted, preview=False, today=datetime.datetime.now(datetime.UTC).date())
    said = [verdict for resource in stack.resources for verdict in run.resource(resource)]
    return said + run.stack(stack)


def stops(verdict: Verdict, chosen: Mapping[str, Setting]) -> bool:
    """Whether the verdict stops a deployment."""
    level = "mandatory" if verdict.rule == EXEMPTIONS else chosen[verdict.rule].level
    return verdict.kind == ERROR or (verdict.kind == VIOLATION and level == "mandatory")


def main() -> int:
    """Print the verdicts, those that stop a deployment last; exit code 1 when there are any, 2 on bad input."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = settings.environments(catalogue.ROOT / "profiles")
    parser.add_argument("--env", required=True, choices=names, help="the profile, and the golden graph by default")
    parser.add_argument("--graph", type=Path, help="a golden graph or a stack export (default: tests/golden/ENV.json)")
    options = parser.parse_args()
    try:
        rules, accepted, chosen, stack = inputs(options.env, options.graph)
    except ValueError as wrong:
        sys.stderr.write(f"policies: {wrong}\n")
        return 2
    said = sorted(verdicts(stack, rules, chosen, accepted), key=lambda v: (stops(v, chosen), v.rule, v.urn, v.path))
    for verdict in said:
        label = "exempt" if verdict.kind == EXEMPT else "mandatory" if stops(verdict, chosen) else "advisory"
        name = verdict.urn.rpartition("::")[2]
        print(f"{label:10}{verdict.rule:32}{name}: {verdict.message}")
    stopping = sum(stops(verdict, chosen) for verdict in said)
    counts = Counter(verdict.kind for verdict in said)
    print(f"{len(rules)} rules, {len(stack.resources)} resources: {stopping} mandatory, {counts[EXEMPT]} exempt")
    return 1 if stopping else 0


if __name__ == "__main__":
    sys.exit(main())
