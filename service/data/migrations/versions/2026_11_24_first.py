"""The first schema: users, sessions, courses, scenes, uploads, videos, idempotency, audit."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "2026_11_24_first"
down_revision = None
branch_labels = None
depends_on = None

# A revision says what a database was on that day: it imports nothing from the models, which move on.
KEY = sa.String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql")
DIGEST = sa.String(64).with_variant(mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


def required(name: str, kind: Any, *more: Any) -> sa.Column[Any]:
    """A column without NULL."""
    return sa.Column(name, kind, *more, nullable=False)


def text(name: str, length: int) -> sa.Column[Any]:
    """A short text without NULL."""
    return required(name, sa.String(length))


def table(name: str, *columns: sa.Column[Any], version: bool = True, unique: str | None = None) -> None:
    """A table with what every row has."""
    common = [sa.Column("id", KEY, primary_key=True), required("created_at", MOMENT), required("updated_at", MOMENT)]
    if version:
        common.append(required("version", sa.Integer()))
    constraints = [sa.UniqueConstraint(unique, name=f"uq_{name}_{unique}")] if unique else []
    op.create_table(name, *common, *columns, *constraints, mysql_charset="utf8mb4", mysql_engine="InnoDB")


def upgrade() -> None:
    """Everything is new, so nothing can break the release before."""
    table(
        "user",
        text("email", 254),
        text("name", 200),
        text("password_hash", 200),
        text("role", 20),
        required("active", sa.Boolean()),
        sa.Column("erased_at", MOMENT),
        unique="email",
    )
    table(
        "refresh_token",
        required("user_id", KEY, sa.ForeignKey("user.id", ondelete="CASCADE")),
        required("family_id", KEY),
        required("token_hash", DIGEST),
        required("expires_at", MOMENT),
        sa.Column("used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        text("address", 64),
        text("agent", 200),
        version=False,
        unique="token_hash",
    )
    table(
        "project",
        required("owner_id", KEY, sa.ForeignKey("user.id")),
        text("title", 200),
        text("description", 2000),
        text("language", 16),
        text("status", 20),
        required("scene_count", sa.Integer()),
    )
    table(
        "media",
        required("owner_id", KEY, sa.ForeignKey("user.id")),
        text("name", 200),
        text("content_type", 60),
        required("size", sa.BigInteger()),
        required("sha256", DIGEST),
        text("status", 20),
        version=False,
    )
    table(
        "scene",
        required("project_id", KEY, sa.ForeignKey("project.id", ondelete="CASCADE")),
        required("position", sa.Integer()),
        text("title", 200),
        required("text", LONG),
        required("narration", LONG),
        sa.Column("image_id", KEY, sa.ForeignKey("media.id", ondelete="SET NULL")),
    )
    table(
        "video",
        required("owner_id", KEY, sa.ForeignKey("user.id")),
        required("project_id", KEY, sa.ForeignKey("project.id", ondelete="CASCADE")),
        text("status", 20),
        required("progress", sa.Integer()),
        text("message", 300),
        required("attempt", sa.Integer()),
        required("cancel_requested", sa.Boolean()),
        sa.Column("lease_until", MOMENT),
        sa.Column("heartbeat_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("result_key", sa.String(100)),
        text("request_id", 64),
    )
    table(
        "audit_event",
        sa.Column("actor_id", KEY),
        text("action", 60),
        sa.Column("target_id", KEY),
        text("address", 64),
        text("request_id", 64),
        required("detail", sa.JSON()),
        version=False,
    )
    op.create_table(
        "idempotency_record",
        sa.Column("user_id", KEY, primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        required("request", DIGEST),
        required("created_at", MOMENT),
        required("status", sa.Integer()),
        text("headers", 200),
        required("body", LONG),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_{name}", _table(name), columns)


INDEXES = {
    "refresh_token_user_id": ["user_id", "family_id"],
    "refresh_token_family_id": ["family_id"],
    "refresh_token_expires_at": ["expires_at"],
    "project_owner_id": ["owner_id", "id"],
    "project_status": ["status", "id"],
    "media_owner_id": ["owner_id", "id"],
    "scene_project_id": ["project_id", "position"],
    "video_owner_id": ["owner_id", "id"],
    "video_project_id": ["project_id", "id"],
    "video_status": ["status", "lease_until"],
    "audit_event_actor_id": ["actor_id", "id"],
    "idempotency_record_created_at": ["created_at"],
}
TABLES = ("idempotency_record", "audit_event", "video", "scene", "media", "project", "refresh_token", "user")


def _table(index: str) -> str:
    return next(name for name in TABLES if index.startswith(f"{name}_"))


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for name in TABLES:
        op.drop_table(name)
