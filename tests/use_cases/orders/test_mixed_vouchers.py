"""One order with two vouchers: the provider is paid by the one, the SME paid back by the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.orders.settling import accept_reviewed
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    DecideCorrection,
    ProposeCorrection,
    accept_order,
    approve_correction,
    cancel_order,
    propose_correction,
)
from marketplace.parties.roles import Role
from marketplace.vouchers import errors as voucher_errors
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.jobs import reconcile_programmes
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    AttachEvidence,
    AuditClaim,
    DraftClaim,
    GiveNotice,
    RecordSpotCheck,
    SubmitClaim,
    approve_claim,
    attach_evidence,
    audit_claim,
    draft_claim,
    give_notice,
    record_spot_check,
    submit_claim,
)
from tests.builders.books import faults
from tests.builders.orders import Market, a_delivered_order, a_market, a_quote, an_order, move_to
from tests.builders.parties import an_actor
from tests.builders.vouchers import a_piece, a_voucher_fund, an_officer
from tests.use_cases.orders.test_own_claims import PRICE_FEN, a_voucher

PROVIDERS_FEN = PRICE_FEN // 2
"""The voucher that the provider redeems pays half."""
OWN_FEN = PRICE_FEN * 3 // 10
"""The voucher that the SME redeems pays three tenths."""


async def a_mixed_market(database) -> Market:
    """An SME with a voucher of either kind, and a fund to redeem them from."""
    market = await a_market(database, voucher_fen=0)
    await a_voucher(market)
    await a_voucher(
        market, redeemed_by="sme", rates=[{"ratio_basis_points": 1_500}], code="own-claims"
    )
    await a_voucher_fund(database)
    return market


async def redemptions(market: Market) -> list[tuple[int, bool]]:
    """What each voucher paid of the order, and whether it is claimed; the provider's first."""
    async with market.database.engine.connect() as connection:
        rows = await connection.execute(
            text("select amount_fen, claim_id is not null from redemption order by amount_fen desc")
        )
        return [tuple(row) for row in rows]


async def is_claimed_and_approved(market: Market, *, by) -> int:
    """Bring a claim through every step; what was approved."""
    claim = await market.do(draft_claim, DraftClaim(), by=by)
    found = await market.do(
        vouchers.redemptions, vouchers.RedemptionSearch(claim.id), by=market.officer
    )
    pieces = tuple(a_piece(row.id, kind) for row in found.rows for kind in EvidenceKind)
    await market.do(attach_evidence, AttachEvidence(claim.id, pieces), by=by)
    await market.do(submit_claim, SubmitClaim(claim.id), by=by)
    officer = await an_officer(market.database)
    page = await market.do(audit_claim, AuditClaim(claim.id, seed=1), by=officer)
    for check in page.spot_checks:
        record = RecordSpotCheck(claim.id, check.redemption_id, True, "As filed.")
        await market.do(record_spot_check, record, by=officer)
    await market.do(give_notice, GiveNotice(claim.id), by=officer)
    move_to(market, market.database.clock.now() + timedelta(days=12))
    checker = await an_actor(market.database, Role.FINANCE_CHECKER)
    approved = await market.do(approve_claim, ApproveClaim(claim.id), by=checker)
    assert approved.claim.status == "approved"
    return approved.claim.amount_fen


async def settled_mixed(market: Market) -> int:
    """An order of which three quarters were used, accepted; which one."""
    delivered = await a_delivered_order(market, used_minutes=90)
    assert (delivered.voucher_fen, delivered.own_fen) == (PROVIDERS_FEN, PRICE_FEN - PROVIDERS_FEN)
    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    assert (settled.settled_fen, settled.settled_voucher_fen) == (
        PRICE_FEN * 3 // 4,
        PROVIDERS_FEN * 3 // 4,
    )
    return settled.id


async def test_the_quote_says_what_is_taken_off_and_what_comes_back(database):
    market = await a_mixed_market(database)

    quote = await a_quote(market)

    assert (quote.voucher_fen, quote.own_fen, quote.reimbursed_fen) == (
        PROVIDERS_FEN,
        PRICE_FEN - PROVIDERS_FEN,
        OWN_FEN,
    )
    await an_order(market, quote=quote)
    assert (await market.voucher()).held_fen == PROVIDERS_FEN + OWN_FEN
    assert (await market.wallet()).held_fen == PRICE_FEN - PROVIDERS_FEN
    assert await faults(market) == []


async def test_each_claims_its_own_part_and_together_nobody_is_paid_twice(database):
    market = await a_mixed_market(database)
    await settled_mixed(market)
    wallet_fen = (await market.wallet()).posted_fen

    # The provider has the SME's own part at once; the vouchers' parts lie in two redemptions.
    assert await redemptions(market) == [(30_000, False), (18_000, False)]
    assert (await market.payable()).posted_fen == 30_000
    assert await faults(market) == []

    assert await is_claimed_and_approved(market, by=market.manager) == 30_000
    # What was approved is on its way to the bank; the own part is still owed to the provider.
    assert (await market.money(AccountType.PAYOUT_IN_TRANSIT)).posted_fen == 30_000
    with pytest.raises(voucher_errors.NothingToClaim):
        await market.do(draft_claim, DraftClaim(), by=market.manager)
    assert await is_claimed_and_approved(market, by=market.buyer) == 18_000
    with pytest.raises(voucher_errors.NothingToClaim):
        await market.do(draft_claim, DraftClaim(), by=market.buyer)

    # The provider gets the whole price; the SME gets 180 CNY back, and has paid 120 CNY.
    assert (await market.payable()).posted_fen == 30_000
    in_transit = await market.money(AccountType.PAYOUT_IN_TRANSIT)
    assert in_transit.posted_fen == 30_000 + 18_000
    assert (await market.wallet()).posted_fen == wallet_fen
    spent = await market.money(AccountType.VOUCHER_FUND)
    assert spent.posted_fen == 100_000_000 - 48_000
    assert await redemptions(market) == [(30_000, True), (18_000, True)]
    assert await reconcile_programmes(database)
    assert not (await verify(database)).problems


async def test_the_month_end_settles_such_orders_to_the_same_sums(database):
    market = await a_mixed_market(database)
    delivered = await a_delivered_order(market, used_minutes=90)
    assert delivered.review_ends_at is not None
    move_to(market, delivered.review_ends_at + timedelta(minutes=1))

    assert await accept_reviewed(database) == 1

    assert await redemptions(market) == [(30_000, False), (18_000, False)]
    assert (await market.payable()).posted_fen == 30_000
    assert await faults(market) == []


async def test_a_cancelled_order_leaves_both_vouchers_whole(database):
    market = await a_mixed_market(database)
    placed = await an_order(market)
    whole = (await market.voucher()).posted_fen

    await market.do(cancel_order, CancelOrder(placed.id, "ok"), by=market.buyer)

    voucher = await market.voucher()
    assert (voucher.held_fen, voucher.available_fen) == (0, whole)
    assert await redemptions(market) == []
    assert await faults(market) == []


async def test_what_is_given_back_of_the_price_comes_off_both_claims(database):
    market = await a_mixed_market(database)
    order_id = await settled_mixed(market)
    # Half of the service was of no use: half of what each paid comes back.
    asked = ProposeCorrection(order_id, 15_000, 15_000, "Half of the spectra were of no use.")
    proposed = await market.do(propose_correction, asked, by=market.manager)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await market.do(approve_correction, DecideCorrection(proposed.id, "Seen."), by=checker)

    by_provider = await market.do(draft_claim, DraftClaim(), by=market.manager)
    by_sme = await market.do(draft_claim, DraftClaim(), by=market.buyer)

    assert (by_provider.amount_fen, by_sme.amount_fen) == (15_000, 9_000)
    assert (await market.payable()).posted_fen == 15_000
    assert await reconcile_programmes(database)
    assert not (await verify(database)).problems
