"""An order at another time: figures first, then everything at once, and the money to the fen."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from marketplace.billing.invoicing import queries as invoicing
from marketplace.billing.ledger import queries as ledger
from marketplace.booking import queries as booking
from marketplace.kernel.db import Database
from marketplace.orders import queries
from marketplace.orders.errors import (
    ChangeRefused,
    FiguresChanged,
    OrderMissing,
    TimeUnclear,
    WalletShort,
    WrongMode,
)
from marketplace.orders.rules.rescheduling import ChangeKind
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    ChangeAsked,
    CloseService,
    DeliverOrder,
    IssueInvoice,
    OpenService,
    RescheduleOrder,
    accept_order,
    cancel_order,
    close_service,
    deliver_order,
    every_reason,
    issue_invoice,
    open_service,
    preview_change,
    reschedule_order,
)
from marketplace.parties.roles import Role
from tests.builders.booking import a_closure, a_reservation, at_hours
from tests.builders.invoicing import an_invoice_number
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_look,
    a_market,
    a_move,
    a_price_list,
    a_quote,
    a_sample_order,
    an_extension,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor

FRIDAY = at_hours(4, 9, 12)
LATE = WEDNESDAY_MORNING.starts_at - timedelta(hours=23)


async def held(market: Market) -> tuple[int, int]:
    """What is held of the voucher and of the wallet."""
    return (await market.voucher()).held_fen, (await market.wallet()).held_fen


async def reserved(market: Market, order: queries.Order) -> tuple[datetime, datetime, str]:
    """The time that booking keeps for an order."""
    assert order.reservation_id is not None
    found = await market.do(booking.reservation, order.reservation_id)
    return found.starts_at, found.ends_at, found.status


async def use(market: Market, order_id: int, *, until: datetime, since: datetime) -> queries.Order:
    """Serve, deliver and accept an order."""
    move_to(market, since)
    await market.do(open_service, OpenService(order_id), by=market.technician)
    move_to(market, until)
    await market.do(close_service, CloseService(order_id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(order_id), by=market.technician)
    return await market.do(accept_order, AcceptOrder(order_id), by=market.buyer)


async def test_a_buyer_sees_the_figures_and_moves_its_order_to_a_longer_time(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    # Newer prices are for newer orders.
    await a_price_list(database, instrument_id=market.instrument_id, hour_fen=2 * HOUR_FEN)

    view = await a_look(market, placed.id, FRIDAY, by=market.buyer)
    moved = await a_move(market, placed.id, FRIDAY, reason="samples late")

    assert ((), None, 0) == (every_reason(view), view.answered_by, view.fee.amount_fen)
    assert (2 * HOUR_FEN, 3 * HOUR_FEN) == (
        view.figures.before.total_fen,
        view.figures.after.total_fen,
    )
    assert (HOUR_FEN, HOUR_FEN // 2, 0) == (
        view.figures.difference_fen,
        view.figures.needed_fen,
        view.missing_fen,
    )
    assert (FRIDAY.starts_at, FRIDAY.ends_at, "confirmed") == await reserved(market, placed)
    assert (3 * HOUR_FEN // 2, 3 * HOUR_FEN // 2) == await held(market)
    order, change = moved.order, moved.change
    assert ("confirmed", 3 * HOUR_FEN, 0) == (order.status, order.total_fen, order.move_fee_fen)
    assert ("agreed", placed.quote_id, order.quote_id) == (
        change.status,
        change.old_quote_id,
        change.new_quote_id,
    )
    old = await market.do(queries.quote, placed.quote_id, by=market.buyer)
    new = await market.do(queries.quote, order.quote_id, by=market.buyer)
    assert (None, placed.id) == (old.amends_order_id, new.amends_order_id)
    assert (old.price_list_id, old.terms, old.total_fen) == (
        new.price_list_id,
        new.terms,
        2 * HOUR_FEN,
    )
    story = await market.do(queries.order_story, placed.id, by=market.manager)
    assert ["place", "confirm", "reschedule"] == [event.kind for event in story.timeline]
    assert "samples late" == story.timeline[-1].facts["reason"]


async def test_a_move_adds_to_the_contract_and_keeps_what_was_signed(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    first = await market.do(queries.contract_of, placed.id, by=market.buyer)

    await a_move(market, placed.id, FRIDAY)
    await a_move(market, placed.id, at_hours(5, 9, 11))

    asked = queries.ContractList(placed.id)
    found = await market.do(queries.contracts, asked, by=market.manager)
    assert [2, 1, 0] == [contract.amendment for contract in found.rows]
    assert (3, first) == (found.total, found.rows[-1])
    second, third = found.rows[1], found.rows[0]
    assert (first.sha256, second.sha256) == (
        second.document["amends"]["sha256"],
        third.document["amends"]["sha256"],
    )
    assert ("standing_offer", market.buyer.person_id) == (
        third.provider_signed_how,
        third.buyer_signed_by,
    )
    assert third == await market.do(queries.contract_of, placed.id, by=market.buyer)


async def test_moving_late_costs_a_share_of_the_own_part_and_the_voucher_pays_none_of_it(
    database: Database,
):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, LATE)

    moved = await a_move(market, placed.id, at_hours(4, 9, 11))
    fee_fen = HOUR_FEN // 4
    assert (fee_fen, fee_fen) == (moved.order.move_fee_fen, moved.change.fee_fen)
    assert (HOUR_FEN, HOUR_FEN + fee_fen) == await held(market)
    settled = await use(
        market, placed.id, since=at_hours(4, 9, 11).starts_at, until=at_hours(4, 9, 11).ends_at
    )

    assert (HOUR_FEN, HOUR_FEN) == (settled.settled_voucher_fen, settled.settled_own_fen)
    assert (0, 0) == await held(market)
    assert (await market.payable()).posted_fen == HOUR_FEN + fee_fen
    charged = await market.do(invoicing.charged, placed.id)
    assert (HOUR_FEN, HOUR_FEN + fee_fen) == (charged.voucher_fen, charged.own_fen)
    service = await market.do(invoicing.charge_line, placed.id)
    assert service is not None
    assert ("service", True) == (service.kind, service.counts_for_reward)
    invoice = IssueInvoice(
        placed.id,
        an_invoice_number(),
        charged.service_value_fen,
        at_hours(4, 9, 11).starts_at.date(),
    )
    await market.do(issue_invoice, invoice, by=market.manager)
    assert (await ledger.verify(database)).problems == []


@pytest.mark.parametrize("by_provider", [False, True])
async def test_a_fee_for_moving_late_stays_due_whatever_becomes_of_the_order(
    database: Database, by_provider: bool
):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, LATE)
    await a_move(market, placed.id, FRIDAY)
    second = await a_move(market, placed.id, at_hours(5, 9, 12))
    move_to(market, at_hours(4, 10, 11).starts_at)
    third = await a_move(market, placed.id, at_hours(10, 9, 10))

    actor = market.manager if by_provider else market.buyer
    ended = await market.do(cancel_order, CancelOrder(placed.id, "after all not"), by=actor)

    # A quarter of the own part of two hours, then of three.
    fees_fen = HOUR_FEN // 4 + 3 * HOUR_FEN // 8
    assert (HOUR_FEN // 4, fees_fen) == (second.order.move_fee_fen, third.order.move_fee_fen)
    assert ("cancelled", 0, fees_fen) == (ended.status, ended.settled_fen, ended.move_fee_fen)
    assert (0, 0) == await held(market)
    assert (await market.payable()).posted_fen == fees_fen
    assert (await market.voucher()).posted_fen == 4_000_000
    charge = await market.do(invoicing.charge_line, placed.id)
    assert charge is not None
    assert ("move_fee", fees_fen, False) == (charge.kind, charge.own_fen, charge.counts_for_reward)


async def test_a_late_cancellation_after_a_late_move_costs_both_fees(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, LATE)
    await a_move(market, placed.id, at_hours(3, 9, 11))
    move_to(market, at_hours(3, 8, 9).starts_at)

    ended = await market.do(cancel_order, CancelOrder(placed.id, "ill"), by=market.buyer)

    assert (HOUR_FEN // 2, HOUR_FEN // 4) == (ended.settled_own_fen, ended.move_fee_fen)
    assert (await market.payable()).posted_fen == HOUR_FEN // 2 + HOUR_FEN // 4
    assert (0, 0) == await held(market)
    charge = await market.do(invoicing.charge_line, placed.id)
    assert charge is not None
    assert "cancellation_fee" == charge.kind


async def test_nothing_is_due_for_leaving_a_time_in_which_the_instrument_is_down(
    database: Database,
):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, LATE)
    await a_closure(
        database, instrument_id=market.instrument_id, during=at_hours(2, 10, 13), reason="broken"
    )

    moved = await a_move(market, placed.id, FRIDAY)

    assert 0 == moved.order.move_fee_fen


async def test_nobody_agrees_to_other_figures_than_were_shown(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    in_time = await a_look(market, placed.id, FRIDAY, by=market.buyer)
    move_to(market, LATE)
    asked = RescheduleOrder(placed.id, FRIDAY.starts_at, FRIDAY.ends_at, in_time.figures.token)

    for agreed in (in_time.figures.token, None, "0" * 64):
        with pytest.raises(FiguresChanged) as refusal:
            await market.do(reschedule_order, replace(asked, agreed=agreed), by=market.buyer)

    told = refusal.value.extras
    assert (HOUR_FEN // 4, 3 * HOUR_FEN) == (told["fee_fen"], told["after"]["total_fen"])
    moved = await market.do(reschedule_order, replace(asked, agreed=told["token"]), by=market.buyer)
    assert HOUR_FEN // 4 == moved.order.move_fee_fen
    # What was agreed once is not agreed twice.
    with pytest.raises(ChangeRefused):
        await market.do(reschedule_order, replace(asked, agreed=told["token"]), by=market.buyer)


async def test_a_wallet_that_is_short_leaves_everything_as_it_was(database: Database):
    market = await a_market(database, funds_fen=HOUR_FEN + HOUR_FEN // 4)
    placed = await an_order(market)
    view = await a_look(market, placed.id, FRIDAY, by=market.buyer)
    before = await held(market), await reserved(market, placed)

    with pytest.raises(WalletShort) as refusal:
        await a_move(market, placed.id, FRIDAY)

    assert ["wallet-available"] == [reason.rule for reason in every_reason(view)]
    assert HOUR_FEN // 4 == view.missing_fen == refusal.value.extras["missing_fen"]
    assert before == (await held(market), await reserved(market, placed))
    assert placed == await market.do(queries.order, placed.id, by=market.buyer)
    # The provider is not told what the buyer has.
    told = await a_look(market, placed.id, FRIDAY, by=market.manager)
    assert (None, None) == (told.available_fen, told.missing_fen)


async def test_a_voucher_that_ends_before_the_new_day_pays_nothing_of_it(database: Database):
    market = await a_market(database)
    december, january = at_hours(294, 9, 11), at_hours(315, 9, 11)
    move_to(market, at_hours(290, 9, 10).starts_at)
    placed = await an_order(market, during=december)

    view = await a_look(market, placed.id, january, by=market.buyer)
    moved = await a_move(market, placed.id, january)

    assert (0, 2 * HOUR_FEN) == (moved.order.voucher_fen, moved.order.own_fen)
    assert view.price.explanation["voucher"]["refusals"]
    assert (0, 2 * HOUR_FEN) == await held(market)
    back = await a_move(market, placed.id, december)
    assert (HOUR_FEN, HOUR_FEN) == (back.order.voucher_fen, back.order.own_fen)
    assert (HOUR_FEN, HOUR_FEN) == await held(market)


async def test_what_the_voucher_has_left_is_counted_as_if_the_order_held_nothing(
    database: Database,
):
    market = await a_market(database, voucher_fen=HOUR_FEN)
    placed = await an_order(market)

    view = await a_look(market, placed.id, FRIDAY, by=market.buyer)
    moved = await a_move(market, placed.id, FRIDAY)

    assert (HOUR_FEN, 2 * HOUR_FEN) == (moved.order.voucher_fen, moved.order.own_fen)
    assert view.figures.after == moved.order.held
    assert (await market.voucher()).available_fen == 0


async def test_every_reason_is_told_with_what_would_be_possible(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    for day in (3, 4, 5):
        await a_move(market, placed.id, at_hours(day, 9, 11))
    await a_reservation(database, instrument_id=market.instrument_id, during=at_hours(7, 10, 11))

    with pytest.raises(ChangeRefused) as refusal:
        await a_move(market, placed.id, at_hours(7, 9, 11.25))

    assert {"moves-per-order", "step", "busy"} <= {r.rule for r in refusal.value.reasons}
    assert refusal.value.alternatives
    # The time that the order has is not in its own way.
    view = await a_look(market, placed.id, at_hours(5, 10, 12), by=market.manager)
    assert () == view.reasons


async def test_a_move_in_a_suspension_is_refused(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("update organisation set suspended_at = now()")

    view = await a_look(market, placed.id, FRIDAY, by=market.buyer)

    assert 2 <= [reason.rule for reason in view.reasons].count("suspended")


async def test_samples_have_no_time_and_a_time_has_two_ends(database: Database):
    market = await a_market(database)
    samples = await a_sample_order(market)
    placed = await an_order(market)

    with pytest.raises(WrongMode):
        await a_look(market, samples.id, FRIDAY, by=market.buyer)
    for starts_at, ends_at in (
        (FRIDAY.ends_at, FRIDAY.starts_at),
        (FRIDAY.starts_at.replace(tzinfo=None), FRIDAY.ends_at),
        (FRIDAY.starts_at, FRIDAY.ends_at.replace(year=2200)),
    ):
        asked = ChangeAsked(placed.id, ChangeKind.RESCHEDULE, ends_at, starts_at)
        with pytest.raises(TimeUnclear):
            await market.do(preview_change, asked, by=market.buyer)
    for role in (Role.BUYER, Role.PROVIDER_MANAGER, Role.STATION_AGENT, Role.AUDITOR):
        with pytest.raises(OrderMissing):
            await a_look(market, placed.id, FRIDAY, by=await an_actor(database, role))


async def test_a_free_purpose_stays_free_at_another_time(database: Database):
    market = await a_market(database)
    quote = await a_quote(market, purpose="disaster-relief")
    placed = await an_order(market, quote=quote)

    moved = await a_move(market, placed.id, FRIDAY)

    assert ("placed", 0, 0) == (moved.order.status, moved.order.total_fen, moved.order.own_fen)
    assert (0, 0) == await held(market)


async def test_an_extension_enlarges_the_holds_and_what_is_billed_is_what_was_used(
    database: Database,
):
    market = await a_market(database)
    placed = await an_order(market)
    await a_reservation(database, instrument_id=market.instrument_id, during=at_hours(2, 13, 14))
    morning = WEDNESDAY_MORNING
    first = await an_extension(market, placed.id, at_hours(2, 9, 12).ends_at)
    assert ("extend", 0, 3 * HOUR_FEN) == (
        first.change.kind,
        first.change.fee_fen,
        first.order.total_fen,
    )
    move_to(market, morning.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    move_to(market, morning.starts_at + timedelta(hours=2))
    with pytest.raises(ChangeRefused) as refusal:
        await an_extension(market, placed.id, at_hours(2, 9, 14).ends_at)
    assert refusal.value.reasons
    second = await an_extension(market, placed.id, at_hours(2, 9, 13).ends_at)

    assert ("in_service", 4 * HOUR_FEN) == (second.order.status, second.order.total_fen)
    assert (2 * HOUR_FEN, 2 * HOUR_FEN) == await held(market)
    move_to(market, at_hours(2, 9, 12.5).ends_at)
    await market.do(close_service, CloseService(placed.id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)
    assert 7 * HOUR_FEN // 2 == settled.settled_fen
    assert (0, 0) == await held(market)
