"""Change or cancel a series: one date, one and all after it, or all that lie ahead.

What is past or was used is never touched. A change of more than one date cuts the series: what
lies before stays with it, and a new one follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from marketplace.booking.errors import (
    ReservationNotInState,
    SeriesOver,
    SeriesRefused,
)
from marketplace.booking.queries.reservations import Reservation
from marketplace.booking.queries.series import (
    Occurrence,
    Series,
    SeriesWithDates,
    locked_series,
    occurrences,
    series,
)
from marketplace.booking.rules.series import (
    SeriesScope,
    cut_before,
    dates_of,
    recurrence_of,
    rest_after,
)
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import reservation_series
from marketplace.booking.use_cases.cancel import cancel_for_provider
from marketplace.booking.use_cases.move import MoveReservation, move_reservation
from marketplace.booking.use_cases.series import PlaceSeries, SeriesAsked, place_series
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During

CANCELLABLE = frozenset({Status.HELD, Status.REQUESTED, Status.CONFIRMED})
REPLACED = "The series was changed."


@dataclass(frozen=True, slots=True)
class ChangeSeries:
    """Another start, length or rule, for `scope`; what is left out stays as it is.

    `occurrence` is the date as the series names it, also where its reservation has moved. For one
    date `starts_at` is its own; otherwise it is where the dates from then on begin.
    """

    series_id: int
    scope: SeriesScope
    occurrence: datetime | None = None
    starts_at: datetime | None = None
    minutes: int | None = None
    rule: str | None = None
    skip_conflicts: bool = False
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CancelSeries:
    """Give back one date, one and all after it, or all that lie ahead."""

    series_id: int
    scope: SeriesScope
    reason: str
    occurrence: datetime | None = None


async def change_series(tx: Tx, command: ChangeSeries) -> SeriesWithDates:
    """Move one date, or cut the series and let another follow it; the series that then holds.

    Raises:
        Missing: when it belongs to others, or names no such date.
        SeriesOver: when nothing of it lies ahead.
        SeriesRefused: when nothing is to change, or with everything against the new dates.
        ReservationNotInState, ReservationRefused, ReservationOverlaps: for one date that moves.
    """
    found = await locked_series(tx, command.series_id)
    if command.starts_at is None and command.minutes is None and command.rule is None:
        raise SeriesRefused("Say another start, length or rule.")
    if command.scope is SeriesScope.THIS:
        await _move_one(tx, found, command)
        return await series(tx, found.id)
    rule = recurrence_of(found.rule)
    named = dates_of(rule, found.starts_at)
    # Dates that somebody added to the series are not the rule's: they stay as they are.
    ahead = [
        one
        for one in await _ahead(tx, found, command.scope, command.occurrence)
        if one.starts_at in set(named)
    ]
    if not ahead:
        raise SeriesOver("What is past stays as it was.")
    cut_at = ahead[0].starts_at
    await cancel_for_provider(tx, _cancellable(tx, ahead), reason=REPLACED)
    await _end(tx, found, [date for date in named if date < cut_at])
    asked = SeriesAsked(
        instrument_id=found.instrument_id,
        starts_at=command.starts_at or cut_at,
        minutes=command.minutes or found.minutes,
        rule=command.rule or str(rest_after(rule, sum(date < cut_at for date in named))),
        purpose=found.purpose,
        override_reason=command.override_reason,
    )
    placed = await place_series(
        tx,
        PlaceSeries(
            asked,
            skip_conflicts=command.skip_conflicts,
            follows_id=found.id,
            leave_out=_left_out(tx, ahead, asked, anew=command.rule is not None),
        ),
    )
    tx.audit(
        "change",
        subject="reservation_series",
        subject_id=found.id,
        scope=command.scope,
        cut_at=cut_at.isoformat(),
        followed_by=placed.series.id,
    )
    return placed


async def cancel_series(tx: Tx, command: CancelSeries) -> SeriesWithDates:
    """Give dates back; a series of which nothing lies ahead has ended.

    Raises:
        Missing: when it belongs to others, or names no such date.
        SeriesOver: when nothing of it lies ahead.
        ReservationNotInState: when the one date has no reservation that could be given back.
    """
    found = await locked_series(tx, command.series_id)
    if command.scope is SeriesScope.THIS:
        present = _reserved(await _occurrence(tx, found, command.occurrence))
        await cancel_for_provider(tx, [present], reason=command.reason)
    else:
        ahead = await _ahead(tx, found, command.scope, command.occurrence)
        await cancel_for_provider(tx, _cancellable(tx, ahead), reason=command.reason)
        named = dates_of(recurrence_of(found.rule), found.starts_at)
        await _end(tx, found, [date for date in named if date < ahead[0].starts_at])
    tx.audit(
        "cancel",
        subject="reservation_series",
        subject_id=found.id,
        scope=command.scope,
        occurrence=command.occurrence and command.occurrence.isoformat(),
        reason=command.reason,
    )
    return await series(tx, found.id)


async def _move_one(tx: Tx, found: Series, command: ChangeSeries) -> None:
    if command.rule is not None:
        raise SeriesRefused("One date has no rule; change this and all that follow.")
    present = _reserved(await _occurrence(tx, found, command.occurrence))
    starts_at = command.starts_at or present.starts_at
    length = (
        present.ends_at - present.starts_at
        if command.minutes is None
        else timedelta(minutes=command.minutes)
    )
    await move_reservation(
        tx,
        MoveReservation(
            present.id,
            During(starts_at, starts_at + length),
            override_reason=command.override_reason,
        ),
    )


async def _occurrence(tx: Tx, found: Series, starts_at: datetime | None) -> Occurrence:
    _require_date(starts_at)
    for one in await occurrences(tx, found.id, lock=True):
        if one.starts_at == starts_at:
            return one
    raise Missing("The series names no such date.")


def _require_date(starts_at: datetime | None) -> datetime:
    if starts_at is None:
        raise SeriesRefused("Say which date of the series it is about, as the series names it.")
    return starts_at


def _reserved(one: Occurrence) -> Reservation:
    if one.reservation is None:
        raise ReservationNotInState("The date was left out; try it again first.", possible=[])
    return one.reservation


async def _ahead(
    tx: Tx, found: Series, scope: SeriesScope, starts_at: datetime | None
) -> Sequence[Occurrence]:
    """The dates from one on, or from now on; never one that has begun."""
    if found.ended_at is not None:
        raise SeriesOver("It was cut or cancelled before.")
    dates = await occurrences(tx, found.id, lock=True)
    if scope is SeriesScope.FOLLOWING:
        starts_at = _require_date(starts_at)
        if all(one.starts_at != starts_at for one in dates):
            raise Missing("The series names no such date.")
        if starts_at <= tx.now:
            raise SeriesOver("That date is past; choose one that lies ahead.")
        dates = [one for one in dates if one.starts_at >= starts_at]
    ahead = [one for one in dates if one.starts_at > tx.now]
    if not ahead:
        raise SeriesOver("What is past stays as it was.")
    return ahead


def _cancellable(tx: Tx, dates: Sequence[Occurrence]) -> list[Reservation]:
    """Their reservations that have not begun: one that was moved may have."""
    return [
        one.reservation
        for one in dates
        if one.reservation is not None
        and one.reservation.status in CANCELLABLE
        and one.reservation.starts_at > tx.now
    ]


def _left_out(
    tx: Tx, ahead: Sequence[Occurrence], asked: SeriesAsked, *, anew: bool
) -> frozenset[datetime]:
    """The new dates that stand for one that was given back or used: it is not reserved again."""
    if anew:
        return frozenset()
    cancelled = {one.id for one in _cancellable(tx, ahead)}
    following = dates_of(recurrence_of(asked.rule), asked.starts_at)
    return frozenset(
        date
        for one, date in zip(ahead, following, strict=False)
        if one.reservation is not None and one.reservation.id not in cancelled
    )


async def _end(tx: Tx, found: Series, kept: Sequence[datetime]) -> None:
    """Let the series name nothing after `kept`; its dates stay written down as they were."""
    rule = str(cut_before(recurrence_of(found.rule), kept)) if kept else found.rule
    await tx.execute(
        update(reservation_series)
        .where(reservation_series.c.id == found.id)
        .values(rule=rule, ended_at=tx.now)
    )
