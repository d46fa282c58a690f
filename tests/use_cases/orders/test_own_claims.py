"""Vouchers chosen by hand, barred ones, and those that the SME redeems once it has paid."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.orders.errors import VoucherCoversLess
from marketplace.orders.queries import Quote, contract_of, order_story
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    DecideCorrection,
    ProposeCorrection,
    accept_order,
    approve_correction,
    cancel_order,
    place_order,
    propose_correction,
)
from marketplace.parties.roles import Role
from marketplace.vouchers import errors as voucher_errors
from marketplace.vouchers.use_cases import DraftClaim, draft_claim
from tests.builders.booking import at_hours
from tests.builders.orders import (
    HOUR_FEN,
    Market,
    a_delivered_order,
    a_market,
    a_move,
    a_quote,
    an_order,
    an_order_of,
    move_to,
)
from tests.builders.parties import an_actor
from tests.builders.vouchers import AGrant, a_grant, a_programme, with_terms

PRICE_FEN = 2 * HOUR_FEN


async def a_paying_back(database) -> tuple[Market, AGrant]:
    """A market whose SME redeems its voucher of one half itself."""
    market = await a_market(database, voucher_fen=0)
    return market, await a_voucher(market, redeemed_by="sme")


async def a_voucher(market: Market, amount_fen: int = 4_000_000, **terms: object) -> AGrant:
    programme_id = await a_programme(market.database)
    granted = await a_grant(
        market.database, programme_id=programme_id, sme=market.buyer, amount_fen=amount_fen
    )
    await with_terms(market.database, programme_id, **terms)
    return granted


async def claimed(market: Market, *, by=None) -> int:
    drafted = await market.do(draft_claim, DraftClaim(), by=by or market.buyer)
    return drafted.amount_fen


async def test_the_buyer_pays_in_full_and_claims_its_vouchers_part_afterwards(database):
    market, _ = await a_paying_back(database)
    quote = await a_quote(market)
    assert (quote.voucher_fen, quote.own_fen, quote.reimbursed_fen) == (
        0,
        PRICE_FEN,
        PRICE_FEN // 2,
    )

    delivered = await a_delivered_order(market, used_minutes=90)
    assert (await market.wallet()).held_fen == PRICE_FEN
    assert (await market.voucher()).held_fen == PRICE_FEN // 2
    with pytest.raises(voucher_errors.NothingToClaim):
        await claimed(market)
    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    used_fen = PRICE_FEN * 3 // 4
    assert (settled.settled_fen, settled.settled_voucher_fen) == (used_fen, 0)
    assert (await market.payable()).posted_fen == used_fen
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0
    with pytest.raises(voucher_errors.NothingToClaim):
        await claimed(market, by=market.manager)
    assert await claimed(market) == used_fen // 2


async def test_the_month_end_settles_such_orders_to_the_same_sums(database):
    market, _ = await a_paying_back(database)
    delivered = await a_delivered_order(market, used_minutes=90)
    assert delivered.review_ends_at is not None
    move_to(market, delivered.review_ends_at + timedelta(minutes=1))

    assert await accept_reviewed(database) == 1

    story = await market.do(order_story, delivered.id, by=market.buyer)
    assert (story.order.settled_own_fen, story.order.settled_voucher_fen) == (60_000, 0)
    assert (await market.payable()).posted_fen == 60_000
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0
    assert await claimed(market) == 30_000


async def test_such_an_order_moves_and_ends_with_nothing_held(database):
    market, _ = await a_paying_back(database)
    placed = await an_order(market)

    moved = await a_move(market, placed.id, at_hours(4, 9, 12))

    assert (moved.order.own_fen, moved.order.voucher_fen) == (3 * HOUR_FEN, 0)
    assert (await market.voucher()).held_fen == 3 * HOUR_FEN // 2
    await market.do(cancel_order, CancelOrder(placed.id, "ok"), by=market.buyer)
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0


async def test_what_is_given_back_of_the_price_is_not_claimed_either(database):
    market, _ = await a_paying_back(database)
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    asked = ProposeCorrection(delivered.id, 0, 20_001, "Two of the spectra were of another sample.")
    proposed = await market.do(propose_correction, asked, by=market.manager)
    checker = await an_actor(database, Role.FINANCE_CHECKER)

    await market.do(approve_correction, DecideCorrection(proposed.id, "Seen."), by=checker)

    # 599.99 CNY stay paid, and half of that is claimed, rounded down.
    assert await claimed(market) == (PRICE_FEN - 20_001) // 2


async def test_a_buyer_whose_voucher_ran_dry_agrees_anew_before_it_pays_for_good(database):
    market, granted = await a_paying_back(database)
    quote = await a_quote(market)
    async with database.engine.begin() as connection:
        await connection.execute(
            text(f"update voucher_grant set status = 'expired' where id = {granted.grant_id}")
        )

    with pytest.raises(VoucherCoversLess) as refusal:
        await market.do(place_order, an_order_of(quote), by=market.buyer)

    assert refusal.value.extras["own_fen"] == PRICE_FEN
    agreed = an_order_of(quote, own_fen_max=PRICE_FEN)
    placed = await market.do(place_order, agreed, by=market.buyer)
    assert placed.own_fen == PRICE_FEN


async def test_the_contract_says_what_the_buyer_may_claim(database):
    market, _ = await a_paying_back(database)
    placed = await an_order(market)

    contract = await market.do(contract_of, placed.id, by=market.buyer)

    assert contract.version == 3
    assert contract.document["service"]["reimbursed_fen"] == PRICE_FEN // 2
    assert "可自行申请创新券兑付" in contract.text


async def test_a_voucher_chosen_by_hand_pays_in_estimate_and_order_alike(database):
    market = await a_market(database, voucher_fen=0)
    small = await a_voucher(market, validity="2025-06-30")
    other = await a_voucher(market)
    chosen: dict[int, Quote] = {
        grant_id: await a_quote(market, grant_ids=(grant_id,))
        for grant_id in (small.grant_id, other.grant_id)
    }

    for grant_id, quote in chosen.items():
        assert [each["grant_id"] for each in quote.explanation["voucher"]["vouchers"]] == [grant_id]
        assert quote.voucher_fen == PRICE_FEN // 2
    placed = await an_order(market, quote=chosen[other.grant_id])
    async with database.engine.connect() as connection:
        held = await connection.execute(
            text(f"select grant_id, amount_fen from voucher_hold where order_id = {placed.id}")
        )
        assert [tuple(row) for row in held] == [(other.grant_id, placed.voucher_fen)]
    strange = await a_quote(market, grant_ids=(77_777,))
    assert strange.voucher_fen == 0
    assert [each["rule"] for each in strange.explanation["voucher"]["refusals"]] == [
        "voucher-chosen"
    ]


@pytest.mark.parametrize("side", ["buyer", "manager"])
async def test_a_sanction_is_told_before_anybody_orders(database, side):
    market = await a_market(database)
    quote = await a_quote(market)
    barred = getattr(market, side).organisation_id
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into sanction (organisation_id, kind, reason, starts_on, ends_on, status,"
                " proposed_by, proposed_at, statement_due_on, decided_by, decided_at, decision,"
                " appeal_due_on) values (:of, 'suspension', 'x', '2025-03-01', '2025-12-31',"
                " 'imposed', 1, '2025-03-01', '2025-03-01', :by, '2025-03-01', 'x', '2025-04-01')"
            ),
            {"of": barred, "by": market.officer.person_id},
        )

    again = await a_quote(market)

    rule = "sme-barred" if side == "buyer" else "provider-barred"
    assert [each["rule"] for each in again.explanation["voucher"]["refusals"]] == [rule]
    with pytest.raises(VoucherCoversLess) as refusal:
        await market.do(place_order, an_order_of(quote), by=market.buyer)
    assert [each.rule for each in refusal.value.reasons] == [rule]
