"""A month's checklist from the books, and the months that were signed off."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, cast, func, select

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries.closing import ledgers_open_before, sealing
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.closing.errors import SignOffUnknown
from marketplace.closing.rules.checklist import (
    Found,
    Item,
    ItemName,
    OpenItems,
    checklist,
    held_until,
)
from marketplace.closing.rules.months import Days
from marketplace.closing.tables import close_item, close_statement, ledger_verification, month_close
from marketplace.kernel.db import Tx

IDS_MAX = 100


@dataclass(frozen=True, slots=True)
class SignOff:
    """A month found ready by one person, and signed by another."""

    id: int
    first_on: date
    last_on: date
    status: str
    checklist: list[dict[str, Any]]
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignOffSearch:
    """One page of sign-offs, of one year or of all."""

    year: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Verification:
    """What the last verification of the whole ledger found."""

    verified_at: datetime
    entries: int
    accounts: int
    seals: int
    head_number: int
    head_sha256: str
    problems: int


async def last_verification(tx: Tx, _: None = None) -> Verification | None:
    """The last one that was kept; None while there is none."""
    return await tx.first(
        Verification,
        select(*(ledger_verification.c[field.name] for field in fields(Verification)))
        .order_by(ledger_verification.c.id.desc())
        .limit(1),
    )


async def days_checklist(tx: Tx, days: Days) -> tuple[Item, ...]:
    """Every item of the checklist of a month, or of a ledger's period, as the books stand now."""
    asked = reconciliation.BalancingAsked(days.first_on, days.last_on)
    balancing = await reconciliation.balancing(tx, asked)
    stated = (await tx.execute(select(close_statement))).all()
    items = await _open_items(tx, days.last_on)
    sums: dict[str, int] = defaultdict(int)
    for line in await ledger.trial_balance(tx, days.last_on):
        sums[line.ledger] += line.balance_fen
    sealed = await sealing(tx, days.last_on)
    verified = await last_verification(tx)
    return checklist(
        Found(
            ledgers_open_before=await ledgers_open_before(tx, days.first_on),
            accounts=len(stated),
            accounts_not_stated=sorted(
                row.account_number
                for row in stated
                if row.until_on is None or row.until_on < days.last_on
            ),
            difference_fen=balancing.difference_fen,
            suspense_fen=balancing.suspense_fen,
            unexplained=items.get(ItemName.UNEXPLAINED, OpenItems()),
            payouts_returned=items.get(ItemName.PAYOUTS_RETURNED, OpenItems()),
            holds_aged=items.get(ItemName.HOLDS_AGED, OpenItems()),
            ledgers_unbalanced=sorted(name for name, total in sums.items() if total),
            entries=sealed.entries,
            unsealed=sealed.unsealed,
            unsealed_ids=sealed.unsealed_ids,
            covering_seal=sealed.covering_seal,
            verified_seal=verified.head_number if verified else None,
            verification_problems=verified.problems if verified else 0,
        )
    )


async def _open_items(tx: Tx, last_on: date) -> dict[str, OpenItems]:
    item = close_item.c
    wanted = (item.on_day <= last_on) & (
        (item.item != ItemName.HOLDS_AGED.value) | (item.on_day <= held_until(last_on))
    )
    ranked = (
        select(
            item.item,
            item.subject_id,
            item.on_day,
            item.amount_fen,
            func.row_number()
            .over(partition_by=item.item, order_by=(item.on_day, item.subject_id))
            .label("place"),
        )
        .where(wanted)
        .subquery()
    )
    rows = await tx.execute(
        select(
            ranked.c.item,
            func.count().label("figure"),
            cast(func.sum(ranked.c.amount_fen), BigInteger).label("amount_fen"),
            func.min(ranked.c.on_day).label("oldest_on"),
            func.array_agg(ranked.c.subject_id).filter(ranked.c.place <= IDS_MAX).label("ids"),
        ).group_by(ranked.c.item)
    )
    return {
        row.item: OpenItems(row.figure, row.amount_fen, row.oldest_on, tuple(sorted(row.ids)))
        for row in rows
    }


async def sign_off_of(tx: Tx, close_id: int) -> SignOff:
    """One sign-off.

    Raises:
        SignOffUnknown: when there is none.
    """
    return await tx.one(
        SignOff, select(month_close).where(month_close.c.id == close_id), missing=SignOffUnknown
    )


async def sign_offs(tx: Tx, search: SignOffSearch) -> tuple[list[SignOff], int]:
    """One page of sign-offs, the latest month first, and how many there are."""
    wanted = []
    if search.year is not None:
        wanted.append(
            month_close.c.first_on.between(date(search.year, 1, 1), date(search.year, 12, 31))
        )
    total = await tx.scalar(select(func.count()).select_from(month_close).where(*wanted))
    found = await tx.all(
        SignOff,
        select(month_close)
        .where(*wanted)
        .order_by(month_close.c.first_on.desc(), month_close.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return found, total
