"""The vouchers of many orders settled at once: each order as `settle_voucher` settles it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    EntryKind,
    OpenAccount,
    SettleHold,
    open_accounts,
    settle_holds,
)
from marketplace.kernel.db import Tx
from marketplace.parties.queries import organisations
from marketplace.vouchers import tables
from marketplace.vouchers.errors import VoucherHoldEnded, VoucherHoldMissing
from marketplace.vouchers.events import VoucherRedeemed
from marketplace.vouchers.queries import (
    Grant,
    HoldPart,
    VoucherHold,
    balances_of_grants,
    terms_of_version,
)
from marketplace.vouchers.queries.blocking import in_the_way_of_settling
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.shares import LayerShare
from marketplace.vouchers.rules.states import GrantStatus, HoldStatus
from marketplace.vouchers.rules.terms import Terms
from marketplace.vouchers.use_cases.held import parts_by_hold
from marketplace.vouchers.use_cases.holds import SettleVoucher
from marketplace.vouchers.use_cases.settling import HeldAmount, settling_of, shared_among

# What each hold of some orders pays, layer by layer; nothing where the service took nothing.
_Used = dict[int, tuple[LayerShare, ...]]


async def settled_one_after_the_other(tx: Tx, order_ids: Sequence[int]) -> set[int]:
    """Of some orders, those whose vouchers pay by what the SME used before in its year.

    What one of them settles at changes what the next one does: they have to take turns. So have
    those that an anomaly stands in the way of: each is refused by itself.
    """
    if not order_ids:
        return set()
    blocked = await in_the_way_of_settling(tx, order_ids)
    hold, grant = tables.voucher_hold.c, tables.voucher_grant
    held = await tx.execute(
        select(hold.order_id, grant.c.programme_id, hold.terms_version)
        .join_from(tables.voucher_hold, grant, grant.c.id == hold.grant_id)
        .where(hold.order_id.in_(order_ids), hold.status == HoldStatus.HELD)
    )
    rows = held.all()
    terms = await _terms(tx, {(row.programme_id, row.terms_version) for row in rows})
    return blocked.keys() | {
        row.order_id
        for row in rows
        if terms[row.programme_id, row.terms_version].steps_over == "sme-year"
    }


async def settle_vouchers(tx: Tx, commands: Sequence[SettleVoucher]) -> dict[int, int]:
    """Turn the holds of many orders into redemptions; what vouchers paid, by order.

    Where nothing was used the holds are released. The caller has locked the orders, and passes
    none of those that `settled_one_after_the_other` names.

    Raises:
        VoucherHoldMissing: when nothing is held for one of the orders.
        VoucherHoldEnded: when the holds of one were settled or released before.
        AnomaliesBlock: when the database finds that an anomaly stands in the way of one.

    Policy: J.22b, J.31
    """
    if not commands:
        return {}
    holds = await _open_holds(tx, [command.order_id for command in commands])
    parts = await parts_by_hold(tx, [held for of_order in holds.values() for held in of_order])
    used = await _used(tx, commands, holds, parts)
    every = [held for of_order in holds.values() for held in of_order]
    (settled_on,) = {command.settled_on for command in commands}
    spent = await _spent_accounts(tx, parts)
    await settle_holds(
        tx,
        [
            SettleHold(
                hold_id=part.ledger_hold_id,
                amount_fen=share.amount_fen,
                credit_account_id=spent[part.layer_id],
                kind=EntryKind.VOUCHER_REDEEMED,
                effective_on=settled_on,
                key=f"voucher-redeem:{held.id}:{part.grant_part_id}",
                source_kind="voucher_hold",
                source_id=held.id,
            )
            for held in every
            for part, share in zip(parts[held.id], used[held.id], strict=True)
        ],
    )
    values = {command.order_id: command.service_value_fen for command in commands}
    await _end(tx, every, used, values)
    await _redeem(tx, every, used, values, commands[0])
    return {
        order_id: sum(_total(used[held.id]) for held in of_order)
        for order_id, of_order in holds.items()
    }


def _total(layers: Iterable[LayerShare]) -> int:
    return sum(layer.amount_fen for layer in layers)


async def _open_holds(tx: Tx, order_ids: Sequence[int]) -> dict[int, list[VoucherHold]]:
    """The holds of each order in their places, locked."""
    table = tables.voucher_hold
    found = await tx.all(
        VoucherHold,
        select(*columns(VoucherHold, table))
        .where(table.c.order_id.in_(order_ids))
        .order_by(table.c.order_id, table.c.position, table.c.id)
        .with_for_update(),
    )
    known = {held.order_id for held in found}
    holds: dict[int, list[VoucherHold]] = defaultdict(list)
    for held in found:
        if held.status == HoldStatus.HELD:
            holds[held.order_id].append(held)
    for order_id in order_ids:
        if order_id not in known:
            raise VoucherHoldMissing(f"Nothing is held for order {order_id}.")
        if order_id not in holds:
            raise VoucherHoldEnded(f"The hold of order {order_id} has ended.")
    return holds


async def _used(
    tx: Tx,
    commands: Sequence[SettleVoucher],
    holds: dict[int, list[VoucherHold]],
    parts: dict[int, list[HoldPart]],
) -> _Used:
    grants = await _grants(tx, {held.grant_id for each in holds.values() for held in each})
    terms = await _terms(
        tx,
        {
            (grants[held.grant_id].programme_id, held.terms_version)
            for each in holds.values()
            for held in each
        },
    )
    known = await organisations(
        tx,
        [grant.organisation_id for grant in grants.values()]
        + [held.provider_id for each in holds.values() for held in each],
    )
    used: _Used = {}
    for command in commands:
        settling = []
        for held in holds[command.order_id]:
            grant = grants[held.grant_id]
            settling.append(
                settling_of(
                    HeldAmount(held, tuple(parts[held.id])),
                    grant,
                    terms[grant.programme_id, held.terms_version],
                    service_value_fen=command.service_value_fen,
                    buyer_region=known[grant.organisation_id].region_code,
                    provider_region=known[held.provider_id].region_code,
                )
            )
        if command.service_value_fen:
            used |= shared_among(settling)
        else:
            used |= {held.id: _nothing(parts[held.id]) for held in holds[command.order_id]}
    return used


def _nothing(parts: Sequence[HoldPart]) -> tuple[LayerShare, ...]:
    return tuple(
        LayerShare(part.layer_id, part.funder, part.ratio_basis_points, 0) for part in parts
    )


async def _grants(tx: Tx, ids: set[int]) -> dict[int, Grant]:
    table = tables.voucher_grant
    found = await tx.all(Grant, select(*columns(Grant, table)).where(table.c.id.in_(ids)))
    return {grant.id: grant for grant in found}


async def _terms(tx: Tx, versions: set[tuple[int, int]]) -> dict[tuple[int, int], Terms]:
    """The terms of a few programmes: as many questions as there are versions of them."""
    return {
        (programme_id, version): await terms_of_version(tx, programme_id, version)
        for programme_id, version in sorted(versions)
    }


async def _spent_accounts(tx: Tx, parts: dict[int, list[HoldPart]]) -> dict[int, int]:
    layers = sorted({part.layer_id for of_hold in parts.values() for part in of_hold})
    accounts = await open_accounts(
        tx, [OpenAccount(AccountType.PROGRAMME_SPENT, layer_id) for layer_id in layers]
    )
    return dict(zip(layers, accounts, strict=True))


async def _end(tx: Tx, holds: Sequence[VoucherHold], used: _Used, values: dict[int, int]) -> None:
    table = tables.voucher_hold
    await tx.execute(
        update(table)
        .where(table.c.id == bindparam("hold_id"))
        .values(status=bindparam("how"), ended_at=tx.now, settled_fen=bindparam("used_fen")),
        [
            {
                "hold_id": held.id,
                "how": HoldStatus.SETTLED if values[held.order_id] else HoldStatus.RELEASED,
                "used_fen": _total(used[held.id]) if values[held.order_id] else None,
            }
            for held in holds
        ],
    )
    for held in holds:
        if not values[held.order_id]:
            tx.audit(
                "release",
                subject="voucher_grant",
                subject_id=held.grant_id,
                order_id=held.order_id,
                amount_fen=held.amount_fen,
            )


async def _redeem(
    tx: Tx,
    holds: Sequence[VoucherHold],
    used: _Used,
    values: dict[int, int],
    command: SettleVoucher,
) -> None:
    paid = [held for held in holds if _total(used[held.id])]
    if not paid:
        return
    table = tables.redemption
    made = await tx.execute(
        insert(table).returning(table.c.id, table.c.order_id, table.c.grant_id),
        [
            {
                "order_id": held.order_id,
                "grant_id": held.grant_id,
                "provider_id": held.provider_id,
                "service_value_fen": values[held.order_id],
                "amount_fen": _total(used[held.id]),
                "redeemed_on": command.settled_on,
            }
            for held in paid
        ],
    )
    ids = {(row.order_id, row.grant_id): row.id for row in made}
    await tx.execute(
        insert(tables.redemption_part),
        [
            {
                "redemption_id": ids[held.order_id, held.grant_id],
                "layer_id": layer.layer_id,
                "amount_fen": layer.amount_fen,
            }
            for held in paid
            for layer in used[held.id]
            if layer.amount_fen
        ],
    )
    by_order: dict[int, int] = defaultdict(int)
    for held in paid:
        amount_fen = _total(used[held.id])
        by_order[held.order_id] += amount_fen
        tx.audit(
            "redeem",
            subject="voucher_grant",
            subject_id=held.grant_id,
            order_id=held.order_id,
            amount_fen=amount_fen,
        )
    providers = {held.order_id: held.provider_id for held in paid}
    for order_id, amount_fen in by_order.items():
        tx.record(VoucherRedeemed(order_id, providers[order_id], amount_fen))
    await _note_exhausted(tx, sorted({held.grant_id for held in paid}))


async def _note_exhausted(tx: Tx, grant_ids: Sequence[int]) -> None:
    left = await balances_of_grants(tx, grant_ids)
    empty = [
        grant_id
        for grant_id in grant_ids
        if not any(each.available_fen + each.held_fen for each in left[grant_id])
    ]
    if empty:
        await tx.execute(
            update(tables.voucher_grant)
            .where(
                tables.voucher_grant.c.id.in_(empty),
                tables.voucher_grant.c.status == GrantStatus.ACTIVE,
            )
            .values(status=GrantStatus.EXHAUSTED)
        )
