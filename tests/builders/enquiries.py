"""Enquiries, brought as far as a test needs them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from marketplace.kernel.actors import Actor
from marketplace.orders.queries import Order
from marketplace.orders.queries.enquiries import Enquiry
from marketplace.orders.queries.enquiry_thread import EnquiryOffer, OfferAsked
from marketplace.orders.rules.states import Mode
from marketplace.orders.use_cases import (
    CloseService,
    ConfirmOrder,
    DeliverOrder,
    FinishSamples,
    MakeQuote,
    OpenService,
    ReceiveSamples,
    close_service,
    confirm_order,
    deliver_order,
    finish_samples,
    open_service,
    receive_samples,
    store_deliverable,
)
from marketplace.orders.use_cases.enquiries import AskProvider, ask_provider
from marketplace.orders.use_cases.enquiry_offers import OfferService, offer_service
from marketplace.orders.use_cases.manual_price import ManualPrice
from marketplace.orders.use_cases.offer_decisions import approve_offer
from marketplace.parties.roles import Role
from tests.builders.orders import WEDNESDAY_MORNING, Market, a_report, move_to
from tests.builders.parties import an_actor

# 300 CNY an hour, 100 CNY below the list of the market.
MANUAL = ManualPrice("hour", 30_000, "长期合作")


async def an_enquiry(market: Market, *, by: Actor | None = None, **changes: Any) -> Enquiry:
    """The buyer asks about time on the market's instrument."""
    asked = AskProvider(
        provider_id=market.manager.organisation_id,
        subject="薄膜截面成像",
        need="12 片样品，需要截面 SEM 与 EDS。",
        instrument_ids=(market.instrument_id,),
    )
    return await market.do(ask_provider, replace(asked, **changes), by=by or market.buyer)


def a_service(market: Market, **changes: Any) -> MakeQuote:
    """Two hours on Wednesday morning."""
    asked = MakeQuote(
        instrument_id=market.instrument_id,
        mode=Mode.MACHINE_TIME,
        starts_at=WEDNESDAY_MORNING.starts_at,
        ends_at=WEDNESDAY_MORNING.ends_at,
    )
    return replace(asked, **changes)


def samples_of(market: Market, *, samples: int = 5) -> MakeQuote:
    """Samples to be tested."""
    return MakeQuote(instrument_id=market.instrument_id, mode=Mode.SAMPLES, samples=samples)


async def an_offer(
    market: Market,
    enquiry_id: int,
    *,
    by: Actor | None = None,
    service: MakeQuote | None = None,
    manual: ManualPrice | None = None,
    valid_until: datetime | None = None,
) -> EnquiryOffer:
    """The provider's technician offers two hours by the list, or at the price that is named."""
    command = OfferService(
        enquiry_id, service or a_service(market), "含操作员", valid_until, manual
    )
    return await market.do(offer_service, command, by=by or market.technician)


async def an_approved_offer(
    market: Market, enquiry_id: int, *, manual: ManualPrice = MANUAL, **changes: Any
) -> EnquiryOffer:
    """An offer by hand that the manager has approved."""
    made = await an_offer(market, enquiry_id, manual=manual, **changes)
    return await market.do(approve_offer, OfferAsked(enquiry_id, made.id), by=market.manager)


async def another_manager(market: Market) -> Actor:
    """A second manager of the market's provider."""
    return await an_actor(
        market.database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )


async def deliver_machine_time(market: Market, placed: Order, *, used_minutes: int) -> Order:
    """An order for Wednesday morning, used for so long and delivered."""
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    move_to(market, WEDNESDAY_MORNING.starts_at + timedelta(minutes=used_minutes))
    await market.do(close_service, CloseService(placed.id), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    return await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)


async def deliver_samples(market: Market, placed: Order, *, samples: int, tested: int) -> Order:
    """An order for samples, confirmed, tested and delivered."""
    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    await market.do(receive_samples, ReceiveSamples(placed.id, samples), by=market.technician)
    await market.do(finish_samples, FinishSamples(placed.id, tested), by=market.technician)
    await market.do(store_deliverable, a_report(placed.id), by=market.technician)
    return await market.do(deliver_order, DeliverOrder(placed.id), by=market.technician)
