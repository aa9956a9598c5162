"""What do all tables share? Column types with one meaning on MySQL and SQLite, and identifiers (RFC 9562, version 7).

Identifiers are ordered by creation, so the primary key is also the order of a listing: one index, no second sort
column, and InnoDB appends instead of splitting pages.
"""

import os
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import StringConstraints
from sqlalchemy import Dialect, Integer, String, Text, types
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


def new() -> str:
    """A fresh identifier: 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = random >> 68 & 0xFFF
    low = random & (1 << 62) - 1
    return f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"


def first(moment: datetime) -> str:
    """What sorts before every identifier from this moment on, and after those before: the primary key tells ages."""
    return f"{int(moment.timestamp() * 1000):012x}"


def now() -> datetime:
    """The present moment in UTC, to the microsecond that MySQL's DATETIME(6) keeps."""
    return datetime.now(UTC)


# Text is compared letter by letter, as SQLite does: the server's own collation takes víctor@ for victor@.
TABLE = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}
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

    id: str = Field(default_factory=new, primary_key=True, sa_type=Key)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment, sa_column_kwargs={"onupdate": now})


class Versioned(Identified):
    """A row that several people may change: every UPDATE names the version it read, or raises StaleDataError."""

    version: int = Field(default=1, sa_type=Integer)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 (SQLAlchemy passes the class)
        """The column that SQLAlchemy compares and raises."""
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]
