"""What the sheet says that travels with samples, for the two sides of an order."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.orders.queries.custody import (
    Declaration,
    declaration_of,
    order_of_side,
    require_samples,
)
from marketplace.orders.queries.orders import Order, SampleSet
from marketplace.parties import queries as parties
from marketplace.parties.queries import Organisation


@dataclass(frozen=True, slots=True)
class SampleSheet:
    """An order for samples, what they are like, and between whom they travel."""

    order: Order
    samples: SampleSet
    declaration: Declaration | None
    buyer: Organisation
    provider: Organisation
    send_to: str
    contact: str


async def sample_sheet(tx: Tx, order_id: int) -> SampleSheet:
    """What the sheet of an order says.

    Policy: J.20

    Raises:
        OrderMissing: for everybody but the two sides.
        WrongMode: for machine time.
    """
    found = await order_of_side(tx, order_id)
    samples = await require_samples(tx, found)
    instrument = await catalogue.instrument(tx, found.instrument_id)
    sides = await parties.organisations(tx, (found.buyer_id, found.provider_id))
    place = (instrument.province, instrument.city, instrument.county, instrument.street)
    return SampleSheet(
        order=found,
        samples=samples,
        declaration=await declaration_of(tx, found.id),
        buyer=sides[found.buyer_id],
        provider=sides[found.provider_id],
        send_to="".join(dict.fromkeys(part for part in place if part)),
        contact=" ".join(part for part in (instrument.contact, instrument.phone) if part),
    )
