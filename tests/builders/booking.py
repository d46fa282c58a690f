"""Instruments that can be reserved, and reservations: valid by default."""

import itertools
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.booking.queries import BookingTerms, Group, Purpose, Reservation, SeriesWithDates
from marketplace.booking.use_cases import (
    GroupItem,
    HoldTime,
    PlaceGroup,
    PlaceReservation,
    PlaceSeries,
    SeriesAsked,
    SetBookingRule,
    hold_time,
    place_group,
    place_reservation,
    place_series,
    set_booking_rule,
)
from marketplace.catalogue.queries import OpeningHours
from marketplace.catalogue.use_cases import (
    CloseInstrument,
    RegisterInstrument,
    SetOpeningHours,
    close_instrument,
    register_instrument,
    set_opening_hours,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import During, shanghai_instant
from tests.builders.parties import a_person, a_provider

TEST = system_actor("test")
MONDAY = date(2025, 3, 3)
# Open day and night, reserved by the half hour, from one hour's notice on.
TERMS = BookingTerms(
    step_minutes=30,
    minimum_minutes=30,
    maximum_minutes=480,
    notice_minutes=60,
    horizon_days=90,
)
ALWAYS = tuple(OpeningHours(weekday, 0, 1440) for weekday in range(7))

_numbers = itertools.count(1)


def at_hours(day: int, from_hour: float, until_hour: float) -> During:
    """From one hour to another, `day` days after Monday 3 March 2025, in Shanghai."""
    midnight = shanghai_instant(MONDAY + timedelta(days=day))
    return During(midnight + timedelta(hours=from_hour), midnight + timedelta(hours=until_hour))


def clock_at(day: int, hour: float) -> datetime:
    """An instant, `day` days after Monday 3 March 2025."""
    return at_hours(day, hour, hour + 1).starts_at


async def a_bookable_instrument(
    database: Database,
    *,
    provider_id: int | None = None,
    hours: tuple[OpeningHours, ...] = ALWAYS,
    content: dict[str, Any] | None = None,
    **terms: Any,
) -> int:
    """A listed instrument with opening hours and a booking rule; `terms` change `TERMS`."""
    described: dict[str, Any] = {
        "inner_id": f"booked-{next(_numbers)}",
        "cname": "场发射扫描电子显微镜",
        "category_code": "060501",
        "worth_fen": 30_000_000,
        "funds": "local",
        "customs_supervised": False,
        "kind": "general",
        "share_mode": "external",
        "condition": "normal",
    }
    command = RegisterInstrument(
        provider_id or await a_provider(database), described | (content or {})
    )
    made = await atomically(database, register_instrument, command, actor=TEST)
    await atomically(database, set_opening_hours, SetOpeningHours(made.id, hours), actor=TEST)
    rule = SetBookingRule(made.id, replace(TERMS, **terms))
    await atomically(database, set_booking_rule, rule, actor=TEST)
    return made.id


async def a_rule(database: Database, *, instrument_id: int, **terms: Any) -> None:
    """A booking rule that changes `TERMS`, in place of the one before."""
    rule = SetBookingRule(instrument_id, replace(TERMS, **terms))
    await atomically(database, set_booking_rule, rule, actor=TEST)


async def a_closure(
    database: Database, *, instrument_id: int, during: During, reason: str = "new detector"
) -> None:
    """A dated closure."""
    command = CloseInstrument(instrument_id, during, reason)
    await atomically(database, close_instrument, command, actor=TEST)


async def a_reservation(
    database: Database,
    *,
    instrument_id: int,
    during: During | None = None,
    actor: Actor = TEST,
    **changes: Any,
) -> Reservation:
    """Two hours on Wednesday, for own research, by somebody of the instrument's provider."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "during": during or at_hours(2, 9, 11),
        "purpose": Purpose.OWN_RESEARCH,
        "organisation_id": actor.organisation_id,
        "person_id": actor.person_id,
    }
    if actor is TEST and "person_id" not in changes:
        asked["person_id"] = await a_person(database)
    command = PlaceReservation(**(asked | changes))
    return await atomically(database, place_reservation, command, actor=actor)


async def a_hold(
    database: Database, *, instrument_id: int, actor: Actor, **changes: Any
) -> Reservation:
    """Two hours on Wednesday, kept for a course until they begin, by the provider's staff."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "during": at_hours(2, 9, 11),
        "purpose": Purpose.TEACHING,
        "reason": "a course",
    }
    return await atomically(database, hold_time, HoldTime(**(asked | changes)), actor=actor)


async def a_group(database: Database, *, instrument_id: int, actor: Actor, **changes: Any) -> Group:
    """A group of one instrument for an hour on Thursday, by the provider's staff."""
    asked: dict[str, Any] = {
        "instrument_ids": (instrument_id,),
        "during": at_hours(3, 9, 10),
        "purpose": Purpose.OWN_RESEARCH,
    }
    command = PlaceGroup((GroupItem(**(asked | changes)),))
    return await atomically(database, place_group, command, actor=actor)


async def a_series(
    database: Database,
    *,
    instrument_id: int,
    actor: Actor,
    skip_conflicts: bool = False,
    **changes: Any,
) -> SeriesWithDates:
    """Four Wednesdays from nine to eleven, for a course, by the provider's staff."""
    asked: dict[str, Any] = {
        "instrument_id": instrument_id,
        "starts_at": clock_at(2, 9),
        "minutes": 120,
        "rule": "FREQ=WEEKLY;COUNT=4",
        "purpose": Purpose.TEACHING,
    }
    command = PlaceSeries(SeriesAsked(**(asked | changes)), skip_conflicts=skip_conflicts)
    return await atomically(database, place_series, command, actor=actor)
