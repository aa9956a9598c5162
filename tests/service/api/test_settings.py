"""Are settings read from every source, refused when unsafe, and taken over without a restart?"""

import os
import signal
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from pydantic import SecretStr, ValidationError

from service import reload, settings_reference
from service.runtime import Runtime
from service.security.permissions import Role
from service.settings import Environment, Settings, explain

KEY = "0123456789abcdef0123456789abcdef"
SAFE: dict[str, Any] = {
    "environment": "production",
    "database": {
        "url": "mysql+asyncmy://app@db/tecnocursos",
        "certificate_authority": "/etc/ca.pem",
        "authentication": "iam",
    },
    "cache": {"url": "rediss://cache:6379/0", "authentication": "iam", "user": "service", "name": "cache"},
    "media": {"bucket": "media"},
    "worker": {"broker": "sqs://"},
    "security": {"token_keys": [KEY], "cors_origins": ["https://app.example"]},
}


def changed(**change: Any) -> dict[str, Any]:
    return SAFE | {name: SAFE.get(name, {}) | value for name, value in change.items()}


def test_a_safe_production_is_accepted() -> None:
    assert Settings(**SAFE).environment is Environment.PRODUCTION


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"security": {"token_keys": []}}, "token_keys is empty"),
        ({"security": {"token_keys": ["short"]}}, "token_keys holds one below 32"),
        ({"security": {"token_keys": ["a" * 40]}}, "easily guessed"),
        ({"security": {"cors_origins": ["*"]}}, "cors_origins allows every origin"),
        ({"security": {"cors_origins": ["http://app.example"]}}, "plain origin"),
        ({"security": {"rate_factor": 100}}, "rate_factor"),
        ({"database": {"url": "sqlite+aiosqlite:///x"}}, "database.url is SQLite"),
        ({"database": {"url": "mysql+asyncmy://a:hunter2@db/t"}}, "carries a password"),
        ({"database": {"certificate_authority": None}}, "certificate_authority"),
        ({"cache": {"url": None}}, "cache.url is unset"),
        ({"cache": {"url": "redis://cache"}}, "no TLS"),
        ({"media": {"bucket": None}}, "bucket is unset"),
        ({"worker": {"broker": "memory://"}}, "worker.broker is memory://"),
    ],
)
def test_unsafe_values_are_refused_by_name_outside_dev(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**changed(**change))
    text = explain(refused.value)
    assert named in text and "hunter2" not in text and KEY not in text
    Settings(**(changed(**change) | {"environment": "dev"}))


def test_dev_makes_a_key_of_its_own_each_time() -> None:
    one, two = Settings().security.token_keys, Settings().security.token_keys
    assert one != two and len(one[0].get_secret_value()) >= 32


def test_environment_wins_over_files_over_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aws: Any) -> None:
    boto3.client("secretsmanager", region_name="us-east-1").create_secret(
        Name="service",
        SecretString=orjson.dumps({"database__password": "aws", "database__pool_size": 3, "version": "aws"}).decode(),
    )
    (tmp_path / "database__password").write_text("file")
    (tmp_path / "version").write_text("file")
    monkeypatch.setenv("TECNOCURSOS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TECNOCURSOS_AWS_SECRET", "service")
    monkeypatch.setenv("TECNOCURSOS_VERSION", "environment")
    settings = Settings()
    assert settings.version == "environment"
    assert settings.database.password == SecretStr("file")
    assert settings.database.pool_size == 3


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1" if "REGION" in name else "testing")
    with mock_aws():
        yield


def test_no_secret_is_printed() -> None:
    settings = Settings(**changed(database={"password": "hunter2"}))
    assert "hunter2" not in f"{settings!r} {settings}" and KEY not in repr(settings)


def test_the_list_of_settings_names_all_and_shows_no_secret() -> None:
    rows = {name: (kind, default) for name, kind, default, _ in settings_reference.rows(Settings)}
    assert rows["TECNOCURSOS_DATABASE__POOL_SIZE"] == ("int", "16")
    assert rows["TECNOCURSOS_SECURITY__TOKEN_KEYS"][0] == "secret"
    assert len(rows) > 30


async def test_a_new_key_signs_at_once_and_old_tokens_still_work(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = runtime.settings
    old_key = before.security.token_keys[0].get_secret_value()
    token, _ = runtime.tokens.issue("u" * 32, Role.CREATOR, "s")
    monkeypatch.setenv("TECNOCURSOS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TECNOCURSOS_DATABASE__URL", before.database.url)
    (tmp_path / "security__token_keys").write_text(orjson.dumps([KEY, old_key]).decode())
    assert await reload.reload(runtime)
    try:
        assert runtime.tokens.verify(token) is not None
        fresh, _ = runtime.tokens.issue("u" * 32, Role.CREATOR, "s")
        assert fresh.split(".")[0] != token.split(".")[0]
        (tmp_path / "security__token_keys").write_text(orjson.dumps([KEY]).decode())
        assert await reload.reload(runtime)
        assert runtime.tokens.verify(token) is None and runtime.tokens.verify(fresh) is not None
    finally:
        await runtime.reconfigure(before)


async def test_refused_settings_change_nothing(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, log: Any) -> None:
    before = runtime.settings
    monkeypatch.setenv("TECNOCURSOS_ENVIRONMENT", "production")
    assert not await reload.reload(runtime)
    assert runtime.settings is before
    monkeypatch.setenv("TECNOCURSOS_SECURITY", "{not json")
    assert not await reload.reload(runtime)
    assert [row["level"] for row in log()][-2:] == ["error", "error"]


@pytest.mark.parametrize("way", ["signal", "file"])
async def test_a_signal_or_a_changed_file_reloads(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    import asyncio

    reloaded = asyncio.Event()

    async def note(_: Runtime) -> bool:
        reloaded.set()
        return True

    monkeypatch.setenv("TECNOCURSOS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setattr(reload, "reload", note)
    monkeypatch.setattr(reload, "LOOK_EVERY", 0.01)
    task = asyncio.create_task(reload.watch(runtime))
    await asyncio.sleep(0)
    if way == "signal":
        os.kill(os.getpid(), signal.SIGHUP)
    else:
        (tmp_path / "version").write_text("2")
    await asyncio.wait_for(reloaded.wait(), 20)
    task.cancel()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
