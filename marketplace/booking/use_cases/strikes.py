"""Give strikes for misuse, and suspend who has too many; appeals, waivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.booking.errors import (
    AppealDecided,
    AppealSecondPerson,
    AppealTooLate,
    StrikeAlreadyWaived,
    StrikeSecondPerson,
)
from marketplace.booking.events import AppealDecided as AppealWasDecided
from marketplace.booking.events import (
    AppealFiled,
    PersonSuspended,
    StrikeGiven,
    StrikeWaived,
    SuspensionLifted,
)
from marketplace.booking.queries.judging import (
    Ended,
    ended_reservations,
    ended_since,
    lock_people,
    strike_terms,
    strikes_of,
    suspensions_now,
)
from marketplace.booking.queries.strikes import (
    ADMINISTRATORS,
    Appeal,
    Strike,
    Suspension,
    appeal,
    locked_appeal,
    locked_strike,
    made_appeal,
    visible_strike,
)
from marketplace.booking.queries.timetables import schedules
from marketplace.booking.rules.availability import is_down
from marketplace.booking.rules.schedule import BOOKABLE, Schedule
from marketplace.booking.rules.strikes import (
    AppealStatus,
    Counted,
    Use,
    appeal_refusals,
    misuses,
    suspended_until,
)
from marketplace.booking.tables import strike, strike_appeal, strike_sweep, suspension
from marketplace.kernel.actors import SYSTEM_PERSON_ID
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import During, shanghai_day
from marketplace.parties.queries import places

BATCH = 100
# A reservation may end in a transaction that began before another one's, and commit after it.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class JudgeReservations:
    """Look whether the ends of these reservations deserve strikes."""

    reservation_ids: tuple[int, ...]


async def judge_reservations(tx: Tx, command: JudgeReservations) -> int:
    """Give what strikes they deserve and have not got yet; returns how many.

    Doing it twice changes nothing: there is one strike for each reservation and kind.
    """
    ended = await ended_reservations(tx, command.reservation_ids)
    if not ended:
        return 0
    around = During(
        min(one.reservation.starts_at for one in ended),
        max(one.reservation.ends_at for one in ended),
    )
    found = await schedules(tx, sorted({one.reservation.instrument_id for one in ended}), around)
    rows = [
        row
        for one in ended
        if one.reservation.person_id != SYSTEM_PERSON_ID
        for row in _strikes_due(tx, one, found[one.reservation.instrument_id])
    ]
    if not rows:
        return 0
    people = sorted({row["person_id"] for row in rows})
    await lock_people(tx, people)
    given = (
        await tx.execute(
            upsert(strike)
            .values(rows)
            .on_conflict_do_nothing(constraint="strike_once")
            .returning(
                strike.c.id,
                strike.c.person_id,
                strike.c.organisation_id,
                strike.c.reservation_id,
                strike.c.kind,
            )
        )
    ).all()
    for row in given:
        tx.record(
            StrikeGiven(
                strike_id=row.id,
                person_id=row.person_id,
                organisation_id=row.organisation_id,
                reservation_id=row.reservation_id,
                kind=row.kind,
            )
        )
        tx.audit("give", subject="strike", subject_id=row.id, kind=row.kind)
    await _recompute(tx, people)
    return len(given)


def _strikes_due(tx: Tx, ended: Ended, found: Schedule) -> list[dict[str, Any]]:
    placed = ended.reservation
    given_at = placed.ended_at or tx.now
    terms = strike_terms(shanghai_day(given_at))
    use = Use(
        status=placed.status,
        purpose=placed.purpose,
        own_staff=placed.organisation_id == placed.provider_id,
        instrument_down=found.status not in BOOKABLE or is_down(found.closures, placed.during),
        problem=ended.problem,
        reserved_minutes=ended.reserved_minutes,
        used_minutes=ended.actual_minutes,
    )
    return [
        {
            "person_id": placed.person_id,
            "organisation_id": placed.organisation_id,
            "provider_id": placed.provider_id,
            "instrument_id": placed.instrument_id,
            "reservation_id": placed.id,
            "kind": one.kind,
            "given_at": given_at,
            "noted_at": max(tx.now, given_at),
            "expires_at": given_at + timedelta(days=terms.valid_days),
            "why": one.why,
        }
        for one in misuses(use, terms=terms)
    ]


def _counted(one: Strike) -> Counted:
    terms = strike_terms(shanghai_day(one.given_at))
    return Counted(one.given_at, one.expires_at, terms.limit, terms.suspension_days)


async def _recompute(tx: Tx, people: Sequence[int]) -> None:
    """Make suspensions what the valid strikes say; whose people are locked.

    A suspension that is over stays as it was; nobody is suspended for the past.
    """
    standing = await strikes_of(tx, people)
    present = await suspensions_now(tx, people)
    for person_id in people:
        valid = standing[person_id]
        until = suspended_until([_counted(one) for one in valid], at=tx.now)
        holds = present.get(person_id)
        if until is not None and holds is None:
            await _suspend(tx, valid[-1], until)
        elif holds is not None and until is None:
            await _lift(tx, holds)
        elif holds is not None and until is not None and until != holds.ends_at:
            await _set_end(tx, holds, until)


async def _suspend(tx: Tx, last: Strike, until: datetime) -> None:
    suspension_id: int = await tx.scalar(
        insert(suspension)
        .values(
            person_id=last.person_id,
            organisation_id=last.organisation_id,
            starts_at=tx.now,
            ends_at=until,
        )
        .returning(suspension.c.id)
    )
    tx.audit("suspend", subject="person", subject_id=last.person_id, until=until.isoformat())
    tx.record(PersonSuspended(suspension_id, last.person_id, last.organisation_id, until))


async def _lift(tx: Tx, holds: Suspension) -> None:
    because = "Too few strikes are left."
    await tx.execute(
        update(suspension)
        .where(suspension.c.id == holds.id)
        .values(lifted_at=tx.now, lifted_because=because)
    )
    tx.audit("lift_suspension", subject="person", subject_id=holds.person_id, reason=because)
    tx.record(SuspensionLifted(holds.id, holds.person_id, holds.organisation_id))


async def _set_end(tx: Tx, holds: Suspension, until: datetime) -> None:
    await tx.execute(update(suspension).where(suspension.c.id == holds.id).values(ends_at=until))
    tx.audit(
        "suspend",
        subject="person",
        subject_id=holds.person_id,
        until=until.isoformat(),
        before=holds.ends_at.isoformat(),
    )
    tx.record(PersonSuspended(holds.id, holds.person_id, holds.organisation_id, until))


async def sweep_strikes(tx: Tx, _: None = None) -> int:
    """Judge the next reservations that ended, in case an event was not heard; how many there were.

    The sweep stays an hour behind, so that no end is passed over whose transaction took long.
    """
    since = await _judged_until(tx)
    ended = await ended_since(tx, since, until=tx.now - OVERLAP, limit=BATCH)
    if ended:
        await judge_reservations(tx, JudgeReservations(tuple(each for _, each in ended)))
        await tx.execute(update(strike_sweep).values(judged_until=ended[-1][0]))
    return len(ended)


async def _judged_until(tx: Tx) -> datetime:
    """Where the sweep stands, locked; the first one ever begins with the present."""
    await tx.execute(
        upsert(strike_sweep).values(id=1, judged_until=tx.now - OVERLAP).on_conflict_do_nothing()
    )
    stands: datetime = await tx.scalar(select(strike_sweep.c.judged_until).with_for_update())
    return stands


@dataclass(frozen=True, slots=True)
class WaiveStrike:
    """The provider takes a strike back, and says why."""

    strike_id: int
    reason: str


async def waive_strike(tx: Tx, command: WaiveStrike) -> Strike:
    """Let a strike not count any more; a suspension that stood on it is computed anew.

    Raises:
        Missing: when it was given on others' instruments.
        StrikeSecondPerson: when it is the actor's own.
        StrikeAlreadyWaived: when it does not count any more.
    """
    seen = await visible_strike(tx, command.strike_id)
    if seen.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such strike on an instrument of yours.")
    if seen.person_id == tx.actor.person_id:
        raise StrikeSecondPerson("A colleague decides about your strike.")
    await _waive(tx, seen, command.reason)
    return await visible_strike(tx, seen.id)


async def _waive(tx: Tx, seen: Strike, reason: str) -> None:
    await lock_people(tx, [seen.person_id])
    present = await locked_strike(tx, seen.id)
    if present.waived_at is not None:
        raise StrikeAlreadyWaived("It does not count.", waived_at=present.waived_at)
    await tx.execute(
        update(strike)
        .where(strike.c.id == present.id)
        .values(waived_at=tx.now, waived_by=tx.actor.person_id, waived_because=reason)
    )
    tx.audit("waive", subject="strike", subject_id=present.id, reason=reason)
    tx.record(StrikeWaived(present.id, present.person_id, present.organisation_id))
    await _recompute(tx, [present.person_id])


@dataclass(frozen=True, slots=True)
class AppealStrike:
    """Ask the centre to look at a strike."""

    strike_id: int
    text: str


async def appeal_strike(tx: Tx, command: AppealStrike) -> Appeal:
    """File the one appeal against a strike; it counts until the appeal is upheld.

    Raises:
        Missing: for who neither got the strike nor leads the organisation of who did.
        StrikeAlreadyWaived: when it does not count any more.
        AppealTooLate: when the days for it are over.
        StrikeAlreadyAppealed: when there is one.
    """
    seen = await visible_strike(tx, command.strike_id)
    leads = seen.organisation_id == tx.actor.organisation_id and tx.actor.has(*ADMINISTRATORS)
    if seen.person_id != tx.actor.person_id and not leads:
        raise Missing("There is no such strike of yours.")
    if seen.waived_at is not None:
        raise StrikeAlreadyWaived("It does not count.", waived_at=seen.waived_at)
    terms = strike_terms(shanghai_day(seen.given_at))
    appeal_refusals(noted_at=seen.noted_at, at=tx.now, terms=terms).raise_as(AppealTooLate)
    filed = await tx.one(
        made_appeal,
        insert(strike_appeal)
        .values(
            strike_id=seen.id,
            filed_by=tx.actor.person_id,
            filed_at=tx.now,
            text=command.text,
            status=AppealStatus.OPEN,
        )
        .returning(*strike_appeal.c),
    )
    tx.audit("file", subject="strike_appeal", subject_id=filed.id, strike_id=seen.id)
    tx.record(AppealFiled(filed.id, seen.id, seen.organisation_id))
    return filed


@dataclass(frozen=True, slots=True)
class DecideAppeal:
    """The centre upholds an appeal or rejects it, and says why."""

    appeal_id: int
    upheld: bool
    reason: str


async def decide_appeal(tx: Tx, command: DecideAppeal) -> Appeal:
    """Decide an appeal: upheld, the strike does not count; rejected, it stands.

    Raises:
        Missing: when there is none.
        AppealDecided: when that has been done.
        AppealSecondPerson: for who filed it, got the strike, or belongs to either side.
    """
    seen = await appeal(tx, command.appeal_id)
    given = await visible_strike(tx, seen.strike_id)
    await _require_neutral(tx, seen, given)
    present = await locked_appeal(tx, seen.id)
    if present.status is not AppealStatus.OPEN:
        raise AppealDecided(f"It was {present.status}.", decided_at=present.decided_at)
    await tx.execute(
        update(strike_appeal)
        .where(strike_appeal.c.id == present.id)
        .values(
            status=AppealStatus.UPHELD if command.upheld else AppealStatus.REJECTED,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            reason=command.reason,
        )
    )
    tx.audit(
        "uphold" if command.upheld else "reject",
        subject="strike_appeal",
        subject_id=present.id,
        strike_id=given.id,
        reason=command.reason,
    )
    tx.record(AppealWasDecided(present.id, given.id, given.organisation_id, command.upheld))
    if command.upheld and given.waived_at is None:
        await _waive(tx, given, command.reason)
    return await appeal(tx, present.id)


async def _require_neutral(tx: Tx, filed: Appeal, given: Strike) -> None:
    sides = {given.organisation_id, given.provider_id}
    belongs = {place.organisation.id for place in await places(tx, tx.actor.person_id)}
    if tx.actor.person_id in (filed.filed_by, given.person_id) or sides & belongs:
        raise AppealSecondPerson("Somebody of the centre decides who belongs to neither side.")
