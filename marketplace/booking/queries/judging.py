"""What strikes and suspensions are judged by: how reservations ended, and what counts already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text

from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.queries.strikes import Strike, Suspension, made_strike, strike_select
from marketplace.booking.rules.states import Status
from marketplace.booking.rules.strikes import StrikeTerms
from marketplace.booking.tables import reservation, suspension, usage_session
from marketplace.booking.tables import strike as table
from marketplace.kernel.db import Tx
from marketplace.rulebook import rulebook

_JUDGED = (Status.USED, Status.LATE_CANCELLED, Status.NO_SHOW)


@dataclass(frozen=True, slots=True)
class Ended:
    """A reservation that ended, with its session where somebody had checked in."""

    reservation: Reservation
    problem: str | None
    reserved_minutes: int | None
    actual_minutes: int | None


def strike_terms(day: date) -> StrikeTerms:
    """The terms of strikes for what happened on `day`."""
    terms = rulebook().booking
    return StrikeTerms(
        limit=terms.strikes_limit.on(day),
        valid_days=terms.strike_valid_days.on(day),
        suspension_days=terms.suspension_days.on(day),
        appeal_days=terms.appeal_days.on(day),
        waste_percent=terms.strike_waste_percent.on(day),
        waste_minutes=terms.strike_waste_minutes.on(day),
    )


async def ended_reservations(tx: Tx, reservation_ids: Sequence[int]) -> list[Ended]:
    """Those of the reservations that ended in a way that may deserve a strike. Two statements."""
    placed = await tx.all(
        made_reservation,
        reservation_select().where(
            reservation.c.id.in_(reservation_ids), reservation.c.status.in_(_JUDGED)
        ),
    )
    used = {
        row.reservation_id: row
        for row in await tx.execute(
            select(
                usage_session.c.reservation_id,
                usage_session.c.problem,
                usage_session.c.reserved_minutes,
                usage_session.c.actual_minutes,
            ).where(
                usage_session.c.reservation_id.in_(reservation_ids),
                usage_session.c.closed_at.is_not(None),
            )
        )
    }
    return [
        Ended(
            one,
            problem=None if (session := used.get(one.id)) is None else session.problem,
            reserved_minutes=None if session is None else session.reserved_minutes,
            actual_minutes=None if session is None else session.actual_minutes,
        )
        for one in placed
    ]


async def ended_since(
    tx: Tx, since: datetime, *, until: datetime, limit: int
) -> list[tuple[datetime, int]]:
    """Reservations that ended after `since` in a way that may deserve a strike, oldest first.

    All of one moment come together, however many they are, so that the next look may begin behind.
    """
    c = reservation.c
    # As the index says it; a list of parameters would not be recognised.
    judged = text("reservation.status in ('used', 'late_cancelled', 'no_show')")
    first = (
        select(c.ended_at)
        .where(judged, c.ended_at > since, c.ended_at <= until)
        .order_by(c.ended_at, c.id)
        .limit(limit)
        .subquery()
    )
    last = select(func.max(first.c.ended_at)).scalar_subquery()
    rows = await tx.execute(
        select(c.ended_at, c.id)
        .where(judged, c.ended_at > since, c.ended_at <= last)
        .order_by(c.ended_at, c.id)
    )
    return [(row.ended_at, row.id) for row in rows]


async def lock_people(tx: Tx, person_ids: Sequence[int]) -> None:
    """One transaction at a time decides what a person's strikes lead to; in one order for all."""
    await tx.execute(
        text(
            "select pg_advisory_xact_lock(hashtextextended(who, 0))"
            " from unnest(cast(:people as text[])) as who"
        ),
        {"people": [f"strikes:{person_id}" for person_id in sorted(set(person_ids))]},
    )


async def strikes_of(tx: Tx, person_ids: Sequence[int]) -> dict[int, list[Strike]]:
    """Every strike of each person that is not waived, oldest first."""
    found = await tx.all(
        made_strike,
        strike_select()
        .where(table.c.person_id.in_(person_ids), table.c.waived_at.is_(None))
        .order_by(table.c.given_at, table.c.id),
    )
    by_person: dict[int, list[Strike]] = {person_id: [] for person_id in person_ids}
    for one in found:
        by_person[one.person_id].append(one)
    return by_person


async def suspensions_now(tx: Tx, person_ids: Sequence[int]) -> dict[int, Suspension]:
    """The suspension of each person that is not over."""
    found = await tx.all(
        Suspension,
        select(suspension).where(
            suspension.c.person_id.in_(person_ids),
            suspension.c.ends_at > tx.now,
            suspension.c.lifted_at.is_(None),
        ),
    )
    return {one.person_id: one for one in found}
