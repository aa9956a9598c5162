"""Does `CLOUD=aws` work up to the cloud itself? Ambient credentials, official plugins' names, S3 and KMS.

S3 and KMS are moto's; the AWS provider is the emulated one under the official plugin's name, in a home of its own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from delivery import account, engine
from delivery.engine import Ended, Target
from rehearsal.engine.setup import wrapper
from rehearsal.paths import Paths

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = {"aws": "7.51.1", "kubernetes": "4.25.0"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """The address of S3 and KMS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="module")
def ambient(cloud: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a workflow's job or a person's shell has: credentials, the CLI on PATH, plugins in its home."""
    folder = tmp_path_factory.mktemp("ambient")
    subprocess.run(
        [sys.executable, "-m", "rehearsal", "setup", "--quiet"],
        cwd=ROOT,
        env=os.environ | {"REHEARSAL_DIR": str(folder / "rehearsal"), "KUBERNETES": "schema"},
        check=True,
    )
    paths = Paths("schema", folder / "rehearsal")
    home = folder / "home"
    for name, version in PLUGINS.items():
        plugin = home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
        plugin.parent.mkdir(parents=True)
        plugin.write_text(wrapper(f"rehearsal.{name}", version))
        plugin.chmod(0o755)
    for language in (paths.home / "plugins").glob("*python*"):
        shutil.copytree(language, home / "plugins" / language.name)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    return kept | {
        "PATH": os.pathsep.join([str(paths.bin), os.environ["PATH"]]),
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "REHEARSAL_WORLD": str(folder / "world"),
        "CLOUD": "aws",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": cloud,
    }


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose settings the engine may write into: it adds the key of the secrets provider."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("bootstrap", "stacks"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("policies", "Pulumi.yaml", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def make_what_the_program_made(ambient: dict[str, str], settings: dict[str, Any]) -> None:
    """The bucket and the key where the engine looks for them: on AWS they are the ones that were just deployed."""
    options = {"endpoint_url": ambient["AWS_ENDPOINT_URL"], "region_name": "us-east-1"}
    options |= {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    bucket = settings["config"]["tecnocursos:place"]["backend"].removeprefix("s3://").partition("?")[0]
    boto3.client("s3", **options).create_bucket(Bucket=bucket)
    kms = boto3.client("kms", **options)
    alias = settings["secretsprovider"].removeprefix("awskms://").partition("?")[0]
    kms.create_alias(AliasName=alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])


def test_an_account_is_bootstrapped_and_its_estate_previewed(
    ambient: dict[str, str], checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = engine.find("dev", checkout, "aws", account.ROOM)
    env = engine.variables(target, ambient)
    assert env["PULUMI_BACKEND_URL"].startswith("s3://") and "PULUMI_CONFIG_PASSPHRASE" not in env
    engine.configure_policies(target, env)
    settings = yaml.safe_load(target.stack_file.read_text())
    ran: list[tuple[str, str]] = []
    real = engine.run

    def run(where: Target, operation: str, env: dict[str, str], extra: Sequence[str], log: Any = None) -> Ended:
        ended = real(where, operation, env, extra, log)
        ran.append((operation, env["PULUMI_BACKEND_URL"].partition(":")[0]))
        if len(ran) == 1:
            make_what_the_program_made(ambient, settings)
        return ended

    monkeypatch.setattr(engine, "run", run)
    log = tmp_path / "log"
    for _ in range(2):
        with log.open("a") as said:
            ended = account.bootstrap(target, env, ["--skip-preview"], said)
        assert ended.code == 0, log.read_text()
    assert ran == [("up", "file"), ("up", "s3")]
    assert not account._folder(target, env).exists()
    assert "encryptedkey" in yaml.safe_load(target.stack_file.read_text())

    line = [sys.executable, "-m", "delivery", "run", "preview", "--env", "dev"]
    done = subprocess.run(line, cwd=checkout, env=ambient, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "to create" in done.stdout and (checkout / "build/dev/report.html").exists()


def test_a_backend_that_refuses_is_not_taken_for_one_that_is_missing(ambient: dict[str, str], checkout: Path) -> None:
    target = engine.find("staging", checkout, "aws", account.ROOM)
    env = engine.variables(target, ambient) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with pytest.raises(engine.DeliveryError, match="cannot be opened"):
        account.bootstrap(target, env, [])
    assert not account._folder(target, env).exists()
