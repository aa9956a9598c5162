"""Does the rehearsal's environment lead nowhere but here: no other plugin, credential, cluster, backend or network?"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.paths import ROOT

from .conftest import Project, Rehearsal, in_loopback_only

PROGRAM = """
import json, os, pathlib
import pulumi

pulumi.CustomResource("aws:s3/bucket:Bucket", "media", {})
pulumi.CustomResource("kubernetes:core/v1:ConfigMap", "settings", {
    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default"}, "data": {"a": "b"}
})
pulumi.export("aws", sorted(name for name in os.environ if name.startswith("AWS_")))
pulumi.export("kubeconfig", pathlib.Path(os.environ["KUBECONFIG"]).read_text())
"""


@dataclass
class Decoys:
    """A person's machine: plugins, credentials and a kubeconfig that must stay untouched, and who would hear of it."""

    folder: Path
    port: int
    heard: list[str]

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            "KUBECONFIG": str(self.folder / ".kube/config"),
            "AWS_ACCESS_KEY_ID": "AKIADECOY",
            "AWS_SECRET_ACCESS_KEY": "decoy",
            "AWS_SESSION_TOKEN": "decoy",
            "AWS_PROFILE": "decoy",
            "AWS_REGION": "eu-decoy-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "PULUMI_ACCESS_TOKEN": "decoy",
            "PULUMI_BACKEND_URL": f"http://127.0.0.1:{self.port}",
            "PULUMI_HOME": str(self.folder / ".pulumi"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase"),
            "PULUMI_OPTION_CONFIG_FILE": str(self.folder / "other.yaml"),
        }

    def touched(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "touched").iterdir())


@pytest.fixture
def decoys(tmp_path: Path) -> Iterator[Decoys]:
    folder = tmp_path / "person"
    for name in ("bin", ".kube", ".aws", "touched", ".pulumi/plugins/resource-aws-v99.0.0"):
        (folder / name).mkdir(parents=True)
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])

        def listen() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    if data := connection.recv(16):
                        heard.append(data.decode(errors="replace"))
                    else:
                        return

        thread = threading.Thread(target=listen)
        thread.start()
        script = f'#!/bin/sh\ntouch "{folder}/touched/$(basename "$0")"\nexit 1\n'
        for plugin in (
            "bin/pulumi-resource-aws",
            "bin/pulumi-resource-kubernetes",
            "bin/pulumi-language-python",
            "bin/pulumi-analyzer-policy",
            "bin/aws",
            ".pulumi/plugins/resource-aws-v99.0.0/pulumi-resource-aws",
        ):
            (folder / plugin).write_text(script)
            (folder / plugin).chmod(0o755)
        server = f"https://127.0.0.1:{port}"
        (folder / ".kube/config").write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "mine",
                    "contexts": [{"name": "mine", "context": {"cluster": "mine", "user": "mine"}}],
                    "clusters": [{"name": "mine", "cluster": {"server": server}}],
                    "users": [{"name": "mine", "user": {"token": "decoy"}}],
                }
            )
        )
        (folder / ".aws/credentials").write_text("[decoy]\naws_access_key_id = AKIADECOY\naws_secret_access_key = x\n")
        yield Decoys(folder, port, heard)
        with socket.create_connection(("127.0.0.1", port)) as farewell:
            farewell.shutdown(socket.SHUT_WR)
            thread.join()


def test_decoys_on_the_persons_machine_stay_untouched(rehearsal: Rehearsal, decoys: Decoys, tmp_path: Path) -> None:
    project = Project(rehearsal, tmp_path / "project", "decoys")
    project.env = rehearsal.environment(decoys.environment())
    project.program(PROGRAM)
    project.pulumi("stack", "init")
    project.up()
    outputs = project.outputs()
    assert outputs["aws"] == []
    assert outputs["kubeconfig"] == "apiVersion: v1\nkind: Config\n"
    assert decoys.touched() == []
    assert decoys.heard == []
    assert {row.token for row in project.world()} == {"aws:s3/bucket:Bucket", "kubernetes:core/v1:ConfigMap"}
    before = {path for path in decoys.folder.rglob("*") if path.is_file()}
    assert not [path for path in before if "credentials.json" in path.name or "workspaces" in path.parts]


def test_the_shell_lines_and_the_object_say_the_same(rehearsal: Rehearsal, decoys: Decoys) -> None:
    ambient = decoys.environment()
    lines = rehearsal.command("env", env=ambient).stdout
    script = f"set -eu\n{lines}\nexec env -0"
    shown = subprocess.run(["bash", "-c", script], env=ambient, check=True, capture_output=True, text=True).stdout
    in_shell = dict(item.split("=", 1) for item in shown.split("\0") if item)
    expected = rehearsal.environment(ambient)
    bookkeeping = {"_", "SHLVL", "PWD", "OLDPWD", "REHEARSAL_DIR"}
    assert {k: v for k, v in in_shell.items() if k not in bookkeeping} == {
        k: v for k, v in expected.items() if k not in bookkeeping
    }


def test_an_environment_made_twice_is_the_same(rehearsal: Rehearsal) -> None:
    once = rehearsal.environment()
    assert rehearsal.environment(once) == once


def test_each_kubernetes_mode_has_its_own_home_state_and_world(rehearsal: Rehearsal) -> None:
    schema = rehearsal.environment(os.environ | {"KUBERNETES": "schema"})
    assert schema["REHEARSAL_WORLD"] == str(rehearsal.base / "world")
    refused = rehearsal.command("env", env=os.environ | {"KUBERNETES": "maybe"}, check=False)
    assert refused.returncode == 1
    assert refused.stderr == "rehearsal: KUBERNETES is 'maybe': it must be one of schema, real, live\n"


def test_without_a_set_up_the_remedy_is_one_line(tmp_path: Path) -> None:
    for arguments in (["env"], ["shell"], ["settle", "--project", "p", "--stack", "s"]):
        refused = Rehearsal(tmp_path).command(*arguments, check=False)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "rehearsal: not set up: run `python -m rehearsal setup`\n"


def test_nothing_leaves_the_machine(rehearsal: Rehearsal, tmp_path: Path) -> None:
    project = Project(rehearsal, tmp_path / "project", "loopback")
    project.program(PROGRAM)
    steps = "pulumi stack init dev && pulumi up --yes && pulumi refresh --yes && pulumi destroy --yes"
    done = subprocess.run(
        in_loopback_only("bash", "-c", steps),
        cwd=project.folder,
        env=project.env | {"PULUMI_STACK": project.stack},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "packets without a route: 0" in done.stdout


def test_the_loopback_test_notices_an_attempt_to_leave(rehearsal: Rehearsal) -> None:
    attempt = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))"
    done = subprocess.run(in_loopback_only(sys.executable, "-c", attempt), check=False, capture_output=True, cwd=ROOT)
    assert done.returncode != 0
    quiet = subprocess.run(in_loopback_only("true"), check=False, capture_output=True, cwd=ROOT)
    assert quiet.returncode == 0
