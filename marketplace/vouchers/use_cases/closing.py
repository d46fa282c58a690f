"""A closed programme: who waits is told, and what is unspent returns to the appropriation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    open_account,
    post_entry,
    transfer,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries import budgets_available, layers, programme
from marketplace.vouchers.rules.states import ApplicationStatus, ProgrammeStatus

NOT_DECIDED = (ApplicationStatus.DRAFT, ApplicationStatus.RETURNED, ApplicationStatus.WAITING)


@dataclass(frozen=True, slots=True)
class WindUp:
    """A programme that has just been closed."""

    programme_id: int


async def wind_up(tx: Tx, command: WindUp) -> None:
    """Let open applications lapse and return the budget that nobody was granted."""
    table = tables.voucher_application
    lapsed = await tx.scalars(
        update(table)
        .where(table.c.programme_id == command.programme_id, table.c.status.in_(NOT_DECIDED))
        .values(status=ApplicationStatus.LAPSED, reason="The programme was closed.")
        .returning(table.c.id)
    )
    for application_id in sorted(lapsed):
        tx.audit("lapse", subject="voucher_application", subject_id=application_id)
    await return_budgets(tx, ReturnBudgets(command.programme_id))


@dataclass(frozen=True, slots=True)
class ReturnBudgets:
    """What came back to the budgets of a closed programme."""

    programme_id: int


async def return_budgets(tx: Tx, command: ReturnBudgets) -> int:
    """Return what is on the budgets of a closed programme to its appropriations; how much.

    Vouchers already granted go on; what they leave follows when they expire.

    Policy: J.22a
    """
    of = await programme(tx, command.programme_id, lock=True)
    if of.status != ProgrammeStatus.CLOSED:
        return 0
    all_layers = await layers(tx, of.id)
    budgets = await budgets_available(tx, [layer.id for layer in all_layers])
    returned = 0
    for layer in all_layers:
        amount_fen = budgets[layer.id]
        if not amount_fen:
            continue
        budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, layer.id))
        appropriation = await open_account(tx, OpenAccount(AccountType.APPROPRIATION, layer.id))
        await post_entry(
            tx,
            Entry(
                kind=EntryKind.BUDGET_RETURNED,
                effective_on=tx.today,
                lines=transfer(debit=budget, credit=appropriation, amount_fen=amount_fen),
                key=f"programme-layer:{layer.id}:returned:{tx.now.isoformat()}",
                source_kind="programme",
                source_id=of.id,
            ),
        )
        returned += amount_fen
    if returned:
        tx.audit("return-budget", subject="programme", subject_id=of.id, amount_fen=returned)
    return returned


async def closed_programmes(tx: Tx, _: None = None) -> list[int]:
    """Programmes that are closed and have money on a budget."""
    of, layer = tables.programme, tables.programme_layer
    rows = await tx.execute(
        select(of.c.id, layer.c.id.label("layer_id"))
        .join_from(of, layer, layer.c.programme_id == of.c.id)
        .where(of.c.status == ProgrammeStatus.CLOSED)
    )
    by_layer = {row.layer_id: row.id for row in rows}
    budgets = await budgets_available(tx, list(by_layer))
    return sorted({by_layer[layer_id] for layer_id, left in budgets.items() if left})
