"""What does the policy pack cost per resource? Over production's graph, beside the policy SDK with as many empty rules.

`.venv/bin/python benchmarks/policies.py [--rounds N]`. Both packs are started and asked as the engine does it: a
remediation and an analysis for every resource, one analysis of the stack. Processor time is the pack process's own.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/policies"), str(ROOT / "policies")]

from pack import catalogue  # noqa: E402
from wire import Pack, analyze_request  # noqa: E402

GOAL = 3.0  # ms per resource
SDK_PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy
def nothing(args, report): pass
PolicyPack("empty", [
    *(ResourceValidationPolicy(f"r{n}", "empty", nothing) for n in range(RESOURCE_RULES)),
    *(StackValidationPolicy(f"s{n}", "empty", nothing) for n in range(STACK_RULES)),
], EnforcementLevel.ADVISORY)
"""


def sdk_pack(folder: Path) -> Path:
    """A pack with as many rules as ours that do nothing."""
    rules = catalogue.load().values()
    stack_rules = sum(rule.of_stack for rule in rules)
    counts = {"RESOURCE_RULES": len(rules) - stack_rules, "STACK_RULES": stack_rules}
    text = SDK_PACK
    for name, count in counts.items():
        text = text.replace(name, str(count))
    (folder / "__main__.py").write_text(text)
    (folder / "PulumiPolicy.yaml").write_text("name: empty\nruntime: python\n")
    return folder


def measure(folder: Path, rows: Sequence[Mapping[str, Any]], rounds: int) -> tuple[float, float, float]:
    """Seconds to start; then milliseconds per resource, waited and of processor time (medians)."""
    begun = time.perf_counter()
    pack = Pack(folder)
    started = time.perf_counter() - begun
    pack.configure_stack(preview=False, stack="production")
    requests = [analyze_request(row) for row in rows]
    process = psutil.Process(pack.process.pid)
    waited, used = [], []
    for _ in range(rounds):
        cpu, begun = sum(process.cpu_times()[:2]), time.perf_counter()
        for request in requests:
            pack.stub.Remediate(request)
            pack.stub.Analyze(request)
        pack.analyze_stack(rows)
        waited.append(time.perf_counter() - begun)
        used.append(sum(process.cpu_times()[:2]) - cpu)
    pack.stop()
    return started, *(statistics.median(times) / len(rows) * 1000 for times in (waited, used))


def main() -> None:
    """Print both packs side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = json.loads((ROOT / "tests/golden/production.json").read_text())
    print(f"{len(rows)} resources, {len(catalogue.load())} rules, median of {options.rounds} rounds")
    print(f"{'':34}start s   ms/resource   CPU ms/resource")
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in (("this pack", ROOT / "policies"), ("policy SDK, empty rules", sdk_pack(Path(scratch)))):
            started, waited, used = measure(folder, rows, options.rounds)
            print(f"{name:34}{started:7.2f}   {waited:11.2f}   {used:15.2f}")
    print(f"goal: <= {GOAL} ms per resource")


if __name__ == "__main__":
    main()
