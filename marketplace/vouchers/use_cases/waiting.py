"""Freed money reaches who waits longest: the next in line are proposed for a decision."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, true, update

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.parties.queries import organisations
from marketplace.vouchers import tables
from marketplace.vouchers.events import VoucherApplicationProposed
from marketplace.vouchers.queries import (
    Application,
    Programme,
    budgets_available,
    layers,
    parts_for,
    programme,
)
from marketplace.vouchers.queries.applications import facts_of_many, granted_in_batches
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.batches import batch_of, left_in
from marketplace.vouchers.rules.beneficiaries import Facts
from marketplace.vouchers.rules.states import ApplicationStatus, ProgrammeStatus
from marketplace.vouchers.rules.waiting import InLine, next_in_line, waiting_rank

LINE_MAX = 500
"""How many of a line are looked at in one go; those behind wait for the next."""


@dataclass(frozen=True, slots=True)
class ProposeNext:
    """Look whose turn it is in a programme."""

    programme_id: int


async def propose_next(tx: Tx, command: ProposeNext) -> list[int]:
    """Put the next in line before the officers, in their order; which applications.

    Nothing is granted by itself: each is decided like any other, by as many persons as the terms
    name. What is proposed and not yet decided keeps its money from those behind it. Whom the terms
    of today prefer comes before the others that wait.

    Policy: J.22a
    """
    of = await programme(tx, command.programme_id, lock=True)
    if of.status != ProgrammeStatus.OPEN:
        return []
    await _rank(tx, of)
    table = tables.voucher_application
    found = await tx.all(
        Application,
        select(*columns(Application, table))
        .where(
            table.c.programme_id == of.id,
            (table.c.status == ApplicationStatus.WAITING)
            | ((table.c.status == ApplicationStatus.SUBMITTED) & table.c.proposed_at.is_not(None)),
        )
        .order_by(table.c.status, table.c.waiting_rank, table.c.waiting_since, table.c.id)
        .limit(LINE_MAX)
        .with_for_update(),
    )
    if not any(each.status == ApplicationStatus.WAITING for each in found):
        return []
    all_layers = await layers(tx, of.id, on=tx.today)
    rooms = await budgets_available(tx, [layer.id for layer in all_layers])
    granted = await granted_in_batches(tx, of.id)
    who = await organisations(tx, {each.organisation_id for each in found})
    line = []
    for each in found:
        # As it is decided: by the layers of the year in which it was made.
        parts = parts_for(
            each.asked_fen,
            who[each.organisation_id].region_code,
            all_layers,
            shanghai_day(each.made_at).year,
        )
        amounts = {part.layer.id: part.amount_fen for part in parts}
        batch = batch_of(of.agreed.batches, shanghai_day(each.made_at), tx.today)
        left = left_in(batch, granted)
        if batch is not None and left is not None and amounts:
            # A round's amount is one more purse: what is before one in line is kept of it too.
            rooms.setdefault(-batch.number, left)
            amounts[-batch.number] = each.asked_fen
        if each.status == ApplicationStatus.WAITING:
            line.append(InLine(each.id, amounts))
        else:
            for layer_id, amount_fen in amounts.items():
                rooms[layer_id] -= amount_fen
    turns = next_in_line(line, rooms)
    if turns:
        await tx.execute(
            update(table)
            .where(table.c.id.in_(turns))
            .values(status=ApplicationStatus.SUBMITTED, proposed_at=tx.now)
        )
    by_id = {each.id: each for each in found}
    for application_id in turns:
        tx.audit("propose", subject="voucher_application", subject_id=application_id)
        tx.record(
            VoucherApplicationProposed(application_id, of.id, by_id[application_id].organisation_id)
        )
    return turns


async def _rank(tx: Tx, of: Programme) -> None:
    """Bring the places of those that wait up to date: facts and terms may have changed since."""
    table = tables.voucher_application
    mine = (table.c.programme_id == of.id, table.c.status == ApplicationStatus.WAITING)
    preferences = of.agreed.waiting_first
    ids: dict[int, list[int]] = {0: []}
    if preferences:
        rows = await tx.execute(select(table.c.id, table.c.organisation_id).where(*mine))
        waiting = rows.all()
        facts = await facts_of_many(tx, [row.organisation_id for row in waiting], tx.today)
        for row in waiting:
            rank = waiting_rank(facts.get(row.organisation_id, Facts()), preferences)
            ids.setdefault(rank, []).append(row.id)
    for rank, some in ids.items():
        ranked = table.c.id.in_(some) if preferences else true()
        await tx.execute(
            update(table)
            .where(*mine, table.c.waiting_rank != rank, ranked)
            .values(waiting_rank=rank)
        )


async def programmes_with_a_line(tx: Tx, _: None = None) -> list[int]:
    """The programmes in which somebody waits."""
    table = tables.voucher_application.c
    return list(
        await tx.scalars(
            select(table.programme_id)
            .distinct()
            .where(table.status == ApplicationStatus.WAITING)
            .order_by(table.programme_id)
        )
    )
