"""What does the rehearsal add to the engine? 300 resources: the emulated plugin against one that does nothing.

Same program, same run, rounds taken in turn; the smallest of each is shown, since noise only adds. CPU seconds cover
the engine, the language host, the program and the plugin. The goal is 1.3 times for preview and up, 0.6 s for a start.
In `up` the engine writes every object's outputs at each checkpoint, and a plugin that does nothing has none: with
PULUMI_EXPERIMENTAL=true PULUMI_SKIP_CHECKPOINTS=true it writes none, and what is left is the plugin's own.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DO_NOTHING = ROOT / "benchmarks" / "support" / "do_nothing_plugin.py"
PROGRAM = """
import pulumi
import pulumi_aws as aws

vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
for i in range(40):
    aws.ec2.Subnet(f"subnet-{i}", vpc_id=vpc.id, cidr_block=f"10.0.{i}.0/24", availability_zone="us-east-1a")
for i in range(43):
    group = aws.ec2.SecurityGroup(f"group-{i}", vpc_id=vpc.id, description="a group", tags={"owner": "platform"})
    aws.vpc.SecurityGroupIngressRule(
        f"rule-{i}", security_group_id=group.id, ip_protocol="tcp", from_port=443, to_port=443, cidr_ipv4="10.0.0.0/16"
    )
for i in range(43):
    bucket = aws.s3.Bucket(f"bucket-{i}", tags={"owner": "platform"})
    aws.s3.BucketVersioning(f"versioning-{i}", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
for i in range(43):
    aws.ssm.Parameter(f"parameter-{i}", type="String", value=pulumi.Output.concat("of ", vpc.id))
for i in range(43):
    aws.cloudwatch.LogGroup(f"log-{i}", retention_in_days=30)
"""
OPERATIONS = {
    "preview": ["preview"],
    "up": ["up", "--yes", "--skip-preview"],
    "preview again": ["preview", "--expect-no-changes"],
}
PLUGINS = ("do-nothing", "rehearsal")


def timed(command: Sequence[str], folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command and everything it waited for."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{shlex.join(command)} failed:\n{output.read()}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime


def environment(base: Path) -> dict[str, str]:
    ambient = os.environ | {"REHEARSAL_DIR": str(base)}
    rehearsal = [sys.executable, "-m", "rehearsal"]
    subprocess.run([*rehearsal, "setup", "--quiet"], cwd=ROOT, env=ambient, check=True)
    changes = json.loads(subprocess.check_output([*rehearsal, "env", "--json"], cwd=ROOT, env=ambient))
    return {name: value for name, value in (ambient | changes).items() if value is not None}


def start_seconds(plugin: Path, rounds: int) -> float:
    """From the start of the process to the port it prints."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        with subprocess.Popen([plugin], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            found.append(time.perf_counter() - started)
            process.terminate()
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch, name) for name in PLUGINS}
        envs = {name: environment(folder) for name, folder in folders.items()}
        plugins = {}
        for name, folder in folders.items():
            (plugins[name],) = folder.glob("home/plugins/resource-aws-*/pulumi-resource-aws")
        floor = shlex.join([str(ROOT / ".venv/bin/python"), "-I", str(DO_NOTHING), "7.51.1"])
        plugins["do-nothing"].write_text(f'#!/bin/sh\nexec {floor} "$@"\n')
        project = Path(scratch, "project")
        project.mkdir()
        (project / "Pulumi.yaml").write_text("name: overhead\nruntime: python\n")
        (project / "__main__.py").write_text(PROGRAM)
        seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for number in range(options.rounds):
            for name in PLUGINS:
                stack = f"round-{number}"
                timed(["pulumi", "stack", "init", stack], project, envs[name])
                timed(["pulumi", "config", "set", "aws:region", "us-east-1", "--stack", stack], project, envs[name])
                for operation, arguments in OPERATIONS.items():
                    command = ["pulumi", *arguments, "--stack", stack, "--non-interactive"]
                    seconds.setdefault((operation, name), []).append(timed(command, project, envs[name]))
                (project / f"Pulumi.{stack}.yaml").unlink()
        print(f"300 resources, {options.rounds} rounds     do-nothing    rehearsal   ratio")
        for operation in OPERATIONS:
            for kind, measure in enumerate(("wall", "CPU")):
                low, own = (min(row[kind] for row in seconds[operation, name]) for name in PLUGINS)
                print(f"{operation:14s} {measure:4s} seconds {low:12.2f} {own:12.2f} {own / low:7.2f}")
        low, own = (start_seconds(plugins[name], 5) for name in PLUGINS)
        print(f"plugin start   wall seconds {low:12.2f} {own:12.2f} {own / low:7.2f}")


if __name__ == "__main__":
    main()
