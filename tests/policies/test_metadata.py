"""Does every rule tell a person what they need: name, severity, reason, remedy, link?"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import graphs
import pytest
from pack import catalogue, files, settings
from wire import Pack

RULES = catalogue.load()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_explains_itself(rule: catalogue.Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert rule.severity in catalogue.SEVERITIES
    for text in (rule.what, rule.why, rule.remedy):
        assert text[0].isupper() and text.endswith("."), text
    assert re.fullmatch(r"https://[a-z0-9./#_-]+", rule.link, re.IGNORECASE)
    assert all(re.fullmatch(r"CKV2?_(AWS|K8S)_\d+|AWS-\d{4}|KSV-\d{4,5}", scanner) for scanner in rule.scanners)
    assert rule.types


def test_the_engine_is_told_the_same(pack: Pack) -> None:
    told = {policy.name: policy for policy in pack.info().policies}
    assert told.keys() == RULES.keys() | {"exemptions-current"}
    for name, rule in RULES.items():
        assert told[name].description == rule.what
        assert told[name].remediation_steps == rule.remedy
        assert told[name].url == rule.link
        assert list(told[name].tags) == list(rule.controls)
        assert told[name].severity == 1 + catalogue.SEVERITIES.index(rule.severity)
        assert {k: v["type"] for k, v in told[name].configSchema.properties.items()} == {
            k: v["type"] for k, v in rule.options.items()
        }


def test_severity_decides_the_level_unless_the_profile_says_otherwise() -> None:
    for environment, blocking in (("dev", 1), ("staging", 2), ("production", 3)):
        chosen = graphs.profile(environment)
        said = set(files.read(graphs.PROFILES / f"{environment}.yaml")["rules"])
        for name, rule in RULES.items():
            if name not in said:
                strict = catalogue.SEVERITIES[::-1].index(rule.severity) < blocking
                assert chosen[name].level == ("mandatory" if strict else "advisory"), (environment, name)


def configure(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "configure.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("profiles/dev.yaml", "rds-multi-az:", "rds-multi-ax:", "dev.yaml: rds-multi-ax: there is no rule"),
        ("profiles/dev.yaml", "retention_days: 7", "retention_dais: 7", "dev.yaml: rds-backups"),
        ("profiles/dev.yaml", "retention_days: 7", "retention_days: many", "rds-backups: retention_days"),
        ("profiles/dev.yaml", "high: advisory", "high: strict", "enforcementLevel: must be"),
        ("profiles/dev.yaml", "low: advisory", "lowest: advisory", "must have levels"),
        ("exemptions.yaml", "rule: s3-sse-kms", "rule: s3-sse-kmz", "exemptions.yaml[0].rule: there is no rule"),
        ("exemptions.yaml", "expires: 2", "expires: x2", "exemptions.yaml[0].expires: must be a date"),
        ("exemptions.yaml", "owner: ", "ower: ", "exemptions.yaml[0]: must have exactly"),
        ("exemptions.yaml", "urn: urn:pulumi:", "urn: urn:", "exemptions.yaml[0].urn: must be a pattern"),
        ("exemptions.yaml", "urn: urn:pulumi:", "urn: ", "exemptions.yaml:4: not YAML"),
    ],
)
def test_a_typing_error_is_named_before_the_engine_starts(
    copied_pack: Path, file: str, old: str, new: str, words: str
) -> None:
    changed = copied_pack / file
    text = changed.read_text()
    assert old in text
    changed.write_text(text.replace(old, new, 1))
    done = configure(copied_pack, "--env", "dev", "--output", str(copied_pack / "policy.json"))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (copied_pack / "policy.json").exists()


def test_retiring_takes_protection_off_and_nothing_else() -> None:
    rules = catalogue.load()
    path = graphs.PROFILES / "production.yaml"
    normal, retiring = graphs.profile("production"), settings.profile(path, rules, graphs.PROFILES / "retiring.yaml")
    changed = {name for name in rules if normal[name] != retiring[name]}
    assert changed == set(files.read(graphs.PROFILES / "retiring.yaml")["rules"])
    assert all(retiring[name].level == "advisory" for name in changed)


def test_the_pack_imports_no_other_room() -> None:
    allowed = {
        "pack",
        "rules",
        "check",
        "yaml",
        "jsonschema",
        "jinja2",
        "grpc",
        "google",
        "pulumi",
    } | sys.stdlib_module_names
    for path in (graphs.ROOT / "policies").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, path
