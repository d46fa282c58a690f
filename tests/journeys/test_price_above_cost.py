"""No route brings a price above cost into force: API, file, by hand, SQL, or a lower cost sheet."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from marketplace.billing.pricing.errors import CostBelowNotice, PricesAboveCost
from marketplace.billing.pricing.queries import PriceInForce, prices_in_force
from marketplace.billing.pricing.rules.states import CostKind
from marketplace.kernel.db import Database, Tx
from marketplace.kernel.http import Services
from marketplace.orders.enquiry_errors import ManualPriceRefused
from marketplace.orders.use_cases.manual_price import ManualPrice
from tests.builders.enquiries import an_enquiry, an_offer
from tests.builders.orders import HOUR_FEN, Market, a_market
from tests.builders.parties import bearer
from tests.builders.pricing import a_cost_sheet, a_price, a_price_list

ABOVE_FEN = HOUR_FEN + 1
SQL = (
    "insert into price select {list}, 'own_unit', 'day', {above} * 24, 0, 1440",
    "insert into price select price_list_id, customer_class, 'run', {above}, 0, 60 from price"
    " where unit = 'hour' limit 1",
    "update price set amount_fen = {above} where unit = 'hour'",
    "update price_list set state_set = true, state_source = 'none'",
    "update cost_sheet set total_fen = total_fen * 2, unit_cost_fen = unit_cost_fen * 2",
    "update cost_component set amount_fen = amount_fen * 2",
    "delete from price where unit = 'hour'",
)


async def prices(market: Market) -> list[tuple[str, str, int]]:
    async def in_force(tx: Tx, _: None) -> list[PriceInForce]:
        return await prices_in_force(tx, [market.instrument_id], tx.today)

    found = await market.do(in_force, None)
    return sorted((each.customer_class, each.unit, each.amount_fen) for each in found)


async def over_http(
    api: httpx.AsyncClient, services: Services, market: Market, where: str, **sent: Any
) -> httpx.Response:
    headers = bearer(services, market.manager) | {"Idempotency-Key": where[-20:]}
    return await api.post(f"/api/v1{where}", headers=headers | sent.pop("headers", {}), **sent)


async def test_no_route_brings_a_price_above_cost_into_force(
    database: Database, api: httpx.AsyncClient, services: Services
):
    market = await a_market(database, voucher_fen=0)
    before = await prices(market)
    instrument_id = market.instrument_id

    asked = {"prices": [{"customer_class": "sme", "unit": "hour", "amount_fen": ABOVE_FEN}]}
    there = f"/instruments/{instrument_id}/price-lists"
    refused = await over_http(api, services, market, there, json=asked)
    assert (refused.status_code, refused.json()["reasons"][0]["limit"]) == (422, HOUR_FEN)

    async with database.engine.connect() as connection:
        inner = await connection.exec_driver_sql(
            f"select inner_id from instrument where id = {instrument_id}"
        )
        inner_id = inner.scalar_one()
    file = f"仪器编号,客户类别,计价单位,单价\n{inner_id},sme,hour,400.01\n".encode()
    named = {"file_name": "prices.csv"}
    report = await over_http(
        api, services, market, "/price-lists/imports", content=file, params=named
    )
    assert (report.status_code, report.json()["filed"]) == (201, 0), report.text
    assert "above-cost" in report.text

    enquiry = await an_enquiry(market)
    with pytest.raises(ManualPriceRefused) as by_hand:
        await an_offer(market, enquiry.id, manual=ManualPrice("hour", ABOVE_FEN, "urgent"))
    assert "no-profit-price" in [reason.rule for reason in by_hand.value.reasons]

    raw = await asyncpg.connect(database.url.replace("postgresql+asyncpg://", "postgresql://"))
    newest = await raw.fetchval("select max(id) from price_list")
    for statement in SQL:
        with pytest.raises(asyncpg.PostgresError):
            await raw.execute(statement.format(list=newest, above=ABOVE_FEN))
    await raw.close()

    assert await prices(market) == before


async def test_a_lower_cost_sheet_binds_what_is_filed_and_what_is_in_notice(database: Database):
    market = await a_market(database, voucher_fen=0)
    instrument_id = market.instrument_id
    in_notice = await a_price_list(
        database, instrument_id=instrument_id, prices=[a_price(amount_fen=HOUR_FEN)]
    )
    lower: dict[str, Any] = {
        "instrument_id": instrument_id,
        "planned_minutes": 60_000,
        "components": ((CostKind.LABOUR, 300_00 * 1000),),
    }
    with pytest.raises(CostBelowNotice):
        await a_cost_sheet(database, **lower)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "update price_list set withdrawn_by = 1, withdrawn_at = now()"
            f" where id = {in_notice.id}"
        )

    await a_cost_sheet(database, **lower)

    with pytest.raises(PricesAboveCost):
        await a_price_list(
            database, instrument_id=instrument_id, prices=[a_price(amount_fen=300_01)]
        )
    raw = await asyncpg.connect(database.url.replace("postgresql+asyncpg://", "postgresql://"))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await raw.execute(
            "insert into price_list (instrument_id, version, cost_sheet_id, state_set,"
            " state_source, notice_ends_on, in_force_from, filed_by, filed_at)"
            " select instrument_id, 99, cost_sheet_id, false, '', notice_ends_on, in_force_from,"
            f" filed_by, filed_at from price_list where id = {in_notice.id}"
        )
    await raw.close()
    assert refused.value.constraint_name == "price_list_within_cost"
