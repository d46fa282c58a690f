"""A service free of charge for a public purpose, from the request to the figures."""

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.outbox import deliver_due
from marketplace.kernel.uploads import FileUnfit
from marketplace.orders.errors import (
    EvidenceKept,
    FreeUseAsked,
    FreeUseDecided,
    FreeUseMissing,
    FreeUseNotApproved,
    FreeUseUnfit,
    OwnFreeUse,
    QuoteExpired,
    QuoteMissing,
)
from marketplace.orders.handlers import HANDLERS
from marketplace.orders.queries.free_use import (
    FiguresAsked,
    FreeUse,
    FreeUseSearch,
    evidence_of,
    free_use_by_id,
    free_use_figures,
    free_uses,
)
from marketplace.orders.use_cases import (
    AcceptOrder,
    CloseService,
    ConfirmOrder,
    DeliverOrder,
    OpenService,
    accept_order,
    close_service,
    confirm_order,
    deliver_order,
    open_service,
    place_order,
    store_deliverable,
)
from marketplace.orders.use_cases.free_use import (
    EVIDENCE_BYTES_MAX,
    AddEvidence,
    AskFreeUse,
    DecideFreeUse,
    DownloadEvidence,
    ExamineFreeUse,
    WithdrawFreeUse,
    add_evidence,
    ask_free_use,
    decide_free_use,
    download_evidence,
    examine_free_use,
    withdraw_free_use,
)
from marketplace.parties.roles import Role
from tests.builders.orders import (
    HOUR_FEN,
    SAMPLE_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_market,
    a_quote,
    a_report,
    an_order_of,
    approved_free_use,
    move_to,
)
from tests.builders.parties import an_actor
from tests.use_cases.orders.test_serving import free_samples

PURPOSE = "disaster-relief"
DECREE = b"%PDF-1.7 decree"


async def asked(market: Market, **changes) -> FreeUse:
    quote = await a_quote(market, purpose=PURPOSE, **changes)
    return await market.do(
        ask_free_use, AskFreeUse(quote.id, "Flood in the county."), by=market.buyer
    )


async def evidenced(market: Market) -> FreeUse:
    found = await asked(market)
    await market.do(add_evidence, AddEvidence(found.id, "decree.pdf", DECREE), by=market.buyer)
    return found


async def test_an_order_for_a_public_purpose_waits_for_two_persons_of_the_provider(
    database: Database,
):
    market = await a_market(database, funds_fen=0, voucher_fen=0)
    quote = await a_quote(market, purpose=PURPOSE)

    with pytest.raises(FreeUseNotApproved):
        await market.do(place_order, an_order_of(quote), by=market.buyer)
    approved = await approved_free_use(market, quote)

    assert (approved.status, approved.list_value_fen) == ("approved", 2 * HOUR_FEN)
    placed = await market.do(place_order, an_order_of(quote), by=market.buyer)
    assert (placed.total_fen, placed.own_hold_id) == (0, None)


async def test_who_examined_does_not_decide_and_nothing_is_decided_before(database: Database):
    market = await a_market(database, voucher_fen=0)
    found = await evidenced(market)
    yes = DecideFreeUse(found.id, approve=True, reason="By the decree.")

    with pytest.raises(FreeUseDecided):
        await market.do(decide_free_use, yes, by=market.manager)
    await market.do(examine_free_use, ExamineFreeUse(found.id, "Genuine."), by=market.manager)
    with pytest.raises(OwnFreeUse):
        await market.do(decide_free_use, yes, by=market.manager)
    with pytest.raises(FreeUseDecided):
        await market.do(examine_free_use, ExamineFreeUse(found.id, "Anew."), by=market.technician)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(FreeUseMissing):
        await market.do(examine_free_use, ExamineFreeUse(found.id, "Mine."), by=stranger)
    with pytest.raises(FreeUseMissing):
        await market.do(decide_free_use, yes, by=stranger)


async def test_a_request_without_evidence_is_not_approved_and_a_refusal_says_why(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    found = await asked(market)
    await market.do(examine_free_use, ExamineFreeUse(found.id, "Nothing."), by=market.technician)

    yes = DecideFreeUse(found.id, approve=True, reason="")
    with pytest.raises(FreeUseUnfit) as refusal:
        await market.do(decide_free_use, yes, by=market.manager)

    assert [each.rule for each in refusal.value.reasons] == ["free-evidence", "free-reason"]
    no = DecideFreeUse(found.id, approve=False, reason="No evidence.")
    refused = await market.do(decide_free_use, no, by=market.manager)
    assert (refused.status, refused.decided_because) == ("refused", "No evidence.")
    with pytest.raises(FreeUseDecided):
        await market.do(withdraw_free_use, WithdrawFreeUse(found.id, "Late."), by=market.buyer)


async def test_evidence_is_a_paper_sent_once_and_before_the_request_is_examined(
    database: Database,
):
    market = await a_market(database, voucher_fen=0)
    found = await evidenced(market)
    decree = AddEvidence(found.id, "decree.pdf", DECREE)

    with pytest.raises(EvidenceKept):
        await market.do(add_evidence, decree, by=market.buyer)
    for unfit in (
        replace(decree, content=b""),
        replace(decree, content=b"MZ\x90\x00"),
        replace(decree, name="decree.exe"),
        replace(decree, content=b"%PDF" + b"x" * EVIDENCE_BYTES_MAX),
    ):
        with pytest.raises(FileUnfit):
            await market.do(add_evidence, unfit, by=market.buyer)
    for number in range(9):
        more = replace(decree, content=DECREE + str(number).encode())
        await market.do(add_evidence, more, by=market.buyer)
    with pytest.raises(FreeUseUnfit):
        await market.do(add_evidence, replace(decree, content=DECREE + b"!"), by=market.buyer)
    kept = await market.do(evidence_of, found.id, by=market.manager)
    taken = await market.do(
        download_evidence, DownloadEvidence(found.id, kept[0].id), by=market.manager
    )
    assert (len(kept), taken.content) == (10, DECREE)
    await market.do(examine_free_use, ExamineFreeUse(found.id, "Seen."), by=market.manager)
    with pytest.raises(FreeUseDecided):
        await market.do(add_evidence, replace(decree, content=b"%PDF-1.7 late"), by=market.buyer)


async def test_statement_and_evidence_are_for_the_two_sides_only(database: Database):
    market = await a_market(database, voucher_fen=0)
    found = await evidenced(market)
    kept = await market.do(evidence_of, found.id, by=market.buyer)

    for stranger in (Role.BUYER, Role.PROVIDER_MANAGER, Role.REGULATOR):
        actor = await an_actor(database, stranger)
        with pytest.raises(FreeUseMissing):
            await market.do(free_use_by_id, found.id, by=actor)
        look = DownloadEvidence(found.id, kept[0].id)
        with pytest.raises(FreeUseMissing):
            await market.do(download_evidence, look, by=actor)
        assert (await market.do(free_uses, FreeUseSearch(), by=actor)).total == 0
    search = FreeUseSearch(status="asked", purpose=PURPOSE, instrument_id=market.instrument_id)
    assert (await market.do(free_uses, search, by=market.manager)).total == 1


async def test_a_quote_is_asked_free_once_while_it_holds_and_for_a_purpose(database: Database):
    market = await a_market(database, voucher_fen=0)
    paid = await a_quote(market)
    free = await a_quote(market, purpose=PURPOSE)

    with pytest.raises(FreeUseUnfit):
        await market.do(ask_free_use, AskFreeUse(paid.id, "Please."), by=market.buyer)
    with pytest.raises(QuoteMissing):
        await market.do(ask_free_use, AskFreeUse(free.id, "Mine."), by=market.manager)
    found = await market.do(ask_free_use, AskFreeUse(free.id, "Flood."), by=market.buyer)
    with pytest.raises(FreeUseAsked):
        await market.do(ask_free_use, AskFreeUse(free.id, "Flood."), by=market.buyer)
    withdrawn = WithdrawFreeUse(found.id, "It is over.")
    assert (await market.do(withdraw_free_use, withdrawn, by=market.buyer)).status == "withdrawn"
    with pytest.raises(FreeUseNotApproved):
        await market.do(place_order, an_order_of(free), by=market.buyer)
    late = await a_quote(market, purpose=PURPOSE)
    move_to(market, late.valid_until + timedelta(seconds=1))
    with pytest.raises(QuoteExpired):
        await market.do(ask_free_use, AskFreeUse(late.id, "Late."), by=market.buyer)


async def test_what_was_given_free_is_counted_at_list_prices_by_purpose_and_provider(
    database: Database,
):
    market = await a_market(database, funds_fen=0, voucher_fen=0)
    order_id = await free_samples(market)
    await market.do(accept_order, AcceptOrder(order_id), by=market.buyer)
    await deliver_due(database, HANDLERS)

    figures = await market.do(free_use_figures, FiguresAsked(2025), by=market.manager)

    (row,) = figures.rows
    assert (row.purpose, row.orders, row.samples) == ("environmental-protection", 1, 5)
    assert (row.value_fen, figures.value_fen) == (5 * SAMPLE_FEN, 5 * SAMPLE_FEN)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    assert (await market.do(free_use_figures, FiguresAsked(2025), by=stranger)).total == 0
    asked_for = FiguresAsked(
        2025, provider_id=market.manager.organisation_id, purpose="public-security"
    )
    regulator = await an_actor(database, Role.REGULATOR)
    assert (await market.do(free_use_figures, asked_for, by=regulator)).total == 0
    all_of_it = await market.do(free_use_figures, FiguresAsked(2025), by=regulator)
    assert all_of_it.samples == 5


async def test_machine_time_given_free_is_counted_in_the_minutes_really_used(database: Database):
    market = await a_market(database, funds_fen=0, voucher_fen=0)
    quote = await a_quote(market, purpose=PURPOSE)
    await approved_free_use(market, quote)
    placed = await market.do(place_order, an_order_of(quote), by=market.buyer)
    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=90))
    await market.do(close_service, CloseService(placed.id), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
    settled = await market.do(accept_order, AcceptOrder(placed.id), by=market.buyer)
    await deliver_due(database, HANDLERS)

    figures = await market.do(free_use_figures, FiguresAsked(2025), by=market.manager)

    assert (settled.settled_fen, (await market.payable()).posted_fen) == (0, 0)
    (row,) = figures.rows
    assert (row.purpose, row.orders, row.minutes, row.samples) == (PURPOSE, 1, 90, 0)
    assert row.value_fen == HOUR_FEN * 3 // 2
