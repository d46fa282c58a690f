"""What the scheduler does for orders: accept after the review window, end what nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.jobs import Job
from marketplace.kernel.storage import files
from marketplace.kernel.storage import remove_orphans as remove_orphan_files
from marketplace.orders.queries.changes import due_to_lapse
from marketplace.orders.queries.enquiries import due_enquiries
from marketplace.orders.queries.free_use import kept_evidence
from marketplace.orders.queries.orders import due_to_expire
from marketplace.orders.queries.saved import due_searches
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import (
    ExpireOrder,
    LapseChange,
    RemindOfDisputes,
    expire_order,
    lapse_change,
    remind_of_disputes,
)
from marketplace.orders.use_cases.delivery import DELIVERABLES_AREA, named_files
from marketplace.orders.use_cases.dispute_evidence import DISPUTES_AREA, named_evidence
from marketplace.orders.use_cases.enquiries import LapseEnquiry, lapse_enquiry
from marketplace.orders.use_cases.enquiry_files import ENQUIRIES_AREA
from marketplace.orders.use_cases.enquiry_files import named_files as named_attachments
from marketplace.orders.use_cases.free_use import EVIDENCE_AREA as FREE_USE_EVIDENCE_AREA
from marketplace.orders.use_cases.saved import OfSearch, look_again

log = structlog.get_logger()

BATCH = 500


async def remind_disputes(database: Database) -> int:
    """Remind providers of answers that are due, and mark those that are overdue."""
    return await atomically(
        database, remind_of_disputes, RemindOfDisputes(), actor=system_actor("job:remind_disputes")
    )


async def remove_evidence_orphans(database: Database) -> int:
    """Remove evidence older than a day that no row names: a crash left it behind."""
    return await remove_orphan_files(database, files(), DISPUTES_AREA, named_evidence)


async def expire_unanswered(database: Database) -> int:
    """End every order that its provider has not answered while the quote held."""

    async def expire(order_id: int) -> None:
        await atomically(
            database,
            expire_order,
            ExpireOrder(order_id),
            actor=system_actor("job:expire_unanswered"),
        )

    return await _each(database, due_to_expire, expire)


async def lapse_proposals(database: Database) -> int:
    """End every proposal for another time that nobody answered; the orders stay as they were."""

    async def lapse(change_id: int) -> None:
        await atomically(
            database,
            lapse_change,
            LapseChange(change_id),
            actor=system_actor("job:lapse_proposals"),
        )

    return await _each(database, due_to_lapse, lapse)


async def remove_orphans(database: Database) -> int:
    """Remove files older than a day that no row names: a crash left them behind."""
    removed = await remove_orphan_files(database, files(), DELIVERABLES_AREA, named_files)
    return removed + await remove_orphan_files(
        database, files(), FREE_USE_EVIDENCE_AREA, kept_evidence
    )


async def lapse_enquiries(database: Database) -> int:
    """End every enquiry whose time is over: unanswered, forgotten, or with its offer."""

    async def lapse(enquiry_id: int) -> None:
        await atomically(
            database,
            lapse_enquiry,
            LapseEnquiry(enquiry_id),
            actor=system_actor("job:lapse_enquiries"),
        )

    return await _each(database, due_enquiries, lapse)


async def look_through_searches(database: Database) -> int:
    """Look through the saved searches whose turn it is for what newly fits."""

    async def look(search_id: int) -> None:
        await atomically(
            database,
            look_again,
            OfSearch(search_id),
            actor=system_actor("job:look_through_searches"),
        )

    return await _each(database, due_searches, look)


async def remove_enquiry_orphans(database: Database) -> int:
    """Remove attachments older than a day that no row names: a crash left them behind."""
    return await remove_orphan_files(database, files(), ENQUIRIES_AREA, named_attachments)


async def _each(
    database: Database,
    due: Callable[[Tx, int], Awaitable[Sequence[int]]],
    work: Callable[[int], Awaitable[None]],
) -> int:
    """Do `work` on everything due; one that is refused is logged and does not stop the others."""
    actor = system_actor("job:orders")
    ids = await atomically(database, due, BATCH, actor=actor)
    done = 0
    for due_id in ids:
        try:
            await work(due_id)
        except DomainError as refusal:
            log.warning("orders.job_refused", due_id=due_id, code=refusal.code)
        else:
            done += 1
    return done


JOBS = [
    Job(
        name="orders.accept_reviewed",
        cron="*/10 * * * *",
        run=accept_reviewed,
        about="Accepts and settles orders whose review window is over, many at once.",
    ),
    Job(
        name="orders.remind_disputes",
        cron="*/10 * * * *",
        run=remind_disputes,
        about="Reminds of answers to disputes a day before they are due, and marks the overdue.",
    ),
    Job(
        name="orders.remove_evidence_orphans",
        cron="44 3 * * *",
        run=remove_evidence_orphans,
        about="Removes evidence older than a day that an upload left without its row.",
    ),
    Job(
        name="orders.expire_unanswered",
        cron="*/10 * * * *",
        run=expire_unanswered,
        about="Ends orders that no provider answered while the quote held, and gives all back.",
    ),
    Job(
        name="orders.lapse_proposals",
        cron="*/10 * * * *",
        run=lapse_proposals,
        about="Ends proposals for another time that nobody answered; the orders stay as they were.",
    ),
    Job(
        name="orders.remove_orphans",
        cron="41 3 * * *",
        run=remove_orphans,
        about="Removes files of results older than a day that an upload left without its row.",
    ),
    Job(
        name="orders.lapse_enquiries",
        cron="*/10 * * * *",
        run=lapse_enquiries,
        about="Ends enquiries that nobody answered or went on with, and offers whose time is over.",
    ),
    Job(
        name="orders.look_through_searches",
        cron="7,37 * * * *",
        run=look_through_searches,
        about="Looks through saved searches for what newly fits, those first that waited longest.",
    ),
    Job(
        name="orders.remove_enquiry_orphans",
        cron="47 3 * * *",
        run=remove_enquiry_orphans,
        about="Removes attachments older than a day that an upload left without its row.",
    ),
]
