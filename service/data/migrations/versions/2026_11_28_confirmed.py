"""Addresses are confirmed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "2026_11_28_confirmed"
down_revision = "2026_11_28_recordings"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    """A column that may be empty: the release before leaves it so."""
    op.add_column("user", sa.Column("confirmed_at", MOMENT))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("user", "confirmed_at")
