"""The processes: the web server, the worker, and the migration before them."""

from __future__ import annotations

import asyncio

import click

from marketplace.cli.running import configuration, database_server, require_rulebook
from marketplace.kernel.db import Database
from marketplace.kernel.migrate import migrate_configured


@click.command()
@click.option("--host", help="Address to listen on.", show_default="127.0.0.1")
@click.option("--port", type=click.IntRange(1, 65535), help="Port.", show_default="8000")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Web processes; more than one needs REDIS_URL.",
    show_default="1",
)
def serve(host: str | None, port: int | None, processes: int | None) -> None:
    """Serve the API and the pages."""
    from marketplace.serving import serve_until_stopped

    require_rulebook()
    found = configuration()
    if (processes or found.web_processes) > 1 and not found.redis_url:
        raise click.UsageError("several web processes need REDIS_URL (docs/settings.md)")
    with database_server() as configured:
        changes = {"host": host, "port": port, "web_processes": processes}
        wanted = configured.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        serve_until_stopped(wanted)


@click.command()
def worker() -> None:
    """Run the scheduler: lapsing holds, expiring vouchers, no-shows, delivery of events.

    Any number of workers may run; each tick of a job fires once.
    """
    from marketplace.worker import work_until_signalled

    require_rulebook()
    with database_server() as configured:
        database = Database(configured.database_url, statement_timeout_seconds=3600)
        asyncio.run(work_until_signalled(database, redis_url=configured.redis_url))


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this release; safe to run twice or at once.

    Runs as the owner of the tables (MIGRATION_DATABASE_URL, or else DATABASE_URL) and grants the
    application what it needs and no more.
    """
    with database_server(migrated=False) as configured:
        migrate_configured(configured)
    click.echo("The database is up to date.")
