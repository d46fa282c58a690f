"""Filing cost sheets and price lists, and withdrawing what was filed by mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select, update

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import CostSheetMissing, PriceListWithdrawn
from marketplace.billing.pricing.events import PriceListFiled, PriceListTakenBack
from marketplace.billing.pricing.rules.cost import (
    PriceAsked,
    require_cost_allowed,
    require_listed_once,
    require_no_profit,
    unit_cost,
)
from marketplace.billing.pricing.rules.notice import notice
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, Unit
from marketplace.billing.pricing.tables import cost_component, cost_sheet, price, price_list
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

__all__ = [
    "CostKind",
    "CustomerClass",
    "FileCostSheet",
    "FilePriceList",
    "PriceAsked",
    "Unit",
    "WithdrawPriceList",
    "file_cost_sheet",
    "file_price_list",
    "withdraw_price_list",
]


@dataclass(frozen=True, slots=True)
class FileCostSheet:
    """What an instrument costs in `year` and how many minutes it is planned to run."""

    instrument_id: int
    year: int
    planned_minutes: int
    components: tuple[tuple[CostKind, int], ...]


async def file_cost_sheet(tx: Tx, command: FileCostSheet) -> queries.CostSheet:
    """File a cost sheet; an earlier one of the same year stays as it was filed.

    Raises:
        Missing: when the instrument is not the actor's own.
        ListedTwice: when a component stands twice.
        CostNotAllowed: for depreciation where the rulebook does not allow it.

    Policy: J.21a, J.21d
    """
    instrument = await catalogue.own_instrument(tx, command.instrument_id)
    require_listed_once((kind.value,) for kind, _ in command.components)
    require_cost_allowed(
        dict(command.components),
        depreciation_allowed=rulebook().pricing.depreciation_allowed.on(tx.today),
    )
    total_fen = sum(amount_fen for _, amount_fen in command.components)
    latest = await tx.scalar(
        select(func.max(cost_sheet.c.version)).where(
            cost_sheet.c.instrument_id == instrument.id, cost_sheet.c.year == command.year
        )
    )
    cost_sheet_id = await tx.scalar(
        insert(cost_sheet)
        .values(
            instrument_id=instrument.id,
            year=command.year,
            version=(latest or 0) + 1,
            planned_minutes=command.planned_minutes,
            total_fen=total_fen,
            unit_cost_fen=unit_cost(total_fen=total_fen, planned_minutes=command.planned_minutes),
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(cost_sheet.c.id)
    )
    await tx.execute(
        insert(cost_component),
        [
            {"cost_sheet_id": cost_sheet_id, "kind": kind.value, "amount_fen": amount_fen}
            for kind, amount_fen in command.components
        ],
    )
    tx.audit("file", subject="cost_sheet", subject_id=cost_sheet_id, total_fen=total_fen)
    return await queries.cost_sheet_by_id(tx, cost_sheet_id)


@dataclass(frozen=True, slots=True)
class FilePriceList:
    """New prices of an instrument, in force from `wanted_from` or as soon as the notice allows.

    `state_source` names the document by which the state sets these prices; the test against the
    cost then does not apply.
    """

    instrument_id: int
    prices: tuple[PriceAsked, ...]
    wanted_from: date | None = None
    state_source: str = ""


async def file_price_list(tx: Tx, command: FilePriceList) -> queries.PriceList:
    """File prices and start their public notice.

    Raises:
        Missing: when the instrument is not the actor's own.
        ListedTwice: when a class and unit stands twice.
        NoticeTooShort: when they are wanted in force before the notice has ended.
        CostSheetMissing: when no cost sheet shows what the service costs.
        PricesAboveCost: with every price that is above cost.

    Policy: J.15, J.21a, J.21d, N.25c, N.25d
    """
    instrument = await catalogue.own_instrument(tx, command.instrument_id)
    require_listed_once((line.customer_class.value, line.unit.value) for line in command.prices)
    stands = notice(
        tx.today,
        working_days=rulebook().pricing.notice_working_days.on(tx.today),
        wanted_from=command.wanted_from,
    )
    sheet = await queries.cost_sheet_for(tx, instrument.id, stands.in_force_from.year)
    if sheet is None:
        raise CostSheetMissing(
            f"No cost sheet covers {stands.in_force_from.year}; prices rest on one.",
            source="J.21d",
        )
    if not command.state_source:
        require_no_profit(
            command.prices, total_fen=sheet.total_fen, planned_minutes=sheet.planned_minutes
        )
    latest = await tx.scalar(
        select(func.max(price_list.c.version)).where(price_list.c.instrument_id == instrument.id)
    )
    price_list_id = await tx.scalar(
        insert(price_list)
        .values(
            instrument_id=instrument.id,
            version=(latest or 0) + 1,
            cost_sheet_id=sheet.id,
            state_set=bool(command.state_source),
            state_source=command.state_source,
            notice_ends_on=stands.ends_on,
            in_force_from=stands.in_force_from,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(price_list.c.id)
    )
    await tx.execute(
        insert(price),
        [
            {
                "price_list_id": price_list_id,
                "customer_class": line.customer_class.value,
                "unit": line.unit.value,
                "amount_fen": line.amount_fen,
                "minimum_fen": line.minimum_fen,
                "minutes_per_sample": line.minutes_per_sample,
            }
            for line in command.prices
        ],
    )
    tx.audit("file", subject="price_list", subject_id=price_list_id, instrument=instrument.id)
    tx.record(PriceListFiled(price_list_id, instrument.id, stands.in_force_from))
    return await queries.price_list_by_id(tx, price_list_id)


@dataclass(frozen=True, slots=True)
class WithdrawPriceList:
    """Take a price list back, in notice or in force; orders placed by it keep their prices."""

    price_list_id: int


async def withdraw_price_list(tx: Tx, command: WithdrawPriceList) -> queries.PriceList:
    """Withdraw a price list from today on; the one in force before it counts again.

    Raises:
        PriceListMissing: when there is none.
        Missing: when it is not of an instrument of the actor's own.
        PriceListWithdrawn: when it is withdrawn already.
    """
    found = await queries.price_list_by_id(tx, command.price_list_id)
    await catalogue.own_instrument(tx, found.instrument_id)
    withdrawn = await tx.execute(
        update(price_list)
        .where(price_list.c.id == found.id, price_list.c.withdrawn_at.is_(None))
        .values(withdrawn_by=tx.actor.person_id, withdrawn_at=tx.now)
    )
    if not withdrawn.rowcount:
        raise PriceListWithdrawn(f"It was withdrawn at {found.withdrawn_at}.")
    tx.audit("withdraw", subject="price_list", subject_id=found.id)
    tx.record(PriceListTakenBack(found.id, found.instrument_id))
    return await queries.price_list_by_id(tx, found.id)
