"""Several people decide on one offer at once: one of them does.

What guards is the enquiry's row, locked before anybody looks; the last test takes the lock away.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx
from marketplace.kernel.errors import Conflict, DomainError
from marketplace.orders.queries.enquiries import Enquiry, enquiry_by_id, enquiry_columns
from marketplace.orders.queries.enquiry_thread import OfferAsked, OfferList, offers
from marketplace.orders.tables import enquiry
from marketplace.orders.use_cases import enquiry_steps, offer_decisions
from marketplace.orders.use_cases.enquiries import (
    EndEnquiry,
    LapseEnquiry,
    lapse_enquiry,
    withdraw_enquiry,
)
from marketplace.orders.use_cases.offer_decisions import (
    EndOffer,
    TurnOfferDown,
    accept_offer,
    approve_offer,
    refuse_offer,
    retract_offer,
    turn_offer_down,
)
from tests.builders.enquiries import MANUAL, an_enquiry, an_offer, another_manager
from tests.builders.orders import Market, a_market

ROUNDS = 4


async def all_at_once(*racers: Any) -> list[Any]:
    """What each racer came back with: its answer or its refusal; a bug is raised."""
    ends = await asyncio.gather(*racers, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DomainError):
            raise end
    return ends


def winners(ends: list[Any]) -> list[Any]:
    """Those that were not refused; every refusal is one that says what happened."""
    refused = [end for end in ends if isinstance(end, DomainError)]
    assert all(isinstance(end, Conflict) for end in refused), Counter(map(type, refused))
    return [end for end in ends if not isinstance(end, DomainError)]


async def quotes(market: Market) -> int:
    async def count(tx: Tx, _: None) -> int:
        return int(await tx.scalar(text("select count(*) from quote")))

    return await market.do(count, None)


async def test_of_many_approvals_of_one_price_one_is_given(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    made = await an_offer(market, asked.id, manual=MANUAL)
    managers = [market.manager, *[await another_manager(market) for _ in range(3)]]

    ends = await all_at_once(
        *(market.do(approve_offer, OfferAsked(asked.id, made.id), by=each) for each in managers)
    )

    assert 1 == len(winners(ends)) == await quotes(market)


async def test_an_approval_races_a_refusal_and_one_of_them_stands(database: Database):
    market = await a_market(database, voucher_fen=0)
    second = await another_manager(market)
    for number in range(ROUNDS):
        asked = await an_enquiry(market, subject=f"第 {number} 个")
        made = await an_offer(market, asked.id, manual=MANUAL)
        before = await quotes(market)

        ends = await all_at_once(
            market.do(approve_offer, OfferAsked(asked.id, made.id), by=market.manager),
            market.do(refuse_offer, EndOffer(asked.id, made.id, "太低"), by=second),
        )

        (won,) = winners(ends)
        shown = (await market.do(offers, OfferList(asked.id), by=market.buyer)).total
        approved = won.status == "standing"
        assert (int(approved), int(approved)) == (shown, await quotes(market) - before)


async def test_an_acceptance_races_everything_that_ends_an_offer(database: Database):
    market = await a_market(database, voucher_fen=0)
    for number in range(ROUNDS):
        asked = await an_enquiry(market, subject=f"第 {number} 个")
        made = await an_offer(market, asked.id)
        whole, reason = OfferAsked(asked.id, made.id), "竞争"

        ends = await all_at_once(
            market.do(accept_offer, whole, by=market.buyer),
            market.do(withdraw_enquiry, EndEnquiry(asked.id, reason), by=market.buyer),
            market.do(
                turn_offer_down,
                TurnOfferDown(asked.id, made.id, reason, final=True),
                by=market.buyer,
            ),
            market.do(retract_offer, EndOffer(asked.id, made.id, reason), by=market.technician),
        )

        found = await market.do(enquiry_by_id, asked.id, by=market.buyer)
        (row,) = (await market.do(offers, OfferList(asked.id), by=market.buyer)).rows
        # A withdrawal finds what a retraction left behind; nothing else has two winners.
        assert 1 <= len(winners(ends)) <= 2
        assert (found.status, row.status) in {
            ("accepted", "accepted"),
            ("withdrawn", "withdrawn"),
            ("declined", "declined"),
        }


async def test_a_lapse_that_comes_too_early_or_twice_changes_nothing(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    early = await market.do(lapse_enquiry, LapseEnquiry(asked.id))
    assert "open" == early.status
    clock: Any = database.clock
    clock.set(asked.answer_until)

    ends = await all_at_once(*(market.do(lapse_enquiry, LapseEnquiry(asked.id)) for _ in range(3)))

    assert ["lapsed"] * 3 == [each.status for each in winners(ends)]


async def test_without_the_lock_two_managers_look_at_the_same_price(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """The control: both are let through to the quote, and only later guards stop one of them."""
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    made = await an_offer(market, asked.id, manual=MANUAL)
    second = await another_manager(market)
    let_through: list[int] = []
    together = asyncio.Barrier(2)

    async def unlocked(tx: Tx, enquiry_id: int) -> Enquiry:
        return await tx.one(Enquiry, enquiry_columns().where(enquiry.c.id == enquiry_id))

    make_quote: Any = getattr(offer_decisions, "make_quote")  # noqa: B009 not its own

    async def watched(*arguments: Any) -> Any:
        let_through.append(1)
        await together.wait()
        return await make_quote(*arguments)

    monkeypatch.setattr(enquiry_steps, "lock_enquiry", unlocked)
    monkeypatch.setattr(offer_decisions, "make_quote", watched)

    ends = await all_at_once(
        market.do(approve_offer, OfferAsked(asked.id, made.id), by=market.manager),
        market.do(approve_offer, OfferAsked(asked.id, made.id), by=second),
    )

    assert 2 == len(let_through)
    assert 1 == len([end for end in ends if not isinstance(end, DomainError)])
