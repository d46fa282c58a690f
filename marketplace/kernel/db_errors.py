"""What the database refuses, in the words of the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from marketplace.kernel.errors import Conflict, DomainError, Malformed, Unavailable

RETRIED_SQLSTATES = frozenset({"40001", "40P01"})
# What comes from the driver, wrapped by SQLAlchemy's adapter or not at all, where a use case or
# `Tx.raw` asked it something.
_DRIVER_ERRORS = (
    AsyncAdapt_asyncpg_dbapi.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@asynccontextmanager
async def errors_translated() -> AsyncIterator[None]:
    """What the database refuses inside the block means the same to callers everywhere.

    For what must open its connection in a way of its own; `transaction` does it for the rest.
    """
    try:
        yield
    except (DBAPIError, *_DRIVER_ERRORS) as error:
        meaning = translated(error)
        if meaning is error:
            raise
        raise meaning from error
    except PoolTimeout as error:
        raise Unavailable("Every database connection is in use.") from error
    except (ConnectionError, OSError) as error:
        raise Unavailable("The database does not answer.") from error


class Retry(Exception):
    """A serialization failure or a deadlock: the same transaction may succeed next time."""


# What it says when it is not there for us: no connection, shutting down or starting, full, or the
# database is being made anew.
_GONE_SQLSTATES = ("08", "57P01", "57P02", "57P03", "53300", "3D000")
# What the driver says of a connection that was lost before; it has no SQLSTATE.
_CLOSED = "connection is closed"

# What PostgreSQL says of values it cannot hold: bad text, a number or a date out of range.
_UNREADABLE_SQLSTATES = ("22",)


def _sqlstate(error: Exception) -> tuple[object, str]:
    """What the driver said, and PostgreSQL's code for it."""
    cause: object = error
    if isinstance(error, DBAPIError):
        cause = getattr(error.orig, "__cause__", None)
    elif isinstance(error, AsyncAdapt_asyncpg_dbapi.Error):
        cause = error.__cause__
    return cause, str(getattr(cause, "sqlstate", "") or "")


def is_write_refused(error: Exception) -> bool:
    """Whether something was written in a transaction that only reads."""
    return _sqlstate(error)[1] == "25006"


def translated(error: Exception) -> Exception:
    """What a database error means to the caller, or the error itself when it is a bug."""
    cause, sqlstate = _sqlstate(error)
    if sqlstate in RETRIED_SQLSTATES:
        return Retry(sqlstate)
    constraint = getattr(cause, "constraint_name", None)
    if constraint and constraint in DomainError.by_constraint:
        return DomainError.by_constraint[constraint]()
    lost = type(cause) is asyncpg.InterfaceError and _CLOSED in str(cause)
    # A farewell of the server that comes unasked confuses the driver before it closes.
    lost = lost or isinstance(cause, asyncpg.InternalClientError)
    if lost or sqlstate.startswith(_GONE_SQLSTATES):
        return Unavailable("The database does not answer.")
    if sqlstate == "57014":
        return Unavailable("The question took too long; ask for less at once.")
    if sqlstate == "55P03":
        return Conflict("Somebody else is working on the same thing; try again shortly.")
    if sqlstate.startswith(_UNREADABLE_SQLSTATES) or isinstance(
        cause, asyncpg.DataError | UnicodeError | OverflowError
    ):
        return Malformed("A value cannot be stored: a character or a number out of range.")
    if isinstance(error, InterfaceError | OperationalError) and error.connection_invalidated:
        return Unavailable("The database does not answer.")
    return error
