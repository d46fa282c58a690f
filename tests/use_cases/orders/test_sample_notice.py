"""Samples that arrive on a wished day: asked, frozen, shown, and never without notice."""

from datetime import date, timedelta

import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.time import shanghai_instant
from marketplace.orders import queries
from marketplace.orders.errors import QuoteExpired, QuoteUnclear, SamplesTooSoon
from tests.builders.orders import a_market, a_quote, an_order, move_to

# A week after the Monday on which the tests' clock stands.
NEXT_MONDAY = date(2025, 3, 10)


async def test_a_quote_for_samples_says_from_when_and_keeps_the_wished_day(database: Database):
    market = await a_market(database)

    quote = await a_quote(market, during=None, arrives_on=NEXT_MONDAY)
    order = await an_order(market, quote=quote)

    assert (NEXT_MONDAY, NEXT_MONDAY) == (quote.samples_from, quote.arrives_on)
    contract = await market.do(queries.contract_of, order.id, by=market.manager)
    assert "2025-03-10" == contract.document["service"]["arrives_on"]
    assert "到样日 / arriving on 2025-03-10" in contract.text
    anytime = await a_quote(market, during=None)
    assert (NEXT_MONDAY, None) == (anytime.samples_from, anytime.arrives_on)
    assert (await a_quote(market)).samples_from is None


async def test_samples_do_not_arrive_before_the_provider_has_its_notice(database: Database):
    market = await a_market(database)

    with pytest.raises(SamplesTooSoon) as refusal:
        await a_quote(market, during=None, arrives_on=NEXT_MONDAY - timedelta(days=1))

    (reason,) = refusal.value.reasons
    assert ("2025-03-10", "2025-03-09") == (reason.limit, reason.asked)


async def test_a_quote_is_valid_while_its_day_leaves_the_provider_its_notice(
    database: Database,
):
    market = await a_market(database)
    quote = await a_quote(market, during=None, arrives_on=NEXT_MONDAY)

    assert shanghai_instant(date(2025, 3, 4)) == quote.valid_until
    move_to(market, quote.valid_until)
    with pytest.raises(QuoteExpired):
        await an_order(market, quote=quote)
    later = await a_quote(market, during=None, arrives_on=NEXT_MONDAY + timedelta(days=60))
    assert later.made_at + timedelta(days=14) == later.valid_until


@pytest.mark.parametrize("arrives_on", [date(1999, 1, 1), date(2100, 1, 1), date.max])
async def test_a_day_of_another_century_is_a_typing_error(database: Database, arrives_on: date):
    market = await a_market(database, voucher_fen=0)

    with pytest.raises(QuoteUnclear):
        await a_quote(market, during=None, arrives_on=arrives_on)
    with pytest.raises(QuoteUnclear):
        await a_quote(market, arrives_on=NEXT_MONDAY)
