"""What a version changes of its programme's layers: noted with its draft, carried out with it.

Money moves when the second person approves: between the appropriation and the programme's budget.
Shares and new layers count from the version's first day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.billing.ledger.errors import InsufficientFunds
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
from marketplace.kernel.errors import Reason
from marketplace.vouchers import tables
from marketplace.vouchers.errors import ProgrammeRefused, ProgrammeStateMoved
from marketplace.vouchers.queries import (
    LayerChange,
    Programme,
    ProgrammeVersion,
    layer_changes_of,
    layers_now,
)
from marketplace.vouchers.rules.layer_changes import LayerAdded, LayerChanged, wrong_layers
from marketplace.vouchers.rules.states import ProgrammeStatus
from marketplace.vouchers.use_cases.waiting import ProposeNext, propose_next


@dataclass(frozen=True, slots=True)
class LayersAsked:
    """What a version is to change of its programme's layers; nothing by default."""

    changed: Sequence[LayerChanged] = ()
    added: Sequence[LayerAdded] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added)


NO_LAYERS = LayersAsked()


async def note_layers(tx: Tx, version_id: int, asked: LayersAsked) -> None:
    """Write down with a drafted version what it changes of the layers."""
    rows = [
        {
            "version_id": version_id,
            "layer_id": each.layer_id,
            "is_new": False,
            "ratio_basis_points": each.ratio_basis_points,
            "budget_fen": each.budget_fen,
        }
        for each in asked.changed
    ]
    if rows:
        await tx.execute(insert(tables.programme_layer_change), rows)
    new = [
        {
            "version_id": version_id,
            "is_new": True,
            "funder": each.funder,
            "region_code": each.region_code,
            "name": each.name,
            "budget_year": each.budget_year,
            "ratio_basis_points": each.ratio_basis_points,
            "budget_fen": each.budget_fen,
        }
        for each in asked.added
    ]
    if new:
        await tx.execute(insert(tables.programme_layer_change), new)


async def carry_out_layers(tx: Tx, of: Programme, version: ProgrammeVersion) -> None:
    """Move the budgets of an approved version's layers, and add those that are new.

    Raises:
        ProgrammeStateMoved: when the programme is closed: its budgets have gone back.
        ProgrammeRefused: when more of a budget is granted, held or used by now.

    Policy: J.22a
    """
    drafted = await layer_changes_of(tx, version.id)
    if not drafted:
        return
    if of.status != ProgrammeStatus.OPEN:
        raise ProgrammeStateMoved(f"The programme is {of.status}: its budgets change no more.")
    asked = asked_of(drafted)
    now = {each.layer_id: each for each in await layers_now(tx, of.id, version.starts_on)}
    wrong = wrong_layers(list(now.values()), asked.changed, asked.added)
    if wrong:
        _refuse(wrong)
    for change in drafted:
        if change.is_new:
            await _add(tx, version, change)
        elif change.budget_fen is not None and change.layer_id is not None:
            await _move(tx, version, change, now[change.layer_id].budget_fen)
    await propose_next(tx, ProposeNext(of.id))


def asked_of(drafted: Sequence[LayerChange]) -> LayersAsked:
    """What a drafted version changes, as the rules read it."""
    return LayersAsked(
        [
            LayerChanged(each.layer_id, each.budget_fen, each.ratio_basis_points)
            for each in drafted
            if not each.is_new and each.layer_id is not None
        ],
        [
            LayerAdded(
                each.funder,
                each.region_code,
                each.ratio_basis_points,
                each.budget_fen,
                each.name,
                each.budget_year,
            )
            for each in drafted
            if each.is_new
            and each.funder is not None
            and each.region_code is not None
            and each.ratio_basis_points is not None
            and each.budget_fen is not None
        ],
    )


def _refuse(reasons: Sequence[Reason]) -> None:
    raise ProgrammeRefused("; ".join(each.message for each in reasons), reasons=reasons)


async def _move(tx: Tx, version: ProgrammeVersion, change: LayerChange, before_fen: int) -> None:
    """Raise or lower a layer's budget; what others were granted meanwhile is not taken away."""
    layer_id, budget_fen = change.layer_id, change.budget_fen
    assert layer_id is not None, "a change of a layer names it"
    assert budget_fen is not None, "a change of a budget says how much"
    try:
        async with tx.attempt():
            await _post(tx, version, layer_id, budget_fen - before_fen)
    except InsufficientFunds:
        _refuse(
            [
                Reason(
                    "budget",
                    "Somebody was granted what was to be taken out of the budget: look again at"
                    " what is left of it.",
                    asked=budget_fen,
                    source="J.22a",
                )
            ]
        )
    await tx.execute(
        update(tables.programme_layer)
        .where(tables.programme_layer.c.id == layer_id)
        .values(budget_fen=budget_fen)
    )
    await _carried_out(tx, version, change, layer_id, before_fen)


async def _add(tx: Tx, version: ProgrammeVersion, change: LayerChange) -> None:
    assert change.budget_fen is not None, "a new layer has a budget"
    layer_id: int = await tx.scalar(
        insert(tables.programme_layer)
        .values(
            programme_id=version.programme_id,
            funder=change.funder,
            region_code=change.region_code,
            ratio_basis_points=change.ratio_basis_points,
            budget_fen=change.budget_fen,
            name=change.name,
            budget_year=change.budget_year,
            starts_on=version.starts_on,
        )
        .returning(tables.programme_layer.c.id)
    )
    await open_account(tx, OpenAccount(AccountType.PROGRAMME_SPENT, layer_id))
    await _post(tx, version, layer_id, change.budget_fen)
    await _carried_out(tx, version, change, layer_id, 0)


async def _post(tx: Tx, version: ProgrammeVersion, layer_id: int, more_fen: int) -> None:
    if more_fen == 0:
        return
    appropriation = await open_account(tx, OpenAccount(AccountType.APPROPRIATION, layer_id))
    budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, layer_id))
    raised = more_fen > 0
    await post_entry(
        tx,
        Entry(
            kind=EntryKind.BUDGET_APPROPRIATED if raised else EntryKind.BUDGET_LOWERED,
            effective_on=tx.today,
            lines=transfer(
                debit=appropriation if raised else budget,
                credit=budget if raised else appropriation,
                amount_fen=abs(more_fen),
            ),
            key=f"programme-version:{version.id}:layer:{layer_id}",
            source_kind="programme",
            source_id=version.programme_id,
            made_by=version.made_by,
            approved_by=tx.actor.person_id,
        ),
    )


async def _carried_out(
    tx: Tx, version: ProgrammeVersion, change: LayerChange, layer_id: int, before_fen: int
) -> None:
    await tx.execute(
        update(tables.programme_layer_change)
        .where(tables.programme_layer_change.c.id == change.id)
        .values(layer_id=layer_id, budget_before_fen=before_fen)
    )
    tx.audit(
        "change-budget",
        subject="programme_layer",
        subject_id=layer_id,
        programme_id=version.programme_id,
        version=version.version,
        before_fen=before_fen,
        budget_fen=change.budget_fen,
    )
