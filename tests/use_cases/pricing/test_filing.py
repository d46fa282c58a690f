"""Filing cost sheets and price lists, and what they say of a service."""

from datetime import date, timedelta
from typing import Any

import pytest

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import (
    CostNotAllowed,
    CostSheetMissing,
    ListedTwice,
    NoPriceInForce,
    NoticeTooShort,
    PriceListMissing,
    PriceListWithdrawn,
    PricesAboveCost,
)
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass
from marketplace.billing.pricing.use_cases import WithdrawPriceList, withdraw_price_list
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import shanghai_instant
from tests.builders.catalogue import an_instrument
from tests.builders.parties import a_provider
from tests.builders.pricing import (
    a_cost_sheet,
    a_price,
    a_price_list,
    a_sample_price,
    prices_in_force,
)

TEST = system_actor("test")
FILED = date(2025, 3, 3)


async def ask(database, query, *question):
    async def asked(tx, _):
        return await query(tx, *question)

    return await atomically(database, asked, None, actor=TEST)


async def price_of(database, instrument_id, *, on=FILED, **changes):
    asked: dict[str, Any] = {"customer_class": "sme", "mode": "machine_time", "minutes": 60}
    question = queries.ServiceAsked(instrument_id=instrument_id, on=on, **(asked | changes))
    return await ask(database, queries.price_service, question)


async def test_a_cost_sheet_gives_the_unit_cost(database):
    instrument_id = await an_instrument(database)

    sheet = await a_cost_sheet(
        database,
        instrument_id=instrument_id,
        planned_minutes=180,
        components=((CostKind.LABOUR, 60), (CostKind.WATER_ELECTRICITY, 40)),
    )

    assert (100, 33, 1) == (sheet.total_fen, sheet.unit_cost_fen, sheet.version)
    assert {"labour": 60, "water_electricity": 40} == {
        part.kind: part.amount_fen for part in sheet.components
    }


async def test_a_second_cost_sheet_of_the_year_is_another_version(database):
    instrument_id = await an_instrument(database)
    for _ in range(2):
        await a_cost_sheet(database, instrument_id=instrument_id)

    sheets = await ask(database, queries.cost_sheets, instrument_id)

    assert [2, 1] == [sheet.version for sheet in sheets]


@pytest.mark.parametrize(
    ("components", "error"),
    [
        (((CostKind.LABOUR, 1), (CostKind.DEPRECIATION, 1)), CostNotAllowed),
        (((CostKind.LABOUR, 1), (CostKind.LABOUR, 1)), ListedTwice),
    ],
)
async def test_a_cost_sheet_with_wrong_components_is_refused(database, components, error):
    instrument_id = await an_instrument(database)

    with pytest.raises(error):
        await a_cost_sheet(database, instrument_id=instrument_id, components=components)


async def test_prices_are_in_force_the_day_after_their_notice(database):
    instrument_id = await an_instrument(database)
    sheet = await a_cost_sheet(database, instrument_id=instrument_id)

    filed = await a_price_list(database, instrument_id=instrument_id)

    assert (date(2025, 3, 10), date(2025, 3, 11), sheet.id) == (
        filed.notice_ends_on,
        filed.in_force_from,
        filed.cost_sheet_id,
    )
    with pytest.raises(NoPriceInForce):
        await price_of(database, instrument_id, on=filed.notice_ends_on)
    priced = await price_of(database, instrument_id, on=filed.in_force_from)
    assert (230_00, filed.id, sheet.id) == (
        priced.total_fen,
        priced.price_list_id,
        priced.cost_sheet_id,
    )


async def test_prices_above_cost_are_refused_together(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)

    with pytest.raises(PricesAboveCost) as refusal:
        await a_price_list(
            database,
            instrument_id=instrument_id,
            prices=[
                a_price(amount_fen=230_01),
                a_price(customer_class=CustomerClass.ACADEMIC),
                a_sample_price(amount_fen=115_01),
            ],
        )

    assert [(230_00, 230_01), (115_00, 115_01)] == [
        (reason.limit, reason.asked) for reason in refusal.value.reasons
    ]


async def test_a_price_set_by_the_state_may_be_above_cost(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)

    filed = await a_price_list(
        database,
        instrument_id=instrument_id,
        prices=[a_price(amount_fen=300_00)],
        state_source="苏价费〔2019〕1号",
    )

    assert filed.state_set


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prices": (a_price(), a_price(amount_fen=1))}, ListedTwice),
        ({"wanted_from": date(2025, 3, 10)}, NoticeTooShort),
    ],
)
async def test_prices_filed_wrongly_are_refused(database, changes, error):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)

    with pytest.raises(error):
        await a_price_list(database, instrument_id=instrument_id, **changes)


async def test_prices_need_a_cost_sheet_of_their_year_or_before(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id, year=2026)

    with pytest.raises(CostSheetMissing):
        await a_price_list(database, instrument_id=instrument_id)

    await a_cost_sheet(database, instrument_id=instrument_id, year=2024)
    await a_price_list(database, instrument_id=instrument_id)


async def test_the_newest_prices_in_force_count_and_the_next_ones_wait(database, clock):
    instrument_id = await an_instrument(database)
    first = await prices_in_force(database, instrument_id=instrument_id)
    second = await a_price_list(
        database, instrument_id=instrument_id, prices=[a_price(amount_fen=200_00)]
    )

    before = await price_of(database, instrument_id, on=second.notice_ends_on)
    after = await price_of(database, instrument_id, on=second.in_force_from)

    assert [(first.id, 230_00), (second.id, 200_00)] == [
        (priced.price_list_id, priced.total_fen) for priced in (before, after)
    ]


async def test_of_two_lists_in_force_from_the_same_day_the_later_one_counts(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)
    await a_price_list(database, instrument_id=instrument_id)
    later = await a_price_list(
        database, instrument_id=instrument_id, prices=[a_price(amount_fen=1_00)]
    )

    priced = await price_of(database, instrument_id, on=later.in_force_from)

    assert later.id == priced.price_list_id


async def test_a_withdrawn_list_gives_way_to_the_one_before(database, clock):
    instrument_id = await an_instrument(database)
    first = await prices_in_force(database, instrument_id=instrument_id)
    second = await a_price_list(database, instrument_id=instrument_id, prices=[a_price()])
    clock.set(shanghai_instant(second.in_force_from + timedelta(days=2), 9 * 60))
    today = second.in_force_from + timedelta(days=2)

    withdrawn = await atomically(
        database, withdraw_price_list, WithdrawPriceList(second.id), actor=TEST
    )

    assert clock.now() == withdrawn.withdrawn_at
    # Yesterday it was in force, and an order of that day keeps it.
    days = [today - timedelta(days=1), today]
    assert [second.id, first.id] == [
        (await price_of(database, instrument_id, on=day)).price_list_id for day in days
    ]
    frozen = await ask(
        database,
        queries.price_service_by_list,
        second.id,
        queries.ServiceAsked(instrument_id, "sme", "machine_time", today, minutes=90),
    )
    assert 345_00 == frozen.total_fen
    with pytest.raises(PriceListWithdrawn):
        await atomically(database, withdraw_price_list, WithdrawPriceList(second.id), actor=TEST)


async def test_a_class_without_a_price_is_told_which_have_one(database):
    instrument_id = await an_instrument(database)
    await prices_in_force(database, instrument_id=instrument_id)

    with pytest.raises(NoPriceInForce) as refusal:
        await price_of(database, instrument_id, customer_class="enterprise")

    assert [
        {"customer_class": "sme", "unit": "hour"},
        {"customer_class": "sme", "unit": "sample"},
    ] == list(refusal.value.alternatives)


async def test_samples_minimum_and_public_purposes(database):
    instrument_id = await an_instrument(database)
    await prices_in_force(
        database, instrument_id=instrument_id, prices=[a_sample_price(minimum_fen=100_00)]
    )

    async def total(**changes):
        priced = await price_of(database, instrument_id, mode="samples", **changes)
        return priced.total_fen, [line.kind for line in priced.lines]

    assert (240_00, ["service"]) == await total(samples=3)
    assert (100_00, ["service", "minimum"]) == await total(samples=1)
    assert (0, ["free_purpose"]) == await total(samples=3, purpose="disaster-relief")
    assert (240_00, ["service"]) == await total(samples=3, purpose="own-development")


async def test_prices_of_many_instruments_come_in_one_answer(database):
    ids = [await an_instrument(database) for _ in range(3)]
    for instrument_id in ids[:2]:
        await prices_in_force(database, instrument_id=instrument_id, prices=[a_price()])

    found = await ask(database, queries.prices_in_force, ids, FILED)

    assert [(ids[0], 230_00), (ids[1], 230_00)] == [
        (price.instrument_id, price.amount_fen) for price in found
    ]


async def test_another_providers_instrument_does_not_exist(database):
    instrument_id = await an_instrument(database)
    filed = await prices_in_force(database, instrument_id=instrument_id)
    other = Actor(1, await a_provider(database), "provider", frozenset({"provider_manager"}))

    with pytest.raises(Missing):
        await atomically(database, withdraw_price_list, WithdrawPriceList(filed.id), actor=other)
    with pytest.raises(PriceListMissing):
        await atomically(
            database, withdraw_price_list, WithdrawPriceList(filed.id + 1), actor=other
        )
