"""A reservation of the provider's own on another of its instruments: both times change, or none."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.booking.errors import (
    ReservationBelongsToOrder,
    ReservationChanged,
    ReservationNotInState,
    ReservationOverlaps,
)
from marketplace.booking.queries import Status, visible_reservation
from marketplace.booking.use_cases import (
    CancelReservation,
    MoveElsewhere,
    cancel_reservation,
    directly,
    move_elsewhere,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Missing
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours
from tests.builders.orders import Market, a_market, an_order

MORNING, NOON = at_hours(3, 9, 11), at_hours(3, 12, 14)


async def moved(market: Market, reservation_id: int, to: int, **changes: Any) -> Any:
    command = MoveElsewhere(reservation_id, to, changes.pop("during", MORNING), **changes)
    return await market.do(directly(move_elsewhere), command, by=market.technician)


async def test_it_leaves_one_instrument_and_stands_on_the_other(database: Database):
    market = await a_market(database)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    here = await a_reservation(
        database, instrument_id=market.instrument_id, during=MORNING, actor=market.technician
    )
    made = await moved(market, here.id, there, during=NOON)
    old = await market.do(visible_reservation, here.id, by=market.technician)
    back = await moved(market, made.id, there, during=MORNING)

    assert (Status.CANCELLED, Status.CONFIRMED) == (old.status, made.status)
    assert (there, NOON, here.person_id, here.purpose) == (
        made.instrument_id,
        made.during,
        made.person_id,
        made.purpose,
    )
    assert (made.id, MORNING) == (back.id, back.during)


async def test_what_cannot_stand_there_stays_where_it_is(database: Database):
    market = await a_market(database)
    there = await a_bookable_instrument(database, provider_id=market.manager.organisation_id)
    strange = await a_bookable_instrument(database)
    own: dict[str, Any] = {"during": MORNING, "actor": market.technician}
    here = await a_reservation(database, instrument_id=market.instrument_id, **own)
    await a_reservation(database, instrument_id=there, **own)
    ordered = await an_order(market)
    assert ordered.reservation_id is not None
    over = await a_reservation(
        database, instrument_id=there, during=at_hours(4, 9, 10), actor=market.technician
    )
    await market.do(cancel_reservation, CancelReservation(over.id, "x", by_provider=True))
    for number, to, changes, refusal in (
        (here.id, there, {}, ReservationOverlaps),
        (here.id, strange, {}, InstrumentMissing),
        (here.id, there, {"expected_revision": 9, "during": NOON}, ReservationChanged),
        (over.id, market.instrument_id, {"during": NOON}, ReservationNotInState),
        (ordered.reservation_id, there, {"during": NOON}, ReservationBelongsToOrder),
    ):
        with pytest.raises(refusal):
            await moved(market, number, to, **changes)
    other = await a_market(database)
    with pytest.raises(Missing):
        await moved(other, here.id, other.instrument_id)
    stayed = await market.do(visible_reservation, here.id, by=market.technician)

    assert (here.revision, Status.CONFIRMED) == (stayed.revision, stayed.status)
