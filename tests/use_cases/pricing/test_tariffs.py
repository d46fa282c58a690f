"""Tiers, hours, urgency, extras, objections and the year's end, on the real database."""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg
import pytest

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import (
    ActualCostMissing,
    AnswerNeedsSecondPerson,
    ExtraWithoutCost,
    HoursOverlap,
    NoPriceInForce,
    NoticeOver,
    ObjectedAlready,
    ObjectionAnswered,
    ObjectionMissing,
    OwnPrices,
    PriceListAboveCost,
    PricesAboveCost,
    TruedUpAlready,
)
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind, Unit
from marketplace.billing.pricing.rules.tariff import HoursFactor, Tier
from marketplace.billing.pricing.use_cases import (
    AnswerObjection,
    CostItemAsked,
    ObjectToPrices,
    RecordTrueUp,
    answer_objection,
    object_to_prices,
    record_true_up,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.time import shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.parties import a_provider, an_actor, an_sme
from tests.builders.pricing import (
    PLANNED_MINUTES,
    TOTAL_FEN,
    a_cost_sheet,
    a_price,
    a_price_list,
    a_sample_price,
)
from tests.use_cases.pricing.test_filing import ask

TEST = system_actor("test")
OPERATOR = CostItemAsked("operator", ExtraKind.STAFF_HELP, "操作员", "hour", 80_00)
EVENINGS = tuple(HoursFactor("evening", day, 20 * 60, 1440, 6000) for day in range(7))


async def priced(database, instrument_id, **changes):
    asked = {
        "instrument_id": instrument_id,
        "customer_class": "sme",
        "mode": "machine_time",
        "on": date(2025, 3, 11),
    }
    question = queries.ServiceAsked(**(asked | changes))
    return await ask(database, queries.price_service, question)


async def test_a_whole_tariff_is_filed_told_and_priced(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id, items=(OPERATOR,))
    filed = await a_price_list(
        database,
        instrument_id=instrument_id,
        prices=[
            a_price(amount_fen=150_00, tiers=(Tier(5, 120_00), Tier(9, 100_00))),
            a_price(unit=Unit.DAY, amount_fen=900_00, minutes_per_unit=1440),
            a_sample_price(amount_fen=60_00, tiers=(Tier(4, 50_00),)),
            a_price(unit=Unit.ELEMENT, amount_fen=30_00, minutes_per_unit=12),
        ],
        hours=EVENINGS,
        urgent_basis_points=5000,
        extras=(("operator", 80_00),),
    )

    (listed,) = await ask(database, queries.price_lists, instrument_id)
    assert filed == listed
    assert [5, 9] == [tier.from_quantity for tier in filed.prices[2].tiers]
    assert (7, 5000, "操作员") == (
        len(filed.hours),
        filed.urgent_basis_points,
        filed.extras[0].name,
    )
    evening = await priced(
        database,
        instrument_id,
        minutes=120,
        starts_at=shanghai_instant(date(2025, 3, 12), 19 * 60),
        urgent=True,
        extras=(("operator", 30),),
    )
    assert [150_00, 90_00, 120_00, 40_00] == [line.amount_fen for line in evening.lines]
    # Nine hours by the hour are 4 x 150 + 4 x 120 + 100; a day is less.
    assert ("day", 900_00) == _told(await priced(database, instrument_id, minutes=540))
    by_hour = await priced(database, instrument_id, minutes=540, unit="hour")
    assert 1180_00 == by_hour.total_fen
    samples = await priced(database, instrument_id, mode="samples", samples=5)
    assert ("sample", 3 * 60_00 + 2 * 50_00) == _told(samples)
    elements = await priced(database, instrument_id, mode="samples", samples=2, elements=1)
    assert ("element", 60_00) == _told(elements)
    with pytest.raises(NoPriceInForce) as refusal:
        await priced(database, instrument_id, mode="samples", samples=2, unit="run")
    assert {"customer_class": "sme", "unit": "element"} in refusal.value.alternatives


def _told(service: queries.PricedService) -> tuple[str, int]:
    return service.unit, service.total_fen


async def test_what_cannot_be_is_refused_before_it_is_public(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)

    with pytest.raises(ExtraWithoutCost):
        await a_price_list(database, instrument_id=instrument_id, extras=(("operator", 1),))
    with pytest.raises(HoursOverlap):
        await a_price_list(
            database,
            instrument_id=instrument_id,
            hours=(HoursFactor("a", 0, 0, 60, 5000), HoursFactor("b", 0, 30, 90, 6000)),
        )
    with pytest.raises(PricesAboveCost):
        await a_price_list(database, instrument_id=instrument_id, urgent_basis_points=1)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into price values ({list}, 'academic', 'hour', 23001, 0, null)",
        "insert into price values ({list}, 'academic', 'hour', 0, 23001, null)",
        "insert into price values ({list}, 'academic', 'sample', 11501, 0, 30)",
        "insert into price_hours values ({list}, 'rush', 0, 0, 60, 10001)",
        "insert into price_tier values ({list}, 'sme', 'hour', 2, 23001)",
        "insert into price_extra values ({list}, 'operator', 8001)",
        "insert into price_extra values ({list}, 'gold', 1)",
    ],
)
async def test_postgresql_refuses_what_is_above_cost_whoever_writes_it(database, statement):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id, items=(OPERATOR,))
    filed = await a_price_list(database, instrument_id=instrument_id)
    raw = await asyncpg.connect(database.url.replace("postgresql+asyncpg://", "postgresql://"))

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await raw.execute(statement.format(list=filed.id))
    await raw.close()

    assert PriceListAboveCost.constraint == refusal.value.constraint_name


async def test_prices_set_by_the_state_are_not_held_against_cost(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)

    filed = await a_price_list(
        database,
        instrument_id=instrument_id,
        prices=[a_price(amount_fen=999_00)],
        state_source="苏价费〔2020〕1号",
    )

    assert 999_00 == filed.prices[0].amount_fen


async def test_prices_with_an_open_objection_wait_for_the_answer(database, clock):
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    other = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    instrument_id = await an_instrument(database, provider_id=provider_id)
    await a_cost_sheet(database, instrument_id=instrument_id)
    filed = await a_price_list(database, instrument_id=instrument_id)
    objecting = ObjectToPrices(filed.id, "The cost sheet counts the labour twice.")

    with pytest.raises(OwnPrices):
        await atomically(database, object_to_prices, objecting, actor=manager)
    made = await atomically(database, object_to_prices, objecting, actor=other)
    with pytest.raises(ObjectedAlready):
        await atomically(database, object_to_prices, objecting, actor=other)
    clock.set(shanghai_instant(filed.in_force_from, 600))
    with pytest.raises(NoPriceInForce):
        await priced(database, instrument_id, minutes=60)
    third = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    with pytest.raises(NoticeOver):
        await atomically(database, object_to_prices, objecting, actor=third)

    rejecting = AnswerObjection(made.id, upheld=False, answer="Two people run it.")
    with pytest.raises(ObjectionMissing):
        await atomically(
            database, answer_objection, AnswerObjection(10**9, False, "none"), actor=manager
        )
    answered = await atomically(database, answer_objection, rejecting, actor=manager)

    assert "rejected" == answered.outcome
    assert 230_00 == (await priced(database, instrument_id, minutes=60)).total_fen
    with pytest.raises(ObjectionAnswered):
        await atomically(database, answer_objection, rejecting, actor=manager)


async def test_an_upheld_objection_takes_the_prices_back(database, clock):
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    other = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    instrument_id = await an_instrument(database, provider_id=provider_id)
    await a_cost_sheet(database, instrument_id=instrument_id)
    filed = await a_price_list(database, instrument_id=instrument_id)
    made = await atomically(
        database, object_to_prices, ObjectToPrices(filed.id, "Too dear."), actor=other
    )

    await atomically(
        database, answer_objection, AnswerObjection(made.id, True, "Right."), actor=manager
    )

    clock.set(shanghai_instant(filed.in_force_from, 600))
    with pytest.raises(NoPriceInForce):
        await priced(database, instrument_id, minutes=60)
    (listed,) = await ask(database, queries.price_lists, instrument_id)
    assert listed.withdrawn_at is not None
    found = await ask(database, queries.objections, queries.ObjectionSearch(filed.id))
    assert [("upheld", "Right.")] == [(one.outcome, one.answer) for one in found.objections]


async def test_who_objected_does_not_answer_in_another_place(database):
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument_id = await an_instrument(database, provider_id=provider_id)
    await a_cost_sheet(database, instrument_id=instrument_id)
    filed = await a_price_list(database, instrument_id=instrument_id)
    elsewhere = system_actor("test")
    made = await atomically(
        database, object_to_prices, ObjectToPrices(filed.id, "Too dear."), actor=elsewhere
    )

    with pytest.raises(AnswerNeedsSecondPerson):
        await atomically(
            database, answer_objection, AnswerObjection(made.id, False, "No."), actor=elsewhere
        )
    assert manager.organisation_id == provider_id


async def test_a_surplus_lowers_the_ceiling_of_the_next_year(database, clock):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)
    settled = RecordTrueUp(instrument_id, 2025, TOTAL_FEN + 14_000_00)
    with pytest.raises(ActualCostMissing):
        await atomically(database, record_true_up, settled, actor=TEST)
    await a_cost_sheet(
        database,
        instrument_id=instrument_id,
        actual=True,
        components=((CostKind.LABOUR, TOTAL_FEN),),
    )

    found = await atomically(database, record_true_up, settled, actor=TEST)

    assert 14_000_00 == found.surplus_fen
    with pytest.raises(TruedUpAlready):
        await atomically(database, record_true_up, settled, actor=TEST)
    clock.set(shanghai_instant(date(2026, 1, 12), 600))
    await a_cost_sheet(
        database, instrument_id=instrument_id, year=2026, planned_minutes=PLANNED_MINUTES
    )
    with pytest.raises(PricesAboveCost) as refusal:
        await a_price_list(
            database, instrument_id=instrument_id, prices=[a_price(amount_fen=220_01)]
        )
    assert 220_00 == refusal.value.reasons[0].limit
    filed = await a_price_list(
        database, instrument_id=instrument_id, prices=[a_price(amount_fen=220_00)]
    )
    assert (14_000_00, 220_00) == (filed.carried_surplus_fen, filed.prices[0].cost_fen)
    assert [found] == await ask(database, queries.true_ups, instrument_id)


async def test_two_versions_are_compared_term_by_term(database, clock):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)
    before = await a_price_list(database, instrument_id=instrument_id)
    clock.set(clock.now() + timedelta(days=1))
    after = await a_price_list(
        database,
        instrument_id=instrument_id,
        prices=[a_price(amount_fen=207_00)],
        hours=EVENINGS[:1],
    )

    found = await ask(database, queries.compare_price_lists, queries.Versions(before.id, after.id))

    told = {one.what: (one.before, one.after, one.change_basis_points) for one in found}
    assert (230_00, 207_00, -1000) == told["price sme per hour"]
    assert (80_00, None, None) == told["price sme per sample"]
    assert (None, 6000, None) == told["hours 0 1200-1440 evening"]
