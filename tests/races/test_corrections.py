"""Money that comes back races itself, and never more than was charged comes back."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from marketplace.billing.invoicing.queries import charged
from marketplace.kernel.db import Database
from marketplace.kernel.errors import DomainError
from marketplace.orders.errors import CorrectionDecided, CorrectionOpen
from marketplace.orders.use_cases import (
    AcceptOrder,
    DecideCorrection,
    ProposeCorrection,
    accept_order,
    approve_correction,
    propose_correction,
)
from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_market, delivered_samples
from tests.builders.parties import an_actor

# Half and a bit of what the buyer paid: one fits, two do not.
CREDIT = """
    insert into charge_line (order_id, order_position, kind, provider_id, legal_entity_id,
      instrument_id, buyer_id, buyer_legal_entity_id, service_value_fen, voucher_fen, own_fen,
      settled_on, voucher_order, affiliated, counts_for_reward, reverses, reason, recorded_by,
      recorded_at)
    select order_id, order_position, kind, provider_id, legal_entity_id, instrument_id, buyer_id,
           buyer_legal_entity_id, -(own_fen / 2 + 1), 0, -(own_fen / 2 + 1), settled_on,
           voucher_order, affiliated, counts_for_reward, id, 'race', 1, now()
      from charge_line where reverses is null
"""


async def a_settled_order(market: Market) -> int:
    delivered = await delivered_samples(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    return delivered.id


async def all_at_once(*work):
    return await asyncio.gather(*work, return_exceptions=True)


async def test_of_many_who_approve_one_correction_one_pays(database: Database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    asked = await market.do(
        propose_correction, ProposeCorrection(order_id, 0, 20_000, "half"), by=market.manager
    )
    checkers = [await an_actor(database, Role.FINANCE_CHECKER) for _ in range(6)]
    before = await market.wallet()

    ends = await all_at_once(
        *(market.do(approve_correction, DecideCorrection(asked.id), by=one) for one in checkers)
    )

    assert [type(end) for end in ends if isinstance(end, Exception)] == [CorrectionDecided] * 5
    assert (await market.wallet()).posted_fen == before.posted_fen + 20_000
    assert (await market.do(charged, order_id)).own_fen == 10_000


async def test_of_many_corrections_proposed_at_once_one_waits(database: Database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    asked = ProposeCorrection(order_id, 0, 20_000, "too much twice")

    ends = await all_at_once(
        *(market.do(propose_correction, asked, by=market.manager) for _ in range(6))
    )

    assert [type(end) for end in ends if isinstance(end, DomainError)] == [CorrectionOpen] * 5


@pytest.mark.parametrize("guarded", [True, False])
async def test_two_sessions_that_credit_one_charge_do_not_pass_it(
    database: Database, database_url: str, guarded: bool
):
    """The control: without the trigger both would be let through."""
    market = await a_market(database)
    order_id = await a_settled_order(market)
    url = database_url.replace("+asyncpg", "")
    first, second = await asyncpg.connect(url), await asyncpg.connect(url)
    if not guarded:
        await first.execute("alter table charge_line disable trigger charge_line_reversed_within")
    mine, theirs = first.transaction(), second.transaction()
    await mine.start()
    await theirs.start()
    await first.execute(CREDIT)
    waiting = asyncio.create_task(second.execute(CREDIT))
    await asyncio.sleep(0.2)
    assert waiting.done() is not guarded
    await mine.commit()

    if guarded:
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await waiting
        assert refusal.value.constraint_name == "charge_line_reversed_within"
        await theirs.rollback()
    else:
        await waiting
        await theirs.commit()

    left = (await market.do(charged, order_id)).own_fen
    assert (left >= 0) is guarded
    await first.close()
    await second.close()
