"""What people keep an eye on: stars, saved searches, and what newly fits them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from marketplace.booking.queries import Window, availability
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.time import During, shanghai_instant
from marketplace.orders.jobs import look_through_searches
from marketplace.orders.queries.saved import (
    FavouriteList,
    favourites,
    favourites_among,
    saved_searches,
)
from marketplace.orders.saved_errors import SavedSearchMissing, SavedSearchUnclear, TooManySaved
from marketplace.orders.use_cases import CancelOrder, cancel_order, saved
from marketplace.orders.use_cases.saved import (
    MarkInstrument,
    OfSearch,
    SaveSearch,
    mark_instrument,
    remove_search,
    save_search,
    see_finds,
)
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument
from tests.builders.orders import a_market, an_order
from tests.builders.parties import an_actor


async def test_a_star_is_one_persons_own_and_counts_once(database, monkeypatch):
    market = await a_market(database)
    other = await an_actor(database, Role.BUYER)
    star = MarkInstrument(market.instrument_id)
    await market.do(mark_instrument, star, by=market.buyer)
    await market.do(mark_instrument, star, by=market.buyer)
    mine = await market.do(favourites, FavouriteList(), by=market.buyer)
    among = await market.do(favourites_among, [market.instrument_id, 1], by=market.buyer)
    theirs = await market.do(favourites, FavouriteList(), by=other)
    monkeypatch.setattr(saved, "FAVOURITES_MAX", 1)
    with pytest.raises(TooManySaved):
        await market.do(mark_instrument, star, by=market.buyer)
    taken = MarkInstrument(market.instrument_id, marked=False)
    await market.do(mark_instrument, taken, by=market.buyer)

    assert (1, 0) == (mine.total, theirs.total)
    assert {market.instrument_id} == among
    assert 0 == (await market.do(favourites, FavouriteList(), by=market.buyer)).total


async def test_a_saved_search_tells_what_newly_fits_until_it_was_seen(database):
    market = await a_market(database)
    kept = await market.do(save_search, SaveSearch("全部"), by=market.buyer)
    before = await market.do(saved_searches, None, by=market.buyer)
    added = await a_bookable_instrument(database)
    await look_through_searches(database)
    (after,) = await market.do(saved_searches, None, by=market.buyer)
    await look_through_searches(database)
    (again,) = await market.do(saved_searches, None, by=market.buyer)
    await market.do(see_finds, OfSearch(kept.id), by=market.buyer)
    (seen,) = await market.do(saved_searches, None, by=market.buyer)

    assert [] == before[0].new
    assert [added] == [each.instrument_id for each in after.new]
    assert after.new == again.new
    assert [] == seen.new


async def test_a_slot_that_frees_is_told(database):
    market = await a_market(database)
    day = date(2025, 3, 5)
    begins = shanghai_instant(day)
    window = Window(market.instrument_id, During(begins, begins + timedelta(days=1)))
    open_times = (await market.do(availability, window, by=market.buyer)).free
    longest = max(each.ends_at - each.starts_at for each in open_times)
    order = await an_order(market)
    asked = SaveSearch("周三", "", "", "", day, day, int(longest.total_seconds()) // 60)
    await market.do(save_search, asked, by=market.buyer)
    await look_through_searches(database)
    (before,) = await market.do(saved_searches, None, by=market.buyer)
    await market.do(cancel_order, CancelOrder(order.id, "改期"), by=market.buyer)
    await look_through_searches(database)
    (after,) = await market.do(saved_searches, None, by=market.buyer)

    assert [] == before.new
    assert [market.instrument_id] == [each.instrument_id for each in after.new]


async def test_searches_are_ones_own_bounded_and_clear(database, monkeypatch):
    market = await a_market(database)
    other = await an_actor(database, Role.BUYER)
    kept = await market.do(save_search, SaveSearch("电镜", "电镜"), by=market.buyer)
    for strange in (see_finds, remove_search):
        with pytest.raises(SavedSearchMissing):
            await market.do(strange, OfSearch(kept.id), by=other)
    for first, last, minutes in (
        (date(2025, 3, 5), None, 60),
        (date(2025, 2, 5), date(2025, 2, 6), 60),
        (date(2025, 3, 5), date(2025, 12, 6), 60),
    ):
        wrong = SaveSearch("?", free_from=first, free_until=last, minutes=minutes)
        with pytest.raises(SavedSearchUnclear):
            await market.do(save_search, wrong, by=market.buyer)
    monkeypatch.setattr(saved, "SEARCHES_MAX", 1)
    with pytest.raises(TooManySaved):
        await market.do(save_search, SaveSearch("二"), by=market.buyer)
    await market.do(remove_search, OfSearch(kept.id), by=market.buyer)
    with pytest.raises(SavedSearchMissing):
        await atomically(database, saved.look_again, OfSearch(kept.id), actor=system_actor("test"))

    assert [] == await market.do(saved_searches, None, by=market.buyer)
