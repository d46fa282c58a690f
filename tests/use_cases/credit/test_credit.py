"""Credit from its proposal to the last payment, on the real database."""

from datetime import date, timedelta

import pytest

from marketplace.billing.credit.errors import (
    CreditInUse,
    CreditLineMissing,
    CreditRefused,
    CreditShort,
    CreditTermsDecided,
    CreditTermsMissing,
    CreditTermsProposed,
    CreditTermsUnfit,
    NothingOwed,
    OwnCreditTerms,
)
from marketplace.billing.credit.jobs import remind_of_debts
from marketplace.billing.credit.queries import (
    AgeingAsked,
    LineSearch,
    ReceiptsAsked,
    ReceivableSearch,
    ageing,
    credit_lines,
    receipts,
    receivables,
    terms_of,
)
from marketplace.billing.credit.use_cases import (
    CreditBack,
    DecideTerms,
    EndTerms,
    PayCredit,
    credit_back,
    decide_terms,
    end_terms,
    pay_credit,
)
from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.orders.use_cases import (
    AcceptOrder,
    CancelOrder,
    accept_order,
    cancel_order,
    place_order,
)
from tests.builders.booking import at_hours
from tests.builders.credit import (
    LIMIT_FEN,
    a_second_manager,
    granted_terms,
    proposed_terms,
    the_line,
)
from tests.builders.orders import (
    HOUR_FEN,
    Market,
    a_delivered_order,
    a_market,
    a_quote,
    an_order_of,
    move_to,
)

TWO_HOURS_FEN = 2 * HOUR_FEN


async def an_order_on_account(market: Market, *, days: int = 2, hour: int = 9):
    quote = await a_quote(market, during=at_hours(days, hour, hour + 2))
    return await market.do(place_order, an_order_of(quote, on_account=True), by=market.buyer)


async def a_debt(market: Market, monkeypatch: pytest.MonkeyPatch, *, days: int = 2) -> int:
    """An order on account that was served and accepted: 800 CNY owed."""

    async def on_account(market: Market, *, during):
        quote = await a_quote(market, during=during)
        return await market.do(place_order, an_order_of(quote, on_account=True), by=market.buyer)

    monkeypatch.setattr("tests.builders.orders.an_order", on_account)
    found = await a_delivered_order(market, during=at_hours(days, 9, 11))
    await market.do(accept_order, AcceptOrder(found.id), by=market.buyer)
    return found.id


async def test_credit_is_proposed_by_one_person_and_granted_by_another(database):
    market = await a_market(database, voucher_fen=0)
    proposed = await proposed_terms(market)

    with pytest.raises(OwnCreditTerms):
        await market.do(decide_terms, DecideTerms(proposed.id, approve=True), by=market.manager)
    with pytest.raises(CreditTermsProposed):
        await proposed_terms(market)
    with pytest.raises(CreditTermsMissing):
        await market.do(decide_terms, DecideTerms(proposed.id, approve=True), by=market.buyer)
    assert (await the_line(market)).available_fen == 0
    second = await a_second_manager(market)
    with pytest.raises(CreditTermsUnfit, match="says why"):
        await market.do(decide_terms, DecideTerms(proposed.id, approve=False), by=second)
    granted = await market.do(decide_terms, DecideTerms(proposed.id, approve=True), by=second)

    assert granted.status == "in_force"
    assert (await the_line(market)).available_fen == LIMIT_FEN
    with pytest.raises(CreditTermsDecided):
        await market.do(decide_terms, DecideTerms(proposed.id, approve=True), by=second)


async def test_terms_beyond_the_province_s_bounds_or_for_oneself_are_refused(database):
    market = await a_market(database, voucher_fen=0)

    with pytest.raises(CreditTermsUnfit):
        await proposed_terms(market, due_days=91)
    with pytest.raises(CreditTermsUnfit, match="itself"):
        await proposed_terms(market, buyer_id=market.manager.organisation_id)


async def test_a_proposal_is_refused_with_a_reason_or_taken_back(database):
    market = await a_market(database, voucher_fen=0)
    second = await a_second_manager(market)
    refused = await proposed_terms(market)
    await market.do(decide_terms, DecideTerms(refused.id, approve=False, reason="No."), by=second)
    withdrawn = await proposed_terms(market)
    await market.do(end_terms, EndTerms(withdrawn.id, "A slip."), by=market.manager)

    with pytest.raises(CreditTermsDecided):
        await market.do(end_terms, EndTerms(refused.id, "Again."), by=market.manager)
    line = (await the_line(market)).line
    found = await market.do(terms_of, line.id, by=market.manager)
    assert [each.status for each in found] == ["withdrawn", "refused"]


async def test_an_order_on_account_needs_no_money_and_takes_room(database):
    market = await a_market(database, voucher_fen=0, funds_fen=1)
    with pytest.raises(CreditRefused, match="no credit"):
        await an_order_on_account(market)
    await granted_terms(market)

    placed = await an_order_on_account(market)

    line = await the_line(market)
    assert placed.credit_line_id == line.line.id
    assert (line.held_fen, line.available_fen) == (TWO_HOURS_FEN, LIMIT_FEN - TWO_HOURS_FEN)
    assert (await market.wallet()).held_fen == 0
    await market.do(cancel_order, CancelOrder(placed.id, reason="Not needed."), by=market.buyer)
    assert (await the_line(market)).available_fen == LIMIT_FEN


async def test_an_order_beyond_the_room_of_the_line_is_refused_with_what_is_missing(database):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market, limit_fen=TWO_HOURS_FEN - 1)

    with pytest.raises(CreditShort) as refusal:
        await an_order_on_account(market)

    assert refusal.value.extras["missing_fen"] == 1


async def test_a_settled_order_on_account_is_owed_until_it_is_paid_the_oldest_first(
    database, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    first = await a_debt(market, monkeypatch)
    second = await a_debt(market, monkeypatch, days=3)
    line = await the_line(market)
    assert line.line.owed_fen == 2 * TWO_HOURS_FEN
    assert (await market.payable()).posted_fen == 0

    too_much = PayCredit(line.line.id, 2 * TWO_HOURS_FEN + 1)
    with pytest.raises(NothingOwed):
        await market.do(pay_credit, too_much, by=market.buyer)
    with pytest.raises(CreditLineMissing):
        await market.do(pay_credit, PayCredit(line.line.id), by=market.manager)
    paid = PayCredit(line.line.id, TWO_HOURS_FEN + 1)
    receipt = await market.do(pay_credit, paid, by=market.buyer)

    page = await market.do(receivables, ReceivableSearch(), by=market.manager)
    assert [(each.order_id, each.left_fen) for each in page.rows] == [
        (first, 0),
        (second, TWO_HOURS_FEN - 1),
    ]
    assert page.left_fen == TWO_HOURS_FEN - 1
    assert (await market.payable()).posted_fen == TWO_HOURS_FEN + 1
    assert (await the_line(market)).available_fen == LIMIT_FEN - TWO_HOURS_FEN + 1
    history = await market.do(receipts, ReceiptsAsked(line.line.id), by=market.buyer)
    assert [row.id for row in history.rows] == [receipt.id]
    assert sum(part.amount_fen for part in history.parts) == receipt.amount_fen
    await market.do(pay_credit, PayCredit(line.line.id), by=market.buyer)
    assert (await the_line(market)).available_fen == LIMIT_FEN


async def test_a_wallet_with_less_than_is_to_be_paid_pays_nothing(database, monkeypatch):
    market = await a_market(database, voucher_fen=0, funds_fen=1)
    await granted_terms(market)
    await a_debt(market, monkeypatch)
    line = await the_line(market)

    with pytest.raises(InsufficientFunds):
        await market.do(pay_credit, PayCredit(line.line.id), by=market.buyer)

    assert (await the_line(market)).line.owed_fen == TWO_HOURS_FEN


async def test_a_voucher_pays_its_part_and_only_the_rest_is_owed(database, monkeypatch):
    market = await a_market(database)
    await granted_terms(market)

    await a_debt(market, monkeypatch)

    assert (await the_line(market)).line.owed_fen == TWO_HOURS_FEN // 2


async def test_the_limit_is_lowered_to_what_is_in_use_and_no_further(database):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    await an_order_on_account(market)

    with pytest.raises(CreditInUse):
        await granted_terms(market, limit_fen=TWO_HOURS_FEN - 1)
    second = await a_second_manager(market)
    line = (await the_line(market)).line
    newest = (await market.do(terms_of, line.id, by=market.manager))[0]
    no = DecideTerms(newest.id, approve=False, reason="In use.")
    await market.do(decide_terms, no, by=second)
    await granted_terms(market, limit_fen=TWO_HOURS_FEN)

    assert (await the_line(market)).available_fen == 0
    found = await market.do(terms_of, line.id, by=market.manager)
    assert [each.status for each in found] == ["in_force", "refused", "ended"]


async def test_after_the_terms_are_ended_debts_stay_and_no_order_is_placed_on_account(
    database, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    granted = await granted_terms(market)
    await a_debt(market, monkeypatch)
    await market.do(end_terms, EndTerms(granted.id, "We part."), by=market.manager)

    with pytest.raises(CreditRefused):
        await an_order_on_account(market, days=4)

    assert (await the_line(market)).line.owed_fen == TWO_HOURS_FEN


async def test_a_buyer_overdue_is_reminded_step_by_step_and_blocked_until_it_pays(
    database, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market, due_days=10)
    await a_debt(market, monkeypatch)
    line = (await the_line(market)).line
    due_on = line.oldest_due_on
    assert due_on == date(2025, 3, 15)
    start = database.clock.now()
    sent = []
    for days in range(45):
        move_to(market, start + timedelta(days=days))
        sent += [days] * await remind_of_debts(database)
        assert await remind_of_debts(database) == 0
    assert sent == [7, 10, 25, 40]

    with pytest.raises(CreditRefused) as refusal:
        await an_order_on_account(market, days=52)
    assert [reason.rule for reason in refusal.value.reasons] == ["credit-overdue"]
    old = await market.do(ageing, AgeingAsked(database.clock.now().date()), by=market.manager)
    assert [row.days_31_60_fen for row in old.rows] == [TWO_HOURS_FEN]
    overdue = await market.do(credit_lines, LineSearch(overdue=True), by=market.manager)
    assert [each.line.overdue_fen for each in overdue.rows] == [TWO_HOURS_FEN]
    await market.do(pay_credit, PayCredit(line.id), by=market.buyer)
    await an_order_on_account(market, days=52)


async def test_debts_are_told_as_they_were_on_a_day_whatever_was_paid_since(
    database, clock, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    order_id = await a_debt(market, monkeypatch)
    arose = database.clock.now()
    line = await the_line(market)
    clock.set(arose + timedelta(days=2))
    await market.do(pay_credit, PayCredit(line.line.id, 30_000), by=market.buyer)
    clock.set(arose + timedelta(days=35))
    await market.do(credit_back, CreditBack(order_id, 10_000, key="note-1"))
    clock.set(arose + timedelta(days=50))
    await market.do(pay_credit, PayCredit(line.line.id), by=market.buyer)

    async def owed_after(days: int) -> list[tuple[int, int]]:
        asked = AgeingAsked((arose + timedelta(days=days)).date())
        found = await market.do(ageing, asked, by=market.manager)
        return [(row.left_fen, row.not_due_fen) for row in found.rows]

    assert await owed_after(-1) == []
    assert await owed_after(0) == [(TWO_HOURS_FEN, TWO_HOURS_FEN)]
    assert await owed_after(2) == [(TWO_HOURS_FEN - 30_000, TWO_HOURS_FEN - 30_000)]
    assert await owed_after(34) == [(TWO_HOURS_FEN - 30_000, 0)]
    assert await owed_after(35) == [(TWO_HOURS_FEN - 40_000, 0)]
    assert await owed_after(50) == []


async def test_what_the_provider_gives_up_is_not_owed_any_more(database, monkeypatch):
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    order_id = await a_debt(market, monkeypatch)

    credited = await market.do(credit_back, CreditBack(order_id, TWO_HOURS_FEN + 5, key="note-1"))

    assert credited == TWO_HOURS_FEN
    line = await the_line(market)
    assert (line.line.owed_fen, line.available_fen) == (0, LIMIT_FEN)
