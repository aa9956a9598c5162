"""How does an empty database server get the service's database and users? Once, by the holder of the master secret.

The service's user may read and write rows of this one database. Its schema is changed by the migrator where there is
one, else by the same user. With IAM neither has a password.
"""

import re
from typing import Any

from sqlalchemy import create_engine, make_url, text

from service.data.database import connect_arguments, set_password_on_connect
from service.settings import Settings

ROWS = "SELECT, INSERT, UPDATE, DELETE"
ROWS_AND_SCHEMA = f"{ROWS}, CREATE, ALTER, DROP, INDEX, REFERENCES"
NAME = re.compile(r"[A-Za-z0-9_]{1,32}")


def statements(settings: Settings, migrator: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What is run, in order; repeating it changes nothing. Raises ValueError for names that are not plain."""
    url = make_url(settings.database.url)
    database, user = url.database or "", url.username or ""
    if url.get_backend_name() != "mysql" or not NAME.fullmatch(database) or not NAME.fullmatch(user):
        raise ValueError("database.url: a mysql URL with plain names of a database and a user is needed")
    if migrator is not None and (not NAME.fullmatch(migrator) or migrator == user):
        raise ValueError("--migrator: a plain name other than the service's user is needed")
    password: dict[str, Any] = {}
    if settings.database.authentication == "iam":
        identified = "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
    else:
        if settings.database.password is None:
            raise ValueError("database.password is unset, and database.authentication is not iam")
        identified = "IDENTIFIED BY :password"
        password = {"password": settings.database.password.get_secret_value()}
    tls = " REQUIRE SSL" if settings.database.certificate_authority else ""
    grants = {user: ROWS_AND_SCHEMA} if migrator is None else {user: ROWS, migrator: ROWS_AND_SCHEMA}
    made: list[tuple[str, dict[str, Any]]] = [(f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4", {})]
    for name, granted in grants.items():
        made += [
            (f"CREATE USER IF NOT EXISTS `{name}`@`%` {identified}{tls}", password),
            (f"ALTER USER `{name}`@`%` {identified}{tls}", password),
            (f"GRANT {granted} ON `{database}`.* TO `{name}`@`%`", {}),
        ]
    return made


def run(settings: Settings, master_user: str, master_password: str, migrator: str | None = None) -> None:
    """Create database and users. Raises ValueError for unusable settings, DBAPIError when the server refuses."""
    wanted = statements(settings, migrator)
    url = make_url(settings.database.url).set(drivername="mysql+pymysql", username=master_user, database="")
    engine = create_engine(url, connect_args=connect_arguments(settings, synchronous=True), hide_parameters=True)
    set_password_on_connect(engine, lambda: master_password)
    with engine.connect() as connection:
        for statement, parameters in wanted:
            connection.execute(text(statement), parameters)
    engine.dispose()
