"""Alembic's entry: one transaction, one lock, the URL that `marketplace.kernel.migrate` gave."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from marketplace.kernel.migrate import run
from marketplace.kernel.tables import metadata


def upgrade(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()


given = context.config.attributes
asyncio.run(run(given["url"], upgrade, login=given["login"]))
