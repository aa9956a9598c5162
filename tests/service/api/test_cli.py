"""Do the commands do what their help says, and fail with one clear line?"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy
from sqlalchemy.engine import make_url

from service import __main__ as cli
from service.settings import PREFIX

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def restored(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands configure the log of their process."""
    monkeypatch.setenv(f"{PREFIX}LOGS__SINK", "file")
    monkeypatch.setenv(f"{PREFIX}LOGS__FILE", str(tmp_path / "log"))
    yield
    from service.telemetry import logs

    logs.configure(served.state.runtime.settings.logs, served.state.runtime.sink)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    for command in ("api", "serve", "migrate", "bootstrap-database", "sweep", "settings", "openapi"):
        assert command in text


def test_migrate_and_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}/x.sqlite")
    assert cli.main(["migrate"]) == 0
    assert cli.main(["sweep"]) == 0
    assert "expired refresh tokens: 0" in capsys.readouterr().out


def test_granting_administration_needs_an_account(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", f"sqlite+aiosqlite:///{tmp_path}/x.sqlite")
    assert cli.main(["migrate"]) == 0
    assert cli.main(["grant-admin", "ana@example.com"]) == 2
    assert "register it first" in capsys.readouterr().err
    with sqlite3.connect(tmp_path / "x.sqlite") as database:
        values = "VALUES ('1', '2026-01-01', '2026-01-01', 1, 'ana@example.com', 'Ana', '!', 'creator', 1)"
        columns = "(id, created_at, updated_at, version, email, name, password_hash, role, active)"
        database.execute(f"INSERT INTO user {columns} {values}")
    assert cli.main(["grant-admin", "Ana@example.com"]) == 0
    with sqlite3.connect(tmp_path / "x.sqlite") as database:
        assert database.execute("SELECT role FROM user").fetchall() == [("admin",)]


def test_refused_settings_are_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}ENVIRONMENT", "production")
    monkeypatch.setenv(f"{PREFIX}DATABASE__POOL_SIZE", "many")
    assert cli.main(["migrate"]) == 2
    assert "database.pool_size: Input should be a valid integer" in capsys.readouterr().err
    assert cli.main(["serve"]) == 2


def test_serve_is_for_dev_only(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv(f"{PREFIX}ENVIRONMENT", "staging")
    assert cli.main(["serve"]) == 2
    assert "for dev only" in capsys.readouterr().err


def test_settings_and_openapi_are_printed(capsysbinary: Any) -> None:
    assert cli.main(["settings"]) == 0
    assert b"TECNOCURSOS_DATABASE__POOL_SIZE" in capsysbinary.readouterr().out
    assert cli.main(["openapi"]) == 0
    assert orjson.loads(capsysbinary.readouterr().out)["info"]["title"] == "TecnoCursos API"


@pytest.fixture
def empty_server(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker_id: str
) -> Iterator[tuple[str, list[str]]]:
    """The URL of a database that is not there yet, and the command that makes it; what it made is gone afterwards."""
    secret = tmp_path / "master"
    arguments = ["bootstrap-database", "--master-password-file", str(secret)]
    if backend == "sqlite":
        secret.write_text("x")
        yield "sqlite", arguments
        return
    master = make_url(os.environ["TECNOCURSOS_TEST_MYSQL"])
    secret.write_text(orjson.dumps({"username": master.username, "password": master.password}).decode())
    name = f"boot_{worker_id}"
    url = f"mysql+asyncmy://{name}@{master.host}:{master.port}/{name}"
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", url)
    monkeypatch.setenv(f"{PREFIX}DATABASE__PASSWORD", "first-password")
    yield url, arguments
    admin = sqlalchemy.create_engine(master.set(drivername="mysql+pymysql"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
        connection.exec_driver_sql(f"DROP USER IF EXISTS {name}, {name}_m")
    admin.dispose()


def refused(url: str, password: str, *statements: str) -> None:
    engine = sqlalchemy.create_engine(url.replace("asyncmy", "pymysql").replace("@", f":{password}@", 1))
    with engine.connect() as connection:
        for forbidden in statements:
            with pytest.raises(sqlalchemy.exc.DBAPIError, match="denied"):
                connection.exec_driver_sql(forbidden)
    engine.dispose()


def test_bootstrap_makes_a_user_that_can_migrate_and_nothing_else(
    empty_server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, arguments = empty_server
    if url == "sqlite":
        assert cli.main(arguments) == 2
        return
    assert cli.main(arguments) == 0
    assert cli.main(["migrate"]) == 0
    monkeypatch.setenv(f"{PREFIX}DATABASE__PASSWORD", "rotated")
    assert cli.main(arguments) == 0, "repeating it renews the password"
    assert cli.main(["migrate"]) == 0
    refused(url, "rotated", "SELECT * FROM mysql.user", "CREATE DATABASE other", "CREATE USER x")


def test_beside_a_migrator_the_services_user_reads_and_writes_rows_only(
    empty_server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, arguments = empty_server
    if url == "sqlite":
        assert cli.main([*arguments, "--migrator", "other"]) == 2
        return
    name = url.rpartition("/")[2]
    assert cli.main([*arguments, "--migrator", f"{name}_m"]) == 0
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", url.replace(f"{name}@", f"{name}_m@"))
    assert cli.main(["migrate"]) == 0
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", url)
    assert cli.main(["sweep"]) == 0
    refused(url, "first-password", "DROP TABLE users", "ALTER TABLE users ADD x INT", "CREATE TABLE x (y INT)")


def test_serve_prints_what_works_and_ctrl_c_stops_it(tmp_path: Path) -> None:
    """The three curl lines are run as they are printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-u", "-m", "service", "serve", "--port", _port(), "--metrics-port", _port()]
    child = subprocess.Popen(
        command, cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        lines = []
        while len([line for line in lines if "curl" in line]) < 3:
            line = child.stdout.readline()
            assert line, f"serve ended: {lines}"
            lines.append(line)
        url = re.findall(r"http://[\d.:]+", lines[0])[0]
        _wait(f"{url}/readyz")
        shell = "".join(line for line in lines if "curl" in line).replace("curl ", "curl -sS ")
        done = subprocess.run(["bash", "-euc", shell], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert '"title":"Olá"' in done.stdout and '"items":[{' in done.stdout
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(30) in {0, 130, -signal.SIGINT}


def _port() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _wait(url: str) -> None:
    import time

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (our own address)
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)
