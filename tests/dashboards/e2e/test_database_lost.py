"""When the database dies, is the right person told the right thing, told of nothing else, and told when it is over?

A real MariaDB, the service's API, Prometheus and Alertmanager; the rules and routes are the generated ones, with
minutes that last a second. Somebody asks for themselves, and a load balancer for readiness. Seconds are printed.
"""

import time
import urllib.parse
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.dashboards.e2e import processes
from tests.dashboards.e2e.processes import LISTEN, asked, until
from tests.service.servers import MariaDB, free_port

FACTOR = 60
KEY = "alerts-end-to-end-key-0123456789-0123456789"


def query(prometheus: str, expression: str) -> list[Any]:
    found: list[Any] = asked(f"{prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")["data"]["result"]
    return found


def listening() -> set[str]:
    """The addresses on which this test's processes listen."""
    children = psutil.Process().children(recursive=True)
    sockets = [one for child in children for one in child.net_connections(kind="inet")]
    return {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}


def caller(database_url: str) -> dict[str, str]:
    """A person in a migrated database: the headers of their requests."""
    import sqlalchemy

    from service.data.columns import new
    from service.data.migrations.run import upgrade
    from service.security.permissions import Role
    from service.security.tokens import Tokens
    from service.settings import Settings
    from service.users.models import User

    settings = Settings(database={"url": database_url}, security={"token_keys": [KEY]})
    upgrade(settings)
    user = User(email="somebody@example.com", name="Somebody", password_hash="-")
    engine = sqlalchemy.create_engine(database_url.replace("asyncmy", "pymysql"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.insert(User), [user.model_dump()])
    engine.dispose()
    return {"authorization": f"Bearer {Tokens(settings).issue(user.id, Role.CREATOR, new())[0]}"}


def test_the_database_dies_and_returns(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("database", "api", "prometheus", "alertmanager")}
    for folder in folders.values():
        folder.mkdir()
    api, metrics, prometheus, manager = (free_port() for _ in range(4))
    at, managed = f"http://{LISTEN}:{prometheus}", f"http://{LISTEN}:{manager}"
    began = time.monotonic()
    with ExitStack() as stack:
        hook = stack.enter_context(processes.webhook())
        port = hook.server_address[1]
        stack.enter_context(processes.alertmanager(folders["alertmanager"], manager, port, FACTOR))
        stack.enter_context(processes.prometheus(folders["prometheus"], prometheus, manager, {"api": metrics}, FACTOR))
        database = MariaDB(folders["database"])
        database.start()
        stack.callback(database.stop)
        url = f"{database.admit()}/watched"
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE watched")
        headers = caller(url)
        environment = {
            "TECNOCURSOS_DATABASE__URL": url,
            "TECNOCURSOS_DATABASE__POOL_TIMEOUT": "1",
            "TECNOCURSOS_SECURITY__TOKEN_KEYS": f'["{KEY}"]',
            "TECNOCURSOS_SECURITY__RATE_FACTOR": "1000000",
            "TECNOCURSOS_MEDIA__FOLDER": str(tmp_path / "media"),
            "TECNOCURSOS_DRAIN_SECONDS": "0",
        }
        stack.enter_context(processes.service(folders["api"], environment, api, metrics))
        until("the API is ready", lambda: asked(f"http://{LISTEN}:{api}/readyz")["status"] == "ready")
        stack.enter_context(processes.load(api, ("/api/v1/users/me", "/api/v1/users/me", "/readyz"), headers))
        until("requests are measured", lambda: query(at, 'slo:error_ratio:rate5m{slo="availability"} == 0'))
        until("the dead man's switch is heard", lambda: "Watchdog" in hook.alerts("heartbeat", "firing"))
        assert not query(at, 'ALERTS{area=~"api|database", alertstate="firing"}')
        assert listening() == {LISTEN}, "nothing is reachable from another machine"
        print(f"\nstarted and measured after {time.monotonic() - began:.1f} s")

        database.stop()
        broken = time.monotonic()
        told = until("DatabaseUnreachable is told", lambda: hook.alerts("page", "firing").get("DatabaseUnreachable"))
        seconds = told["at"] - broken
        print(f"database stopped: told after {seconds:.1f} s, at full length {seconds * FACTOR / 60:.0f} minutes")
        assert told["labels"] == {
            "alertname": "DatabaseUnreachable",
            "area": "database",
            "severity": "page",
            "component": "api",
        }
        rule = _rule("database", "DatabaseUnreachable")
        expected = {**rule["annotations"], "summary": "the api pods cannot reach the database"}
        assert told["annotations"] == expected
        assert (processes.ROOT / expected["runbook"]).is_file()

        def suppressed() -> bool:
            """HighErrorRate fires, and is kept quiet because its cause was told."""
            return any(
                alert["labels"]["alertname"] == "HighErrorRate" and alert["status"]["inhibitedBy"]
                for alert in asked(f"{managed}/api/v2/alerts?inhibited=true")
            )

        until("HighErrorRate is kept quiet", suppressed)
        assert "HighErrorRate" not in hook.alerts("page", "firing")

        database.start()
        repaired = time.monotonic()
        over = until("DatabaseUnreachable is over", lambda: hook.alerts("page", "resolved").get("DatabaseUnreachable"))
        seconds = over["at"] - repaired
        print(f"database started: told over after {seconds:.1f} s, at full length {seconds * FACTOR / 60:.0f} minutes")
        until("requests are answered", lambda: query(at, 'slo:error_ratio:rate5m{slo="availability"} == 0'))
    print(f"all of it: {time.monotonic() - began:.1f} s")


def _rule(file: str, alert: str) -> dict[str, Any]:
    groups = yaml.safe_load((processes.GENERATED / f"rules/{file}.yaml").read_text())["groups"]
    found: dict[str, Any] = next(rule for group in groups for rule in group["rules"] if rule.get("alert") == alert)
    return found
