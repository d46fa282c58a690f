"""What was charged is given back by two persons, by reversal, and never beyond the charge."""

from __future__ import annotations

import pytest

from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.invoicing.queries import charged, service_totals
from marketplace.billing.invoicing.use_cases import TakeInvoiceBack, take_invoice_back
from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.actors import Actor
from marketplace.orders.errors import (
    CorrectionBySame,
    CorrectionDecided,
    CorrectionMissing,
    CorrectionOpen,
    CorrectionTooLarge,
    OrderMissing,
    RedLetterFirst,
)
from marketplace.orders.queries import CorrectionList, corrections, order_story
from marketplace.orders.use_cases import (
    AcceptOrder,
    DecideCorrection,
    IssueInvoice,
    ProposeCorrection,
    accept_order,
    approve_correction,
    issue_invoice,
    propose_correction,
    refuse_correction,
    withdraw_correction,
)
from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_delivered_order, a_market
from tests.builders.parties import an_actor


async def a_settled_order(market: Market) -> int:
    """Two hours at 400 CNY: 400 CNY by voucher, 400 CNY out of the wallet."""
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    return delivered.id


async def a_second_manager(market: Market) -> Actor:
    return await an_actor(
        market.database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )


async def proposed(
    market: Market, order_id: int, *, voucher_fen: int = 0, own_fen: int = 0, by: Actor
) -> int:
    asked = ProposeCorrection(order_id, voucher_fen, own_fen, "Measured with the wrong tip.")
    return (await market.do(propose_correction, asked, by=by)).id


async def service_total(market: Market) -> int:
    async def ask(tx, year):
        rows = await tx.execute(service_totals(year, tx.today))
        return sum(row.service_value_fen for row in rows)

    return await market.do(ask, 2025)


async def test_a_provider_gives_a_part_back_and_a_second_person_of_it_agrees(database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    wallet, voucher = await market.wallet(), await market.voucher()
    second = await a_second_manager(market)

    asked = await proposed(market, order_id, voucher_fen=10_000, own_fen=15_000, by=market.manager)
    assert await market.wallet() == wallet
    done = await market.do(approve_correction, DecideCorrection(asked), by=second)

    assert (done.restored_fen, done.to_budgets_fen, done.clawed_back_fen) == (10_000, 0, 0)
    assert (await market.wallet()).available_fen == wallet.available_fen + 15_000
    assert (await market.voucher()).available_fen == voucher.available_fen + 10_000
    assert (await market.payable()).posted_fen == 40_000 - 15_000
    standing = await market.do(charged, order_id)
    assert (standing.voucher_fen, standing.own_fen) == (30_000, 25_000)
    assert await service_total(market) == 55_000
    assert (await verify(database)).problems == []

    story = await market.do(order_story, order_id, by=market.buyer)
    facts = [event.facts for event in story.timeline if "settled_fen" in event.facts]
    assert sum(each["settled_fen"] for each in facts) == 55_000
    page = await market.do(corrections, CorrectionList(order_id=order_id), by=market.buyer)
    assert (page.total, page.approved_fen) == (1, 25_000)
    stranger = await an_actor(database, Role.BUYER)
    assert (await market.do(corrections, CorrectionList(), by=stranger)).total == 0


async def test_all_corrections_together_give_back_no_more_than_was_charged(database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    second = await a_second_manager(market)
    for own_fen in (30_000, 10_000):
        asked = await proposed(market, order_id, own_fen=own_fen, by=market.manager)
        await market.do(approve_correction, DecideCorrection(asked), by=second)

    with pytest.raises(CorrectionTooLarge) as refusal:
        await proposed(market, order_id, voucher_fen=40_001, own_fen=1, by=market.manager)

    assert [reason.rule for reason in refusal.value.reasons] == [
        "correction-voucher-part",
        "correction-own-part",
    ]
    with pytest.raises(CorrectionTooLarge):
        await proposed(market, order_id, by=market.manager)


async def test_only_the_own_provider_and_the_centre_correct_and_never_one_person_alone(database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(OrderMissing):
        await proposed(market, order_id, own_fen=1, by=stranger)
    with pytest.raises(OrderMissing):
        await proposed(market, order_id, own_fen=1, by=market.buyer)

    own = await proposed(market, order_id, own_fen=1, by=market.manager)
    with pytest.raises(CorrectionOpen):
        await proposed(market, order_id, own_fen=1, by=market.manager)
    with pytest.raises(CorrectionBySame):
        await market.do(approve_correction, DecideCorrection(own), by=market.manager)
    for nobody in (stranger, market.buyer, market.officer):
        with pytest.raises(CorrectionMissing):
            await market.do(approve_correction, DecideCorrection(own), by=nobody)
    with pytest.raises(CorrectionMissing):
        await market.do(withdraw_correction, DecideCorrection(own), by=market.officer)
    await market.do(refuse_correction, DecideCorrection(own, "Not so."), by=checker)
    with pytest.raises(CorrectionDecided):
        await market.do(approve_correction, DecideCorrection(own), by=checker)

    centre = await proposed(market, order_id, own_fen=2, by=market.officer)
    with pytest.raises(CorrectionMissing):
        await market.do(approve_correction, DecideCorrection(centre), by=market.manager)
    with pytest.raises(CorrectionMissing):
        await market.do(approve_correction, DecideCorrection(4_000), by=checker)
    await market.do(withdraw_correction, DecideCorrection(centre, "A slip."), by=market.officer)
    again = await proposed(market, order_id, own_fen=2, by=market.officer)
    await market.do(approve_correction, DecideCorrection(again), by=checker)
    assert (await market.payable()).posted_fen == 40_000 - 2


async def test_what_was_not_charged_or_is_paid_out_cannot_be_given_back(database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    with pytest.raises(ChargeMissing):
        await proposed(market, delivered.id, own_fen=1, by=market.manager)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    asked = await proposed(market, delivered.id, own_fen=40_000, by=market.manager)
    await pay_out(market, 1)

    with pytest.raises(InsufficientFunds):
        await market.do(
            approve_correction, DecideCorrection(asked), by=await a_second_manager(market)
        )

    assert (await market.do(charged, delivered.id)).own_fen == 40_000


async def pay_out(market: Market, amount_fen: int) -> None:
    """Something of what the provider was owed has left the platform."""
    from tests.builders.ledger import a_posted_entry, an_account

    payable = await an_account(market.database, AccountType.PAYABLE, market.manager.organisation_id)
    bank = await an_account(market.database, AccountType.BANK)
    await a_posted_entry(market.database, debit=payable, credit=bank, amount_fen=amount_fen)


async def test_an_invoiced_order_is_corrected_after_its_red_letter(database):
    market = await a_market(database)
    order_id = await a_settled_order(market)
    today = (await market.do(order_story, order_id, by=market.buyer)).order.ended_at
    assert today is not None
    issue = IssueInvoice(order_id, "25" + "1" * 18, 80_000, today.date())
    invoice = await market.do(issue_invoice, issue, by=market.manager)
    asked = await proposed(market, order_id, own_fen=20_000, by=market.manager)
    second = await a_second_manager(market)

    with pytest.raises(RedLetterFirst) as refusal:
        await market.do(approve_correction, DecideCorrection(asked), by=second)
    assert refusal.value.extras["missing_fen"] == 20_000

    red = TakeInvoiceBack(invoice.id, "25" + "2" * 18, 20_000, today.date(), "wrong tip")
    await market.do(take_invoice_back, red, by=market.manager)
    await market.do(approve_correction, DecideCorrection(asked), by=second)
    assert (await market.do(charged, order_id)).service_value_fen == 60_000
