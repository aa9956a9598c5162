"""Does Prometheus itself accept the rules?"""

import subprocess

from dashboards import generated


def test_rules_are_accepted() -> None:
    files = sorted(map(str, (generated.FOLDER / "rules").glob("*.yaml")))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") == len(files)
