"""What an offer comes to: by the provider's list, and by a price per unit that was set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from marketplace.billing.pricing import queries as pricing
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.orders.enquiry_errors import ManualPriceRefused
from marketplace.orders.queries.enquiries import Enquiry
from marketplace.orders.rules.customers import customer_class
from marketplace.orders.rules.manual_price import UnitPrice, require_manual_price
from marketplace.orders.use_cases.make_quote import (
    MakeQuote,
    require_good_standing,
    require_offered,
)
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class ManualPrice:
    """A price per unit instead of the list's, and why this buyer is to have it."""

    unit: str
    unit_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class PricedByHand:
    """A service at a price set by hand, beside what it comes to by the list."""

    price_list_id: int
    unit: UnitPrice
    list_total_fen: int
    total_fen: int


async def price_by_hand(
    tx: Tx, found: Enquiry, service: MakeQuote, manual: ManualPrice
) -> PricedByHand:
    """Price one instrument's service by hand, held against its list and its cost sheet.

    Policy: J.21a, N.25a, N.25c

    Raises:
        ManualPriceRefused: with every reason.
        PartySuspended, InstrumentNotOffered, NoPriceInForce: when there is nothing to offer.
    """
    if len(service.items) > 1:
        raise ManualPriceRefused(
            "Set the price of one instrument at a time; offer the others by their lists."
        )
    instrument = await catalogue.instrument(tx, service.instrument_id)
    buyer = await parties.organisation(tx, found.buyer_id)
    provider = await parties.organisation(tx, found.provider_id)
    require_good_standing(buyer, provider)
    profile = await parties.sme_profile(tx, parties.SmeYear(buyer.id, tx.today.year))
    buyer_class = customer_class(
        kind=buyer.kind,
        same_legal_entity=buyer.legal_entity_id == provider.legal_entity_id,
        has_sme_profile=profile is not None,
    )
    require_offered(instrument, to=buyer_class)
    asked = service.items[0].service(customer_class=buyer_class, on=tx.today, purpose=None)
    listed = await pricing.price_service(tx, asked)
    by_hand = await pricing.price_service_by_list(
        tx, listed.price_list_id, replace(asked, unit=manual.unit, manual_fen=manual.unit_fen)
    )
    unit = await _unit_price(tx, listed.price_list_id, buyer_class, manual.unit)
    require_manual_price(
        manual.unit_fen,
        of=unit,
        total_fen=by_hand.total_fen,
        reason=manual.reason,
        purpose=service.purpose,
    )
    return PricedByHand(listed.price_list_id, unit, listed.total_fen, by_hand.total_fen)


async def _unit_price(tx: Tx, price_list_id: int, customer_class: str, unit: str) -> UnitPrice:
    """What a unit costs this class by the list, and what it costs the provider."""
    listed = await pricing.price_list_by_id(tx, price_list_id)
    price = next(
        one for one in listed.prices if (one.customer_class, one.unit) == (customer_class, unit)
    )
    return UnitPrice(unit, price.amount_fen, price.cost_fen)
