"""What the domains offer together, for the processes that run and show it."""

from __future__ import annotations

from importlib import import_module
from itertools import chain

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.idempotency import forget_old
from marketplace.kernel.jobs import Job

DOMAINS_WITH_JOBS = (
    "booking",
    "billing.ledger",
    "billing.credit",
    "billing.reconciliation",
    "billing.rewards",
    "vouchers",
    "orders",
    "closing",
)


async def _forget_idempotency_keys(database: Database) -> int:
    return await atomically(
        database, forget_old, None, actor=system_actor("job:forget_idempotency_keys")
    )


KERNEL_JOBS = [
    Job(
        name="forget_idempotency_keys",
        cron="17 3 * * *",
        run=_forget_idempotency_keys,
        about="Removes stored answers that nobody will ask for again.",
    )
]


def all_jobs() -> list[Job]:
    """The jobs of every domain."""
    domains = (import_module(f"marketplace.{domain}.jobs").JOBS for domain in DOMAINS_WITH_JOBS)
    return [*chain.from_iterable(domains), *KERNEL_JOBS]
