"""Set an instrument's booking rule, and what differs for each class of user."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.booking.errors import CalendarInUse
from marketplace.booking.queries.timetables import province_terms, schedule, schedules
from marketplace.booking.rules.booking_rule import (
    Sharer,
    require_possible_rule,
    require_seats_of_sharers,
    require_sharing,
)
from marketplace.booking.rules.schedule import BookingTerms, ClassTerms, Schedule
from marketplace.booking.tables import LIVE, booking_rule, class_terms
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

_ONE_BY_ONE = text("select pg_advisory_xact_lock(hashtextextended('booking-rule-calendars', 0))")
# Who places waits, and reads the rule again at its insert (`use_cases.seats`).
_NOBODY_PLACES = text("lock table reservation in share row exclusive mode")


@dataclass(frozen=True, slots=True)
class SetBookingRule:
    """The whole rule: what is not said again does not stay."""

    instrument_id: int
    terms: BookingTerms


async def set_booking_rule(tx: Tx, command: SetBookingRule) -> BookingTerms:
    """Put a rule in force for reservations placed from now on; those that stand are kept.

    Raises:
        InstrumentMissing: when it belongs to others.
        BookingRuleRefused: with everything that is wrong.
        CalendarInUse: when it would leave a calendar in which reservations stand.
    """
    found = await own_schedule(tx, command.instrument_id)
    require_possible_rule(
        command.terms, province=province_terms(tx.today), classes=found.class_terms
    )
    if (command.terms.calendar_id, command.terms.seats) != (
        found.terms.calendar_id,
        found.terms.seats,
    ):
        await _require_calendar(tx, found, command.terms)
    values = {
        **dataclasses.asdict(command.terms),
        "set_by": tx.actor.person_id,
        "set_at": tx.now,
    }
    await tx.execute(
        upsert(booking_rule)
        .values(instrument_id=command.instrument_id, **values)
        .on_conflict_do_update(index_elements=["instrument_id"], set_=values)
    )
    tx.audit(
        "set",
        subject="booking_rule",
        subject_id=command.instrument_id,
        before=dataclasses.asdict(found.terms),
        after=dataclasses.asdict(command.terms),
    )
    return command.terms


async def own_schedule(tx: Tx, instrument_id: int) -> Schedule:
    """The present schedule of an instrument of the actor's own organisation.

    Raises:
        InstrumentMissing: when it belongs to others.
    """
    now = During(tx.now, tx.now + timedelta(minutes=1))
    found = await schedule(tx, instrument_id, now)
    if found.provider_id != tx.actor.organisation_id and not tx.actor.has("system"):
        raise InstrumentMissing()
    return found


async def _require_calendar(tx: Tx, found: Schedule, terms: BookingTerms) -> None:
    """Nothing, when the instrument may stand in the calendar that `terms` name.

    Changes of calendars happen one after the other, and while nobody places a reservation: what
    PostgreSQL guards is the calendar, so no reservation may end up in one that others have left.
    """
    await tx.execute(_ONE_BY_ONE)
    sharing = await tx.scalars(
        select(booking_rule.c.instrument_id).where(
            booking_rule.c.calendar_id == found.instrument_id
        )
    )
    now = During(tx.now, tx.now + timedelta(minutes=1))
    wanted = [one for one in (terms.calendar_id, found.instrument_id, *sharing) if one is not None]
    # Read under the lock: what was known before may have changed.
    known = await schedules(tx, wanted, now)
    sharers = [_sharer(known, instrument_id) for instrument_id in sharing]
    require_seats_of_sharers(terms.seats, [one for one in sharers if one is not None])
    if terms.calendar_id == known[found.instrument_id].terms.calendar_id:
        return
    if terms.calendar_id is not None:
        own = dataclasses.replace(known[found.instrument_id], terms=terms)
        require_sharing(
            _as_sharer(own),
            _sharer(known, terms.calendar_id),
            shared_by_others=bool(sharing),
        )
    await tx.execute(_NOBODY_PLACES)
    standing = await tx.scalar(
        select(func.count())
        .select_from(table)
        .where(table.c.instrument_id == found.instrument_id, LIVE)
    )
    if standing:
        raise CalendarInUse(
            f"{standing} live reservations stand in it; end or move them first.", standing=standing
        )


def _sharer(known: Mapping[int, Schedule], instrument_id: int) -> Sharer | None:
    found = known.get(instrument_id)
    return None if found is None else _as_sharer(found)


def _as_sharer(found: Schedule) -> Sharer:
    return Sharer(
        instrument_id=found.instrument_id,
        provider_id=found.provider_id,
        is_listed=found.status == "listed",
        seats=found.terms.seats,
        calendar_id=found.terms.calendar_id,
    )


@dataclass(frozen=True, slots=True)
class SetClassTerms:
    """What differs for each class of user; a class that is not named follows the booking rule."""

    instrument_id: int
    classes: tuple[ClassTerms, ...]


async def set_class_terms(tx: Tx, command: SetClassTerms) -> tuple[ClassTerms, ...]:
    """Replace the terms of every class; reservations that stand are kept.

    Policy: J.16a.

    Raises:
        InstrumentMissing: when it belongs to others.
        BookingRuleRefused: with everything that is wrong.
    """
    found = await own_schedule(tx, command.instrument_id)
    require_possible_rule(found.terms, province=province_terms(tx.today), classes=command.classes)
    await lock_settings(tx, command.instrument_id)
    await tx.execute(
        delete(class_terms).where(class_terms.c.instrument_id == command.instrument_id)
    )
    if command.classes:
        await tx.execute(
            insert(class_terms),
            [
                {"instrument_id": command.instrument_id, **dataclasses.asdict(one)}
                for one in command.classes
            ],
        )
    tx.audit(
        "set",
        subject="class_terms",
        subject_id=command.instrument_id,
        before=_told(found.class_terms),
        after=_told(command.classes),
    )
    return command.classes


async def lock_settings(tx: Tx, instrument_id: int) -> None:
    """Let whoever replaces an instrument's settings do so one after the other."""
    await tx.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:what, 0))"),
        {"what": f"booking-settings:{instrument_id}"},
    )


def _told(classes: tuple[ClassTerms, ...]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(one) for one in classes]
