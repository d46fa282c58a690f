"""Many orders on one credit line, many payments of one debt, a limit lowered meanwhile."""

import asyncio
from typing import Any

from sqlalchemy import text

from marketplace.billing.credit.use_cases import (
    DecideTerms,
    HoldCredit,
    PayCredit,
    decide_terms,
    hold_credit,
    pay_credit,
    require_room,
)
from marketplace.billing.credit.use_cases.orders import usable_line
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import DomainError
from tests.builders.credit import (
    LIMIT_FEN,
    a_second_manager,
    granted_terms,
    proposed_terms,
    the_line,
)
from tests.builders.orders import TEST, Market, a_market
from tests.builders.owner import become_owner
from tests.use_cases.credit.test_credit import a_debt

RACERS = 24
EACH_FEN = 100_000
ENOUGH_FOR = LIMIT_FEN // EACH_FEN


async def all_at_once(*racers: Any) -> list[Any]:
    """What each racer came back with; a bug is raised."""
    ends = await asyncio.gather(*racers, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, DomainError):
            raise end
    return [end for end in ends if not isinstance(end, BaseException)]


def a_holder(market: Market, line_id: int) -> Any:
    async def hold(number: int) -> int:
        command = HoldCredit(line_id, EACH_FEN, order_id=0, key=f"race-{number}")
        return await atomically(market.database, hold_credit, command, actor=TEST)

    return hold


async def test_however_many_order_at_once_the_limit_is_never_passed(database: Database):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    hold = a_holder(market, (await the_line(market)).line.id)

    held = await all_at_once(*(hold(number) for number in range(RACERS)))

    line = await the_line(market)
    assert len(held) == ENOUGH_FOR
    assert (line.held_fen, line.available_fen) == (LIMIT_FEN, 0)


async def test_a_question_before_the_hold_alone_would_let_the_limit_be_passed(
    database: Database,
):
    """The control: the same race, with the account's check taken away."""
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table account drop constraint account_min_available"))
    line_id = (await the_line(market)).line.id
    everybody_asked = asyncio.Barrier(8)

    async def ask_and_hold(tx: Tx, number: int) -> None:
        line = await usable_line(
            tx,
            provider_id=market.manager.organisation_id,
            buyer_id=market.buyer.organisation_id,
        )
        require_room(EACH_FEN, available_fen=line.available_fen)
        await everybody_asked.wait()
        await hold_credit(tx, HoldCredit(line_id, EACH_FEN, 0, f"race-{number}"))

    await all_at_once(
        *(atomically(database, ask_and_hold, number, actor=TEST) for number in range(8))
    )

    assert (await the_line(market)).held_fen > LIMIT_FEN


async def test_a_limit_is_not_lowered_under_what_is_ordered_at_the_same_time(database: Database):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    hold = a_holder(market, (await the_line(market)).line.id)
    lower = await proposed_terms(market, limit_fen=EACH_FEN)
    second = await a_second_manager(market)
    decide = market.do(decide_terms, DecideTerms(lower.id, approve=True), by=second)

    await all_at_once(*(hold(number) for number in range(8)), decide)

    line = await the_line(market)
    assert line.held_fen <= line.line.limit_fen
    assert line.available_fen == line.line.limit_fen - line.held_fen


async def test_a_debt_is_paid_once_however_often_it_is_paid_at_once(database, monkeypatch):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    await a_debt(market, monkeypatch)
    line = (await the_line(market)).line

    paid = await all_at_once(
        *(market.do(pay_credit, PayCredit(line.id), by=market.buyer) for _ in range(8))
    )

    assert [receipt.amount_fen for receipt in paid] == [line.owed_fen]
    assert (await market.payable()).posted_fen == line.owed_fen
    assert (await the_line(market)).line.owed_fen == 0
