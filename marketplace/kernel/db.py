"""One command, one transaction: `atomically` opens it, runs the use case, commits, and answers.

A use case takes the open `Tx` and never commits. What it records (events, audit lines) is written
with it or not at all. A violation of a *named* constraint becomes the refusal that names it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from typing import Any, TypeVar, cast

import asyncpg
import msgspec
import structlog
from sqlalchemy import ClauseElement, CursorResult, MetaData, event, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_asyncpg
from sqlalchemy.exc import (
    InvalidatePoolError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Executable

from marketplace.kernel import audit, outbox
from marketplace.kernel.actors import Actor
from marketplace.kernel.db_errors import Retry, errors_translated, is_write_refused, translated
from marketplace.kernel.errors import DomainError, Missing, OnlyLooking, Unavailable
from marketplace.kernel.events import Event
from marketplace.kernel.roles import Standing, standing, take_role
from marketplace.kernel.tables import metadata
from marketplace.kernel.time import Clock, SystemClock, shanghai_day

__all__ = [
    "Database",
    "MetaData",
    "Tx",
    "atomically",
    "errors_translated",
    "metadata",
    "translated",
]

log = structlog.get_logger()

ATTEMPTS_MAX = 3

R = TypeVar("R")
C = TypeVar("C")
CommitListener = Callable[[Sequence[Event]], None]

_DIALECT = postgresql_asyncpg()  # type: ignore[no-untyped-call]


class Database:
    """A pool of connections and the clock that its transactions read."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout_seconds: int = 30,
        clock: Clock | None = None,
        durable: bool = True,
    ) -> None:
        """Connect lazily, and work as the application's role even where the URL is the owner's.

        `durable=False` acknowledges before the disk does: it is for data that can be built again,
        like a demo, and never for a platform in use.
        """
        self.url = asyncpg_url(url)
        self.clock: Clock = clock or SystemClock()
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            json_deserializer=msgspec.json.decode,
            connect_args={
                "server_settings": {
                    "timezone": "UTC",
                    "statement_timeout": str(statement_timeout_seconds * 1000),
                    "idle_in_transaction_session_timeout": "60000",
                    "jit": "off",
                    "application_name": "marketplace",
                    "synchronous_commit": "on" if durable else "off",
                }
            },
        )
        event.listen(self.engine.sync_engine, "connect", _take_role)
        event.listen(self.engine.sync_engine, "checkout", _require_open)
        # Told what each transaction recorded, once it has committed, in this process only.
        self.on_commit: list[CommitListener] = []

    def tell(self, events: Sequence[Event]) -> None:
        """Tell what was committed. A listener that fails never fails the command: it is logged."""
        for listener in self.on_commit if events else ():
            try:
                listener(events)
            except Exception:
                log.exception("commit.listener_failed", events=len(events))

    async def standing(self) -> Standing:
        """As whom this works: as one who owns nothing, or as the owner of the tables."""
        async with self.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            return await standing(cast(Any, driver))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _take_role(connection: Any, _record: Any) -> None:
    connection.run_async(take_role)


def _require_open(connection: Any, _record: Any, _proxy: Any) -> None:
    """Take no connection that the server closed while it lay idle, as when PostgreSQL restarts.

    Asking the driver costs nothing, unlike a ping; the pool then opens a new one.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError("closed while idle")


def asyncpg_url(url: str) -> str:
    """`url` with the asyncpg driver named: a bare `postgresql://` would mean another driver."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+asyncpg://" + url.removeprefix(scheme)
    return url


class Prepared:
    """A statement written once, for the few that lie on a hot path: see `Tx.fetch`.

    It goes through the driver itself, at half the CPU of the same statement through SQLAlchemy and
    without its types: intervals are `asyncpg.Range`.
    """

    def __init__(self, statement: ClauseElement, *, columns: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns)
        self.sql = str(compiled)
        binds = getattr(compiled, "binds", {})
        self._names = tuple(getattr(compiled, "positiontup", None) or ())
        self._fixed = {
            name: bind.effective_value for name, bind in binds.items() if not bind.required
        }

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """What the driver takes, in its order."""
        return [values[name] if name in values else self._fixed[name] for name in self._names]


class Tx:
    """An open transaction: whose it is, its one moment, and what is told when it commits."""

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        actor: Actor,
        now: datetime,
        request_id: str = "",
    ) -> None:
        self.connection = connection
        self.actor = actor
        self.now = now
        self.request_id = request_id
        self._events: list[Event] = []
        self._audit: list[audit.AuditLine] = []
        self._stored: list[Event] = []

    @property
    def today(self) -> date:
        """The Shanghai day of `now`."""
        return shanghai_day(self.now)

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, parameters)

    async def all(
        self, row_type: Callable[..., R], statement: Executable, parameters: Any = None
    ) -> list[R]:
        """Every row as a `row_type`, built by column name."""
        result = await self.connection.execute(statement, parameters)
        return [row_type(**row) for row in result.mappings()]

    async def first(
        self, row_type: Callable[..., R], statement: Executable, parameters: Any = None
    ) -> R | None:
        """The first row as a `row_type`, or None."""
        result = await self.connection.execute(statement, parameters)
        row = result.mappings().first()
        return None if row is None else row_type(**row)

    async def one(
        self,
        row_type: Callable[..., R],
        statement: Executable,
        parameters: Any = None,
        *,
        missing: type[DomainError] = Missing,
    ) -> R:
        """The only row as a `row_type`.

        Raises:
            Missing: (or the `missing` given) when there is none.
        """
        row = await self.first(row_type, statement, parameters)
        if row is None:
            raise missing()
        return row

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.connection.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> Sequence[Any]:
        """The first column of every row."""
        return (await self.connection.execute(statement, parameters)).scalars().all()

    async def raw(self) -> asyncpg.Connection[Any]:
        """The asyncpg connection inside this same transaction, for COPY and bulk arrays."""
        pooled = await self.connection.get_raw_connection()
        driver = pooled.driver_connection
        if not isinstance(driver, asyncpg.Connection):
            raise TypeError(f"expected an asyncpg connection, got {type(driver).__name__}")
        if not driver.is_in_transaction():
            # SQLAlchemy sends BEGIN with its own first statement only: without one, what goes
            # through the driver would commit by itself and survive a rollback.
            await pooled.dbapi_connection._start_transaction()  # type: ignore[union-attr]
        return driver

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Every row of a statement that goes through the driver itself."""
        driver = await self.raw()
        return await driver.fetch(prepared.sql, *prepared.arguments(values))

    def record(self, event: Event) -> None:
        """Tell `event` to its handlers once this transaction has committed."""
        self._events.append(event)

    def audit(self, action: str, *, subject: str, subject_id: int, **facts: Any) -> None:
        """Write a line to the audit trail: who did what to which thing, with the facts."""
        self._audit.append(
            audit.AuditLine(action=action, subject=subject, subject_id=subject_id, facts=facts)
        )

    async def flush(self) -> None:
        """Write what was recorded so far; `atomically` does this last."""
        events, self._events = self._events, []
        if events:
            await outbox.store(self, events)
        if self._audit:
            await audit.store(
                self.connection,
                self._audit,
                actor=self.actor,
                at=self.now,
                request_id=self.request_id,
            )
            self._audit = []
        self._stored.extend(events)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part that may be refused while the rest goes on: all of it happens, or nothing.

        Raises:
            DomainError: what the part refused, or what a named constraint means; what it wrote and
                recorded is gone.
        """
        await self.flush()
        try:
            async with errors_translated(), self.connection.begin_nested():
                yield
                await self.flush()
        except DomainError:
            self.forget()
            raise

    def forget(self) -> None:
        """Drop what was recorded and not written: what it tells of was rolled back."""
        self._events = []
        self._audit = []

    @property
    def stored_events(self) -> Sequence[Event]:
        """What was recorded and written so far."""
        return self._stored


async def atomically(
    database: Database,
    use_case: Callable[[Tx, C], Awaitable[R]],
    command: C,
    *,
    actor: Actor,
    request_id: str = "",
) -> R:
    """Run `use_case` on `command` in one transaction and answer after COMMIT.

    A serialization failure or a deadlock is retried, at most three times in all.

    Raises:
        DomainError: what the use case refused, or what a named constraint means.
    """

    async def attempt() -> R:
        async with transaction(database, actor=actor, request_id=request_id) as tx:
            return await use_case(tx, command)

    return await retried(attempt)


async def retried(attempt: Callable[[], Awaitable[R]]) -> R:
    """Run a transaction again that deadlocked or could not be serialized, three times in all.

    Raises:
        Unavailable: when the last attempt fails the same way.
    """
    for number in range(1, ATTEMPTS_MAX + 1):
        try:
            return await attempt()
        except Retry as retry:
            if number == ATTEMPTS_MAX:
                raise Unavailable("The database is busy; send the same request again.") from retry
            await asyncio.sleep(random.uniform(0.005, 0.05) * number)  # noqa: S311 a pause
    raise AssertionError("the last attempt returns or raises")


_READ_ONLY = text("set transaction read only")


@contextmanager
def _only_looking(actor: Actor) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if actor.only_looks and is_write_refused(error):
            raise OnlyLooking() from error
        raise


@asynccontextmanager
async def transaction(
    database: Database, *, actor: Actor, request_id: str = ""
) -> AsyncIterator[Tx]:
    """An open transaction that commits at the end of the block; errors are translated.

    For edges that need more than one use case around the same commit (idempotent answers, jobs,
    bulk imports). Everybody else calls `atomically`.
    """
    async with errors_translated(), database.engine.begin() as connection:
        if actor.only_looks:
            await connection.execute(_READ_ONLY)
        tx = Tx(connection, actor=actor, now=database.clock.now(), request_id=request_id)
        with _only_looking(actor):
            yield tx
            await tx.flush()
    database.tell(tx.stored_events)
