"""Does every alert have a page, and do its commands name what exists here?"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from dashboards import generated, runbooks
from dashboards.rules import groups

ROOT = Path(__file__).resolve().parents[2]
PAGES = generated.committed(generated.RUNBOOKS)
SHELL = re.compile(r"```sh\n(.*?)```", re.S)
PROGRAMS = {"aws", "curl", "kubectl", "make", "openssl"}
LINES = sorted(
    {line for page in PAGES.values() for block in SHELL.findall(page) for line in block.splitlines() if line[0] != "#"}
)


def graph() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((ROOT / "tests/golden/production.json").read_text())
    return rows


def named(kind: str) -> set[str]:
    """Names of the Kubernetes objects of a kind in production."""
    found = set()
    for row in graph():
        if re.fullmatch(rf"kubernetes:.*:{kind}", str(row["type"])):
            inputs = row["inputs"]
            assert isinstance(inputs, dict)
            found.add(inputs["metadata"]["name"])
    return found


def test_every_alert_links_to_a_page_that_exists() -> None:
    links = {
        rule.annotations["runbook"] for found in groups().values() for g in found for rule in g.rules if rule.alert
    }
    assert links and all((ROOT / link).is_file() for link in links)
    assert {f"{name}.md" for name in runbooks.alarms()} <= PAGES.keys()


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"README.md"}))
def test_a_page_answers_what_is_asked_at_night(name: str) -> None:
    page = PAGES[name]
    for heading in ("**What it means:**", "## First look", "## Likely causes", "## Commands"):
        assert heading in page, heading
    for link in re.findall(r"docs/[\w/-]+\.md|infra/[\w/-]+\.\w+|service/[\w/-]+\.\w+|dashboards/[\w-]+\.\w+", page):
        assert (ROOT / link).is_file(), f"{link} does not exist"
    others = {file.removesuffix(".md") for file in PAGES}
    for other in re.findall(r"(?:see|follow) ([A-Z][A-Za-z]+|[a-z]+-[a-z]+)", page):
        assert other in others, f"there is no page {other}"


def test_the_list_names_every_page() -> None:
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES["README.md"])) == PAGES.keys() - {"README.md"}


@pytest.mark.parametrize("line", LINES)
def test_command_is_one_a_shell_understands(line: str) -> None:
    done = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shlex.split(line.split("|", maxsplit=1)[0].replace("$(", " ").replace("<", " "))[0] in PROGRAMS


def test_commands_name_what_exists() -> None:
    text = "\n".join(LINES)
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", text, re.M):
        assert re.search(rf"^([\w ]* )?{target}( [\w ]*)?:", makefile, re.M), target
    objects = {"deployment": "Deployment", "cronjob": "CronJob", "service": "Service"}
    for kind, name in re.findall(r"(deployment|cronjob|service)/([\w-]+)", text):
        assert name in named(objects[kind]), f"{kind}/{name}"
    components = {label for kind in ("Deployment", "CronJob") for label in named(kind)} | {"api"}
    assert set(re.findall(r"kubernetes.io/component=(\w+)", text)) <= components
    help_text = subprocess.run(
        [sys.executable, "-m", "service", "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    for command in re.findall(r"python -m service (\w[\w-]*)", text + "\n".join(PAGES.values())):
        assert command in help_text, command


def test_names_in_aws_are_those_of_the_estate() -> None:
    deployed = json.dumps(graph())
    for name in re.findall(r"(?:[\w/.-]*)tecnocursos-\$ENV(?:[\w/-]*)", "\n".join(LINES)):
        if not name.endswith("-restored"):  # made by the command
            assert name.replace("$ENV", "production") in deployed, name


CALLS = sorted({call for line in LINES for call in re.findall(r"aws ([a-z0-9]+ [a-z-]+[^$|)]*)", line)})
OWN = {"logs tail", "eks update-kubeconfig"}  # of the command line alone: no call of the service
EVERYWHERE = {"--query", "--output", "--help"}


@pytest.mark.parametrize("call", CALLS)
def test_calls_to_aws_exist_with_their_arguments(call: str) -> None:
    """As botocore's models of the services have them."""
    service, operation = call.split()[:2]
    if f"{service} {operation}" in OWN:
        return
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in shape.members}
    assert set(re.findall(r"(?<= )--[a-z-]+", call)) - EVERYWHERE <= known
