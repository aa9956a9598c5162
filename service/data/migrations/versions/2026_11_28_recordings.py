"""A scene may be said by a recording and by a presenter; how long a recording lasts is known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "2026_11_28_recordings"
down_revision = "2026_11_27_watching"
branch_labels = None
depends_on = None

KEY = sa.String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql")


def upgrade() -> None:
    """Columns that may be empty or have a default: the release before misses nothing."""
    op.add_column("media", sa.Column("seconds", sa.Float()))
    with op.batch_alter_table("scene") as scene:
        audio = sa.ForeignKey("media.id", ondelete="SET NULL", name="fk_scene_audio_id")
        scene.add_column(sa.Column("audio_id", KEY, audio))
        scene.add_column(sa.Column("presenter", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget all three."""
    with op.batch_alter_table("scene") as scene:
        scene.drop_constraint("fk_scene_audio_id", type_="foreignkey")
        scene.drop_column("audio_id")
        scene.drop_column("presenter")
    op.drop_column("media", "seconds")
