"""What does Alembic migrate? The metadata of all domains, over the connection that `run` gives it."""

from alembic import context
from sqlmodel import SQLModel

import service.data.tables  # noqa: F401 (defines all tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
