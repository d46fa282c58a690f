"""Ask what a changed rule would have made of past orders, and work it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically, transaction
from marketplace.kernel.errors import Reasons
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.vouchers.queries import programme
from marketplace.vouchers.queries.dry_runs import (
    CHUNK,
    DryRunFound,
    PastOrders,
    StoredDryRun,
    count_past_orders,
    dry_run,
    stored_dry_run,
)
from marketplace.vouchers.rules.terms import terms_of
from marketplace.vouchers.use_cases.versions import TermGiven, changed_terms

ACTOR = system_actor("job:dry_runs")
GIVEN_UP_AFTER = timedelta(minutes=30)
"""A run that was begun so long ago died with its worker, and is begun anew."""
PROGRESS_EVERY = 10 * CHUNK
LINES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class AskDryRun:
    """What would change of the terms in force, over the orders redeemed between two days."""

    programme_id: int
    changes: Mapping[str, TermGiven]
    from_on: date | None = None
    until_on: date | None = None


async def ask_dry_run(tx: Tx, command: AskDryRun) -> StoredDryRun:
    """Note the dry run for the worker; nothing of the programme changes.

    Raises:
        ProgrammeMissing: when there is no such programme.
        ProgrammeRefused: with everything that does not fit together, and for days in disorder.

    Policy: J.22a
    """
    of = await programme(tx, command.programme_id)
    from_on, until_on = command.from_on or of.opens_on, command.until_on or tx.today
    reasons = Reasons()
    if from_on > until_on:
        reasons.add(
            "days",
            "The orders are those from one day to the same or a later one.",
            limit=from_on.isoformat(),
            asked=until_on.isoformat(),
        )
    reasons.raise_as(ProgrammeRefused)
    terms = await changed_terms(tx, of, of.terms, command.changes)
    orders = await count_past_orders(tx, PastOrders(of.id, from_on, until_on))
    run_id: int = await tx.scalar(
        insert(tables.programme_dry_run)
        .values(
            programme_id=of.id,
            changes={name: asdict(given) for name, given in command.changes.items()},
            terms=terms,
            from_on=from_on,
            until_on=until_on,
            status="waiting",
            orders=orders,
            asked_by=tx.actor.person_id,
            asked_at=tx.now,
        )
        .returning(tables.programme_dry_run.c.id)
    )
    tx.audit("ask-dry-run", subject="programme", subject_id=of.id, run_id=run_id)
    return await stored_dry_run(tx, run_id)


async def work_dry_run(database: Database) -> int | None:
    """Work off the oldest dry run that waits; which one it was, or None."""
    run_id = await atomically(database, _begin, None, actor=ACTOR)
    if run_id is None:
        return None
    try:
        found = await _reckon(database, run_id)
    except Exception as error:
        await atomically(database, _fail, (run_id, type(error).__name__), actor=ACTOR)
        raise
    await atomically(database, _keep, (run_id, found), actor=ACTOR)
    return run_id


async def _begin(tx: Tx, _: None) -> int | None:
    table = tables.programme_dry_run
    due = (
        select(table.c.id)
        .where(
            (table.c.status == "waiting")
            | ((table.c.status == "running") & (table.c.started_at < tx.now - GIVEN_UP_AFTER))
        )
        .order_by(table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    found: int | None = await tx.scalar(
        update(table)
        .where(table.c.id == due)
        .values(status="running", started_at=tx.now, done=0)
        .returning(table.c.id)
    )
    return found


async def _reckon(database: Database, run_id: int) -> DryRunFound:
    async def progress(done: int) -> None:
        if done % PROGRESS_EVERY == 0:
            await atomically(database, _note_progress, (run_id, done), actor=ACTOR)

    async with transaction(database, actor=ACTOR) as tx:
        run = await stored_dry_run(tx, run_id)
        of = await programme(tx, run.programme_id)
        changed: dict[str, Any] = await tx.scalar(
            select(tables.programme_dry_run.c.terms).where(tables.programme_dry_run.c.id == run_id)
        )
        asked = PastOrders(of.id, run.from_on, run.until_on)
        return await dry_run(tx, asked, of.agreed, terms_of(changed), progress)


async def _note_progress(tx: Tx, noted: tuple[int, int]) -> None:
    run_id, done = noted
    table = tables.programme_dry_run
    await tx.execute(
        update(table)
        .where(table.c.id == run_id, table.c.status == "running", table.c.orders >= done)
        .values(done=done)
    )


async def _fail(tx: Tx, failed: tuple[int, str]) -> None:
    run_id, reason = failed
    await tx.execute(
        update(tables.programme_dry_run)
        .where(tables.programme_dry_run.c.id == run_id)
        .values(status="failed", reason=reason, finished_at=tx.now)
    )


async def _keep(tx: Tx, kept: tuple[int, DryRunFound]) -> None:
    run_id, found = kept
    lines = [{"run_id": run_id, **asdict(row)} for row in found.rows]
    for start in range(0, len(lines), LINES_AT_ONCE):
        await tx.execute(
            insert(tables.programme_dry_run_line), lines[start : start + LINES_AT_ONCE]
        )
    await tx.execute(
        update(tables.programme_dry_run)
        .where(tables.programme_dry_run.c.id == run_id)
        .values(
            status="done",
            orders=found.total.orders,
            done=found.total.orders,
            summary=summary_of(found),
            finished_at=tx.now,
        )
    )


def summary_of(found: DryRunFound) -> dict[str, Any]:
    """What a dry run comes to, without its table."""
    total = asdict(found.total)
    for name in ("dimension", "key", "label"):
        del total[name]
    return {
        **total,
        "recorded_fen": found.recorded_fen,
        "layers": [asdict(layer) for layer in found.layers],
        "let_in": asdict(found.let_in),
    }
