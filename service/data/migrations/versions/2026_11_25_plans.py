"""What accounts pay, and when they were last active."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "2026_11_25_plans"
down_revision = "2026_11_24_first"
branch_labels = None
depends_on = None

KEY = sa.String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    """A table of its own and a column that may be empty: the release before knows neither and misses nothing."""
    op.create_table(
        "plan_period",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("user_id", KEY, sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("plan", sa.String(20), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT),
        mysql_charset="utf8mb4",
        mysql_engine="InnoDB",
    )
    op.create_index("ix_plan_period_user_id", "plan_period", ["user_id", "version"])
    op.create_index("ix_plan_period_until", "plan_period", ["until", "plan", "price_cents"])
    op.add_column("user", sa.Column("last_active_at", MOMENT))
    op.create_index("ix_user_active", "user", ["active", "last_active_at"])


def downgrade() -> None:
    """Forget both."""
    op.drop_index("ix_user_active", "user")
    op.drop_column("user", "last_active_at")
    op.drop_table("plan_period")
