"""An order keeps voucher money aside, uses what the service really took, and frees the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    EntryKind,
    OpenAccount,
    PlaceHold,
    ReleaseHold,
    SettleHold,
    open_account,
    place_hold,
    release_hold,
    settle_hold,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    VoucherHoldEnded,
    VoucherHoldMissing,
    VoucherNotUsable,
)
from marketplace.vouchers.events import VoucherRedeemed
from marketplace.vouchers.queries import (
    GrantAnswer,
    HoldPart,
    LayerPart,
    VoucherHold,
    VoucherQuestion,
    balances_of_grants,
    best_grant,
    terms_of_version,
)
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.shares import LayerRoom, LayerShare, voucher_shares
from marketplace.vouchers.rules.states import GrantStatus, HoldStatus

NO_VOUCHER = Reason("voucher", "The SME holds no voucher.", source="J.22b")


@dataclass(frozen=True, slots=True)
class HoldVoucher:
    """Keep the voucher's part of an order aside; `on` is the day of the service, else today."""

    order_id: int
    organisation_id: int
    provider_id: int
    instrument_id: int
    service_kind: str
    service_value_fen: int
    on: date | None = None


@dataclass(frozen=True, slots=True)
class VoucherHeld:
    """What is kept aside, layer by layer."""

    hold_id: int
    grant_id: int
    amount_fen: int
    parts: tuple[LayerPart, ...]


async def hold_voucher(tx: Tx, command: HoldVoucher) -> VoucherHeld:
    """Hold what the SME's best voucher pays of the order.

    Raises:
        VoucherNotUsable: with every reason, when no voucher may pay.
        VoucherHeldBefore: when one is held for this order.
        InsufficientFunds: when another order took the money at the same moment.

    Policy: J.22b
    """
    answer = await best_grant(
        tx,
        VoucherQuestion(
            organisation_id=command.organisation_id,
            provider_id=command.provider_id,
            service_kind=command.service_kind,
            service_value_fen=command.service_value_fen,
            on=command.on or tx.today,
        ),
    )
    refusals = (NO_VOUCHER,) if answer is None else answer.refusals
    if answer is None or refusals:
        raise VoucherNotUsable("; ".join(reason.message for reason in refusals), reasons=refusals)
    hold_id = await _write_hold(tx, command, answer)
    tx.audit(
        "hold",
        subject="voucher_grant",
        subject_id=answer.grant.id,
        order_id=command.order_id,
        amount_fen=answer.total_fen,
    )
    source = answer.terms.source_of("layers")
    return VoucherHeld(
        hold_id,
        answer.grant.id,
        answer.total_fen,
        tuple(
            LayerPart(
                share.layer_id, share.funder, share.ratio_basis_points, share.amount_fen, source
            )
            for share in answer.shares.layers
        ),
    )


async def _write_hold(tx: Tx, command: HoldVoucher, answer: GrantAnswer) -> int:
    hold_id: int = await tx.scalar(
        insert(tables.voucher_hold)
        .values(
            order_id=command.order_id,
            grant_id=answer.grant.id,
            provider_id=command.provider_id,
            instrument_id=command.instrument_id,
            service_kind=command.service_kind,
            service_value_fen=command.service_value_fen,
            amount_fen=answer.total_fen,
            status=HoldStatus.HELD,
            held_at=tx.now,
        )
        .returning(tables.voucher_hold.c.id)
    )
    # The balances come in the order of their accounts, which is the order in which all lock them.
    for held, share in zip(answer.balances, answer.shares.layers, strict=True):
        if share.amount_fen == 0:
            continue
        ledger_hold_id = await place_hold(
            tx,
            PlaceHold(
                account_id=held.account_id,
                amount_fen=share.amount_fen,
                expires_at=None,
                key=f"voucher-hold:{hold_id}:{held.part.id}",
                source_kind="voucher_hold",
                source_id=hold_id,
            ),
        )
        await tx.execute(
            insert(tables.voucher_hold_part).values(
                hold_id=hold_id,
                grant_part_id=held.part.id,
                ledger_hold_id=ledger_hold_id,
                amount_fen=share.amount_fen,
            )
        )
    return hold_id


@dataclass(frozen=True, slots=True)
class SettleVoucher:
    """The service took `service_value_fen`; the voucher pays its part of that."""

    order_id: int
    service_value_fen: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class VoucherSettled:
    """What the voucher paid; the rest of the hold is free again."""

    amount_fen: int
    redemption_id: int | None


async def settle_voucher(tx: Tx, command: SettleVoucher) -> VoucherSettled:
    """Turn the hold into a redemption of what was really used, never more than was held.

    Raises:
        VoucherHoldMissing: when nothing is held for the order.
        VoucherHoldEnded: when the hold was settled or released before.

    Policy: J.22b
    """
    held = await _open_hold(tx, command.order_id)
    parts = await _hold_parts(tx, held.id)
    grant_programme = await tx.scalar(
        select(tables.voucher_grant.c.programme_id).where(
            tables.voucher_grant.c.id == held.grant_id
        )
    )
    terms = await terms_of_version(tx, grant_programme, held.terms_version)
    shares = voucher_shares(
        command.service_value_fen,
        [
            LayerRoom(part.layer_id, part.funder, part.ratio_basis_points, part.amount_fen)
            for part in parts
        ],
        terms,
    )
    for part, share in zip(parts, shares.layers, strict=True):
        spent = await open_account(tx, OpenAccount(AccountType.PROGRAMME_SPENT, part.layer_id))
        await settle_hold(
            tx,
            SettleHold(
                hold_id=part.ledger_hold_id,
                amount_fen=share.amount_fen,
                credit_account_id=spent,
                kind=EntryKind.VOUCHER_REDEEMED,
                effective_on=command.settled_on,
                key=f"voucher-redeem:{held.id}:{part.grant_part_id}",
                source_kind="voucher_hold",
                source_id=held.id,
            ),
        )
    await _end(tx, held, HoldStatus.SETTLED, shares.total_fen)
    redemption_id = None
    if shares.total_fen:
        redemption_id = await _redeem(tx, held, command, shares.layers)
        await _note_when_exhausted(tx, held.grant_id)
    return VoucherSettled(shares.total_fen, redemption_id)


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
    tx.record(VoucherRedeemed(held.order_id, held.provider_id, amount_fen))
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
        .where(tables.voucher_grant.c.id == grant_id)
        .values(status=GrantStatus.EXHAUSTED)
    )


@dataclass(frozen=True, slots=True)
class ReleaseVoucher:
    """The order takes nothing from the voucher after all."""

    order_id: int


async def release_voucher(tx: Tx, command: ReleaseVoucher) -> None:
    """Free everything held for the order; it is spendable at once.

    Raises:
        VoucherHoldMissing: when nothing is held for the order.
        VoucherHoldEnded: when the hold was settled or released before.
    """
    held = await _open_hold(tx, command.order_id)
    for part in await _hold_parts(tx, held.id):
        await release_hold(tx, ReleaseHold(hold_id=part.ledger_hold_id))
    await _end(tx, held, HoldStatus.RELEASED)
    tx.audit("release", subject="voucher_grant", subject_id=held.grant_id, order_id=held.order_id)


async def _open_hold(tx: Tx, order_id: int) -> VoucherHold:
    """The newest hold of the order, locked: one that was made anew has older, released ones."""
    table = tables.voucher_hold
    held = await tx.one(
        VoucherHold,
        select(*columns(VoucherHold, table))
        .where(table.c.order_id == order_id)
        .order_by(table.c.id.desc())
        .limit(1)
        .with_for_update(),
        missing=VoucherHoldMissing,
    )
    if held.status != HoldStatus.HELD:
        raise VoucherHoldEnded(f"The hold of order {order_id} was {held.status}.")
    return held


async def _hold_parts(tx: Tx, hold_id: int) -> list[HoldPart]:
    held, part, layer = tables.voucher_hold_part, tables.grant_part, tables.programme_layer
    return await tx.all(
        HoldPart,
        select(
            held.c.grant_part_id,
            held.c.ledger_hold_id,
            held.c.amount_fen,
            part.c.layer_id,
            layer.c.funder,
            layer.c.ratio_basis_points,
        )
        .join_from(held, part, part.c.id == held.c.grant_part_id)
        .join(layer, layer.c.id == part.c.layer_id)
        .where(held.c.hold_id == hold_id)
        .order_by(held.c.grant_part_id),
    )


async def _end(
    tx: Tx, held: VoucherHold, status: HoldStatus, settled_fen: int | None = None
) -> None:
    await tx.execute(
        update(tables.voucher_hold)
        .where(tables.voucher_hold.c.id == held.id)
        .values(status=status, ended_at=tx.now, settled_fen=settled_fen)
    )
