"""Does any Pulumi Python program run, in its own virtual environment, through every operation of the plain CLI?"""

import json
import runpy
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.language.interpreter import Project as Interpreter
from rehearsal.language.program import report

from .conftest import Project, Rehearsal

PROGRAM = """
import sys
import pulumi
import pulumi_aws as aws
from parts import network

vpc = network("main")
bucket = aws.s3.Bucket("media", tags={"kept": "yes"}, opts=pulumi.ResourceOptions(depends_on=[vpc]))
pulumi.export("prefix", sys.prefix)
pulumi.export("arguments", sys.argv)
pulumi.export("arn", bucket.arn)
pulumi.export("secret", pulumi.Config().require_secret("word"))
"""
PARTS = """
import pulumi_aws as aws

def network(name):
    return aws.ec2.Vpc(name, cidr_block="10.0.0.0/16")
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def tagged(args, report):
    if args.resource_type == "aws:s3/bucket:Bucket" and not args.props.get("tags", {}).get("owner"):
        report("a bucket without an owner")

PolicyPack("pack", [ResourceValidationPolicy("tagged", "Buckets have owners", tagged, EnforcementLevel.%s)])
"""


def virtual_environment(folder: Path) -> None:
    """An interpreter of its own that sees the SDKs installed here, without installing them again."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "sdks.pth").write_text(sysconfig.get_path("purelib") + "\n")


def test_the_life_of_a_foreign_project(project: Project, tmp_path: Path) -> None:
    virtual_environment(project.folder / "own")
    project.settings({"virtualenv": "own"})
    project.program(PROGRAM)
    (project.folder / "parts.py").write_text(PARTS)
    project.pulumi("config", "set", "aws:allowedAccountIds", '["123456789012"]')
    project.pulumi("config", "set", "--secret", "word", "hidden-word")

    assert "+ 3 to create" in project.pulumi("preview")
    assert "hidden-word" not in project.up()
    assert project.outputs()["prefix"] == str(project.folder / "own")
    assert project.outputs()["arguments"] == [str(project.folder)]
    assert {row.token for row in project.world()} == {"aws:ec2/vpc:Vpc", "aws:s3/bucket:Bucket"}
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--expect-no-changes")

    existing = next(row.id for row in project.world() if row.token == "aws:ec2/vpc:Vpc")
    other = Project(project.rehearsal, tmp_path / "importer", project.name, stack="other")
    other.pulumi("stack", "init")
    other.pulumi("config", "set", "aws:allowedAccountIds", '["123456789012"]')
    other.pulumi("import", "aws:ec2/vpc:Vpc", "main", existing, "--yes", "--protect=false")
    assert [row["id"] for row in other.resources("main")] == [existing]

    project.pulumi("destroy", "--yes")
    assert project.world() == []
    assert project.checkpoint().get("resources", []) == []


def test_policy_packs_judge_previews_updates_and_states(project: Project, tmp_path: Path) -> None:
    project.program('import pulumi_aws as aws\naws.s3.Bucket("media")\n')
    for level in ("ADVISORY", "MANDATORY"):
        pack = tmp_path / level
        pack.mkdir()
        (pack / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 1.0.0\n")
        (pack / "__main__.py").write_text(PACK % level)
    mandatory, advisory = str(tmp_path / "MANDATORY"), str(tmp_path / "ADVISORY")
    assert "a bucket without an owner" in project.pulumi("preview", "--policy-pack", mandatory, code=1)
    assert "a bucket without an owner" in project.pulumi("up", "--yes", "--skip-preview", "--policy-pack", advisory)
    assert "a bucket without an owner" in project.pulumi("policy", "analyze", "--policy-pack", mandatory, code=1)


def test_the_uv_toolchain_runs_in_its_environment(project: Project) -> None:
    virtual_environment(project.folder / ".venv")
    project.settings({"toolchain": "uv"})
    project.program("import sys, pulumi\npulumi.export('prefix', sys.prefix)\n")
    project.up()
    assert project.outputs()["prefix"] == str(project.folder / ".venv")


DYNAMIC = """
import sys
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Greeter(ResourceProvider):
    def create(self, props):
        return CreateResult(id_="it", outs={"greeting": f"hello {props['name']}", "prefix": sys.prefix})

class Greeting(Resource):
    greeting: pulumi.Output[str]
    prefix: pulumi.Output[str]

made = Greeting(Greeter(), "made", {"name": "world", "greeting": None, "prefix": None})
pulumi.export("greeting", made.greeting)
pulumi.export("prefix", made.prefix)
"""


def test_a_provider_that_is_part_of_the_program_runs_in_its_interpreter(project: Project) -> None:
    virtual_environment(project.folder / "own")
    project.settings({"virtualenv": "own"}, main="program/")
    (project.folder / "program").mkdir()
    (project.folder / "program/__main__.py").write_text(DYNAMIC)
    project.up()
    assert project.outputs() == {"greeting": "hello world", "prefix": str(project.folder / "own")}


BROKEN = """
import pulumi_aws as aws

def outer():
    return inner()

def inner():
    aws.s3.Bucket("media").bucket.apply(lambda name: {}[name])

outer()
"""


def test_an_exception_shows_the_frames_its_author_wrote(project: Project) -> None:
    project.program(BROKEN)
    shown = project.up(code=1)
    assert "KeyError: 'media-" in shown
    frames = [line.strip() for line in shown.splitlines() if line.strip().startswith('File "')]
    assert len(frames) == 1 and frames[0].startswith(f'File "{project.folder / "__main__.py"}", line 8, in <lambda>')


def raised(tmp_path: Path, text: str) -> str:
    """What is reported of a program that raises."""
    program = tmp_path / "program.py"
    program.write_text(text)
    with pytest.raises(BaseException) as caught:
        runpy.run_path(str(program))
    return report(caught.value)


def test_frames_of_the_sdk_and_the_host_are_left_out(tmp_path: Path) -> None:
    shown = raised(tmp_path, "import pulumi\ndef make():\n    pulumi.Config('demo').require('zones')\nmake()\n")
    frames = [line for line in shown.splitlines() if line.startswith('  File "') and "test_program.py" not in line]
    assert [frame.rsplit(" ", 1)[1] for frame in frames] == ["<module>", "make"]
    assert "Missing required configuration variable 'demo:zones'" in shown


def test_a_cause_is_shown_before_the_exception_it_led_to(tmp_path: Path) -> None:
    shown = raised(
        tmp_path, "try:\n    {}['zone']\nexcept KeyError as error:\n    raise ValueError('wrong') from error\n"
    )
    assert shown.index("KeyError: 'zone'") < shown.index("direct cause") < shown.index("ValueError: wrong")


def test_a_syntax_error_points_at_its_line(tmp_path: Path) -> None:
    shown = raised(tmp_path, "x = 1\ndef f(:\n")
    assert f'File "{tmp_path / "program.py"}", line 2' in shown and "SyntaxError" in shown


def test_every_frame_is_shown_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_TRACEBACK", "full")
    assert "site-packages" in raised(tmp_path, "import pulumi\npulumi.Config('demo').require('zones')\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import pulumi\nraise pulumi.RunError('give a zone')\n", "error: give a zone"),
        ("import sys\nsys.exit(3)\n", "the program ended with exit code 3"),
        (None, "there is no __main__.py in"),
    ],
    ids=["run-error", "exit", "nothing"],
)
def test_a_program_that_ends_badly_fails_the_operation(project: Project, text: str | None, message: str) -> None:
    if text is not None:
        project.program(text)
    assert message in project.up(code=1)


def test_a_missing_virtual_environment_is_named_with_its_remedy(project: Project) -> None:
    project.program("")
    project.settings({"virtualenv": "nowhere"})
    assert f"{project.folder / 'nowhere'} is not a virtual environment: run `pulumi install`" in project.up(code=1)


def test_install_makes_the_virtual_environment_and_shows_how(project: Project) -> None:
    project.program("")
    project.settings({"virtualenv": "own"})
    (project.folder / "requirements.txt").write_text("# nothing\n")
    command = ["pulumi", "install", "--non-interactive"]
    done = subprocess.run(command, cwd=project.folder, env=project.env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.folder / "own/bin/python").exists()
    (project.folder / "requirements.txt").write_text("no-such-file.whl\n")
    done = subprocess.run(command, cwd=project.folder, env=project.env, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "no-such-file.whl" in done.stdout + done.stderr and "pip install -r requirements.txt` failed" in done.stderr


def test_about_names_the_projects_interpreter_and_packages(project: Project) -> None:
    virtual_environment(project.folder / "own")
    project.settings({"virtualenv": "own"})
    project.program("")
    about = json.loads(subprocess.check_output(["pulumi", "about", "--json"], cwd=project.folder, env=project.env))
    assert about["runtime"]["executable"] == str(project.folder / "own/bin/python")
    assert "pulumi_aws" in {package["name"].replace("-", "_") for package in about["dependencies"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, None), ({"virtualenv": "venv"}, "venv"), ({"toolchain": "uv", "virtualenv": "x"}, "x")],
)
def test_where_the_virtual_environment_is(tmp_path: Path, options: dict[str, str], expected: str | None) -> None:
    found = Interpreter(tmp_path, options).virtualenv()
    assert found == (tmp_path / expected if expected else None)


def test_uv_keeps_the_environment_beside_the_workspaces_lock(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    assert Interpreter(tmp_path / "member" / "program", {"toolchain": "uv"}).virtualenv() == tmp_path / ".venv"


def test_an_unknown_toolchain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match=r"toolchain.*'conda'.*pip, poetry, uv"):
        Interpreter(tmp_path, {"toolchain": "conda"}).python()


def test_an_activated_virtual_environment_stays_in_front(rehearsal: Rehearsal, tmp_path: Path) -> None:
    virtual_environment(tmp_path / "mine")
    ambient = {"VIRTUAL_ENV": str(tmp_path / "mine"), "PATH": f"{tmp_path / 'mine/bin'}:/usr/bin:/bin"}
    project = Project(rehearsal, tmp_path / "project", "active", env=rehearsal.environment(ambient))
    project.pulumi("stack", "init")
    project.program("import sys, pulumi\npulumi.export('prefix', sys.prefix)\n")
    project.up()
    assert project.outputs()["prefix"] == str(tmp_path / "mine")
