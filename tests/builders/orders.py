"""A market in which orders can be placed, and orders brought as far as a test needs them."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries import AccountName, Balance
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.pricing.rules.states import CostKind, CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked
from marketplace.billing.pricing.use_cases import (
    FileCostSheet,
    FilePriceList,
    file_cost_sheet,
    file_price_list,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During, SetClock
from marketplace.orders.queries import FreeUse, Order, Quote
from marketplace.orders.rules.contract import FORMS, standard_clauses
from marketplace.orders.rules.rescheduling import ChangeKind
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import (
    AcceptChange,
    ChangeAsked,
    Changed,
    ChangeView,
    CloseService,
    ConfirmOrder,
    DeliverOrder,
    ExtendOrder,
    FinishSamples,
    MakeQuote,
    OpenService,
    PlaceOrder,
    ProposalLook,
    ReceiveSamples,
    RescheduleOrder,
    SamplesSent,
    StoreDeliverable,
    accept_change,
    close_service,
    confirm_order,
    deliver_order,
    extend_order,
    finish_samples,
    make_quote,
    open_service,
    place_order,
    preview_change,
    preview_proposal,
    receive_samples,
    reschedule_order,
    store_deliverable,
)
from marketplace.orders.use_cases.free_use import (
    AddEvidence,
    AskFreeUse,
    DecideFreeUse,
    ExamineFreeUse,
    add_evidence,
    ask_free_use,
    decide_free_use,
    examine_free_use,
)
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.ledger import a_wallet
from tests.builders.parties import an_actor
from tests.builders.vouchers import a_grant

TEST = system_actor("test")
CLAUSES = standard_clauses(tuple(FORMS))
HOUR_FEN = 40_000
SAMPLE_FEN = 12_000
SAMPLES = SamplesSent("12 mm 硅片", "none", "return")
# Wednesday: two days' notice from the Monday on which the tests' clock stands.
WEDNESDAY_MORNING = at_hours(2, 9, 11)

_files = itertools.count(1)

C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True)
class Market:
    """A provider with a priced instrument, an SME with money and a voucher, and the officer."""

    database: Database
    buyer: Actor
    manager: Actor
    technician: Actor
    officer: Actor
    instrument_id: int

    async def do(
        self, use_case: Callable[[Tx, C], Awaitable[R]], command: C, *, by: Actor = TEST
    ) -> R:
        """Run a use case or a query in a transaction of its own."""
        return await atomically(self.database, use_case, command, actor=by)

    async def money(self, account_type: AccountType, owner_id: int | None = None) -> Balance:
        """What lies on an account; nothing before it is opened."""

        async def ask(tx: Tx, name: AccountName) -> Balance:
            found = await ledger.account_id(tx, name)
            return Balance(0, 0, 0) if found is None else await ledger.balance(tx, found)

        return await self.do(ask, AccountName(account_type, owner_id))

    async def wallet(self) -> Balance:
        """What the buyer has of its own."""
        return await self.money(AccountType.WALLET, self.buyer.organisation_id)

    async def payable(self) -> Balance:
        """What the provider is owed."""
        return await self.money(AccountType.PAYABLE, self.manager.organisation_id)

    async def voucher(self) -> Balance:
        """What the buyer has on its vouchers, all layers together."""
        accounts = await self.do(ledger.balances, AccountType.VOUCHER)
        return Balance(
            sum(account.posted_fen for account in accounts),
            sum(account.held_fen for account in accounts),
            sum(account.available_fen for account in accounts),
        )


async def a_price_list(
    database: Database,
    *,
    instrument_id: int,
    hour_fen: int = HOUR_FEN,
    sample_fen: int = SAMPLE_FEN,
    classes: Sequence[CustomerClass] = tuple(CustomerClass),
) -> None:
    """Prices per hour and per sample, filed three weeks ago and so in force."""
    clock = database.clock
    assert isinstance(clock, SetClock)
    now = clock.now()
    clock.set(now - timedelta(days=21))
    sheet = FileCostSheet(
        instrument_id, clock.now().year, 60_000, ((CostKind.LABOUR, hour_fen * 1000),)
    )
    await atomically(database, file_cost_sheet, sheet, actor=TEST)
    prices = [PriceAsked(each, Unit.HOUR, hour_fen) for each in classes]
    prices += [PriceAsked(each, Unit.SAMPLE, sample_fen, minutes_per_unit=30) for each in classes]
    await atomically(
        database, file_price_list, FilePriceList(instrument_id, tuple(prices)), actor=TEST
    )
    clock.set(now)


async def a_market(
    database: Database,
    *,
    funds_fen: int = 1_000_000,
    voucher_fen: int = 4_000_000,
    buyer: Actor | None = None,
    **terms: Any,
) -> Market:
    """400 CNY an hour; 10,000 CNY in the wallet; a voucher that pays half (0: without one).

    `terms` are those of the instrument's booking rule, for instance `needs_approval=True`.
    """
    buyer = buyer or await an_actor(database, Role.BUYER, Role.SME_ADMINISTRATOR)
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    instrument_id = await a_bookable_instrument(
        database, provider_id=manager.organisation_id, **terms
    )
    await a_price_list(database, instrument_id=instrument_id)
    if voucher_fen:
        await a_grant(database, sme=buyer, amount_fen=voucher_fen)
    await a_wallet(database, owner_id=buyer.organisation_id, funds_fen=funds_fen)
    return Market(
        database=database,
        buyer=buyer,
        manager=manager,
        technician=technician,
        officer=await an_actor(database, Role.VOUCHER_OFFICER),
        instrument_id=instrument_id,
    )


async def a_quote(
    market: Market, *, during: During | None = WEDNESDAY_MORNING, **changes: Any
) -> Quote:
    """Two hours on Wednesday morning, or samples when `during` is None."""
    asked = MakeQuote(
        instrument_id=market.instrument_id,
        mode=Mode.MACHINE_TIME if during else Mode.SAMPLES,
        starts_at=during.starts_at if during else None,
        ends_at=during.ends_at if during else None,
        samples=None if during else 5,
    )
    return await market.do(make_quote, replace(asked, **changes), by=market.buyer)


def an_order_of(quote: Quote, **changes: Any) -> PlaceOrder:
    """The order of a quote with the standard clauses."""
    asked = PlaceOrder(
        quote_id=quote.id,
        clauses=CLAUSES,
        samples=SAMPLES if any(item["samples"] for item in quote.items) else None,
        signed_from="203.0.113.7",
    )
    return replace(asked, **changes)


async def an_order(
    market: Market, *, quote: Quote | None = None, during: During | None = WEDNESDAY_MORNING
) -> Order:
    """A placed order; one for a public purpose after two people of the provider agreed."""
    quote = quote or await a_quote(market, during=during)
    if quote.purpose is not None:
        await approved_free_use(market, quote)
    return await market.do(place_order, an_order_of(quote), by=market.buyer)


async def an_order_through(
    market: Market, agent: Actor, during: During = WEDNESDAY_MORNING
) -> Order:
    """An order whose quote a station's agent asked for."""
    asked = MakeQuote(
        instrument_id=market.instrument_id,
        mode=Mode.MACHINE_TIME,
        starts_at=during.starts_at,
        ends_at=during.ends_at,
        buyer_id=market.buyer.organisation_id,
    )
    return await an_order(market, quote=await market.do(make_quote, asked, by=agent))


async def approved_free_use(market: Market, quote: Quote) -> FreeUse:
    """Asked with evidence, examined by the manager, approved by a second one."""
    asked = await market.do(ask_free_use, AskFreeUse(quote.id, "应急监测"), by=market.buyer)
    evidence = AddEvidence(asked.id, "批文.pdf", f"%PDF-1.7 {next(_files)}".encode())
    await market.do(add_evidence, evidence, by=market.buyer)
    await market.do(examine_free_use, ExamineFreeUse(asked.id, "属实"), by=market.manager)
    second = await an_actor(
        market.database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )
    return await market.do(decide_free_use, DecideFreeUse(asked.id, True, "同意"), by=second)


async def a_sample_order(market: Market, *, samples: int = 5) -> Order:
    """An order for samples that the provider has confirmed."""
    placed = await an_order(market, quote=await a_quote(market, during=None, samples=samples))
    return await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)


async def a_delivered_order(
    market: Market, *, used_minutes: int = 120, during: During = WEDNESDAY_MORNING
) -> Order:
    """Machine time that was used for so long and delivered; the clock stands at its end."""
    placed = await an_order(market, during=during)
    if placed.status == "placed":
        await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    move_to(market, during.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    move_to(market, during.starts_at + timedelta(minutes=used_minutes))
    await market.do(close_service, CloseService(placed.id), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    return await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)


async def delivered_samples(market: Market, *, samples: int = 5, tested: int = 5) -> Order:
    """Samples that were received, tested and reported on."""
    found = await a_sample_order(market, samples=samples)
    await market.do(receive_samples, ReceiveSamples(found.id, samples), by=market.technician)
    await market.do(finish_samples, FinishSamples(found.id, tested), by=market.technician)
    await market.do(store_deliverable, a_report(found.id), by=market.technician)
    return await market.do(deliver_order, DeliverOrder(found.id), by=market.technician)


def a_report(order_id: int, **changes: Any) -> StoreDeliverable:
    """A report that nobody uploaded before."""
    asked = StoreDeliverable(order_id, "报告.pdf", f"%PDF-1.7 report {next(_files)}".encode())
    return replace(asked, **changes)


def move_to(market: Market, instant: datetime) -> None:
    """Let the market's clock stand at `instant`."""
    clock = market.database.clock
    assert isinstance(clock, SetClock)
    clock.set(instant)


async def a_look(market: Market, order_id: int, during: During, *, by: Actor) -> ChangeView:
    """What it would mean to have an order at another time."""
    asked = ChangeAsked(order_id, ChangeKind.RESCHEDULE, during.ends_at, during.starts_at)
    return await market.do(preview_change, asked, by=by)


async def a_move(
    market: Market, order_id: int, during: During, *, by: Actor | None = None, **changes: Any
) -> Changed:
    """Look at another time and ask for it at the figures shown; by the buyer if nobody is named."""
    actor = by or market.buyer
    view = await a_look(market, order_id, during, by=actor)
    asked = RescheduleOrder(
        order_id, during.starts_at, during.ends_at, agreed=view.figures.token, signed_from="::1"
    )
    return await market.do(reschedule_order, replace(asked, **changes), by=actor)


async def an_extension(
    market: Market, order_id: int, ends_at: datetime, *, by: Actor | None = None
) -> Changed:
    """Look at a later end and ask for it at the figures shown."""
    actor = by or market.buyer
    looked = ChangeAsked(order_id, ChangeKind.EXTEND, ends_at)
    view = await market.do(preview_change, looked, by=actor)
    asked = ExtendOrder(order_id, ends_at, agreed=view.figures.token)
    return await market.do(extend_order, asked, by=actor)


async def a_confirmed_order(market: Market) -> Order:
    """An order on an instrument whose provider decides on each request."""
    placed = await an_order(market)
    return await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)


async def accepted(market: Market, proposed: Changed, *, by: Actor) -> Changed:
    """Look at a proposal and agree to the figures shown."""
    order_id, change_id = proposed.order.id, proposed.change.id
    view = await market.do(preview_proposal, ProposalLook(order_id, change_id), by=by)
    command = AcceptChange(order_id, change_id, view.figures.token, signed_from="203.0.113.8")
    return await market.do(accept_change, command, by=by)


async def free_use_things(market: Market) -> dict[str, int | str]:
    """A request for a free service with its evidence, not examined yet."""
    quote = await a_quote(market, during=None, purpose="disaster-relief")
    asked = await market.do(ask_free_use, AskFreeUse(quote.id, "应急监测"), by=market.buyer)
    evidence = AddEvidence(asked.id, "批文.pdf", f"%PDF-1.7 {next(_files)}".encode())
    kept = await market.do(add_evidence, evidence, by=market.buyer)
    return {"free_use_id": asked.id, "free_use_evidence_id": kept.id}
