"""Settling many orders at once: each as `accept_after_review` settles it alone, set by set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, tuple_, update

from marketplace.billing.invoicing import use_cases as invoicing
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.orders.events import OrderSettled
from marketplace.orders.queries.orders import Order, order_columns
from marketplace.orders.rules.states import Status, Step, after
from marketplace.orders.tables import order_event, order_item, service_order
from marketplace.orders.use_cases.money import SOURCE
from marketplace.orders.use_cases.payment import Payment, move_fee_charge, payment_of
from marketplace.orders.use_cases.settlement import Settled, Valued, settled, valued
from marketplace.orders.use_cases.steps import lapse_proposals_of
from marketplace.orders.use_cases.usage import used_by_order
from marketplace.vouchers import queries as voucher_queries
from marketplace.vouchers import use_cases as vouchers

CHUNK = 500
BECAUSE = "review-window-over"
SETTLED = after(Status.DELIVERED, Step.ACCEPT)
# Lines of one statement: a statement takes 32,767 values.
_LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands among the orders that are due, by when their review window ended."""

    review_ends_at: datetime
    order_id: int


@dataclass(frozen=True, slots=True)
class SettleDue:
    """Settle up to `limit` orders behind `after` whose review window is over."""

    limit: int = CHUNK
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was settled; `alone` are due too, and settled one after the other.

    `last` is the place to go on from; None when nothing was due.
    """

    settled: int
    settled_fen: int
    alone: tuple[int, ...]
    last: Place | None


async def settle_due(tx: Tx, command: SettleDue) -> Chunk:
    """Accept orders whose review window is over, many at once.

    What another transaction holds is left to it, so that several may do this side by side. The
    status of an order is all that says whether it is settled: whoever stops half-way goes on from
    there. Orders on account, and those whose vouchers count what was used before, are left to be
    settled alone.
    Policy: J.18a, J.22b

    Raises:
        DomainError: what one of them refused; then none is settled.
    """
    due = await _due(tx, command)
    if not due:
        return Chunk(0, 0, (), None)
    last = max(due, key=lambda found: (found.review_ends_at, found.id))
    assert last.review_ends_at is not None
    in_turn = await vouchers.settled_one_after_the_other(tx, [found.id for found in due])
    alone = {found.id for found in due if found.credit_line_id is not None} | in_turn
    together = [found for found in due if found.id not in alone]
    ends = await settle_together(tx, together)
    return Chunk(
        settled=len(ends),
        settled_fen=sum(end.parts.total_fen for end in ends),
        alone=tuple(sorted(alone)),
        last=Place(last.review_ends_at, last.id),
    )


async def _due(tx: Tx, command: SettleDue) -> list[Order]:
    table = service_order.c
    due = order_columns().where(table.status == Status.DELIVERED, table.review_ends_at <= tx.now)
    if command.after is not None:
        due = due.where(
            tuple_(table.review_ends_at, table.id)
            > tuple_(command.after.review_ends_at, command.after.order_id)
        )
    found = await tx.all(
        Order,
        due.order_by(table.review_ends_at, table.id)
        .limit(command.limit)
        .with_for_update(skip_locked=True),
    )
    return sorted(found, key=lambda order: order.id)


async def settle_together(tx: Tx, orders: Sequence[Order]) -> list[Settled]:
    """Settle locked orders that were delivered; the answer is in the order given."""
    if not orders:
        return []
    uses = await used_by_order(tx, orders)
    worth = [valued(found, uses[found.id]) for found in orders]
    held = await voucher_queries.held_orders(tx, [found.id for found in orders])
    by_voucher = await vouchers.settle_vouchers(
        tx,
        [
            vouchers.SettleVoucher(
                one.found.id,
                service_value_fen=sum(value.used_fen for value in one.values),
                settled_on=tx.today,
            )
            for one in worth
            if one.found.id in held
        ],
    )
    # What vouchers pay back to the buyer is the buyer's to claim, and nobody's payment here.
    back = await voucher_queries.reimbursed(tx, sorted(held))
    payments = [
        payment_of(
            one.found,
            one.values,
            voucher_fen=by_voucher.get(one.found.id, 0) - back.get(one.found.id, 0),
        )
        for one in worth
    ]
    await _pay(tx, worth, payments)
    await _charge(tx, worth, payments)
    ends = [
        settled(one, payment.items, because=BECAUSE)
        for one, payment in zip(worth, payments, strict=True)
    ]
    await _end(tx, orders, ends)
    return ends


async def _pay(tx: Tx, worth: Sequence[Valued], payments: Sequence[Payment]) -> None:
    """The legs of the buyers' own money: what was used out of its hold, and fees for moving."""
    providers = sorted({one.found.provider_id for one in worth})
    accounts = await ledger.open_accounts(
        tx, [ledger.OpenAccount(AccountType.PAYABLE, provider_id) for provider_id in providers]
    )
    payable = dict(zip(providers, accounts, strict=True))
    commands = []
    for one, payment in zip(worth, payments, strict=True):
        found = one.found
        for hold_id, amount_fen, kind, what in (
            (found.own_hold_id, payment.own_fen, EntryKind.ORDER_SETTLED, "own"),
            (found.fee_hold_id, found.move_fee_fen, EntryKind.ORDER_FEE, "fee"),
        ):
            if hold_id is not None:
                commands.append(
                    ledger.SettleHold(
                        hold_id=hold_id,
                        amount_fen=amount_fen,
                        credit_account_id=payable[found.provider_id],
                        kind=kind,
                        effective_on=tx.today,
                        key=f"order-{found.id}-{what}-settled",
                        source_kind=SOURCE,
                        source_id=found.id,
                    )
                )
    await ledger.settle_holds(tx, commands)


async def _charge(tx: Tx, worth: Sequence[Valued], payments: Sequence[Payment]) -> None:
    charges = [charge for payment in payments for charge in payment.charges]
    charges += [move_fee_charge(one.found) for one in worth if one.found.fee_hold_id is not None]
    for start in range(0, len(charges), _LINES_AT_ONCE):
        await invoicing.record_charges(tx, charges[start : start + _LINES_AT_ONCE])


async def _end(tx: Tx, orders: Sequence[Order], ends: Sequence[Settled]) -> None:
    """The orders' status, their items, timelines and audit trails, and what others hear of it."""
    await _write_items(tx, orders, ends)
    await _write_orders(tx, orders, ends)
    await _write_timelines(tx, orders, ends)
    await lapse_proposals_of(tx, orders)
    for found, end in zip(orders, ends, strict=True):
        tx.record(
            OrderSettled(
                order_id=found.id,
                buyer_id=found.buyer_id,
                provider_id=found.provider_id,
                service_value_fen=end.parts.total_fen,
                voucher_fen=end.parts.voucher_fen,
                own_fen=end.parts.own_fen,
                settled_on=tx.today,
            )
        )


async def _write_items(tx: Tx, orders: Sequence[Order], ends: Sequence[Settled]) -> None:
    items = order_item.c
    await tx.execute(
        update(order_item)
        .where(items.order_id == bindparam("of_order"), items.position == bindparam("at_position"))
        .values(
            {
                name: bindparam(f"to_{name}", type_=items[name].type)
                for name in (
                    "settled_fen",
                    "settled_voucher_fen",
                    "settled_own_fen",
                    "settlement",
                )
            }
        ),
        [
            {"of_order": found.id, "at_position": item["position"]}
            | {f"to_{name}": value for name, value in item.items() if name != "position"}
            for found, end in zip(orders, ends, strict=True)
            for item in end.items
        ],
    )


async def _write_orders(tx: Tx, orders: Sequence[Order], ends: Sequence[Settled]) -> None:
    await tx.execute(
        update(service_order)
        .where(service_order.c.id == bindparam("order_id"))
        .values(
            status=SETTLED,
            ended_at=tx.now,
            ended_because=BECAUSE,
            settled_fen=bindparam("total"),
            settled_voucher_fen=bindparam("voucher"),
            settled_own_fen=bindparam("own"),
        ),
        [
            {
                "order_id": found.id,
                "total": end.parts.total_fen,
                "voucher": end.parts.voucher_fen,
                "own": end.parts.own_fen,
            }
            for found, end in zip(orders, ends, strict=True)
        ],
    )


async def _write_timelines(tx: Tx, orders: Sequence[Order], ends: Sequence[Settled]) -> None:
    told: list[tuple[int, dict[str, Any]]] = [
        (found.id, {"status": str(SETTLED), **end.facts})
        for found, end in zip(orders, ends, strict=True)
    ]
    await tx.execute(
        insert(order_event),
        [
            {
                "order_id": order_id,
                "at": tx.now,
                "person_id": tx.actor.person_id,
                "kind": str(Step.ACCEPT),
                "facts": facts,
            }
            for order_id, facts in told
        ],
    )
    for order_id, facts in told:
        tx.audit(str(Step.ACCEPT), subject="service_order", subject_id=order_id, **facts)
