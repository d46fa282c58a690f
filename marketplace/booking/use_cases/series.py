"""Reserve what recurs, look at it before, and take a date up again that was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    OccurrenceReserved,
    ReservationOverlaps,
    ReservationRefused,
    SeriesOver,
    SeriesRefused,
)
from marketplace.booking.queries.series import (
    Series,
    SeriesWithDates,
    locked_series,
    occurrences,
    series,
)
from marketplace.booking.queries.timetables import schedule, taken
from marketplace.booking.rules.availability import refusals
from marketplace.booking.rules.schedule import Schedule, Taken
from marketplace.booking.rules.series import (
    OCCURRENCES_MAX,
    Recurrence,
    recurrence_of,
    series_dates,
)
from marketplace.booking.rules.states import LIVE, Purpose, Status, UserClass
from marketplace.booking.tables import reservation_series, series_occurrence
from marketplace.booking.use_cases.change import lock_calendars
from marketplace.booking.use_cases.place import (
    PlaceReservation,
    place_reservation,
    reasons_against,
)
from marketplace.booking.use_cases.refuse import is_taken
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import SHANGHAI, During

GIVEN_BACK = Reason("given-back", "The date was given back or used before the series changed.")
BUSY = Reason("busy", "Somebody else holds the instrument in that time.")


@dataclass(frozen=True, slots=True)
class SeriesAsked:
    """`minutes` from `starts_at`, and again on each date of `rule` (RFC 5545)."""

    instrument_id: int
    starts_at: datetime
    minutes: int
    rule: str
    purpose: Purpose
    seat: int | None = None
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceSeries:
    """Reserve a series: with `skip_conflicts` what is free of it, otherwise all or nothing.

    A series that follows another one may `leave_out` dates that were given back before.
    """

    asked: SeriesAsked
    skip_conflicts: bool = False
    follows_id: int | None = None
    leave_out: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class RetryOccurrence:
    """Reserve a date of a series that was left out or given back, or one that its rule lacks."""

    series_id: int
    starts_at: datetime
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class DatePreviewed:
    """A date of a series, and everything against it; nothing: it would be reserved."""

    during: During
    reasons: tuple[Reason, ...]


async def preview_series(tx: Tx, asked: SeriesAsked) -> list[DatePreviewed]:
    """Each date as things stand, by itself; quotas that the series uses up show when it is placed.

    Raises:
        InstrumentMissing: when it belongs to others.
        RecurrenceMalformed: when the rule cannot be read.
        SeriesRefused: with everything that is wrong with the series as a whole.
    """
    await _require_own(tx, asked.instrument_id, asked.purpose)
    dates = _dates(tx, asked)[1]
    span = During(dates[0].starts_at, dates[-1].ends_at)
    found = await schedule(tx, asked.instrument_id, span, user_class=UserClass.OWN_UNIT)
    beside = (await taken(tx, [found], span))[found.instrument_id]
    previewed = []
    for during in dates:
        reasons = await reasons_against(tx, _command(tx, asked, during, None), found)
        if is_taken(found, _near(found, beside, during), during, seat=asked.seat):
            reasons = (*reasons, BUSY)
        previewed.append(DatePreviewed(during, reasons))
    return previewed


async def place_series(tx: Tx, command: PlaceSeries) -> SeriesWithDates:
    """Reserve every date in order; those left out are kept with their reasons.

    Raises:
        InstrumentMissing: when it belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
        RecurrenceMalformed: when the rule cannot be read.
        SeriesRefused: with everything against the series or its dates.
    """
    asked = command.asked
    await _require_own(tx, asked.instrument_id, asked.purpose)
    rule, dates = _dates(tx, asked)
    series_id: int = await tx.scalar(
        insert(reservation_series)
        .values(
            instrument_id=asked.instrument_id,
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            purpose=asked.purpose,
            rule=str(rule),
            starts_at=asked.starts_at,
            minutes=asked.minutes,
            follows_id=command.follows_id,
            made_at=tx.now,
        )
        .returning(reservation_series.c.id)
    )
    skipped = await _place_dates(tx, command, dates, series_id)
    conflicts = {one: why for one, why in skipped.items() if one.starts_at not in command.leave_out}
    if (conflicts and not command.skip_conflicts) or len(skipped) == len(dates):
        raise _refusal(conflicts)
    tx.audit(
        "place",
        subject="reservation_series",
        subject_id=series_id,
        rule=str(rule),
        dates=len(dates),
        skipped=len(skipped),
    )
    return await series(tx, series_id)


async def retry_occurrence(tx: Tx, command: RetryOccurrence) -> SeriesWithDates:
    """Reserve one date of a series that has no reservation, or add a date to it.

    Raises:
        Missing: when the series belongs to others.
        SeriesOver: when it was cut or cancelled.
        OccurrenceReserved: when the date has its reservation, or was used.
        SeriesRefused: when it has as many dates as a series may have.
        ReservationRefused, ReservationOverlaps: as for any other reservation.
    """
    found = await locked_series(tx, command.series_id)
    if found.ended_at is not None:
        raise SeriesOver("It was cut or cancelled; reserve the date by itself.")
    dates = {one.starts_at: one for one in await occurrences(tx, found.id)}
    present = dates.get(command.starts_at)
    held = present.reservation if present else None
    if held is not None and held.status in LIVE | {Status.USED}:
        raise OccurrenceReserved("Move or cancel its reservation.", reservation_id=held.id)
    if present is None and len(dates) >= OCCURRENCES_MAX:
        raise SeriesRefused(f"A series has at most {OCCURRENCES_MAX} dates.", limit=OCCURRENCES_MAX)
    asked = _asked_by(found, command.override_reason)
    during = During(command.starts_at, command.starts_at + timedelta(minutes=found.minutes))
    placed = await place_reservation(tx, _command(tx, asked, during, found.id))
    await tx.execute(
        upsert(series_occurrence)
        .values(series_id=found.id, starts_at=command.starts_at, reservation_id=placed.id)
        .on_conflict_do_update(
            index_elements=["series_id", "starts_at"],
            set_={"reservation_id": placed.id, "skipped_because": None},
        )
    )
    tx.audit(
        "retry",
        subject="reservation_series",
        subject_id=found.id,
        starts_at=command.starts_at.isoformat(),
        reservation_id=placed.id,
    )
    return await series(tx, found.id)


async def _require_own(tx: Tx, instrument_id: int, purpose: Purpose) -> None:
    if purpose is Purpose.EXTERNAL:
        raise ExternalTimeIsOrdered("Make a quote and place an order; it reserves the time.")
    await own_instrument(tx, instrument_id)


def _dates(tx: Tx, asked: SeriesAsked) -> tuple[Recurrence, list[During]]:
    rule = recurrence_of(asked.rule)
    dates, wrong = series_dates(rule, asked.starts_at, asked.minutes, at=tx.now)
    wrong.raise_as(SeriesRefused)
    return rule, dates


def _asked_by(found: Series, override_reason: str | None) -> SeriesAsked:
    return SeriesAsked(
        found.instrument_id,
        found.starts_at,
        found.minutes,
        found.rule,
        found.purpose,
        override_reason=override_reason,
    )


def _command(tx: Tx, asked: SeriesAsked, during: During, series_id: int | None) -> PlaceReservation:
    return PlaceReservation(
        instrument_id=asked.instrument_id,
        during=during,
        purpose=asked.purpose,
        organisation_id=tx.actor.organisation_id,
        person_id=tx.actor.person_id,
        user_class=UserClass.OWN_UNIT,
        series_id=series_id,
        seat=asked.seat,
        override_reason=asked.override_reason,
    )


async def _place_dates(
    tx: Tx, command: PlaceSeries, dates: Sequence[During], series_id: int
) -> dict[During, Sequence[Reason]]:
    """Reserve each date in order and write them all down; those left out, and why."""
    asked = command.asked
    span = During(dates[0].starts_at, dates[-1].ends_at)
    found = await schedule(tx, asked.instrument_id, span, user_class=UserClass.OWN_UNIT)
    await lock_calendars(tx, [found.calendar_id])
    beside = (await taken(tx, [found], span))[found.instrument_id]
    rows: list[dict[str, Any]] = []
    skipped: dict[During, Sequence[Reason]] = {}
    for during in dates:
        reasons: Sequence[Reason] = [
            reason
            for reason in refusals(found, during, purpose=asked.purpose, at=tx.now)
            if asked.override_reason is None or not reason.overridable
        ]
        if is_taken(found, _near(found, beside, during), during, seat=asked.seat):
            reasons = [*reasons, BUSY]
        if during.starts_at in command.leave_out:
            reasons = [GIVEN_BACK]
        placed = None
        if not reasons:
            try:
                placed = await place_reservation(tx, _command(tx, asked, during, series_id))
            except (ReservationRefused, ReservationOverlaps) as refused:
                reasons = refused.reasons
        if placed is None:
            skipped[during] = reasons
        rows.append(
            {
                "series_id": series_id,
                "starts_at": during.starts_at,
                "reservation_id": placed and placed.id,
                "skipped_because": None if placed else msgspec.to_builtins(list(reasons)),
            }
        )
    await tx.execute(insert(series_occurrence), rows)
    return skipped


def _near(found: Schedule, beside: Sequence[Taken], during: During) -> list[Taken]:
    """What could be in the way of one date, of all that is taken in a year."""
    reach = found.blocked(during).widened(
        before_minutes=found.terms.after_minutes, after_minutes=found.terms.before_minutes
    )
    return [one for one in beside if one.blocked.overlaps(reach)]


def _refusal(skipped: dict[During, Sequence[Reason]]) -> SeriesRefused:
    told = [
        Reason(
            reason.rule,
            f"{during.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}: {reason.message}",
            limit=reason.limit,
            asked=reason.asked,
            source=reason.source,
            overridable=reason.overridable,
        )
        for during, reasons in skipped.items()
        for reason in reasons
    ]
    return SeriesRefused(
        "Not every date is free; leave those out that are not, or choose others.",
        reasons=told,
        dates=[
            {
                "starts_at": during.starts_at,
                "ends_at": during.ends_at,
                "reasons": msgspec.to_builtins(list(reasons)),
            }
            for during, reasons in skipped.items()
        ],
    )
