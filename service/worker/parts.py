"""What does a worker's process consist of? What every process has, and the providers that write and read courses."""

import os

from service.ai.registry import Providers, build
from service.runtime import Runtime
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.worker.meter import ServiceMeter

_CONNECTIONS = 4  # per pool: a heartbeat, a step and a look at once, and one to spare


class Parts(Runtime):
    """The parts; a running attempt asks them anew at every step, so that it goes on with renewed passwords.

    Raises ValueError for providers that cannot be had and for a folder that cannot be written.
    """

    providers: Providers
    meter: ServiceMeter

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        super().__init__(_few(settings), metrics)
        self.metrics.begin("worker")
        self.meter = ServiceMeter(self.metrics)
        self.providers = build(settings.ai, self.meter)
        folder = settings.worker.folder
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise ValueError(f"worker.folder: {folder} cannot be written")

    async def reconfigure(self, settings: Settings) -> None:
        """Take over new settings; the video at hand keeps its providers, the next one has new ones."""
        if settings.ai != self.settings.ai:
            self.providers = build(settings.ai, self.meter)
        await super().reconfigure(_few(settings))


def _few(settings: Settings) -> Settings:
    return settings.model_copy(update={"database": settings.database.model_copy(update={"pool_size": _CONNECTIONS})})
