"""Does the tree keep the house rules that no linter knows? Locks without hosts, parts that exist."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked(pattern: str = "") -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", *([pattern] if pattern else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in names.stdout.splitlines()]


def test_locks_carry_hashes_and_no_index() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "--hash=sha256:" in text, lock.name
        assert "://" not in text and "--index" not in text and "--find-links" not in text, lock.name


def test_no_machine_path_or_registry_host_is_committed() -> None:
    machine = re.compile(r"(^|[^\w./-])/(?:" + "wor" + "k|ro" + "ot|far" + r"m)/\w")
    host = re.compile(
        r"https?://[\w.-]*(?:" + "|".join(("py" + "pi", "pythonhosted", "npm" + "js", "proxy.go" + "lang")) + ")"
    )
    for path in tracked():
        if path.suffix in {".png", ".svg", ".mp4", ".gz", ".zst"} or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            assert not machine.search(line), f"{path.relative_to(ROOT)}:{number} names a path of one machine"
            assert not host.search(line), f"{path.relative_to(ROOT)}:{number} names a registry host"


def test_every_part_names_a_budget() -> None:
    parts = tomllib.loads((ROOT / "tests/parts.toml").read_text())["part"]
    names = [part["name"] for part in parts]
    assert len(names) == len(set(names))
    assert all(part["budget"] > 0 for part in parts)
