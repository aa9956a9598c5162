"""How does an empty database server get the service's database and user? Once, by the holder of the master secret.

The user may read and write rows and change the schema of this one database, nothing else; with IAM it has no password.
"""

import re
from typing import Any

from sqlalchemy import create_engine, make_url, text

from service.database import connect_arguments, set_password_on_connect
from service.settings import Settings

GRANTS = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES"
NAME = re.compile(r"[A-Za-z0-9_]{1,32}")


def statements(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    """What is run, in order; repeating it changes nothing. Raises ValueError for names that are not plain."""
    url = make_url(settings.database.url)
    database, user = url.database or "", url.username or ""
    if url.get_backend_name() != "mysql" or not NAME.fullmatch(database) or not NAME.fullmatch(user):
        raise ValueError("database.url: a mysql URL with plain names of a database and a user is needed")
    password: dict[str, Any] = {}
    if settings.database.authentication == "iam":
        identified = "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
    else:
        if settings.database.password is None:
            raise ValueError("database.password is unset, and database.authentication is not iam")
        identified = "IDENTIFIED BY :password"
        password = {"password": settings.database.password.get_secret_value()}
    tls = " REQUIRE SSL" if settings.database.certificate_authority else ""
    return [
        (f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4", {}),
        (f"CREATE USER IF NOT EXISTS `{user}`@`%` {identified}{tls}", password),
        (f"ALTER USER `{user}`@`%` {identified}{tls}", password),
        (f"GRANT {GRANTS} ON `{database}`.* TO `{user}`@`%`", {}),
    ]


def run(settings: Settings, master_user: str, master_password: str) -> None:
    """Create database and user. Raises ValueError for unusable settings, DBAPIError when the server refuses."""
    wanted = statements(settings)
    url = make_url(settings.database.url).set(drivername="mysql+pymysql", username=master_user, database="")
    engine = create_engine(url, connect_args=connect_arguments(settings, synchronous=True), hide_parameters=True)
    set_password_on_connect(engine, lambda: master_password)
    with engine.connect() as connection:
        for statement, parameters in wanted:
            connection.execute(text(statement), parameters)
    engine.dispose()
