"""What does one process of the service consist of? Built once from the settings, handed to everything that needs it."""

from collections import Counter
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.data.cache import Cache
from service.data.database import Database, lost
from service.data.storage import Storage, open_storage
from service.http import zones
from service.http.addresses import Addresses
from service.security.passwords import Passwords
from service.security.tokens import Tokens
from service.settings import Settings
from service.telemetry import logs, tracker
from service.telemetry.metrics import Metrics
from service.users.mail import Mailer
from service.worker.broker import Broker


class Runtime:
    """The parts with their state; `reconfigure` takes over changed settings without a restart."""

    database: Database
    cache: Cache
    storage: Storage
    broker: Broker

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.sink = logs.open_sink(settings.logs)
        self.access = logs.AccessLog(self.sink)
        logs.configure(settings.logs, self.sink)
        tracker.install(settings)
        self.tokens = Tokens(settings)
        self.addresses = Addresses(settings.security.trusted_proxies, settings.security.viewer_header)
        self.mail = Mailer()
        self.draining = False
        self.in_flight = 0
        self.streams: Counter[str] = Counter()  # open progress streams, by person
        self.neighbours: Any = None  # what the probes know of database and cache
        self._open()

    def _open(self) -> None:
        self.passwords = Passwords(self.settings.security.hashing_share, self.metrics)
        self.database = Database(self.settings, self.metrics)
        self.cache = Cache(self.settings, self.metrics)
        self.storage = open_storage(self.settings, self.tokens)
        self.broker = Broker(self.settings, self.metrics)

    async def check(self) -> None:
        """Before the work begins: a database that refuses us is a mistake, one that is away is waited for.

        Raises ValueError for a configuration, DBAPIError for credentials that are refused.
        """
        try:
            await self.database.check_pool_arithmetic()
            async with self.database.connection(self.database.reader) as connection:
                await connection.execute(text("SELECT 1"))
        except (DBAPIError, PoolTimeout, OSError) as error:
            if isinstance(error, DBAPIError) and not lost(error):
                raise
            structlog.get_logger().warning("database not reachable at start", kind=type(error).__name__)

    def pressure(self) -> float:
        """What is left of the limits under the present load (1 = all)."""
        return zones.factor(self.in_flight, self.settings.security.tighten_above)

    async def reconfigure(self, settings: Settings) -> None:
        """Take over new settings: keys, limits and levels at once; pools are replaced, the old ones drain."""
        storage = open_storage(settings, self.tokens)  # what may be refused comes first
        before, self.settings, self.storage = self.settings, settings, storage
        self.tokens.configure(settings)
        self.addresses = Addresses(settings.security.trusted_proxies, settings.security.viewer_header)
        logs.configure(settings.logs, self.sink)
        if settings.logs.tracker_url != before.logs.tracker_url:
            tracker.install(settings)
        if settings.security.hashing_share != before.security.hashing_share:
            self.passwords = Passwords(settings.security.hashing_share, self.metrics)
        if settings.worker != before.worker:
            self.broker = Broker(settings, self.metrics)
        if (settings.database, settings.cache) != (before.database, before.cache):
            database, cache = self.database, self.cache
            self.database, self.cache = Database(settings, self.metrics), Cache(settings, self.metrics)
            await database.close()
            await cache.close()

    def sample(self) -> None:
        """Refresh the gauges that nothing else sets."""
        self.metrics.gauge("http_requests_in_flight", self.in_flight)
        self.metrics.gauge("rate_limit_factor", self.pressure())
        self.metrics.disk(self.settings.media.folder)
        self.database.sample()

    async def close(self) -> None:
        """Finish mails, give back connections."""
        await self.mail.close()
        await self.cache.close()
        await self.database.close()
