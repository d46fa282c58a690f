"""A statement of account: what one organisation was charged, or charged others, in a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, or_, select

from marketplace.billing.invoicing.tables import charge_line, invoice
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class AccountAsked:
    """The own account of a period, with one other organisation or with all."""

    starts_on: date
    ends_on: date
    other_id: int | None = None
    page: int = 1
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One charge or correction, and what of its order stands invoiced."""

    charge_id: int
    order_id: int
    settled_on: date
    kind: str
    buyer_id: int
    provider_id: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int
    reason: str
    invoice_number: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """A page of lines in the order of their days, and what all pages sum to."""

    lines: list[AccountLine]
    total: int
    service_value_fen: int
    voucher_fen: int
    own_fen: int


async def account_of(tx: Tx, asked: AccountAsked) -> Account:
    """What the actor's organisation bought and sold in a period, corrections included."""
    table = charge_line.c
    wanted = _wanted(tx, asked)
    sums = (
        await tx.execute(
            select(
                func.count().label("total"),
                *(
                    func.coalesce(func.sum(table[name]), 0).cast(BigInteger).label(name)
                    for name in ("service_value_fen", "voucher_fen", "own_fen")
                ),
            ).where(wanted)
        )
    ).one()
    lines = await tx.all(
        AccountLine,
        _lines()
        .where(wanted)
        .order_by(table.settled_on, table.id)
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return Account(lines, sums.total, sums.service_value_fen, sums.voucher_fen, sums.own_fen)


def _wanted(tx: Tx, asked: AccountAsked) -> ColumnElement[bool]:
    table, mine = charge_line.c, tx.actor.organisation_id
    sides = or_(table.buyer_id == mine, table.provider_id == mine)
    if asked.other_id is not None:
        other = asked.other_id
        sides = or_(
            and_(table.buyer_id == mine, table.provider_id == other),
            and_(table.buyer_id == other, table.provider_id == mine),
        )
    return and_(sides, table.settled_on.between(asked.starts_on, asked.ends_on))


def _lines() -> Select[tuple[object, ...]]:
    table, paper = charge_line.c, invoice.c
    red = invoice.alias("red")
    taken_back = select(func.coalesce(func.sum(red.c.amount_fen), 0)).where(
        red.c.reverses == paper.id
    )
    standing = (
        select(func.max(paper.number))
        .where(
            paper.order_id == table.order_id,
            paper.kind == "blue",
            paper.amount_fen > taken_back.scalar_subquery(),
        )
        .scalar_subquery()
    )
    return select(
        table.id.label("charge_id"),
        table.order_id,
        table.settled_on,
        table.kind,
        table.buyer_id,
        table.provider_id,
        table.service_value_fen,
        table.voucher_fen,
        table.own_fen,
        table.reason,
        standing.label("invoice_number"),
    )
