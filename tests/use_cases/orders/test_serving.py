"""Giving the service, handing results over, settling."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from marketplace.billing.invoicing import queries as invoicing
from marketplace.billing.invoicing.errors import ChargeMissing
from marketplace.billing.ledger import queries as ledger
from marketplace.billing.pricing.use_cases import WithdrawPriceList, withdraw_price_list
from marketplace.kernel.db import Database
from marketplace.orders import queries
from marketplace.orders.errors import (
    DeliverableKnown,
    DeliverableMissing,
    DeliverableUnfit,
    DisputedBefore,
    OrderMissing,
    ReviewedBefore,
    ReviewWindowOver,
    RulingByParty,
    SamplesUncounted,
    ServiceUnfinished,
    StepNotOpen,
    WrongMode,
)
from marketplace.orders.use_cases import (
    DELIVERABLE_BYTES_MAX,
    AcceptOrder,
    AnswerDispute,
    CloseService,
    ConfirmOrder,
    DeliverOrder,
    DisputeOrder,
    DownloadDeliverable,
    FinishSamples,
    IssueInvoice,
    OpenService,
    ReceiveSamples,
    RegisterContract,
    ReviewOrder,
    RuleOnDispute,
    accept_order,
    answer_dispute,
    close_service,
    confirm_order,
    deliver_order,
    dispute_order,
    download_deliverable,
    finish_samples,
    issue_invoice,
    open_service,
    receive_samples,
    register_contract,
    review_order,
    rule_on_dispute,
    store_deliverable,
)
from marketplace.parties.roles import Role
from tests.builders.orders import (
    HOUR_FEN,
    SAMPLE_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_delivered_order,
    a_market,
    a_price_list,
    a_quote,
    a_report,
    a_sample_order,
    an_order,
    delivered_samples,
    move_to,
)
from tests.builders.parties import an_actor


async def balanced(market: Market) -> bool:
    """Whether debits and credits are equal in both ledgers."""
    lines = await market.do(ledger.trial_balance, market.database.clock.now().date())
    assert lines
    async with market.database.engine.connect() as connection:
        total = await connection.execute(text("select coalesce(sum(amount_fen), 0) from posting"))
        return total.scalar() == 0


async def test_accepting_pays_for_what_was_used_and_gives_the_rest_back(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market, used_minutes=60)

    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    assert (HOUR_FEN, HOUR_FEN // 2, HOUR_FEN // 2) == (
        settled.settled_fen,
        settled.settled_voucher_fen,
        settled.settled_own_fen,
    )
    assert (await market.payable()).posted_fen == HOUR_FEN // 2
    wallet, voucher = await market.wallet(), await market.voucher()
    assert (1_000_000 - HOUR_FEN // 2, 0) == (wallet.posted_fen, wallet.held_fen)
    assert (4_000_000 - HOUR_FEN // 2, 0) == (voucher.posted_fen, voucher.held_fen)
    assert await balanced(market)


async def test_an_overrun_costs_no_more_than_was_agreed(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market, used_minutes=150)

    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    assert (settled.total_fen, settled.own_fen) == (settled.settled_fen, settled.settled_own_fen)


async def test_a_settled_order_is_charged_once_and_counts_for_the_reward(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    charge = await market.do(invoicing.charge_line, delivered.id)

    assert charge is not None
    assert (2 * HOUR_FEN, HOUR_FEN, HOUR_FEN, True, False) == (
        charge.service_value_fen,
        charge.voucher_fen,
        charge.own_fen,
        charge.counts_for_reward,
        charge.affiliated,
    )
    with pytest.raises(StepNotOpen):
        await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)


async def test_a_buyer_without_a_voucher_pays_for_everything_used(database: Database):
    market = await a_market(database, voucher_fen=0)
    delivered = await a_delivered_order(market, used_minutes=90)

    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    assert (0, HOUR_FEN * 3 // 2) == (settled.settled_voucher_fen, settled.settled_own_fen)


async def test_prices_that_changed_after_the_quote_change_nothing(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    story = await market.do(queries.order_story, delivered.id, by=market.buyer)
    await market.do(
        withdraw_price_list, WithdrawPriceList(story.quote.price_list_id), by=market.manager
    )
    await a_price_list(
        database, instrument_id=market.instrument_id, hour_fen=20_000, sample_fen=6_000
    )

    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    assert settled.settled_fen == settled.total_fen


async def test_a_free_service_settles_at_nothing(database: Database):
    market = await a_market(database, funds_fen=0, voucher_fen=0)
    free = await free_samples(market)

    settled = await market.do(accept_order, AcceptOrder(free), by=market.buyer)

    assert ("settled", 0) == (settled.status, settled.settled_fen)
    assert await market.do(invoicing.charge_line, free) is None


async def free_samples(market: Market) -> int:
    """Delivered samples for a public purpose."""
    quote = await a_quote(market, during=None, purpose="environmental-protection")
    placed = await an_order(market, quote=quote)
    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    await market.do(receive_samples, ReceiveSamples(placed.id, 5), by=market.technician)
    await market.do(finish_samples, FinishSamples(placed.id, 5), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
    return placed.id


async def test_samples_are_paid_by_the_number_tested(database: Database):
    market = await a_market(database)
    delivered = await delivered_samples(market, samples=5, tested=4)

    settled = await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    assert (5 * SAMPLE_FEN, 4 * SAMPLE_FEN) == (settled.total_fen, settled.settled_fen)
    assert (await market.wallet()).held_fen == 0


async def test_what_is_sent_in_is_told_to_the_two_sides_only(database: Database):
    market = await a_market(database)
    found = await a_sample_order(market)

    for actor, told in (
        (market.buyer, True),
        (market.technician, True),
        (market.officer, False),
        (await an_actor(database, Role.AUDITOR), False),
    ):
        story = await market.do(queries.order_story, found.id, by=actor)
        assert told == (story.samples is not None)


async def test_no_more_samples_arrive_than_were_ordered_nor_are_tested_than_arrived(
    database: Database,
):
    market = await a_market(database)
    found = await a_sample_order(market, samples=5)
    with pytest.raises(SamplesUncounted):
        await market.do(receive_samples, ReceiveSamples(found.id, 6), by=market.technician)
    await market.do(receive_samples, ReceiveSamples(found.id, 4), by=market.technician)

    with pytest.raises(SamplesUncounted):
        await market.do(finish_samples, FinishSamples(found.id, 5), by=market.technician)


async def test_samples_have_no_session_and_machine_time_no_samples(database: Database):
    market = await a_market(database)
    samples, hours = await a_sample_order(market), await an_order(market)

    for use_case, command in (
        (open_service, OpenService(samples.id)),
        (close_service, CloseService(samples.id)),
        (receive_samples, ReceiveSamples(hours.id, 1)),
        (finish_samples, FinishSamples(hours.id, 1)),
    ):
        with pytest.raises(WrongMode):
            await market.do(use_case, command, by=market.technician)  # type: ignore[arg-type]


async def test_what_is_not_finished_is_not_delivered(database: Database):
    market = await a_market(database)
    hours = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(hours.id), by=market.technician)
    with pytest.raises(ServiceUnfinished, match="session"):
        await market.do(deliver_order, DeliverOrder(hours.id), by=market.technician)
    samples = await a_sample_order(market)
    await market.do(receive_samples, ReceiveSamples(samples.id, 5), by=market.technician)
    with pytest.raises(ServiceUnfinished, match="tested"):
        await market.do(deliver_order, DeliverOrder(samples.id), by=market.technician)
    await market.do(finish_samples, FinishSamples(samples.id, 5), by=market.technician)

    with pytest.raises(ServiceUnfinished, match="results"):
        await market.do(deliver_order, DeliverOrder(samples.id), by=market.technician)


async def test_another_provider_and_another_buyer_find_no_order(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    other_staff = await an_actor(database, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
    other_buyer = await an_actor(database, Role.BUYER)

    with pytest.raises(OrderMissing):
        await market.do(open_service, OpenService(delivered.id), by=other_staff)
    with pytest.raises(OrderMissing):
        await market.do(store_deliverable, a_report(delivered.id), by=other_staff)
    with pytest.raises(OrderMissing):
        await market.do(accept_order, AcceptOrder(delivered.id), by=other_buyer)
    with pytest.raises(OrderMissing):
        await market.do(queries.order_story, delivered.id, by=other_buyer)
    with pytest.raises(OrderMissing):
        await market.do(accept_order, AcceptOrder(delivered.id), by=market.manager)


async def test_results_are_for_the_two_sides_and_every_download_is_logged(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    stored = (await market.do(queries.deliverables, delivered.id, by=market.buyer))[0]
    wanted = DownloadDeliverable(delivered.id, stored.id)

    taken = await market.do(download_deliverable, wanted, by=market.buyer)

    assert stored.sha256 == hashlib.sha256(taken.content).hexdigest()
    auditor = await an_actor(database, Role.AUDITOR)
    assert await market.do(queries.deliverables, delivered.id, by=auditor) == []
    with pytest.raises(DeliverableMissing):
        await market.do(download_deliverable, wanted, by=auditor)
    with pytest.raises(DeliverableMissing):
        await market.do(download_deliverable, replace(wanted, deliverable_id=99), by=market.buyer)
    story = await market.do(queries.order_story, delivered.id, by=market.manager)
    downloads = [event for event in story.timeline if event.kind == "download"]
    assert [market.buyer.person_id] == [event.person_id for event in downloads]


async def test_a_deliverable_is_whole_new_and_of_bearable_size(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    report = a_report(delivered.id)
    await market.do(store_deliverable, report, by=market.technician)

    with pytest.raises(DeliverableKnown):
        await market.do(store_deliverable, report, by=market.technician)
    for unfit in (
        replace(report, content=b""),
        replace(report, content=b"x" * (DELIVERABLE_BYTES_MAX + 1)),
        replace(report, content=b"other", sha256="0" * 64),
    ):
        with pytest.raises(DeliverableUnfit):
            await market.do(store_deliverable, unfit, by=market.technician)


async def test_nothing_is_uploaded_before_the_service_begins(database: Database):
    market = await a_market(database)
    placed = await an_order(market)

    with pytest.raises(StepNotOpen):
        await market.do(store_deliverable, a_report(placed.id), by=market.technician)


@pytest.mark.parametrize(("basis_points", "paid_fen"), [(0, 0), (4_000, 32_000), (10_000, 80_000)])
async def test_a_ruling_decides_which_part_of_the_used_value_is_paid(
    database: Database, basis_points, paid_fen
):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)
    with pytest.raises(StepNotOpen):
        await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    answer = AnswerDispute(delivered.id, "They are as agreed.")
    await market.do(answer_dispute, answer, by=market.manager)
    ruling = RuleOnDispute(delivered.id, basis_points, "The images were partly usable.")
    settled = await market.do(rule_on_dispute, ruling, by=market.officer)

    assert ("settled", paid_fen) == (settled.status, settled.settled_fen)
    assert (await market.payable()).posted_fen == paid_fen - (settled.settled_voucher_fen or 0)
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0
    assert await balanced(market)


async def test_an_order_is_disputed_once_and_within_the_review_window(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    assert delivered.review_ends_at is not None
    move_to(market, delivered.review_ends_at)
    with pytest.raises(ReviewWindowOver):
        await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)
    move_to(market, delivered.review_ends_at - timedelta(seconds=1))
    await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)

    with pytest.raises(DisputedBefore):
        await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)


async def test_a_service_that_is_never_delivered_is_disputed_and_ruled_on_the_quoted_total(
    database: Database,
):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    await market.do(dispute_order, DisputeOrder(placed.id, "nothing came"), by=market.buyer)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(days=14))

    settled = await market.do(
        rule_on_dispute, RuleOnDispute(placed.id, 0, "Nothing was delivered."), by=market.officer
    )

    assert ("settled", 0) == (settled.status, settled.settled_fen)


async def test_nobody_rules_on_their_own_objection(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    await market.do(dispute_order, DisputeOrder(delivered.id, "blurred"), by=market.buyer)
    answer = AnswerDispute(delivered.id, "They are as agreed.")
    await market.do(answer_dispute, answer, by=market.manager)
    both = replace(market.buyer, roles=market.buyer.roles | {str(Role.VOUCHER_OFFICER)})

    with pytest.raises(RulingByParty):
        await market.do(rule_on_dispute, RuleOnDispute(delivered.id, 0, "mine"), by=both)


async def test_a_service_is_rated_once_after_settlement(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    rating = ReviewOrder(delivered.id, 4, "清晰")
    with pytest.raises(StepNotOpen):
        await market.do(review_order, rating, by=market.buyer)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    await market.do(review_order, rating, by=market.buyer)

    with pytest.raises(ReviewedBefore):
        await market.do(review_order, rating, by=market.buyer)
    year = queries.RatingPeriod(date(2025, 1, 1), date(2025, 12, 31))
    rated = await market.do(queries.ratings, year)
    assert [(market.manager.organisation_id, 1, 4)] == [
        (each.provider_id, each.reviews, each.stars) for each in rated
    ]


async def test_an_invoice_is_issued_for_what_was_charged_by_the_provider(database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market)
    bill = IssueInvoice(delivered.id, "25322000000000000001", 2 * HOUR_FEN, date(2025, 3, 5))
    with pytest.raises(ChargeMissing):
        await market.do(issue_invoice, bill, by=market.manager)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)

    recorded = await market.do(issue_invoice, bill, by=market.manager)

    assert (delivered.id, 2 * HOUR_FEN) == (recorded.order_id, recorded.amount_fen)
    with pytest.raises(OrderMissing):
        await market.do(issue_invoice, bill, by=await an_actor(database, Role.PROVIDER_MANAGER))


async def test_a_contract_that_both_signed_is_registered(database: Database):
    market = await a_market(database, needs_approval=True)
    unsigned = await an_order(market)
    command = RegisterContract(unsigned.id, "2025320101000123", date(2025, 3, 3))
    with pytest.raises(StepNotOpen):
        await market.do(register_contract, command, by=market.manager)
    signed = await a_sample_order(market)

    found = await market.do(
        register_contract, replace(command, order_id=signed.id), by=market.manager
    )

    assert found.registration_number == "2025320101000123"
