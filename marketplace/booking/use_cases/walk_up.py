"""Use one's own instrument from this minute on: reserved and checked in at once."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    ReservationOverlaps,
    ReservationRefused,
    WalkUpRefused,
)
from marketplace.booking.queries.reservations import Reservation, reservation
from marketplace.booking.queries.sessions import UsageSession
from marketplace.booking.queries.walk_up import WalkUpAsked, walk_up_offers
from marketplace.booking.rules.states import Purpose
from marketplace.booking.rules.walk_up import from_now
from marketplace.booking.use_cases.place import PlaceReservation, place_reservation
from marketplace.booking.use_cases.sessions import OpenSession, open_session
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class WalkUp:
    """Begin now, for one of the lengths that are offered."""

    instrument_id: int
    minutes: int
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class WalkedUp:
    """The reservation, and the session that is open."""

    reservation: Reservation
    session: UsageSession


async def walk_up(tx: Tx, command: WalkUp) -> WalkedUp:
    """Take an instrument of one's own that is free now, from this minute on.

    Neither notice nor step counts; opening hours, standing and quotas do.

    Raises:
        InstrumentMissing: when it belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
        WalkUpRefused: with every reason, and the lengths that are possible.
    """
    if command.purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Make a quote and place an order; it reserves the time.")
    offers = await walk_up_offers(tx, WalkUpAsked(command.instrument_id, command.purpose))
    if command.minutes not in offers.minutes and not offers.reasons:
        raise WalkUpRefused(
            "Take one of the lengths that are possible.",
            possible_minutes=list(offers.minutes),
            asked=command.minutes,
        )
    try:
        placed = await place_reservation(
            tx,
            PlaceReservation(
                instrument_id=command.instrument_id,
                during=from_now(tx.now, command.minutes),
                purpose=command.purpose,
                organisation_id=tx.actor.organisation_id,
                person_id=tx.actor.person_id,
                walk_up=True,
            ),
        )
    except (ReservationRefused, ReservationOverlaps) as refused:
        raise WalkUpRefused(
            refused.detail, reasons=refused.reasons, possible_minutes=list(offers.minutes)
        ) from refused
    session = await open_session(tx, OpenSession(placed.id))
    return WalkedUp(await reservation(tx, placed.id), session)
