"""Which pack configuration goes with an environment? Writes profiles/ENV.yaml as the JSON that the engine takes."""

import argparse
import json
import sys
from pathlib import Path

from pack import catalogue, exemptions, settings


def main() -> int:
    """Write the file and name it; exit code 2 when the profile or the exemptions are wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    profiles = catalogue.ROOT / "profiles"
    parser.add_argument("--env", required=True, choices=settings.environments(profiles))
    parser.add_argument("--output", type=Path, help="default: build/ENV/policy.json")
    parser.add_argument("--retiring", action="store_true", help="the environment's protection is being taken off")
    options = parser.parse_args()
    overlays = [profiles / "retiring.yaml"] if options.retiring else []
    target = options.output or Path("build") / options.env / "policy.json"
    try:
        rules = catalogue.load()
        exemptions.read(catalogue.ROOT / "exemptions.yaml", rules)
        chosen = settings.profile(profiles / f"{options.env}.yaml", rules, *overlays)
    except ValueError as wrong:
        sys.stderr.write(f"policies: {wrong}\n")
        return 2
    content = {name: {"enforcementLevel": setting.level, **setting.options} for name, setting in chosen.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
