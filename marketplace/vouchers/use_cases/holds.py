"""An order keeps voucher money aside, uses what the service really took, and frees the rest.

One order may take several vouchers: each has a hold of its own, in its place, and a redemption of
its own. Who ends holds in bulk keeps the order of `settle_voucher`: the hold ends with
`settled_fen`, then its redemption and its parts are written; triggers keep the caps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.use_cases import (
    AccountType,
    EntryKind,
    OpenAccount,
    ReleaseHold,
    SettleHold,
    open_account,
    release_hold,
    settle_hold,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.parties.queries import organisation
from marketplace.vouchers import tables
from marketplace.vouchers.errors import VoucherNotUsable
from marketplace.vouchers.events import VoucherRedeemed
from marketplace.vouchers.queries import (
    Counting,
    HoldPart,
    LayerPart,
    Together,
    VoucherHold,
    VoucherQuestion,
    balances_of_grants,
    best_together,
    layer_parts,
    spent_hosts,
    subjects_of,
)
from marketplace.vouchers.rules.anomalies import Subject, SubjectKind
from marketplace.vouchers.rules.shares import LayerShare
from marketplace.vouchers.rules.states import GrantStatus, HoldStatus
from marketplace.vouchers.use_cases.anomalies import require_settleable, require_unblocked
from marketplace.vouchers.use_cases.caps import Counted, count_towards_caps
from marketplace.vouchers.use_cases.changes import return_freed
from marketplace.vouchers.use_cases.held import (
    HeldOfGrant,
    hold_parts_of,
    open_holds,
    parts_by_hold,
)
from marketplace.vouchers.use_cases.settling import HeldAmount, amounts_used

LOOKS_MAX = 3
"""How often an order looks at what is left when others take the money between look and hold."""


@dataclass(frozen=True, slots=True)
class HoldVoucher:
    """Keep the vouchers' part of an order aside; `on` is the day of the service, else today.

    `grant_ids` are the vouchers that the buyer chose; None: the combination that pays most.
    `persons` is how many the service trains.
    """

    order_id: int
    organisation_id: int
    provider_id: int
    instrument_id: int
    service_kind: str
    service_value_fen: int
    on: date | None = None
    grant_ids: tuple[int, ...] | None = None
    persons: int = 0


@dataclass(frozen=True, slots=True)
class VoucherHeld:
    """What is kept aside, layer by layer; `hold_id` and `grant_id` are those that pay first."""

    hold_id: int
    grant_id: int
    amount_fen: int
    parts: tuple[LayerPart, ...]
    vouchers: tuple[HeldOfGrant, ...]
    explanation: tuple[str, ...]
    lacking: tuple[Reason, ...] = ()
    """Which regions take over less than their part of it, having used up their budgets."""


async def hold_voucher(tx: Tx, command: HoldVoucher) -> VoucherHeld:
    """Hold what the SME's vouchers pay of the order, in the combination that pays most.

    Raises:
        VoucherNotUsable: with every reason, when no voucher may pay.
        AnomaliesBlock: while a blocking anomaly about one of the vouchers is not decided.
        VoucherHeldBefore: when vouchers are held for this order.
        VoucherCapReached: when another order took the room under a cap at the same moment.
        FirstUseTaken: when another order was the first use at the same moment.

    Policy: J.22b
    """
    on = command.on or tx.today
    question = VoucherQuestion(
        organisation_id=command.organisation_id,
        provider_id=command.provider_id,
        service_kind=command.service_kind,
        service_value_fen=command.service_value_fen,
        on=on,
        instrument_id=command.instrument_id,
        grant_ids=command.grant_ids,
        persons=command.persons,
    )
    await _take_turns(tx, command.organisation_id)
    found, held = await _hold_what_is_left(tx, command, question)
    for each in held:
        tx.audit(
            "hold",
            subject="voucher_grant",
            subject_id=each.grant_id,
            order_id=command.order_id,
            amount_fen=each.amount_fen,
        )
    return VoucherHeld(
        held[0].hold_id,
        held[0].grant_id,
        found.total_fen,
        tuple(part for each in found.paying for part in layer_parts(each)),
        tuple(held),
        found.explanation,
        spent_hosts(found),
    )


async def _hold_what_is_left(
    tx: Tx, command: HoldVoucher, question: VoucherQuestion
) -> tuple[Together, list[HeldOfGrant]]:
    """Hold the best combination; where another order took the money first, of what it left."""
    for _ in range(LOOKS_MAX):
        found = await best_together(tx, question)
        if not found.paying:
            reasons = found.refusals
            raise VoucherNotUsable("; ".join(each.message for each in reasons), reasons=reasons)
        await require_unblocked(
            tx, *(Subject(SubjectKind.GRANT, each.grant_id) for each in found.paying)
        )
        try:
            async with tx.attempt():
                held = await _write_holds(tx, command, question.on, found)
                await _count(tx, command, question.on, found, held)
        except InsufficientFunds:
            continue
        return found, held
    busy = Reason(
        "left",
        "Other orders take the voucher's money at this very moment: order again.",
        source="J.22b",
    )
    raise VoucherNotUsable(busy.message, reasons=[busy])


async def _take_turns(tx: Tx, organisation_id: int) -> None:
    """Where earlier services of the year count, one order of the SME follows the other."""
    grant, of = tables.voucher_grant, tables.programme
    await tx.execute(
        select(grant.c.id)
        .join_from(grant, of, of.c.id == grant.c.programme_id)
        .where(
            grant.c.organisation_id == organisation_id,
            of.c.terms["steps_over"]["value"].as_string() == "sme-year",
        )
        .order_by(grant.c.id)
        .with_for_update(of=grant)
    )


async def _write_holds(
    tx: Tx, command: HoldVoucher, on: date, found: Together
) -> list[HeldOfGrant]:
    written = []
    for position, answer in enumerate(found.paying):
        hold_id: int = await tx.scalar(
            insert(tables.voucher_hold)
            .values(
                order_id=command.order_id,
                grant_id=answer.grant_id,
                provider_id=command.provider_id,
                instrument_id=command.instrument_id,
                service_kind=command.service_kind,
                service_value_fen=command.service_value_fen,
                amount_fen=answer.total_fen,
                status=HoldStatus.HELD,
                held_at=tx.now,
                position=position,
                first_use=answer.purchase.first_use,
                # What the answer was found by: nothing is looked up anew after a wait for a lock.
                terms_version=answer.standing.programme.version,
                counted_year=on.year,
                persons=command.persons or None,
            )
            .returning(tables.voucher_hold.c.id)
        )
        written.append(HeldOfGrant(hold_id, answer.grant_id, answer.total_fen))
    await hold_parts_of(tx, found.paying, written)
    return written


async def _count(
    tx: Tx, command: HoldVoucher, on: date, found: Together, held: Sequence[HeldOfGrant]
) -> None:
    sme = await organisation(tx, command.organisation_id)
    counting = Counting(sme.id, sme.legal_entity_id, command.instrument_id, on)
    subjects = await subjects_of(tx, [each.standing.terms for each in found.paying], counting)
    await count_towards_caps(
        tx,
        [
            Counted(hold.hold_id, answer, on.year, subjects)
            for hold, answer in zip(held, found.paying, strict=True)
        ],
    )


@dataclass(frozen=True, slots=True)
class SettleVoucher:
    """The service took `service_value_fen`; the vouchers pay their part of that."""

    order_id: int
    service_value_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class VoucherSettled:
    """What the vouchers paid; the rest of the holds is free again."""

    amount_fen: int
    redemption_id: int | None
    redemption_ids: tuple[int, ...] = ()


async def settle_voucher(tx: Tx, command: SettleVoucher) -> VoucherSettled:
    """Turn the holds into redemptions of what was really used, never more than was held.

    Raises:
        VoucherHoldMissing: when nothing is held for the order.
        VoucherHoldEnded: when the holds were settled or released before.
        AnomaliesBlock: while a blocking anomaly about the order, one of its vouchers or both of its
            parties is not decided; the holds stay.

    Policy: J.22b, J.31
    """
    holds = await open_holds(tx, command.order_id)
    await require_settleable(tx, [command.order_id])
    parts = await parts_by_hold(tx, holds)
    used = await amounts_used(
        tx,
        [HeldAmount(held, tuple(parts[held.id])) for held in holds],
        command.service_value_fen,
    )
    await _settle_parts(tx, holds, parts, used, command.settled_on)
    redemption_ids = []
    for held in holds:
        layers = used[held.id]
        amount_fen = sum(layer.amount_fen for layer in layers)
        await _end(tx, held, HoldStatus.SETTLED, amount_fen)
        if amount_fen:
            redemption_ids.append(await _redeem(tx, held, command, layers))
            await _note_when_exhausted(tx, held.grant_id)
    total_fen = sum(layer.amount_fen for layers in used.values() for layer in layers)
    if total_fen:
        tx.record(VoucherRedeemed(command.order_id, holds[0].provider_id, total_fen))
    await return_freed(tx, [held.grant_id for held in holds], command.order_id)
    first = redemption_ids[0] if redemption_ids else None
    return VoucherSettled(total_fen, first, tuple(redemption_ids))


async def _settle_parts(
    tx: Tx,
    holds: Sequence[VoucherHold],
    parts: dict[int, list[HoldPart]],
    used: dict[int, tuple[LayerShare, ...]],
    settled_on: date,
) -> None:
    for held in holds:
        for part, share in zip(parts[held.id], used[held.id], strict=True):
            spent = await open_account(tx, OpenAccount(AccountType.PROGRAMME_SPENT, part.layer_id))
            await settle_hold(
                tx,
                SettleHold(
                    hold_id=part.ledger_hold_id,
                    amount_fen=share.amount_fen,
                    credit_account_id=spent,
                    kind=EntryKind.VOUCHER_REDEEMED,
                    effective_on=settled_on,
                    key=f"voucher-redeem:{held.id}:{part.grant_part_id}",
                    source_kind="voucher_hold",
                    source_id=held.id,
                ),
            )


async def _redeem(
    tx: Tx, held: VoucherHold, command: SettleVoucher, layers: tuple[LayerShare, ...]
) -> int:
    amount_fen = sum(layer.amount_fen for layer in layers)
    redemption_id: int = await tx.scalar(
        insert(tables.redemption)
        .values(
            order_id=held.order_id,
            grant_id=held.grant_id,
            provider_id=held.provider_id,
            service_value_fen=command.service_value_fen,
            amount_fen=amount_fen,
            redeemed_on=command.settled_on,
        )
        .returning(tables.redemption.c.id)
    )
    await tx.execute(
        insert(tables.redemption_part),
        [
            {
                "redemption_id": redemption_id,
                "layer_id": layer.layer_id,
                "amount_fen": layer.amount_fen,
            }
            for layer in layers
            if layer.amount_fen
        ],
    )
    tx.audit(
        "redeem",
        subject="voucher_grant",
        subject_id=held.grant_id,
        order_id=held.order_id,
        amount_fen=amount_fen,
    )
    return redemption_id


async def _note_when_exhausted(tx: Tx, grant_id: int) -> None:
    left = (await balances_of_grants(tx, [grant_id]))[grant_id]
    if any(each.available_fen + each.held_fen for each in left):
        return
    await tx.execute(
        update(tables.voucher_grant)
        .where(
            tables.voucher_grant.c.id == grant_id,
            tables.voucher_grant.c.status == GrantStatus.ACTIVE,
        )
        .values(status=GrantStatus.EXHAUSTED)
    )


@dataclass(frozen=True, slots=True)
class ReleaseVoucher:
    """The order takes nothing from its vouchers after all."""

    order_id: int


async def release_voucher(tx: Tx, command: ReleaseVoucher) -> None:
    """Free everything held for the order; it is spendable at once.

    Raises:
        VoucherHoldMissing: when nothing is held for the order.
        VoucherHoldEnded: when the holds were settled or released before.
    """
    holds = await open_holds(tx, command.order_id)
    parts = await parts_by_hold(tx, holds)
    for held in holds:
        for part in parts[held.id]:
            await release_hold(tx, ReleaseHold(hold_id=part.ledger_hold_id))
        await _end(tx, held, HoldStatus.RELEASED)
        tx.audit(
            "release",
            subject="voucher_grant",
            subject_id=held.grant_id,
            order_id=held.order_id,
            amount_fen=held.amount_fen,
        )
    await return_freed(tx, [held.grant_id for held in holds], command.order_id)


async def _end(
    tx: Tx, held: VoucherHold, status: HoldStatus, settled_fen: int | None = None
) -> None:
    await tx.execute(
        update(tables.voucher_hold)
        .where(tables.voucher_hold.c.id == held.id)
        .values(status=status, ended_at=tx.now, settled_fen=settled_fen)
    )
