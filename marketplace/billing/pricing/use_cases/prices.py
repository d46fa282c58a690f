"""Filing price lists, and withdrawing what was filed by mistake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import (
    CostSheetMissing,
    ExtraWithoutCost,
    PriceListWithdrawn,
)
from marketplace.billing.pricing.events import PriceListFiled, PriceListTakenBack
from marketplace.billing.pricing.rules.cost import (
    Ceiling,
    require_clear_tiers,
    require_listed_once,
    require_no_profit,
)
from marketplace.billing.pricing.rules.notice import notice
from marketplace.billing.pricing.rules.states import ExtraKind
from marketplace.billing.pricing.rules.tariff import (
    ExtraPrice,
    HoursFactor,
    PriceAsked,
    Tariff,
)
from marketplace.billing.pricing.tables import (
    price,
    price_extra,
    price_hours,
    price_list,
    price_tier,
)
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class FilePriceList:
    """New prices of an instrument, in force from `wanted_from` or as soon as the notice allows.

    `extras` are (code of a cost item, price); `urgent_basis_points` is what urgency adds.
    `state_source` names the document by which the state sets these prices; the test against the
    cost then does not apply.
    """

    instrument_id: int
    prices: tuple[PriceAsked, ...]
    wanted_from: date | None = None
    state_source: str = ""
    hours: tuple[HoursFactor, ...] = ()
    urgent_basis_points: int | None = None
    extras: tuple[tuple[str, int], ...] = ()


async def file_price_list(tx: Tx, command: FilePriceList) -> queries.PriceList:
    """File prices and start their public notice.

    Raises:
        Missing: when the instrument is not the actor's own.
        ListedTwice: when a class and unit, or an extra, stands twice.
        TiersUnclear: with every tier out of order or dearer than what comes before.
        HoursOverlap: when two factors hold at the same hour.
        NoticeTooShort: when they are wanted in force before the notice has ended.
        CostSheetMissing: when no cost sheet shows what the service costs.
        ExtraWithoutCost: with every extra whose cost the sheet does not show.
        PricesAboveCost: with every price that is above cost.

    Policy: J.15, J.21a, J.21d, N.25c, N.25d
    """
    instrument = await catalogue.own_instrument(tx, command.instrument_id)
    require_listed_once((line.customer_class.value, line.unit.value) for line in command.prices)
    require_listed_once((code,) for code, _ in command.extras)
    require_clear_tiers(command.prices)
    stands = notice(
        tx.today,
        working_days=rulebook().pricing.notice_working_days.on(tx.today),
        wanted_from=command.wanted_from,
    )
    year = stands.in_force_from.year
    sheet = await queries.cost_sheet_for(tx, instrument.id, year)
    if sheet is None:
        raise CostSheetMissing(f"No cost sheet covers {year}; prices rest on one.", source="J.21d")
    tariff = Tariff(command.hours, command.urgent_basis_points, extras_by(command.extras, sheet))
    carried_fen = await queries.surplus_of(tx, instrument.id, year - 1)
    if not command.state_source:
        require_no_profit(
            command.prices,
            tariff=tariff,
            ceiling=Ceiling(sheet.total_fen, sheet.planned_minutes, carried_fen),
        )
    latest = await tx.scalar(
        select(func.max(price_list.c.version)).where(price_list.c.instrument_id == instrument.id)
    )
    price_list_id: int = await tx.scalar(
        insert(price_list)
        .values(
            instrument_id=instrument.id,
            version=(latest or 0) + 1,
            cost_sheet_id=sheet.id,
            state_set=bool(command.state_source),
            state_source=command.state_source,
            notice_ends_on=stands.ends_on,
            in_force_from=stands.in_force_from,
            urgent_basis_points=command.urgent_basis_points,
            carried_surplus_fen=carried_fen,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
        )
        .returning(price_list.c.id)
    )
    await _insert_prices(tx, price_list_id, command)
    tx.audit("file", subject="price_list", subject_id=price_list_id, instrument=instrument.id)
    tx.record(PriceListFiled(price_list_id, instrument.id, stands.in_force_from))
    return await queries.price_list_by_id(tx, price_list_id)


def extras_by(
    extras: Iterable[tuple[str, int]], sheet: queries.CostSheet
) -> tuple[ExtraPrice, ...]:
    """The extras beside what they cost.

    Raises:
        ExtraWithoutCost: with each that the cost sheet does not have.
    """
    wanted = tuple(extras)
    items = {item.code: item for item in sheet.items}
    reasons = Reasons()
    for code, _ in wanted:
        if code not in items:
            reasons.add(
                "extra-cost-shown",
                f"The cost sheet of {sheet.year}, version {sheet.version}, has no item {code}.",
                asked=code,
                source="J.21d",
            )
    reasons.raise_as(ExtraWithoutCost)
    return tuple(
        ExtraPrice(
            code=code,
            kind=ExtraKind(items[code].kind),
            name=items[code].name,
            unit=items[code].unit,
            amount_fen=amount_fen,
            cost_fen=items[code].cost_fen,
        )
        for code, amount_fen in wanted
    )


async def _insert_prices(tx: Tx, price_list_id: int, command: FilePriceList) -> None:
    """Hours before prices: PostgreSQL compares each price with the cost in its dearest hour."""
    keys: list[dict[str, Any]] = [
        {
            "price_list_id": price_list_id,
            "customer_class": line.customer_class.value,
            "unit": line.unit.value,
        }
        for line in command.prices
    ]
    hours = [
        {
            "price_list_id": price_list_id,
            "name": one.name,
            "weekday": one.weekday,
            "opens_minute": one.opens_minute,
            "closes_minute": one.closes_minute,
            "factor_basis_points": one.factor_basis_points,
        }
        for one in command.hours
    ]
    prices = [
        key
        | {
            "amount_fen": line.amount_fen,
            "minimum_fen": line.minimum_fen,
            "minutes_per_unit": line.minutes_per_unit,
        }
        for key, line in zip(keys, command.prices, strict=True)
    ]
    tiers = [
        key | {"from_quantity": tier.from_quantity, "amount_fen": tier.amount_fen}
        for key, line in zip(keys, command.prices, strict=True)
        for tier in line.tiers
    ]
    extras: list[dict[str, Any]] = [
        {"price_list_id": price_list_id, "code": code, "amount_fen": amount_fen}
        for code, amount_fen in command.extras
    ]
    for table, rows in (
        (price_hours, hours),
        (price, prices),
        (price_tier, tiers),
        (price_extra, extras),
    ):
        if rows:
            await tx.execute(insert(table).values(rows))


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
