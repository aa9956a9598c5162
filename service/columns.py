"""Which column types do all tables share? The same meaning on MySQL and SQLite, in MySQL's own words."""

from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, Integer, String, Text, types
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from service import identifiers

TABLE = {"mysql_charset": "utf8mb4", "mysql_engine": "InnoDB"}
Key = String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql")
Digest = String(64).with_variant(mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
Long = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


class Moment(UTCDateTime):
    """UTC with microseconds: MySQL's plain DATETIME drops the fraction."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """DATETIME(6) on MySQL."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return super().load_dialect_impl(dialect)


class Identified(SQLModel):
    """What every row has: a time-ordered identifier and its moments."""

    id: str = Field(default_factory=identifiers.new, primary_key=True, sa_type=Key)
    created_at: datetime = Field(default_factory=identifiers.now, sa_type=Moment)
    updated_at: datetime = Field(
        default_factory=identifiers.now, sa_type=Moment, sa_column_kwargs={"onupdate": identifiers.now}
    )


class Versioned(Identified):
    """A row that several people may change: every UPDATE names the version it read, or raises StaleDataError."""

    version: int = Field(default=1, sa_type=Integer)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 (SQLAlchemy passes the class)
        """The column that SQLAlchemy compares and raises."""
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]
