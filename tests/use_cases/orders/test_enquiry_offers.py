"""Offers in rounds, and prices set by hand: approved by a second person, ordered, settled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.kernel.db import Database
from marketplace.orders import queries
from marketplace.orders.enquiry_errors import (
    ApprovalByMaker,
    EnquiryMissing,
    EnquiryStepNotOpen,
    ManualPriceRefused,
    OfferAwaiting,
    OfferChanged,
    OfferMissing,
    OfferNotAccepted,
    OfferNotOpen,
    OfferRefused,
)
from marketplace.orders.errors import QuoteExpired
from marketplace.orders.queries.enquiries import enquiry_by_id
from marketplace.orders.queries.enquiry_thread import (
    OfferAsked,
    OfferList,
    ThreadAsked,
    events_of,
    offers,
)
from marketplace.orders.rules.enquiries import OfferStatus
from marketplace.orders.use_cases import AcceptOrder, accept_order, place_order
from marketplace.orders.use_cases.enquiries import EndEnquiry, withdraw_enquiry
from marketplace.orders.use_cases.manual_price import ManualPrice
from marketplace.orders.use_cases.offer_decisions import (
    EndOffer,
    TurnOfferDown,
    accept_offer,
    approve_offer,
    refuse_offer,
    retract_offer,
    turn_offer_down,
)
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.enquiries import (
    MANUAL,
    a_service,
    an_approved_offer,
    an_enquiry,
    an_offer,
    another_manager,
    deliver_machine_time,
    deliver_samples,
    samples_of,
)
from tests.builders.orders import (
    Market,
    a_market,
    a_move,
    a_price_list,
    an_order_of,
    move_to,
)


async def quoted(market: Market, quote_id: int | None) -> queries.Quote:
    assert quote_id is not None
    return await market.do(queries.quote, quote_id, by=market.buyer)


async def ordered(market: Market, quote_id: int | None) -> queries.Order:
    quote = await quoted(market, quote_id)
    return await market.do(place_order, an_order_of(quote), by=market.buyer)


async def test_an_offer_by_the_list_is_a_quote_that_is_ordered_once_it_was_accepted(
    database: Database,
):
    market = await a_market(database)
    asked = await an_enquiry(market)
    offer = await an_offer(market, asked.id)

    quote = await quoted(market, offer.quote_id)
    assert (80_000, 40_000, None) == (quote.total_fen, quote.voucher_fen, quote.manual_unit)
    assert ("standing", 80_000, 80_000) == (offer.status, offer.list_total_fen, offer.total_fen)
    with pytest.raises(OfferNotAccepted):
        await ordered(market, quote.id)
    for stranger in (market.manager, market.technician):
        with pytest.raises(EnquiryMissing):
            await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=stranger)

    accepted = await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=market.buyer)

    assert "accepted" == accepted.status
    assert "accepted" == (await market.do(enquiry_by_id, asked.id, by=market.manager)).status
    assert 80_000 == (await ordered(market, quote.id)).total_fen
    with pytest.raises(EnquiryStepNotOpen):
        await an_offer(market, asked.id)


async def test_a_later_round_takes_the_place_of_the_one_before_it(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    first = await an_offer(market, asked.id)
    second = await an_offer(market, asked.id, service=samples_of(market))

    assert (1, 2, 60_000) == (first.round, second.round, second.total_fen)
    with pytest.raises(OfferNotOpen):
        await market.do(accept_offer, OfferAsked(asked.id, first.id), by=market.buyer)
    declined = TurnOfferDown(asked.id, second.id, "超出预算")
    turned = await market.do(turn_offer_down, declined, by=market.buyer)
    assert ("declined", "超出预算") == (turned.status, turned.ended_because)
    assert "answered" == (await market.do(enquiry_by_id, asked.id, by=market.buyer)).status
    third = await an_offer(market, asked.id)
    back = EndOffer(asked.id, third.id, "仪器故障")
    assert "withdrawn" == (await market.do(retract_offer, back, by=market.technician)).status
    fourth = await an_offer(market, asked.id)
    final = TurnOfferDown(asked.id, fourth.id, "不再需要", final=True)
    await market.do(turn_offer_down, final, by=market.buyer)

    ended = await market.do(enquiry_by_id, asked.id, by=market.manager)
    assert ("declined", "不再需要") == (ended.status, ended.ended_because)
    page = await market.do(offers, OfferList(asked.id), by=market.buyer)
    assert ["declined", "withdrawn", "declined", "superseded"] == [row.status for row in page.rows]
    for quote_id in (row.quote_id for row in page.rows):
        with pytest.raises(OfferNotAccepted):
            await ordered(market, quote_id)


async def test_what_is_not_the_providers_to_offer_is_refused_with_every_reason(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    foreign = await a_bookable_instrument(database)
    now = database.clock.now()

    for service, until, rule in (
        (a_service(market, instrument_id=foreign), None, "offer-own"),
        (a_service(market, purpose="disaster-relief"), None, "offer-purpose"),
        (a_service(market, buyer_id=market.manager.organisation_id), None, "offer-buyer"),
        (a_service(market), now, "offer-validity"),
        (a_service(market), now + timedelta(days=400), "offer-validity"),
    ):
        with pytest.raises(OfferRefused) as refusal:
            await an_offer(market, asked.id, service=service, valid_until=until)
        assert [rule] == [reason.rule for reason in refusal.value.reasons]
    with pytest.raises(EnquiryMissing):
        await an_offer(market, asked.id, by=market.buyer)


async def test_a_price_by_hand_is_seen_by_the_buyer_after_a_second_person_approved_it(
    database: Database,
):
    market = await a_market(database)
    asked = await an_enquiry(market)
    made = await an_offer(market, asked.id, by=market.manager, manual=MANUAL)

    assert ("awaiting_approval", 60_000, 80_000) == (
        made.status,
        made.total_fen,
        made.list_total_fen,
    )
    assert (40_000, 40_000) == (made.list_unit_fen, made.ceiling_fen)
    assert 0 == (await market.do(offers, OfferList(asked.id), by=market.buyer)).total
    seen = await market.do(events_of, ThreadAsked(asked.id), by=market.buyer)
    assert ["ask"] == [event.kind for event in seen.rows]
    # Until the buyer sees it, it is no answer either.
    assert "open" == (await market.do(enquiry_by_id, asked.id, by=market.buyer)).status
    with pytest.raises(OfferNotOpen):
        await market.do(accept_offer, OfferAsked(asked.id, made.id), by=market.buyer)
    with pytest.raises(ApprovalByMaker):
        await market.do(approve_offer, OfferAsked(asked.id, made.id), by=market.manager)
    with pytest.raises(OfferAwaiting):
        await an_offer(market, asked.id, manual=replace(MANUAL, unit_fen=20_000))

    second = await another_manager(market)
    waiting = OfferList(statuses=(OfferStatus.AWAITING_APPROVAL,), manual=True, text="薄膜")
    assert [made.id] == [row.id for row in (await market.do(offers, waiting, by=second)).rows]
    shown = await market.do(approve_offer, OfferAsked(asked.id, made.id), by=second)

    assert ("standing", second.person_id) == (shown.status, shown.approved_by)
    quote = await quoted(market, shown.quote_id)
    assert (60_000, 30_000, "hour", 30_000) == (
        quote.total_fen,
        quote.voucher_fen,
        quote.manual_unit,
        quote.manual_unit_fen,
    )
    assert [(30_000, 120, 60_000)] == [
        (line["unit_price_fen"], line["quantity"], line["amount_fen"]) for line in quote.lines
    ]
    assert "set by hand" in quote.lines[0]["source"]
    inside = await market.do(events_of, ThreadAsked(asked.id), by=market.manager)
    assert ["ask", "price_by_hand", "approve_price", "offer"] == [each.kind for each in inside.rows]
    with pytest.raises(OfferNotOpen):
        await market.do(approve_offer, OfferAsked(asked.id, made.id), by=second)
    with pytest.raises(OfferMissing):
        await market.do(approve_offer, OfferAsked(asked.id, 999_999), by=second)


async def test_a_price_above_cost_a_gift_and_a_price_without_reason_are_refused(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)

    for manual, rule in (
        (ManualPrice("hour", 40_001, "加急"), "no-profit-price"),
        (ManualPrice("hour", 0, "赠送"), "manual-zero"),
        (ManualPrice("hour", 40_000, "一样"), "manual-differs"),
        (ManualPrice("hour", 30_000, ""), "manual-reason"),
    ):
        with pytest.raises(ManualPriceRefused) as refusal:
            await an_offer(market, asked.id, manual=manual)
        assert [rule] == [reason.rule for reason in refusal.value.reasons]
    # A sample of half an hour costs 200 CNY: above the list's 120, and still no profit.
    dearer = ManualPrice("sample", 20_000, "需要特殊制样")
    made = await an_offer(market, asked.id, service=samples_of(market), manual=dearer)
    assert (100_000, 60_000, 20_000) == (made.total_fen, made.list_total_fen, made.ceiling_fen)


async def test_a_refused_price_and_one_taken_back_are_never_heard_of(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    refused = await an_offer(market, asked.id, manual=MANUAL)
    by_maker = EndOffer(asked.id, refused.id, "算了")
    with pytest.raises(ApprovalByMaker):
        await market.do(refuse_offer, by_maker, by=market.technician)
    await market.do(refuse_offer, EndOffer(asked.id, refused.id, "太低"), by=market.manager)
    back = await an_offer(market, asked.id, manual=MANUAL)
    await market.do(retract_offer, EndOffer(asked.id, back.id, "算错"), by=market.technician)
    waiting = await an_offer(market, asked.id, manual=MANUAL)
    await market.do(withdraw_enquiry, EndEnquiry(asked.id, "不用了"), by=market.buyer)

    page = await market.do(offers, OfferList(asked.id), by=market.manager)
    assert ["refused", "withdrawn", "refused"] == [row.status for row in page.rows]
    assert waiting.id == page.rows[0].id
    assert 0 == (await market.do(offers, OfferList(asked.id), by=market.buyer)).total
    kinds = (await market.do(events_of, ThreadAsked(asked.id), by=market.buyer)).rows
    assert ["ask", "withdraw"] == [each.kind for each in kinds]
    with pytest.raises(OfferNotOpen):
        await market.do(approve_offer, OfferAsked(asked.id, waiting.id), by=market.manager)


async def test_a_price_is_not_approved_once_the_list_has_changed_or_its_time_is_over(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    made = await an_offer(market, asked.id, manual=MANUAL)
    await a_price_list(database, instrument_id=market.instrument_id, hour_fen=41_000)
    with pytest.raises(OfferChanged):
        await market.do(approve_offer, OfferAsked(asked.id, made.id), by=market.manager)
    await market.do(retract_offer, EndOffer(asked.id, made.id, "重算"), by=market.technician)

    until = database.clock.now() + timedelta(hours=1)
    late = await an_offer(market, asked.id, manual=MANUAL, valid_until=until)
    move_to(market, until)
    with pytest.raises(OfferNotOpen):
        await market.do(approve_offer, OfferAsked(asked.id, late.id), by=market.manager)


async def test_an_order_settles_by_the_price_that_was_agreed_for_each_hour(database: Database):
    market = await a_market(database)
    asked = await an_enquiry(market)
    offer = await an_approved_offer(market, asked.id)
    await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=market.buyer)
    placed = await ordered(market, offer.quote_id)
    assert 60_000 == placed.total_fen

    done = await deliver_machine_time(market, placed, used_minutes=90)
    settled = await market.do(accept_order, AcceptOrder(done.id), by=market.buyer)

    # An hour and a half at 300 CNY, and not at the list's 400.
    assert (45_000, 22_500, 22_500) == (
        settled.settled_fen,
        settled.settled_voucher_fen,
        settled.settled_own_fen,
    )


async def test_samples_settle_by_the_price_that_was_agreed_for_each(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    cheaper = ManualPrice("sample", 10_000, "批量")
    offer = await an_approved_offer(
        market, asked.id, service=samples_of(market, samples=5), manual=cheaper
    )
    await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=market.buyer)
    placed = await ordered(market, offer.quote_id)

    done = await deliver_samples(market, placed, samples=5, tested=3)
    settled = await market.do(accept_order, AcceptOrder(done.id), by=market.buyer)

    assert (50_000, 30_000) == (settled.total_fen, settled.settled_fen)


async def test_an_order_that_moves_keeps_the_price_per_hour_that_was_agreed(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    offer = await an_approved_offer(market, asked.id)
    await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=market.buyer)
    placed = await ordered(market, offer.quote_id)

    moved = await a_move(market, placed.id, at_hours(3, 13, 16))

    assert 90_000 == moved.order.total_fen
    quote = await market.do(queries.quote, moved.order.quote_id, by=market.buyer)
    assert ("hour", 30_000) == (quote.manual_unit, quote.manual_unit_fen)


async def test_an_accepted_offer_is_ordered_while_its_quote_is_valid(database: Database):
    market = await a_market(database, voucher_fen=0)
    asked = await an_enquiry(market)
    until = database.clock.now() + timedelta(days=1)
    offer = await an_offer(market, asked.id, valid_until=until)
    await market.do(accept_offer, OfferAsked(asked.id, offer.id), by=market.buyer)

    move_to(market, until)

    with pytest.raises(QuoteExpired):
        await ordered(market, offer.quote_id)
