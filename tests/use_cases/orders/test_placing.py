"""Quotes and orders: whole or not at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.booking.errors import ReservationOverlaps, ReservationRefused
from marketplace.kernel.db import Database, transaction
from marketplace.kernel.errors import DomainError
from marketplace.kernel.time import SHANGHAI
from marketplace.orders import queries
from marketplace.orders.errors import (
    ClausesIncomplete,
    ContractSigned,
    InstrumentNotOffered,
    PartySuspended,
    PurposeUnknown,
    QuoteExpired,
    QuoteMissing,
    QuoteUnclear,
    QuoteUsed,
    SampleSetMissing,
    VoucherCoversLess,
    WalletShort,
)
from marketplace.orders.rules.contract import document_sha256
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import (
    CancelOrder,
    ConfirmOrder,
    MakeQuote,
    PlaceOrder,
    RejectOrder,
    cancel_order,
    confirm_order,
    make_quote,
    place_order,
    reject_order,
)
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import (
    CLAUSES,
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_market,
    a_quote,
    an_order,
    an_order_of,
    move_to,
)
from tests.builders.parties import an_actor

TABLES = (
    "service_order",
    "contract",
    "order_event",
    "reservation",
    "voucher_hold",
    "hold",
    "sample_set",
    "charge_line",
    "outbox_event",
    "posting",
)


async def everything(market: Market) -> dict[str, object]:
    """How many rows there are of all that an order writes, and every balance."""
    rows: dict[str, object] = {}
    async with market.database.engine.connect() as connection:
        for table in TABLES:
            count = await connection.execute(text(f"select count(*) from {table}"))
            rows[table] = count.scalar()
        quotes = await connection.execute(
            text("select count(*) from quote where used_at is not null")
        )
        rows["used quotes"] = quotes.scalar()
    rows["wallet"] = await market.wallet()
    rows["voucher"] = await market.voucher()
    rows["trial balance"] = await market.do(
        ledger.trial_balance, market.database.clock.now().date()
    )
    return rows


async def refused(market: Market, command: PlaceOrder, error: type[DomainError]) -> DomainError:
    """The refusal of an order that leaves nothing behind."""
    before = await everything(market)
    with pytest.raises(error) as refusal:
        await market.do(place_order, command, by=market.buyer)

    assert before == await everything(market)
    return refusal.value


async def test_a_quote_says_price_voucher_part_own_part_and_until_when(database: Database):
    market = await a_market(database)

    quote = await a_quote(market)

    assert quote.customer_class == "sme"
    assert (2 * HOUR_FEN, HOUR_FEN, HOUR_FEN) == (
        quote.total_fen,
        quote.voucher_fen,
        quote.own_fen,
    )
    assert quote.explanation["voucher"]["explanation"]
    assert quote.valid_until == quote.made_at + timedelta(days=14)
    assert quote.term("orders", "review_window_days") == 7


async def test_a_buyer_without_a_voucher_is_told_why_and_pays_all_itself(database: Database):
    market = await a_market(database, voucher_fen=0)

    quote = await a_quote(market)

    assert (0, quote.total_fen) == (quote.voucher_fen, quote.own_fen)
    assert quote.explanation["voucher"]["refusals"]


async def test_another_buyer_does_not_see_a_quote(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    stranger = await an_actor(database, Role.BUYER)

    with pytest.raises(QuoteMissing):
        await market.do(queries.quote, quote.id, by=stranger)
    with pytest.raises(QuoteMissing):
        await market.do(place_order, an_order_of(quote), by=stranger)


async def test_an_agent_may_ask_for_an_sme_but_only_the_sme_signs(database: Database):
    market = await a_market(database)
    agent = await an_actor(database, Role.STATION_AGENT)
    asked = MakeQuote(
        instrument_id=market.instrument_id,
        mode=Mode.SAMPLES,
        samples=2,
        buyer_id=market.buyer.organisation_id,
    )

    quote = await market.do(make_quote, asked, by=agent)

    assert agent.organisation_id == quote.agent_id
    with pytest.raises(QuoteMissing):
        await market.do(place_order, an_order_of(quote), by=agent)
    placed = await market.do(place_order, an_order_of(quote), by=market.buyer)
    assert placed == await market.do(queries.order, placed.id, by=agent)


async def test_a_buyer_cannot_ask_for_another_buyer(database: Database):
    market = await a_market(database)
    asked = MakeQuote(
        instrument_id=market.instrument_id, mode=Mode.SAMPLES, samples=2, buyer_id=987_654
    )

    with pytest.raises(QuoteMissing):
        await market.do(make_quote, asked, by=market.buyer)


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": 3},
        {"starts_at": None},
        {"ends_at": None},
        {"mode": Mode.SAMPLES},
        {"starts_at": at_hours(2, 12, 13).starts_at},
        {"mode": Mode.SAMPLES, "starts_at": None, "ends_at": None},
    ],
)
async def test_a_quote_is_for_machine_time_or_for_samples(database: Database, changes):
    market = await a_market(database, voucher_fen=0)

    with pytest.raises(QuoteUnclear):
        await a_quote(market, **changes)


async def test_an_order_reserves_holds_and_signs_in_one_go(database: Database):
    market = await a_market(database)

    placed = await an_order(market)

    assert placed.status == "confirmed"
    assert (await market.wallet()).held_fen == HOUR_FEN
    assert (await market.voucher()).held_fen == HOUR_FEN
    assert placed.reservation_id is not None
    contract = await market.do(queries.contract_of, placed.id, by=market.buyer)
    assert contract.sha256 == document_sha256(contract.document)
    assert (market.buyer.person_id, "standing_offer") == (
        contract.buyer_signed_by,
        contract.provider_signed_how,
    )
    assert placed.profile is not None
    story = await market.do(queries.order_story, placed.id, by=market.buyer)
    assert ["place", "confirm"] == [event.kind for event in story.timeline]


async def test_an_instrument_that_needs_approval_waits_for_the_providers_signature(
    database: Database,
):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)
    assert placed.status == "placed"

    confirmed = await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)

    assert confirmed.status == "confirmed"
    contract = await market.do(queries.contract_of, placed.id, by=market.manager)
    assert ("person", market.manager.person_id) == (
        contract.provider_signed_how,
        contract.provider_signed_by,
    )


async def test_what_a_provider_rejects_goes_back_whole(database: Database):
    market = await a_market(database, needs_approval=True)
    placed = await an_order(market)

    ended = await market.do(
        reject_order, RejectOrder(placed.id, "being repaired"), by=market.manager
    )

    assert ("rejected", 0) == (ended.status, ended.settled_fen)
    assert (await market.wallet()).held_fen == 0
    assert (await market.voucher()).held_fen == 0
    again = await an_order(market)
    assert again.status == "placed"


async def test_the_same_quote_makes_one_order(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    await an_order(market, quote=quote)

    await refused(market, an_order_of(quote), QuoteUsed)


async def test_an_expired_quote_makes_no_order(database: Database):
    market = await a_market(database)
    quote = await a_quote(market, during=at_hours(30, 9, 11))
    move_to(market, quote.valid_until)

    await refused(market, an_order_of(quote), QuoteExpired)


async def test_a_contract_without_its_clauses_makes_no_order(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    clauses = {name: words for name, words in CLAUSES.items() if name != "ip-ownership"}

    refusal = await refused(market, an_order_of(quote, clauses=clauses), ClausesIncomplete)

    assert ["ip-ownership"] == [reason.asked for reason in refusal.reasons]


async def test_a_slot_that_was_taken_makes_no_order_and_offers_others(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    await an_order(market)

    refusal = await refused(market, an_order_of(quote), ReservationOverlaps)

    assert refusal.alternatives


async def test_a_time_that_booking_refuses_makes_no_order(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    move_to(market, WEDNESDAY_MORNING.starts_at)

    await refused(market, an_order_of(quote), ReservationRefused)


async def test_a_wallet_that_is_short_makes_no_order_and_says_what_is_missing(database: Database):
    market = await a_market(database, funds_fen=HOUR_FEN - 1)
    quote = await a_quote(market)

    refusal = await refused(market, an_order_of(quote), WalletShort)

    assert refusal.extras["missing_fen"] == 1


async def test_a_voucher_that_covers_less_than_quoted_makes_no_order_unasked(database: Database):
    market = await a_market(database, voucher_fen=HOUR_FEN * 3 // 2)
    first, second = await a_quote(market), await a_quote(market, during=at_hours(3, 9, 11))
    await an_order(market, quote=first)

    refusal = await refused(market, an_order_of(second), VoucherCoversLess)

    assert (HOUR_FEN, HOUR_FEN // 2) == (
        refusal.extras["quoted_voucher_fen"],
        refusal.extras["voucher_fen"],
    )
    agreed = an_order_of(second, own_fen_max=refusal.extras["own_fen"])
    placed = await market.do(place_order, agreed, by=market.buyer)
    assert (HOUR_FEN // 2, HOUR_FEN * 3 // 2) == (placed.voucher_fen, placed.own_fen)


async def test_a_voucher_that_is_used_up_makes_no_order_unless_the_buyer_pays_all(
    database: Database,
):
    market = await a_market(database, voucher_fen=HOUR_FEN)
    first, second = await a_quote(market), await a_quote(market, during=at_hours(3, 9, 11))
    await an_order(market, quote=first)

    refusal = await refused(market, an_order_of(second), VoucherCoversLess)

    assert ["left"] == [reason.rule for reason in refusal.reasons]
    agreed = an_order_of(second, own_fen_max=second.total_fen)
    placed = await market.do(place_order, agreed, by=market.buyer)
    assert (0, second.total_fen) == (placed.voucher_fen, placed.own_fen)


async def test_samples_are_described_and_machine_time_has_none(database: Database):
    market = await a_market(database)
    samples = await a_quote(market, during=None)
    hours = await a_quote(market)

    await refused(market, an_order_of(samples, samples=None), SampleSetMissing)
    await refused(
        market, replace(an_order_of(hours), samples=an_order_of(samples).samples), SampleSetMissing
    )


async def test_a_free_purpose_costs_nothing_and_the_provider_looks_at_it_first(database: Database):
    market = await a_market(database, funds_fen=0, voucher_fen=0)
    quote = await a_quote(market, purpose="disaster-relief")

    placed = await an_order(market, quote=quote)

    assert (0, "placed", None) == (placed.total_fen, placed.status, placed.own_hold_id)
    confirmed = await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    assert confirmed.status == "confirmed"


async def test_a_purpose_that_is_not_free_is_none_to_claim(database: Database):
    market = await a_market(database, voucher_fen=0)

    with pytest.raises(PurposeUnknown):
        await a_quote(market, purpose="curiosity")


async def test_an_instrument_that_its_unit_keeps_takes_no_samples_either(database: Database):
    market = await a_market(database, voucher_fen=0)
    async with database.engine.begin() as connection:
        await connection.execute(
            text("update instrument set share_mode = 'internal', exemption = 'secrecy'")
        )

    with pytest.raises(InstrumentNotOffered):
        await a_quote(market, during=None)


async def test_a_withdrawn_instrument_takes_no_orders(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    async with database.engine.begin() as connection:
        await connection.execute(text("update instrument set status = 'disposed'"))

    await refused(market, an_order_of(quote), InstrumentNotOffered)
    with pytest.raises(InstrumentNotOffered):
        await a_quote(market)


async def test_a_half_done_order_is_refused_by_the_database(database: Database):
    market = await a_market(database)
    placed = await an_order(market)

    with pytest.raises(Exception, match="half-done"):
        async with database.engine.begin() as connection:
            await connection.execute(
                text("update service_order set own_hold_id = null where id = :id"),
                {"id": placed.id},
            )


async def test_a_signed_contract_is_not_changed(database: Database):
    market = await a_market(database)
    placed = await an_order(market)

    with pytest.raises(ContractSigned):
        async with transaction(database, actor=market.manager) as tx:
            await tx.execute(
                text("update contract set text = 'else' where order_id = :id"), {"id": placed.id}
            )


async def test_a_suspended_side_neither_asks_nor_orders(database: Database):
    market = await a_market(database)
    quote = await a_quote(market)
    async with database.engine.begin() as connection:
        await connection.execute(
            text("update organisation set suspended_at = now() where id = any(:ids)"),
            {"ids": [market.buyer.organisation_id, market.manager.organisation_id]},
        )

    refusal = await refused(market, an_order_of(quote), PartySuspended)

    assert len(refusal.reasons) == 2
    with pytest.raises(PartySuspended):
        await a_quote(market)


async def test_the_contract_freezes_both_sides_as_they_were(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    async with database.engine.begin() as connection:
        await connection.execute(text("update legal_entity set name = name || ' new'"))

    contract = await market.do(queries.contract_of, placed.id, by=market.buyer)

    assert " new" not in contract.text
    assert contract.document["service"]["own_fen"] == placed.own_fen


async def test_orders_are_listed_for_their_two_sides_only(database: Database):
    market = await a_market(database)
    placed = await an_order(market)
    stranger = await an_actor(database, Role.BUYER)
    auditor = await an_actor(database, Role.AUDITOR)
    day = placed.placed_at.astimezone(SHANGHAI).date()
    asked = queries.OrderList(
        status="confirmed", placed_from=day, placed_until=day, text="电子显微"
    )

    for actor, total in ((market.buyer, 1), (market.manager, 1), (auditor, 1), (stranger, 0)):
        found = await market.do(queries.orders, asked, by=actor)
        assert total == found.total == len(found.rows)
    nothing = await market.do(queries.orders, replace(asked, text="100%_"), by=market.buyer)
    assert nothing.total == 0


async def test_money_that_a_cancelled_order_gave_back_pays_for_the_next(database: Database):
    market = await a_market(database, funds_fen=HOUR_FEN)
    placed = await an_order(market)

    await market.do(cancel_order, CancelOrder(placed.id, "a change of plan"), by=market.buyer)

    assert (await an_order(market)).status == "confirmed"
    assert (await market.money(AccountType.WALLET, market.buyer.organisation_id)).available_fen == 0
