"""Do IAM tokens open database and cache? Signed here, renewed in time, asked for at every new connection."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import sqlalchemy
from moto import mock_aws

from service.data import bootstrap, credentials
from service.data.credentials import FixedCredentials, IamCredentials, Renewed, cache_credentials, database_password
from service.data.database import set_password_on_connect
from service.settings import CacheSettings, DatabaseSettings, Settings


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def test_a_database_token_is_a_signed_connect_request() -> None:
    url = "mysql+asyncmy://app@proxy.example:3307/t"
    password = database_password(DatabaseSettings(url=url, authentication="iam"), "us-east-1")
    token = urlsplit("https://" + password())
    query = parse_qs(token.query)
    assert token.netloc == "proxy.example:3307"
    assert (query["Action"], query["DBUser"], query["X-Amz-Expires"]) == (["connect"], ["app"], ["900"])
    assert "/us-east-1/rds-db/aws4_request" in query["X-Amz-Credential"][0] and query["X-Amz-Signature"]


def test_a_cache_token_is_a_signed_connect_request_without_scheme() -> None:
    settings = CacheSettings(url="rediss://cache:6379", authentication="iam", user="service", name="tc-cache")
    made = cache_credentials(settings, "us-east-1")
    assert isinstance(made, IamCredentials)
    user, password = made.get_credentials()
    assert user == "service" and password.startswith("tc-cache/?")
    query = parse_qs(urlsplit("http://" + password).query)
    assert (query["Action"], query["User"], query["X-Amz-Expires"]) == (["connect"], ["service"], ["900"])
    assert "/us-east-1/elasticache/aws4_request" in query["X-Amz-Credential"][0]


def test_a_cache_token_needs_user_and_name() -> None:
    with pytest.raises(ValueError, match=r"cache\.user and cache\.name"):
        cache_credentials(CacheSettings(url="rediss://c", authentication="iam"), "us-east-1")


def test_tokens_are_renewed_before_they_expire() -> None:
    now, made = 0.0, 0

    def sign() -> str:
        nonlocal made
        made += 1
        return f"token-{made}"

    token = Renewed(sign, lambda: now)
    assert token() == token() == "token-1"
    now = credentials.RENEW_AFTER
    assert token() == "token-2"
    assert credentials.TOKEN_SECONDS - credentials.RENEW_AFTER >= 300  # what is handed out lives long enough to be used


def test_configured_passwords_are_used_as_they_are() -> None:
    assert database_password(DatabaseSettings(password="p"), "us-east-1")() == "p"
    assert database_password(DatabaseSettings(), "us-east-1")() == ""
    assert FixedCredentials(CacheSettings(password="p")).get_credentials() == ("p",)
    assert FixedCredentials(CacheSettings(password="p", user="u")).get_credentials() == ("u", "p")
    assert isinstance(cache_credentials(CacheSettings(password="p"), "us-east-1"), FixedCredentials)
    assert cache_credentials(CacheSettings(), "us-east-1") is None


def test_every_new_connection_asks_for_the_password() -> None:
    seen: list[Any] = []
    engine = sqlalchemy.create_engine("mysql+pymysql://app@127.0.0.1:1/t", poolclass=sqlalchemy.pool.NullPool)
    passwords = iter(["one", "two"])
    set_password_on_connect(engine, lambda: next(passwords))

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def note(_: Any, __: Any, ___: Any, parameters: dict[str, Any]) -> None:
        seen.append(parameters["password"])

    for _ in range(2):
        with pytest.raises(sqlalchemy.exc.OperationalError):
            engine.connect()
    assert seen == ["one", "two"]


URL = "mysql+asyncmy://app@db/tecnocursos"


def test_the_users_statements_for_iam_and_tls() -> None:
    settings = Settings(database={"url": URL, "authentication": "iam", "certificate_authority": "/ca.pem"})
    sql = [statement for statement, _ in bootstrap.statements(settings)]
    assert sql[1] == "CREATE USER IF NOT EXISTS `app`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL"
    assert sql[3].endswith("ON `tecnocursos`.* TO `app`@`%`") and "ALL" not in sql[3] and "GRANT OPTION" not in sql[3]


def test_a_migrator_changes_the_schema_and_the_services_user_does_not() -> None:
    settings = Settings(database={"url": URL, "authentication": "iam"})
    grants = {
        sql.split("`")[-4]: sql for sql, _ in bootstrap.statements(settings, "migrator") if sql.startswith("GRANT")
    }
    assert set(grants) == {"app", "migrator"}
    assert "ALTER" in grants["migrator"] and "ALTER" not in grants["app"] and "DROP" not in grants["app"]
    for name in ("app", "bad`name"):
        with pytest.raises(ValueError, match="--migrator"):
            bootstrap.statements(settings, name)


def test_the_master_secret_is_fetched_and_a_refusal_names_its_code() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        arn = client.create_secret(Name="master", SecretString="hush")["ARN"]
        assert credentials.secret_of(arn, "us-east-1") == "hush"
        with pytest.raises(ValueError, match="ResourceNotFoundException"):
            credentials.secret_of(arn.replace("master", "other"), "us-east-1")


@pytest.mark.parametrize(
    "database",
    [
        {"url": "sqlite+aiosqlite:///x"},
        {"url": "mysql+asyncmy://app@db/bad`name", "password": "p"},
        {"url": "mysql+asyncmy://bad'name@db/t", "password": "p"},
        {"url": "mysql+asyncmy://db/t", "password": "p"},
        {"url": URL},
    ],
)
def test_unusable_settings_are_refused_before_anything_is_run(database: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="database"):
        bootstrap.statements(Settings(database=database))
