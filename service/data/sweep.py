"""What is forgotten in time? Expired refresh tokens and idempotency keys, and workers that fell silent."""

from service.data import idempotency
from service.runtime import Runtime
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.users import sessions
from service.worker import silent


async def run(settings: Settings) -> dict[str, int]:
    """Delete what has expired and free what nobody works on; how many rows of each kind."""
    runtime = Runtime(settings, Metrics())
    try:
        freed = await silent.sweep(runtime.database, runtime.storage, runtime.metrics, settings.worker)
        async with runtime.database.transaction() as session:
            return {
                "expired refresh tokens": await sessions.purge(session),
                "expired idempotency keys": await idempotency.purge(session),
                "videos of silent workers": freed,
            }
    finally:
        await runtime.close()
