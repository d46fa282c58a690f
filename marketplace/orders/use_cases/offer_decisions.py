"""What becomes of an offer: approved where the price is by hand, taken back, accepted or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from marketplace.kernel.db import Tx
from marketplace.orders.enquiry_errors import OfferChanged, OfferNotOpen
from marketplace.orders.queries.enquiry_thread import EnquiryOffer, OfferAsked, offer_by_id
from marketplace.orders.rules.enquiries import EnquiryStep, OfferStatus
from marketplace.orders.rules.manual_price import require_second_person
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.tables import enquiry_offer
from marketplace.orders.use_cases.enquiry_offers import for_buyer, service_of, show_offer
from marketplace.orders.use_cases.enquiry_steps import (
    end_standing,
    lock_in_time,
    note,
    take_step,
)
from marketplace.orders.use_cases.make_quote import make_quote


async def approve_offer(tx: Tx, command: OfferAsked) -> EnquiryOffer:
    """A second person agrees to a price set by hand: the quote is made, and the buyer sees it.

    Policy: J.21a

    Raises:
        EnquiryMissing, OfferMissing: for everybody but the provider.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        OfferNotOpen: when it was decided on before, or its time is over.
        ApprovalByMaker: when the one who set the price approves.
        OfferChanged: when list or cost have changed so that it comes to something else.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.PROVIDER)
    offer = await _open(tx, command, OfferStatus.AWAITING_APPROVAL)
    require_second_person(made_by=offer.made_by, decided_by=tx.actor.person_id)
    offered = for_buyer(
        found, offer.valid_until, unit=offer.manual_unit, unit_fen=offer.manual_unit_fen
    )
    quote = await make_quote(tx, service_of(offer), offered)
    if (quote.total_fen, quote.price_list_id) != (offer.total_fen, offer.price_list_id):
        raise OfferChanged(
            "The price list is another by now; make the offer anew.",
            total_fen=quote.total_fen,
            offered_fen=offer.total_fen,
        )
    await end_standing(tx, found, OfferStatus.SUPERSEDED, because=f"Round {offer.round}.")
    shown = await _update(
        tx,
        offer,
        status=OfferStatus.STANDING,
        quote_id=quote.id,
        approved_by=tx.actor.person_id,
        approved_at=tx.now,
    )
    await note(
        tx,
        found.id,
        "approve_price",
        internal=True,
        offer_id=offer.id,
        made_by=offer.made_by,
        unit=offer.manual_unit,
        unit_fen=offer.manual_unit_fen,
        list_unit_fen=offer.list_unit_fen,
        ceiling_fen=offer.ceiling_fen,
    )
    await show_offer(tx, found, shown, quote)
    return shown


@dataclass(frozen=True, slots=True)
class EndOffer:
    """Somebody ends an offer, and says why."""

    enquiry_id: int
    offer_id: int
    reason: str


async def refuse_offer(tx: Tx, command: EndOffer) -> EnquiryOffer:
    """The second person does not agree to the price; the buyer hears nothing of it.

    Raises:
        EnquiryMissing, OfferMissing: for everybody but the provider.
        OfferNotOpen: when it does not wait for approval any more.
        ApprovalByMaker: when the one who set the price decides.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.PROVIDER)
    offer = await _open(tx, command, OfferStatus.AWAITING_APPROVAL)
    require_second_person(made_by=offer.made_by, decided_by=tx.actor.person_id)
    refused = await _end(tx, offer, OfferStatus.REFUSED, because=command.reason)
    await note(
        tx, found.id, "refuse_price", internal=True, offer_id=offer.id, because=command.reason
    )
    return refused


async def retract_offer(tx: Tx, command: EndOffer) -> EnquiryOffer:
    """The provider takes an offer back: one that waits for approval, or one that stands.

    Raises:
        EnquiryMissing, OfferMissing: for everybody but the provider.
        OfferNotOpen: when it was decided on, replaced, or is over.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.PROVIDER)
    offer = await _open(tx, command, OfferStatus.AWAITING_APPROVAL, OfferStatus.STANDING)
    if offer.status == OfferStatus.AWAITING_APPROVAL:
        await note(tx, found.id, "retract_price", internal=True, offer_id=offer.id)
        return await _end(tx, offer, OfferStatus.WITHDRAWN, because=command.reason)
    await end_standing(tx, found, OfferStatus.WITHDRAWN, because=command.reason)
    await take_step(tx, found, EnquiryStep.RETRACT, because=command.reason, offer_id=offer.id)
    return await offer_by_id(tx, OfferAsked(found.id, offer.id))


async def accept_offer(tx: Tx, command: OfferAsked) -> EnquiryOffer:
    """The buyer takes the offer: from now on its quote can be ordered, while it is valid.

    Raises:
        EnquiryMissing, OfferMissing: for everybody but the buyer itself.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        OfferNotOpen: when the offer does not stand any more.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.BUYER)
    offer = await _open(tx, command, OfferStatus.STANDING)
    accepted = await _end(tx, offer, OfferStatus.ACCEPTED, because="Accepted by the buyer.")
    await take_step(
        tx,
        found,
        EnquiryStep.ACCEPT,
        because="Accepted by the buyer.",
        offer_id=offer.id,
        quote_id=offer.quote_id,
        total_fen=offer.total_fen,
    )
    return accepted


@dataclass(frozen=True, slots=True)
class TurnOfferDown:
    """The buyer does not take an offer; `final` when it wants no other one either."""

    enquiry_id: int
    offer_id: int
    reason: str
    final: bool = False


async def turn_offer_down(tx: Tx, command: TurnOfferDown) -> EnquiryOffer:
    """The buyer says no, and why: another round may follow, unless it says that none is wanted.

    Raises:
        EnquiryMissing, OfferMissing: for everybody but the buyer itself.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        OfferNotOpen: when the offer does not stand any more.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.BUYER)
    offer = await _open(tx, command, OfferStatus.STANDING)
    await end_standing(tx, found, OfferStatus.DECLINED, because=command.reason)
    step = EnquiryStep.DECLINE if command.final else EnquiryStep.TURN_DOWN
    await take_step(
        tx, found, step, because=command.reason, offer_id=offer.id, side=str(Side.BUYER)
    )
    return await offer_by_id(tx, OfferAsked(found.id, offer.id))


async def _open(
    tx: Tx, command: OfferAsked | EndOffer | TurnOfferDown, *statuses: OfferStatus
) -> EnquiryOffer:
    """An offer of the enquiry that can still be decided on.

    Raises:
        OfferMissing: when the enquiry has none such.
        OfferNotOpen: when it is too late.
    """
    offer = await offer_by_id(tx, OfferAsked(command.enquiry_id, command.offer_id))
    if offer.status not in statuses:
        raise OfferNotOpen(f"It is {offer.status}.", offer_status=offer.status)
    if offer.valid_until <= tx.now:
        raise OfferNotOpen("Its time is over.", offer_status=str(OfferStatus.LAPSED))
    return offer


async def _end(tx: Tx, offer: EnquiryOffer, status: OfferStatus, *, because: str) -> EnquiryOffer:
    return await _update(
        tx,
        offer,
        status=status,
        ended_by=tx.actor.person_id,
        ended_at=tx.now,
        ended_because=because,
    )


async def _update(tx: Tx, offer: EnquiryOffer, **changes: Any) -> EnquiryOffer:
    await tx.execute(update(enquiry_offer).where(enquiry_offer.c.id == offer.id).values(changes))
    return replace(offer, **changes)
