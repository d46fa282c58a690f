"""Another time that somebody else has to agree to: proposed, answered, taken back, lapsed."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.booking import queries as booking
from marketplace.kernel.db import Database, transaction
from marketplace.orders import queries
from marketplace.orders.errors import (
    ChangeMissing,
    ChangeNotOpen,
    ChangeOpen,
    ChangeRefused,
    FiguresChanged,
    WalletShort,
)
from marketplace.orders.jobs import lapse_proposals
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.use_cases import (
    AcceptChange,
    CancelOrder,
    ConfirmOrder,
    DeclineChange,
    LapseChange,
    RescheduleOrder,
    WithdrawChange,
    accept_change,
    cancel_order,
    confirm_order,
    decline_change,
    lapse_change,
    reschedule_order,
    withdraw_change,
)
from tests.builders.booking import a_reservation, at_hours
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_confirmed_order,
    a_look,
    a_market,
    a_move,
    accepted,
    an_order,
    move_to,
)

FRIDAY = at_hours(4, 9, 12)


async def held(market: Market) -> tuple[int, int]:
    """What is held of the voucher and of the wallet."""
    return (await market.voucher()).held_fen, (await market.wallet()).held_fen


async def time_of(market: Market, order_id: int) -> tuple[object, object]:
    """From when booking keeps the instrument for the order, and in which state."""
    order = await market.do(queries.order, order_id)
    assert order.reservation_id is not None
    found = await market.do(booking.reservation, order.reservation_id)
    return found.starts_at, str(found.status)


async def test_an_order_that_nobody_confirmed_moves_and_is_confirmed_as_a_whole(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)

    moved = await a_move(market, placed.id, FRIDAY)
    assert ("placed", "agreed") == (moved.order.status, moved.change.status)
    assert (FRIDAY.starts_at, "requested") == await time_of(market, placed.id)
    await market.do(confirm_order, ConfirmOrder(placed.id, "::2"), by=market.manager)

    assert (FRIDAY.starts_at, "confirmed") == await time_of(market, placed.id)
    found = await market.do(queries.contracts, queries.ContractList(placed.id), by=market.buyer)
    assert [("person", market.manager.person_id)] * 2 == [
        (contract.provider_signed_how, contract.provider_signed_by) for contract in found.rows
    ]


async def test_a_provider_that_decides_on_requests_agrees_to_a_move_before_anything_changes(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=25))
    view = await a_look(market, order.id, FRIDAY, by=market.buyer)

    proposed = await a_move(market, order.id, FRIDAY)

    assert Side.PROVIDER is view.answered_by
    assert ("proposed", order) == (proposed.change.status, proposed.order)
    assert (HOUR_FEN, HOUR_FEN) == await held(market)
    assert (WEDNESDAY_MORNING.starts_at, "confirmed") == await time_of(market, order.id)
    story = await market.do(queries.order_story, order.id, by=market.manager)
    assert proposed.change == story.proposal
    # One at a time, and nobody answers themselves.
    with pytest.raises(ChangeRefused):
        await a_move(market, order.id, FRIDAY)
    with pytest.raises(ChangeMissing):
        await accepted(market, proposed, by=market.buyer)
    # The provider's silence makes nothing late.
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=2))
    agreed = await accepted(market, proposed, by=market.manager)
    assert ("agreed", 0, 3 * HOUR_FEN) == (
        agreed.change.status,
        agreed.order.move_fee_fen,
        agreed.order.total_fen,
    )
    assert (FRIDAY.starts_at, "confirmed") == await time_of(market, order.id)
    assert (3 * HOUR_FEN // 2, 3 * HOUR_FEN // 2) == await held(market)
    contract = await market.do(queries.contract_of, order.id, by=market.buyer)
    assert (market.buyer.person_id, proposed.change.proposed_at, market.manager.person_id) == (
        contract.buyer_signed_by,
        contract.buyer_signed_at,
        contract.provider_signed_by,
    )
    with pytest.raises(ChangeNotOpen):
        await accepted(market, proposed, by=market.manager)


async def test_a_proposal_is_declined_or_taken_back_and_the_order_stays(database: Database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    first = await a_move(market, order.id, FRIDAY)
    no = DeclineChange(order.id, first.change.id, "a course takes place")
    with pytest.raises(ChangeMissing):
        await market.do(decline_change, no, by=market.buyer)
    with pytest.raises(ChangeMissing):
        await market.do(
            withdraw_change, WithdrawChange(order.id, first.change.id), by=market.manager
        )

    declined = await market.do(decline_change, no, by=market.manager)
    second = await a_move(market, order.id, FRIDAY)
    back = WithdrawChange(order.id, second.change.id)
    withdrawn = await market.do(withdraw_change, back, by=market.buyer)

    assert ("declined", "a course takes place") == (
        declined.change.status,
        declined.change.decided_because,
    )
    assert "withdrawn" == withdrawn.change.status
    assert order == await market.do(queries.order, order.id, by=market.buyer)
    found = await market.do(queries.changes, queries.ChangeList(order.id), by=market.buyer)
    assert [withdrawn.change, declined.change] == found.rows
    asked = queries.ChangeList(order.id, status="declined")
    assert [declined.change] == (await market.do(queries.changes, asked, by=market.buyer)).rows
    with pytest.raises(ChangeNotOpen):
        await market.do(withdraw_change, back, by=market.buyer)
    # Nothing of it counts as a move.
    assert 0 == (await a_look(market, order.id, FRIDAY, by=market.buyer)).standing.moves


async def test_a_proposal_lapses_after_a_day_whether_or_not_a_worker_runs(database: Database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    first = await a_move(market, order.id, FRIDAY)
    assert 0 == await lapse_proposals(database)
    assert "proposed" == (await market.do(lapse_change, LapseChange(first.change.id))).status
    assert first.change.answer_until is not None
    move_to(market, first.change.answer_until)

    with pytest.raises(ChangeNotOpen):
        await accepted(market, first, by=market.manager)
    second = await a_move(market, order.id, FRIDAY)
    move_to(market, WEDNESDAY_MORNING.starts_at)

    assert 1 == await lapse_proposals(database)
    assert 0 == await lapse_proposals(database)
    found = await market.do(queries.changes, queries.ChangeList(order.id), by=market.buyer)
    assert [(second.change.id, "lapsed"), (first.change.id, "lapsed")] == [
        (change.id, change.status) for change in found.rows
    ]


async def test_a_proposal_ends_with_its_order(database: Database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    proposed = await a_move(market, order.id, FRIDAY)

    await market.do(cancel_order, CancelOrder(order.id, "ill"), by=market.buyer)

    with pytest.raises(ChangeNotOpen):
        await accepted(market, proposed, by=market.manager)


async def test_a_provider_asks_and_the_buyer_pays_no_fee_for_agreeing(database: Database):
    market = await a_market(database)
    order = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at - timedelta(hours=2))

    proposed = await a_move(market, order.id, FRIDAY, by=market.technician, reason="repair")
    order_id, change_id = order.id, proposed.change.id
    assert ("proposed", "provider", 0) == (
        proposed.change.status,
        proposed.change.side,
        proposed.change.fee_fen,
    )
    with pytest.raises(ChangeMissing):
        await accepted(market, proposed, by=market.manager)
    with pytest.raises(FiguresChanged):
        await market.do(accept_change, AcceptChange(order_id, change_id), by=market.buyer)
    agreed = await accepted(market, proposed, by=market.buyer)

    assert (0, 3 * HOUR_FEN) == (agreed.order.move_fee_fen, agreed.order.total_fen)
    contract = await market.do(queries.contract_of, order.id, by=market.buyer)
    assert (market.technician.person_id, market.buyer.person_id, "203.0.113.8") == (
        contract.provider_signed_by,
        contract.buyer_signed_by,
        contract.document and await signed_from(database),
    )
    # The provider's wish does not use up the buyer's moves.
    assert 0 == (await a_look(market, order.id, FRIDAY, by=market.buyer)).standing.moves


async def signed_from(database: Database) -> str:
    """The address from which the newest contract was signed by its buyer."""
    async with database.engine.connect() as connection:
        return str(
            await connection.scalar(
                text("select buyer_signed_from from contract order by id desc limit 1")
            )
        )


async def test_an_agreed_time_that_was_taken_meanwhile_is_refused_and_nothing_moves(
    database: Database,
):
    market = await a_market(database)
    order = await an_order(market)
    proposed = await a_move(market, order.id, FRIDAY, by=market.manager)
    await a_reservation(database, instrument_id=market.instrument_id, during=at_hours(4, 11, 12))

    with pytest.raises(ChangeRefused) as refusal:
        await accepted(market, proposed, by=market.buyer)

    assert "busy" in [reason.rule for reason in refusal.value.reasons]
    assert (HOUR_FEN, HOUR_FEN) == await held(market)


async def test_what_a_buyer_proposed_is_performed_at_its_figures_or_not_at_all(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    proposed = await a_move(market, order.id, FRIDAY)
    async with database.engine.begin() as connection:
        await connection.execute(text("update voucher_grant set valid_until = '2025-03-06'"))

    with pytest.raises(FiguresChanged):
        await accepted(market, proposed, by=market.manager)

    assert (HOUR_FEN, HOUR_FEN) == await held(market)
    assert (WEDNESDAY_MORNING.starts_at, "confirmed") == await time_of(market, order.id)


async def test_a_provider_is_not_told_what_is_left_in_the_buyers_wallet(database: Database):
    market = await a_market(database, needs_approval=True, funds_fen=3 * HOUR_FEN)
    order = await a_confirmed_order(market)
    proposed = await a_move(market, order.id, FRIDAY)
    await an_order(market, during=at_hours(5, 9, 13))

    with pytest.raises(ChangeRefused) as refusal:
        await accepted(market, proposed, by=market.manager)

    assert [("buyer-money", None, None)] == [
        (reason.rule, reason.limit, reason.asked) for reason in refusal.value.reasons
    ]
    assert "CNY" not in refusal.value.detail


async def test_nobody_proposes_what_it_could_not_pay(database: Database):
    market = await a_market(database, needs_approval=True, funds_fen=HOUR_FEN)
    order = await a_confirmed_order(market)

    with pytest.raises(WalletShort):
        await a_move(market, order.id, FRIDAY)

    found = await market.do(queries.changes, queries.ChangeList(order.id), by=market.buyer)
    assert 0 == found.total


async def test_one_proposal_waits_at_a_time_and_a_decided_one_stays(database: Database):
    market = await a_market(database, needs_approval=True)
    order = await a_confirmed_order(market)
    proposed = await a_move(market, order.id, FRIDAY)
    again = (
        "insert into order_change (order_id, kind, side, status, was_starts_at, was_ends_at,"
        " starts_at, ends_at, total_fen, voucher_fen, own_fen, fee_fen, reason, proposed_by,"
        " proposed_at, proposed_from, answer_until, old_quote_id) select order_id, kind, side,"
        " status, was_starts_at, was_ends_at, starts_at, ends_at, total_fen, voucher_fen,"
        " own_fen, fee_fen, reason, proposed_by, proposed_at, proposed_from, answer_until,"
        " old_quote_id from order_change"
    )

    with pytest.raises(ChangeOpen):
        async with transaction(database, actor=market.buyer) as tx:
            await tx.execute(text(again))

    assert "proposed" == proposed.change.status


async def test_a_move_by_the_provider_needs_no_token_and_the_buyers_needs_one(
    database: Database,
):
    market = await a_market(database)
    order = await an_order(market)
    command = RescheduleOrder(order.id, FRIDAY.starts_at, FRIDAY.ends_at)

    with pytest.raises(FiguresChanged):
        await market.do(reschedule_order, command, by=market.buyer)
    proposed = await market.do(reschedule_order, command, by=market.manager)

    assert "proposed" == proposed.change.status


async def test_nobody_is_asked_for_a_time_that_begins_at_once(database: Database):
    market = await a_market(database, notice_minutes=0)
    order = await an_order(market)
    now = at_hours(1, 9, 11)
    move_to(market, now.starts_at)

    with pytest.raises(ChangeRefused) as refusal:
        await a_move(market, order.id, now, by=market.manager)

    assert ["time-to-answer"] == [reason.rule for reason in refusal.value.reasons]
    assert "agreed" == (await a_move(market, order.id, now)).change.status
