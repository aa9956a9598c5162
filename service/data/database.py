"""How does the service reach its database? Two pools, one retry for reads, patience while a server restarts."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy import URL, Engine, Executable, RowMapping, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.credentials import Password, database_password
from service.settings import Settings
from service.telemetry.metrics import Metrics

RECYCLE_SECONDS = 1800  # below the proxy's and the server's idle limits
RESTED_SECONDS = 1.0  # no server that went away is back sooner
RESERVED_CONNECTIONS = 10  # for people, migrations and monitoring
OPERATIONS = ("select", "insert", "update", "delete")
AfterCommit = Callable[[], Awaitable[None]]


def connect_arguments(settings: Settings, *, synchronous: bool = False) -> dict[str, Any]:
    """Driver arguments: TLS verified against the configured authority, character set, timeouts."""
    url = make_url(settings.database.url)
    if url.get_backend_name() == "sqlite":
        return {"timeout": 10}
    patience = 600 if synchronous else settings.database.answer_timeout
    arguments: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": 3, "read_timeout": patience}
    if settings.database.certificate_authority is not None:
        arguments["ssl"] = ssl.create_default_context(cafile=str(settings.database.certificate_authority))
    return arguments


def set_password_on_connect(engine: Any, password: Password) -> None:
    """Ask for the password at every new connection: IAM tokens expire, secrets rotate."""

    @event.listens_for(engine, "do_connect")
    def _password(_: Any, __: Any, ___: Any, parameters: dict[str, Any]) -> None:
        if value := password():
            parameters["password"] = value


def sqlite_pragmas(engine: Any, *, immediate: bool) -> None:
    """Make SQLite behave: foreign keys, write-ahead log, and writers that queue instead of failing halfway."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "busy_timeout=10000", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if immediate:

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def try_after_rest(engine: Engine) -> None:
    """Ask a connection whether it still works when it has not been used for a moment; one in use has just said so."""

    @event.listens_for(engine, "checkin")
    def _used(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) > RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error  # the pool opens another


class Database:
    """A pool for transactions and a pool of AUTOCOMMIT connections for single reads (two round trips fewer)."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.url: URL = make_url(settings.database.url)
        self.writer = self._engine()
        self.reader = self._engine(isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        # A transaction cannot be repeated, so its connection is tried first; a read is simply repeated.
        try_after_rest(self.writer.sync_engine)

    def _engine(self, **options: Any) -> AsyncEngine:
        database = self.settings.database
        engine = create_async_engine(
            self.url,
            pool_size=database.pool_size,
            max_overflow=0,
            pool_timeout=database.pool_timeout,
            pool_recycle=RECYCLE_SECONDS,
            pool_reset_on_return=None,  # what is begun here is ended here: no further ROLLBACK, which is a round trip
            connect_args=connect_arguments(self.settings),
            **options,
        )
        if self.url.get_backend_name() == "sqlite":
            sqlite_pragmas(engine.sync_engine, immediate="isolation_level" not in options)
        else:
            set_password_on_connect(engine.sync_engine, database_password(database, self.settings.region))
        self._measure(engine)
        return engine

    def _measure(self, engine: AsyncEngine) -> None:
        total = self.metrics.counters["database_queries_total"]
        by_operation = {name: total.labels(name) for name in (*OPERATIONS, "other")}
        seconds = self.metrics.histograms["database_query_duration_seconds"]

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def _before(_: Any, __: Any, ___: Any, ____: Any, context: Any, _____: Any) -> None:
            if context is not None:
                context.started = time.perf_counter()

        @event.listens_for(engine.sync_engine, "after_cursor_execute")
        def _after(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: Any) -> None:
            by_operation.get(statement[:6].lower(), by_operation["other"]).inc()
            if context is not None:
                seconds.observe(time.perf_counter() - context.started)

    @asynccontextmanager
    async def connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection; waits up to the pool's timeout for a server that restarts. Raises DBAPIError after that."""
        deadline = time.monotonic() + self.settings.database.pool_timeout
        while True:
            try:
                connection = await engine.connect()
                break
            except DBAPIError as error:
                if not lost(error) or time.monotonic() > deadline:
                    raise
            self.metrics.count("database_reconnects_total")
            await asyncio.sleep(0.1)
        try:
            yield connection
        finally:
            if engine is self.reader and connection.sync_connection is not None and not connection.invalidated:
                connection.sync_connection.close()  # nothing to wait for: a greenlet for it would cost 10 microseconds
            else:
                await connection.close()

    def session(self, connection: AsyncConnection) -> AsyncSession:
        """A session on one connection; tests put it inside a transaction of their own."""
        return AsyncSession(connection, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits when the block ends, rolls back when it raises, then runs `after_commit`."""
        async with self.connection(self.writer) as connection:
            session = self.session(connection)
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.close()
                raise
        for action in session.info.get("after_commit", ()):
            try:
                await action()
            except Exception as error:  # the change is made: its maker must hear so, and the rest must follow
                structlog.get_logger().exception("a consequence of a change failed", kind=type(error).__name__)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads only: every statement stands alone."""
        async with self.connection(self.reader) as connection, self.session(connection) as session:
            yield session

    async def rows(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[RowMapping]:
        """Plain rows of one prepared read; repeated once on a connection that the server had dropped."""
        try:
            return await self._rows(statement, parameters)
        except DBAPIError as error:
            if not lost(error):
                raise
            self.metrics.count("database_reconnects_total")
        async with self.connection(self.reader) as connection:
            return (await connection.execute(statement, parameters)).mappings().all()

    async def _rows(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[RowMapping]:
        # One greenlet for all of it, where connection, statement and end take one each.
        def read() -> Sequence[RowMapping]:
            with self.reader.sync_engine.connect() as connection:
                return connection.execute(statement, parameters).mappings().all()

        return await greenlet_spawn(read)

    async def check_pool_arithmetic(self) -> None:
        """Refuse a configuration whose pods could take more connections than the server gives. Raises ValueError."""
        settings = self.settings
        if self.url.get_backend_name() == "sqlite":
            return
        limit = settings.database.connection_limit
        if limit is None:
            async with self.connection(self.reader) as connection:
                limit = int((await connection.execute(text("SELECT @@max_connections"))).scalar_one())
        wanted = 2 * settings.database.pool_size * settings.most_pods
        if wanted + RESERVED_CONNECTIONS > limit:
            raise ValueError(
                f"database.pool_size: {settings.most_pods} pods x 2 pools x "
                f"{settings.database.pool_size} = {wanted} connections, and {RESERVED_CONNECTIONS} are kept free, "
                f"but the server allows {limit}: lower pool_size or most_pods"
            )

    def sample(self) -> None:
        """Put the state of the pools into the gauges."""
        for name, engine in (("write", self.writer), ("read", self.reader)):
            pool: Any = engine.pool
            self.metrics.gauge("database_connections", pool.checkedout(), pool=name, state="used")
            self.metrics.gauge("database_connections", pool.checkedin(), pool=name, state="idle")
            self.metrics.gauge("database_connections_limit", self.settings.database.pool_size, pool=name)

    async def close(self) -> None:
        """Close every connection."""
        await self.writer.dispose()
        await self.reader.dispose()
        structlog.get_logger().debug("database closed")


def after_commit(session: AsyncSession, action: AfterCommit) -> None:
    """Run `action` once the transaction is committed, and not at all when it is rolled back."""
    session.info.setdefault("after_commit", []).append(action)


def lost(error: DBAPIError) -> bool:
    """Did the server go away (as opposed to refusing a statement)?"""
    if error.connection_invalidated:
        return True
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code in {1053, 1927, 2002, 2003, 2006, 2013, 2055}  # shutdown, killed, cannot connect, gone away, lost
