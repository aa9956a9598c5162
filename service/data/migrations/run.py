"""How is a database brought up to date? One migration at a time per database, with the settings' own credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from service.data.credentials import database_password
from service.data.database import connect_arguments, set_password_on_connect, sqlite_pragmas
from service.settings import Settings

LOCK = "tecnocursos-migration"
LOCK_SECONDS = 300


def engine(settings: Settings) -> Engine:
    """A synchronous engine for the same database."""
    url = make_url(settings.database.url)
    sqlite = url.get_backend_name() == "sqlite"
    url = url.set(drivername="sqlite" if sqlite else "mysql+pymysql")
    made = create_engine(url, connect_args=connect_arguments(settings, synchronous=True))
    if sqlite:
        sqlite_pragmas(made, immediate=False)
    else:
        set_password_on_connect(made, database_password(settings.database, settings.region))
    return made


def configuration(connection: Connection) -> Config:
    """Alembic's configuration; there is no alembic.ini, the connection comes from the settings."""
    config = Config()
    config.set_main_option("script_location", str(files("service.data").joinpath("migrations")))
    config.attributes["connection"] = connection
    return config


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Apply all revisions that are missing."""
    with engine(settings).connect() as connection, _locked(connection):
        command.upgrade(configuration(connection), revision)
        connection.commit()


def downgrade(settings: Settings, revision: str) -> None:
    """Go back to a revision."""
    with engine(settings).connect() as connection, _locked(connection):
        command.downgrade(configuration(connection), revision)
        connection.commit()


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Two jobs of one roll-out must not migrate at once (SQLite locks by itself)."""
    if connection.dialect.name != "mysql":
        yield
        return
    got: Any = connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), {"name": LOCK, "seconds": LOCK_SECONDS})
    if got.scalar_one() != 1:
        raise TimeoutError(f"another migration has been running for {LOCK_SECONDS} seconds")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": LOCK})
