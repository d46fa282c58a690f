"""What an anomaly that nobody has decided does to orders whose vouchers would pay next."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import AcceptOrder, accept_order
from marketplace.orders.use_cases.disputes import (
    DisputeOrder,
    RuleOnDispute,
    dispute_order,
    rule_on_dispute,
)
from marketplace.vouchers.errors import AnomaliesBlock
from marketplace.vouchers.jobs import expire_due_vouchers
from marketplace.vouchers.rules.anomalies import (
    AnomalyKind,
    AnomalyStatus,
    Finding,
    Subject,
    SubjectKind,
)
from marketplace.vouchers.use_cases.anomalies import DecideAnomaly, decide_anomaly
from tests.builders.anomalies import a_finding, found
from tests.builders.booking import at_hours
from tests.builders.orders import TEST, Market, a_delivered_order, a_market
from tests.builders.vouchers import an_officer


async def suspected(market: Market, *subjects: Subject, key: str = "k") -> int:
    """A ring of trade about these, which blocks until it is dismissed."""
    finding: Finding = a_finding(*subjects, kind=AnomalyKind.CIRCULAR_TRADE, key=key)
    (newest, *_) = await found(market.database, finding)
    return newest.id


async def decide(market: Market, anomaly_id: int, outcome: AnomalyStatus) -> None:
    officer = await an_officer(market.database)
    command = DecideAnomaly(anomaly_id, outcome, "Looked at.")
    await atomically(market.database, decide_anomaly, command, actor=officer)


async def states(database: Database) -> list[tuple[str, str, int]]:
    """Each order with the state of its voucher's hold, and the redemptions of it."""

    async def ask(tx: Tx, _: None) -> list[tuple[str, str, int]]:
        rows = await tx.execute(
            text(
                "select o.status, h.status, (select count(*) from redemption r"
                " where r.order_id = o.id) from service_order o"
                " join voucher_hold h on h.order_id = o.id order by o.id"
            )
        )
        return [tuple(row) for row in rows]

    return await atomically(database, ask, None, actor=TEST)


async def test_an_order_in_doubt_waits_with_its_hold_until_the_doubt_is_dismissed(
    database: Database, clock: SetClock
) -> None:
    market = await a_market(database)
    doubted = await a_delivered_order(market)
    other = await a_delivered_order(market, during=at_hours(4, 9, 11))
    anomaly_id = await suspected(market, Subject(SubjectKind.ORDER, doubted.id))

    with pytest.raises(AnomaliesBlock) as blocked:
        await market.do(accept_order, AcceptOrder(doubted.id), by=market.buyer)
    (reason,) = blocked.value.reasons
    assert reason.asked == anomaly_id
    assert f"Anomaly {anomaly_id} (circular-trade) has to be decided first" in reason.message
    assert "voucher officer" in reason.message
    assert "same contract" not in reason.message

    # The run settles the other one; what is held outlives the voucher's own last day.
    assert doubted.review_ends_at
    assert other.review_ends_at
    clock.set(max(doubted.review_ends_at, other.review_ends_at) + timedelta(minutes=1))
    assert await accept_reviewed(database) == 1
    clock.set(datetime(2026, 1, 1, 0, 20, tzinfo=SHANGHAI))
    await expire_due_vouchers(database)
    assert await states(database) == [("delivered", "held", 0), ("settled", "settled", 1)]
    assert await accept_reviewed(database) == 0

    await decide(market, anomaly_id, AnomalyStatus.DISMISSED)
    assert await accept_reviewed(database) == 1
    assert await states(database) == [("settled", "settled", 1), ("settled", "settled", 1)]


async def test_a_doubt_about_a_voucher_or_about_both_parties_stops_their_orders_only_until_decided(
    database: Database,
) -> None:
    market = await a_market(database)
    order = await a_delivered_order(market)
    buyer = Subject(SubjectKind.ORGANISATION, market.buyer.organisation_id)
    provider = Subject(SubjectKind.ORGANISATION, market.manager.organisation_id)

    async def grant_of(tx: Tx, _: None) -> int:
        held: int = await tx.scalar(text("select grant_id from voucher_hold"))
        return held

    voucher = Subject(SubjectKind.GRANT, await atomically(database, grant_of, None, actor=TEST))
    for subjects in ((buyer, provider), (voucher,)):
        anomaly_id = await suspected(market, *subjects, key=str(subjects))
        with pytest.raises(AnomaliesBlock):
            await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
        # Once it is confirmed, sanctions speak.
        await decide(market, anomaly_id, AnomalyStatus.CONFIRMED)

    # What is about one of them with somebody else is no reason to hold this order up.
    for place, subject in enumerate((buyer, provider)):
        await suspected(market, subject, key=f"alone {place}")
    await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)


async def test_a_confirmed_order_is_never_paid_by_its_voucher_but_can_be_ruled_to_cost_nothing(
    database: Database, clock: SetClock
) -> None:
    market = await a_market(database)
    order = await a_delivered_order(market)
    anomaly_id = await suspected(market, Subject(SubjectKind.ORDER, order.id))
    await decide(market, anomaly_id, AnomalyStatus.CONFIRMED)

    with pytest.raises(AnomaliesBlock):
        await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    await market.do(dispute_order, DisputeOrder(order.id, "查实虚假交易"), by=market.buyer)
    clock.set(datetime(2025, 3, 20, 9, tzinfo=SHANGHAI))
    ruling = RuleOnDispute(order.id, pay_basis_points=0, ruling="不予支付")
    await market.do(rule_on_dispute, ruling, by=market.officer)
    assert await states(database) == [("settled", "released", 0)]


async def test_the_database_redeems_nothing_that_is_in_doubt_whoever_writes_it(
    database: Database,
) -> None:
    market = await a_market(database)
    order = await a_delivered_order(market)
    await suspected(market, Subject(SubjectKind.ORDER, order.id))

    async def past_the_rule(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                "update voucher_hold set status = 'settled', ended_at = now(),"
                " settled_fen = amount_fen"
            )
        )
        await tx.execute(
            text(
                "insert into redemption (order_id, grant_id, provider_id, service_value_fen,"
                " amount_fen, redeemed_on) select order_id, grant_id, provider_id,"
                " service_value_fen, amount_fen, '2025-03-05' from voucher_hold"
            )
        )

    with pytest.raises(AnomaliesBlock):
        await atomically(database, past_the_rule, None, actor=TEST)
