"""Videos are counted in bytes and dollars, courses can be shared by a link, and files that must go are noted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "2026_11_27_watching"
down_revision = "2026_11_26_exact"
branch_labels = None
depends_on = None

KEY = sa.String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql")
DIGEST = sa.String(64).with_variant(mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    """Two tables of their own and columns with a default: the release before misses nothing."""
    op.add_column("video", sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("video", sa.Column("cost_usd", sa.Double(), nullable=False, server_default="0"))
    op.create_table(
        "share",
        sa.Column("project_id", KEY, sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("token_hash", DIGEST, nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "disposal",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("due_at", MOMENT, nullable=False),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_disposal_due_at", "disposal", ["due_at"])


def downgrade() -> None:
    """Forget all three."""
    op.drop_table("disposal")
    op.drop_table("share")
    op.drop_column("video", "cost_usd")
    op.drop_column("video", "size")
