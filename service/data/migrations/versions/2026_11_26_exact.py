"""Text is compared letter by letter: an accent or a capital makes another address, another key."""

from alembic import op

revision = "2026_11_26_exact"
down_revision = "2026_11_25_plans"
branch_labels = None
depends_on = None
# Nothing that the release before writes is refused: what differs is what counts as equal, and it counted more so.
contracts_after = "2026_11_25_plans"

TEXTS = {
    "user": {"email": "VARCHAR(254)", "name": "VARCHAR(200)", "password_hash": "VARCHAR(200)", "role": "VARCHAR(20)"},
    "refresh_token": {"address": "VARCHAR(64)", "agent": "VARCHAR(200)"},
    "plan_period": {"plan": "VARCHAR(20)"},
    "project": {
        "title": "VARCHAR(200)",
        "description": "VARCHAR(2000)",
        "language": "VARCHAR(16)",
        "status": "VARCHAR(20)",
    },
    "media": {"name": "VARCHAR(200)", "content_type": "VARCHAR(60)", "status": "VARCHAR(20)"},
    "scene": {"title": "VARCHAR(200)", "text": "MEDIUMTEXT", "narration": "MEDIUMTEXT"},
    "video": {"status": "VARCHAR(20)", "message": "VARCHAR(300)", "request_id": "VARCHAR(64)"},
    "audit_event": {"action": "VARCHAR(60)", "address": "VARCHAR(64)", "request_id": "VARCHAR(64)"},
    "idempotency_record": {"key": "VARCHAR(64)", "headers": "VARCHAR(200)", "body": "MEDIUMTEXT"},
}
EXACT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


def upgrade() -> None:
    """One rebuild of each table; SQLite has always compared so."""
    if op.get_context().dialect.name != "mysql":
        return
    for table, columns in TEXTS.items():
        changes = [f"MODIFY `{name}` {kind} {EXACT} NOT NULL" for name, kind in columns.items()]
        if table == "video":
            changes.append(f"MODIFY result_key VARCHAR(100) {EXACT} NULL")
        op.execute(f"ALTER TABLE `{table}` {', '.join(changes)}, DEFAULT {EXACT}")


def downgrade() -> None:
    """Stays as it is: rows that differ in an accent alone would collide, and the release before works with it."""
