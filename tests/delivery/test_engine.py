"""Does the runner start the engine as promised: arguments, environment, signals, exit code, clear refusals?"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from delivery import engine

# Stands where `pulumi` stands: writes down how it was called; `up` counts the interruptions it hears.
RECORDER = """#!{python}
import json, os, signal, sys
with open({folder!r} + "/calls.jsonl", "a") as calls:
    seen = [os.environ.get(name) for name in ("PULUMI_DEBUG_COMMANDS", "AWS_PROFILE")]
    calls.write(json.dumps([sys.argv[1:], *seen]) + "\\n")
if sys.argv[1:3] == ["stack", "ls"]:
    print(json.dumps([{{"name": "staging"}}]))
elif sys.argv[1] == "up":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    print("engine is ready", flush=True)
    heard = [signal.sigwait([signal.SIGINT]), signal.sigtimedwait([signal.SIGINT], 0.3)]
    print("interruptions:", 2 - heard.count(None), flush=True)
    sys.exit(1)
elif sys.argv[1] == "destroy":
    sys.exit(4)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (tmp_path / "stacks/Pulumi.dev.yaml").write_text("secretsprovider: awskms://alias/dev\n")
    (tmp_path / "stacks/Pulumi.staging.yaml").write_text("")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/configure.py").write_text("import sys; open(sys.argv[4], 'w').write('{}')")
    pulumi = tmp_path / "bin/pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(RECORDER.format(python=sys.executable, folder=str(tmp_path)))
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pulumi.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CLOUD", "aws")
    monkeypatch.setenv("AWS_PROFILE", "ambient")
    return tmp_path


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "delivery", "run", *arguments]
    return subprocess.Popen(
        line, cwd=checkout, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def calls(checkout: Path) -> list[tuple[list[str], str | None, str | None]]:
    return [tuple(json.loads(line)) for line in (checkout / "calls.jsonl").read_text().splitlines()]


def test_a_real_cloud_gets_the_ambient_environment_and_its_own_secrets_provider(checkout: Path) -> None:
    process = start(checkout, "preview", "--env", "dev", "--", "--target", "urn")
    process.communicate()
    assert process.returncode == 0
    listed, created, preview = calls(checkout)
    assert listed[0] == ["stack", "ls", "--json"]
    assert created[0] == ["stack", "init", "dev", "--no-select", "--secrets-provider", "awskms://alias/dev"]
    assert preview[0][:3] == ["preview", "--stack", "dev"]
    assert preview[0][-2:] == ["--target", "urn"]
    assert "--yes" not in preview[0] and "--config-file" not in preview[0]
    assert preview[1:] == ("true", "ambient")
    assert (checkout / "build/dev/policy.json").read_text() == "{}"
    assert "No changes" in (checkout / "build/dev/report.html").read_text()


def test_an_existing_stack_is_not_created_again_and_the_exit_code_is_the_engines(checkout: Path) -> None:
    process = start(checkout, "destroy", "--env", "staging")
    process.communicate()
    assert process.returncode == 4
    assert [call[0][:2] for call in calls(checkout)] == [["stack", "ls"], ["destroy", "--stack"], ["stack", "export"]]
    assert "--yes" in calls(checkout)[1][0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_reaches_the_engine_once_and_its_answer_is_kept(checkout: Path, number: int) -> None:
    process = start(checkout, "up", "--env", "staging")
    assert process.stdout is not None
    assert process.stdout.readline() == "engine is ready\n"
    process.send_signal(number)
    rest, _ = process.communicate()
    assert rest.splitlines()[0] == "interruptions: 1"
    assert process.returncode == 1
    assert "Deployment was interrupted" in (checkout / "build/staging/report.html").read_text()


def test_the_policy_pack_runs_with_the_environments_profile_wherever_the_engine_takes_one(checkout: Path) -> None:
    target = engine.find("dev", checkout, "rehearsal")
    pack = [
        "--policy-pack",
        str(checkout / "policies"),
        "--policy-pack-config",
        str(checkout / "build/dev/policy.json"),
    ]
    for operation in ("up", "preview"):
        assert engine.command(target, operation, ["--diff"])[-5:] == [*pack, "--diff"]
    for operation in ("refresh", "destroy"):
        assert "--policy-pack" not in engine.command(target, operation, [])


@pytest.mark.parametrize(
    ("environment", "cloud", "message"),
    [("qa", "rehearsal", "there are: dev, staging"), ("dev", "moon", "CLOUD: must be rehearsal or aws")],
)
def test_a_wrong_name_is_refused_with_the_names_there_are(
    checkout: Path, environment: str, cloud: str, message: str
) -> None:
    with pytest.raises(engine.DeliveryError, match=message):
        engine.find(environment, checkout, cloud)


def test_a_refusal_is_one_line_and_exit_code_2(checkout: Path) -> None:
    process = start(checkout, "up", "--env", "qa")
    _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.count("\n") == 1 and errors.startswith("delivery: ENV:")
