"""What is forgotten in time? Expired refresh tokens and idempotency keys."""

from service import idempotency
from service.metrics import Metrics
from service.runtime import Runtime
from service.settings import Settings
from service.users import sessions


async def run(settings: Settings) -> dict[str, int]:
    """Delete what has expired; how many rows of each kind."""
    runtime = Runtime(settings, Metrics())
    try:
        async with runtime.database.transaction() as session:
            return {
                "expired refresh tokens": await sessions.purge(session),
                "expired idempotency keys": await idempotency.purge(session),
            }
    finally:
        await runtime.close()
