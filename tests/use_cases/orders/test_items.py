"""Several instruments of one provider in one order: quoted, reserved, delivered, settled as one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.booking import queries as booking
from marketplace.kernel.db import Database
from marketplace.orders import queries
from marketplace.orders.errors import (
    DeliveryRefused,
    ItemMissing,
    ItemsNotFree,
    ItemUnclear,
    QuoteUnclear,
    ServiceUnfinished,
    StepNotOpen,
)
from marketplace.orders.queries import Order
from marketplace.orders.rules.rescheduling import ChangeKind
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    ChangeAsked,
    CloseService,
    ConfirmOrder,
    DeclareUndeliverable,
    DeliverItem,
    DeliverOrder,
    FinishSamples,
    FollowCancellation,
    FollowNoShow,
    OpenService,
    ReceiveSamples,
    RescheduleOrder,
    accept_order,
    cancel_order,
    close_service,
    confirm_order,
    declare_undeliverable,
    deliver_item,
    deliver_order,
    finish_samples,
    follow_cancellation,
    follow_no_show,
    open_service,
    preview_change,
    receive_samples,
    reschedule_order,
    store_deliverable,
)
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.items import (
    WEDNESDAY_AFTERNOON,
    a_quote_of,
    a_second_instrument,
    an_order_for,
    samples_on,
    time_on,
)
from tests.builders.orders import (
    WEDNESDAY_MORNING,
    Market,
    a_market,
    a_price_list,
    a_report,
    an_order,
    move_to,
)

EXTRAS = (("help", 60), ("stub", 4))


async def items_of(market: Market, order_id: int) -> list[queries.OrderItem]:
    return await market.do(queries.order_items, order_id)


async def reservations(market: Market, order_id: int) -> list[booking.Reservation]:
    return [
        await market.do(booking.reservation, item.reservation_id)
        for item in await items_of(market, order_id)
        if item.reservation_id is not None
    ]


async def charges(database: Database, order_id: int) -> list[tuple[int, str, int]]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select instrument_id, kind, service_value_fen from charge_line"
                " where order_id = :id order by order_position, kind"
            ),
            {"id": order_id},
        )
        return [(row[0], row[1], row[2]) for row in rows]


async def in_use(market: Market, placed: Order, *, minutes: int = 120) -> None:
    """The first item was used on Wednesday morning, for so long."""
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(placed.id, 1), by=market.technician)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=minutes))
    await market.do(close_service, CloseService(placed.id, item=1), by=market.technician)


async def confirmed(market: Market, placed: Order) -> Order:
    if placed.status == "confirmed":
        return placed
    return await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)


async def test_time_and_samples_are_quoted_line_by_line_each_by_its_own_list(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)

    quote = await a_quote_of(market, samples_on(second, urgent=True, extras=EXTRAS))

    first, other = quote.items
    assert (first["total_fen"], first["unit"]) == (80_000, "hour")
    # 12 elements, half as much again for urgency, an hour's help and four stubs.
    assert [line["amount_fen"] for line in other["lines"]] == [24_000, 12_000, 6_000, 6_000]
    assert quote.total_fen == first["total_fen"] + other["total_fen"] == 128_000
    assert sum(line["amount_fen"] for line in quote.lines) == quote.total_fen
    assert {line["item"] for line in quote.lines} == {1, 2}


async def test_what_is_delivered_in_parts_is_settled_line_by_line_and_by_instrument(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await an_order_for(market, samples_on(second, urgent=True, extras=EXTRAS))
    placed = await confirmed(market, placed)
    await in_use(market, placed, minutes=90)
    await market.do(receive_samples, ReceiveSamples(placed.id, 4), by=market.technician)
    await market.do(finish_samples, FinishSamples(placed.id, 3), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)

    await market.do(deliver_item, DeliverItem(placed.id, 1), by=market.technician)
    part = DeliverItem(placed.id, 2, quantity=2, extras=(("help", 30),))
    still = await market.do(deliver_item, part, by=market.technician)
    due = [(item.delivered, item.due) for item in await items_of(market, placed.id)]
    await market.do(deliver_item, DeliverItem(placed.id, 2), by=market.technician)
    given_up = DeclareUndeliverable(placed.id, 2, "The fourth broke.")
    done = await market.do(declare_undeliverable, given_up, by=market.technician)
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)

    assert still.status == "in_service"
    assert due == [(1, 0), (2, 2)]
    assert done.status == "delivered"
    # An hour and a half; nine elements, urgent, and half an hour's help.
    assert settled.settled_fen == 60_000 + 18_000 + 9_000 + 3_000
    assert await charges(database, placed.id) == [
        (market.instrument_id, "service", 60_000),
        (second, "service", 30_000),
    ]
    for item in await items_of(market, placed.id):
        lines = item.settlement or []
        assert sum(line["quoted_fen"] for line in lines) == item.total_fen
        assert sum(line["settled_fen"] for line in lines) == item.settled_fen
    assert {line["why"] for line in lines} == {
        "3 of 4 samples were delivered: The fourth broke.",
    }
    assert (await market.wallet()).held_fen == 0
    assert (await market.payable()).posted_fen == 90_000
    story = await market.do(queries.order_story, placed.id, by=market.buyer)
    assert [part.kind for part in story.deliveries] == ["delivered"] * 3 + ["undeliverable"]
    week = at_hours(0, 0, 24 * 6)
    asked = queries.ServedAsked(market.manager.organisation_id, [placed.id], week)
    records = await market.do(queries.served_orders, asked)
    assert [(one.instrument_id, one.settled_fen, one.samples_tested) for one in records] == [
        (market.instrument_id, 60_000, None),
        (second, 30_000, 3),
    ]
    told = next(event for event in story.timeline if event.kind == "accept").facts["items"]
    assert [item["settled_fen"] for item in told] == [60_000, 30_000]


async def test_a_voucher_pays_its_part_of_all_items_and_each_line_has_its_share(database):
    market = await a_market(database)
    second = await a_second_instrument(market)
    placed = await confirmed(market, await an_order_for(market, time_on(second)))
    await in_use(market, placed)
    move_to(market, WEDNESDAY_AFTERNOON.starts_at)
    await market.do(open_service, OpenService(placed.id, 2), by=market.technician)
    move_to(market, WEDNESDAY_AFTERNOON.ends_at)
    await market.do(close_service, CloseService(placed.id, item=2), by=market.technician)
    await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)

    items = await items_of(market, placed.id)
    assert [item.settled_fen for item in items] == [80_000, 60_000]
    assert sum(item.settled_voucher_fen or 0 for item in items) == settled.settled_voucher_fen
    assert settled.settled_voucher_fen == 70_000
    assert (await market.money(AccountType.PAYABLE, market.manager.organisation_id)).posted_fen == (
        settled.settled_own_fen
    )


async def test_all_times_are_had_or_none(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    both = await a_quote_of(market, time_on(second))
    assert len(await reservations(market, (await an_order_for(market, time_on(second))).id)) == 2

    with pytest.raises(ItemsNotFree) as refusal:
        await an_order(market, quote=both)

    assert {reason.message.split(",")[0] for reason in refusal.value.reasons} == {
        "Item 1",
        "Item 2",
    }
    assert {one["item"] for one in refusal.value.alternatives} <= {1, 2}


async def test_what_is_called_off_gives_every_time_back(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await an_order_for(market, time_on(second))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "no need"), by=market.buyer)

    assert ended.status == "cancelled"
    assert {one.status for one in await reservations(market, placed.id)} == {"cancelled"}
    assert {item.status for item in await items_of(market, placed.id)} == {"cancelled"}
    assert (await market.wallet()).held_fen == 0


async def test_a_late_cancellation_costs_its_fee_for_the_items_that_are_near(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    later = at_hours(9, 13, 15)
    placed = await confirmed(market, await an_order_for(market, time_on(second, later)))
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=1))

    ended = await market.do(cancel_order, CancelOrder(placed.id, "late"), by=market.buyer)

    fees = [item.settled_fen or 0 for item in await items_of(market, placed.id)]
    assert fees[0] > 0
    assert fees[1] == 0
    assert ended.settled_own_fen == sum(fees)
    assert await charges(database, placed.id) == [
        (market.instrument_id, "cancellation_fee", fees[0])
    ]


async def test_an_order_that_lost_a_time_before_its_service_is_called_off_whole(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await confirmed(market, await an_order_for(market, time_on(second)))
    lost = (await items_of(market, placed.id))[1].reservation_id

    ended = await market.do(
        follow_cancellation,
        FollowCancellation(placed.id, "closed", fee_basis_points=0, reservation_id=lost or 0),
    )

    assert (ended.status, ended.settled_fen) == ("cancelled", 0)
    assert (await reservations(market, placed.id))[0].status == "cancelled"


async def test_an_order_in_service_loses_only_the_item_that_was_missed(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await confirmed(market, await an_order_for(market, time_on(second)))
    await in_use(market, placed)
    await market.do(deliver_item, DeliverItem(placed.id, 1), by=market.technician)
    missed = (await items_of(market, placed.id))[1].reservation_id or 0

    went_on = await market.do(follow_no_show, FollowNoShow(placed.id, 10_000, missed))
    again = await market.do(follow_no_show, FollowNoShow(placed.id, 10_000, missed))
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)

    assert (went_on.status, again.status) == ("delivered", "delivered")
    items = await items_of(market, placed.id)
    assert [item.status for item in items] == ["delivered", "missed"]
    fee_fen = items[1].settled_fen or 0
    assert 0 < fee_fen <= 60_000
    assert settled.settled_fen == 80_000 + fee_fen
    assert await charges(database, placed.id) == [
        (market.instrument_id, "service", 80_000),
        (second, "no_show_fee", fee_fen),
    ]
    assert (await market.wallet()).held_fen == 0


async def test_an_item_that_a_provider_cannot_give_leaves_the_rest_as_it_was(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await confirmed(market, await an_order_for(market, time_on(second)))
    given_up = DeclareUndeliverable(placed.id, 2, "The source is dead.")

    await market.do(declare_undeliverable, given_up, by=market.technician)
    lost = (await items_of(market, placed.id))[1]
    heard = FollowCancellation(
        placed.id, "x", fee_basis_points=0, reservation_id=lost.reservation_id or 0
    )
    kept = await market.do(follow_cancellation, heard)
    with pytest.raises(DeliveryRefused, match="call the order off"):
        await market.do(declare_undeliverable, replace(given_up, item=1), by=market.technician)
    await in_use(market, placed)
    done = await market.do(deliver_item, DeliverItem(placed.id, 1), by=market.technician)
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)

    assert (kept.status, done.status) == ("confirmed", "delivered")
    assert (lost.status, settled.settled_fen) == ("undeliverable", 80_000)
    told = (await items_of(market, placed.id))[1].settlement
    assert told is not None
    assert told[0]["why"] == ("Not delivered: The source is dead.")


async def test_one_item_moves_at_its_own_price_and_the_others_stay(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await an_order_for(market, time_on(second))
    longer = at_hours(9, 13, 16)
    asked = ChangeAsked(placed.id, ChangeKind.RESCHEDULE, longer.ends_at, longer.starts_at, item=2)
    with pytest.raises(ItemUnclear):
        await market.do(preview_change, replace(asked, item=None), by=market.buyer)

    view = await market.do(preview_change, asked, by=market.buyer)
    command = RescheduleOrder(
        placed.id, longer.starts_at, longer.ends_at, agreed=view.figures.token, item=2
    )
    changed = await market.do(reschedule_order, command, by=market.buyer)

    assert changed.order.total_fen == 80_000 + 90_000
    assert changed.change.position == 2
    assert [item.total_fen for item in await items_of(market, placed.id)] == [80_000, 90_000]
    first, moved = await reservations(market, placed.id)
    assert (first.starts_at, moved.starts_at) == (WEDNESDAY_MORNING.starts_at, longer.starts_at)
    contract = await market.do(queries.contract_of, placed.id, by=market.buyer)
    assert [item["total_fen"] for item in contract.document["service"]["items"]] == [80_000, 90_000]


async def test_more_than_was_agreed_is_not_delivered_and_every_reason_is_told(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    by_run = samples_on(second, unit="run", elements=0, runs=3, extras=EXTRAS)
    placed = await confirmed(market, await an_order_for(market, by_run))
    await market.do(receive_samples, ReceiveSamples(placed.id, 4), by=market.technician)
    with pytest.raises(ServiceUnfinished):
        await market.do(deliver_item, DeliverItem(placed.id, 2), by=market.technician)
    await market.do(finish_samples, FinishSamples(placed.id, 4, item=2), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)

    too_much = DeliverItem(placed.id, 2, quantity=5, runs=4, extras=(("help", 61), ("gold", 1)))
    with pytest.raises(DeliveryRefused) as refusal:
        await market.do(deliver_item, too_much, by=market.technician)
    with pytest.raises(DeliveryRefused) as unstated:
        await market.do(deliver_item, DeliverItem(placed.id, 2), by=market.technician)
    with pytest.raises(ItemMissing):
        await market.do(deliver_item, DeliverItem(placed.id, 3), by=market.technician)

    assert [reason.rule for reason in refusal.value.reasons] == [
        "item-ready",
        "runs-agreed",
        "extra-agreed",
        "extra-agreed",
    ]
    assert [reason.rule for reason in unstated.value.reasons] == ["extras-stated"]
    part = DeliverItem(placed.id, 2, quantity=1, runs=1, extras=(("help", 0),))
    await market.do(deliver_item, part, by=market.technician)
    await market.do(deliver_item, replace(part, quantity=3), by=market.technician)
    assert (await items_of(market, placed.id))[1].runs_used == 2


async def test_it_is_said_which_item_is_meant(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_instrument(market)
    placed = await confirmed(market, await an_order_for(market, time_on(second)))
    move_to(market, WEDNESDAY_MORNING.starts_at)

    with pytest.raises(ItemUnclear) as refusal:
        await market.do(open_service, OpenService(placed.id), by=market.technician)
    await market.do(open_service, OpenService(placed.id, 1), by=market.technician)
    with pytest.raises(StepNotOpen):
        await market.do(open_service, OpenService(placed.id, 1), by=market.technician)

    assert [one["item"] for one in refusal.value.alternatives] == [1, 2]


async def test_a_quote_is_of_one_provider_and_of_times_that_do_not_cross(database):
    market = await a_market(database, voucher_fen=0)
    elsewhere = await a_bookable_instrument(database)
    await a_price_list(database, instrument_id=elsewhere)

    with pytest.raises(QuoteUnclear, match="one provider"):
        await a_quote_of(market, time_on(elsewhere))
    with pytest.raises(QuoteUnclear, match="same instrument"):
        await a_quote_of(market, time_on(market.instrument_id, WEDNESDAY_MORNING))
    with pytest.raises(QuoteUnclear, match="at most 10"):
        await a_quote_of(market, *[time_on(market.instrument_id)] * 10)
    with pytest.raises(QuoteUnclear, match="counted of samples"):
        await a_quote_of(market, time_on(market.instrument_id, runs=1))
