"""How does the schema change? Alembic revisions, each compatible with the release before it."""
