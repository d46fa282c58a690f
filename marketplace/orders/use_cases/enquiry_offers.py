"""Offers in answer to an enquiry: what a provider offers, at its list prices or by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.orders.enquiry_errors import OfferRefused
from marketplace.orders.events import OfferAwaitsApproval, OfferMade
from marketplace.orders.queries.enquiries import Enquiry
from marketplace.orders.queries.enquiry_thread import EnquiryOffer
from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.enquiries import EnquiryStatus, EnquiryStep, OfferStatus, after
from marketplace.orders.rules.manual_price import Offered
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.rules.states import Mode
from marketplace.orders.tables import enquiry_offer
from marketplace.orders.use_cases.enquiry_steps import (
    end_standing,
    lock_in_time,
    note,
    take_step,
)
from marketplace.orders.use_cases.make_quote import ItemAsked, MakeQuote, make_quote
from marketplace.orders.use_cases.manual_price import ManualPrice, price_by_hand
from marketplace.rulebook import rulebook

OFFERS_MAX = 50
_OWN_COLUMNS = ("instrument_id", "mode", "starts_at", "ends_at", "samples", "arrives_on")
_IN_DETAILS = ("unit", "elements", "runs", "urgent", "extras", "further", "persons")


@dataclass(frozen=True, slots=True)
class OfferService:
    """What the provider offers in answer; `valid_until` is as long as quotes hold if not said."""

    enquiry_id: int
    service: MakeQuote
    note: str = ""
    valid_until: datetime | None = None
    manual: ManualPrice | None = None


async def offer_service(tx: Tx, command: OfferService) -> EnquiryOffer:
    """Offer a service in answer to an enquiry: a quote for its buyer, frozen at once.

    A price set by hand waits for a second person of the provider, and the buyer sees nothing of it
    until then. A new offer takes the place of the one that stands when the buyer sees it.
    Policy: J.15, J.21a, N.25c

    Raises:
        EnquiryMissing: for everybody but the provider.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        OfferRefused: with every reason, when it is not the provider's to offer.
        ManualPriceRefused: with every reason, when the price cannot be set.
        OfferAwaiting: when another price by hand waits for its approval.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.PROVIDER)
    after(EnquiryStatus(found.status), EnquiryStep.OFFER)
    round_ = await _next_round(tx, found)
    until = await _require_own(tx, found, command, round_)
    if command.manual is None:
        quote = await make_quote(tx, command.service, for_buyer(found, until))
        await end_standing(tx, found, OfferStatus.SUPERSEDED, because=f"Round {round_}.")
        made = await _insert(
            tx,
            command,
            round_,
            valid_until=quote.valid_until,
            status=OfferStatus.STANDING,
            price_list_id=quote.price_list_id,
            list_total_fen=quote.total_fen,
            total_fen=quote.total_fen,
            quote_id=quote.id,
            reason="",
        )
        await show_offer(tx, found, made, quote)
        return made
    priced = await price_by_hand(tx, found, command.service, command.manual)
    made = await _insert(
        tx,
        command,
        round_,
        valid_until=until,
        status=OfferStatus.AWAITING_APPROVAL,
        price_list_id=priced.price_list_id,
        list_total_fen=priced.list_total_fen,
        total_fen=priced.total_fen,
        manual_unit=priced.unit.unit,
        manual_unit_fen=command.manual.unit_fen,
        list_unit_fen=priced.unit.list_fen,
        ceiling_fen=priced.unit.cost_fen,
        reason=command.manual.reason,
    )
    await note(
        tx,
        found.id,
        "price_by_hand",
        internal=True,
        offer_id=made.id,
        unit=made.manual_unit,
        unit_fen=made.manual_unit_fen,
        list_unit_fen=made.list_unit_fen,
        ceiling_fen=made.ceiling_fen,
        total_fen=made.total_fen,
        reason=made.reason,
    )
    tx.record(OfferAwaitsApproval(found.id, found.provider_id, made.id))
    return made


async def _next_round(tx: Tx, found: Enquiry) -> int:
    table = enquiry_offer.c
    rounds = await tx.scalar(select(func.max(table.round)).where(table.enquiry_id == found.id))
    return int(rounds or 0) + 1


async def _require_own(tx: Tx, found: Enquiry, command: OfferService, round_: int) -> datetime:
    """Until when the offer is to hold, where everything in it is the provider's own."""
    longest = tx.now + timedelta(days=rulebook().orders.quote_valid_days.on(tx.today))
    until = command.valid_until or longest
    reasons = Reasons()
    if not tx.now < until <= longest:
        reasons.add(
            "offer-validity",
            f"An offer holds until some moment before {longest.isoformat()}.",
            limit=longest.isoformat(),
            asked=until.isoformat(),
        )
    if round_ > OFFERS_MAX:
        reasons.add("offer-rounds", f"After {OFFERS_MAX} offers, ask anew.", limit=OFFERS_MAX)
    asked = {item.instrument_id for item in command.service.items}
    known = await catalogue.instruments(tx, asked)
    for each in sorted(asked):
        if each not in known or known[each].provider_id != found.provider_id:
            reasons.add("offer-own", "The provider has no such instrument.", asked=each)
    if command.service.buyer_id not in (None, found.buyer_id):
        reasons.add("offer-buyer", "It is offered to the one who asked.", limit=found.buyer_id)
    if command.service.purpose is not None:
        reasons.add("offer-purpose", "Free use is applied for, and not offered at a price.")
    reasons.raise_as(OfferRefused)
    return until


def for_buyer(
    found: Enquiry, valid_until: datetime, *, unit: str | None = None, unit_fen: int | None = None
) -> Offered:
    """The offer as its enquiry's buyer gets it, at the list's price or at one set by hand."""
    return Offered(
        buyer_id=found.buyer_id,
        agent_id=found.agent_id,
        valid_until=valid_until,
        manual_unit=unit,
        manual_unit_fen=unit_fen,
    )


async def _insert(tx: Tx, command: OfferService, round_: int, **facts: Any) -> EnquiryOffer:
    service = asdict(command.service)
    return await tx.one(
        EnquiryOffer,
        insert(enquiry_offer)
        .values(
            facts
            | {name: service[name] for name in _OWN_COLUMNS}
            | {
                "enquiry_id": command.enquiry_id,
                "round": round_,
                "service_kind": command.service.service_kind,
                "details": _plain({name: service[name] for name in _IN_DETAILS}),
                "note": command.note,
                "made_by": tx.actor.person_id,
                "made_at": tx.now,
            }
        )
        .returning(*(enquiry_offer.c[name] for name in EnquiryOffer.__dataclass_fields__)),
    )


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def service_of(offer: EnquiryOffer) -> MakeQuote:
    """What was offered, as it was asked of the price list."""
    details = dict(offer.details)
    further = tuple(
        ItemAsked(
            **item
            | {
                "mode": Mode(item["mode"]),
                "starts_at": _instant(item["starts_at"]),
                "ends_at": _instant(item["ends_at"]),
                "extras": _extras(item["extras"]),
            }
        )
        for item in details["further"]
    )
    own = {name: getattr(offer, name) for name in _OWN_COLUMNS}
    return MakeQuote(
        **details
        | own
        | {
            "mode": Mode(offer.mode),
            "service_kind": offer.service_kind,
            "extras": _extras(details["extras"]),
            "further": further,
        }
    )


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _extras(found: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((code, quantity) for code, quantity in found)


async def show_offer(tx: Tx, found: Enquiry, offer: EnquiryOffer, quote: Quote) -> None:
    """The offer stands: the buyer sees it, and decides while its quote is valid."""
    await take_step(
        tx,
        found,
        EnquiryStep.OFFER,
        offer_until=quote.valid_until,
        answered=True,
        offer_id=offer.id,
        quote_id=quote.id,
        round=offer.round,
        total_fen=quote.total_fen,
    )
    tx.record(
        OfferMade(
            enquiry_id=found.id,
            buyer_id=found.buyer_id,
            provider_id=found.provider_id,
            offer_id=offer.id,
            quote_id=quote.id,
            total_fen=quote.total_fen,
            valid_until=quote.valid_until,
        )
    )
