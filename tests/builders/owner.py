"""For what only the owner of the tables may do: the application, and so `database`, may not."""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy import text


async def become_owner(connection: Any) -> None:
    """Go on as the owner until this transaction ends: a `Tx`, a connection, or the driver's."""
    statement = "set local role none"
    raw = isinstance(connection, asyncpg.Connection)
    await connection.execute(statement if raw else text(statement))
