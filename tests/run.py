"""Which parts does `make test` run, and what did each cost? Reads tests/parts.toml."""

import argparse
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Part:
    """One part of the test run: a command with a time budget in seconds (printed, never asserted)."""

    name: str
    command: str
    budget: int
    exhaustive: bool = False


def load() -> list[Part]:
    """All parts in the order in which they run."""
    rows = tomllib.loads((ROOT / "tests/parts.toml").read_text())["part"]
    return [Part(**row) for row in rows]


def run(part: Part) -> tuple[bool, float]:
    """Run one part with the virtual environment first on PATH; its output goes straight to the terminal."""
    print(f"\n=== {part.name}: {part.command}", flush=True)
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", part.command],
        cwd=ROOT,
        env=os.environ | {"PATH": path},
        check=False,
    )
    return done.returncode == 0, time.monotonic() - started


def main() -> int:
    """Run the chosen parts; exit code 1 when one failed, 2 when a name is unknown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts to run (default: all that are not exhaustive)")
    parser.add_argument("--exhaustive", action="store_true", help="run the exhaustive parts instead")
    options = parser.parse_args()
    parts = load()
    unknown = set(options.names) - {part.name for part in parts}
    if unknown:
        print(
            f"unknown part: {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in parts)}",
            file=sys.stderr,
        )
        return 2
    chosen = [p for p in parts if (p.name in options.names if options.names else p.exhaustive == options.exhaustive)]
    results = [(part, *run(part)) for part in chosen]
    print("\npart                  seconds  budget  result")
    for part, passed, seconds in results:
        print(f"{part.name:20s} {seconds:8.1f} {part.budget:7d}  {'passed' if passed else 'FAILED'}")
    print(f"{'all':20s} {sum(seconds for _, _, seconds in results):8.1f}")
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        rows = [
            f"| {part.name} | {seconds:.1f} | {'passed' if passed else 'FAILED'} |" for part, passed, seconds in results
        ]
        with Path(page).open("a") as summary:
            summary.write("\n".join(["| part | seconds | result |", "|---|--:|---|", *rows, ""]))
    failed = sum(not passed for _, passed, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
