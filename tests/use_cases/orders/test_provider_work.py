"""What a provider has to do for orders: answer them, and look after their samples."""

from __future__ import annotations

from marketplace.kernel.db import Database
from marketplace.orders.queries import (
    AwaitingList,
    BenchList,
    BenchStage,
    awaiting,
    sample_bench,
)
from marketplace.orders.use_cases import (
    ConfirmOrder,
    DeliverOrder,
    FinishSamples,
    ReceiveSamples,
    confirm_order,
    deliver_order,
    finish_samples,
    receive_samples,
    store_deliverable,
)
from tests.builders.orders import a_market, a_quote, a_report, a_sample_order, an_order


async def test_samples_that_were_ordered_wait_for_their_own_provider(database: Database):
    market = await a_market(database)
    other = await a_market(database)
    placed = await an_order(market, quote=await a_quote(market, during=None, samples=3))
    await an_order(market)
    found = await market.do(awaiting, AwaitingList(), by=market.technician)
    strange = await market.do(awaiting, AwaitingList(), by=other.manager)

    assert ([placed.id], 1) == ([row.order.id for row in found.rows], found.total)
    assert 3 == found.rows[0].samples
    assert 0 == strange.total

    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    assert 0 == (await market.do(awaiting, AwaitingList(), by=market.manager)).total


async def test_samples_stand_on_the_bench_until_they_have_gone_back(database: Database):
    market = await a_market(database)
    order = await a_sample_order(market, samples=5)
    other = await a_market(database)

    async def stage() -> BenchStage:
        found = await market.do(sample_bench, BenchList(), by=market.technician)
        (row,) = found.rows
        assert {row.stage: 1} == {name: n for name, n in found.counts.items() if n}
        assert (1, order.id) == (found.total, row.order.id)
        return row.stage

    assert BenchStage.AWAITED == await stage()
    await market.do(receive_samples, ReceiveSamples(order.id, 5), by=market.technician)
    assert BenchStage.TO_TEST == await stage()
    await market.do(finish_samples, FinishSamples(order.id, 2), by=market.technician)
    assert BenchStage.TO_TEST == await stage()
    await market.do(finish_samples, FinishSamples(order.id, 5), by=market.technician)
    assert BenchStage.TO_REPORT == await stage()
    await market.do(store_deliverable, a_report(order.id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(order.id), by=market.technician)
    assert BenchStage.TO_CLEAR == await stage()
    for question in (BenchList(BenchStage.AWAITED), BenchList(text="no such"), BenchList(text="9")):
        assert not (await market.do(sample_bench, question, by=market.technician)).rows
    assert (await market.do(sample_bench, BenchList(text=str(order.id)), by=market.manager)).rows
    assert not (await market.do(sample_bench, BenchList(), by=other.manager)).rows
