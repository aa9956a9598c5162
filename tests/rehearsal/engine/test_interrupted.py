"""Does a stack converge after its engine was interrupted, or killed, in the middle of an operation?"""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rehearsal.engine.setup import wrapper
from rehearsal.paths import interpreter

from .conftest import GATED_PLUGIN, Project, Rehearsal

PROGRAM = """
import pulumi

class Resource(pulumi.CustomResource):
    # Without the SDK of AWS, whose import is most of what a small program costs.
    arn: pulumi.Output[str]

    def __init__(self, kind, name, after, **properties):
        super().__init__(f"aws:{kind}", name, {"arn": None} | properties, pulumi.ResourceOptions(depends_on=after))

first = Resource("s3/bucket:Bucket", "first", [])
second = Resource("s3/bucket:Bucket", "second", [first], tags=TAGS)
third = Resource("ssm/parameter:Parameter", "third", [second], type="SecureString",
                 value=pulumi.Output.secret("hidden-word"))
pulumi.export("arn", second.arn)
"""
WITHOUT_SECOND = PROGRAM.split("second =", maxsplit=1)[0]


class Gate:
    """Where the plugin waits, and how the test meets it there."""

    def __init__(self, folder: Path) -> None:
        self._address = folder / "gate"
        self._keeper = socket.socket(socket.AF_UNIX)
        self._keeper.bind(str(self._address))
        self._keeper.listen()
        self._keeper.settimeout(120)
        self._plugin: socket.socket | None = None

    def environment(self, place: str) -> dict[str, str]:
        return {"GATE": place, "GATE_KEEPER": str(self._address)}

    def wait(self) -> None:
        self._plugin, _ = self._keeper.accept()

    def open(self) -> None:
        assert self._plugin
        self._plugin.sendall(b"!")

    def close(self) -> None:
        self._keeper.close()
        if self._plugin:
            self._plugin.close()


@pytest.fixture(scope="module")
def gated(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """The rehearsal with the gated plugin in the emulated one's place."""
    (plugin,) = rehearsal.paths.home.glob("plugins/resource-aws-*/pulumi-resource-aws")
    original = plugin.read_text()
    command = shlex.join([str(interpreter()), "-I", str(GATED_PLUGIN)])
    plugin.write_text(f'#!/bin/sh\nexec {command} 7.51.1 "$@"\n')
    yield rehearsal
    plugin.write_text(original)
    assert original == wrapper("rehearsal.aws", "7.51.1")


@pytest.fixture
def gate() -> Iterator[Gate]:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        made = Gate(Path(folder))
        yield made
        made.close()


@pytest.fixture
def stopped(gated: Rehearsal, project: Project) -> Project:
    project.program(PROGRAM.replace("TAGS", "{}"))
    return project


def kill_at(project: Project, gate: Gate, place: str, operation: str = "up") -> None:
    """Kill the engine, and nothing else, while the plugin stands at the gate; everything it started ends by itself."""
    project.env |= gate.environment(place)
    process = project.start(operation, "--yes", "--skip-preview")
    gate.wait()
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive, "the killed engine's plugins live on"
    del project.env["GATE"]


def settle(project: Project) -> str:
    return project.rehearsal.command("settle", "--project", project.name, "--stack", project.stack).stderr


def converge(project: Project) -> None:
    """The next run succeeds, and state and world list the same objects with the same inputs."""
    project.up()
    assert project.checkpoint().get("pending_operations") is None
    in_state = {row["id"]: row["inputs"] for row in project.checkpoint()["resources"] if row["type"].startswith("aws:")}
    in_world = {row.id: row.inputs for row in project.world()}
    assert len(in_world) == len(project.world())
    assert in_world.keys() == in_state.keys()
    assert all(in_world[key].get("tags") == in_state[key].get("tags") for key in in_world)


def test_what_was_created_before_the_engine_died_is_adopted(stopped: Project, gate: Gate) -> None:
    kill_at(stopped, gate, "create after second")
    assert list(stopped.rehearsal.paths.locks(stopped.name, "dev").iterdir())
    assert stopped.resources("second") == []
    assert "adopted aws:s3/bucket:Bucket::second" in settle(stopped)
    assert not list(stopped.rehearsal.paths.locks(stopped.name, "dev").iterdir())
    (second,) = stopped.resources("second")
    assert second["outputs"]["arn"] == next(row.outputs["arn"] for row in stopped.world() if row.id == second["id"])
    converge(stopped)
    stopped.pulumi("preview", "--refresh", "--expect-no-changes")
    assert stopped.resources("second")[0]["id"] == second["id"]
    assert stopped.outputs()["arn"] == second["outputs"]["arn"]
    assert settle(stopped) == ""


def test_what_was_not_created_is_forgotten_and_created_again(stopped: Project, gate: Gate) -> None:
    kill_at(stopped, gate, "create before second")
    assert "forgot aws:s3/bucket:Bucket::second" in settle(stopped)
    assert stopped.resources("second") == []
    converge(stopped)


def test_an_adopted_secret_stays_a_secret(stopped: Project, gate: Gate) -> None:
    kill_at(stopped, gate, "create after third")
    settle(stopped)
    (third,) = stopped.resources("third")
    assert third["outputs"]["arn"].startswith("arn:aws:ssm:")
    assert "ciphertext" in third["outputs"]["value"]
    assert "hidden-word" not in stopped.rehearsal.paths.checkpoint(stopped.name, "dev").read_text()
    converge(stopped)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_update_is_read_again_and_finished(stopped: Project, gate: Gate, when: str) -> None:
    stopped.up()
    stopped.program(PROGRAM.replace("TAGS", "{'owner': 'platform'}"))
    kill_at(stopped, gate, f"update {when} second")
    assert "read again aws:s3/bucket:Bucket::second" in settle(stopped)
    tags = stopped.resources("second")[0]["outputs"].get("tags", {})
    assert tags == ({"owner": "platform"} if when == "after" else {})
    converge(stopped)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_deletion_is_read_again_and_finished(stopped: Project, gate: Gate, when: str) -> None:
    stopped.up()
    stopped.program(WITHOUT_SECOND)
    kill_at(stopped, gate, f"delete {when} second")
    settle(stopped)
    assert len(stopped.resources("second")) == (1 if when == "before" else 0)
    converge(stopped)


def test_an_interrupted_destroy_ends_in_an_empty_world(stopped: Project, gate: Gate) -> None:
    stopped.up()
    kill_at(stopped, gate, "delete after second", "destroy")
    settle(stopped)
    stopped.pulumi("destroy", "--yes", "--skip-preview")
    assert stopped.world() == []


def test_opening_a_stack_settles_it(stopped: Project, gate: Gate) -> None:
    kill_at(stopped, gate, "create after second")
    source = stopped.folder / "Pulumi.dev.yaml"
    arguments = ("--project", stopped.name, "--stack", "dev", "--config", str(source))
    copy = stopped.rehearsal.command("open", *arguments).stdout.strip()
    stopped.pulumi("up", "--yes", "--skip-preview", "--config-file", copy)
    converge(stopped)


def test_one_interrupt_lets_the_operation_end_and_the_next_run_converges(stopped: Project, gate: Gate) -> None:
    stopped.env |= gate.environment("create after second")
    process = stopped.start("up", "--yes", "--skip-preview")
    gate.wait()
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does
    gate.open()
    process.communicate()
    assert process.returncode != 0
    del stopped.env["GATE"]
    assert len(stopped.resources("second")) == 1
    assert stopped.resources("third") == []
    assert settle(stopped) == ""
    converge(stopped)


def test_two_interrupts_stop_at_once_and_the_next_run_converges(stopped: Project, gate: Gate) -> None:
    stopped.env |= gate.environment("create after second")
    process = stopped.start("up", "--yes", "--skip-preview")
    gate.wait()
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout
    assert any("cancelling" in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGINT)
    gate.open()
    process.communicate()
    assert process.returncode != 0
    psutil.wait_procs(started, timeout=60)
    del stopped.env["GATE"]
    settle(stopped)
    converge(stopped)


def test_a_stack_at_work_is_left_alone(stopped: Project, gate: Gate) -> None:
    stopped.env |= gate.environment("create after second")
    process = stopped.start("up", "--yes", "--skip-preview")
    gate.wait()
    refused = stopped.rehearsal.command("settle", "--project", stopped.name, "--stack", "dev", check=False)
    assert refused.returncode == 1
    assert f"process {process.pid} is at work on this stack" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    gate.open()
    process.communicate()
    assert process.returncode == 0


def test_the_lock_of_another_machine_is_left_alone(stopped: Project) -> None:
    lock = stopped.rehearsal.paths.locks(stopped.name, "dev") / "other.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"pid": 1, "username": "someone", "hostname": "elsewhere.invalid", "timestamp": ""}))
    refused = stopped.rehearsal.command("settle", "--project", stopped.name, "--stack", "dev", check=False)
    assert refused.returncode == 1
    assert "elsewhere.invalid" in refused.stderr and "pulumi cancel" in refused.stderr
    assert lock.exists()


def test_plain_pulumi_still_warns_of_the_interruption(stopped: Project, gate: Gate) -> None:
    kill_at(stopped, gate, "create after second")
    assert "the stack is currently locked by 1 lock(s)" in stopped.up(code=1)
    subprocess.run(["pulumi", "cancel", "--yes", "-s", "dev"], cwd=stopped.folder, env=stopped.env, check=True)
    assert "1 pending operations from previous deployment" in stopped.up()


@pytest.mark.parametrize(
    "place", ["create before second", "create after second", "update after first"], ids=["unmade", "made", "changed"]
)
def test_a_killed_plugin_leaves_a_stack_that_converges(stopped: Project, gate: Gate, place: str) -> None:
    if place.startswith("update"):
        stopped.up()
        stopped.program(PROGRAM.replace("TAGS", "{}").replace('"first", []', '"first", [], tags={"owner": "platform"}'))
    stopped.env |= gate.environment(place)
    process = stopped.start("up", "--yes", "--skip-preview")
    gate.wait()
    for child in psutil.Process(process.pid).children(recursive=True):
        # Short-lived ones (a version query, say) may end between the listing and the look.
        with contextlib.suppress(psutil.NoSuchProcess):
            if str(GATED_PLUGIN) in child.cmdline():
                child.kill()
    output, _ = process.communicate()
    assert process.returncode != 0, output
    del stopped.env["GATE"]
    settle(stopped)
    converge(stopped)
